/*
 * lock.c - taking costs one atomic step when nobody else wants the lock, and giving
 * back enters the kernel only if somebody may sleep.
 */
#include "c/lock.h"

#include <stdatomic.h>
#include <zircon/syscalls.h>

bool lock_try(_Atomic(int) *state) {
    int free = 0;
    return atomic_compare_exchange_strong_explicit(state, &free, 1, memory_order_acquire,
                                                   memory_order_relaxed);
}

zx_status_t lock_take_until(_Atomic(int) *state, zx_time_t deadline) {
    if (lock_try(state))
        return ZX_OK;
    /* From here on this thread leaves 2 behind, since it cannot know who else sleeps. */
    while (atomic_exchange_explicit(state, 2, memory_order_acquire) != 0) {
        if (zx_futex_wait(state, 2, ZX_HANDLE_INVALID, deadline) == ZX_ERR_TIMED_OUT)
            return ZX_ERR_TIMED_OUT;
    }
    return ZX_OK;
}

void lock_give(_Atomic(int) *state) {
    if (atomic_exchange_explicit(state, 0, memory_order_release) == 2)
        (void)zx_futex_wake(state, 1);
}
