/*
 * spinlock.c - waiting for a spinlock, and the proof that nobody waits for itself.
 */
#include "arch/spinlock.h"

void spinlock_wait(struct spinlock *lock, uint32_t me) {
    for (;;) {
        uint32_t holder = atomic_load_explicit(&lock->held, memory_order_relaxed);
        ASSERT(holder != me);
        if (holder == 0 &&
            atomic_compare_exchange_weak_explicit(&lock->held, &holder, me, memory_order_acquire,
                                                  memory_order_relaxed))
            return;
        cpu_poll_requests();
        cpu_relax();
    }
}
