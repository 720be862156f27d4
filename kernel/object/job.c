/*
 * job.c - the tree of jobs; see job.h.
 */
#include "object/job.h"

#include <zircon/types.h>

#include "object/process.h"
#include "vm/kheap.h"

struct mutex tasks_lock;
static struct job *root_job;

#define KILL_BATCH 32

static uint64_t job_related_koid(const struct waitable *object) {
    const struct job *job = container_of((struct waitable *)(uintptr_t)object, struct job, base);
    return job->parent ? job->parent->base.koid : 0;
}

static char *job_name_storage(struct waitable *object) { return job_from(object)->name; }

static bool job_is_empty_locked(const struct job *job) REQUIRES(tasks_lock) {
    return job->job_count == 0 && job->process_count == 0;
}

/* The signals that follow from the counts. */
static void job_show_locked(struct job *job) REQUIRES(tasks_lock) {
    signals_t set = (job->job_count ? 0 : ZX_JOB_NO_JOBS) |
                    (job->process_count ? 0 : ZX_JOB_NO_PROCESSES);
    if (job->killed && job_is_empty_locked(job))
        set |= ZX_JOB_TERMINATED;
    waitable_change(&job->base, (ZX_JOB_NO_JOBS | ZX_JOB_NO_PROCESSES) & ~set, set);
}

static void job_unlink_locked(struct job *job) REQUIRES(tasks_lock) {
    job->linked = false;
    list_remove(&job->sibling);
    job->parent->job_count--;
    run_times_add(&job->parent->dead_times, &job->dead_times);
}

/* Its exception channels close, which can't be done under the lock. */
static void job_note_end_locked(struct job *job, struct list *ended) REQUIRES(tasks_lock) {
    bool used = exception_slot_is_used(&job->handler) || exception_slot_is_used(&job->debugger);
    if (used && ref_try_get(&job->base.refs))
        list_add_tail(ended, &job->ended_node);
}

static void job_close_channels(struct job *job) {
    exception_slot_close(&job->handler, &job->base);
    exception_slot_close(&job->debugger, &job->base);
}

static void jobs_ended(struct list *ended) {
    struct job *job;
    while ((job = list_pop_entry(ended, struct job, ended_node))) {
        job_close_channels(job);
        waitable_unref(&job->base);
    }
}

/*
 * After a change of counts. A job that has ended leaves its parent, whoever still
 * holds a handle to it, which may end the parent, and so on upwards. The caller passes
 * `ended` to jobs_ended when it has dropped the lock.
 */
static void job_signal_locked(struct job *job, struct list *ended) REQUIRES(tasks_lock) {
    job_show_locked(job);
    while (job->killed && job_is_empty_locked(job) && job->linked) {
        job_unlink_locked(job);
        job_note_end_locked(job, ended);
        job = job->parent;
        job_show_locked(job);
    }
}

static void job_leave_parent(struct job *job, struct list *ended) {
    MUTEX_GUARD(&tasks_lock);
    if (!job->linked)
        return;
    job_unlink_locked(job);
    job_signal_locked(job->parent, ended);
}

/* Neither handles nor children are left. */
static void job_destroy(struct waitable *object) {
    struct job *job = job_from(object), *parent = job->parent;
    struct list ended = LIST_INIT(ended);
    job_close_channels(job);
    if (parent)
        job_leave_parent(job, &ended);
    jobs_ended(&ended);
    kheap_free(job);
    if (parent)
        waitable_unref(&parent->base);
}

static const struct waitable_ops job_ops = {
    .name = "job",
    .type = ZX_OBJ_TYPE_JOB,
    .can_wait = true,
    .default_rights = ZX_DEFAULT_JOB_RIGHTS,
    .destroy = job_destroy,
    .related_koid = job_related_koid,
    .name_storage = job_name_storage,
};

static void job_kill_now(struct deferred *work) {
    struct job *job = container_of(work, struct job, kill_work);
    job_kill(job, atomic_load_explicit(&job->kill_code, memory_order_relaxed));
    waitable_unref(&job->base);
}

static struct job *job_alloc(struct job *parent, uint32_t height) {
    struct job *job = kheap_zalloc(sizeof(*job));
    if (!job)
        return NULL;
    waitable_init(&job->base, &job_ops, ZX_JOB_NO_JOBS | ZX_JOB_NO_PROCESSES);
    job->parent = parent;
    job->height = height;
    list_init(&job->jobs);
    list_init(&job->processes);
    job->kill_work.run = job_kill_now;
    return job;
}

status_t job_init_root(void) {
    mutex_init(&tasks_lock, RANK_TASKS, "tasks");
    root_job = job_alloc(NULL, JOB_MAX_HEIGHT);
    return root_job ? OK : ERR_NO_MEMORY;
}

struct job *job_root(void) { return root_job; }

