/*
 * trace.h - names of tasks, and records of events as a file of the Chrome trace event format.
 */
#pragma once

#include <jacinth/trace.h>
#include <stdbool.h>
#include <stddef.h>
#include <zircon/types.h>

/* What is known of a process (its own parent) or a thread. */
struct trace_task {
    zx_koid_t koid, process;
    char name[ZX_MAX_NAME_LEN];
    uint64_t named_at; /* ticks: of the newest piece of the name */
};
struct trace_tasks {
    struct trace_task *rows;
    size_t count, room;
};

/* The row of a koid, made if there is none; NULL: no memory. */
struct trace_task *trace_task_of(struct trace_tasks *tasks, zx_koid_t koid);
/*
 * Write what zx_ktrace_read gave to standard output, and take the names in it into `tasks`.
 * False: these are no such records, or there is no memory.
 */
bool trace_write_json(const jx_trace_record_t *records, size_t count, struct trace_tasks *tasks);
