/*
 * process.c - the life of a process; see process.h.
 *
 * Who holds a process: handles, its threads, and nobody else (its job's list is
 * weak). So a running process lives without handles, and one that never ran dies
 * with its last handle.
 */
#include "object/process.h"

#include <zircon/syscalls/object.h>
#include <zircon/types.h>

#include "arch/clock.h"
#include "lib/string.h"
#include "object/futex.h"
#include "object/kill_points.h"
#include "object/user_thread.h"
#include "sched/park.h"
#include "sched/sched.h"
#include "sched/trace.h"
#include "vm/aspace.h"
#include "vm/kheap.h"

static uint64_t process_related_koid(const struct waitable *object) {
    return process_from((struct waitable *)(uintptr_t)object)->job->base.koid;
}

static char *process_name_storage(struct waitable *object) { return process_from(object)->name; }

static void process_destroy(struct waitable *object) {
    struct process *process = process_from(object);
    struct job *job = process->job;
    exception_slot_close(&process->handler, object);
    exception_slot_close(&process->debugger, object);
    if (process->critical_to)
        waitable_unref(&process->critical_to->base);
    handle_table_destroy(&process->handles);
    if (process->futexes)
        futex_table_destroy(process->futexes);
    if (process->aspace)
        aspace_unref(process->aspace);
    kheap_free_sized(process, sizeof(*process));
    waitable_unref(&job->base);
}

static void process_on_zero_handles(struct waitable *object) {
    struct process *process = process_from(object);
    if (process_state(process) == PROCESS_INITIAL)
        process_kill(process, ZX_TASK_RETCODE_SYSCALL_KILL);
}

static const struct waitable_ops process_ops = {
    .name = "process",
    .type = ZX_OBJ_TYPE_PROCESS,
    .can_wait = true,
    .default_rights = ZX_DEFAULT_PROCESS_RIGHTS,
    .destroy = process_destroy,
    .on_zero_handles = process_on_zero_handles,
    .related_koid = process_related_koid,
    .name_storage = process_name_storage,
};

enum process_state process_state(struct process *process) {
    MUTEX_GUARD(&process->lock);
    return process->state;
}

/* Memory and tables of a new process; ERR_NO_MEMORY leaves what process_destroy frees. */
static status_t process_furnish(struct process *process) {
    status_t status = aspace_create(&process->aspace);
    if (status == OK)
        process->futexes = futex_table_create();
    return status == OK && !process->futexes ? ERR_NO_MEMORY : status;
}

status_t process_create(struct job *job, const char *name, struct process **out_process) {
    struct process *process = kheap_zalloc(sizeof(*process));
    if (!process)
        return ERR_NO_MEMORY;
    waitable_init(&process->base, &process_ops, 0);
    mutex_init(&process->lock, RANK_PROCESS, "process");
    handle_table_init(&process->handles);
    list_init(&process->threads);
    string_copy(process->name, sizeof(process->name), name);
    process->job = job;
    waitable_ref(&job->base);
    status_t status = process_furnish(process);
    if (status == OK)
        status = job_add_process(job, process);
    if (status != OK) {
        if (process->aspace)
            aspace_destroy(process->aspace);
        waitable_unref(&process->base);
        return status;
    }
    *out_process = process;
    return OK;
}

/* ---- Start ---- */

static status_t process_start_locked(struct process *process, struct user_thread *thread)
    REQUIRES(process->lock) {
    if (process->state != PROCESS_INITIAL || thread->state != USER_THREAD_NEW)
        return ERR_BAD_STATE;
    process->state = PROCESS_RUNNING;
    process->start_time = clock_now();
    thread->is_first = true;
    mutex_assert_held(&thread->process->lock);
    user_thread_launch_locked(thread);
    return OK;
}

status_t process_start(struct process *process, struct user_thread *thread, vaddr_t entry,
                       vaddr_t stack, uint64_t arg1, uint64_t arg2) {
    MUTEX_GUARD(&process->lock);
    struct user_start start = {entry, stack, arg1, arg2};
    if (thread->state == USER_THREAD_NEW)
        thread->start = start;
    return process_start_locked(process, thread);
}

/* ---- The end ---- */

static void process_set_dead(struct process *process) {
    MUTEX_GUARD(&process->lock);
    process->state = PROCESS_DEAD;
}

