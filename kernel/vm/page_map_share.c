/*
 * page_map_share.c - how much of a map is its own, for ZX_INFO_VMO_V4 and the like.
 */
#include "vm/page_map_internal.h"

/* Keys that are asked for, relative to the node's first. */
static void share_node(const struct map_node *node, uint64_t low, uint64_t high, uint64_t weight,
                       struct map_share *share) {
    uint64_t step = 1ull << shift_of(node->height);
    weight /= atomic_load_explicit(&node->count, memory_order_relaxed);
    for (uint64_t slot = low / step; slot <= high / step; slot++) {
        uint64_t base = slot * step;
        void *child = node->slot[slot];
        if (!child)
            continue;
        if (node->height > 0) {
            if (node_pages(child))
                share_node(child, MAX(low, base) - base, MIN(high - base, step - 1), weight, share);
        } else if (page_is_counted(child)) {
            uint64_t part = weight / atomic_load_explicit(&((struct page *)child)->count,
                                                          memory_order_relaxed);
            share->pages++;
            share->private_pages += part == MAP_SHARE_ONE;
            share->scaled += part;
        }
    }
}

struct map_share page_map_share(const struct page_map *map, uint64_t first, uint64_t last) {
    struct map_share share = {};
    uint64_t low = map->bias + first, high = map->bias + last;
    if (covers(map->root, low) && first <= last)
        share_node(map->root, low, MIN(high, span_of(map->root->height) - 1), MAP_SHARE_ONE, &share);
    return share;
}
