/*
 * vmo_range.c - operations on ranges: commit, decommit, zero, hints, content size.
 *
 * Each step works under the VMO's lock on a part that is soon done; what must wait
 * for a pager, or makes others give memory back, does so between steps, without locks.
 * Freed subtrees of any size are let go after the lock.
 */
#include "vm/pmm.h"
#include "vm/reclaim.h"
#include "vm/vmo_content.h"
#include "vm/vmo_internal.h"

/* ---- Ranges ---- */

status_t vmo_range_trim_locked(struct vmo *vmo, uint64_t offset, uint64_t *length) {
    uint64_t end;
    if (offset > vmo->size || __builtin_add_overflow(offset, *length, &end))
        return ERR_OUT_OF_RANGE;
    *length = MIN(*length, vmo->size - offset);
    return OK;
}

static status_t range_trim(struct vmo *vmo, uint64_t offset, uint64_t *length) {
    MUTEX_GUARD(&vmo->lock);
    return vmo_range_trim_locked(vmo, offset, length);
}

/* A slice's range is checked against its own size. */
status_t vmo_range_resolve(struct vmo **vmo, uint64_t *offset, uint64_t *length) {
    if ((*vmo)->is_slice) {
        status_t status = range_trim(*vmo, *offset, length);
        if (status != OK)
            return status;
    }
    *offset += (*vmo)->shown_offset;
    *vmo = vmo_pages_of(*vmo);
    return OK;
}

/* ---- Commit ---- */

/*
 * Fill the absent pages among `count` from `index` on, all in one leaf whose
 * present pages are exclusive. The zero page may be shown for absent ones: hidden
 * once for the whole stretch.
 */
static status_t commit_stretch_locked(struct vmo *vmo, uint64_t index, unsigned count)
    REQUIRES(vmo->lock) {
    struct map_stash stash = MAP_STASH_INIT;
    struct map_garbage garbage = MAP_GARBAGE_INIT;
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
        struct page *page = vmo_page_alloc(NULL);
        if (page)
            page_map_cursor_store(&cursor, cursor.slot + i, page);
        else
            status = ERR_NO_MEMORY;
    }
    map_stash_release(&stash);
    /* A leaf that got nothing must not stay behind. */
    if (cursor.leaf->used == 0)
        page_map_remove(&vmo->map, index, index, &stash, &garbage);
    map_garbage_release(&garbage); /* one empty path at most */
    return status;
}

/* Page by page; *done counts them. */
static status_t commit_each_locked(struct vmo *vmo, uint64_t index, uint64_t count,
                                   uint64_t *done) REQUIRES(vmo->lock) {
    struct page *page;
    status_t status = OK;
    for (*done = 0; *done < count && status == OK; *done += status == OK)
        status = vmo_own_page_locked(vmo, index + *done, &page, NULL);
    return status;
}

/* A pager's pages must only be there. */
static status_t commit_pager_locked(struct vmo *vmo, uint64_t index, uint64_t count,
                                    uint64_t *done) REQUIRES(vmo->lock) {
    struct page *page;
    uint64_t alike = page_map_alike(&vmo->map, index, index + count - 1, &page);
    *done = page ? alike : 0;
    return page ? OK : vmo_absence(vmo);
}

/* One leaf's part of a commit, or alike pages; *done is how many pages it covered. */
static status_t commit_part_locked(struct vmo *vmo, uint64_t index, uint64_t count,
                                   uint64_t *done) REQUIRES(vmo->lock) {
    if (vmo->kind == VMO_PAGER)
        return commit_pager_locked(vmo, index, count, done);
    struct map_stretch stretch = page_map_stretch(&vmo->map, index, count);
    bool simple = stretch.path_exclusive && !vmo->special;
    for (unsigned i = 0; simple && stretch.slots && i < stretch.count; i++)
        simple = !stretch.slots[i] || atomic_load(&stretch.slots[i]->count) == 1;
    if (!simple)
        return commit_each_locked(vmo, index, stretch.count, done);
    *done = stretch.count;
    return commit_stretch_locked(vmo, index, stretch.count);
}

/* A part of one leaf at a time, so that nobody waits long for the lock. */
static status_t commit_step(struct vmo *vmo, uint64_t index, uint64_t last, uint64_t *done) {
    MUTEX_GUARD(&vmo->lock);
    uint64_t size_pages = vmo->size >> PAGE_SHIFT;
    if (index >= size_pages) {
        *done = last - index + 1; /* shrunk meanwhile */
        return OK;
    }
    return commit_part_locked(vmo, index, MIN(last + 1, size_pages) - index, done);
}

