/*
 * page_map_zero.c - markers: slots that say "zero" where an absent one would not.
 *
 * A marker in a leaf is the record of a zero page, which a slot counts like any
 * other and which never becomes exclusive, because pmm.c holds one count for ever.
 * A marker above a leaf is one of the static subtrees below: every slot of it leads
 * to the one that is a level lower, and at last to the zero page. So a range of any
 * size becomes zero at the cost of its edges, and a write into it copies one static
 * node a level, as it copies any shared node.
 */
#include "vm/audit.h"
#include "vm/page_map_internal.h"

static struct map_node zero_nodes[PAGE_DIRTS][MAP_HEIGHT_MAX];

bool map_node_is_zero(const struct map_node *node) {
    return (uintptr_t)node - (uintptr_t)zero_nodes < sizeof(zero_nodes);
}

static void init_zero_node(struct map_node *node, unsigned height, void *below) {
    atomic_init(&node->count, 1); /* nobody's: so it never dies, and is never exclusive */
    node->height = (uint8_t)height;
    node->used = MAP_FANOUT;
    for (unsigned i = 0; i < MAP_FANOUT; i++)
        node->slot[i] = below;
    if (height == 0)
        atomic_fetch_add_explicit(&((struct page *)below)->count, MAP_FANOUT, memory_order_relaxed);
    else
        atomic_fetch_add_explicit(&((struct map_node *)below)->count, MAP_FANOUT,
                                  memory_order_relaxed);
}

void page_map_init_markers(void) {
    for (unsigned dirt = 0; dirt < PAGE_DIRTS; dirt++)
        for (unsigned height = 0; height < MAP_HEIGHT_MAX; height++)
            init_zero_node(&zero_nodes[dirt][height], height,
                           height ? (void *)&zero_nodes[dirt][height - 1]
                                  : (void *)pmm_zero_page_of(dirt));
}

unsigned page_map_plan_zero(const struct page_map *map, uint64_t first, uint64_t last) {
    unsigned now = map->root ? map->root->height : 0;
    unsigned height = MAX(now, height_for(map->bias + last));
    return (height - now) + 2 * (height + 1u);
}

/* The new content of a slot `height` levels above a leaf (0: of a leaf) that is all zero. */
static void *zero_child(unsigned height, enum page_dirt dirt) {
    if (height > 0) {
        node_raise(&zero_nodes[dirt][height - 1]);
        return &zero_nodes[dirt][height - 1];
    }
    struct page *zero = pmm_zero_page_of(dirt);
    page_raise(zero);
    return zero;
}

/* Put `child` into a slot of `node`, whose height is `height`; returns how many pages went. */
static uint64_t replace_slot(struct map_node *node, unsigned slot, void *child,
                             struct map_garbage *garbage) {
    void *old = node->slot[slot];
    uint64_t gone = 0;
    node->slot[slot] = child;
    node->used += !old;
    if (old && node->height == 0) {
        gone = page_is_counted(old);
        map_page_let_go(old);
    } else if (old) {
        gone = ((struct map_node *)old)->pages;
        map_node_let_go(old, garbage);
    }
    return gone;
}

/* Keys [low, high] of the node in *ref, relative to it, become zero. Returns the pages that went. */
static uint64_t zero_node_part(void **ref, unsigned height, uint64_t low, uint64_t high,
                               enum page_dirt dirt, struct map_stash *stash,
                               struct map_garbage *garbage) {
    uint64_t step = 1ull << shift_of(height), gone = 0;
    struct map_node *node;
    if (*ref)
        node = map_own_node(ref, stash);
    else
        *ref = node = map_node_new(stash, height);
    for (unsigned slot = slot_of(low, height); slot <= slot_of(high, height); slot++) {
        uint64_t base = slot * step;
        uint64_t from = low > base ? low - base : 0, to = MIN(high - base, step - 1);
        if (from == 0 && to == step - 1) {
            gone += replace_slot(node, slot, zero_child(height, dirt), garbage);
        } else {
            node->used += !node->slot[slot];
            gone += zero_node_part(&node->slot[slot], height - 1, from, to, dirt, stash, garbage);
        }
    }
    node->pages -= gone;
    return gone;
}

void page_map_zero(struct page_map *map, uint64_t first, uint64_t last, enum page_dirt dirt,
                   struct map_stash *stash, struct map_garbage *garbage) {
    uint64_t low = map->bias + first, high = map->bias + last;
    map_grow(map, high, stash);
    zero_node_part((void **)&map->root, map->root->height, low, high, dirt, stash, garbage);
}

