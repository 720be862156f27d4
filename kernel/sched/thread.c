/*
 * thread.c - the life of a kernel thread, and the list of all of them for dumps.
 */
#include "sched/thread.h"

#include "arch/clock.h"
#include "arch/upcall.h"
#include "lib/log.h"
#include "sched/kill_point.h"
#include "sched/park.h"
#include "sched/sched.h"

kill_point_hook *kill_point_door;

static struct spinlock all_threads_lock = SPINLOCK_INIT(RANK_LEAF, "all threads");
static struct list all_threads = LIST_INIT(all_threads);

static void thread_list_add(struct thread *thread) {
    SPIN_GUARD(&all_threads_lock);
    list_add_tail(&all_threads, &thread->all_node);
}

static void thread_list_remove(struct thread *thread) {
    SPIN_GUARD(&all_threads_lock);
    list_remove(&thread->all_node);
}

void thread_init(struct thread *thread, const char *name, const struct thread_ops *ops,
                 void *stack_base, size_t stack_size, void (*entry)(void *), void *argument,
                 unsigned priority) {
    thread->name = name;
    thread->ops = ops;
    thread->priority = (uint8_t)priority;
    thread->own_priority = (uint8_t)priority;
    atomic_init(&thread->wanted_priority, (uint8_t)priority);
    atomic_init(&thread->affinity, UINT64_MAX);
    thread->stack_base = stack_base;
    atomic_init(&thread->state, THREAD_NEW);
    list_init(&thread->unref_queue);
    park_init_thread(thread);
    if (entry)
        arch_thread_init(&thread->arch, stack_base, stack_size, entry, argument);
    thread_list_add(thread);
}

void thread_abandon(struct thread *thread) {
    ASSERT(thread->state == THREAD_NEW || thread->state == THREAD_DEAD);
    if (list_node_is_linked(&thread->all_node))
        thread_list_remove(thread);
}

void thread_start(struct thread *thread) {
    ASSERT(thread->state == THREAD_NEW);
    irq_state_t state = irq_save();
    if (!thread->pinned)
        atomic_store_explicit(&thread->cpu, cpu_id(), memory_order_relaxed);
    sched_make_ready(thread, state);
}

void thread_start_pinned(struct thread *thread, unsigned cpu) {
    thread->pinned = true;
    atomic_store_explicit(&thread->cpu, cpu, memory_order_relaxed);
    thread_start(thread);
}

void thread_exit(void) {
    struct thread *thread = thread_current();
    ASSERT(!thread->unref_draining && list_is_empty(&thread->unref_queue));
    thread_list_remove(thread);
    (void)irq_save();
    atomic_store_explicit(&thread->state, THREAD_DEAD, memory_order_relaxed);
    sched_end();
    UNREACHABLE("a dead thread ran");
}

void upcall_return_to_user(void) {
    struct thread *thread = thread_current();
    thread->ops->return_to_user(thread);
}

nstime_t thread_runtime(const struct thread *thread) {
    uint64_t sum = atomic_load_explicit(&thread->runtime, memory_order_relaxed);
    if (atomic_load_explicit(&thread->state, memory_order_relaxed) == THREAD_RUNNING) {
        uint64_t begin = atomic_load_explicit(&thread->switched_at, memory_order_relaxed);
        int64_t turn = (int64_t)(cpu_ticks() - begin);
        sum += turn > 0 ? (uint64_t)turn : 0;
    }
    return clock_ticks_to_ns(sum);
}

/* The clocks of two CPUs may differ a little, so a short sum may be below nothing. */
static nstime_t time_in(const _Atomic uint64_t *ticks) {
    uint64_t sum = atomic_load_explicit(ticks, memory_order_relaxed);
    return (int64_t)sum > 0 ? clock_ticks_to_ns(sum) : 0;
}

void run_times_add(struct run_times *sum, const struct run_times *more) {
    sum->cpu += more->cpu;
    sum->queue += more->queue;
    sum->faults += more->faults;
    sum->locks += more->locks;
}

void run_times_add_thread(struct run_times *sum, const struct thread *thread) {
    const struct run_times times = {
        .cpu = thread_runtime(thread),
        .queue = time_in(&thread->queue_time),
        .faults = time_in(&thread->fault_time),
        .locks = time_in(&thread->lock_time),
    };
    run_times_add(sum, &times);
}

static const char *thread_state_name(unsigned state) {
    static const char *const names[] = {"new", "ready", "running", "parked", "dead"};
    return state < ARRAY_SIZE(names) ? names[state] : "?";
}

void thread_dump_all(void) {
    unsigned shown = 0;
    list_for_each(node, &all_threads) {
        struct thread *thread = list_entry(node, struct thread, all_node);
        log_error("thread %s pid %lu tid %lu: %s on cpu %u, blocked %u, pending %#x%s",
                  thread->name ? thread->name : "?", thread->pid, thread->tid,
                  thread_state_name(thread->state), thread->cpu, thread->block_reason,
                  thread->pending, thread == thread_current() ? " (this one)" : "");
        if (++shown == 64) {
            log_error("... and more threads");
            return;
        }
    }
}
