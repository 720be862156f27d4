/*
 * sched.c - run queues, the switch, and the reaper of dead threads.
 *
 * Who may touch what: a run queue belongs to its lock (RANK_RUN); a thread's
 * run_node, cpu and switched_at to the lock of the queue of its `cpu`. The lock
 * is taken by the thread that leaves and dropped by the one that arrives
 * (sched_finish_switch), so nobody sees a queue in the middle of a switch.
 */
#include "sched/sched.h"

#include "arch/clock.h"
#include "arch/upcall.h"
#include "sched/park.h"

#define SLICE ((nstime_t)10000000) /* ns */

struct run_queue {
    struct spinlock lock; /* RANK_RUN */
    uint32_t bitmap;      /* which queues are not empty */
    _Atomic unsigned ready; /* read by others without the lock, as a hint */
    struct list queues[PRIORITY_COUNT];
    struct thread *current, *idle;
    struct thread *leaving; /* between the two halves of a switch */
};
static struct run_queue run_queues[MAX_CPUS];
static _Atomic uint64_t idle_cpus; /* a hint: CPUs that run their idle thread */

static struct {
    struct spinlock lock; /* RANK_TIMER */
    struct list dead;     /* struct thread by run_node */
    struct thread *thread;
    struct parker parker;
    bool waiting;
} reaper = {.lock = SPINLOCK_INIT(RANK_TIMER, "reaper"), .dead = LIST_INIT(reaper.dead)};

unsigned sched_ready_count(unsigned cpu) { return run_queues[cpu].ready; }

static void enqueue_locked(struct run_queue *queue, struct thread *thread)
    REQUIRES(queue->lock) {
    list_add_tail(&queue->queues[thread->priority], &thread->run_node);
    queue->bitmap |= 1u << thread->priority;
    queue->ready++;
}

static void dequeue_locked(struct run_queue *queue, struct thread *thread)
    REQUIRES(queue->lock) {
    list_remove(&thread->run_node);
    if (list_is_empty(&queue->queues[thread->priority]))
        queue->bitmap &= ~(1u << thread->priority);
    queue->ready--;
}

static struct thread *queue_best_locked(struct run_queue *queue) REQUIRES(queue->lock) {
    if (!queue->bitmap)
        return NULL;
    unsigned priority = 31 - (unsigned)__builtin_clz(queue->bitmap);
    return list_entry(list_first(&queue->queues[priority]), struct thread, run_node);
}

/* ---- Waking ---- */

static unsigned choose_cpu(const struct thread *thread) {
    unsigned last = atomic_load_explicit(&thread->cpu, memory_order_relaxed);
    if (thread->pinned)
        return last;
    uint64_t idle = atomic_load_explicit(&idle_cpus, memory_order_relaxed);
    if (idle & cpu_bit(last))
        return last;
    return idle ? (unsigned)__builtin_ctzll(idle) : cpu_id();
}

/* Another thread of the same priority waits now: the running one gets a slice's end. */
static void request_slice_end(nstime_t now) { timer_request_tick(now + SLICE); }

void sched_make_ready(struct thread *thread) {
    while (atomic_load_explicit(&thread->on_cpu, memory_order_acquire))
        cpu_poll_requests();
    unsigned cpu = choose_cpu(thread);
    struct run_queue *queue = &run_queues[cpu];
    nstime_t now = clock_now();
    spin_lock_irq_off(&queue->lock);
    atomic_store_explicit(&thread->cpu, cpu, memory_order_relaxed);
    atomic_store_explicit(&thread->state, THREAD_READY, memory_order_relaxed);
    thread->switched_at = now;
    enqueue_locked(queue, thread);
    /* Once the lock is dropped the thread may run, end and be freed. */
    unsigned priority = thread->priority, running = queue->current->priority;
    if (priority > running)
        atomic_fetch_and_explicit(&idle_cpus, ~cpu_bit(cpu), memory_order_relaxed);
    spin_unlock_irq_off(&queue->lock);

    bool here = cpu == cpu_id();
    if (priority > running) {
        cpu_get(cpu)->need_resched = true;
        if (!here || !cpu_this()->in_interrupt)
            cpu_send_resched(cpu);
    } else if (here && priority == running) {
        request_slice_end(now);
    } else if (!here) {
        cpu_send_resched(cpu);
    }
}

