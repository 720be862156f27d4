/*
 * task_info.c - questions about tasks.
 */
#include "object/task_info.h"

#include "arch/clock.h"
#include "lib/string.h"
#include "object/exception_object.h"
#include "sched/park.h"
#include "vm/aspace.h"

/* ---- lists ---- */

/* Collects koids above `after`. */
struct koid_list {
    uint64_t after;
    uint64_t *koids;
    size_t count, max;
};

static void koid_list_add(struct koid_list *list, const struct waitable *object) {
    if (object->koid > list->after && list->count < list->max)
        list->koids[list->count++] = object->koid;
}

size_t job_list_jobs(struct job *job, uint64_t after, uint64_t *out_koids, size_t max) {
    struct koid_list list = {after, out_koids, 0, max};
    MUTEX_GUARD(&tasks_lock);

    list_for_each(node, &job->jobs)
        koid_list_add(&list, &list_entry(node, struct job, sibling)->base);
    return list.count;
}

size_t job_list_processes(struct job *job, uint64_t after, uint64_t *out_koids, size_t max) {
    struct koid_list list = {after, out_koids, 0, max};
    MUTEX_GUARD(&tasks_lock);

    list_for_each(node, &job->processes)
        koid_list_add(&list, &list_entry(node, struct process, job_node)->base);
    return list.count;
}

size_t process_list_threads(struct process *process, uint64_t after, uint64_t *out_koids,
                            size_t max) {
    struct koid_list list = {after, out_koids, 0, max};
    MUTEX_GUARD(&process->lock);

    list_for_each(node, &process->threads)
        koid_list_add(&list, &list_entry(node, struct user_thread, process_node)->base);
    return list.count;
}

/* ---- children ---- */

/* The lists are weak: a child whose last reference is going is not found. */
static bool is_child(struct waitable *object, uint64_t koid) {
    return object->koid == koid && ref_try_get(&object->refs);
}

struct waitable *job_find_child(struct job *job, uint64_t koid) {
    MUTEX_GUARD(&tasks_lock);

    list_for_each(node, &job->jobs) {
        struct job *child = list_entry(node, struct job, sibling);
        if (is_child(&child->base, koid))
            return &child->base;
    }
    list_for_each(process_node, &job->processes) {
        struct process *child = list_entry(process_node, struct process, job_node);
        if (is_child(&child->base, koid))
            return &child->base;
    }
    return NULL;
}

struct waitable *process_find_thread(struct process *process, uint64_t koid) {
    MUTEX_GUARD(&process->lock);

    list_for_each(node, &process->threads) {
        struct user_thread *thread = list_entry(node, struct user_thread, process_node);
        if (is_child(&thread->base, koid))
            return &thread->base;
    }
    return NULL;
}

/* ---- states ---- */

void job_get_info(struct job *job, zx_info_job_t *out_info) {
    MUTEX_GUARD(&tasks_lock);

    *out_info = (zx_info_job_t){.return_code = job->return_code,
                                .exited = job->killed,
                                .kill_on_oom = job->kill_on_oom,
                                .debugger_attached =
                                    exception_slot_is_live(&job->debugger, &job->base)};
}

void process_get_info(struct process *process, zx_info_process_v2_t *out_info) {
    MUTEX_GUARD(&process->lock);

    *out_info = (zx_info_process_v2_t){
        .return_code = process->return_code,
        .start_time = process->start_time,
        .flags = (process->start_time ? ZX_INFO_PROCESS_FLAG_STARTED : 0) |
                 (process->state >= PROCESS_DYING ? ZX_INFO_PROCESS_FLAG_EXITED : 0),
    };
    if (exception_slot_is_live(&process->debugger, &process->base))
        out_info->flags |= ZX_INFO_PROCESS_FLAG_DEBUGGER_ATTACHED;
}

void process_get_handle_stats(struct process *process, zx_info_process_handle_stats_t *out_info) {
    memset(out_info, 0, sizeof(*out_info));
    handle_table_count_types(&process->handles, out_info->handle_count);
}

status_t process_get_stats(struct process *process, zx_info_task_stats_v2_t *out_info) {
    if (process_state(process) == PROCESS_DEAD)
        return ERR_BAD_STATE;
    struct aspace_stats stats = aspace_stats(process->aspace);
    *out_info = (zx_info_task_stats_v2_t){
        .mem_mapped_bytes = stats.mapped_bytes,
        .mem_private_bytes = stats.private_bytes,
        .mem_shared_bytes = stats.shared_bytes,
        .mem_scaled_shared_bytes = stats.scaled_shared_bytes,
        .mem_fractional_scaled_shared_bytes = stats.scaled_shared_fraction,
    };
    return OK;
}

