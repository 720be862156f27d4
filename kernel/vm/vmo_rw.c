/*
 * vmo_rw.c - reading and writing by offset, page by page.
 *
 * The copy happens under the VMO's lock with the user copy that fails instead of
 * faulting: copying after the unlock would break snapshots, and faulting under the
 * lock would dead-lock with a fault on this same VMO. On a short copy the lock is
 * dropped, the user page is touched, and the work goes on where it stopped.
 */
#include "arch/mmu.h"
#include "lib/string.h"
#include "vm/pmm.h"
#include "vm/reclaim.h"
#include "vm/vmo_content.h"
#include "vm/vmo_internal.h"

/* One transfer; exactly one of the four is not zero. */
struct transfer {
    struct user_out user_to;
    struct user_in user_from;
    char *kernel_to;
    const char *kernel_from;
};

/* Move up to `length` bytes at the page's bytes; returns how many moved. */
static size_t move_out(const struct transfer *t, uint64_t done, const char *bytes, size_t length) {
    if (!t->kernel_to)
        return user_copy_out_nofault(user_out_at(t->user_to, done), bytes, length);
    memcpy(t->kernel_to + done, bytes, length);
    return length;
}

static size_t move_in(const struct transfer *t, uint64_t done, char *bytes, size_t length) {
    if (!t->kernel_from)
        return user_copy_in_nofault(bytes, user_in_at(t->user_from, done), length);
    memcpy(bytes, t->kernel_from + done, length);
    return length;
}

static bool transfer_writes(const struct transfer *t) {
    return t->kernel_from || t->user_from.address;
}

static NOINLINE status_t read_special_locked(struct vmo *vmo, uint64_t index, uint64_t in_page,
                                             const struct transfer *t, uint64_t done,
                                             size_t length, size_t *out_moved)
    REQUIRES(vmo->lock) {
    struct vmo_look look;
    status_t status = vmo_look_special_locked(vmo, index, &look);
    if (status != OK)
        return status;
    const char *bytes = page_contents(look.page);
    *out_moved = move_out(t, done, bytes + in_page, length);
    vmo_look_end(&look);
    return OK;
}

/* The page part of a transfer whose `left` bytes must all lie inside. */
ALWAYS_INLINE status_t step_locked(struct vmo *vmo, uint64_t offset, uint64_t left,
                                   const struct transfer *t, uint64_t done, size_t length,
                                   size_t *out_moved) REQUIRES(vmo->lock) {
    uint64_t index = offset >> PAGE_SHIFT, in_page = offset & PAGE_MASK;
    struct page *page;
    if (!range_within(offset, left, vmo->size))
        return ERR_OUT_OF_RANGE;
    if (transfer_writes(t)) {
        status_t status = vmo_own_page_locked(vmo, index, &page, NULL);
        if (status == OK)
            *out_moved = move_in(t, done, (char *)page_contents(page) + in_page, length);
        return status;
    }
    if (unlikely(vmo->special))
        return read_special_locked(vmo, index, in_page, t, done, length, out_moved);
    page = page_map_find(&vmo->map, index, NULL);
    const char *bytes = page_contents(page ? page : pmm_zero_page());
    *out_moved = move_out(t, done, bytes + in_page, length);
    return OK;
}

ALWAYS_INLINE status_t step(struct vmo *vmo, uint64_t offset, uint64_t left,
                            const struct transfer *t, uint64_t done, size_t length,
                            size_t *out_moved) {
    MUTEX_GUARD(&vmo->lock);
    return step_locked(vmo, offset, left, t, done, length, out_moved);
}

static status_t touch(const struct transfer *t, uint64_t done) {
    return transfer_writes(t) ? user_touch_read(t->user_from.address + done)
                              : user_touch_write(t->user_to.address + done);
}

#define ASK_PAGES 16 /* at most, of a pager at a time */