/* ---- Switching ---- */

/* Take a thread from another CPU that has more than it can run. */
static struct thread *steal_for(unsigned me) NO_LOCK_ANALYSIS {
    unsigned count = cpu_count();
    for (unsigned i = 1; i < count; i++) {
        struct run_queue *victim = &run_queues[(me + i) % count];
        if (victim->ready == 0 || !spin_try_lock_irq_off(&victim->lock))
            continue;
        struct thread *thread = queue_best_locked(victim);
        if (thread && thread->pinned)
            thread = NULL;
        if (thread) {
            dequeue_locked(victim, thread);
            atomic_store_explicit(&thread->cpu, me, memory_order_relaxed);
        }
        spin_unlock_irq_off(&victim->lock);
        if (thread)
            return thread;
    }
    return NULL;
}

static struct thread *pick_next_locked(struct run_queue *queue, unsigned me)
    REQUIRES(queue->lock) {
    struct thread *next = queue_best_locked(queue);
    if (next) {
        dequeue_locked(queue, next);
        return next;
    }
    next = steal_for(me);
    return next ? next : queue->idle;
}

static void account_switch(struct thread *from, struct thread *to, nstime_t now) {
    struct cpu *cpu = cpu_this();
    nstime_t ran = now - from->switched_at;
    if (ran > 0) {
        atomic_fetch_add_explicit(&from->runtime, ran, memory_order_relaxed);
        if (from == cpu->idle_thread)
            cpu->counters.idle_time += ran;
    }
    if (to != cpu->idle_thread) {
        nstime_t waited = now - to->switched_at;
        if (waited > 0)
            atomic_fetch_add_explicit(&to->queue_time, waited, memory_order_relaxed);
    }
    from->switched_at = to->switched_at = now;
    cpu->counters.context_switches++;
}

static void sched_finish_switch(void) NO_LOCK_ANALYSIS {
    struct run_queue *queue = &run_queues[cpu_id()];
    struct thread *left = queue->leaving;
    bool dead = atomic_load_explicit(&left->state, memory_order_relaxed) == THREAD_DEAD;
    /* Before the unlock: who steals it from the queue says that it is on a CPU again. */
    atomic_store_explicit(&left->on_cpu, false, memory_order_release);
    spin_unlock_irq_off(&queue->lock);
    if (!dead)
        return;
    spin_lock_irq_off(&reaper.lock);
    list_add_tail(&reaper.dead, &left->run_node);
    bool wake = reaper.waiting;
    reaper.waiting = false;
    spin_unlock_irq_off(&reaper.lock);
    if (wake)
        thread_unpark(&reaper.parker, OK);
}

void sched_first_run(void) {
    sched_finish_switch();
    irq_enable();
}

