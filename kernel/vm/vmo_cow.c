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
#include "vm/pmm.h"
#include "vm/vmo_internal.h"

static struct page *page_copy_or_zero(const struct page *from) {
    struct page *page = pmm_alloc(PAGE_VMO);
    if (!page)
        return NULL;
    atomic_store_explicit(&page->count, 1, memory_order_relaxed);
    page->mark = 0;
    page->pins = 0;
    if (from)
        arch_copy_page(page_contents(page), page_contents(from));
    else
        arch_zero_page(page_contents(page));
    return page;
}

/* All that can fail: the nodes and the page. */
static status_t own_prepare_locked(struct vmo *vmo, const struct map_probe *probe,
                                   struct map_stash *stash, struct page **out_page)
    REQUIRES(vmo->lock) {
    if (probe->needed) {
        status_t status = map_stash_fill(stash, probe->needed);
        if (status != OK)
            return status;
    }
    *out_page = page_copy_or_zero(probe->page);
    return *out_page ? OK : ERR_NO_MEMORY;
}

static void own_store_locked(struct vmo *vmo, uint64_t index, struct map_probe *probe,
                             struct map_stash *stash, struct page *page) REQUIRES(vmo->lock) {
    if (probe->needed)
        page_map_store(&vmo->map, index, page, stash);
    else if (probe->page)
        page_map_cursor_replace(&probe->cursor, probe->cursor.slot, page);
    else
        page_map_cursor_store(&probe->cursor, probe->cursor.slot, page);
}

