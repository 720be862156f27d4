/*
 * vmo_cow.c - who owns a page, and how a write ends the sharing.
 *
 * An object and its clones share nodes and pages until one of them writes; the
 * writer then gets its own path and a page of its own (page_map.c).
 *
 *     before:  parent [A][B]   clone [A][B]     one page each for A and B
 *     after the clone writes page 1:
 *              parent [A][B]   clone [A][B']    A still shared
 *
 * Invariants, under vmo->lock:
 *   1. A page that is not exclusively ours is mapped writable nowhere.
 *   2. A pinned page is never replaced (it is exclusive: pinning owned it, and a
 *      pinned VMO is not cloned).
 *   3. A page or node is let go only after every CPU has flushed what led to it:
 *      letting go can make another object the sole owner, which then writes in
 *      place. So hiding and flushing come first, the edit last.
 */
#include "arch/mmu.h"
#include "vm/vmo_internal.h"

/* All that can fail: the nodes and the page. */
ALWAYS_INLINE status_t own_prepare_locked(struct vmo *vmo, const struct map_probe *probe,
                                   struct map_stash *stash, struct page **out_page)
    REQUIRES(vmo->lock) {
    if (probe->needed) {
        status_t status = map_stash_fill(stash, probe->needed);
        if (status != OK)
            return status;
    }
    *out_page = vmo_page_alloc(probe->page);
    return *out_page ? OK : ERR_NO_MEMORY;
}

ALWAYS_INLINE void own_store_locked(struct vmo *vmo, uint64_t index, struct map_probe *probe,
                             struct map_stash *stash, struct page *page) REQUIRES(vmo->lock) {
    if (probe->needed)
        page_map_store(&vmo->map, index, page, stash);
    else if (probe->page)
        page_map_cursor_replace(&probe->cursor, probe->cursor.slot, page);
    else
        page_map_cursor_store(&probe->cursor, probe->cursor.slot, page);
}

/* Of those whose absent pages are zero. */
ALWAYS_INLINE status_t own_locked(struct vmo *vmo, uint64_t index, struct page **out_page,
                                  bool *out_fresh) REQUIRES(vmo->lock) {
    struct map_stash stash = MAP_STASH_INIT;
    struct map_probe probe;
    struct page *page;
    page_map_probe(&vmo->map, index, &probe);
    if (out_fresh)
        *out_fresh = !probe.exclusive;
    if (probe.exclusive) {
        *out_page = probe.page;
        return OK;
    }
    status_t status = own_prepare_locked(vmo, &probe, &stash, &page);
    if (status == OK) {
        vmo_hide_page_locked(vmo, index); /* the shared page, or the zero page */
        own_store_locked(vmo, index, &probe, &stash, page);
        *out_page = page;
    }
    if (stash.nodes)
        map_stash_release(&stash);
    return status;
}

/* Who maps a page that is not cached does not ask the caches what is in it. */
static status_t own_uncached_locked(struct vmo *vmo, uint64_t index, struct page **out_page,
                                    bool *out_fresh) REQUIRES(vmo->lock) {
    bool fresh;
    status_t status = own_locked(vmo, index, out_page, &fresh);
    if (status == OK && fresh && vmo->cache_policy)
        arch_flush_page(page_contents(*out_page));
    if (out_fresh)
        *out_fresh = fresh;
    return status;
}

static NOINLINE status_t own_special_locked(struct vmo *vmo, uint64_t index,
                                            struct page **out_page, bool *out_fresh)
    REQUIRES(vmo->lock) {
    switch (vmo->kind) {
    case VMO_PAGER:
        return vmo_own_pager_locked(vmo, index, out_page, out_fresh);
    case VMO_LAZY:
        return vmo_own_lazy_locked(vmo, index, out_page, out_fresh);
    case VMO_PHYSICAL:
        return ERR_NOT_SUPPORTED;
    case VMO_DISCARDABLE:
        if (vmo->discarded)
            return ERR_NOT_FOUND;
        break;
    case VMO_CONTIGUOUS:
    case VMO_ANONYMOUS:
        break;
    }
    return own_uncached_locked(vmo, index, out_page, out_fresh);
}

