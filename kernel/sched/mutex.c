/*
 * mutex.c - the slow half of a mutex: waiting in order, and being handed it.
 *
 * Bit 0 of the owner word says that somebody waits, so the holder's fast unlock
 * fails and comes here. The first waiter becomes the owner before it is woken;
 * nobody can get in between, and no wake-up is wasted.
 */
#include "sched/mutex.h"

#include "sched/park.h"

#define MUTEX_WAITERS ((uintptr_t)1)

struct mutex_waiter {
    struct list_node node; /* next: younger; the list is not circular */
    struct parker parker;
};

/* Under wait_lock: get the free mutex, or make its owner come to unlock_slow. */
static bool mutex_try_or_mark_locked(struct mutex *mutex) REQUIRES(mutex->wait_lock) {
    uintptr_t owner = atomic_load_explicit(&mutex->owner, memory_order_relaxed);
    for (;;) {
        uintptr_t wanted = owner == 0 ? (uintptr_t)thread_current() : owner | MUTEX_WAITERS;
        if (atomic_compare_exchange_weak_explicit(&mutex->owner, &owner, wanted,
                                                  memory_order_acquire, memory_order_relaxed))
            return owner == 0;
    }
}

static void mutex_append_locked(struct mutex *mutex, struct mutex_waiter *waiter)
    REQUIRES(mutex->wait_lock) {
    struct list_node **end = &mutex->waiters;
    while (*end)
        end = &(*end)->next;
    waiter->node.next = NULL;
    *end = &waiter->node;
}

void mutex_lock_slow(struct mutex *mutex) {
    struct mutex_waiter waiter;
    ASSERT(!mutex_is_mine(mutex));
    irq_state_t state = spin_lock(&mutex->wait_lock);
    if (mutex_try_or_mark_locked(mutex)) {
        spin_unlock(&mutex->wait_lock, state);
        return;
    }
    lock_count_contended(mutex->rank);
    park_prepare(&waiter.parker);
    mutex_append_locked(mutex, &waiter);
    spin_unlock(&mutex->wait_lock, state);
    status_t status = thread_park(&waiter.parker, TIME_INFINITE, 0, BLOCK_OTHER);
    ASSERT(status == OK);
}

/* The oldest waiter owns the mutex from here on, though it still sleeps. */
static struct parker *mutex_hand_over(struct mutex *mutex) {
    SPIN_GUARD(&mutex->wait_lock);
    ASSERT(mutex_is_mine(mutex) && mutex->waiters);
    struct mutex_waiter *first = container_of(mutex->waiters, struct mutex_waiter, node);
    mutex->waiters = first->node.next;
    atomic_store_explicit(&mutex->owner,
                          (uintptr_t)first->parker.thread | (mutex->waiters ? MUTEX_WAITERS : 0),
                          memory_order_release);
    return &first->parker;
}

/* Waking comes last: the new owner may free the mutex with what it guards. */
void mutex_unlock_slow(struct mutex *mutex) {
    struct parker *next = mutex_hand_over(mutex);
    thread_unpark(next, OK);
}

#ifdef JX_DEBUG
void mutex_debug_lock(struct mutex *mutex, bool is_try) {
    struct thread *thread = thread_current();
    if (!is_try) {
        DEBUG_ASSERT(cpu_this()->spinlocks.count == 0);
        DEBUG_ASSERT(!cpu_this()->in_interrupt);
    }
    held_locks_push(&thread->mutexes, mutex, mutex->name, mutex->rank, is_try);
}
void mutex_debug_unlock(struct mutex *mutex) {
    ASSERT(mutex_is_mine(mutex));
    held_locks_pop(&thread_current()->mutexes, mutex);
}
#endif
