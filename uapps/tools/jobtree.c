/*
 * jobtree - the tree of jobs, and what may happen to each.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <zircon/syscalls.h>

#include "common/authority.h"
#include "common/show.h"
#include "common/tasks.h"
#include "common/tool.h"

static const char help[] =
    "usage: jobtree\n"
    "Shows all jobs as a tree: koid, seconds of CPU time of all that ever ran there, the jobs\n"
    "and processes in it, the memory of these processes that nobody shares, how many levels of\n"
    "jobs may still be below, name, and then `killed` when it takes no more children, `oom`\n"
    "when it is ended first when memory runs out, and `debugged` when a debugger watches it.\n";

#define LEVELS 32 /* of jobs below the root */

static bool add_memory(void *context, struct task *task) {
    zx_info_task_stats_t stats;
    if (task->kind == TASK_JOB && task->depth > 0)
        return false; /* processes come first */
    if (task->kind == TASK_PROCESS && zx_object_get_info(task->handle, ZX_INFO_TASK_STATS, &stats,
                                                         sizeof stats, NULL, NULL) == ZX_OK)
        *(uint64_t *)context += stats.mem_private_bytes;
    return true;
}

static unsigned long long count_children(zx_handle_t job, zx_object_info_topic_t topic) {
    size_t actual = 0, avail = 0;
    (void)zx_object_get_info(job, topic, NULL, 0, &actual, &avail);
    return avail;
}

static void print_flags(zx_handle_t job) {
    zx_info_job_t info;
    if (zx_object_get_info(job, ZX_INFO_JOB, &info, sizeof info, NULL, NULL) != ZX_OK)
        return;
    if (info.exited)
        printf(" killed (%lld)", (long long)info.return_code);
    if (info.kill_on_oom)
        printf(" oom");
    if (info.debugger_attached)
        printf(" debugged");
}

/* Depth in the walk is depth in the tree, since only jobs are printed. */
static bool print(void *context, struct task *task) {
    char time[SHOW_SIZE] = "-", memory[SHOW_SIZE];
    uint64_t private = 0;
    zx_info_task_runtime_t runtime;
    if (task->kind != TASK_JOB)
        return true;
    if (zx_object_get_info(task->handle, ZX_INFO_TASK_RUNTIME, &runtime, sizeof runtime, NULL,
                           NULL) == ZX_OK)
        show_time(runtime.cpu_time, time);
    (void)tasks_walk(task->handle, false, add_memory, &private);
    printf("%6llu %9s %4llu %5llu %6s %6u %*s%s", (unsigned long long)task->koid, time,
           count_children(task->handle, ZX_INFO_JOB_CHILDREN),
           count_children(task->handle, ZX_INFO_JOB_PROCESSES), show_bytes(private, memory),
           LEVELS - task->depth, (int)task->depth * 2, "", task->name[0] ? task->name : "-");
    print_flags(task->handle);
    printf("\n");
    return true;
}

int main(int argc, char **argv) {
    struct authority authority = authority_take();
    tool_start(argc, argv, help);
    if (argc != 1)
        return tool_usage();
    if (authority.root_job == ZX_HANDLE_INVALID)
        return tool_fail(ZX_ERR_ACCESS_DENIED, "no root job");
    printf("  KOID  CPU TIME JOBS PROCS    OWN LEVELS NAME\n");
    return tasks_walk(authority.root_job, false, print, NULL) ? 0 : 1;
}
