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
status_t wait_find_locked(struct handle_table *table, uint32_t value,
                          struct waitable **out_object) REQUIRES(table->lock);
/*
 * OK, ERR_TIMED_OUT and ERR_CANCELED store in *out_observed all signals that were
 * active when the wait ended; other results leave it alone. ERR_BAD_HANDLE,
 * ERR_ACCESS_DENIED, ERR_NOT_SUPPORTED, ERR_INTERNAL_*.
 */
status_t wait_one(struct handle_table *table, uint32_t handle_value, signals_t wanted,
                  nstime_t deadline, signals_t *out_observed);
/*
 * The same for `count` items at most ZX_WAIT_MANY_MAX_ITEMS; `pending` takes the
 * place of *out_observed. ERR_NO_MEMORY.
 */
status_t wait_many(struct handle_table *table, zx_wait_item_t *items, size_t count,
                   nstime_t deadline);