/* Interrupts off. Returns when the calling thread runs again. */
static void reschedule(void) NO_LOCK_ANALYSIS {
    struct cpu *cpu = cpu_this();
    struct run_queue *queue = &run_queues[cpu->id];
    struct thread *from = cpu->current;
    nstime_t now = clock_now();
    spin_lock_irq_off(&queue->lock);
    cpu->need_resched = false;
    cpu->counters.reschedules++;
    if (atomic_load_explicit(&from->state, memory_order_relaxed) == THREAD_RUNNING &&
        from != queue->idle) {
        atomic_store_explicit(&from->state, THREAD_READY, memory_order_relaxed);
        enqueue_locked(queue, from);
    }
    struct thread *to = pick_next_locked(queue, cpu->id);
    atomic_store_explicit(&to->state, THREAD_RUNNING, memory_order_relaxed);
    bool contended = queue->bitmap >> to->priority & 1;
    if (to == from) {
        spin_unlock_irq_off(&queue->lock);
    } else {
        account_switch(from, to, now);
        if (from == queue->idle)
            atomic_store_explicit(&from->state, THREAD_READY, memory_order_relaxed);
        if (to == queue->idle)
            atomic_fetch_or_explicit(&idle_cpus, cpu_bit(cpu->id), memory_order_relaxed);
        else if (from == queue->idle)
            atomic_fetch_and_explicit(&idle_cpus, ~cpu_bit(cpu->id), memory_order_relaxed);
        queue->current = to;
        queue->leaving = from;
        cpu->current = to;
        atomic_store_explicit(&to->on_cpu, true, memory_order_relaxed);
        atomic_store_explicit(&to->has_run, true, memory_order_relaxed);
    }
    if (contended)
        request_slice_end(now);
    if (to == from)
        return;
    arch_switch(&from->arch, &to->arch);
    sched_finish_switch();
}

void sched_block(void) { reschedule(); }

void sched_yield(void) {
    irq_state_t state = irq_save();
    cpu_this()->counters.yields++;
    reschedule();
    irq_restore(state);
}

void sched_tick(nstime_t now) {
    struct run_queue *queue = &run_queues[cpu_id()];
    SPIN_GUARD(&queue->lock);
    if (queue->bitmap >> queue->current->priority)
        cpu_this()->need_resched = true;
}

void upcall_preempt(void) {
    cpu_this()->counters.irq_preempts++;
    reschedule();
}

/* ---- Idle threads and the reaper ---- */

static void idle_never_returns(struct thread *thread) { UNREACHABLE("idle thread in user mode"); }
static const struct thread_ops idle_ops = {idle_never_returns, idle_never_returns};

void sched_init_cpu(struct thread *idle) {
    struct cpu *cpu = cpu_this();
    struct run_queue *queue = &run_queues[cpu->id];
    spinlock_init(&queue->lock, RANK_RUN, "run queue");
    for (unsigned i = 0; i < PRIORITY_COUNT; i++)
        list_init(&queue->queues[i]);
    thread_init(idle, "idle", &idle_ops, NULL, 0, NULL, NULL, PRIORITY_IDLE);
    idle->pinned = true;
    atomic_store_explicit(&idle->cpu, cpu->id, memory_order_relaxed);
    atomic_store_explicit(&idle->state, THREAD_RUNNING, memory_order_relaxed);
    atomic_store_explicit(&idle->on_cpu, true, memory_order_relaxed);
    idle->switched_at = clock_now();
    queue->current = queue->idle = idle;
    cpu->idle_thread = cpu->current = idle;
}

void sched_idle_loop(void) {
    unsigned me = cpu_id();
    for (;;) {
        (void)irq_save();
        atomic_fetch_or_explicit(&idle_cpus, cpu_bit(me), memory_order_relaxed);
        reschedule();
        if (run_queues[me].ready == 0 && !cpu_this()->need_resched)
            cpu_idle();
        irq_enable();
    }
}

static struct thread *reaper_next(void) {
    SPIN_GUARD(&reaper.lock);
    struct thread *dead = list_pop_entry(&reaper.dead, struct thread, run_node);
    if (!dead) {
        park_prepare(&reaper.parker);
        reaper.waiting = true;
    }
    return dead;
}

void sched_reaper_main(void *unused) {
    for (;;) {
        struct thread *dead = reaper_next();
        if (dead)
            dead->ops->reaped(dead);
        else
            (void)thread_park(&reaper.parker, TIME_INFINITE, 0, BLOCK_OTHER);
    }
}

void sched_start_reaper(struct thread *thread) {
    reaper.thread = thread;
    thread_start(thread);
}
