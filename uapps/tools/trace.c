/*
 * trace - what the machine does while a program runs, for a picture.
 *
 * init switches the recording on and off and reads the records (common/system.h), because
 * only it has the resource for that. Names of tasks that are there before come from a walk,
 * those of later ones from the records.
 */
#include "tools/trace.h"

#include <jacinth/launch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zircon/process.h>
#include <zircon/processargs.h>
#include <zircon/syscalls.h>

#include "common/authority.h"
#include "common/socket.h"
#include "common/system.h"
#include "common/tasks.h"
#include "common/tool.h"

static const char help[] =
    "usage: trace [-l] [-g GROUPS] PROGRAM [ARGUMENT...]\n"
    "       trace [-l] [-g GROUPS] -s SECONDS\n"
    "Records what the kernel does while a program runs, or for so long, and writes it to\n"
    "standard output in the trace event format, which ui.perfetto.dev and chrome://tracing\n"
    "open. The program's output goes to standard error. When the buffers are full (see the\n"
    "kernel's option ktrace.size) the first events are kept, with -l the last ones.\n"
    "GROUPS, between commas: sched tasks irq probe lock syscall vm all (all).\n";

struct group {
    const char *name;
    uint32_t bits;
};
static const struct group groups[] = {
    {"sched", KTRACE_GRP_SCHEDULER}, {"tasks", KTRACE_GRP_TASKS},     {"irq", KTRACE_GRP_IRQ},
    {"probe", KTRACE_GRP_PROBE},     {"lock", KTRACE_GRP_LOCK},       {"vm", KTRACE_GRP_VM},
    {"syscall", KTRACE_GRP_SYSCALL}, {"all", KTRACE_GRP_ALL},
};

struct options {
    uint32_t groups;      /* KTRACE_GRP_ bits, perhaps SYSTEM_TRACE_LAST */
    zx_duration_t time;   /* negative: as long as a program runs */
    char **program;
};

/* --- options --- */

static uint32_t group_of(const char *name, size_t length) {
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++)
        if (strlen(groups[i].name) == length && memcmp(groups[i].name, name, length) == 0)
            return groups[i].bits;
    return 0;
}

/* 0: one of them does not exist. */
static uint32_t parse_groups(const char *text) {
    uint32_t bits = 0;
    for (;;) {
        const char *end = strchr(text, ',');
        uint32_t more = group_of(text, end ? (size_t)(end - text) : strlen(text));
        bits |= more;
        if (!more || !end)
            return more ? bits : 0;
        text = end + 1;
    }
}

static bool parse(char **argv, struct options *out) {
    uint32_t last = 0;
    *out = (struct options){.groups = KTRACE_GRP_ALL, .time = -1};
    for (argv++; *argv && **argv == '-'; argv++) {
        if (strcmp(*argv, "-l") == 0)
            last = SYSTEM_TRACE_LAST;
        else if (strcmp(*argv, "-g") == 0 && argv[1])
            out->groups = parse_groups(*++argv);
        else if (strcmp(*argv, "-s") == 0 && argv[1] && (out->time = tool_parse_seconds(argv[1])) >= 0)
            argv++;
        else
            return false;
    }
    out->program = argv;
    bool good = out->groups != 0 && (out->time < 0) == (*argv != NULL);
    out->groups |= last;
    return good;
}

/* --- names --- */

struct walk {
    struct trace_tasks *tasks;
    zx_koid_t process; /* the last that was visited */
};

static bool add_task(void *context, struct task *task) {
    struct walk *walk = context;
    if (task->kind == TASK_JOB)
        return true;
    if (task->kind == TASK_PROCESS)
        walk->process = task->koid;
    struct trace_task *row = trace_task_of(walk->tasks, task->koid);
    if (!row)
        return false;
    row->process = walk->process;
    strlcpy(row->name, task->name, sizeof row->name);
    return true;
}

/* --- tracing --- */

/* The program's exit code, or 1. */
static int run_program(char **argv) {
    const struct jx_launch_handle output = {PA_HND(PA_FD, 1),
                                            socket_share(jx_stream_handle(2), ZX_RIGHT_WRITE)};
    const struct jx_launch launch = {
        .argv = (const char *const *)argv, .handles = &output, .handle_count = 1};
    char error[128] = "";
    zx_handle_t process;
    int64_t code;
    zx_status_t status = jx_launch(&launch, &process, error, sizeof error);
    if (status != ZX_OK)
        return tool_fail(ZX_OK, "%s", error);
    status = jx_wait(process, &code);
    if (status != ZX_OK)
        return tool_fail(status, "waiting for the program");
    return code < 0 || code > 255 ? 1 : (int)code;
}

static int write_records(zx_handle_t vmo, struct trace_tasks *tasks) {
    uint64_t size = 0;
    zx_vaddr_t address;
    zx_status_t status = zx_vmo_get_size(vmo, &size);
    if (status == ZX_OK)
        status = zx_vmar_map(zx_vmar_root_self(), ZX_VM_PERM_READ, 0, vmo, 0, size, &address);
    if (status != ZX_OK)
        return tool_fail(status, "reading the records");
    return trace_write_json((const jx_trace_record_t *)address, size / sizeof(jx_trace_record_t),
                            tasks)
               ? 0
               : tool_fail(ZX_ERR_IO_DATA_INTEGRITY, "the records");
}

static int run(const struct authority *authority, const struct options *options) {
    struct trace_tasks tasks = {0};
    struct walk walk = {.tasks = &tasks};
    struct system_answer answer;
    zx_handle_t vmo;
    int code = 0;
    (void)tasks_walk(authority->root_job, true, add_task, &walk);
    zx_status_t status =
        system_ask(authority->system, SYSTEM_TRACE, options->groups, &answer, &vmo);
    if (status != ZX_OK)
        return tool_fail(status, "cannot begin");
    if (options->time >= 0)
        (void)zx_nanosleep(zx_deadline_after(options->time));
    else
        code = run_program(options->program);
    status = system_ask(authority->system, SYSTEM_TRACE, 0, &answer, &vmo);
    if (status != ZX_OK)
        return tool_fail(status, "cannot end");
    int written = write_records(vmo, &tasks);
    (void)zx_handle_close(vmo);
    return written ? written : code;
}

int main(int argc, char **argv) {
    struct authority authority = authority_take();
    struct options options;
    tool_start(argc, argv, help);
    if (!parse(argv, &options))
        return tool_usage();
    if (authority.root_job == ZX_HANDLE_INVALID || authority.system == ZX_HANDLE_INVALID)
        return tool_fail(ZX_ERR_ACCESS_DENIED, "no root job");
    return run(&authority, &options);
}