/* What can be done about a step that failed: OK, do it again. No lock held. */
static NOINLINE status_t help(struct vmo *vmo, uint64_t at, uint64_t left,
                              const struct transfer *t, status_t status) {
    uint64_t index = at >> PAGE_SHIFT, last = (at + left - 1) >> PAGE_SHIFT;
    if (status == ERR_INTERNAL_PAGER)
        return vmo_await(vmo, index, MIN(last - index + 1, (uint64_t)ASK_PAGES),
                         transfer_writes(t));
    return status == ERR_NO_MEMORY && reclaim_memory() ? OK : status;
}

/* Inline, so that each of the four below knows which of the four it is. */
ALWAYS_INLINE status_t transfer(struct vmo *named, uint64_t offset, uint64_t length,
                                const struct transfer *t) {
    struct vmo *vmo = vmo_pages_of(named);
    status_t refused = vmo_check_bytes(vmo);
    if (unlikely(refused != OK))
        return refused;
    /* A slice's own size never changes; of others each step looks at the size under the lock. */
    if ((length == 0 || named->is_slice) && !range_within(offset, length, vmo_size(named)))
        return ERR_OUT_OF_RANGE;
    offset += named->shown_offset;
    for (uint64_t done = 0; done < length;) {
        uint64_t at = offset + done;
        size_t moved = 0, part = MIN(length - done, PAGE_SIZE - (at & PAGE_MASK));
        status_t status = step(vmo, at, length - done, t, done, part, &moved);
        done += moved;
        if (status == OK && moved < part)
            status = touch(t, done);
        if (unlikely(status != OK))
            status = help(vmo, at, length - done, t, status);
        if (status != OK)
            return status;
    }
    return OK;
}

NO_STACK_PROTECTOR /* no array lies in its frame */
status_t vmo_read(struct vmo *vmo, uint64_t offset, struct user_out buffer, uint64_t length) {
    if (length && !buffer.address)
        return range_within(offset, length, vmo_size(vmo)) ? ERR_INVALID_ARGS : ERR_OUT_OF_RANGE;
    return transfer(vmo, offset, length, &(struct transfer){.user_to = buffer});
}

status_t vmo_write(struct vmo *vmo, uint64_t offset, struct user_in buffer, uint64_t length) {
    if (length && !buffer.address)
        return range_within(offset, length, vmo_size(vmo)) ? ERR_INVALID_ARGS : ERR_OUT_OF_RANGE;
    return transfer(vmo, offset, length, &(struct transfer){.user_from = buffer});
}

status_t vmo_read_kernel(struct vmo *vmo, uint64_t offset, void *buffer, uint64_t length) {
    return transfer(vmo, offset, length, &(struct transfer){.kernel_to = buffer});
}

status_t vmo_write_kernel(struct vmo *vmo, uint64_t offset, const void *buffer, uint64_t length) {
    return transfer(vmo, offset, length, &(struct transfer){.kernel_from = buffer});
}

/* ---- As far as the user's memory is present ---- */

ALWAYS_INLINE status_t transfer_present(struct vmo *vmo, uint64_t offset, uint64_t length,
                                        const struct transfer *t, uint64_t *out_moved) {
    uint64_t done = 0;
    size_t moved, part = 0;
    offset += vmo->shown_offset;
    vmo = vmo_pages_of(vmo);
    status_t status = vmo_check_bytes(vmo);
    if (status != OK)
        return status;
    do {
        uint64_t at = offset + done;
        moved = 0;
        part = MIN(length - done, PAGE_SIZE - (at & PAGE_MASK));
        status = step(vmo, at, part, t, done, part, &moved);
        done += moved;
    } while (status == OK && moved == part && done < length);
    *out_moved = done;
    return status;
}

status_t vmo_read_present(struct vmo *vmo, uint64_t offset, struct user_out buffer,
                          uint64_t length, uint64_t *out_moved) {
    *out_moved = 0;
    if (length == 0 || !buffer.address)
        return OK;
    return transfer_present(vmo, offset, length, &(struct transfer){.user_to = buffer}, out_moved);
}

status_t vmo_write_present(struct vmo *vmo, uint64_t offset, struct user_in buffer,
                           uint64_t length, uint64_t *out_moved) {
    *out_moved = 0;
    if (length == 0 || !buffer.address)
        return OK;
    return transfer_present(vmo, offset, length, &(struct transfer){.user_from = buffer},
                            out_moved);
}
