/*
 * vmo_supply.c - the pager's side: pages come, become dirty, are written back, go.
 *
 * Supplying works in chunks of one leaf. Everything that can fail is taken before the
 * chunk leaves the auxiliary object. The two locks are taken one after the other;
 * between them the chunk belongs to the caller.
 */
#include "vm/kheap.h"
#include "vm/page_source.h"
#include "vm/pmm.h"
#include "vm/vmo_internal.h"
#include "vm/vmo_pager.h"

#define CHUNK MAP_FANOUT

/* ---- Taking from the auxiliary object ---- */

static status_t check_aux(struct vmo *aux, uint64_t offset, uint64_t length) {
    if (aux->kind == VMO_CONTIGUOUS || aux->kind == VMO_PHYSICAL)
        return ERR_NOT_SUPPORTED;
    if (vmo_family_child_count(aux))
        return ERR_BAD_STATE;
    if (!range_within(offset, length, vmo_size(aux)))
        return ERR_OUT_OF_RANGE;
    return aux->parent_koid || aux->kind == VMO_PAGER || aux->kind == VMO_DISCARDABLE ||
                   aux->cache_policy
               ? ERR_BAD_STATE
               : OK;
}

/* Pages in hand, with the one count that a slot will have. NULL: zeros. */
struct chunk {
    uint64_t count;
    struct page *pages[CHUNK];
};

static void chunk_release(struct chunk *chunk) {
    for (uint64_t i = 0; i < chunk->count; i++)
        if (chunk->pages[i])
            pmm_free(chunk->pages[i], PAGE_VMO);
}

/* Nobody shares the pages of an object without relatives. */
static status_t take_locked(struct vmo *aux, uint64_t first, struct chunk *chunk,
                            struct map_garbage *garbage) REQUIRES(aux->lock) {
    struct map_stash stash = MAP_STASH_INIT;
    uint64_t last = first + chunk->count - 1;
    if (last >= aux->size >> PAGE_SHIFT)
        return ERR_OUT_OF_RANGE;
    if (vmo_is_pinned_locked(aux, first, last) || page_map_plan_remove(&aux->map, first, last))
        return ERR_BAD_STATE; /* pinned meanwhile, or cloned */
    vmo_hide_locked(aux, first, chunk->count);
    for (uint64_t i = 0; i < chunk->count; i++) {
        chunk->pages[i] = page_map_find(&aux->map, first + i, NULL);
        if (chunk->pages[i]) /* so that leaving its slot does not free it */
            atomic_fetch_add_explicit(&chunk->pages[i]->count, 1, memory_order_relaxed);
    }
    page_map_remove(&aux->map, first, last, &stash, garbage);
    return OK;
}

static status_t take(struct vmo *aux, uint64_t first, struct chunk *chunk) {
    struct map_garbage garbage = MAP_GARBAGE_INIT;
    mutex_lock(&aux->lock);
    status_t status = take_locked(aux, first, chunk, &garbage);
    mutex_unlock(&aux->lock);
    map_garbage_release(&garbage);
    return status;
}

/* ---- Giving ---- */

static void give_page_locked(struct vmo *vmo, uint64_t index, struct page *page,
                             struct map_stash *stash) REQUIRES(vmo->lock) {
    if (!page) {
        page = pmm_zero_page_of(PAGE_CLEAN);
        atomic_fetch_add_explicit(&page->count, 1, memory_order_relaxed);
    } else {
        page->dirt = PAGE_CLEAN;
    }
    page_map_store(&vmo->map, index, page, stash);
}

/* What is present already wins. */
static void give_locked(struct vmo *vmo, uint64_t first, struct chunk *chunk,
                        struct map_stash *stash) REQUIRES(vmo->lock) {
    for (uint64_t i = 0; i < chunk->count; i++) {
        if (page_map_find(&vmo->map, first + i, NULL))
            continue;
        give_page_locked(vmo, first + i, chunk->pages[i], stash);
        chunk->pages[i] = NULL;
    }
    page_source_answer(vmo->source, PAGE_COMMAND_READ, first, chunk->count);
}

static status_t check_give_locked(struct vmo *vmo, uint64_t first, uint64_t count)
    REQUIRES(vmo->lock) {
    if (vmo->source->detached)
        return ERR_BAD_STATE;
    return range_within(first, count, vmo->size >> PAGE_SHIFT) ? OK : ERR_OUT_OF_RANGE;
}

static status_t give(struct vmo *vmo, uint64_t first, struct chunk *chunk,
                     struct map_stash *stash) {
    MUTEX_GUARD(&vmo->lock);
    status_t status = check_give_locked(vmo, first, chunk->count);
    if (status == OK)
        give_locked(vmo, first, chunk, stash);
    return status;
}

/* The nodes that a chunk can need: two edges, and roots above what is there. */
static unsigned plan_chunk(struct vmo *vmo, uint64_t first, uint64_t count) {
    MUTEX_GUARD(&vmo->lock);
    return page_map_plan_zero(&vmo->map, first, first + count - 1) + 2;
}

