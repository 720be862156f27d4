/*
 * memory_pressure.c - events about free memory, getting some back before it is needed,
 * and ending a job when there is none.
 */
#include "object/memory_pressure.h"

#include <zircon/syscalls/system.h>
#include <zircon/types.h>

#include "arch/clock.h"
#include "arch/upcall.h"
#include "lib/log.h"
#include "object/event.h"
#include "object/job.h"
#include "object/user_thread.h"
#include "sched/park.h"
#include "vm/kernel_thread.h"
#include "vm/pmm.h"
#include "vm/reclaim.h"

#define RETRY_DELAY ((nstime_t)1000000) /* ns, between two looks whether a victim has gone */

/* By level: ZX_SYSTEM_EVENT_ kinds. */
static const uint32_t kind_of_level[PMM_LEVELS] = {
    [PMM_NORMAL] = ZX_SYSTEM_EVENT_MEMORY_PRESSURE_NORMAL,
    [PMM_WARNING] = ZX_SYSTEM_EVENT_MEMORY_PRESSURE_WARNING,
    [PMM_CRITICAL] = ZX_SYSTEM_EVENT_MEMORY_PRESSURE_CRITICAL,
    [PMM_IMMINENT] = ZX_SYSTEM_EVENT_IMMINENT_OUT_OF_MEMORY,
    [PMM_OUT] = ZX_SYSTEM_EVENT_OUT_OF_MEMORY,
};

static struct waitable *events[PMM_LEVELS]; /* set once */

/* ---- The watcher ---- */

static struct {
    struct spinlock lock; /* RANK_IRQ: the hook runs under RANK_PMM */
    struct parker parker;
    bool waiting, changed;
    uint64_t taker; /* koid of the job whose thread took the last of the memory; 0: nobody */
} watcher = {.lock = SPINLOCK_INIT(RANK_IRQ, "memory pressure")};

/* By the thread that takes or gives the page with which it changed. */
static void level_changed(enum pmm_level level) {
    const struct thread *thread = thread_current();
    SPIN_GUARD(&watcher.lock);
    if (level == PMM_OUT && thread && user_thread_of(thread))
        watcher.taker = user_thread_of(thread)->process->job->base.koid;
    watcher.changed = true;
    if (watcher.waiting)
        thread_unpark(&watcher.parker, OK);
    watcher.waiting = false;
}

/* True if a change came already; else the caller parks. */
static bool watcher_begin_wait(void) {
    SPIN_GUARD(&watcher.lock);
    bool changed = watcher.changed;
    watcher.changed = false;
    watcher.waiting = !changed;
    if (!changed)
        park_prepare(&watcher.parker);
    return changed;
}

static void show_level(enum pmm_level from, enum pmm_level to) {
    if (from == to)
        return;
    waitable_change(events[from], ZX_EVENT_SIGNALED, 0);
    waitable_change(events[to], 0, ZX_EVENT_SIGNALED);
    if (to > from)
        log_warning("memory: %lu KiB are left", pmm_free_pages() << (PAGE_SHIFT - 10));
}

/*
 * Something is to be had back, and was. When there is none at all a job is ended, too: a call
 * that finds no memory only fails, so a flood of small things would leave nothing to anybody.
 */
static bool get_some_back(enum pmm_level level) {
    if (level < PMM_CRITICAL)
        return false;
    return reclaim_memory() || (level == PMM_OUT && upcall_out_of_memory());
}

static void watcher_main(void *unused) {
    enum pmm_level shown = PMM_NORMAL;
    for (;;) {
        enum pmm_level now = pmm_level();
        show_level(shown, now);
        shown = now;
        if (get_some_back(now))
            continue; /* look how much that was */
        if (!watcher_begin_wait())
            (void)thread_park(&watcher.parker, TIME_INFINITE, 0, BLOCK_OTHER);
    }
}

status_t memory_pressure_init(void) {
    for (unsigned level = 0; level < PMM_LEVELS; level++) {
        status_t status = event_create(&events[level]);
        if (status != OK)
            return status;
    }
    waitable_change(events[PMM_NORMAL], 0, ZX_EVENT_SIGNALED);
    struct thread *thread =
        kernel_thread_create("memory pressure", watcher_main, NULL, PRIORITY_KERNEL);
    if (!thread)
        return ERR_NO_MEMORY;
    pmm_set_level_hook(level_changed);
    thread_start(thread);
    return OK;
}

struct waitable *memory_pressure_event(uint32_t kind) {
    for (unsigned level = 0; level < PMM_LEVELS; level++)
        if (kind_of_level[level] == kind)
            return events[level];
    return NULL;
}

/* ---- Ending a job ---- */

static uint64_t taker_koid(void) {
    SPIN_GUARD(&watcher.lock);
    return watcher.taker;
}

static const struct job *taker_find_locked(void) REQUIRES(tasks_lock) {
    uint64_t koid = taker_koid();
    struct job *job = job_root();
    while (job && job->base.koid != koid)
        job = job_walk_next_locked(job_root(), job);
    return job;
}

static bool is_around(const struct job *job, const struct job *inner) {
    while (inner && inner != job)
        inner = inner->parent;
    return inner != NULL;
}

/*
 * Of the deepest jobs the one that took the last of the memory: who floods the machine takes
 * nearly all pages, so most likely also that one. Else the youngest: it has the least to lose.
 */
static bool is_better_victim(const struct job *job, const struct job *than,
                             const struct job *taker) {
    if (!than || job->height != than->height)
        return !than || job->height < than->height;
    if (is_around(job, taker) != is_around(than, taker))
        return is_around(job, taker);
    return job->base.koid > than->base.koid;
}

/* A job that may be ended; none while one that was ended still holds processes. */
static struct job *victim_find_locked(bool *out_is_dying) REQUIRES(tasks_lock) {
    const struct job *taker = taker_find_locked();
    struct job *best = NULL;
    for (struct job *job = job_root(); job; job = job_walk_next_locked(job_root(), job)) {
        if (!job->kill_on_oom)
            continue;
        if (job->killed && job->process_count) {
            *out_is_dying = true;
            return NULL;
        }
        if (!job->killed && is_better_victim(job, best, taker))
            best = job;
    }
    return best && ref_try_get(&best->base.refs) ? best : NULL;
}

static struct job *victim_find(bool *out_is_dying) {
    MUTEX_GUARD(&tasks_lock);
    *out_is_dying = false;
    return victim_find_locked(out_is_dying);
}

bool upcall_out_of_memory(void) {
    bool is_dying;
    AUTO(job) victim = victim_find(&is_dying);
    if (!victim && !is_dying)
        return false;
    if (victim) {
        log_error("memory: none is left; job %lu is ended", victim->base.koid);
        job_kill(victim, ZX_TASK_RETCODE_OOM_KILL);
    }
    return thread_sleep_until(clock_now() + RETRY_DELAY) == OK;
}