status_t vmo_commit(struct vmo *vmo, uint64_t offset, uint64_t length) {
    status_t status = vmo_range_resolve(&vmo, &offset, &length);
    if (status == OK)
        status = range_trim(vmo, offset, &length);
    if (status != OK || length == 0)
        return status;
    if (vmo->kind == VMO_PHYSICAL)
        return ERR_NOT_SUPPORTED;
    uint64_t index = offset >> PAGE_SHIFT, last = (offset + length - 1) >> PAGE_SHIFT, done;
    while (index <= last && status == OK) {
        status = commit_step(vmo, index, last, &done);
        if (status == ERR_NO_MEMORY && reclaim_memory())
            status = OK, done = 0;
        if (status == OK || status == ERR_INTERNAL_PAGER)
            index += done;
        if (status == ERR_INTERNAL_PAGER)
            status = vmo_await(vmo, index, last - index + 1, false);
    }
    return status;
}

/* ---- Decommit ---- */

/* Whole pages [first, last] become absent. */
static status_t remove_locked(struct vmo *vmo, uint64_t first, uint64_t last,
                              struct map_garbage *garbage) REQUIRES(vmo->lock) {
    struct map_stash stash = MAP_STASH_INIT;
    status_t status = map_stash_fill(&stash, page_map_plan_remove(&vmo->map, first, last));
    if (status == OK) {
        vmo_hide_locked(vmo, first, last - first + 1);
        page_map_remove(&vmo->map, first, last, &stash, garbage);
    }
    map_stash_release(&stash);
    return status;
}

static status_t decommit_locked(struct vmo *vmo, uint64_t offset, uint64_t length,
                                bool has_relatives, struct map_garbage *garbage)
    REQUIRES(vmo->lock) {
    status_t status = vmo_range_trim_locked(vmo, offset, &length);
    if (status != OK || length == 0)
        return status;
    if (has_relatives || (vmo->kind != VMO_ANONYMOUS && vmo->kind != VMO_DISCARDABLE))
        return ERR_NOT_SUPPORTED;
    if (!is_page_aligned(offset) || !is_page_aligned(length))
        return ERR_INVALID_ARGS;
    uint64_t first = offset >> PAGE_SHIFT, last = ((offset + length) >> PAGE_SHIFT) - 1;
    if (vmo_is_pinned_locked(vmo, first, last))
        return ERR_BAD_STATE;
    return remove_locked(vmo, first, last, garbage);
}

static status_t decommit(struct vmo *vmo, uint64_t offset, uint64_t length,
                         struct map_garbage *garbage) {
    bool has_relatives = vmo_has_relatives(vmo); /* family before VMO */
    MUTEX_GUARD(&vmo->lock);
    return decommit_locked(vmo, offset, length, has_relatives, garbage);
}

status_t vmo_decommit(struct vmo *vmo, uint64_t offset, uint64_t length) {
    struct map_garbage garbage = MAP_GARBAGE_INIT;
    status_t status = vmo_range_resolve(&vmo, &offset, &length);
    if (status == OK)
        status = decommit(vmo, offset, length, &garbage);
    map_garbage_release(&garbage);
    return status;
}

/* ---- Zero ---- */

/* A zeroing that goes on, and where it must wait for a pager. */
struct zeroing {
    struct map_garbage garbage;
    uint64_t blocked, blocked_count; /* pages */
};

static status_t zeroing_blocked(struct zeroing *z, uint64_t first, uint64_t count,
                                status_t status) {
    z->blocked = first;
    z->blocked_count = count;
    return status;
}

/* Bytes of one page. */
static status_t zero_part_locked(struct vmo *vmo, struct zeroing *z, uint64_t offset,
                                 uint64_t length) REQUIRES(vmo->lock) {
    struct page *page;
    uint64_t index = offset >> PAGE_SHIFT;
    if (length == 0 || !vmo_has_content_locked(vmo, index))
        return OK;
    status_t status = vmo_own_page_locked(vmo, index, &page, NULL);
    if (status == OK)
        __builtin_memset((char *)page_contents(page) + (offset & PAGE_MASK), 0, length);
    return zeroing_blocked(z, index, 1, status);
}

