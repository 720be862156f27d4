/*
 * deferred.c - a stack of work for each CPU, pushed from anywhere, taken whole.
 */
#include "object/deferred.h"

#include "arch/cpu.h"
#include "sched/park.h"
#include "vm/kernel_thread.h"

struct deferred_worker {
    _Atomic(struct deferred *) pushed; /* youngest first */
    struct parker parker;              /* set once, but for what wait_lock guards */
    _Atomic bool started;
};
static struct deferred_worker workers[MAX_CPUS];

bool deferred_queue(struct deferred *work) {
    struct deferred_worker *worker = &workers[cpu_id()];

    if (atomic_exchange_explicit(&work->queued, true, memory_order_acq_rel))
        return false;
    struct deferred *head = atomic_load_explicit(&worker->pushed, memory_order_relaxed);
    do {
        work->next = head;
    } while (!atomic_compare_exchange_weak(&worker->pushed, &head, work));
    if (atomic_load(&worker->started))
        thread_unpark(&worker->parker, OK);
    return true;
}

/* All that is queued, oldest first. */
static struct deferred *take_all(struct deferred_worker *worker) {
    struct deferred *stack = atomic_exchange(&worker->pushed, NULL), *oldest = NULL;

    while (stack) {
        struct deferred *next = stack->next;
        stack->next = oldest;
        oldest = stack;
        stack = next;
    }
    return oldest;
}

/* From here on a push ends the next park. */
static void forget_wakes(struct deferred_worker *worker) {
    SPIN_GUARD(&worker->parker.thread->wait_lock);

    worker->parker.done = false;
}

static void worker_main(void *argument) {
    struct deferred_worker *worker = argument;

    park_prepare(&worker->parker);
    atomic_store(&worker->started, true);
    for (;;) {
        forget_wakes(worker);
        struct deferred *work = take_all(worker);
        if (!work)
            (void)thread_park(&worker->parker, TIME_INFINITE, 0, BLOCK_OTHER);
        while (work) {
            struct deferred *next = work->next;
            atomic_store_explicit(&work->queued, false, memory_order_release);
            work->run(work);
            work = next;
        }
    }
}

status_t deferred_init(void) {
    for (unsigned cpu = 0; cpu < cpu_count(); cpu++) {
        struct thread *thread =
            kernel_thread_create("worker", worker_main, &workers[cpu], PRIORITY_KERNEL);
        if (!thread)
            return ERR_NO_MEMORY;
        thread_start_pinned(thread, cpu);
    }
    return OK;
}
