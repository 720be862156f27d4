/*
 * sched.c - run queues, the switch, and the reaper of dead threads.
 *
 * Who may touch what: a run queue belongs to its lock (RANK_RUN); a queued thread's
 * run_node, cpu and switched_at to the lock of the queue of its `cpu`. The lock
 * is taken by the thread that leaves and dropped by the one that arrives
 * (sched_finish_switch), so nobody sees a queue in the middle of a switch.
 *
 * The heir of a CPU is the thread that it goes to when the running one blocks; so a
 * thread that wakes another and then blocks hands its CPU over without a queue between.
 * The invariants:
 *   1. A READY thread is on one list of one run queue, or the heir of one CPU (P15).
 *      Only its own CPU, with interrupts off, makes an heir where there is none; whoever
 *      exchanges `heir` for NULL has the thread for himself.
 *   2. An heir has the priority of the running thread, as that was when it was made, is
 *      not pinned, and its context is saved. So a thief may have it, and it can inherit
 *      without the lock: `running`, by which other CPUs decide whether to preempt, stays.
 *   3. It inherits only from a thread that blocks, and only without the lock if nothing
 *      is queued. Each other choice of the next thread begins by queueing the heir: in
 *      front if the running thread blocks, so that only higher priorities go before it;
 *      behind all others if it is preempted or yields, where its wake would have put it.
 *   4. An heir is not forgotten while the running thread goes on: its making asks for the
 *      end of the slice, and idle CPUs steal it. Slices go on through an inheritance, so
 *      two that hand the CPU to each other have one slice together.
 *   5. No CPU idles while a thread that is not pinned waits on the queue of another. A CPU
 *      says that it is idle before it looks for the last time; who leaves a thread on a
 *      queue looks for an idle CPU after that, and calls it. A thief that finds a queue
 *      locked looks again. (A new heir may wait for the end of the slice.)
 */
#include "sched/sched.h"

#include "arch/clock.h"
#include "arch/upcall.h"
#include "sched/park.h"
#include "sched/trace.h"

#define SLICE ((nstime_t)10000000) /* ns */

struct run_queue {
    struct spinlock lock; /* RANK_RUN */

    /* Changed under lock; without it, a hint. */
    _Atomic uint32_t bitmap;  /* which queues are not empty */
    _Atomic unsigned ready;   /* threads in them */
    _Atomic uint8_t running;  /* the priority of the running thread */
    struct list queues[PRIORITY_COUNT];

    struct thread *_Atomic heir; /* invariant 1 */