/* Pinned pages keep their frames and are zeroed in place. What is zero takes one step. */
static status_t zero_in_place_locked(struct vmo *vmo, struct zeroing *z, uint64_t offset,
                                     uint64_t end) REQUIRES(vmo->lock) {
    status_t status = OK;
    struct page *page;
    for (uint64_t at = offset, next, pages; at < end && status == OK; at = next) {
        uint64_t index = at >> PAGE_SHIFT;
        pages = page_map_alike(&vmo->map, index, (end - 1) >> PAGE_SHIFT, &page);
        if (vmo_has_content_locked(vmo, index))
            pages = 1;
        next = MIN(end, (index + pages) << PAGE_SHIFT);
        status = zero_part_locked(vmo, z, at, next - at);
    }
    return status;
}

static status_t zero_pages_locked(struct vmo *vmo, struct zeroing *z, uint64_t first,
                                  uint64_t last) REQUIRES(vmo->lock) {
    if (vmo->kind != VMO_PAGER && vmo->kind != VMO_LAZY)
        return remove_locked(vmo, first, last, &z->garbage);
    status_t status = vmo_zero_pages_special_locked(vmo, first, last, &z->garbage);
    return zeroing_blocked(z, first, last - first + 1, status);
}

static status_t zero_locked(struct vmo *vmo, struct zeroing *z, uint64_t offset, uint64_t length)
    REQUIRES(vmo->lock) {
    uint64_t end = offset + length;
    uint64_t first = round_up(offset, PAGE_SIZE), last = round_down(end, PAGE_SIZE);
    if (vmo->pins || vmo->kind == VMO_CONTIGUOUS || first > last)
        return zero_in_place_locked(vmo, z, offset, end);
    status_t status = zero_part_locked(vmo, z, offset, first - offset);
    if (status == OK)
        status = zero_part_locked(vmo, z, last, end - last);
    if (status == OK && first < last)
        status = zero_pages_locked(vmo, z, first >> PAGE_SHIFT, (last >> PAGE_SHIFT) - 1);
    return status;
}

static status_t zero(struct vmo *vmo, struct zeroing *z, uint64_t offset, uint64_t length) {
    MUTEX_GUARD(&vmo->lock);
    status_t status = vmo_range_trim_locked(vmo, offset, &length);
    if (status != OK || length == 0)
        return status;
    return zero_locked(vmo, z, offset, length);
}

status_t vmo_zero_unless_blocked(struct vmo *vmo, uint64_t offset, uint64_t length,
                                 struct vmo_blocked *out_blocked) {
    struct zeroing z = {.garbage = MAP_GARBAGE_INIT};
    status_t status = vmo_check_bytes(vmo_pages_of(vmo));
    if (status == OK)
        status = vmo_range_resolve(&vmo, &offset, &length);
    if (status == OK)
        status = zero(vmo, &z, offset, length);
    map_garbage_release(&z.garbage);
    *out_blocked = (struct vmo_blocked){z.blocked, z.blocked_count};
    return status;
}

status_t vmo_zero(struct vmo *vmo, uint64_t offset, uint64_t length) {
    struct vmo_blocked blocked;
    status_t status = vmo_zero_unless_blocked(vmo, offset, length, &blocked);
    while (status == ERR_INTERNAL_PAGER) {
        status = vmo_await(vmo, blocked.first, blocked.count, true);
        if (status == OK)
            status = vmo_zero_unless_blocked(vmo, offset, length, &blocked);
    }
    return status;
}

/* ---- Hints ---- */

static status_t hint_range(struct vmo *vmo, uint64_t offset, uint64_t length) {
    MUTEX_GUARD(&vmo->lock);
    return range_within(offset, length, vmo->size) ? OK : ERR_OUT_OF_RANGE;
}

status_t vmo_hint(struct vmo *named, bool needed, uint64_t offset, uint64_t length) {
    struct vmo *vmo = vmo_pages_of(named);
    uint64_t end;
    if (__builtin_add_overflow(offset, length, &end))
        return ERR_OUT_OF_RANGE;
    if (vmo->kind != VMO_PAGER && vmo->kind != VMO_LAZY)
        return OK;
    status_t status = hint_range(named->is_slice ? named : vmo, offset, length);
    if (status != OK || length == 0)
        return status;
    vmo_hint_pager(vmo, needed);
    offset += named->shown_offset;
    if (needed)
        vmo_populate(vmo, offset >> PAGE_SHIFT, (offset + length - 1) >> PAGE_SHIFT);
    return OK;
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
