/*
 * audit.c - telling what an audit found.
 */
#include "vm/audit.h"

#include "lib/log.h"

static const char *const texts[AUDIT_KINDS] = {
    [AUDIT_PAGE_COUNT] = "page: its count is not the number of slots that hold it",
    [AUDIT_PAGE_STATE] = "page: a memory object holds it, and it has another state",
    [AUDIT_PAGE_LEAKED] = "page: recorded as a memory object's, and none holds it",
    [AUDIT_NODE_COUNT] = "node: its count is not the number of roots and slots that hold it",
    [AUDIT_NODE_TOTALS] = "node: its totals are not what lies below",
    [AUDIT_NODES_LEAKED] = "nodes: there are more or fewer than maps hold",
    [AUDIT_MAPPED_FRAME] = "mapping: shows a frame that is nobody's to see",
    [AUDIT_MAPPED_STALE] = "mapping: shows another page than its memory object has there",
    [AUDIT_MAPPED_WRITABLE] = "mapping: writable, and the page is not its object's alone",
    [AUDIT_MAPPED_PERM] = "mapping: allows more than it may",
    [AUDIT_TABLE_STATE] = "page table: recorded as something else",
    [AUDIT_TABLE_COUNT] = "page tables: their number or what they count is wrong",
    [AUDIT_TABLE_LEAKED] = "page table: recorded as one, and in no address space",
    [AUDIT_VIEWS] = "views: a mapping and its memory object don't know the same",
    [AUDIT_FAMILY] = "family: a memory object's children are not what it counts",
    [AUDIT_STATE_COUNTER] = "state: its counter is not the number of its pages",
    [AUDIT_HEAP_COUNTER] = "heap: a counter is not what the slabs say",
};

uint32_t audit_next_pass(void) {
    static _Atomic uint32_t last = 1u << 30;
    return atomic_fetch_add(&last, 1) + 1;
}

void audit_log(const struct audit_finding *finding) {
    log_error("audit: %#lx: %s (%lu, not %lu)", finding->subject, texts[finding->kind],
              finding->found, finding->wanted);
}

void audit_found(struct audit *audit, enum audit_kind kind, uint64_t subject, uint64_t found,
                 uint64_t wanted) {
    const struct audit_finding finding = {kind, subject, found, wanted};
    audit->report(audit, &finding);
}

static void report_to_log(struct audit *audit, const struct audit_finding *finding) {
    container_of(audit, struct audit_to_log, audit)->differences++;
    audit_log(finding);
}

void audit_to_log_init(struct audit_to_log *audit) {
    *audit = (struct audit_to_log){
        .audit = {.pass = audit_next_pass(), .report = report_to_log}};
}
