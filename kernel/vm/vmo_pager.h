/*
 * vmo_pager.h - what a pager does with an object of its own (ABI-MORE.md section S1).
 *
 * Ranges are page aligned; the caller has checked that the VMO is the pager's. After
 * each of them the pager is told that requests may have ended.
 */
#pragma once

#include "vm/vmo.h"

/*
 * Move pages of `aux` into absent places; absent ones of `aux` become zeros. Refusals of
 * `aux` first: ERR_NOT_SUPPORTED, ERR_BAD_STATE, ERR_OUT_OF_RANGE; then ERR_BAD_STATE
 * detached, ERR_OUT_OF_RANGE; ERR_NO_MEMORY: supplied in part.
 */
status_t vmo_supply(struct vmo *vmo, uint64_t offset, uint64_t length, struct vmo *aux,
                    uint64_t aux_offset);
/* No more pages will come: requests end, clean pages go. */
void vmo_detach(struct vmo *vmo);
/* End the requests that overlap. ERR_BAD_STATE detached, ERR_OUT_OF_RANGE. */
status_t vmo_fail_requests(struct vmo *vmo, uint64_t offset, uint64_t length, status_t why);
/*
 * All pages of the range become dirty. ERR_NOT_SUPPORTED without trap_dirty,
 * ERR_BAD_STATE detached, ERR_OUT_OF_RANGE, ERR_NOT_FOUND (one is absent), ERR_NO_MEMORY.
 */
status_t vmo_mark_dirty(struct vmo *vmo, uint64_t offset, uint64_t length);
/* Dirty ones are being written back (only_zeros: only markers); end: are clean. */
status_t vmo_writeback_begin(struct vmo *vmo, uint64_t offset, uint64_t length, bool only_zeros);
status_t vmo_writeback_end(struct vmo *vmo, uint64_t offset, uint64_t length);
/* The first run of pages that are not clean in [offset, end); false: none. */
struct dirty_range {
    uint64_t offset, length;
    bool is_zero;
};
bool vmo_next_dirty_range(struct vmo *vmo, uint64_t offset, uint64_t end,
                          struct dirty_range *out_range);
/* Written since it was made or last reset? */
bool vmo_was_modified(struct vmo *vmo, bool reset);
