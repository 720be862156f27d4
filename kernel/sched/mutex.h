/*
 * mutex.h - locks whose waiters sleep.
 *
 * Uncontended, taking and dropping are one atomic operation each. A waiter parks
 * and is handed the mutex in the order of arrival. Waiting is not killable: a
 * holder never waits for user code.
 *
 * MUTEX_GUARD(&lock) takes the lock for the rest of the function; guards stand at
 * the top level of a body. -Wthread-safety follows REQUIRES and EXCLUDES.
 */
#pragma once

#include <stdatomic.h>

#include "arch/lock_rank.h"
#include "arch/spinlock.h"
#include "lib/assert.h"
#include "lib/list.h"

struct CAPABILITY("mutex") mutex {
    _Atomic uintptr_t owner;   /* struct thread *, bit 0: somebody waits; released by its taker
                                  too, since waiters write to the thread (inherit.h) */
    struct spinlock wait_lock; /* RANK_MUTEX_WAIT */
    uint8_t rank;              /* enum lock_rank */
    struct list_node *waiters; /* oldest first; NULL: none */
#ifdef JX_DEBUG
    const char *name;
#endif
};

#ifdef JX_DEBUG
#define MUTEX_INIT(rank_, name_)                                                                   \
    {.wait_lock = SPINLOCK_INIT(RANK_MUTEX_WAIT, "mutex waiters"), .rank = (rank_), .name = (name_)}
#else
#define MUTEX_INIT(rank_, name_)                                                                   \
    {.wait_lock = SPINLOCK_INIT(RANK_MUTEX_WAIT, "mutex waiters"), .rank = (rank_)}
#endif

void mutex_lock_slow(struct mutex *mutex) PRESERVE_MOST;
void mutex_unlock_slow(struct mutex *mutex) PRESERVE_MOST;
#ifdef JX_DEBUG
void mutex_debug_lock(struct mutex *mutex, bool is_try);
void mutex_debug_unlock(struct mutex *mutex);
#endif

ALWAYS_INLINE void mutex_init(struct mutex *mutex, enum lock_rank rank, const char *name) {
    atomic_init(&mutex->owner, 0);
    spinlock_init(&mutex->wait_lock, RANK_MUTEX_WAIT, "mutex waiters");
    mutex->rank = (uint8_t)rank;
    mutex->waiters = NULL;
#ifdef JX_DEBUG
    mutex->name = name;
#else
    (void)name;
#endif
}
ALWAYS_INLINE void mutex_lock(struct mutex *mutex) ACQUIRE(*mutex) NO_LOCK_ANALYSIS {
    uintptr_t none = 0;
#ifdef JX_DEBUG
    mutex_debug_lock(mutex, false);
#endif
    if (unlikely(!atomic_compare_exchange_strong_explicit(
            &mutex->owner, &none, (uintptr_t)thread_current(), memory_order_acq_rel,
            memory_order_relaxed)))
        mutex_lock_slow(mutex);
}
ALWAYS_INLINE bool mutex_try_lock(struct mutex *mutex) TRY_ACQUIRE(true, *mutex) NO_LOCK_ANALYSIS {
    uintptr_t none = 0;
    bool got = atomic_compare_exchange_strong_explicit(&mutex->owner, &none,
                                                       (uintptr_t)thread_current(),
                                                       memory_order_acq_rel, memory_order_relaxed);
#ifdef JX_DEBUG
    if (got)
        mutex_debug_lock(mutex, true);
#endif
    return got;
}
ALWAYS_INLINE void mutex_unlock(struct mutex *mutex) RELEASE(*mutex) NO_LOCK_ANALYSIS {
    uintptr_t me = (uintptr_t)thread_current();
#ifdef JX_DEBUG
    mutex_debug_unlock(mutex);
#endif
    if (unlikely(!atomic_compare_exchange_strong_explicit(&mutex->owner, &me, 0,
                                                          memory_order_release,
                                                          memory_order_relaxed)))
        mutex_unlock_slow(mutex);
}
ALWAYS_INLINE bool mutex_is_mine(const struct mutex *mutex) {
    return (atomic_load_explicit(&mutex->owner, memory_order_relaxed) & ~(uintptr_t)1) ==
           (uintptr_t)thread_current();
}

ALWAYS_INLINE struct mutex *mutex_enter(struct mutex *mutex) NO_LOCK_ANALYSIS {
    mutex_lock(mutex);
    return mutex;
}
ALWAYS_INLINE void mutex_leave(struct mutex **mutex) NO_LOCK_ANALYSIS { mutex_unlock(*mutex); }
ALWAYS_INLINE void mutex_guarded(struct mutex *mutex) ASSERT_HELD(*mutex) { (void)mutex; }
/* For a lock reached by another name than the one it was taken by; checked in debug builds. */
ALWAYS_INLINE void mutex_assert_held(struct mutex *mutex) ASSERT_HELD(*mutex) {
    DEBUG_ASSERT(mutex_is_mine(mutex));
}
#define MUTEX_GUARD(l)                                                                             \
    __attribute__((cleanup(mutex_leave))) struct mutex *guard_ = mutex_enter(l);                   \
    (void)guard_;                                                                                  \
    mutex_guarded(l)
