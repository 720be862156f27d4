/*
 * task_info.h - questions about jobs, processes and threads, and finding children.
 *
 * Lists of children are asked for in pieces: those with koids above one that the
 * caller has seen already. A list is in the order of creation, so in that of koids.
 */
#pragma once

#include <jacinth/info.h>
#include <zircon/syscalls/exception.h>
#include <zircon/syscalls/object.h>

#include "object/job.h"
#include "object/process.h"
#include "object/user_thread.h"

/* Up to `max` koids above `after`; how many. */
size_t job_list_jobs(struct job *job, uint64_t after, uint64_t *out_koids, size_t max);
size_t job_list_processes(struct job *job, uint64_t after, uint64_t *out_koids, size_t max);
/* Threads that were started and are not dead. */
size_t process_list_threads(struct process *process, uint64_t after, uint64_t *out_koids,
                            size_t max);

/* A direct child by koid (jobs before processes), with a reference; NULL: none. */
struct waitable *job_find_child(struct job *job, uint64_t koid);
struct waitable *process_find_thread(struct process *process, uint64_t koid);

void job_get_info(struct job *job, zx_info_job_t *out_info);
void process_get_info(struct process *process, zx_info_process_v2_t *out_info);
/* How many handles of each type. */
void process_get_handle_stats(struct process *process, zx_info_process_handle_stats_t *out_info);
/* ERR_BAD_STATE once it is dead. */
status_t process_get_stats(struct process *process, zx_info_task_stats_v2_t *out_info);
void thread_get_info(struct user_thread *thread, zx_info_thread_t *out_info);
void thread_get_wait(struct user_thread *thread, jx_info_thread_wait_t *out_info);
/* ERR_BAD_STATE once it is dead. */
status_t thread_get_stats(struct user_thread *thread, zx_info_thread_stats_t *out_info);

/* ERR_BAD_STATE unless it waits in an exception. */
status_t thread_get_exception(struct user_thread *thread, zx_exception_report_v2_t *out_report);

/* Where time went, of a job, a process or a thread: all that is below it, and what was. */
void task_get_runtime(struct waitable *task, zx_info_task_runtime_v2_t *out_info);