static status_t supply_chunk(struct vmo *vmo, uint64_t first, struct vmo *aux,
                             uint64_t aux_first, struct chunk *chunk) {
    struct map_stash stash = MAP_STASH_INIT;
    status_t status = map_stash_fill(&stash, plan_chunk(vmo, first, chunk->count));
    if (status == OK)
        status = take(aux, aux_first, chunk);
    if (status == OK) {
        status = give(vmo, first, chunk, &stash);
        chunk_release(chunk);
    }
    map_stash_release(&stash);
    return status;
}

status_t vmo_supply(struct vmo *vmo, uint64_t offset, uint64_t length, struct vmo *aux,
                    uint64_t aux_offset) {
    uint64_t first = offset >> PAGE_SHIFT, left = length >> PAGE_SHIFT;
    uint64_t aux_first = aux_offset >> PAGE_SHIFT;
    status_t status = check_aux(aux, aux_offset, length);
    if (status != OK || left == 0)
        return status;
    struct chunk *chunk = kheap_alloc(sizeof(*chunk));
    if (!chunk)
        return ERR_NO_MEMORY;
    for (; left > 0 && status == OK; left -= chunk->count) {
        chunk->count = MIN(left, CHUNK - first % CHUNK);
        status = supply_chunk(vmo, first, aux, aux_first, chunk);
        first += chunk->count;
        aux_first += chunk->count;
    }
    kheap_free_sized(chunk, sizeof(*chunk));
    vmo_reclaim_supplied(vmo);
    vmo_tell_pager(vmo);
    return status;
}

/* ---- Letting clean pages go ---- */

static uint64_t evict_locked(struct vmo *vmo, struct map_garbage *garbage) REQUIRES(vmo->lock) {
    uint64_t before = page_map_pages(&vmo->map), size = vmo->size >> PAGE_SHIFT;
    if (size == 0)
        return 0;
    vmo_hide_locked(vmo, 0, size);
    page_map_remove_clean(&vmo->map, garbage);
    uint64_t gone = before - page_map_pages(&vmo->map);
    vmo->losses += gone > 0;
    return gone;
}

uint64_t vmo_evict_clean(struct vmo *vmo) {
    struct map_garbage garbage = MAP_GARBAGE_INIT;
    mutex_lock(&vmo->lock);
    uint64_t pages = vmo->source->is_needed ? 0 : evict_locked(vmo, &garbage);
    mutex_unlock(&vmo->lock);
    map_garbage_release(&garbage);
    return pages;
}

static void detach_locked(struct vmo *vmo, struct map_garbage *garbage) REQUIRES(vmo->lock) {
    vmo->source->detached = true;
    evict_locked(vmo, garbage);
    page_source_end(vmo->source, 0, VMO_SIZE_MAX >> PAGE_SHIFT, OK);
}

void vmo_detach(struct vmo *vmo) {
    struct map_garbage garbage = MAP_GARBAGE_INIT;
    mutex_lock(&vmo->lock);
    if (!vmo->source->detached)
        detach_locked(vmo, &garbage);
    mutex_unlock(&vmo->lock);
    map_garbage_release(&garbage);
    vmo_tell_pager(vmo);
}

/* ---- Failing ---- */

static status_t fail_requests(struct vmo *vmo, uint64_t first, uint64_t count, status_t why) {
    MUTEX_GUARD(&vmo->lock);
    status_t status = check_give_locked(vmo, first, count);
    if (status == OK)
        page_source_end(vmo->source, first, count, why);
    return status;
}

status_t vmo_fail_requests(struct vmo *vmo, uint64_t offset, uint64_t length, status_t why) {
    status_t status = fail_requests(vmo, offset >> PAGE_SHIFT, length >> PAGE_SHIFT, why);
    vmo_tell_pager(vmo);
    return status;
}

/* ---- Dirty and clean ---- */

/* Give markers in the range pages of their own; absent pages are ERR_NOT_FOUND. */
static status_t fill_markers_locked(struct vmo *vmo, uint64_t first, uint64_t count)
    REQUIRES(vmo->lock) {
    struct page *page;
    status_t status = OK;
    for (uint64_t i = first; i < first + count;) {
        i += page_map_alike(&vmo->map, i, first + count - 1, &page);
        if (!page)
            return ERR_NOT_FOUND;
    }
    for (uint64_t i = first; i < first + count && status == OK; i++)
        if (page_is_zero(page_map_find(&vmo->map, i, NULL)))
            status = vmo_fill_marker_locked(vmo, i);
    return status;
}

static status_t mark_dirty_locked(struct vmo *vmo, uint64_t first, uint64_t count)
    REQUIRES(vmo->lock) {
    status_t status = check_give_locked(vmo, first, count);
    if (status == OK)
        status = fill_markers_locked(vmo, first, count);
    if (status == ERR_OUT_OF_RANGE || status == ERR_NOT_FOUND)
        page_source_end(vmo->source, first, count, OK); /* who waits asks anew */
    if (status != OK)
        return status;
    for (uint64_t i = first; i < first + count; i++)
        page_map_find(&vmo->map, i, NULL)->dirt = PAGE_DIRTY;
    page_source_answer(vmo->source, PAGE_COMMAND_DIRTY, first, count);
    return OK;
}

