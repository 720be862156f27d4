/*
 * thread.h - a kernel thread: what the scheduler switches between.
 *
 * sched allocates nothing: who creates a thread brings its memory, its stack and
 * (for user threads) its extended state, and gets them back by ops->reaped, which
 * runs on the reaper thread when the dead thread is off its stack for good.
 * User threads (object/user_thread.h) embed a struct thread; plain kernel threads
 * come from vm/kernel_thread.h.
 *
 * A thread blocks only in thread_park (park.h) and nowhere else.
 */
#pragma once

#include <stdatomic.h>

#include "arch/context.h"
#include "arch/spinlock.h"
#include "lib/list.h"
#include "sched/timer.h"

#define PRIORITY_COUNT   32
#define PRIORITY_IDLE    0
#define PRIORITY_DEFAULT 16
#define PRIORITY_KERNEL  28

enum thread_state {
    THREAD_NEW,
    THREAD_READY,   /* on a run queue, or the heir of one: sched.c */
    THREAD_RUNNING, /* on a CPU */
    THREAD_PARKED,
    THREAD_DEAD,
};

/* Bits of thread->pending, looked at before each return to user mode and in parks. */
enum thread_pending {
    THREAD_PENDING_KILL = 1,
    THREAD_PENDING_SUSPEND = 2,
    /*
     * Once the long way to user mode, which restores every register and makes an
     * interrupted call again. Comes with each suspension and outlives it: only the
     * thread itself clears it.
     */
    THREAD_PENDING_LONG_WAY = 4,
    THREAD_PENDING_STARTING = 8, /* its start is to be reported first */
    THREAD_PENDING_ARCH = ARCH_PENDING, /* arch's own; stays as long as arch likes */
};

/* Why a thread is blocked: ZX_THREAD_STATE_BLOCKED_* >> 8 (ZX-ABI.md section 1.10). */
enum block_reason {
    BLOCK_OTHER = 0,
    BLOCK_EXCEPTION,
    BLOCK_SLEEPING,
    BLOCK_FUTEX,
    BLOCK_PORT,
    BLOCK_CHANNEL,
    BLOCK_WAIT_ONE,
    BLOCK_WAIT_MANY,
    BLOCK_INTERRUPT,
    BLOCK_PAGER,
};

struct thread;
struct parker;
struct inherit_wait;
struct thread_ops {
    /* `pending` is not zero before a return to user mode; interrupts on; may not return. */
    void (*return_to_user)(struct thread *thread);
    /* The thread is dead and off its stack; on the reaper thread, which may sleep. */
    void (*reaped)(struct thread *thread);
};

struct thread {
    struct arch_thread arch;      /* first: entry.S knows */
    _Atomic uint32_t pending;     /* second: enum thread_pending; entry.S reads it */
    uint8_t priority;             /* as it is queued; follows wanted_priority */
    _Atomic uint8_t wanted_priority; /* inherit.c's */
    _Atomic uint64_t affinity;    /* CPUs where it had better be woken */
    bool pinned;                  /* stays on `cpu` */
    bool uses_reserve;            /* may take the last pages (pmm.h); set once, before it starts */
    const struct thread_ops *ops; /* set once; never NULL */
    const char *name;             /* set once; in the owner's memory */

    /* Under the lock of inherit.c. */
    uint8_t own_priority;
    bool lends_nothing;                /* whom it waits for inherits nothing */
    struct inherit_wait *inherit_wait; /* the last that it began, if that has an owner */
    _Atomic uint32_t lent_bitmap;      /* which of the following are not 0 */
    uint32_t lent[PRIORITY_COUNT];     /* how many waits for it lend each priority */

    uint64_t tid, pid;            /* koids for the log and dumps; 0: kernel */
    void *stack_base;             /* set once, by the creator */

    /* Under the run-queue lock of `cpu`, or of whoever has taken it out of there. */
    struct list_node run_node;
    _Atomic uint32_t cpu;         /* where it runs, or ran last */
    _Atomic uint64_t switched_at; /* ticks: start of its present turn, or of its wait in the queue */

    _Atomic uint8_t state;        /* enum thread_state */
    _Atomic bool on_cpu;          /* its context is not saved yet */
    _Atomic bool has_run;         /* last_cpu of THREAD_STATS means something */
    _Atomic uint64_t runtime;     /* ticks on a CPU, up to the last switch */
    _Atomic uint64_t queue_time;  /* ticks ready and waiting for a CPU */

    /* Written by the thread itself. */
    uint64_t fault_begin;         /* ticks: of the page fault that it is in */
    _Atomic uint64_t fault_time;  /* ticks in page faults, waits in them included */
    _Atomic uint64_t lock_time;   /* ticks waiting for mutexes */

    /* Under wait_lock (RANK_WAIT). */
    struct spinlock wait_lock;
    struct parker *parked_on;     /* NULL: not parked */
    uint8_t ends_by;              /* the bits of `pending` that end the park */
    status_t park_status;         /* what ends the park */
    _Atomic uint8_t block_reason;
    struct timer park_timer;

    /* Owned by the thread itself. */
    bool about_to_park;           /* see thread_about_to_park in park.h */
    struct list unref_queue;      /* objects to destroy: waitable.c */
    bool unref_draining;
    void *spare_message;          /* a user thread's: see message.h; who reaps it frees it */
    void *user;                   /* struct user_thread, or NULL; set once */
    void *aspace;                 /* struct aspace of a user thread, or NULL; set once */
    struct held_locks mutexes;    /* debug builds */

    struct list_node all_node;    /* on the list of all threads, for dumps */
};

/*
 * Prepare `thread`, which the caller has allocated and zeroed. It starts in
 * entry(argument) with interrupts on and must end in thread_exit().
 */
void thread_init(struct thread *thread, const char *name, const struct thread_ops *ops,
                 void *stack_base, size_t stack_size, void (*entry)(void *), void *argument,
                 unsigned priority);
/* Undo thread_init of a thread that never started. */
void thread_abandon(struct thread *thread);
/* Put a new thread on a run queue. */
void thread_start(struct thread *thread);
/* The same, on a CPU that it never leaves. */
void thread_start_pinned(struct thread *thread, unsigned cpu);
/* End the calling thread; the owner hears of it by ops->reaped. */
void thread_exit(void) NORETURN;
/*
 * Set bits of `pending` and make the thread notice: a killable park ends with
 * ERR_INTERNAL_KILLED or ERR_INTERNAL_RETRY, a running thread enters the kernel.
 */
void thread_set_pending(struct thread *thread, uint32_t bits);
void thread_clear_pending(struct thread *thread, uint32_t bits);
ALWAYS_INLINE bool thread_is_killed(const struct thread *thread) {
    return atomic_load_explicit(&thread->pending, memory_order_relaxed) & THREAD_PENDING_KILL;
}
/* ns that it has run, its present turn included. */
nstime_t thread_runtime(const struct thread *thread);
/* In ns: on a CPU, ready and waiting for one, in page faults, waiting for locks of the kernel. */
struct run_times {
    nstime_t cpu, queue, faults, locks;
};
void run_times_add(struct run_times *sum, const struct run_times *more);
void run_times_add_thread(struct run_times *sum, const struct thread *thread);
/* Log every thread with its state and stack. For panics and watchdogs: takes no lock. */
void thread_dump_all(void);
