/*
 * objects - handles by type, over all processes.
 */
#include <stdio.h>
#include <zircon/syscalls.h>

#include "common/authority.h"
#include "common/show.h"
#include "common/tasks.h"
#include "common/tool.h"

static const char help[] =
    "usage: objects\n"
    "Counts the handles of each type, for every process and for all together.\n";

static void print(const zx_info_process_handle_stats_t *stats) {
    for (zx_obj_type_t type = 0; type < ZX_OBJ_TYPE_UPPER_BOUND; type++) {
        if (stats->handle_count[type] > 0)
            printf(" %s %u", show_type(type), stats->handle_count[type]);
    }
    printf("\n");
}

static bool visit(void *context, struct task *task) {
    zx_info_process_handle_stats_t *total = context, stats;
    if (task->kind != TASK_PROCESS || zx_object_get_info(task->handle, ZX_INFO_PROCESS_HANDLE_STATS,
                                                         &stats, sizeof stats, NULL, NULL) != ZX_OK)
        return true;
    printf("%6llu %-10s", (unsigned long long)task->koid, task->name);
    print(&stats);
    for (zx_obj_type_t type = 0; type < ZX_OBJ_TYPE_UPPER_BOUND; type++)
        total->handle_count[type] += stats.handle_count[type];
    return true;
}

int main(int argc, char **argv) {
    struct authority authority = authority_take();
    zx_info_process_handle_stats_t total = {0};
    tool_start(argc, argv, help);
    if (argc != 1)
        return tool_usage();
    if (authority.root_job == ZX_HANDLE_INVALID)
        return tool_fail(ZX_ERR_ACCESS_DENIED, "no root job");
    if (!tasks_walk(authority.root_job, false, visit, &total))
        return 1;
    printf("   all           ");
    print(&total);
    return 0;
}
