/*
 * lock_rank.h - the order in which locks may be taken, checked at run time.
 *
 * Take locks downward in this list only (to a larger rank); equal ranks never
 * nest, except by try-lock. Every lock is given its rank when it is initialised.
 * Debug builds record the held locks (mutexes in the thread, spinlocks in the
 * CPU) and panic at the first acquisition in the wrong order, naming both locks,
 * so no deadlock is needed to find it.
 */
#pragma once

#include <stdatomic.h>

#include "lib/types.h"

enum lock_rank {
    RANK_NONE = 0,
    /* Mutexes: their holder may sleep, so no interrupt handler takes one. */
    RANK_AUDIT = 5,    /* one audit at a time; held while it looks at all the rest */
    RANK_TRACE,        /* who traces; held while buffers come and go */
    RANK_TASKS = 10,   /* the whole tree of jobs, processes and threads */
    RANK_PROCESS,      /* one process: its threads and state */
    RANK_THREAD,       /* one user thread's life */
    RANK_HANDLE_TABLE = 20,
    RANK_FAMILY = 25,  /* who is whose clone; may signal */
    RANK_OBJECT = 30,  /* an object's state, signals and waiters */
    RANK_PORT,         /* receives the packet of a signalling object */
    RANK_FUTEX,        /* one per process */
    RANK_STREAM,       /* where a stream reads and writes next */
    RANK_CONTENT,      /* how much of a memory object is content */
    RANK_ASPACE = 40,  /* region tree */
    RANK_VMO = 50,     /* one per memory object; two are never held at once, but see the next */
    RANK_VMO_LENDER,   /* of a VMO with a pager: a lazy clone's comes first */
    RANK_SOURCE,       /* what is asked of a pager */
    RANK_RECLAIM,      /* which VMOs may be discarded */
    RANK_MMU = 60,     /* one page table */
    RANK_KVA,          /* kernel address ranges */
    /* Spinlocks, held with interrupts off. */
    RANK_REGISTRY = 64, /* the lists of all objects */
    RANK_HEAP = 65,    /* slabs */
    RANK_PMM = 70,     /* free pages */
    RANK_VECTOR = 74,  /* who owns which vector; held while the owner is told */
    RANK_IRQ = 75,     /* interrupt objects, a port's interrupt packets */
    RANK_TIMER,        /* deadlines; held while an expired timer's function runs */
    RANK_MUTEX_WAIT,   /* a mutex's waiters; wakes them */
    RANK_INHERIT,      /* who lends whom his priority */
    RANK_WAIT,         /* parked threads */
    RANK_RUN,          /* a run queue; a second one by try-lock only */
    RANK_LEAF = 90,    /* arch: shootdown, first and last words */
};

#define LOCK_RANKS 96 /* above the largest */
/* "vmo", "pmm"; "?" for a number that is no rank. */
const char *lock_rank_name(enum lock_rank rank);

/*
 * How often locks were taken, by rank; each CPU counts for itself. Contended: whoever
 * came had to wait, which the slow path of a lock counts in every build. Acquired:
 * all, which costs something, so only debug builds count it.
 */
struct lock_counters {
    _Atomic uint64_t contended[LOCK_RANKS];
#ifdef JX_DEBUG
    _Atomic uint64_t acquired[LOCK_RANKS];
#endif
};
void lock_count_contended(enum lock_rank rank);
struct lock_count {
    uint64_t contended, acquired; /* acquired: 0 in release builds */
};
/* Over all CPUs; RANK_NONE: over all ranks. */
struct lock_count lock_count(enum lock_rank rank);
/*
 * Log a line (of LOG_DEBUG) for each rank that was ever counted, and one for all together:
 * "locks: NAME contended N acquired N"; release builds leave the second number out.
 */
void lock_counts_log(void);

struct held_lock {
    const void *lock;
    const char *name;
    enum lock_rank rank;
};
#define HELD_LOCKS_MAX 12
struct held_locks {
    unsigned count;
    struct held_lock entries[HELD_LOCKS_MAX];
};

/*
 * Record an acquisition. `nested` says whether equal or lower ranks are an error
 * (try-locks are exempt). Used by spinlock.h and sched/mutex.c in debug builds.
 */
void held_locks_push(struct held_locks *held, const void *lock, const char *name,
                     enum lock_rank rank, bool is_try);
void held_locks_pop(struct held_locks *held, const void *lock);
/* Test hook: report instead of panic; returns the previous hook. */
typedef void lock_rank_reporter(const struct held_lock *holding, const struct held_lock *taking);
lock_rank_reporter *lock_rank_set_reporter(lock_rank_reporter *reporter);
/* Test hook: called while the lock that is about to be released is still held. */
typedef void lock_release_hook(const struct held_lock *lock);
void lock_rank_set_release_hook(lock_release_hook *hook);
/* Log the locks that this CPU and thread hold. */
void held_locks_dump(const struct held_locks *held);
