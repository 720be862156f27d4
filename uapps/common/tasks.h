/*
 * tasks.h - the tree of jobs, processes and threads below a job.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <zircon/syscalls/object.h>
#include <zircon/types.h>

enum task_kind { TASK_JOB, TASK_PROCESS, TASK_THREAD };

struct task {
    enum task_kind kind;
    unsigned depth; /* 0: the job that the walk began with */
    zx_koid_t koid;
    zx_handle_t handle; /* ZX_HANDLE_INVALID: it may not be looked at */
    char name[ZX_MAX_NAME_LEN];
};

/*
 * False ends the walk. The handle is borrowed; who takes it (not that of depth 0) leaves
 * ZX_HANDLE_INVALID, and ends the walk.
 */
typedef bool task_visit(void *context, struct task *task);

/*
 * Visit `root`, then what is below it, parents before children: of a job its processes
 * (each followed by its threads, if `threads`), then its jobs. What begins or ends
 * meanwhile may be missed. False when a visit ended the walk.
 */
bool tasks_walk(zx_handle_t root, bool threads, task_visit *visit, void *context);
/*
 * Find a job, process or thread below `root` by its koid; the handle, with the rights of
 * `root`, is the caller's. ZX_ERR_NOT_FOUND; ZX_ERR_ACCESS_DENIED when `root` is none.
 */
zx_status_t tasks_find(zx_handle_t root, zx_koid_t koid, zx_handle_t *out_task,
                       enum task_kind *out_kind);

/* A list that get_info gives, whole; malloc'ed. *out_list is NULL when it fails. */
zx_status_t tasks_list(zx_handle_t task, zx_object_info_topic_t topic, size_t record_size,
                       void **out_list, size_t *out_count);
/* A koid as a person types it; false: it is none. */
bool tasks_parse_koid(const char *text, zx_koid_t *out_koid);
