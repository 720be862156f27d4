/*
 * page_map.c - walking, owning, cutting and cloning the radix tree.
 *
 * Only cutting descends by recursion, at most MAP_HEIGHT_MAX deep; freeing chains
 * dead nodes through their own `mark`.
 */
#include "vm/page_map.h"

#include "lib/string.h"
#include "vm/kheap.h"
#include "vm/page_map_internal.h"

static _Atomic int64_t nodes_alive;

uint64_t map_nodes_alive(void) { return (uint64_t)atomic_load(&nodes_alive); }

static void page_drop(struct page *page) {
    if (atomic_fetch_sub_explicit(&page->count, 1, memory_order_acq_rel) == 1)
        pmm_free(page, PAGE_VMO);
}
void map_page_let_go(struct page *page) { page_drop(page); }

static void node_free(struct map_node *node) {
    atomic_fetch_sub_explicit(&nodes_alive, 1, memory_order_relaxed);
    kheap_free_sized(node, sizeof(*node));
}

/* A dead node's slots are dropped; children that die with it join the chain. */
static void node_empty(struct map_node *node, struct map_node **chain) {
    for (unsigned i = 0; i < MAP_FANOUT; i++) {
        void *child = node->slot[i];
        if (!child)
            continue;
        if (node->height == 0) {
            page_drop(child);
        } else if (node_drop_is_last(child)) {
            struct map_node *dead = child;
            atomic_store_explicit(&dead->mark, (uintptr_t)*chain, memory_order_relaxed);
            *chain = dead;
        }
    }
}

/* A node that just died joins the garbage; it is nobody else's any more. */
static void garbage_add(struct map_garbage *garbage, struct map_node *dead) {
    atomic_store_explicit(&dead->mark, (uintptr_t)garbage->nodes, memory_order_relaxed);
    garbage->nodes = dead;
}

void map_garbage_release(struct map_garbage *garbage) {
    for (struct map_node *chain = garbage->nodes; chain;) {
        struct map_node *dead = chain;
        chain = (struct map_node *)(uintptr_t)atomic_load_explicit(&dead->mark,
                                                                   memory_order_relaxed);
        node_empty(dead, &chain);
        node_free(dead);
    }
    garbage->nodes = NULL;
}

/* Drop one reference to a subtree; what nobody holds any more is garbage. */
void map_node_let_go(struct map_node *node, struct map_garbage *garbage) {
    if (node_drop_is_last(node))
        garbage_add(garbage, node);
}

static void node_drop(struct map_node *node) {
    struct map_garbage garbage = MAP_GARBAGE_INIT;
    map_node_let_go(node, &garbage);
    map_garbage_release(&garbage);
}

void page_map_destroy(struct page_map *map) {
    struct map_node *root = map->root;
    page_map_init(map);
    if (root)
        node_drop(root);
}

/* ---- The stash ---- */

status_t map_stash_fill(struct map_stash *stash, unsigned count) {
    while (count-- > 0) {
        struct map_node *node = kheap_alloc(sizeof(*node));
        if (!node)
            return ERR_NO_MEMORY;
        atomic_fetch_add_explicit(&nodes_alive, 1, memory_order_relaxed);
        node->slot[0] = stash->nodes;
        stash->nodes = node;
    }
    return OK;
}

void map_stash_release(struct map_stash *stash) {
    while (stash->nodes) {
        struct map_node *node = stash->nodes;
        stash->nodes = node->slot[0];
        node_free(node);
    }
}

unsigned map_stash_count(const struct map_stash *stash) {
    unsigned count = 0;
    for (const struct map_node *node = stash->nodes; node; node = node->slot[0])
        count++;
    return count;
}

/* The plan said how many; running out is a fault of the plan. */
static struct map_node *stash_take(struct map_stash *stash) {
    struct map_node *node = stash->nodes;
    ASSERT(node);
    stash->nodes = node->slot[0];
    return node;
}

struct map_node *map_node_new(struct map_stash *stash, unsigned height) {
    struct map_node *node = stash_take(stash);
    memset(node, 0, sizeof(*node));
    atomic_init(&node->count, 1);
    node->height = (uint8_t)height;
    return node;
}

/* All slots, and one more count for what each holds: most of the cost of a sparse write. */
ALWAYS_INLINE void copy_slots(struct map_node *copy, const struct map_node *node, bool leaf) {
    _Pragma("clang loop unroll_count(8)") for (unsigned i = 0; i < MAP_FANOUT; i++) {
        void *child = node->slot[i];
        copy->slot[i] = child;
        if (child && leaf)
            page_raise(child);
        else if (child)
            node_raise(child);
    }
}

