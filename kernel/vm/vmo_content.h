/*
 * vmo_content.h - what streams need of memory objects beyond vmo.h.
 */
#pragma once

#include "vm/vmo.h"

/* Once, at boot. */
void vmo_content_init(void);
/* RANK_CONTENT. Its holder waits neither for user memory nor for a pager. */
struct mutex *vmo_content_lock(struct vmo *vmo);
/* The content reaches at least to `end`, or to where the object has come to end meanwhile. */
void vmo_raise_content_size(struct vmo *vmo, uint64_t end);
/*
 * Make the object reach at least to `end`; its content size stays. ERR_UNAVAILABLE not
 * resizable, ERR_OUT_OF_RANGE, ERR_NO_MEMORY.
 */
status_t vmo_grow(struct vmo *vmo, uint64_t end);

/* Pages of what an object shows, to be waited for by vmo_await. */
struct vmo_blocked {
    uint64_t first, count;
};
/* vmo_zero that does not wait: ERR_INTERNAL_PAGER, and why. */
status_t vmo_zero_unless_blocked(struct vmo *vmo, uint64_t offset, uint64_t length,
                                 struct vmo_blocked *out_blocked);
/*
 * Copy as far as the user's memory is present: with OK and *out_moved short, the caller
 * drops its locks, touches the byte there, and tries again. ERR_OUT_OF_RANGE when the
 * object ends before `length`, ERR_INTERNAL_PAGER (vmo_await the next page), ERR_NO_MEMORY,
 * ERR_NOT_SUPPORTED, ERR_BAD_STATE; *out_moved was moved before.
 */
status_t vmo_read_present(struct vmo *vmo, uint64_t offset, struct user_out buffer,
                          uint64_t length, uint64_t *out_moved);
status_t vmo_write_present(struct vmo *vmo, uint64_t offset, struct user_in buffer,
                           uint64_t length, uint64_t *out_moved);