static status_t mark_dirty(struct vmo *vmo, uint64_t first, uint64_t count) {
    MUTEX_GUARD(&vmo->lock);
    return mark_dirty_locked(vmo, first, count);
}

status_t vmo_mark_dirty(struct vmo *vmo, uint64_t offset, uint64_t length) {
    if (!vmo->source->trap_dirty)
        return ERR_NOT_SUPPORTED;
    status_t status = mark_dirty(vmo, offset >> PAGE_SHIFT, length >> PAGE_SHIFT);
    vmo_tell_pager(vmo);
    return status;
}

/* One run's pages or markers go from one kind of dirt to another. */
static status_t change_run_locked(struct vmo *vmo, const struct map_run *run, enum page_dirt to,
                                  struct map_garbage *garbage) REQUIRES(vmo->lock) {
    struct map_stash stash = MAP_STASH_INIT;
    if (!page_is_zero(run->page)) {
        if (!run->page->pins)
            run->page->dirt = (uint8_t)to;
        return OK;
    }
    uint64_t last = run->index + run->count - 1;
    status_t status = map_stash_fill(&stash, page_map_plan_zero(&vmo->map, run->index, last));
    if (status == OK) {
        vmo_hide_locked(vmo, run->index, run->count); /* each kind of dirt has its own zero page */
        page_map_zero(&vmo->map, run->index, last, to, &stash, garbage);
    }
    map_stash_release(&stash);
    return status;
}

static status_t change_locked(struct vmo *vmo, uint64_t first, uint64_t count,
                              enum page_dirt from, enum page_dirt to, bool only_zeros,
                              struct map_garbage *garbage) REQUIRES(vmo->lock) {
    struct map_run run;
    status_t status = OK;
    if (!range_within(first, count, vmo->size >> PAGE_SHIFT))
        return ERR_OUT_OF_RANGE;
    if (count == 0)
        return OK;
    if (to == PAGE_AWAITING) /* so that the next write comes by */
        vmo_make_read_only_locked(vmo, first, count);
    for (uint64_t at = first, last = first + count - 1;
         status == OK && at <= last && page_map_next_run(&vmo->map, at, last, &run);
         at = run.index + run.count)
        if (run.page->dirt == from && (!only_zeros || page_is_zero(run.page)))
            status = change_run_locked(vmo, &run, to, garbage);
    return status;
}

static status_t change(struct vmo *vmo, uint64_t offset, uint64_t length, enum page_dirt from,
                       enum page_dirt to, bool only_zeros) {
    struct map_garbage garbage = MAP_GARBAGE_INIT;
    mutex_lock(&vmo->lock);
    status_t status = change_locked(vmo, offset >> PAGE_SHIFT, length >> PAGE_SHIFT, from, to,
                                    only_zeros, &garbage);
    mutex_unlock(&vmo->lock);
    map_garbage_release(&garbage);
    return status;
}

status_t vmo_writeback_begin(struct vmo *vmo, uint64_t offset, uint64_t length, bool only_zeros) {
    return change(vmo, offset, length, PAGE_DIRTY, PAGE_AWAITING, only_zeros);
}

status_t vmo_writeback_end(struct vmo *vmo, uint64_t offset, uint64_t length) {
    status_t status = change(vmo, offset, length, PAGE_AWAITING, PAGE_CLEAN, false);
    vmo_reclaim_supplied(vmo);
    return status;
}

/* ---- Telling ---- */

/* The next run that is not clean; runs of the same sort that touch are one. */
bool vmo_next_dirty_range(struct vmo *vmo, uint64_t offset, uint64_t end,
                          struct dirty_range *out_range) {
    MUTEX_GUARD(&vmo->lock);
    uint64_t at = offset >> PAGE_SHIFT, last = end >> PAGE_SHIFT, next = 0;
    struct map_run run;
    bool found = false;
    for (; at < last && page_map_next_run(&vmo->map, at, last - 1, &run);
         at = run.index + run.count) {
        bool is_zero = page_is_zero(run.page), dirty = run.page->dirt != PAGE_CLEAN;
        if (found && (!dirty || run.index != next || is_zero != out_range->is_zero))
            break;
        if (!dirty)
            continue;
        if (!found)
            *out_range = (struct dirty_range){.offset = run.index << PAGE_SHIFT, .is_zero = is_zero};
        found = true;
        next = run.index + run.count;
        out_range->length = (next << PAGE_SHIFT) - out_range->offset;
    }
    return found;
}

bool vmo_was_modified(struct vmo *vmo, bool reset) {
    MUTEX_GUARD(&vmo->lock);
    bool modified = vmo->source->modified;
    if (reset)
        vmo->source->modified = false;
    return modified;
}