/* No thread is left: once, by whoever saw that. No lock held; may sleep. */
static void process_finish(struct process *process) {
    kill_point_of_process("process finish", process);
    handle_table_clear(&process->handles);
    kill_point_of_process("handles closed", process);
    aspace_destroy(process->aspace);
    kill_point_of_process("memory gone", process);
    process_set_dead(process);
    trace_event(KTRACE_GRP_TASKS, JX_TRACE_PROCESS_END, process->base.koid,
                (uint64_t)process->return_code);
    kill_point_of_process("process dead", process);
    exception_slot_close(&process->handler, &process->base);
    exception_slot_close(&process->debugger, &process->base);
    waitable_change(&process->base, 0, ZX_PROCESS_TERMINATED);
    job_remove_process(process->job, process);
    if (process->critical_to && !(process->critical_if_failed && process->return_code == 0))
        job_kill_soon(process->critical_to, ZX_TASK_RETCODE_CRITICAL_PROCESS_KILL);
}

/* Returns whether there is nobody left who would finish it. */
static bool process_begin_end_locked(struct process *process, int64_t return_code)
    REQUIRES(process->lock) {
    if (process->state >= PROCESS_DYING)
        return false;
    process->state = PROCESS_DYING;
    process->return_code = return_code;
    list_for_each(node, &process->threads)
        thread_set_pending(&list_entry(node, struct user_thread, process_node)->thread,
                           THREAD_PENDING_KILL);
    return process->thread_count == 0;
}

static bool process_begin_end(struct process *process, int64_t return_code) {
    MUTEX_GUARD(&process->lock);
    return process_begin_end_locked(process, return_code);
}

void process_kill(struct process *process, int64_t return_code) {
    if (process_begin_end(process, return_code))
        process_finish(process);
}

void process_exit(int64_t return_code) {
    kill_point_of_process("process exit", process_current());
    process_kill(process_current(), return_code);
    user_thread_exit();
}

/* The last of the threads; the process ends with 0 if nothing else ended it. */
static bool process_forget_thread(struct process *process, struct user_thread *thread) {
    MUTEX_GUARD(&process->lock);
    list_remove(&thread->process_node);
    thread->state = USER_THREAD_DEAD;
    run_times_add_thread(&process->dead_times, &thread->thread);
    if (--process->thread_count > 0)
        return false;
    process_begin_end_locked(process, 0);
    return true;
}

void process_thread_gone(struct process *process, struct user_thread *thread) {
    futex_owner_gone(process->futexes, thread);
    bool last = process_forget_thread(process, thread);
    kill_point_of_process("thread forgotten", process);
    exception_slot_close(&thread->handler, &thread->base);
    waitable_change(&thread->base, ZX_THREAD_RUNNING | ZX_THREAD_SUSPENDED,
                    ZX_THREAD_TERMINATED);
    if (last)
        process_finish(process);
}

/* ---- What others set ---- */

static bool is_above(const struct job *job, const struct process *process) {
    const struct job *at = process->job;
    while (at && at != job)
        at = at->parent;
    return at != NULL;
}

status_t process_set_critical(struct process *process, struct job *job, bool only_if_failed) {
    MUTEX_GUARD(&process->lock);
    if (process->critical_to)
        return ERR_ALREADY_BOUND;
    if (!is_above(job, process))
        return ERR_INVALID_ARGS;
    if (process->state == PROCESS_DEAD)
        return OK;
    waitable_ref(&job->base);
    process->critical_to = job;
    process->critical_if_failed = only_if_failed;
    return OK;
}

uint64_t process_debug_addr(struct process *process) {
    MUTEX_GUARD(&process->lock);
    return process->debug_addr;
}

status_t process_set_debug_addr(struct process *process, uint64_t address) {
    MUTEX_GUARD(&process->lock);
    if (address == 0)
        return ERR_INVALID_ARGS;
    if (process->debug_addr > ZX_PROCESS_DEBUG_ADDR_BREAK_ON_SET)
        return ERR_ACCESS_DENIED;
    process->debug_addr = address;
    return OK;
}

uint64_t process_break_on_load(struct process *process) {
    MUTEX_GUARD(&process->lock);
    return process->break_on_load;
}

void process_set_break_on_load(struct process *process, uint64_t value) {
    MUTEX_GUARD(&process->lock);
    process->break_on_load = value;
}

/* ---- Waiting for the first process ---- */

struct death_watch {
    struct observer observer;
    struct parker parker;
};

static void death_watch_fire(struct observer *observer, signals_t observed, bool canceled) {
    thread_unpark(&container_of(observer, struct death_watch, observer)->parker, OK);
}

static void death_watch_begin(struct process *process, struct death_watch *watch) {
    MUTEX_GUARD(process->base.lock);
    waitable_observe_locked(&process->base, &watch->observer);
}

void process_wait_until_dead(struct process *process) {
    struct death_watch watch = {
        .observer = {.wanted = ZX_PROCESS_TERMINATED, .fire = death_watch_fire}};
    park_prepare(&watch.parker);
    death_watch_begin(process, &watch);
    (void)thread_park(&watch.parker, TIME_INFINITE, 0, BLOCK_OTHER);
}
