/*
 * crash - tells of every crash in a job.
 *
 * It is the job's exception handler, asked after those of the thread and the process. It
 * reports, and lets the search go on, so that the process ends as it would have.
 */
#include <stdio.h>
#include <string.h>
#include <zircon/process.h>
#include <zircon/syscalls.h>

#include "common/authority.h"
#include "common/inspect.h"
#include "common/tasks.h"
#include "common/tool.h"

static const char help[] =
    "usage: crash PROGRAM [ARGUMENT...]\n"
    "       crash -j KOID\n"
    "Runs a program in a job of its own, or watches the job KOID, and reports each crash\n"
    "there: what happened, the registers, and who called. Ends with the program, or the job.\n";

static void report(zx_handle_t exception) {
    zx_exception_report_v2_t what;
    zx_handle_t process = ZX_HANDLE_INVALID, thread = ZX_HANDLE_INVALID;
    if (zx_exception_get_process(exception, &process) == ZX_OK &&
        zx_exception_get_thread(exception, &thread) == ZX_OK &&
        zx_object_get_info(thread, ZX_INFO_THREAD_EXCEPTION_REPORT_V2, &what, sizeof what, NULL,
                           NULL) == ZX_OK) {
        printf("crash: ");
        inspect_print_exception(process, thread, &what);
        (void)inspect_print_registers(thread);
        (void)inspect_print_backtrace(process, thread);
    }
    const zx_handle_t handles[] = {process, thread};
    (void)zx_handle_close_many(handles, 2);
}

/* Until `end` shows ZX_TASK_TERMINATED, and no report is left. */
static int watch(zx_handle_t channel, zx_handle_t end) {
    zx_wait_item_t items[] = {{channel, ZX_CHANNEL_READABLE, 0}, {end, ZX_TASK_TERMINATED, 0}};
    for (;;) {
        zx_exception_info_t info;
        zx_handle_t exception;
        zx_status_t status = zx_object_wait_many(items, 2, ZX_TIME_INFINITE);
        if (status != ZX_OK)
            return tool_fail(status, "waiting");
        if (!(items[0].pending & ZX_CHANNEL_READABLE))
            return 0;
        if (zx_channel_read(channel, 0, &info, &exception, sizeof info, 1, NULL, NULL) != ZX_OK)
            continue;
        report(exception);
        (void)zx_handle_close(exception);
    }
}

static int watch_job(zx_handle_t root, const char *word) {
    zx_koid_t koid;
    zx_handle_t job, channel;
    enum task_kind kind;
    if (!tasks_parse_koid(word, &koid))
        return tool_fail(ZX_OK, "%s: not a koid", word);
    zx_status_t status = tasks_find(root, koid, &job, &kind);
    if (status == ZX_OK && kind != TASK_JOB)
        return tool_fail(ZX_OK, "%s: not a job", word);
    if (status == ZX_OK)
        status = zx_task_create_exception_channel(job, 0, &channel);
    return status == ZX_OK ? watch(channel, job) : tool_fail(status, "%s", word);
}

static int watch_program(char **argv) {
    char error[128] = "";
    zx_handle_t job, channel, process;
    int64_t code = 1;
    zx_status_t status = zx_job_create(zx_job_default(), 0, &job);
    if (status == ZX_OK)
        status = zx_task_create_exception_channel(job, 0, &channel);
    if (status != ZX_OK)
        return tool_fail(status, "making a job");
    const struct jx_launch launch = {.argv = (const char *const *)argv, .job = job};
    status = jx_launch(&launch, &process, error, sizeof error);
    if (status != ZX_OK)
        return tool_fail(ZX_OK, "%s", error);
    int result = watch(channel, process);
    status = jx_wait(process, &code);
    return result ? result : status == ZX_OK ? (int)code : 1;
}

int main(int argc, char **argv) {
    struct authority authority = authority_take();
    tool_start(argc, argv, help);
    if (argc < 2 || (strcmp(argv[1], "-j") == 0 && argc != 3))
        return tool_usage();
    if (strcmp(argv[1], "-j") == 0)
        return watch_job(authority.root_job, argv[2]);
    return watch_program(argv + 1);
}
