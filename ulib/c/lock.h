/*
 * lock.h - the library's own lock: one futex word, no owner.
 *
 * 0 free, 1 taken, 2 taken and somebody may sleep. mtx_t is built on it.
 */
#pragma once

#include <stdbool.h>
#include <zircon/types.h>

struct lock {
    _Atomic(int) state;
};

/* ZX_ERR_TIMED_OUT when the deadline passes first. */
zx_status_t lock_take_until(_Atomic(int) *state, zx_time_t deadline);
bool lock_try(_Atomic(int) *state);
void lock_give(_Atomic(int) *state);

static inline void lock_take(struct lock *lock) {
    (void)lock_take_until(&lock->state, ZX_TIME_INFINITE);
}
static inline void lock_drop(struct lock *lock) { lock_give(&lock->state); }
