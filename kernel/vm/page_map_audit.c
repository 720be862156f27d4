/*
 * page_map_audit.c - the audit's two walks through a page map.
 *
 * The first goes through every node once, however many maps share it, and counts in the
 * nodes and pages how many roots and slots hold them. The second, when all maps have
 * been met, compares the nodes; the pages are compared in their records, where those that
 * nobody holds are found too. A node that is held can't go away: its map's owner is
 * locked, and what is shared below it is held by the same map.
 */
#include "vm/audit.h"
#include "vm/page_map_internal.h"

/* What has been compared is marked with the pass and this. */
#define COMPARED (UINT32_MAX / 2)

static void meet_page(struct page *page, struct audit *audit) {
    uint8_t state = atomic_load_explicit(&page->state, memory_order_relaxed);
    if (state != PAGE_VMO && !page_is_zero(page))
        audit_found(audit, AUDIT_PAGE_STATE, page_address(page).value, state, PAGE_VMO);
    else
        (void)audit_met(audit, &page->audit);
}

static void meet_node(struct map_node *node, struct audit *audit) {
    uint64_t pages = 0, used = 0;
    if (audit_met(audit, &node->audit) > 1)
        return;
    if (map_node_is_zero(node))
        return; /* never changes; what counts it is looked at by page_map_audit_zeros */
    audit->nodes++;
    for (unsigned i = 0; i < MAP_FANOUT; i++) {
        void *child = node->slot[i];
        if (!child)
            continue;
        used++;
        if (node->height == 0) {
            meet_page(child, audit);
            pages += page_is_counted(child);
            continue;
        }
        struct map_node *lower = child;
        meet_node(lower, audit);
        pages += lower->pages;
        if (lower->height + 1 != node->height)
            audit_found(audit, AUDIT_NODE_TOTALS, (uintptr_t)lower, lower->height,
                        node->height - 1u);
    }
    if (used != node->used)
        audit_found(audit, AUDIT_NODE_TOTALS, (uintptr_t)node, node->used, used);
    if (pages != node->pages)
        audit_found(audit, AUDIT_NODE_TOTALS, (uintptr_t)node, node->pages, pages);
}

void page_map_audit_meet(const struct page_map *map, struct audit *audit) {
    if (map->root)
        meet_node(map->root, audit);
}

static void compare_node(struct map_node *node, struct audit *audit) {
    uint32_t met = audit_times_met(audit, node->audit);
    uint32_t count = atomic_load_explicit(&node->count, memory_order_relaxed);
    if (met >= COMPARED || map_node_is_zero(node))
        return;
    if (met != count)
        audit_found(audit, AUDIT_NODE_COUNT, (uintptr_t)node, count, met);
    node->audit = (uint64_t)audit->pass << 32 | COMPARED;
    for (unsigned i = 0; node->height > 0 && i < MAP_FANOUT; i++)
        if (node->slot[i])
            compare_node(node->slot[i], audit);
}

void page_map_audit_nodes(const struct page_map *map, struct audit *audit) {
    if (map->root)
        compare_node(map->root, audit);
}
