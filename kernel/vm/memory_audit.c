/*
 * memory_audit.c - the passes over all of memory, and what stays of what they find.
 */
#include "vm/memory_audit.h"

#include "arch/clock.h"
#include "lib/log.h"
#include "sched/park.h"
#include "vm/frame_audit.h"
#include "vm/kheap.h"
#include "vm/pmm.h"
#include "vm/registry.h"

#define FINDINGS_MAX 64
#define PASSES       6

/* ---- Findings ---- */

struct findings {
    unsigned count;
    uint64_t lost; /* more than there is room for */
    struct audit_finding all[FINDINGS_MAX];
};

struct pass {
    struct audit audit;
    struct findings *findings;
    uint64_t states[PAGE_STATES]; /* records in each state */
};

static void keep_finding(struct audit *audit, const struct audit_finding *finding) {
    struct findings *findings = container_of(audit, struct pass, audit)->findings;
    if (findings->count < FINDINGS_MAX)
        findings->all[findings->count++] = *finding;
    else
        findings->lost++;
}

static bool findings_have(const struct findings *findings, const struct audit_finding *wanted) {
    for (unsigned i = 0; i < findings->count; i++) {
        const struct audit_finding *one = &findings->all[i];
        if (one->kind == wanted->kind && one->subject == wanted->subject &&
            one->found == wanted->found && one->wanted == wanted->wanted)
            return true;
    }
    return false;
}

/* What was found again. */
static void findings_intersect(struct findings *kept, const struct findings *again) {
    unsigned count = 0;
    for (unsigned i = 0; i < kept->count; i++)
        if (findings_have(again, &kept->all[i]))
            kept->all[count++] = kept->all[i];
    kept->count = count;
    kept->lost = MIN(kept->lost, again->lost);
}

/* ---- Memory objects ---- */

static void audit_children(struct vmo *vmo, struct audit *audit) {
    struct vmo_family *family = atomic_load(&vmo->family);
    uint64_t children = 0;
    if (!family)
        return;
    MUTEX_GUARD(&family->lock);
    list_for_each(node, &vmo->children)
        children += list_entry(node, struct vmo, sibling)->parent == vmo;
    if (children != vmo->child_count)
        audit_found(audit, AUDIT_FAMILY, vmo->base.koid, vmo->child_count, children);
}

static void audit_map(struct vmo *vmo, struct audit *audit) {
    uint64_t views = 0;
    MUTEX_GUARD(&vmo->lock);
    page_map_audit_meet(&vmo->map, audit);
    list_for_each(node, &vmo->views)
        views++;
    if (views != vmo->view_count)
        audit_found(audit, AUDIT_VIEWS, vmo->base.koid, vmo->view_count, views);
}

static void audit_nodes(struct vmo *vmo, struct audit *audit) {
    MUTEX_GUARD(&vmo->lock);
    page_map_audit_nodes(&vmo->map, audit);
}

static void audit_vmos(struct audit *audit) {
    for (struct vmo *vmo = registry_next_vmo(NULL); vmo; vmo = registry_next_vmo(vmo)) {
        audit_children(vmo, audit);
        audit_map(vmo, audit);
    }
    for (struct vmo *vmo = registry_next_vmo(NULL); vmo; vmo = registry_next_vmo(vmo))
        audit_nodes(vmo, audit);
    page_map_audit_zeros(audit);
    uint64_t alive = map_nodes_alive();
    if (alive != audit->nodes)
        audit_found(audit, AUDIT_NODES_LEAKED, 0, alive, audit->nodes);
}

/* ---- Page tables ---- */

static void meet_kernel_table(void *context, paddr_t address) {
    struct audit *audit = context;
    struct page *page = page_find(address);
    if (!page || page->state != PAGE_TABLE)
        return; /* of the image, or from before there were records */
    (void)audit_met(audit, &page->audit);
    audit->tables++;
}

static void audit_spaces(struct audit *audit) {
    for (struct aspace *aspace = registry_next_aspace(NULL); aspace;
         aspace = registry_next_aspace(aspace))
        frame_audit_into(aspace, audit);
    mmu_for_each_kernel_table(meet_kernel_table, audit);
}

/* ---- Records and counters ---- */

static void audit_vmo_page(const struct page *page, struct audit *audit) {
    uint32_t met = audit_times_met(audit, page->audit);
    uint32_t count = atomic_load_explicit(&page->count, memory_order_relaxed);
    if (met == 0)
        audit_found(audit, AUDIT_PAGE_LEAKED, page_address(page).value, 0, count);
    else if (met != count)
        audit_found(audit, AUDIT_PAGE_COUNT, page_address(page).value, count, met);
}

static void audit_record(void *context, struct page *page) {
    struct pass *pass = context;
    uint8_t state = atomic_load_explicit(&page->state, memory_order_relaxed);
    pass->states[MIN(state, (uint8_t)(PAGE_STATES - 1))]++;
    if (state == PAGE_VMO)
        audit_vmo_page(page, &pass->audit);
    else if (state == PAGE_TABLE && audit_times_met(&pass->audit, page->audit) == 0)
        audit_found(&pass->audit, AUDIT_TABLE_LEAKED, page_address(page).value, 0, 1);
}

static void audit_states(struct pass *pass) {
    pmm_for_each(audit_record, pass);
    struct pmm_stats counted = pmm_stats();
    pass->states[PAGE_FREE] += pass->states[PAGE_CACHED]; /* both are free pages */
    for (unsigned state = 0; state < PAGE_STATES; state++)
        if (state != PAGE_CACHED && counted.pages[state] != pass->states[state])
            audit_found(&pass->audit, AUDIT_STATE_COUNTER, state, counted.pages[state],
                        pass->states[state]);
    if (pass->audit.tables != pass->states[PAGE_TABLE])
        audit_found(&pass->audit, AUDIT_TABLE_COUNT, 0, pass->audit.tables,
                    pass->states[PAGE_TABLE]);
}

static void heap_differs(void *context, unsigned counter, uint64_t counted, uint64_t there) {
    audit_found(context, AUDIT_HEAP_COUNTER, counter, counted, there);
}

/* ---- The passes ---- */

static void run_pass(struct findings *findings) {
    struct pass pass = {.audit = {.pass = audit_next_pass(), .report = keep_finding},
                        .findings = findings};
    findings->count = 0;
    findings->lost = 0;
    audit_vmos(&pass.audit);
    audit_spaces(&pass.audit);
    audit_states(&pass);
    kheap_audit(heap_differs, &pass.audit);
}

static struct mutex audit_lock = MUTEX_INIT(RANK_AUDIT, "audit"); /* guards the lists */
static struct findings kept, again;

static void NOINLINE sleep_a_little(unsigned pass) {
    (void)thread_sleep_until(clock_now() + ((nstime_t)1000000 << pass));
}

struct memory_audit memory_audit(void) {
    struct memory_audit result = {0, 0};
    MUTEX_GUARD(&audit_lock);
    run_pass(&kept);
    for (unsigned pass = 1; pass < PASSES && kept.count > 0; pass++) {
        sleep_a_little(pass);
        run_pass(&again);
        findings_intersect(&kept, &again);
    }
    for (unsigned i = 0; i < kept.count; i++) {
        audit_log(&kept.all[i]);
        result.kinds |= 1ull << kept.all[i].kind;
    }
    result.differences = kept.count ? kept.count + kept.lost : 0;
    if (kept.count && kept.lost)
        log_error("audit: and %lu more", kept.lost);
    return result;
}
