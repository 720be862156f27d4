/*
 * timer.c - one tree of deadlines for each CPU, and its one-shot interrupt.
 *
 * `armed` is the time for which the hardware is set. It is moved only to an
 * earlier time when something is added; when it comes too early (because what it
 * stood for was cancelled) the interrupt finds nothing due and arms again. So a
 * wait that is woken before its deadline costs no access to the hardware.
 */
#include "sched/timer.h"

#include "arch/clock.h"
#include "arch/upcall.h"
#include "sched/sched.h"

struct timer_queue {
    struct spinlock lock; /* RANK_TIMER */
    struct tree tree;     /* struct timer by deadline; under lock */

    /* Its own CPU's, with interrupts off; so a timer's function may ask for a tick. */
    nstime_t tick;        /* the scheduler's wish; TIME_INFINITE: none */
    nstime_t armed;       /* TIME_INFINITE: hardware is off */
    bool initialised;
};
static struct timer_queue timer_queues[MAX_CPUS];

/* Interrupts off: this CPU's own queue. */
static struct timer_queue *timer_queue_here(void) {
    struct timer_queue *queue = &timer_queues[cpu_id()];
    if (unlikely(!queue->initialised)) {
        spinlock_init(&queue->lock, RANK_TIMER, "timers");
        tree_init(&queue->tree);
        queue->tick = queue->armed = TIME_INFINITE;
        queue->initialised = true;
    }
    return queue;
}

static void timer_arm_earlier(struct timer_queue *queue, nstime_t deadline) {
    if (deadline >= queue->armed)
        return;
    queue->armed = deadline;
    clock_arm(deadline);
}

void timer_init(struct timer *timer, timer_function *function) {
    *timer = (struct timer){.function = function};
}

static void timer_insert_locked(struct timer_queue *queue, struct timer *timer, nstime_t deadline)
    REQUIRES(queue->lock) {
    DEBUG_ASSERT(!timer->armed);
    timer->cpu = cpu_id();
    timer->node.key = deadline > 0 ? (uint64_t)deadline : 0;
    tree_insert(&queue->tree, &timer->node);
    atomic_store_explicit(&timer->armed, true, memory_order_relaxed);
    timer_arm_earlier(queue, deadline > 0 ? deadline : 0);
}

void timer_set(struct timer *timer, nstime_t deadline) {
    irq_state_t state = irq_save();
    struct timer_queue *queue = timer_queue_here();
    spin_lock_irq_off(&queue->lock);
    timer_insert_locked(queue, timer, deadline);
    spin_unlock_irq_off(&queue->lock);
    irq_restore(state);
}

/* When a timer that may wait or hurry is due: with a neighbour, if there is one in time. */
static nstime_t choose_time_locked(const struct timer_queue *queue, nstime_t earliest,
                                   nstime_t deadline, nstime_t latest) REQUIRES(queue->lock) {
    const struct tree_node *before = tree_find_le(&queue->tree, (uint64_t)deadline);
    const struct tree_node *after = tree_find_ge(&queue->tree, (uint64_t)deadline);
    bool early = before && (nstime_t)before->key >= earliest;
    bool late = after && (nstime_t)after->key <= latest;

    if (early && late)
        early = deadline - (nstime_t)before->key <= (nstime_t)after->key - deadline;
    if (early)
        return (nstime_t)before->key;
    return late ? (nstime_t)after->key : deadline;
}

nstime_t timer_set_with_slack(struct timer *timer, nstime_t earliest, nstime_t deadline,
                              nstime_t latest) {
    irq_state_t state = irq_save();
    struct timer_queue *queue = timer_queue_here();
    spin_lock_irq_off(&queue->lock);
    nstime_t chosen = choose_time_locked(queue, earliest, deadline, latest);
    timer_insert_locked(queue, timer, chosen);
    spin_unlock_irq_off(&queue->lock);
    irq_restore(state);
    return chosen;
}

bool timer_cancel(struct timer *timer) {
    struct timer_queue *queue = &timer_queues[timer->cpu];
    if (!queue->initialised)
        return false;
    irq_state_t state = spin_lock(&queue->lock);
    bool was_armed = timer->armed;
    if (was_armed) {
        tree_remove(&queue->tree, &timer->node);
        atomic_store_explicit(&timer->armed, false, memory_order_relaxed);
    }
    spin_unlock(&queue->lock, state);
    return was_armed;
}

void timer_request_tick(nstime_t deadline) {
    struct timer_queue *queue = timer_queue_here();
    if (deadline < queue->tick) {
        queue->tick = deadline;
        timer_arm_earlier(queue, deadline);
    }
}

static void timer_fire_due_locked(struct timer_queue *queue, nstime_t now)
    REQUIRES(queue->lock) {
    for (struct tree_node *node = tree_first(&queue->tree);
         node && node->key <= (uint64_t)now; node = tree_first(&queue->tree)) {
        struct timer *timer = tree_entry(node, struct timer, node);
        tree_remove(&queue->tree, node);
        atomic_store_explicit(&timer->armed, false, memory_order_relaxed);
        counter_bump(&cpu_this()->counters.timers);
        timer->function(timer, now);
    }
}

void upcall_timer(void) {
    struct timer_queue *queue = timer_queue_here();
    counter_bump(&cpu_this()->counters.timer_ints);
    spin_lock_irq_off(&queue->lock);
    nstime_t now = clock_now();
    timer_fire_due_locked(queue, now);
    bool tick = queue->tick <= now;
    if (tick)
        queue->tick = TIME_INFINITE;
    struct tree_node *first = tree_first(&queue->tree);
    nstime_t next = first ? (nstime_t)first->key : TIME_INFINITE;
    queue->armed = MIN(next, queue->tick);
    if (queue->armed == TIME_INFINITE)
        clock_disarm();
    else
        clock_arm(queue->armed);
    spin_unlock_irq_off(&queue->lock);
    if (tick)
        sched_tick(now);
}