    /* Its own CPU's, with interrupts off. */
    struct thread *idle;
    struct thread *leaving;  /* between the two halves of a switch */
    bool leaving_with_lock;  /* the second half drops the lock */
    bool slice_ends;         /* a tick is asked for */
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

/* What only one CPU at a time changes and others may read. */
#define READ(field)         atomic_load_explicit(&(field), memory_order_relaxed)
#define WRITE(field, value) atomic_store_explicit(&(field), (value), memory_order_relaxed)

static struct thread *take_heir(struct run_queue *queue) {
    return atomic_exchange_explicit(&queue->heir, NULL, memory_order_acquire);
}

unsigned sched_ready_count(unsigned cpu) {
    return READ(run_queues[cpu].ready) + (READ(run_queues[cpu].heir) != NULL);
}

/* Here a thread gets the priority that was set meanwhile: it is on no other queue. */
static void enqueue_locked(struct run_queue *queue, struct thread *thread, bool in_front)
    REQUIRES(queue->lock) {
    thread->priority = READ(thread->wanted_priority);
    if (in_front)
        list_add_head(&queue->queues[thread->priority], &thread->run_node);
    else
        list_add_tail(&queue->queues[thread->priority], &thread->run_node);
    WRITE(queue->bitmap, READ(queue->bitmap) | 1u << thread->priority);
    WRITE(queue->ready, READ(queue->ready) + 1);
}

static void dequeue_locked(struct run_queue *queue, struct thread *thread)
    REQUIRES(queue->lock) {
    list_remove(&thread->run_node);
    if (list_is_empty(&queue->queues[thread->priority]))
        WRITE(queue->bitmap, READ(queue->bitmap) & ~(1u << thread->priority));
    WRITE(queue->ready, READ(queue->ready) - 1);
}

static struct thread *queue_best_locked(struct run_queue *queue) REQUIRES(queue->lock) {
    if (!READ(queue->bitmap))
        return NULL;
    unsigned priority = 31 - (unsigned)__builtin_clz(READ(queue->bitmap));
    return list_entry(list_first(&queue->queues[priority]), struct thread, run_node);
}

/* ---- Waking ---- */

static unsigned choose_cpu(const struct thread *thread) {
    unsigned last = atomic_load_explicit(&thread->cpu, memory_order_relaxed);
    if (thread->pinned)
        return last;
    uint64_t idle = atomic_load_explicit(&idle_cpus, memory_order_relaxed);
    uint64_t liked = idle & atomic_load_explicit(&thread->affinity, memory_order_relaxed);
    if (liked)
        idle = liked;
    if (idle & cpu_bit(last))
        return last;
    return idle ? (unsigned)__builtin_ctzll(idle) : cpu_id();
}

static NOINLINE void ask_for_slice_end(struct run_queue *queue) {
    queue->slice_ends = true;
    timer_request_tick(clock_now() + SLICE);
}

/* Another thread of the same priority waits now: the running one gets a slice's end. */
ALWAYS_INLINE void request_slice_end(struct run_queue *queue) {
    if (unlikely(!queue->slice_ends))
        ask_for_slice_end(queue);
}

ALWAYS_INLINE void set_ready(struct thread *thread, unsigned cpu) {
    WRITE(thread->cpu, cpu);
    WRITE(thread->state, THREAD_READY);
    WRITE(thread->switched_at, cpu_ticks());
}

/* Invariant 5, after a thread was left on a queue. */
static NOINLINE void call_idle_cpu(void) {
    atomic_thread_fence(memory_order_seq_cst);
    uint64_t idle = READ(idle_cpus);
    if (idle)
        cpu_send_resched((unsigned)__builtin_ctzll(idle));
}

static NOINLINE void make_ready_queued(struct thread *thread, irq_state_t state) {
    while (atomic_load_explicit(&thread->on_cpu, memory_order_acquire))
        cpu_poll_requests();
    unsigned cpu = choose_cpu(thread);
    struct run_queue *queue = &run_queues[cpu];
    spin_lock_irq_off(&queue->lock);
    set_ready(thread, cpu);
    enqueue_locked(queue, thread, false);
    /* Once the lock is dropped the thread may run, end and be freed. */
    unsigned priority = thread->priority, running = READ(queue->running);
    if (priority > running)
        atomic_fetch_and_explicit(&idle_cpus, ~cpu_bit(cpu), memory_order_relaxed);
    spin_unlock_irq_off(&queue->lock);

    bool here = cpu == cpu_id();
    /* Nobody can ask for the end of another CPU's slice, so there an equal one preempts. */
    if (priority > running || (priority == running && !here)) {
        cpu_get(cpu)->need_resched = true;
        if (!here || !cpu_this()->in_interrupt)
            cpu_send_resched(cpu);
    } else {
        if (priority == running)
            request_slice_end(queue);
        call_idle_cpu();
    }
    irq_restore(state);
}

/* May the thread wait for the running one to block? */
ALWAYS_INLINE bool can_be_heir(const struct cpu *cpu, const struct run_queue *queue,
                               const struct thread *thread) {
    return !READ(queue->heir) && READ(thread->wanted_priority) == READ(cpu->current->wanted_priority) &&
           !thread->pinned &&
           (READ(idle_cpus) == 0 || cpu->current->about_to_park) &&
           !atomic_load_explicit(&thread->on_cpu, memory_order_acquire);
}

ALWAYS_INLINE void make_heir(struct run_queue *queue, struct thread *thread, unsigned cpu) {
    set_ready(thread, cpu);
    /* From here on somebody else may have it. */
    atomic_store_explicit(&queue->heir, thread, memory_order_release);
    request_slice_end(queue);
}

/* What an interrupt wakes takes its turn. */
static NOINLINE void make_ready_specially(struct thread *thread, irq_state_t state) {
    struct cpu *cpu = cpu_this();
    if (cpu->traces_wakes)
        upcall_trace(JX_TRACE_WAKE, 0, thread->tid, 0);
    if (cpu->in_interrupt || !can_be_heir(cpu, cpu->run_queue, thread)) {
        make_ready_queued(thread, state);
        return;
    }
    make_heir(cpu->run_queue, thread, cpu->id);
    irq_restore(state);
}

void sched_make_ready(struct thread *thread, irq_state_t state) {
    struct cpu *cpu = cpu_this();
    struct run_queue *queue = cpu->run_queue;
    if (unlikely(cpu->wakes_specially || !can_be_heir(cpu, queue, thread))) {
        make_ready_specially(thread, state);
        return;
    }
    make_heir(queue, thread, cpu->id);
    irq_restore(state);
}

void sched_offer_heir(void) {
    irq_state_t state = irq_save();
    uint64_t idle = READ(idle_cpus);
    if (READ(cpu_this()->run_queue->heir) && idle)
        cpu_send_resched((unsigned)__builtin_ctzll(idle));
    irq_restore(state);
}

/* ---- Switching ---- */

static struct thread *steal_queued(struct run_queue *victim) NO_LOCK_ANALYSIS {
    if (READ(victim->ready) == 0)
        return NULL;
    if (!spin_try_lock_irq_off(&victim->lock)) { /* to wait for it could close a circle */
        cpu_this()->need_resched = true;
        return NULL;
    }
    struct thread *thread = queue_best_locked(victim);
    if (thread && thread->pinned)
        thread = NULL;
    if (thread)
        dequeue_locked(victim, thread);
    spin_unlock_irq_off(&victim->lock);
    return thread;
}

/* Take a thread from another CPU that has more than it can run. */
static struct thread *steal_for(unsigned me) {
    unsigned count = cpu_count();
    for (unsigned i = 1; i < count; i++) {
        struct run_queue *victim = &run_queues[(me + i) % count];
        struct thread *thread = steal_queued(victim);
        if (!thread && READ(victim->heir))
            thread = take_heir(victim);
        if (thread) {
            WRITE(thread->cpu, me);
            return thread;
        }
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
    atomic_fetch_or_explicit(&idle_cpus, cpu_bit(me), memory_order_seq_cst);
    next = steal_for(me);
    if (next)
        atomic_fetch_and_explicit(&idle_cpus, ~cpu_bit(me), memory_order_relaxed);
    return next ? next : queue->idle;
}

/* The clocks of two CPUs may differ a little, so a span may seem to be less than nothing. */
ALWAYS_INLINE void add_span(_Atomic uint64_t *sum, uint64_t from, uint64_t to) {
    int64_t span = (int64_t)(to - from);
    if (likely(span > 0))
        WRITE(*sum, READ(*sum) + (uint64_t)span);
}

/* The turn of `from` ends, that of `to` begins; nobody else writes these fields now. */
ALWAYS_INLINE void account_switch(struct cpu *cpu, struct thread *from, struct thread *to) {
    uint64_t now = cpu_ticks();
    add_span(&from->runtime, READ(from->switched_at), now);
    add_span(&to->queue_time, READ(to->switched_at), now);
    WRITE(from->switched_at, now);
    WRITE(to->switched_at, now);
    counter_bump(&cpu->counters.context_switches);
}

/* The idle thread counts for its CPU, and does not wait. */
static void account_idle(struct cpu *cpu, struct thread *from, struct thread *to) {
    uint64_t now = cpu_ticks(), idle = now - READ(from->switched_at);
    if (from == cpu->idle_thread && (int64_t)idle > 0)
        counter_add(&cpu->counters.idle_time, (uint64_t)clock_ticks_to_ns(idle));
    if (to == cpu->idle_thread)
        WRITE(to->switched_at, now);
}

static NOINLINE void hand_to_reaper(struct thread *dead) {
    spin_lock_irq_off(&reaper.lock);
    list_add_tail(&reaper.dead, &dead->run_node);
    bool wake = reaper.waiting;
    reaper.waiting = false;
    spin_unlock_irq_off(&reaper.lock);
    if (wake)
        thread_unpark(&reaper.parker, OK);
}

static NOINLINE void finish_switch_with_lock(struct run_queue *queue) NO_LOCK_ANALYSIS {
    struct thread *left = queue->leaving;
    bool dead = READ(left->state) == THREAD_DEAD;
    queue->leaving_with_lock = false;
    /* Before the unlock: who steals it from the queue says that it is on a CPU again. */
    atomic_store_explicit(&left->on_cpu, false, memory_order_release);
    spin_unlock_irq_off(&queue->lock);
    if (dead)
        hand_to_reaper(left);
}

ALWAYS_INLINE void sched_finish_switch(void) {
    struct run_queue *queue = cpu_this()->run_queue;
    if (unlikely(queue->leaving_with_lock))
        finish_switch_with_lock(queue);
    else
        atomic_store_explicit(&queue->leaving->on_cpu, false, memory_order_release);
}

void sched_first_run(void) {
    sched_finish_switch();
    WRITE(thread_current()->has_run, true);
    irq_enable();
}

/* Both halves of a switch. Returns when `from` runs again. */
ALWAYS_INLINE void switch_to(struct cpu *cpu, struct run_queue *queue, struct thread *from,
                             struct thread *to) {
    account_switch(cpu, from, to);
    WRITE(to->state, THREAD_RUNNING);
    WRITE(to->on_cpu, true);
    queue->leaving = from;
    cpu->current = to;
    arch_switch(&from->arch, &to->arch);
    sched_finish_switch();
}

/* Invariant 3: the heir and the running thread take their places in the queue. */
static void queue_contenders_locked(struct run_queue *queue, struct thread *from)
    REQUIRES(queue->lock) {
    bool goes_on = READ(from->state) == THREAD_RUNNING;
    struct thread *heir = take_heir(queue);
    if (heir)
        enqueue_locked(queue, heir, !goes_on);
    if (goes_on && from != queue->idle) {
        WRITE(from->state, THREAD_READY);
        enqueue_locked(queue, from, false);
    }
}

static void note_idle_locked(struct run_queue *queue, struct cpu *cpu, struct thread *from,
                             struct thread *to) REQUIRES(queue->lock) {
    account_idle(cpu, from, to);
    if (from == queue->idle)
        WRITE(from->state, THREAD_READY);
    if (to != queue->idle)
        atomic_fetch_and_explicit(&idle_cpus, ~cpu_bit(cpu->id), memory_order_relaxed);
}

/* Interrupts off. Returns when the calling thread runs again. */
static NOINLINE void reschedule(void) NO_LOCK_ANALYSIS {
    struct cpu *cpu = cpu_this();
    struct run_queue *queue = cpu->run_queue;
    struct thread *from = cpu->current;
    spin_lock_irq_off(&queue->lock);
    cpu->need_resched = false;
    counter_bump(&cpu->counters.reschedules);
    queue_contenders_locked(queue, from);
    struct thread *to = pick_next_locked(queue, cpu->id);
    to->priority = READ(to->wanted_priority); /* an heir that was stolen may not have it yet */
    WRITE(queue->running, to->priority);
    if (READ(queue->bitmap)) {
        if (READ(queue->bitmap) >> to->priority & 1)
            request_slice_end(queue);
        call_idle_cpu();
    }
    if (to == from) {
        WRITE(to->state, THREAD_RUNNING);
        spin_unlock_irq_off(&queue->lock);
        return;
    }
    if (from == queue->idle || to == queue->idle)
        note_idle_locked(queue, cpu, from, to);
    queue->leaving_with_lock = true;
    if (READ(cpu->traces_blocks))
        trace_switch(cpu, to);
    switch_to(cpu, queue, from, to);
}

/* It is not as simple as in sched_block. */
static NOINLINE void block_specially(void) {
    struct cpu *cpu = cpu_this();
    struct run_queue *queue = cpu->run_queue;
    bool may_inherit = !READ(queue->bitmap) && !READ(cpu->need_resched);
    struct thread *heir = may_inherit ? take_heir(queue) : NULL;
    if (!heir) {
        reschedule();
        return;
    }
    if (READ(cpu->traces_blocks))
        trace_switch(cpu, heir);
    counter_bump(&cpu->counters.reschedules);
    switch_to(cpu, queue, cpu->current, heir);
}

/*
 * If only the heir waits here, it inherits (invariant 2). Whoever queues a thread of a
 * higher priority meanwhile says so in need_resched, and interrupts: now or just after.
 */
void sched_block(void) {
    struct cpu *cpu = cpu_this();
    struct run_queue *queue = cpu->run_queue;
    struct thread *from = cpu->current, *heir;
    if (unlikely(READ(queue->bitmap) || READ(cpu->blocks_specially)) || !(heir = take_heir(queue))) {
        block_specially();
        return;
    }
    counter_bump(&cpu->counters.reschedules);
    switch_to(cpu, queue, from, heir);
}

void sched_end(void) { reschedule(); }

void sched_yield(void) {
    irq_state_t state = irq_save();
    counter_bump(&cpu_this()->counters.yields);
    reschedule();
    irq_restore(state);
}

void sched_tick(nstime_t now) {
    struct cpu *cpu = cpu_this();
    struct run_queue *queue = cpu->run_queue;
    queue->slice_ends = false;
    if (READ(queue->heir) || READ(queue->bitmap) >> READ(cpu->current->wanted_priority))
        cpu->need_resched = true;
}

void upcall_preempt(void) {
    counter_bump(&cpu_this()->counters.irq_preempts);
    reschedule();
}

/* ---- Priorities ---- */

/*
 * A thread that is queued here moves; one that runs here, or is the heir, adopts its new
 * priority when this CPU chooses anew. Must it do so?
 */
static bool adopt_priority_locked(struct run_queue *queue, unsigned cpu, struct thread *thread)
    REQUIRES(queue->lock) {
    uint8_t state = READ(thread->state);
    if (READ(thread->cpu) != cpu || (state != THREAD_READY && state != THREAD_RUNNING))
        return false;
    if (!list_node_is_linked(&thread->run_node))
        return true;
    dequeue_locked(queue, thread);
    enqueue_locked(queue, thread, false);
    return thread->priority > READ(queue->running);
}

/*
 * Every queue is looked at: whoever queues the thread meanwhile does so under a lock that
 * is taken here, and before it sees the old priority or afterwards the new one.
 */
void sched_set_priority(struct thread *thread, unsigned priority) {
    WRITE(thread->wanted_priority, (uint8_t)priority);
    for (unsigned cpu = 0; cpu < cpu_count(); cpu++) {
        struct run_queue *queue = &run_queues[cpu];
        irq_state_t state = spin_lock(&queue->lock);
        bool anew = adopt_priority_locked(queue, cpu, thread);
        spin_unlock(&queue->lock, state);
        if (anew) {
            cpu_get(cpu)->need_resched = true;
            cpu_send_resched(cpu);
        }
    }
}

void sched_set_affinity(struct thread *thread, uint64_t cpus) {
    WRITE(thread->affinity, cpus);
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
    WRITE(idle->cpu, cpu->id);
    WRITE(idle->state, THREAD_RUNNING);
    WRITE(idle->on_cpu, true);
    WRITE(idle->has_run, true);
    WRITE(idle->switched_at, cpu_ticks());
    WRITE(queue->running, PRIORITY_IDLE);
    queue->idle = idle;
    cpu->run_queue = queue;
    cpu->idle_thread = cpu->current = idle;
}

void sched_idle_loop(void) {
    unsigned me = cpu_id();
    for (;;) {
        (void)irq_save();
        reschedule();
        if (READ(run_queues[me].ready) == 0 && !cpu_this()->need_resched)
            cpu_idle();
        else
            cpu_relax(); /* whoever holds the queue that this one looked into needs time to go on */
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