/* A private copy of a shared node: its children gain a slot that holds them. */
static struct map_node *node_copy(const struct map_node *node, struct map_stash *stash) {
    struct map_node *copy = stash_take(stash);
    atomic_init(&copy->count, 1);
    atomic_init(&copy->mark, 0);
    copy->height = node->height;
    copy->used = node->used;
    copy->pages = node->pages;
    if (node->height == 0)
        copy_slots(copy, node, true);
    else
        copy_slots(copy, node, false);
    return copy;
}

/* ---- Looking ---- */

struct page *page_map_find(const struct page_map *map, uint64_t index, bool *out_exclusive) {
    uint64_t key = map->bias + index;
    const struct map_node *node = map->root;
    bool exclusive = true;
    if (!covers(node, key))
        return NULL;
    for (;;) {
        exclusive = exclusive && node_is_mine(node);
        void *child = node->slot[slot_of(key, node->height)];
        if (!child)
            return NULL;
        if (node->height == 0) {
            if (out_exclusive)
                *out_exclusive = exclusive && page_is_mine(child);
            return child;
        }
        node = child;
    }
}

struct map_stretch page_map_stretch(const struct page_map *map, uint64_t index, uint64_t count) {
    uint64_t key = map->bias + index;
    uint64_t in_leaf = MAP_FANOUT - (key & (MAP_FANOUT - 1));
    struct map_stretch stretch = {NULL, (unsigned)MIN(count, in_leaf), true};
    struct map_node *node = map->root;
    if (!covers(node, key))
        return stretch;
    while (node) {
        stretch.path_exclusive = stretch.path_exclusive && node_is_mine(node);
        unsigned slot = slot_of(key, node->height);
        if (node->height == 0) {
            stretch.slots = (struct page **)&node->slot[slot];
            break;
        }
        node = node->slot[slot];
    }
    return stretch;
}

struct page *page_map_next(const struct page_map *map, uint64_t first, uint64_t last,
                           uint64_t *out_index) {
    uint64_t key = map->bias + first, end = map->bias + last;
    while (covers(map->root, key) && key <= end) {
        const struct map_node *node = map->root;
        unsigned slot = slot_of(key, node->height);
        while (node->height > 0 && node->slot[slot] && node_pages(node->slot[slot])) {
            node = node->slot[slot];
            slot = slot_of(key, node->height);
        }
        if (node->height == 0 && page_is_counted(node->slot[slot])) {
            *out_index = key - map->bias;
            return node->slot[slot];
        }
        /* Go on behind the empty slot. */
        uint64_t step = 1ull << shift_of(node->height);
        key = (key & ~(step - 1)) + step;
    }
    return NULL;
}

/* ---- Owning a path ---- */

unsigned page_map_plan_own(const struct page_map *map, uint64_t index) {
    uint64_t key = map->bias + index;
    const struct map_node *node = map->root;
    unsigned needed = 0;
    if (!node)
        return height_for(key) + 1;
    if (!covers(node, key))
        return height_for(key) - node->height + height_for(key);
    for (bool shared = false; node; node = node->slot[slot_of(key, node->height)]) {
        shared = shared || !node_is_mine(node);
        needed += shared;
        if (node->height == 0)
            return needed;
        if (!node->slot[slot_of(key, node->height)])
            return needed + node->height;
    }
    return needed;
}

void page_map_probe(const struct page_map *map, uint64_t index, struct map_probe *out_probe) {
    uint64_t key = map->bias + index;
    struct map_node *node = map->root;
    bool shared = false;
    out_probe->page = NULL;
    out_probe->exclusive = false;
    if (unlikely(!covers(node, key))) {
        out_probe->needed = page_map_plan_own(map, index);
        return;
    }
    out_probe->needed = 0;
    out_probe->cursor.top = node->height;
    for (;;) {
        unsigned slot = slot_of(key, node->height);
        shared = shared || !node_is_mine(node);
        out_probe->needed += shared;
        out_probe->cursor.path[node->height] = node;
        void *child = node->slot[slot];
        if (node->height == 0) {
            out_probe->page = child;
            out_probe->exclusive = child && !shared && page_is_mine(child);
            out_probe->cursor.leaf = node;
            out_probe->cursor.slot = slot;
            return;
        }
        if (!child) {
            out_probe->needed += node->height;
            return;
        }
        node = child;
    }
}

/* Put roots above the root until it covers `key`. */
void map_grow(struct page_map *map, uint64_t key, struct map_stash *stash) {
    if (!map->root) {
        map->root = map_node_new(stash, height_for(key));
        return;
    }
    while (!covers(map->root, key)) {
        struct map_node *old = map->root, *root = map_node_new(stash, old->height + 1u);
        root->slot[0] = old;
        root->used = 1;
        root->pages = old->pages;
        map->root = root;
    }
}

