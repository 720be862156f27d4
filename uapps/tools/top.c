/*
 * top - which processes took the CPUs during an interval.
 *
 * Each round compares two samples of all processes, matched by koid.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zircon/process.h>
#include <zircon/syscalls.h>

#include "common/authority.h"
#include "common/show.h"
#include "common/tasks.h"
#include "common/tool.h"

static const char help[] =
    "usage: top [-n ROUNDS] [-d SECONDS]\n"
    "Shows the processes by the CPU time they took in the last SECONDS (1, may have a\n"
    "fraction), ROUNDS times (once): koid, share of one CPU in percent, seconds of CPU time\n"
    "since the start, the process's own memory and what it shares with others, its name, and\n"
    "how many of its threads run or wait, and for what.\n";

#define STATES_MAX 8 /* different states in one process */

struct row {
    zx_koid_t koid;
    zx_time_t taken; /* when it was looked at */
    zx_duration_t cpu_time;
    zx_duration_t spent;   /* CPU time since the sample before */
    zx_duration_t elapsed; /* and time that passed */
    size_t private_bytes, shared_bytes;
    char name[ZX_MAX_NAME_LEN];
    struct {
        const char *state;
        unsigned threads;
    } states[STATES_MAX];
};

struct sample {
    struct row *rows;
    size_t count, room;
    zx_time_t begin;
    bool failed;
};

/* --- taking a sample --- */

static struct row *add_row(struct sample *sample) {
    if (sample->count == sample->room) {
        size_t room = sample->room ? sample->room * 2 : 32;
        struct row *rows = reallocarray(sample->rows, room, sizeof *rows);
        if (!rows)
            return NULL;
        sample->rows = rows;
        sample->room = room;
    }
    struct row *row = &sample->rows[sample->count++];
    *row = (struct row){0};
    return row;
}

static void read_process(struct row *row, const struct task *task) {
    zx_info_task_runtime_t runtime;
    zx_info_task_stats_t stats;
    row->koid = task->koid;
    strlcpy(row->name, task->name, sizeof row->name);
    row->taken = zx_clock_get_monotonic();
    if (zx_object_get_info(task->handle, ZX_INFO_TASK_RUNTIME, &runtime, sizeof runtime, NULL,
                           NULL) == ZX_OK)
        row->cpu_time = runtime.cpu_time;
    if (zx_object_get_info(task->handle, ZX_INFO_TASK_STATS, &stats, sizeof stats, NULL, NULL) ==
        ZX_OK) {
        row->private_bytes = stats.mem_private_bytes;
        row->shared_bytes = stats.mem_shared_bytes;
    }
}

static void count_thread(struct row *row, zx_handle_t thread) {
    zx_info_thread_t info;
    if (zx_object_get_info(thread, ZX_INFO_THREAD, &info, sizeof info, NULL, NULL) != ZX_OK)
        return;
    const char *state = show_thread_state(info.state);
    for (size_t i = 0; i < STATES_MAX; i++) {
        if (row->states[i].threads && strcmp(row->states[i].state, state) != 0)
            continue;
        row->states[i].state = state;
        row->states[i].threads++;
        return;
    }
}

/* A process's threads are visited right after it. */
static bool add_task(void *context, struct task *task) {
    struct sample *sample = context;
    if (task->kind == TASK_THREAD)
        count_thread(&sample->rows[sample->count - 1], task->handle);
    if (task->kind != TASK_PROCESS)
        return true;
    struct row *row = add_row(sample);
    if (row)
        read_process(row, task);
    sample->failed = !row;
    return row != NULL;
}

static bool take_sample(zx_handle_t root_job, struct sample *out) {
    *out = (struct sample){.begin = zx_clock_get_monotonic()};
    return tasks_walk(root_job, true, add_task, out) && !out->failed;
}

/* --- comparing and printing --- */

/* A process that was not there before took all its time since then. */
static void compare(const struct sample *before, struct sample *now) {
    for (size_t i = 0; i < now->count; i++) {
        struct row *row = &now->rows[i];
        row->spent = row->cpu_time;
        row->elapsed = row->taken - before->begin;
        for (size_t j = 0; j < before->count; j++) {
            if (before->rows[j].koid != row->koid)
                continue;
            row->spent = row->cpu_time - before->rows[j].cpu_time;
            row->elapsed = row->taken - before->rows[j].taken;
        }
    }
}

/* In thousandths of a CPU. */
static unsigned long long share(const struct row *row) {
    return row->elapsed > 0 ? (uint64_t)row->spent / ((uint64_t)row->elapsed / 1000 + 1) : 0;
}

static int by_share(const void *a, const void *b) {
    const struct row *x = a, *y = b;
    if (x->spent != y->spent)
        return x->spent < y->spent ? 1 : -1;
    return x->koid < y->koid ? -1 : x->koid > y->koid;
}

static void print_row(const struct row *row) {
    char time[SHOW_SIZE], private[SHOW_SIZE], shared[SHOW_SIZE];
    unsigned long long thousandths = share(row);
    printf("%6llu %4llu.%llu %9s %6s %6s %-16s", (unsigned long long)row->koid, thousandths / 10,
           thousandths % 10, show_time(row->cpu_time, time),
           show_bytes(row->private_bytes, private), show_bytes(row->shared_bytes, shared),
           row->name[0] ? row->name : "-");
    for (size_t i = 0; i < STATES_MAX && row->states[i].threads; i++)
        printf("%s %u %s", i ? "," : "", row->states[i].threads, row->states[i].state);
    printf("\n");
}

static void print_sample(struct sample *sample) {
    qsort(sample->rows, sample->count, sizeof sample->rows[0], by_share);
    printf("  KOID   CPU%%  CPU TIME    OWN SHARED NAME             THREADS\n");
    for (size_t i = 0; i < sample->count; i++)
        print_row(&sample->rows[i]);
}

/* Takes the sample at `before`, and leaves the next one there. */
static bool run_round(zx_handle_t root_job, zx_duration_t interval, struct sample *before) {
    struct sample now;
    (void)zx_nanosleep(zx_deadline_after(interval));
    bool taken = take_sample(root_job, &now);
    if (taken) {
        compare(before, &now);
        print_sample(&now);
    }
    free(before->rows);
    *before = now;
    return taken;
}

static int run(zx_handle_t root_job, zx_duration_t interval, uint64_t rounds) {
    struct sample sample;
    bool well = take_sample(root_job, &sample);
    for (uint64_t i = 0; well && i < rounds; i++)
        well = run_round(root_job, interval, &sample);
    free(sample.rows);
    return well ? 0 : tool_fail(ZX_ERR_NO_MEMORY, "cannot look at all processes");
}

int main(int argc, char **argv) {
    struct authority authority = authority_take();
    zx_duration_t interval = ZX_SEC(1);
    zx_koid_t rounds = 1;
    tool_start(argc, argv, help);
    for (int i = 1; i < argc; i += 2) {
        bool good = false;
        if (i + 1 < argc && strcmp(argv[i], "-n") == 0)
            good = tasks_parse_koid(argv[i + 1], &rounds);
        else if (i + 1 < argc && strcmp(argv[i], "-d") == 0)
            good = (interval = tool_parse_seconds(argv[i + 1])) >= 0;
        if (!good)
            return tool_usage();
    }
    if (authority.root_job == ZX_HANDLE_INVALID)
        return tool_fail(ZX_ERR_ACCESS_DENIED, "no root job");
    return run(authority.root_job, interval, rounds);
}