status_t vmo_own_page_locked(struct vmo *vmo, uint64_t index, struct page **out_page,
                             bool *out_fresh) {
    if (unlikely(vmo->special))
        return own_special_locked(vmo, index, out_page, out_fresh);
    return own_locked(vmo, index, out_page, out_fresh);
}

/* ---- Clones ---- */

uint64_t vmo_window_pages(uint64_t parent_size, uint64_t offset, uint64_t child_size) {
    if (offset >= parent_size)
        return 0;
    return MIN(child_size, parent_size - offset) >> PAGE_SHIFT;
}

status_t vmo_snapshot_map_locked(struct vmo *parent, uint64_t offset, struct vmo *child) {
    struct map_stash stash = MAP_STASH_INIT;
    struct page_map map;
    uint64_t first = offset >> PAGE_SHIFT;
    uint64_t count = vmo_window_pages(parent->size, offset, child->size);
    if (parent->pins)
        return ERR_BAD_STATE;
    status_t status = map_stash_fill(&stash, page_map_plan_clone(&parent->map, first, count));
    if (status == OK) {
        if (count)
            vmo_make_read_only_locked(parent, first, count);
        page_map_clone(&parent->map, first, count, &stash, &map);
        child->map = map; /* at once, because an audit may look already */
    }
    map_stash_release(&stash);
    return status;
}

static status_t snapshot_map(struct vmo *parent, uint64_t offset, struct vmo *child) {
    MUTEX_GUARD(&parent->lock);
    return vmo_snapshot_map_locked(parent, offset, child);
}

static status_t snapshot_create(struct vmo *parent, uint64_t offset, uint64_t size,
                                bool resizable, struct vmo **out_child) {
    AUTO(vmo) child = NULL;
    status_t status = vmo_create(size, resizable, &child);
    if (status == OK)
        status = snapshot_map(vmo_pages_of(parent), offset, child);
    if (status == OK)
        *out_child = TAKE(child);
    return status;
}

static bool has_pager(const struct vmo *vmo) {
    return vmo->kind == VMO_PAGER || vmo->kind == VMO_LAZY;
}

static status_t check_snapshot(struct vmo *parent, enum snapshot_kind kind, uint64_t offset,
                               uint64_t size) {
    struct vmo *pages = vmo_pages_of(parent);
    uint64_t end;
    if (pages->kind == VMO_CONTIGUOUS)
        return ERR_INVALID_ARGS;
    if (parent->cache_policy && pages->kind != VMO_PHYSICAL)
        return ERR_BAD_STATE;
    if (parent->is_slice || pages->kind == VMO_PHYSICAL || pages->kind == VMO_DISCARDABLE ||
        (kind == SNAPSHOT_FULL && has_pager(pages)))
        return ERR_NOT_SUPPORTED;
    if (__builtin_add_overflow(offset, size, &end))
        return ERR_INVALID_ARGS;
    return end > VMO_SIZE_MAX ? ERR_OUT_OF_RANGE : OK;
}

status_t vmo_create_snapshot(struct vmo *parent, enum snapshot_kind kind, uint64_t offset,
                             uint64_t size, bool resizable, struct vmo **out_child) {
    AUTO(vmo) child = NULL;
    status_t status = check_snapshot(parent, kind, offset, size);
    if (status == OK)
        status = vmo_family_ensure(parent);
    if (status == OK)
        status = unlikely(has_pager(vmo_pages_of(parent)))
                     ? vmo_lazy_create(vmo_pages_of(parent), offset, size, resizable, &child)
                     : snapshot_create(parent, offset, size, resizable, &child);
    if (status != OK)
        return status;
    child->is_cow_clone = true;
    child->parent_koid = parent->base.koid;
    vmo_family_join(parent, child);
    *out_child = TAKE(child);
    return OK;
}
