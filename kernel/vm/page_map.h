/*
 * page_map.h - a persistent radix tree from page index to page, cloned in O(1).
 *
 * Nodes are counted, never move, and hold 2^MAP_BITS slots. Slots of a leaf
 * (height 0) hold pages, slots of other nodes hold nodes one lower. A node whose
 * count is above one is shared with another map and immutable; a page's count is
 * the number of leaf slots that hold it. Counts rise only by a root or a slot.
 *
 *   exclusive: every node from my root down, and the page, has count one, asked
 *   from the root down under my owner's lock. Nobody else can then raise it,
 *   because the only way there is my root.
 *
 * A map translates index to key by adding `bias`: a clone keeps its parent's tree
 * and looks at it from another place. Keys at or above the root's span are absent.
 * A clone starts at the smallest subtree that covers what it sees (its keys are
 * relative to that subtree, so the bias stays small for ever) and is trimmed at
 * once to what it sees, so that no page stays alive that nobody can see.
 *
 * Locking: the owner's lock (a VMO's) guards its map; shared nodes need none,
 * because they are immutable. Memory order: raising is relaxed, dropping is
 * release and acquire at zero, the test for one is acquire.
 *
 * Where absent does not mean zero (vm/pager.h) a slot may hold a marker: one of the
 * records of zero pages (page.h), or above a leaf a static subtree full of them. A
 * marker is counted like anything else and never exclusive, so looking, cloning and
 * owning need know nothing of it; only `pages` does not count it (page_map_zero.c).
 *
 * Editing never fails half-way: page_map_plan_* say how many nodes an edit may
 * need, the caller fills a stash, and the edit itself cannot fail. What an edit
 * replaces is dropped at once: the caller has flushed every CPU that could show
 * it BEFORE the edit (vmo_cow.c), so the reference outlives each translation.
 */
#pragma once

#include <stdatomic.h>

#include "lib/types.h"
#include "vm/page.h"

#ifndef MAP_BITS
#define MAP_BITS 6
#endif
#define MAP_FANOUT     (1u << MAP_BITS)
#define MAP_HEIGHT_MAX ((47u + MAP_BITS) / MAP_BITS) /* keys stay below 2^48 */

struct map_node {
    _Atomic uint32_t count; /* roots and slots that hold it */
    uint8_t height;
    uint8_t used;           /* slots that are not empty */
    uint64_t pages;         /* pages below */
    _Atomic uint64_t mark;  /* attribution epoch; link of dead nodes while freeing */
    uint64_t audit;         /* the audit's (memory_audit.h); garbage to all others */
    void *slot[MAP_FANOUT];
};

struct page_map {
    struct map_node *root; /* NULL: empty */
    uint64_t bias;
};

/* Nodes taken before an edit. */
struct map_stash {
    struct map_node *nodes; /* linked through slot[0] */
};
#define MAP_STASH_INIT {NULL}
/* Have `count` more nodes; ERR_NO_MEMORY, the stash stays valid. */
status_t map_stash_fill(struct map_stash *stash, unsigned count);
void map_stash_release(struct map_stash *stash);
unsigned map_stash_count(const struct map_stash *stash);

ALWAYS_INLINE void page_map_init(struct page_map *map) { *map = (struct page_map){NULL, 0}; }
/* Drop the root. Iterative, no lock and no memory needed; the map is empty then. */
void page_map_destroy(struct page_map *map);

/* The page at `index` or NULL; *out_exclusive (may be NULL) as defined above. */
struct page *page_map_find(const struct page_map *map, uint64_t index, bool *out_exclusive);
/*
 * Up to `count` neighbours from `index` on, within one leaf: their slots (NULL: the
 * whole stretch is absent) and how many of them; whether the path is exclusive.
 */
struct map_stretch {
    struct page **slots;
    unsigned count;
    bool path_exclusive;
};
struct map_stretch page_map_stretch(const struct page_map *map, uint64_t index, uint64_t count);
/* The first page, no marker, with index in [first, last]; NULL if none. */
struct page *page_map_next(const struct page_map *map, uint64_t first, uint64_t last,
                           uint64_t *out_index);
/* Pages that the map holds, its shared ones included, markers not. O(1). */
ALWAYS_INLINE uint64_t page_map_pages(const struct page_map *map) {
    return map->root ? map->root->pages : 0;
}

/* ---- Edits ---- */

/* Nodes needed to make the path to `index` exist and be exclusive. */
unsigned page_map_plan_own(const struct page_map *map, uint64_t index);
/* Put `page` (its one count becomes the slot's) at `index`; what was there is dropped. */
void page_map_store(struct page_map *map, uint64_t index, struct page *page,
                    struct map_stash *stash);
/* Own the leaf that holds `index` once, for storing several pages into empty slots of it. */
struct map_cursor {
    struct map_node *leaf;
    unsigned slot;   /* of index */
    unsigned top;    /* the root's height; path[0] is the leaf */
    struct map_node *path[MAP_HEIGHT_MAX];
};
/*
 * page_map_find and page_map_plan_own in one walk. If no node is needed the cursor is
 * the path, which is exclusive.
 */
