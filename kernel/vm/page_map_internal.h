/*
 * page_map_internal.h - shared by the page_map*.c files only.
 */
#pragma once

#include "vm/page_map.h"
#include "vm/pmm.h"

/* ---- Keys ---- */

ALWAYS_INLINE unsigned shift_of(unsigned height) { return height * MAP_BITS; }
/* How many keys a node of this height covers. */
ALWAYS_INLINE uint64_t span_of(unsigned height) { return 1ull << shift_of(height + 1); }
ALWAYS_INLINE unsigned slot_of(uint64_t key, unsigned height) {
    return (unsigned)(key >> shift_of(height)) & (MAP_FANOUT - 1);
}
ALWAYS_INLINE unsigned height_for(uint64_t key) {
    unsigned height = 0;
    while (key >= span_of(height))
        height++;
    return height;
}
ALWAYS_INLINE bool covers(const struct map_node *root, uint64_t key) {
    return root && key < span_of(root->height);
}

/* ---- Counts ---- */

ALWAYS_INLINE bool node_is_mine(const struct map_node *node) {
    return atomic_load_explicit(&node->count, memory_order_acquire) == 1;
}
ALWAYS_INLINE bool page_is_mine(const struct page *page) {
    return atomic_load_explicit(&page->count, memory_order_acquire) == 1;
}
ALWAYS_INLINE void page_raise(struct page *page) {
    atomic_fetch_add_explicit(&page->count, 1, memory_order_relaxed);
}
ALWAYS_INLINE void node_raise(struct map_node *node) {
    atomic_fetch_add_explicit(&node->count, 1, memory_order_relaxed);
}
ALWAYS_INLINE bool node_drop_is_last(struct map_node *node) {
    return atomic_fetch_sub_explicit(&node->count, 1, memory_order_acq_rel) == 1;
}

/* A page that costs memory: not absent, and no marker. */
ALWAYS_INLINE bool page_is_counted(const struct page *page) {
    return page && !page_is_zero(page);
}
ALWAYS_INLINE uint64_t node_pages(const struct map_node *node) { return node->pages; }

/* page_map.c: a node of the stash, empty. */
struct map_node *map_node_new(struct map_stash *stash, unsigned height);
/* *ref is a root or slot of mine: make the node it holds mine alone. */
struct map_node *map_own_node(void **ref, struct map_stash *stash);
/* Put roots above the root until it covers `key`. */
void map_grow(struct page_map *map, uint64_t key, struct map_stash *stash);
/* Drop a slot's hold on a page. */
void map_page_let_go(struct page *page);
/* Drop one reference to a subtree; what nobody holds any more is garbage. */
void map_node_let_go(struct map_node *node, struct map_garbage *garbage);