/* *ref is a root or slot of mine: make the node it holds mine alone. */
struct map_node *map_own_node(void **ref, struct map_stash *stash) {
    struct map_node *node = *ref;
    if (node_is_mine(node))
        return node;
    struct map_node *copy = node_copy(node, stash);
    *ref = copy;
    node_drop(node);
    return copy;
}

void page_map_cursor(struct page_map *map, uint64_t index, struct map_stash *stash,
                     struct map_cursor *out_cursor) {
    uint64_t key = map->bias + index;
    map_grow(map, key, stash);
    struct map_node *node = map_own_node((void **)&map->root, stash);
    for (;;) {
        unsigned slot = slot_of(key, node->height);
        out_cursor->path[node->height] = node;
        if (node->height == 0) {
            out_cursor->leaf = node;
            out_cursor->slot = slot;
            out_cursor->top = map->root->height;
            return;
        }
        if (!node->slot[slot]) {
            node->slot[slot] = map_node_new(stash, node->height - 1u);
            node->used++;
        }
        node = map_own_node(&node->slot[slot], stash);
    }
}

void page_map_cursor_store(struct map_cursor *cursor, unsigned slot, struct page *page) {
    DEBUG_ASSERT(!cursor->leaf->slot[slot] && page_is_mine(page));
    cursor->leaf->slot[slot] = page;
    cursor->leaf->used++;
    for (unsigned height = 0; height <= cursor->top; height++)
        cursor->path[height]->pages++;
}

void page_map_cursor_replace(struct map_cursor *cursor, unsigned slot, struct page *page) {
    struct page *old = cursor->leaf->slot[slot];
    DEBUG_ASSERT(old && page_is_mine(page));
    cursor->leaf->slot[slot] = page;
    page_drop(old);
}

void page_map_store(struct page_map *map, uint64_t index, struct page *page,
                    struct map_stash *stash) {
    struct map_cursor cursor;
    page_map_cursor(map, index, stash, &cursor);
    struct page *old = cursor.leaf->slot[cursor.slot];
    uint64_t change = (uint64_t)page_is_counted(page) - (uint64_t)page_is_counted(old);
    cursor.leaf->slot[cursor.slot] = page;
    cursor.leaf->used += !old;
    for (unsigned height = 0; change && height <= cursor.top; height++)
        cursor.path[height]->pages += change;
    if (old)
        page_drop(old);
}

/* ---- Cutting ---- */

/* One edge path of a cut: how many shared nodes lie on the way to `key`. */
static unsigned plan_edge(const struct page_map *map, uint64_t key) {
    const struct map_node *node = map->root;
    unsigned needed = 0;
    bool shared = false;
    for (; node; node = node->slot[slot_of(key, node->height)]) {
        shared = shared || !node_is_mine(node);
        needed += shared;
        if (node->height == 0)
            break;
    }
    return needed;
}

unsigned page_map_plan_remove(const struct page_map *map, uint64_t first, uint64_t last) {
    uint64_t low = map->bias + first, high = map->bias + last;
    if (!covers(map->root, low) || first > last)
        return 0;
    if (!covers(map->root, high))
        high = span_of(map->root->height) - 1;
    return plan_edge(map, low) + plan_edge(map, high);
}

/*
 * Cut keys [low, high], which are relative to the node in *ref and lie in its
 * span, out of it. An empty node is pruned: *ref becomes NULL. Returns how many
 * pages went.
 */
static uint64_t cut_node(void **ref, uint64_t low, uint64_t high, struct map_stash *stash,
                         struct map_garbage *garbage) {
    struct map_node *node = *ref;
    uint64_t before = node->pages, step = 1ull << shift_of(node->height);
    if (low == 0 && high == span_of(node->height) - 1) {
        *ref = NULL;
        map_node_let_go(node, garbage);
        return before;
    }
    node = map_own_node(ref, stash);
    for (unsigned slot = slot_of(low, node->height); slot <= slot_of(high, node->height); slot++) {
        void **child = &node->slot[slot];
        if (!*child)
            continue;
        uint64_t base = slot * step;
        uint64_t from = low > base ? low - base : 0, to = MIN(high - base, step - 1);
        if (node->height == 0) {
            node->pages -= page_is_counted(*child);
            page_drop(*child);
            *child = NULL;
        } else {
            node->pages -= cut_node(child, from, to, stash, garbage);
        }
        node->used -= *child == NULL;
    }
    uint64_t gone = before - node->pages;
    if (node->used == 0) {
        *ref = NULL;
        map_node_let_go(node, garbage);
    }
    return gone;
}