static status_t job_join_parent(struct job *parent, struct job *job) {
    MUTEX_GUARD(&tasks_lock);
    if (parent->killed)
        return ERR_BAD_STATE;
    waitable_ref(&parent->base);
    job->parent = parent;
    job->policy = parent->policy;
    list_add_tail(&parent->jobs, &job->sibling);
    job->linked = true;
    parent->job_count++;
    job_show_locked(parent);
    return OK;
}

status_t job_create(struct job *parent, struct job **out_job) {
    if (parent->height == 0)
        return ERR_OUT_OF_RANGE;
    struct job *job = job_alloc(NULL, parent->height - 1);
    if (!job)
        return ERR_NO_MEMORY;
    status_t status = job_join_parent(parent, job);
    if (status != OK) {
        waitable_unref(&job->base);
        return status;
    }
    *out_job = job;
    return OK;
}

status_t job_add_process(struct job *job, struct process *process) {
    MUTEX_GUARD(&tasks_lock);
    if (job->killed)
        return ERR_BAD_STATE;
    process->policy = job->policy;
    process->policed = job_policy_conditions(&job->policy);
    list_add_tail(&job->processes, &process->job_node);
    job->process_count++;
    job_show_locked(job);
    return OK;
}

static void job_forget_process(struct job *job, struct process *process, struct list *ended) {
    MUTEX_GUARD(&tasks_lock);
    list_remove(&process->job_node);
    job->process_count--;
    run_times_add(&job->dead_times, &process->dead_times);
    job_signal_locked(job, ended);
}

void job_remove_process(struct job *job, struct process *process) {
    struct list ended = LIST_INIT(ended);
    job_forget_process(job, process, &ended);
    jobs_ended(&ended);
}

void job_set_kill_on_oom(struct job *job, bool allowed) {
    MUTEX_GUARD(&tasks_lock);
    job->kill_on_oom = allowed;
}

/* ---- Policy ---- */

status_t job_set_policy(struct job *job, bool absolute, const zx_policy_basic_v2_t *entries,
                        uint32_t count) {
    MUTEX_GUARD(&tasks_lock);
    if (!job_is_empty_locked(job))
        return ERR_BAD_STATE;
    return job_policy_add(&job->policy, absolute, entries, count);
}

status_t job_set_slack(struct job *job, const zx_policy_timer_slack_t *slack) {
    MUTEX_GUARD(&tasks_lock);
    if (!job_is_empty_locked(job))
        return ERR_BAD_STATE;
    return job_policy_add_slack(&job->policy, slack);
}

/* ---- Killing ---- */

static void job_mark_locked(struct job *job, int64_t return_code, struct list *ended)
    REQUIRES(tasks_lock) {
    if (job->killed)
        return;
    job->killed = true;
    job->return_code = return_code;
    job_signal_locked(job, ended);
}

struct job *job_walk_next_locked(struct job *top, struct job *at) {
    struct list_node *node = list_first(&at->jobs);
    while (!node && at != top) {
        node = list_next(&at->parent->jobs, &at->sibling);
        at = at->parent;
    }
    return node ? list_entry(node, struct job, sibling) : NULL;
}

/* Mark all jobs below; reference up to KILL_BATCH processes that nobody has taken yet. */
static unsigned job_take_victims(struct job *top, int64_t return_code,
                                 struct process *out_victims[KILL_BATCH], struct list *ended) {
    MUTEX_GUARD(&tasks_lock);
    unsigned count = 0;
    for (struct job *job = top, *next; job; job = next) {
        next = job_walk_next_locked(top, job); /* before an empty job leaves the tree */
        job_mark_locked(job, return_code, ended);
        list_for_each(node, &job->processes) {
            struct process *process = list_entry(node, struct process, job_node);
            if (count == KILL_BATCH)
                return count;
            if (process->marked_for_death || !ref_try_get(&process->base.refs))
                continue;
            process->marked_for_death = true;
            out_victims[count++] = process;
        }
    }
    return count;
}

void job_kill(struct job *job, int64_t return_code) {
    struct process *victims[KILL_BATCH];
    struct list ended = LIST_INIT(ended);
    unsigned count;
    do {
        count = job_take_victims(job, return_code, victims, &ended);
        jobs_ended(&ended);
        for (unsigned i = 0; i < count; i++) {
            process_kill(victims[i], return_code);
            waitable_unref(&victims[i]->base);
        }
    } while (count == KILL_BATCH);
}

void job_kill_soon(struct job *job, int64_t return_code) {
    waitable_ref(&job->base);
    atomic_store_explicit(&job->kill_code, return_code, memory_order_relaxed);
    if (!deferred_queue(&job->kill_work))
        waitable_unref(&job->base);
}

/* ---- Exceptions ---- */

status_t job_bind_exceptions(struct job *job, bool is_debugger, struct exception_binding *binding,
                             rights_t rights) {
    struct exception_slot *slot = is_debugger ? &job->debugger : &job->handler;
    MUTEX_GUARD(&tasks_lock);
    return job->killed ? ERR_BAD_STATE : exception_slot_bind(slot, &job->base, binding, rights);
}
