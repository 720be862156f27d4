/*
 * park.c - blocking and waking; see park.h for the protocol.
 */
#include "sched/park.h"

#include "arch/clock.h"
#include "sched/kill_point.h"
#include "sched/sched.h"
#include "sched/waitable.h"

/* Under wait_lock: is there a reason not to block at all? It becomes the park's status. */
static bool park_is_over_locked(struct thread *thread, struct parker *parker, nstime_t deadline,
                                unsigned flags) REQUIRES(thread->wait_lock) {
    uint32_t pending = atomic_load_explicit(&thread->pending, memory_order_relaxed);
    if (parker->done)
        thread->park_status = parker->status;
    else if (flags & pending & THREAD_PENDING_KILL)
        thread->park_status = ERR_INTERNAL_KILLED;
    else if (flags & pending & THREAD_PENDING_SUSPEND)
        thread->park_status = ERR_INTERNAL_RETRY;
    else if (deadline != TIME_INFINITE && deadline <= clock_now())
        thread->park_status = ERR_TIMED_OUT;
    else
        return false;
    return true;
}

ALWAYS_INLINE void park_begin(struct thread *thread, struct parker *parker, unsigned flags,
                              enum block_reason reason) RELEASE(thread->wait_lock) {
    thread->parked_on = parker;
    thread->ends_by = (uint8_t)flags;
    thread->about_to_park = false;
    atomic_store_explicit(&thread->block_reason, reason, memory_order_relaxed);
    atomic_store_explicit(&thread->state, THREAD_PARKED, memory_order_release);
    spin_unlock_irq_off(&thread->wait_lock);
}

/* The rest of a park that may have an end already, or has a deadline. */
static NOINLINE status_t park_with_care(struct parker *parker, nstime_t deadline, unsigned flags,
                                        enum block_reason reason) NO_LOCK_ANALYSIS {
    struct thread *thread = parker->thread;
    if (park_is_over_locked(thread, parker, deadline, flags)) {
        spin_unlock_irq_off(&thread->wait_lock);
        thread_not_about_to_park();
        irq_enable();
        return thread->park_status;
    }
    park_begin(thread, parker, flags, reason);
    if (deadline != TIME_INFINITE)
        timer_set(&thread->park_timer, deadline);
    sched_block();
    irq_enable();
    if (deadline != TIME_INFINITE)
        timer_cancel(&thread->park_timer);
    return thread->park_status;
}

ALWAYS_INLINE status_t park(struct parker *parker, nstime_t deadline, unsigned flags,
                            enum block_reason reason) NO_LOCK_ANALYSIS {
    struct thread *thread = thread_current();
    DEBUG_ASSERT(irqs_enabled() && parker->thread == thread);
    DEBUG_ASSERT(cpu_this()->spinlocks.count == 0);
    irq_disable();
    spin_lock_irq_off(&thread->wait_lock);
    if (unlikely(deadline != TIME_INFINITE || parker->done ||
                 atomic_load_explicit(&thread->pending, memory_order_relaxed) != 0))
        return park_with_care(parker, deadline, flags, reason);
    park_begin(thread, parker, flags, reason);
    sched_block();
    irq_enable();
    return thread_current()->park_status;
}

/* By reason; whoever is not killable holds locks, or has been given one. */
static const char *const park_points[] = {
    "park other",   "park exception", "park sleeping", "park futex",     "park port",
    "park channel", "park wait_one",  "park wait_many", "park interrupt", "park pager",
};
static const char *const wake_points[] = {
    "wake other",   "wake exception", "wake sleeping", "wake futex",     "wake port",
    "wake channel", "wake wait_one",  "wake wait_many", "wake interrupt", "wake pager",
};

status_t thread_park(struct parker *parker, nstime_t deadline, unsigned flags,
                     enum block_reason reason) {
    if (flags & PARK_KILLABLE)
        kill_point(park_points[reason], parker->thread);
    status_t status = park(parker, deadline, flags, reason);
    if (flags & PARK_KILLABLE)
        kill_point(wake_points[reason], parker->thread);
    return status;
}

