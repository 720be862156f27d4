/*
 * kill - ends jobs and processes.
 */
#include <zircon/syscalls.h>

#include "common/authority.h"
#include "common/tasks.h"
#include "common/tool.h"

static const char help[] =
    "usage: kill KOID...\n"
    "Ends processes, or jobs with all that is in them. `ps` shows the koids; in the shell\n"
    "%NUMBER means a job of its own.\n";

static int kill_task(zx_handle_t root, const char *word) {
    zx_koid_t koid;
    zx_handle_t task = ZX_HANDLE_INVALID;
    enum task_kind kind = TASK_JOB;
    if (!tasks_parse_koid(word, &koid))
        return tool_fail(ZX_OK, "%s: not a koid", word);
    zx_status_t status = tasks_find(root, koid, &task, &kind);
    if (status == ZX_OK && kind == TASK_THREAD)
        return tool_fail(ZX_OK, "%s: a thread; its process can be ended", word);
    if (status == ZX_OK)
        status = zx_task_kill(task);
    return status == ZX_OK ? 0 : tool_fail(status, "%s", word);
}

int main(int argc, char **argv) {
    struct authority authority = authority_take();
    int code = 0;
    tool_start(argc, argv, help);
    if (argc < 2)
        return tool_usage();
    for (int i = 1; i < argc; i++)
        code |= kill_task(authority.root_job, argv[i]);
    return code;
}
