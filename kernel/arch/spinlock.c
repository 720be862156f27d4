/*
 * spinlock.c - waiting for a spinlock, and the proof that nobody waits for itself.
 */
#include "arch/spinlock.h"

#include "arch/trace.h"
#include "lib/panic.h"

/*
 * A holder never waits for another CPU, so this ends. While a panic is reported the
 * holder may have been stopped; the report goes on without the lock.
 */
void spinlock_wait(struct spinlock *lock, uint16_t me) {
    uint64_t begin = cpu_ticks();
    lock_count_contended(lock->rank);
    for (;;) {
        uint16_t holder = atomic_load_explicit(&lock->held, memory_order_relaxed);
        if (unlikely(panic_is_running()))
            return;
        ASSERT(holder != me);
        if (holder == 0 &&
            atomic_compare_exchange_weak_explicit(&lock->held, &holder, me, memory_order_acquire,
                                                  memory_order_relaxed)) {
            trace_event(KTRACE_GRP_LOCK, JX_TRACE_SPINLOCK, lock->rank, begin);
            return;
        }
        cpu_poll_requests();
        cpu_relax();
    }
}
