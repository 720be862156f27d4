/*
 * spinlock.h - short waits with interrupts off.
 *
 * SPIN_GUARD(&lock) takes the lock, interrupts off, for the rest of the
 * function. While a CPU waits it answers requests from other CPUs
 * (cpu_poll_requests), so a holder may not wait for another CPU but a waiter
 * never blocks one.
 */
#pragma once

#include <stdatomic.h>

#include "arch/cpu.h"
#include "lib/assert.h"

struct CAPABILITY("spinlock") spinlock {
    _Atomic uint16_t held; /* 0, or the holder's CPU number + 1 */
    uint8_t rank;          /* enum lock_rank */
#ifdef JX_DEBUG
    const char *name;
#endif
};

#ifdef JX_DEBUG
#define SPINLOCK_INIT(rank_, name_) {.held = 0, .rank = (rank_), .name = (name_)}
#else
#define SPINLOCK_INIT(rank_, name_) {.held = 0, .rank = (rank_)}
#endif

ALWAYS_INLINE void spinlock_init(struct spinlock *lock, enum lock_rank rank, const char *name) {
    *lock = (struct spinlock)SPINLOCK_INIT(rank, name);
    (void)name;
}
void spinlock_wait(struct spinlock *lock, uint16_t me);

/* Interrupts are off already and stay off until unlock. */
ALWAYS_INLINE void spin_lock_irq_off(struct spinlock *lock) ACQUIRE(*lock) NO_LOCK_ANALYSIS {
    uint16_t me = (uint16_t)(cpu_this()->id + 1), free = 0;
#ifdef JX_DEBUG
    held_locks_push(&cpu_this()->spinlocks, lock, lock->name, lock->rank, false);
#endif
    if (unlikely(!atomic_compare_exchange_strong_explicit(&lock->held, &free, me,
                                                          memory_order_acquire,
                                                          memory_order_relaxed)))
        spinlock_wait(lock, me);
}
ALWAYS_INLINE bool spin_try_lock_irq_off(struct spinlock *lock) TRY_ACQUIRE(true, *lock)
    NO_LOCK_ANALYSIS {
    uint16_t me = (uint16_t)(cpu_this()->id + 1), free = 0;
    if (!atomic_compare_exchange_strong_explicit(&lock->held, &free, me, memory_order_acquire,
                                                 memory_order_relaxed))
        return false;
#ifdef JX_DEBUG
    held_locks_push(&cpu_this()->spinlocks, lock, lock->name, lock->rank, true);
#endif
    return true;
}
ALWAYS_INLINE void spin_unlock_irq_off(struct spinlock *lock) RELEASE(*lock) NO_LOCK_ANALYSIS {
#ifdef JX_DEBUG
    held_locks_pop(&cpu_this()->spinlocks, lock);
#endif
    atomic_store_explicit(&lock->held, 0, memory_order_release);
}
ALWAYS_INLINE irq_state_t spin_lock(struct spinlock *lock) ACQUIRE(*lock) NO_LOCK_ANALYSIS {
    irq_state_t state = irq_save();
    spin_lock_irq_off(lock);
    return state;
}
ALWAYS_INLINE void spin_unlock(struct spinlock *lock, irq_state_t state) RELEASE(*lock)
    NO_LOCK_ANALYSIS {
    spin_unlock_irq_off(lock);
    irq_restore(state);
}
ALWAYS_INLINE bool spin_is_held_by_me(const struct spinlock *lock) {
    return atomic_load_explicit(&lock->held, memory_order_relaxed) == cpu_this()->id + 1;
}

struct spin_guard {
    struct spinlock *lock;
    irq_state_t state;
};
ALWAYS_INLINE struct spin_guard spin_guard_enter(struct spinlock *lock) NO_LOCK_ANALYSIS {
    return (struct spin_guard){lock, spin_lock(lock)};
}
ALWAYS_INLINE void spin_guard_leave(struct spin_guard *guard) NO_LOCK_ANALYSIS {
    spin_unlock(guard->lock, guard->state);
}
ALWAYS_INLINE void spin_guarded(struct spinlock *lock) ASSERT_HELD(*lock) { (void)lock; }
#define SPIN_GUARD(l)                                                                              \
    __attribute__((cleanup(spin_guard_leave))) struct spin_guard spin_guard_ =                     \
        spin_guard_enter(l);                                                                       \
    (void)spin_guard_;                                                                             \
    spin_guarded(l)
