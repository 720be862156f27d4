/*
 * job.h - running pipelines: a job object with one process for each stage.
 */
#pragma once

#include "shell/shell.h"

struct job {
    struct job *next;
    unsigned number;
    char *text;
    zx_handle_t handle;
    zx_handle_t *processes; /* ZX_HANDLE_INVALID where none could be started */
    size_t count;
    int status;             /* of the last stage, so far as it is known */
    zx_duration_t cpu_time; /* of the stages that have ended */
    /* In the foreground of an interactive shell. */
    zx_handle_t typed;  /* what is typed goes there; ZX_HANDLE_INVALID: nowhere */
    zx_handle_t unread; /* the other end, to get back what nobody has read */
};

/* Of `count` stages. NULL: no memory, or no job can be made; said already. */
struct job *job_create(size_t count, const char *text);
void job_free(struct job *job);
/* The exit code as the shell shows it. */
int job_status_of(int64_t return_code);

/* Wait for all its processes; an interactive shell passes on what is typed meanwhile. */
void job_wait(struct shell *shell, struct job *job);

/* Jobs in the background. The list owns them. */
void jobs_add(struct job *job);
/* Say which have ended, and forget them. */
void jobs_reap(struct shell *shell);
void jobs_list(void (*show)(void *context, const struct job *job, bool running), void *context);
/* By its number; 0: the latest. NULL: there is none. */
struct job *jobs_find(unsigned number);
/* Take a job out of the list; the caller's. NULL: there is none. */
struct job *jobs_take(unsigned number);