static void cut_keys(struct page_map *map, uint64_t low, uint64_t high, struct map_stash *stash,
                     struct map_garbage *garbage) {
    if (!covers(map->root, low) || low > high)
        return;
    cut_node((void **)&map->root, low, MIN(high, span_of(map->root->height) - 1), stash, garbage);
}

void page_map_remove(struct page_map *map, uint64_t first, uint64_t last, struct map_stash *stash,
                     struct map_garbage *garbage) {
    if (first <= last)
        cut_keys(map, map->bias + first, map->bias + last, stash, garbage);
}

/* ---- Cloning ---- */

/* The smallest subtree that covers keys [*low, *high], which become relative to it. */
static struct map_node *covering_subtree(const struct page_map *map, uint64_t *low,
                                         uint64_t *high) {
    struct map_node *node = map->root;
    if (!covers(node, *low))
        return NULL;
    *high = MIN(*high, span_of(node->height) - 1);
    while (node && node->height > 0 && slot_of(*low, node->height) == slot_of(*high, node->height)) {
        unsigned slot = slot_of(*low, node->height);
        uint64_t base = (uint64_t)slot << shift_of(node->height);
        node = node->slot[slot];
        *low -= base;
        *high -= base;
    }
    return node;
}

unsigned page_map_plan_clone(const struct page_map *source, uint64_t first, uint64_t count) {
    uint64_t low = source->bias + first, high = low + count - 1;
    const struct map_node *top = count ? covering_subtree(source, &low, &high) : NULL;
    if (!top)
        return 0;
    /* Each edge that is cut costs its path, all of which is shared with the source. */
    unsigned edges = (low > 0) + (high < span_of(top->height) - 1);
    return edges * (top->height + 1u);
}

void page_map_clone(const struct page_map *source, uint64_t first, uint64_t count,
                    struct map_stash *stash, struct page_map *clone) {
    uint64_t low = source->bias + first, high = low + count - 1;
    struct map_node *top = count ? covering_subtree(source, &low, &high) : NULL;
    page_map_init(clone);
    if (!top)
        return;
    node_raise(top);
    clone->root = top;
    clone->bias = low;
    struct map_garbage garbage = MAP_GARBAGE_INIT;
    uint64_t last = span_of(top->height) - 1;
    if (high < last)
        cut_keys(clone, high + 1, last, stash, &garbage);
    if (low > 0)
        cut_keys(clone, 0, low - 1, stash, &garbage);
    map_garbage_release(&garbage);
    if (!clone->root)
        clone->bias = 0;
}

/* ---- Attribution ---- */

static uint64_t charge_node(struct map_node *node, uint64_t epoch) {
    uint64_t pages = 0;
    if (node->pages == 0 || atomic_load_explicit(&node->mark, memory_order_relaxed) == epoch)
        return 0;
    atomic_store_explicit(&node->mark, epoch, memory_order_relaxed);
    for (unsigned i = 0; i < MAP_FANOUT; i++) {
        void *child = node->slot[i];
        if (!child)
            continue;
        if (node->height > 0) {
            pages += charge_node(child, epoch);
            continue;
        }
        struct page *page = child;
        if (page_is_counted(page))
            pages += __atomic_exchange_n(&page->mark, epoch, __ATOMIC_RELAXED) != epoch;
    }
    return pages;
}

uint64_t page_map_charge(const struct page_map *map, uint64_t epoch) {
    return map->root ? charge_node(map->root, epoch) : 0;
}

/* ---- Checking ---- */

static uint64_t check_node(const struct map_node *node) {
    uint64_t pages = 0;
    unsigned used = 0;
    ASSERT(atomic_load(&node->count) > 0 && node->used > 0);
    for (unsigned i = 0; i < MAP_FANOUT; i++) {
        void *child = node->slot[i];
        if (!child)
            continue;
        used++;
        if (node->height == 0) {
            struct page *page = child;
            ASSERT(atomic_load(&page->count) > 0);
            ASSERT(page->state == PAGE_VMO || page_is_zero(page));
            pages += page_is_counted(page);
        } else {
            const struct map_node *lower = child;
            ASSERT(lower->height + 1 == node->height);
            pages += map_node_is_zero(lower) ? 0 : check_node(lower);
        }
    }
    ASSERT(used == node->used && pages == node->pages);
    return pages;
}

void page_map_check(const struct page_map *map) {
    if (map->root)
        check_node(map->root);
}