void thread_not_about_to_park(void) {
    struct thread *thread = thread_current();
    if (likely(!thread->about_to_park))
        return;
    thread->about_to_park = false;
    sched_offer_heir();
}

/* Under wait_lock, which it drops: the park of `thread` ends with `status`. */
ALWAYS_INLINE void park_end(struct thread *thread, status_t status, irq_state_t state)
    RELEASE(thread->wait_lock) {
    thread->parked_on = NULL;
    thread->park_status = status;
    spin_unlock_irq_off(&thread->wait_lock);
    sched_make_ready(thread, state);
}

/* The token, for a park that is yet to come; unless somebody else was first. */
static void unpark_early_locked(struct parker *parker, status_t status)
    REQUIRES(parker->thread->wait_lock) {
    if (!parker->done) {
        parker->done = true;
        parker->status = status;
    }
}

void thread_unpark(struct parker *parker, status_t status) NO_LOCK_ANALYSIS {
    struct thread *thread = parker->thread;
    irq_state_t state = spin_lock(&thread->wait_lock);
    if (likely(thread->parked_on == parker)) { /* so nobody has unparked it yet */
        parker->done = true;
        parker->status = status;
        park_end(thread, status, state);
        return;
    }
    unpark_early_locked(parker, status);
    spin_unlock(&thread->wait_lock, state);
}

/* Interrupt context, under RANK_TIMER. */
static void park_timed_out(struct timer *timer, nstime_t now) {
    struct thread *thread = container_of(timer, struct thread, park_timer);
    irq_state_t off = spin_lock(&thread->wait_lock);
    if (thread->parked_on)
        park_end(thread, ERR_TIMED_OUT, off);
    else
        spin_unlock(&thread->wait_lock, off);
}

void thread_set_pending(struct thread *thread, uint32_t bits) {
    atomic_fetch_or(&thread->pending, bits);
    irq_state_t state = spin_lock(&thread->wait_lock);
    if (thread->parked_on && (thread->ends_by & bits)) {
        park_end(thread, bits & THREAD_PENDING_KILL ? ERR_INTERNAL_KILLED : ERR_INTERNAL_RETRY,
                 state);
        return;
    } else {
        spin_unlock_irq_off(&thread->wait_lock);
        /* If it runs user code elsewhere, an interrupt makes it pass the check on the way back. */
        unsigned cpu = atomic_load_explicit(&thread->cpu, memory_order_relaxed);
        if (thread->on_cpu && cpu != cpu_id())
            cpu_send_resched(cpu);
    }
    irq_restore(state);
}

void thread_clear_pending(struct thread *thread, uint32_t bits) {
    atomic_fetch_and(&thread->pending, ~bits);
}

bool thread_is_parked_on(struct thread *thread, const struct parker *parker) {
    SPIN_GUARD(&thread->wait_lock);

    return thread->parked_on == parker &&
           !atomic_load_explicit(&thread->on_cpu, memory_order_acquire);
}

bool thread_park_target(struct thread *thread, uint64_t *out_target, uint64_t *out_ticks) {
    SPIN_GUARD(&thread->wait_lock);

    if (!thread->parked_on)
        return false;
    int64_t since = (int64_t)(cpu_ticks() - atomic_load_explicit(&thread->switched_at,
                                                                 memory_order_relaxed));
    unsigned reason = atomic_load_explicit(&thread->block_reason, memory_order_relaxed);
    uint64_t target = thread->parked_on->target;
    bool is_object = reason == BLOCK_CHANNEL || reason == BLOCK_WAIT_ONE;
    *out_target = is_object ? ((const struct waitable *)target)->koid : target;
    *out_ticks = since > 0 ? (uint64_t)since : 0;
    return true;
}

void park_init_thread(struct thread *thread) {
    spinlock_init(&thread->wait_lock, RANK_WAIT, "thread");
    timer_init(&thread->park_timer, park_timed_out);
}

status_t thread_sleep_until(nstime_t deadline) {
    struct parker parker;
    park_prepare(&parker);
    status_t status = thread_park(&parker, deadline, PARK_KILLABLE, BLOCK_SLEEPING);
    return status == ERR_TIMED_OUT ? OK : status;
}