struct map_probe {
    struct page *page;  /* NULL: absent */
    bool exclusive;
    unsigned needed;
    struct map_cursor cursor;
};
void page_map_probe(const struct page_map *map, uint64_t index, struct map_probe *out_probe);
void page_map_cursor(struct page_map *map, uint64_t index, struct map_stash *stash,
                     struct map_cursor *out_cursor);
/* Store a page, no marker, into slot `slot` of the cursor's leaf, which is empty. */
void page_map_cursor_store(struct map_cursor *cursor, unsigned slot, struct page *page);
/* Store a page into a slot that holds a page, which is dropped; neither is a marker. */
void page_map_cursor_replace(struct map_cursor *cursor, unsigned slot, struct page *page);

/* Subtrees that an edit cut off: dead already, freed when no lock is held. */
struct map_garbage {
    struct map_node *nodes; /* linked through `mark` */
};
#define MAP_GARBAGE_INIT {NULL}
/* Preemptible, whatever the size. */
void map_garbage_release(struct map_garbage *garbage);

/* Nodes needed by page_map_remove of a range; 0 if all its edges are exclusive. */
unsigned page_map_plan_remove(const struct page_map *map, uint64_t first, uint64_t last);
/* Make [first, last] absent; drops the pages, in the main by way of the garbage. */
void page_map_remove(struct page_map *map, uint64_t first, uint64_t last, struct map_stash *stash,
                     struct map_garbage *garbage);

/* Nodes needed by page_map_zero of a range, at most. */
unsigned page_map_plan_zero(const struct page_map *map, uint64_t first, uint64_t last);
/* Make all of [first, last] markers of this kind; drops the pages. Costs the edges only. */
void page_map_zero(struct page_map *map, uint64_t first, uint64_t last, enum page_dirt dirt,
                   struct map_stash *stash, struct map_garbage *garbage);
/*
 * For maps with markers: the first run of [first, last] that is not absent, a page or
 * a range of markers of one kind in one subtree. False: there is none.
 */
struct map_run {
    uint64_t index, count;
    struct page *page;
};
bool page_map_next_run(const struct page_map *map, uint64_t first, uint64_t last,
                       struct map_run *out_run);
/*
 * How many pages from `index` on, `last` at most, are alike: absent (*out_page is NULL),
 * markers of one subtree, or one page. So a walk costs what the map holds, not what it spans.
 */
uint64_t page_map_alike(const struct page_map *map, uint64_t index, uint64_t last,
                        struct page **out_page);
/*
 * Drop all clean pages that are not pinned, and clean markers. All nodes but the static
 * ones are the map's own (a pager's object is never cloned in full).
 */
void page_map_remove_clean(struct page_map *map, struct map_garbage *garbage);
/* Set up the static subtrees. Once, after pmm_init. */
void page_map_init_markers(void);
/* Is it one of them? */
bool map_node_is_zero(const struct map_node *node);

/* Nodes needed by page_map_clone. */
unsigned page_map_plan_clone(const struct page_map *source, uint64_t first, uint64_t count);
/* `clone` (empty) becomes [first, first + count) of `source`; count may be 0. */
void page_map_clone(const struct page_map *source, uint64_t first, uint64_t count,
                    struct map_stash *stash, struct page_map *clone);

/*
 * Attribution: count the pages below that have not been counted in this epoch,
 * and mark them. Under the family's lock and the owner's.
 */
uint64_t page_map_charge(const struct page_map *map, uint64_t epoch);

/*
 * What of a range belongs to this map alone, and its parts of what others hold too: a
 * page's weight is divided evenly among the holders of the page, the weight that its
 * slot's node got among the holders of the node, and so on up. So the weights of a page
 * add up to one over all maps, and nobody has to know the others.
 */
#define MAP_SHARE_ONE ((uint64_t)1 << 63)
struct map_share {
    uint64_t pages, private_pages;
    unsigned __int128 scaled; /* pages, in units of 1 / MAP_SHARE_ONE */
};
/* Its scaled part in bytes; *out_fraction is what is left, in units of 1 / MAP_SHARE_ONE. */
ALWAYS_INLINE uint64_t map_share_bytes(const struct map_share *share, uint64_t *out_fraction) {
    unsigned __int128 bytes = share->scaled << PAGE_SHIFT;

    *out_fraction = (uint64_t)bytes & (MAP_SHARE_ONE - 1);
    return (uint64_t)(bytes / MAP_SHARE_ONE);
}
struct map_share page_map_share(const struct page_map *map, uint64_t first, uint64_t last);

/* Nodes alive, for statistics and balance checks. */
uint64_t map_nodes_alive(void);
/* Check all that the head of this file promises of one map; panics (debug). */
void page_map_check(const struct page_map *map);