status_t vmo_own_page_locked(struct vmo *vmo, uint64_t index, struct page **out_page,
                             bool *out_fresh) {
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

/* ---- Clones ---- */

/* The pages of the parent that the child sees: never more than exist now. */
static uint64_t window_pages(uint64_t parent_size, uint64_t offset, uint64_t child_size) {
    if (offset >= parent_size)
        return 0;
    return MIN(child_size, parent_size - offset) >> PAGE_SHIFT;
}

static status_t snapshot_map(struct vmo *parent, uint64_t offset, struct vmo *child) {
    MUTEX_GUARD(&parent->lock);
    struct map_stash stash = MAP_STASH_INIT;
    uint64_t first = offset >> PAGE_SHIFT;
    uint64_t count = window_pages(parent->size, offset, child->size);
    if (parent->pins)
        return ERR_BAD_STATE;
    status_t status = map_stash_fill(&stash, page_map_plan_clone(&parent->map, first, count));
    if (status == OK) {
        if (count)
            vmo_make_read_only_locked(parent, first, count);
        page_map_clone(&parent->map, first, count, &stash, &child->map);
    }
    map_stash_release(&stash);
    return status;
}

status_t vmo_create_snapshot(struct vmo *parent, uint64_t offset, uint64_t size, bool resizable,
                             struct vmo **out_child) {
    AUTO(vmo) child = NULL;
    uint64_t end;
    if (parent->is_slice)
        return ERR_NOT_SUPPORTED;
    if (__builtin_add_overflow(offset, size, &end) || end > VMO_SIZE_MAX)
        return ERR_OUT_OF_RANGE;
    status_t status = vmo_create(size, resizable, &child);
    if (status == OK)
        status = vmo_family_ensure(parent);
    if (status != OK)
        return status;
    child->is_cow_clone = true;
    child->parent_koid = parent->base.koid;
    status = snapshot_map(vmo_pages_of(parent), offset, child);
    if (status != OK)
        return status;
    vmo_family_join(parent, child);
    *out_child = TAKE(child);
    return OK;
}

/* ---- Commit, decommit, zero ---- */

/* Check and trim a range as ABI-MORE.md S8 has it. */
static status_t range_trim_locked(struct vmo *vmo, uint64_t offset, uint64_t *length)
    REQUIRES(vmo->lock) {
    uint64_t end;
    if (offset > vmo->size || __builtin_add_overflow(offset, *length, &end))
        return ERR_OUT_OF_RANGE;
    *length = MIN(*length, vmo->size - offset);
    return OK;
}

/*
 * Fill the absent pages among `count` from `index` on, all in one leaf whose
 * present pages are exclusive. The zero page may be shown for absent ones: hidden
 * once for the whole stretch.
 */
static status_t commit_stretch_locked(struct vmo *vmo, uint64_t index, unsigned count)
    REQUIRES(vmo->lock) {
    struct map_stash stash = MAP_STASH_INIT;
    struct map_cursor cursor;
    status_t status = map_stash_fill(&stash, page_map_plan_own(&vmo->map, index));
    if (status != OK) {
        map_stash_release(&stash);
        return status;
    }
    vmo_hide_locked(vmo, index, count);
    page_map_cursor(&vmo->map, index, &stash, &cursor);
    for (unsigned i = 0; i < count && status == OK; i++) {
        if (cursor.leaf->slot[cursor.slot + i])
            continue;
        struct page *page = page_copy_or_zero(NULL);
        if (page)
            page_map_cursor_store(&cursor, cursor.slot + i, page);
        else
            status = ERR_NO_MEMORY;
    }
    map_stash_release(&stash);
    /* A leaf that got nothing must not stay behind. */
    if (cursor.leaf->used == 0)
        page_map_remove(&vmo->map, index, index, &stash);
    return status;
}

/* One leaf's part of a commit; *done is how many pages it covered. */
static status_t commit_leaf_locked(struct vmo *vmo, uint64_t index, uint64_t count,
                                   uint64_t *done) REQUIRES(vmo->lock) {
    struct map_stretch stretch = page_map_stretch(&vmo->map, index, count);
    bool simple = stretch.path_exclusive;
    *done = stretch.count;
    for (unsigned i = 0; simple && stretch.slots && i < stretch.count; i++)
        simple = !stretch.slots[i] || atomic_load(&stretch.slots[i]->count) == 1;
    if (simple)
        return commit_stretch_locked(vmo, index, stretch.count);
    status_t status = OK;
    for (unsigned i = 0; i < *done && status == OK; i++) {
        struct page *page;
        status = vmo_own_page_locked(vmo, index + i, &page, NULL);
    }
    return status;
}

/* A part of one leaf at a time, so that nobody waits long for the lock. */
static status_t commit_step(struct vmo *vmo, uint64_t index, uint64_t last, uint64_t *done) {
    MUTEX_GUARD(&vmo->lock);
    uint64_t size_pages = vmo->size >> PAGE_SHIFT;
    if (index >= size_pages) {
        *done = last - index + 1; /* shrunk meanwhile */
        return OK;
    }
    return commit_leaf_locked(vmo, index, MIN(last + 1, size_pages) - index, done);
}

static status_t range_trim(struct vmo *vmo, uint64_t offset, uint64_t *length) {
    MUTEX_GUARD(&vmo->lock);
    return range_trim_locked(vmo, offset, length);
}

/* A range of an alias is a range of what it shows; a slice's is checked against its own size. */
static status_t range_resolve(struct vmo **vmo, uint64_t *offset, uint64_t *length) {
    if ((*vmo)->is_slice) {
        status_t status = range_trim(*vmo, *offset, length);
        if (status != OK)
            return status;
    }
    *offset += (*vmo)->shown_offset;
    *vmo = vmo_pages_of(*vmo);
    return OK;
}

status_t vmo_commit(struct vmo *vmo, uint64_t offset, uint64_t length) {
    status_t status = range_resolve(&vmo, &offset, &length);
    if (status == OK)
        status = range_trim(vmo, offset, &length);
    if (status != OK || length == 0)
        return status;
    uint64_t index = offset >> PAGE_SHIFT, last = (offset + length - 1) >> PAGE_SHIFT, done;
    for (; index <= last && status == OK; index += done)
        status = commit_step(vmo, index, last, &done);
    return status;
}

/* Whole pages [first, last] become absent. */
static status_t remove_locked(struct vmo *vmo, uint64_t first, uint64_t last)
    REQUIRES(vmo->lock) {
    struct map_stash stash = MAP_STASH_INIT;
    if (first > last)
        return OK;
    status_t status = map_stash_fill(&stash, page_map_plan_remove(&vmo->map, first, last));
    if (status == OK) {
        vmo_hide_locked(vmo, first, last - first + 1);
        page_map_remove(&vmo->map, first, last, &stash);
    }
    map_stash_release(&stash);
    return status;
}

static status_t decommit_locked(struct vmo *vmo, uint64_t offset, uint64_t length,
                                bool has_relatives) REQUIRES(vmo->lock) {
    status_t status = range_trim_locked(vmo, offset, &length);
    if (status != OK || length == 0)
        return status;
    if (has_relatives)
        return ERR_NOT_SUPPORTED;
    if (!is_page_aligned(offset) || !is_page_aligned(length))
        return ERR_INVALID_ARGS;
    if (vmo->pins)
        return ERR_BAD_STATE;
    return remove_locked(vmo, offset >> PAGE_SHIFT, ((offset + length) >> PAGE_SHIFT) - 1);
}

static status_t decommit(struct vmo *vmo, uint64_t offset, uint64_t length) {
    bool has_relatives = vmo_has_relatives(vmo); /* family before VMO */
    MUTEX_GUARD(&vmo->lock);
    return decommit_locked(vmo, offset, length, has_relatives);
}

status_t vmo_decommit(struct vmo *vmo, uint64_t offset, uint64_t length) {
    status_t status = range_resolve(&vmo, &offset, &length);
    return status == OK ? decommit(vmo, offset, length) : status;
}

/* Bytes of one page; an absent page is zero already. */
static status_t zero_part_locked(struct vmo *vmo, uint64_t offset, uint64_t length)
    REQUIRES(vmo->lock) {
    struct page *page;
    if (length == 0 || !page_map_find(&vmo->map, offset >> PAGE_SHIFT, NULL))
        return OK;
    status_t status = vmo_own_page_locked(vmo, offset >> PAGE_SHIFT, &page, NULL);
    if (status == OK)
        __builtin_memset((char *)page_contents(page) + (offset & PAGE_MASK), 0, length);
    return status;
}

/* Pinned pages keep their frames and are zeroed in place. */
static status_t zero_pinned_locked(struct vmo *vmo, uint64_t offset, uint64_t end)
    REQUIRES(vmo->lock) {
    status_t status = OK;
    for (uint64_t at = offset, next; at < end && status == OK; at = next) {
        next = MIN(end, round_down(at, PAGE_SIZE) + PAGE_SIZE);
        status = zero_part_locked(vmo, at, next - at);
    }
    return status;
}

static status_t zero_locked(struct vmo *vmo, uint64_t offset, uint64_t length)
    REQUIRES(vmo->lock) {
    uint64_t end = offset + length;
    uint64_t first = round_up(offset, PAGE_SIZE), last = round_down(end, PAGE_SIZE);
    if (vmo->pins || first > last)
        return zero_pinned_locked(vmo, offset, end);
    status_t status = zero_part_locked(vmo, offset, first - offset);
    if (status == OK)
        status = zero_part_locked(vmo, last, end - last);
    if (status == OK && first < last)
        status = remove_locked(vmo, first >> PAGE_SHIFT, (last >> PAGE_SHIFT) - 1);
    return status;
}

static status_t zero(struct vmo *vmo, uint64_t offset, uint64_t length) {
    MUTEX_GUARD(&vmo->lock);
    status_t status = range_trim_locked(vmo, offset, &length);
    if (status != OK || length == 0)
        return status;
    return zero_locked(vmo, offset, length);
}

status_t vmo_zero(struct vmo *vmo, uint64_t offset, uint64_t length) {
    status_t status = range_resolve(&vmo, &offset, &length);
    return status == OK ? zero(vmo, offset, length) : status;
}

/* ---- Content size ---- */

uint64_t vmo_content_size(struct vmo *named) {
    struct vmo *vmo = named->is_slice ? named : vmo_pages_of(named);
    MUTEX_GUARD(&vmo->lock);
    return vmo->content_size;
}

static void store_content_size(struct vmo *vmo, uint64_t content_size) {
    MUTEX_GUARD(&vmo->lock);
    vmo->content_size = content_size;
}

status_t vmo_set_content_size(struct vmo *named, uint64_t content_size) {
    uint64_t size = vmo_size(named);
    status_t status = OK;
    if (content_size < size)
        status = vmo_zero(named, content_size, size - content_size);
    if (status == OK)
        store_content_size(named->is_slice ? named : vmo_pages_of(named), content_size);
    return status;
}
