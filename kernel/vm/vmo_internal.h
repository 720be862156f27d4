/*
 * vmo_internal.h - shared by the vmo*.c files and object/vmo_object.c only.
 */
#pragma once

#include "arch/mmu.h"
#include "vm/pmm.h"
#include "vm/vmo.h"

#define VMO_SIGNAL_ZERO_CHILDREN ((signals_t)0x8)

/* A VMO without pages; ERR_OUT_OF_RANGE, ERR_NO_MEMORY. */
status_t vmo_alloc(uint64_t size, enum vmo_kind kind, struct vmo **out_vmo);
/* vmo_ops.destroy. */
void vmo_destroy(struct waitable *object);
/* vmo_pager.c: what the kinds must do besides. */
void vmo_destroy_special(struct vmo *vmo);
uint64_t vmo_family_child_count(struct vmo *vmo);

/* ---- vmo.c: views ---- */
/* The part of a page range that a view shows that begins at view_offset; false if none. */
bool vmo_view_overlap(const struct vmo_view *view, uint64_t view_offset, uint64_t first,
                      uint64_t count, vaddr_t *out_va, uint64_t *out_pages);
void vmo_view_hide(struct vmo_view *view, vaddr_t va, uint64_t pages, struct tlb_batch *batch);

/* What an object that is no alias says to who reads and writes by offset, before any range. */
ALWAYS_INLINE status_t vmo_check_bytes(const struct vmo *vmo) {
    if (unlikely(vmo->special) && (vmo->kind == VMO_PHYSICAL || vmo->cache_policy))
        return vmo->kind == VMO_PHYSICAL ? ERR_NOT_SUPPORTED : ERR_BAD_STATE;
    return OK;
}

/* ---- vmo_cow.c ---- */
/* A page for a slot: its one count is the slot's. A copy, or zeroed if `from` is NULL. */
ALWAYS_INLINE NODISCARD struct page *vmo_page_alloc(const struct page *from) {
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

/* The pages of the parent that a child sees: never more than exist now. Sizes in bytes. */
uint64_t vmo_window_pages(uint64_t parent_size, uint64_t offset, uint64_t child_size);
/* The child's map, which is empty, shares what it sees of the parent's. ERR_BAD_STATE pinned. */
status_t vmo_snapshot_map_locked(struct vmo *parent, uint64_t offset, struct vmo *child)
    REQUIRES(parent->lock);

/* ---- vmo_range.c ---- */
/* Check and trim a range as ABI-MORE.md S8 has it. ERR_OUT_OF_RANGE. */
status_t vmo_range_trim_locked(struct vmo *vmo, uint64_t offset, uint64_t *length)
    REQUIRES(vmo->lock);
/* A range of an alias becomes the range of what it shows. ERR_OUT_OF_RANGE. */
status_t vmo_range_resolve(struct vmo **vmo, uint64_t *offset, uint64_t *length);

/* ---- vmo_pin.c ---- */
bool vmo_is_pinned_slow_locked(struct vmo *vmo, uint64_t first, uint64_t last)
    REQUIRES(vmo->lock);
/* Is a page of [first, last] pinned? Contiguous ones count as pinned for ever. */
ALWAYS_INLINE bool vmo_is_pinned_locked(struct vmo *vmo, uint64_t first, uint64_t last)
    REQUIRES(vmo->lock) {
    return unlikely(vmo->pins) && vmo_is_pinned_slow_locked(vmo, first, last);
}

/* ---- vmo_reclaim.c ---- */
/* The beginning and the end of a discardable object or one with a pager. */
void vmo_reclaim_born(struct vmo *vmo);
void vmo_reclaim_gone(struct vmo *vmo);
/* The VMO is going: nobody reclaims it any more. */
void vmo_reclaim_forget(struct vmo *vmo);
/* A pager's clean pages stay, or go before those of others. */
void vmo_reclaim_hint(struct vmo *vmo, bool needed);
/* A pager's object has got clean pages: it is the last to lose them. */
void vmo_reclaim_supplied(struct vmo *vmo);

/* ---- vmo_pager.c: VMO_PAGER and VMO_LAZY ---- */
/* Why a page of the pager's object is missing. ERR_BAD_STATE detached, ERR_INTERNAL_PAGER. */
status_t vmo_absence(const struct vmo *lender);
/* vmo_own_page_locked of these two. */
status_t vmo_own_pager_locked(struct vmo *vmo, uint64_t index, struct page **out_page,
                              bool *out_fresh) REQUIRES(vmo->lock);
status_t vmo_own_lazy_locked(struct vmo *vmo, uint64_t index, struct page **out_page,
                             bool *out_fresh) REQUIRES(vmo->lock);
/* With a pager: the marker at `index` becomes a page of zeros, as dirty as it was. ERR_NO_MEMORY. */
status_t vmo_fill_marker_locked(struct vmo *vmo, uint64_t index) REQUIRES(vmo->lock);
/* Might the page at `index` show anything but zeros? */
bool vmo_has_content_locked(struct vmo *vmo, uint64_t index) REQUIRES(vmo->lock);
/* Hide what a lender's page range shows in the views of those who borrow. */
void vmo_hide_from_borrowers_locked(struct vmo *vmo, uint64_t first, uint64_t count,
                                    struct tlb_batch *batch) REQUIRES(vmo->lock);
void vmo_lender_view_add(struct vmo *lender, struct vmo_view *view);
/* After a change of size: limits of who borrows, requests out of range, the grown part. */
void vmo_resize_special_locked(struct vmo *vmo, uint64_t old_pages, uint64_t pages,
                               struct map_stash *stash, struct map_garbage *garbage)
    REQUIRES(vmo->lock);
/* Whole pages [first, last], within the size, become zero. ERR_NO_MEMORY, ERR_INTERNAL_PAGER. */
status_t vmo_zero_pages_special_locked(struct vmo *vmo, uint64_t first, uint64_t last,
                                       struct map_garbage *garbage) REQUIRES(vmo->lock);
/* A lazy clone of what has a pager, with lender, offset and limit; nothing in its map yet. */
status_t vmo_lazy_create(struct vmo *parent, uint64_t offset, uint64_t size, bool resizable,
                         struct vmo **out_child);
/* No lock held: requests may have come or gone. */
void vmo_tell_pager(struct vmo *vmo);
/* Have the pager bring what is absent in [first, last]; failures are nobody's. No lock held. */
void vmo_populate(struct vmo *vmo, uint64_t first, uint64_t last);
void vmo_hint_pager(struct vmo *vmo, bool needed);
/* vmo_supply.c: drop the clean pages. How many. */
uint64_t vmo_evict_clean(struct vmo *vmo);
