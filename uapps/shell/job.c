/*
 * job.c - jobs and their ends.
 */
#include "shell/job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zircon/process.h>
#include <zircon/status.h>
#include <zircon/syscalls.h>

#include "shell/typing.h"

static struct job *background; /* the oldest first */

/* --- one job --- */

struct job *job_create(size_t count, const char *text) {
    const size_t yes = 1;
    struct job *job = calloc(1, sizeof *job);
    char *copy = strdup(text);
    zx_handle_t *processes = calloc(count, sizeof *processes);
    zx_status_t status = ZX_ERR_NO_MEMORY;
    if (job && copy && processes)
        status = zx_job_create(zx_job_default(), 0, &job->handle);
    if (status != ZX_OK) {
        fprintf(stderr, "sh: no job: %s\n", zx_status_get_string(status));
        free(processes);
        free(copy);
        free(job);
        return NULL;
    }
    job->text = copy;
    job->processes = processes;
    job->count = count;
    (void)zx_object_set_property(job->handle, ZX_PROP_NAME, text, strlen(text));
    /* When memory runs out a command ends, not the shell. */
    (void)zx_object_set_property(job->handle, ZX_PROP_JOB_KILL_ON_OOM, &yes, sizeof yes);
    return job;
}

void job_free(struct job *job) {
    for (size_t i = 0; i < job->count; i++)
        (void)zx_handle_close(job->processes[i]);
    (void)zx_handle_close(job->typed);
    (void)zx_handle_close(job->unread);
    (void)zx_handle_close(job->handle);
    free(job->processes);
    free(job->text);
    free(job);
}

int job_status_of(int64_t return_code) {
    if (return_code == ZX_TASK_RETCODE_EXCEPTION_KILL)
        return STATUS_EXCEPTION;
    if (return_code == ZX_TASK_RETCODE_SYSCALL_KILL || return_code == ZX_TASK_RETCODE_OOM_KILL)
        return STATUS_KILLED;
    return (int)(return_code & 0xff);
}

/* Stage `index` has ended: note its code and its CPU time, and let it go. */
static void end_stage(struct job *job, size_t index) {
    zx_info_process_t info = {0};
    zx_info_task_runtime_t runtime = {0};
    zx_handle_t *process = &job->processes[index];
    (void)zx_object_get_info(*process, ZX_INFO_PROCESS, &info, sizeof info, NULL, NULL);
    (void)zx_object_get_info(*process, ZX_INFO_TASK_RUNTIME, &runtime, sizeof runtime, NULL, NULL);
    job->cpu_time += runtime.cpu_time;
    if (index == job->count - 1)
        job->status = job_status_of(info.return_code);
    (void)zx_handle_close(*process);
    *process = ZX_HANDLE_INVALID;
}

/* Note all stages that have ended; is one still running? */
static bool is_running(struct job *job) {
    bool running = false;
    for (size_t i = 0; i < job->count; i++) {
        if (job->processes[i] == ZX_HANDLE_INVALID)
            continue;
        if (zx_object_wait_one(job->processes[i], ZX_PROCESS_TERMINATED, 0, NULL) == ZX_OK)
            end_stage(job, i);
        else
            running = true;
    }
    return running;
}

/* --- waiting --- */

static void wait_process(zx_handle_t process) {
    (void)zx_object_wait_one(process, ZX_PROCESS_TERMINATED, ZX_TIME_INFINITE, NULL);
}

void job_wait(struct shell *shell, struct job *job) {
    struct typing typing;
    if (shell->interactive)
        typing_begin(&typing, shell, job);
    for (size_t i = 0; i < job->count; i++) {
        if (job->processes[i] == ZX_HANDLE_INVALID)
            continue;
        if (shell->interactive)
            typing_wait(&typing, job->processes[i]);
        else
            wait_process(job->processes[i]);
        end_stage(job, i);
    }
    if (shell->interactive)
        typing_end(&typing);
    if (shell->interrupted)
        job->status = STATUS_KILLED; /* even if its last stage just found its input at the end */
}

/* --- the list --- */

void jobs_add(struct job *job) {
    struct job **end = &background;
    unsigned number = 0;
    for (; *end; end = &(*end)->next)
        number = (*end)->number;
    job->number = number + 1;
    *end = job;
}

struct job *jobs_find(unsigned number) {
    struct job *found = NULL;
    for (struct job *job = background; job; job = job->next) {
        if (number == 0 || job->number == number)
            found = job;
    }
    return found;
}

struct job *jobs_take(unsigned number) {
    struct job *job = jobs_find(number);
    struct job **link = &background;
    if (!job)
        return NULL;
    while (*link != job)
        link = &(*link)->next;
    *link = job->next;
    job->next = NULL;
    return job;
}

void jobs_reap(struct shell *shell) {
    for (struct job **link = &background; *link;) {
        struct job *job = *link;
        if (is_running(job)) {
            link = &job->next;
            continue;
        }
        if (shell->interactive)
            shell_print("[%u] ended with %d: %s\n", job->number, job->status, job->text);
        *link = job->next;
        job_free(job);
    }
}

void jobs_list(void (*show)(void *context, const struct job *job, bool running), void *context) {
    for (struct job *job = background; job; job = job->next)
        show(context, job, is_running(job));
}
