/*
 * inherit.c - priority inheritance; see inherit.h.
 *
 * An owner counts by priority what it is lent, so it need not know its waiters. A wait
 * remembers what it lent, and gives just that back; so a chain that was followed only
 * in part, or a change that is not passed on, never leaves a wrong count behind.
 *
 * Threads that wait for each other in a circle keep each other's priority for as long as
 * the circle lasts. They do not run, so nobody suffers.
 */
#include "sched/inherit.h"

#include "sched/sched.h"

static struct spinlock inherit_lock = SPINLOCK_INIT(RANK_INHERIT, "inherit");

static uint32_t lent_to(const struct thread *owner) {
    return atomic_load_explicit(&owner->lent_bitmap, memory_order_relaxed);
}

static void count_lent_locked(struct thread *owner, unsigned priority) REQUIRES(inherit_lock) {
    owner->lent[priority]++;
    atomic_store_explicit(&owner->lent_bitmap, lent_to(owner) | 1u << priority,
                          memory_order_relaxed);
}

static void uncount_lent_locked(struct thread *owner, unsigned priority) REQUIRES(inherit_lock) {
    if (--owner->lent[priority] == 0)
        atomic_store_explicit(&owner->lent_bitmap, lent_to(owner) & ~(1u << priority),
                              memory_order_relaxed);
}

static unsigned present_priority(struct thread *thread) {
    return atomic_load_explicit(&thread->wanted_priority, memory_order_relaxed);
}

/* What the thread lends; the idle priority is that of nobody who runs. */
static uint8_t to_lend_locked(struct thread *thread) REQUIRES(inherit_lock) {
    return thread->lends_nothing ? PRIORITY_IDLE : (uint8_t)present_priority(thread);
}

static void lend_locked(struct inherit_wait *wait, struct thread *thread) REQUIRES(inherit_lock) {
    wait->lent = to_lend_locked(thread);
    count_lent_locked(wait->owner, wait->lent);
}

/* The highest of its own priority and those that it is lent. */
static void adjust_locked(struct thread *thread) REQUIRES(inherit_lock) {
    unsigned priority = thread->own_priority;
    if (lent_to(thread))
        priority = MAX(priority, 31 - (unsigned)__builtin_clz(lent_to(thread)));
    if (priority != present_priority(thread))
        sched_set_priority(thread, priority);
}

/* What `thread` is lent, or has of its own, has changed: so may what it lends. */
static void pass_on_locked(struct thread *thread) REQUIRES(inherit_lock) {
    for (unsigned depth = 0; depth < INHERIT_DEPTH; depth++) {
        adjust_locked(thread);
        struct inherit_wait *wait = thread->inherit_wait;
        if (!wait || wait->lent == to_lend_locked(thread))
            return;
        uncount_lent_locked(wait->owner, wait->lent);
        lend_locked(wait, thread);
        thread = wait->owner;
    }
}

/* A thread may stand in the queue of a mutex while a futex has not let go of it yet. */
static void leave_owner_locked(struct inherit_wait *wait, struct thread *thread)
    REQUIRES(inherit_lock) {
    struct thread *owner = wait->owner;
    wait->owner = NULL;
    if (thread->inherit_wait == wait)
        thread->inherit_wait = NULL;
    uncount_lent_locked(owner, wait->lent);
    pass_on_locked(owner);
}

void inherit_set_owner(struct inherit_wait *wait, struct thread *thread, struct thread *owner) {
    if (wait->owner == owner)
        return;
    SPIN_GUARD(&inherit_lock);
    if (wait->owner)
        leave_owner_locked(wait, thread);
    if (!owner)
        return;
    wait->owner = owner;
    thread->inherit_wait = wait;
    lend_locked(wait, thread);
    pass_on_locked(owner);
}

void inherit_hold(struct inherit_wait *hold) {
    struct thread *thread = thread_current();
    if (likely(lent_to(thread) == 0))
        return;
    SPIN_GUARD(&inherit_lock);
    hold->owner = thread;
    hold->lent = (uint8_t)present_priority(thread);
    count_lent_locked(thread, hold->lent);
}

void thread_set_priority(struct thread *thread, unsigned priority, bool lends) {
    SPIN_GUARD(&inherit_lock);
    thread->own_priority = (uint8_t)priority;
    thread->lends_nothing = !lends;
    pass_on_locked(thread);
}