/* What a thread does that is started and not dead. A wait inside the kernel counts as running. */
static uint32_t running_state(const struct thread *thread) {
    /* The state first: the reason is stored before it, and stays after the park. */
    unsigned state = atomic_load_explicit(&thread->state, memory_order_acquire);
    unsigned reason = atomic_load_explicit(&thread->block_reason, memory_order_relaxed);

    if (state != THREAD_PARKED || reason == BLOCK_OTHER)
        return ZX_THREAD_STATE_RUNNING;
    return ZX_THREAD_STATE_BLOCKED | reason << 8;
}

static uint32_t thread_state_locked(const struct user_thread *thread) {
    if (thread->state == USER_THREAD_NEW)
        return ZX_THREAD_STATE_NEW;
    if (thread->state == USER_THREAD_DEAD)
        return ZX_THREAD_STATE_DEAD;
    if (thread->state == USER_THREAD_DYING || thread_is_killed(&thread->thread))
        return ZX_THREAD_STATE_DYING;
    if (thread->exception)
        return ZX_THREAD_STATE_BLOCKED_EXCEPTION;
    if (thread->stopped)
        return ZX_THREAD_STATE_SUSPENDED;
    return running_state(&thread->thread);
}

void thread_get_info(struct user_thread *thread, zx_info_thread_t *out_info) {
    MUTEX_GUARD(&thread->process->lock);

    *out_info = (zx_info_thread_t){
        .state = thread_state_locked(thread),
        .wait_exception_channel_type =
            thread->exception ? thread->exception->channel_type : ZX_EXCEPTION_CHANNEL_TYPE_NONE,
    };
    if (thread->has_affinity)
        out_info->cpu_affinity_mask.mask[0] =
            atomic_load_explicit(&thread->thread.affinity, memory_order_relaxed);
    else
        memset(out_info->cpu_affinity_mask.mask, 0xff, sizeof(out_info->cpu_affinity_mask.mask));
}

void thread_get_wait(struct user_thread *thread, jx_info_thread_wait_t *out_info) {
    uint64_t target, ticks;
    MUTEX_GUARD(&thread->process->lock);

    *out_info = (jx_info_thread_wait_t){.state = thread_state_locked(thread)};
    if (ZX_THREAD_STATE_BASIC(out_info->state) != ZX_THREAD_STATE_BLOCKED ||
        !thread_park_target(&thread->thread, &target, &ticks))
        return;
    out_info->target = target;
    out_info->waited = clock_ticks_to_ns(ticks);
}

status_t thread_get_stats(struct user_thread *thread, zx_info_thread_stats_t *out_info) {
    MUTEX_GUARD(&thread->process->lock);

    if (thread->state == USER_THREAD_DEAD)
        return ERR_BAD_STATE;
    bool has_run = atomic_load_explicit(&thread->thread.has_run, memory_order_relaxed);
    uint32_t cpu = atomic_load_explicit(&thread->thread.cpu, memory_order_relaxed);
    *out_info = (zx_info_thread_stats_t){
        .total_runtime = thread_runtime(&thread->thread),
        .last_scheduled_cpu = has_run ? cpu : ZX_INFO_INVALID_CPU,
    };
    return OK;
}

status_t thread_get_exception(struct user_thread *thread, zx_exception_report_v2_t *out_report) {
    MUTEX_GUARD(&thread->process->lock);

    if (!thread->exception)
        return ERR_BAD_STATE;
    *out_report = *thread->exception->report;
    return OK;
}

/* ---- run times ---- */

static void add_process(struct process *process, struct run_times *sum) {
    MUTEX_GUARD(&process->lock);

    run_times_add(sum, &process->dead_times);
    list_for_each(node, &process->threads)
        run_times_add_thread(sum, &list_entry(node, struct user_thread, process_node)->thread);
}

/* The job after `at` in a walk of all that is below `top`; NULL at the end. */
static struct job *next_job_locked(const struct job *top, struct job *at) REQUIRES(tasks_lock) {
    struct list_node *node = list_first(&at->jobs);

    while (!node && at != top) {
        node = list_next(&at->parent->jobs, &at->sibling);
        at = at->parent;
    }
    return node ? list_entry(node, struct job, sibling) : NULL;
}

static void add_job(struct job *job, struct run_times *sum) {
    MUTEX_GUARD(&tasks_lock);

    for (struct job *at = job; at; at = next_job_locked(job, at)) {
        run_times_add(sum, &at->dead_times);
        list_for_each(node, &at->processes)
            add_process(list_entry(node, struct process, job_node), sum);
    }
}

void task_get_runtime(struct waitable *task, zx_info_task_runtime_v2_t *out_info) {
    struct run_times sum = {};

    if (task->ops->type == ZX_OBJ_TYPE_JOB)
        add_job(job_from(task), &sum);
    else if (task->ops->type == ZX_OBJ_TYPE_PROCESS)
        add_process(process_from(task), &sum);
    else
        run_times_add_thread(&sum, &user_thread_from(task)->thread);
    *out_info = (zx_info_task_runtime_v2_t){
        .cpu_time = sum.cpu,
        .queue_time = sum.queue,
        .page_fault_time = sum.faults,
        .lock_contention_time = sum.locks,
    };
}
