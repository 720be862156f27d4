/*
 * audit.h - what an audit may find, and how its parts tell it.
 *
 * frame_audit.h looks at one address space, memory_audit.h at all memory.
 */
#pragma once

#include "vm/page_map.h"

enum audit_kind {
    AUDIT_PAGE_COUNT,
    AUDIT_PAGE_STATE,
    AUDIT_PAGE_LEAKED,
    AUDIT_NODE_COUNT,
    AUDIT_NODE_TOTALS,
    AUDIT_NODES_LEAKED,
    AUDIT_MAPPED_FRAME,
    AUDIT_MAPPED_STALE,
    AUDIT_MAPPED_WRITABLE,
    AUDIT_MAPPED_PERM,
    AUDIT_TABLE_STATE,
    AUDIT_TABLE_COUNT,
    AUDIT_TABLE_LEAKED,
    AUDIT_VIEWS,
    AUDIT_FAMILY,
    AUDIT_STATE_COUNTER,
    AUDIT_HEAP_COUNTER,
    AUDIT_KINDS,
};

/* Plain numbers, so that two passes can be compared. */
struct audit_finding {
    enum audit_kind kind;
    uint64_t subject; /* an address: of a frame, of what a program sees, of a node or an object */
    uint64_t found, wanted;
};

struct audit {
    /*
     * Whoever is looked at gets `pass` and how often it was met into its `audit` word;
     * a word with another pass in it says nothing. See audit_met.
     */
    uint32_t pass;
    uint64_t nodes, tables; /* distinct ones met */
    void (*report)(struct audit *audit, const struct audit_finding *finding);
};

/* A number that no word has; far from what pointers have in their upper half. */
uint32_t audit_next_pass(void);

/* One that only counts and logs. */
struct audit_to_log {
    struct audit audit;
    uint64_t differences;
};
void audit_to_log_init(struct audit_to_log *audit);

void audit_found(struct audit *audit, enum audit_kind kind, uint64_t subject, uint64_t found,
                 uint64_t wanted);
void audit_log(const struct audit_finding *finding);

/* Met once more: how often now in this pass. */
ALWAYS_INLINE uint32_t audit_met(const struct audit *audit, uint64_t *word) {
    if (*word >> 32 != audit->pass)
        *word = (uint64_t)audit->pass << 32;
    return (uint32_t)++*word;
}
/* How often it was met in this pass. */
ALWAYS_INLINE uint32_t audit_times_met(const struct audit *audit, uint64_t word) {
    return word >> 32 == audit->pass ? (uint32_t)word : 0;
}

/* page_map_audit.c, under the lock of the map's owner. Nodes: their totals; counts how often
   each node and each page is held. */
void page_map_audit_meet(const struct page_map *map, struct audit *audit);
/* After all maps were met: is each node held as often as its count says? */
void page_map_audit_nodes(const struct page_map *map, struct audit *audit);
/* page_map_zero.c: the same of the static subtrees and the zero pages. */
void page_map_audit_zeros(struct audit *audit);
