/*
 * ps - the tree of jobs, processes and threads.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <zircon/syscalls.h>

#include "common/authority.h"
#include "common/show.h"
#include "common/tasks.h"
#include "common/tool.h"

static const char help[] =
    "usage: ps [-T]\n"
    "Shows all jobs and processes as a tree, and with -T their threads: koid, seconds of\n"
    "CPU time, a process's own memory and what it shares with others, state, name.\n";

static const char *thread_state(zx_handle_t thread) {
    zx_info_thread_t info;
    if (zx_object_get_info(thread, ZX_INFO_THREAD, &info, sizeof info, NULL, NULL) != ZX_OK)
        return "?";
    return show_thread_state(info.state);
}

static const char *process_state(zx_handle_t process) {
    zx_info_process_t info;
    if (zx_object_get_info(process, ZX_INFO_PROCESS, &info, sizeof info, NULL, NULL) != ZX_OK)
        return "?";
    return info.exited ? "ended" : info.started ? "running" : "new";
}

static void print_time(zx_handle_t task) {
    char text[SHOW_SIZE] = "-";
    zx_info_task_runtime_t runtime;
    if (zx_object_get_info(task, ZX_INFO_TASK_RUNTIME, &runtime, sizeof runtime, NULL, NULL) ==
        ZX_OK)
        show_time(runtime.cpu_time, text);
    printf("%9s ", text);
}

static void print_memory(const struct task *task) {
    char private[SHOW_SIZE] = "-", shared[SHOW_SIZE] = "-";
    zx_info_task_stats_t stats;
    if (task->kind == TASK_PROCESS && zx_object_get_info(task->handle, ZX_INFO_TASK_STATS, &stats,
                                                         sizeof stats, NULL, NULL) == ZX_OK) {
        show_bytes(stats.mem_private_bytes, private);
        show_bytes(stats.mem_shared_bytes, shared);
    }
    printf("%6s %6s ", private, shared);
}

static bool print(void *context, struct task *task) {
    const char *state = task->kind == TASK_THREAD    ? thread_state(task->handle)
                        : task->kind == TASK_PROCESS ? process_state(task->handle)
                                                     : "job";
    printf("%6llu ", (unsigned long long)task->koid);
    print_time(task->handle);
    print_memory(task);
    printf("%-9s %*s%s\n", state, (int)task->depth * 2, "", task->name[0] ? task->name : "-");
    return true;
}

int main(int argc, char **argv) {
    struct authority authority = authority_take();
    tool_start(argc, argv, help);
    bool threads = argc == 2 && strcmp(argv[1], "-T") == 0;
    if (argc != 1 + threads)
        return tool_usage();
    if (authority.root_job == ZX_HANDLE_INVALID)
        return tool_fail(ZX_ERR_ACCESS_DENIED, "no root job");
    printf("  KOID  CPU TIME    OWN SHARED STATE     NAME\n");
    return tasks_walk(authority.root_job, threads, print, NULL) ? 0 : 1;
}
