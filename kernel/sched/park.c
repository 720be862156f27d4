/*
 * park.c - blocking and waking; see park.h for the protocol.
 */
#include "sched/park.h"

#include "arch/clock.h"
#include "sched/kill_point.h"
#include "sched/sched.h"

/* Under wait_lock: a reason not to block at all. */
static bool park_is_over_locked(struct thread *thread, struct parker *parker, nstime_t deadline,
                                unsigned flags, status_t *out_status)
    REQUIRES(thread->wait_lock) {
    uint32_t pending = atomic_load_explicit(&thread->pending, memory_order_relaxed);
    if (parker->done)
        *out_status = parker->status;
    else if (flags & pending & THREAD_PENDING_KILL)
        *out_status = ERR_INTERNAL_KILLED;
    else if (flags & pending & THREAD_PENDING_SUSPEND)
        *out_status = ERR_INTERNAL_RETRY;
    else if (deadline != TIME_INFINITE && deadline <= clock_now())
        *out_status = ERR_TIMED_OUT;
    else
        return false;
    return true;
}

static status_t park(struct parker *parker, nstime_t deadline, unsigned flags,
                     enum block_reason reason) {
    struct thread *thread = thread_current();
    DEBUG_ASSERT(irqs_enabled() && parker->thread == thread);
    DEBUG_ASSERT(cpu_this()->spinlocks.count == 0);
    status_t status;
    irq_state_t state = spin_lock(&thread->wait_lock);
    if (park_is_over_locked(thread, parker, deadline, flags, &status)) {
        spin_unlock(&thread->wait_lock, state);
        return status;
    }
    thread->parked_on = parker;
    thread->ends_by = (uint8_t)flags;
    atomic_store_explicit(&thread->block_reason, reason, memory_order_relaxed);
    atomic_store_explicit(&thread->state, THREAD_PARKED, memory_order_relaxed);
    spin_unlock_irq_off(&thread->wait_lock);
    if (deadline != TIME_INFINITE)
        timer_set(&thread->park_timer, deadline);
    sched_block();
    atomic_store_explicit(&thread->block_reason, BLOCK_OTHER, memory_order_relaxed);
    irq_restore(state);
    if (deadline != TIME_INFINITE)
        timer_cancel(&thread->park_timer);
    return thread->park_status;
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

/* Under wait_lock, which it drops: the park of `thread` ends with `status`. */
static void park_end(struct thread *thread, status_t status) RELEASE(thread->wait_lock) {
    thread->parked_on = NULL;
    thread->park_status = status;
    spin_unlock_irq_off(&thread->wait_lock);
    sched_make_ready(thread);
}

void thread_unpark(struct parker *parker, status_t status) {
    struct thread *thread = parker->thread;
    irq_state_t state = spin_lock(&thread->wait_lock);
    if (!parker->done) {
        parker->done = true;
        parker->status = status;
    }
    if (thread->parked_on == parker)
        park_end(thread, parker->status);
    else
        spin_unlock_irq_off(&thread->wait_lock);
    irq_restore(state);
}

/* Interrupt context, under RANK_TIMER. */
static void park_timed_out(struct timer *timer, nstime_t now) {
    struct thread *thread = container_of(timer, struct thread, park_timer);
    spin_lock_irq_off(&thread->wait_lock);
    if (thread->parked_on)
        park_end(thread, ERR_TIMED_OUT);
    else
        spin_unlock_irq_off(&thread->wait_lock);
}

void thread_set_pending(struct thread *thread, uint32_t bits) {
    atomic_fetch_or(&thread->pending, bits);
    irq_state_t state = spin_lock(&thread->wait_lock);
    if (thread->parked_on && (thread->ends_by & bits)) {
        park_end(thread,
                 bits & THREAD_PENDING_KILL ? ERR_INTERNAL_KILLED : ERR_INTERNAL_RETRY);
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