/* ---- Maps with markers ---- */

/* The run that begins at `key` in what *slot of a node of this height holds. */
static void run_here(const struct map_node *node, void *slot, uint64_t key, uint64_t end,
                     struct map_run *out_run) {
    uint64_t step = 1ull << shift_of(node->height);
    const struct map_node *zero = slot;
    out_run->page = slot;
    if (node->height > 0) {
        while (zero->height > 0)
            zero = zero->slot[0];
        out_run->page = zero->slot[0];
    }
    out_run->count = MIN((key & ~(step - 1)) + step, end + 1) - key;
}

bool page_map_next_run(const struct page_map *map, uint64_t first, uint64_t last,
                       struct map_run *out_run) {
    uint64_t key = map->bias + first, end = map->bias + last;
    while (covers(map->root, key) && key <= end) {
        const struct map_node *node = map->root;
        unsigned slot = slot_of(key, node->height);
        while (node->height > 0 && node->slot[slot] && !map_node_is_zero(node->slot[slot])) {
            node = node->slot[slot];
            slot = slot_of(key, node->height);
        }
        if (node->slot[slot]) {
            out_run->index = key - map->bias;
            run_here(node, node->slot[slot], key, end, out_run);
            return true;
        }
        uint64_t step = 1ull << shift_of(node->height);
        key = (key & ~(step - 1)) + step;
    }
    return false;
}

uint64_t page_map_alike(const struct page_map *map, uint64_t index, uint64_t last,
                        struct page **out_page) {
    struct map_run run;
    *out_page = NULL;
    if (!page_map_next_run(map, index, last, &run))
        return last - index + 1;
    if (run.index > index)
        return run.index - index;
    *out_page = run.page;
    return run.count;
}

static bool page_may_go(const struct page *page) { return page->dirt == PAGE_CLEAN && !page->pins; }

/* Returns how many pages went; *ref becomes NULL if nothing is left. */
static uint64_t remove_clean(void **ref, struct map_garbage *garbage) {
    struct map_node *node = *ref;
    uint64_t gone = 0;
    if (map_node_is_zero(node)) {
        if (node >= &zero_nodes[PAGE_CLEAN + 1][0])
            return 0;
        *ref = NULL;
        map_node_let_go(node, garbage);
        return 0;
    }
    for (unsigned i = 0; i < MAP_FANOUT; i++) {
        void **child = &node->slot[i];
        if (!*child)
            continue;
        if (node->height > 0) {
            gone += remove_clean(child, garbage);
        } else if (page_may_go(*child)) {
            gone += page_is_counted(*child);
            map_page_let_go(*child);
            *child = NULL;
        }
        node->used -= *child == NULL;
    }
    node->pages -= gone;
    if (node->used == 0) {
        *ref = NULL;
        map_node_let_go(node, garbage);
    }
    return gone;
}

void page_map_remove_clean(struct page_map *map, struct map_garbage *garbage) {
    if (map->root)
        remove_clean((void **)&map->root, garbage);
}

/* ---- The audit ---- */

/* Held by nobody, by the static node a level higher (all its slots), and by what was met. */
static void audit_zero_node(struct map_node *node, unsigned height, struct audit *audit) {
    uint32_t above = height + 1 < MAP_HEIGHT_MAX ? MAP_FANOUT : 0;
    uint32_t wanted = 1 + above + audit_times_met(audit, node->audit);
    uint32_t count = atomic_load_explicit(&node->count, memory_order_relaxed);
    if (count != wanted)
        audit_found(audit, AUDIT_NODE_COUNT, (uintptr_t)node, count, wanted);
}

static void audit_zero_page(const struct page *page, struct audit *audit) {
    uint32_t wanted = 1 + MAP_FANOUT + audit_times_met(audit, page->audit);
    uint32_t count = atomic_load_explicit(&page->count, memory_order_relaxed);
    if (count != wanted)
        audit_found(audit, AUDIT_PAGE_COUNT, page_address(page).value, count, wanted);
}

void page_map_audit_zeros(struct audit *audit) {
    for (unsigned dirt = 0; dirt < PAGE_DIRTS; dirt++) {
        for (unsigned height = 0; height < MAP_HEIGHT_MAX; height++)
            audit_zero_node(&zero_nodes[dirt][height], height, audit);
        audit_zero_page(pmm_zero_page_of(dirt), audit);
    }
}
