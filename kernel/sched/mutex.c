/*
 * mutex.c - the slow half of a mutex: waiting in order, and being handed it.
 *
 * Bit 0 of the owner word says that somebody waits, so the holder's fast unlock
 * fails and comes here. The first waiter becomes the owner before it is woken;
 * nobody can get in between, and no wake-up is wasted.
 */
#include "sched/mutex.h"

#include "arch/trace.h"
#include "sched/inherit.h"
#include "sched/park.h"

#define MUTEX_WAITERS ((uintptr_t)1)
/* So many of the oldest waiters lend the owner their priority; a hand-over costs as much. */
#define LENDERS 16

struct mutex_waiter {
    struct list_node node; /* next: younger; the list is not circular */
    struct parker parker;
    struct inherit_wait inherit;
};

/* Under wait_lock: get the free mutex, or make its owner come to unlock_slow. */
static bool mutex_try_or_mark_locked(struct mutex *mutex) REQUIRES(mutex->wait_lock) {
    uintptr_t owner = atomic_load_explicit(&mutex->owner, memory_order_relaxed);
    for (;;) {
        uintptr_t wanted = owner == 0 ? (uintptr_t)thread_current() : owner | MUTEX_WAITERS;
        if (atomic_compare_exchange_weak_explicit(&mutex->owner, &owner, wanted,
                                                  memory_order_acq_rel, memory_order_relaxed))
            return owner == 0;
    }
}

/* The owner does not leave before it has come to unlock_slow. */
static struct thread *mutex_owner_locked(struct mutex *mutex) REQUIRES(mutex->wait_lock) {
    uintptr_t owner = atomic_load_explicit(&mutex->owner, memory_order_acquire);
    return (struct thread *)(owner & ~MUTEX_WAITERS);
}

static void mutex_append_locked(struct mutex *mutex, struct mutex_waiter *waiter)
    REQUIRES(mutex->wait_lock) {
    struct list_node **end = &mutex->waiters;
    unsigned older = 0;
    for (; *end; end = &(*end)->next)
        older++;
    waiter->node.next = NULL;
    *end = &waiter->node;
    if (older < LENDERS)
        inherit_set_owner(&waiter->inherit, waiter->parker.thread, mutex_owner_locked(mutex));
}

void mutex_lock_slow(struct mutex *mutex) {
    struct mutex_waiter waiter = {.inherit = {.owner = NULL}};
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
    uint64_t begin = cpu_ticks();
    status_t status = thread_park(&waiter.parker, TIME_INFINITE, 0, BLOCK_OTHER);
    ASSERT(status == OK);
    counter_add(&waiter.parker.thread->lock_time, cpu_ticks() - begin);
    trace_event(KTRACE_GRP_LOCK, JX_TRACE_MUTEX, mutex->rank, begin);
}

/* The oldest that still wait lend their priorities to the new owner. */
static void mutex_lend_locked(struct mutex *mutex, struct thread *owner)
    REQUIRES(mutex->wait_lock) {
    struct list_node *node = mutex->waiters;
    for (unsigned i = 0; node && i < LENDERS; i++, node = node->next) {
        struct mutex_waiter *waiter = container_of(node, struct mutex_waiter, node);
        inherit_set_owner(&waiter->inherit, waiter->parker.thread, owner);
    }
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
    inherit_end(&first->inherit, first->parker.thread);
    mutex_lend_locked(mutex, first->parker.thread);
    return &first->parker;
}

/*
 * Waking comes last: the new owner may free the mutex with what it guards. Until then
 * nobody preempts: what the waiters have lent is given back already.
 */
void mutex_unlock_slow(struct mutex *mutex) {
    irq_state_t state = irq_save();
    struct parker *next = mutex_hand_over(mutex);
    thread_unpark(next, OK);
    irq_restore(state);
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
