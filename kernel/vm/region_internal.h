/*
 * region_internal.h - shared by aspace.c, region.c, vmar.c and place.c only.
 */
#pragma once

#include "vm/aspace.h"

/* Regions that left the tree, to be let go after the lock. */
void regions_release(struct list *dead);

/* A region that is in no tree yet; one reference, the tree's to be. */
/* region_ops.destroy. */
void region_destroy(struct waitable *object);
struct region *region_alloc(struct aspace *aspace, enum region_kind kind);
void region_insert_locked(struct region *parent, struct region *region, vaddr_t start,
                          uint64_t size) REQUIRES(parent->aspace->lock);
/* Take a mapping out of the tree and its view away; the tree's reference is the caller's. */
void mapping_take_locked(struct region *mapping) REQUIRES(mapping->aspace->lock);
/* Destroy a VMAR and all below, iteratively. */
void vmar_destroy_locked(struct region *vmar, struct list *dead) REQUIRES(vmar->aspace->lock);
/* Make [start, end), a part of the mapping, disappear; `spare` is used if it splits (else left). */
void mapping_cut_locked(struct region *mapping, vaddr_t start, vaddr_t end, struct region **spare,
                        struct list *dead) REQUIRES(mapping->aspace->lock);
/* Split a mapping at `at`; the right part is *spare, which becomes NULL. */
struct region *mapping_split_locked(struct region *mapping, vaddr_t at, struct region **spare)
    REQUIRES(mapping->aspace->lock);
/* Join a mapping to its left neighbour if it is the same going on; the one it is in then. */
struct region *mapping_merge_locked(struct region *mapping, struct list *dead)
    REQUIRES(mapping->aspace->lock);
/* Say what a new mapping maps; takes a reference. */
void mapping_set_vmo(struct region *mapping, struct vmo *vmo);
/* Begin to show: link the view. */
void mapping_show_locked(struct region *mapping, uint64_t vmo_offset)
    REQUIRES(mapping->aspace->lock);

/* The first child that overlaps [start, end), or NULL. */
struct region *region_first_overlap_locked(struct region *vmar, vaddr_t start, vaddr_t end)
    REQUIRES(vmar->aspace->lock);
struct region *region_next_overlap_locked(struct region *child, vaddr_t end);

/* place.c: where a new child goes; ZX-ABI.md section 5.3 steps 4 to 8. */
status_t region_place_locked(struct region *vmar, uint32_t options, uint64_t offset,
                             uint64_t size, vaddr_t *out_start) REQUIRES(vmar->aspace->lock);
/* The same below start + limit, at a place of the kernel's choice. ERR_NO_MEMORY. */
status_t region_place_anywhere_locked(struct region *vmar, uint64_t limit, uint64_t size,
                                      uint64_t align, vaddr_t *out_start)
    REQUIRES(vmar->aspace->lock);
/* The log2 alignment in the options; false if it is not a legal one. */
ALWAYS_INLINE bool region_alignment(uint32_t options, unsigned *out_log2) {
    unsigned log2 = options >> ZX_VM_ALIGN_BASE;
    *out_log2 = MAX(log2, (unsigned)PAGE_SHIFT);
    return log2 == 0 || (log2 >= 10 && log2 <= 32);
}
