/*
 * wait.h - a thread waits for signals of one object, or of several.
 *
 * The observers lie on the waiting thread's stack and are linked while the handle
 * table's lock is still held; close and transfer take the handle out under that
 * lock and cancel afterwards. So a wait either finds the handle gone, or is on the
 * object's list when the cancelling comes (P55).
 */
#pragma once

#include <zircon/types.h>

#include "object/handle_table.h"

/*
 * The object behind a handle that may be waited for, borrowed while the lock is held.
 * In this order: ERR_BAD_HANDLE, ERR_ACCESS_DENIED, ERR_NOT_SUPPORTED.
 */
ALWAYS_INLINE status_t wait_find_locked(struct handle_table *table, uint32_t value,
                                        struct waitable **out_object) REQUIRES(table->lock) {
    const struct handle_slot *slot = handle_table_slot_locked(table, value);

    if (unlikely(!slot))
        return ERR_BAD_HANDLE;
    if (unlikely(!(slot->rights & ZX_RIGHT_WAIT)))
        return ERR_ACCESS_DENIED;
    if (unlikely(!slot->object->ops->can_wait))
        return ERR_NOT_SUPPORTED;
    *out_object = slot->object;
    return OK;
}
/* In a register. */
struct wait_result {
    status_t status;
    signals_t observed; /* OK, ERR_TIMED_OUT, ERR_CANCELED: what was active when the wait ended */
};
/* OK, ERR_TIMED_OUT, ERR_CANCELED, ERR_BAD_HANDLE, ERR_ACCESS_DENIED, ERR_NOT_SUPPORTED,
 * ERR_INTERNAL_*. */
struct wait_result wait_one(struct handle_table *table, uint32_t handle_value, signals_t wanted,
                            nstime_t deadline);
/*
 * The same for `count` items at most ZX_WAIT_MANY_MAX_ITEMS, whose `pending` is what
 * was observed. ERR_NO_MEMORY.
 */
status_t wait_many(struct handle_table *table, zx_wait_item_t *items, size_t count,
                   nstime_t deadline);
