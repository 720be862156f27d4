/*
 * trace_json.c - from records to slices.
 *
 * The records of all CPUs are merged by time. Process 1 has a track for each CPU: who runs
 * there, and interrupts. Each thread has a track with its calls, and what is in them: page
 * faults and waits for locks of the kernel. All are complete events (X) on their track, so
 * the order of lines in the file means nothing.
 */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/show.h"
#include "tools/trace.h"

#define CPUS_MAX 64
#define CPUS     1u /* the process of the CPUs' tracks; koids begin far above */

static const char *const call_names[] = {
#define SYSCALL(name, ...) "zx_" #name,
#define SYSCALL_INNER SYSCALL
#define SYSCALL_VOID  SYSCALL
#define VDSO_CALL(type, name, ...)
#include "syscall/syscalls.def"
};
#define CALLS (sizeof call_names / sizeof call_names[0])

/* A thread in a call. */
struct open_call {
    zx_koid_t thread;
    uint64_t begin, number, argument;
};

struct cpu {
    const jx_trace_record_t *next, *end;
    uint64_t thread, since; /* who runs, and since when */
};

struct writer {
    struct trace_tasks *tasks;
    uint64_t rate, first, last; /* ticks a second; of the first and last record */
    struct cpu cpus[CPUS_MAX];
    unsigned cpu_count;
    uint64_t lost;
    struct open_call *calls;
    size_t call_count, call_room;
    bool failed;
};

/* --- text --- */

static char buffer[16384];
static size_t used;
static bool is_first;

static void flush(void) {
    (void)fwrite(buffer, 1, used, stdout);
    used = 0;
}

static void put(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void put(const char *format, ...) {
    va_list args;
    if (used > sizeof buffer - 512)
        flush();
    va_start(args, format);
    int length = vsnprintf(buffer + used, sizeof buffer - used, format, args);
    va_end(args);
    used += (size_t)length;
}

/* Names are the program's, so any byte may be in them. */
static void put_string(const char *text) {
    put("\"");
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            put("\\%c", c);
        else
            put("%c", c < ' ' || c > '~' ? '?' : c);
    }
    put("\"");
}

static uint64_t nanoseconds(const struct writer *w, uint64_t ticks) {
    uint64_t since = ticks > w->first ? ticks - w->first : 0;
    return since / w->rate * 1000000000 + since % w->rate * 1000000000 / w->rate;
}

static void begin_event(const char *phase, const char *category, uint64_t process, uint64_t track) {
    put("%s{\"ph\":\"%s\",\"cat\":\"%s\",\"pid\":%llu,\"tid\":%llu", is_first ? "" : ",\n", phase,
        category, (unsigned long long)process, (unsigned long long)track);
    is_first = false;
}

static void put_microseconds(const char *key, uint64_t ns) {
    put(",\"%s\":%llu.%03llu", key, (unsigned long long)(ns / 1000),
        (unsigned long long)(ns % 1000));
}

/* Ends may not be before begins, where the clocks of two CPUs differ. */
static void put_span(const struct writer *w, uint64_t begin, uint64_t end) {
    uint64_t from = nanoseconds(w, begin), to = nanoseconds(w, end);
    put_microseconds("ts", from);
    put_microseconds("dur", to > from ? to - from : 0);
}

/* --- tasks --- */

struct trace_task *trace_task_of(struct trace_tasks *tasks, zx_koid_t koid) {
    for (size_t i = 0; i < tasks->count; i++)
        if (tasks->rows[i].koid == koid)
            return &tasks->rows[i];
    if (tasks->count == tasks->room) {
        size_t room = tasks->room ? tasks->room * 2 : 64;
        struct trace_task *rows = reallocarray(tasks->rows, room, sizeof *rows);
        if (!rows)
            return NULL;
        tasks->rows = rows;
        tasks->room = room;
    }
    tasks->rows[tasks->count] = (struct trace_task){.koid = koid, .process = koid};
    return &tasks->rows[tasks->count++];
}

static const struct trace_task *task_at(struct writer *w, zx_koid_t koid) {
    static const struct trace_task nobody;
    const struct trace_task *task = trace_task_of(w->tasks, koid);
    w->failed |= !task;
    return task ? task : &nobody;
}

static bool is_user(uint64_t thread) { return thread > JX_TRACE_THREAD_KERNEL; }

static void put_thread_name(struct writer *w, uint64_t thread) {
    if (!is_user(thread)) {
        put_string(thread == JX_TRACE_THREAD_IDLE ? "idle" : "kernel");
        return;
    }
    const struct trace_task *task = task_at(w, thread);
    char text[2 * ZX_MAX_NAME_LEN + 8];
    snprintf(text, sizeof text, "%s:%s", task_at(w, task->process)->name, task->name);
    put_string(text);
}

/* The records of one CPU after another, so an older name may come after a newer one. */
static void learn_name(struct trace_task *task, const jx_trace_record_t *r) {
    if (r->ticks < task->named_at)
        return;
    task->named_at = r->ticks;
    memset(task->name + r->more, 0, sizeof task->name - r->more);
    memcpy(task->name + r->more, &r->a, 16);
    task->name[sizeof task->name - 1] = '\0';
}

/* Before all else, since a name may come after what is told by it. */
static void learn(struct writer *w, const jx_trace_record_t *r) {
    struct trace_task *task = NULL;
    if (r->kind == JX_TRACE_THREAD_START) {
        task = trace_task_of(w->tasks, r->a);
        if (task)
            task->process = r->b;
    } else if (r->kind == JX_TRACE_NAME && r->more < sizeof task->name) {
        task = trace_task_of(w->tasks, r->thread);
        if (task)
            learn_name(task, r);
    } else {
        return;
    }
    w->failed |= !task;
}

static void put_meta(const char *what, uint64_t process, uint64_t track, const char *name) {
    begin_event("M", "meta", process, track);
    put(",\"name\":\"%s\",\"args\":{\"name\":", what);
    put_string(name);
    put("}}");
}

static void put_names(struct writer *w) {
    char text[16];
    put_meta("process_name", CPUS, CPUS, "CPUs");
    for (unsigned cpu = 0; cpu < w->cpu_count; cpu++) {
        snprintf(text, sizeof text, "CPU %u", cpu);
        put_meta("thread_name", CPUS, cpu + 1, text);
    }
    for (size_t i = 0; i < w->tasks->count; i++) {
        const struct trace_task *task = &w->tasks->rows[i];
        put_meta(task->koid == task->process ? "process_name" : "thread_name", task->process,
                 task->koid, task->name);
    }
}

/* --- slices --- */

static void put_run(struct writer *w, unsigned cpu, uint64_t end, const char *why) {
    const struct cpu *c = &w->cpus[cpu];
    if (c->thread == JX_TRACE_THREAD_IDLE)
        return;
    begin_event("X", "sched", CPUS, cpu + 1);
    put_span(w, c->since, end);
    put(",\"name\":");
    put_thread_name(w, c->thread);
    put(",\"args\":{\"thread\":%llu,\"then\":\"%s\"}}", (unsigned long long)c->thread, why);
}

static void put_call(struct writer *w, const struct open_call *call, uint64_t end,
                     const char *result) {
    begin_event("X", "syscall", task_at(w, call->thread)->process, call->thread);
    put_span(w, call->begin, end);
    put(",\"name\":\"%s\",\"args\":{\"first\":%llu,\"result\":\"%s\"}}",
        call->number < CALLS ? call_names[call->number] : "?",
        (unsigned long long)call->argument, result);
}

static struct open_call *find_call(struct writer *w, zx_koid_t thread) {
    for (size_t i = 0; i < w->call_count; i++)
        if (w->calls[i].thread == thread)
            return &w->calls[i];
    return NULL;
}

static void open_call(struct writer *w, const jx_trace_record_t *r) {
    if (w->call_count == w->call_room) {
        size_t room = w->call_room ? w->call_room * 2 : 64;
        struct open_call *calls = reallocarray(w->calls, room, sizeof *calls);
        w->failed |= !calls;
        if (!calls)
            return;
        w->calls = calls;
        w->call_room = room;
    }
    w->calls[w->call_count++] = (struct open_call){r->thread, r->ticks, r->a, r->b};
}

static void close_call(struct writer *w, zx_koid_t thread, uint64_t end, const char *result) {
    struct open_call *call = find_call(w, thread);
    if (!call)
        return; /* it began before the trace */
    put_call(w, call, end, result);
    *call = w->calls[--w->call_count];
}

/* A span of a thread, or of a CPU. */
static void put_part(struct writer *w, const jx_trace_record_t *r, const char *category,
                     const char *name, const char *key) {
    bool of_cpu = r->kind == JX_TRACE_IRQ;
    if (!of_cpu && !is_user(r->thread))
        return;
    begin_event("X", category, of_cpu ? CPUS : task_at(w, r->thread)->process,
                of_cpu ? r->cpu + 1 : r->thread);
    put_span(w, r->ticks - r->b, r->ticks);
    put(",\"name\":\"%s\",\"args\":{\"%s\":\"%#llx\"}}", name, key, (unsigned long long)r->a);
}

static void put_instant(struct writer *w, const jx_trace_record_t *r, const char *category,
                        const char *what, uint64_t number) {
    begin_event("i", category, CPUS, r->cpu + 1);
    put_microseconds("ts", nanoseconds(w, r->ticks));
    put(",\"s\":\"t\",\"name\":\"%s\",\"args\":{\"of\":%llu,\"by\":", what,
        (unsigned long long)number);
    put_thread_name(w, r->thread);
    put("}}");
}

static void switch_to(struct writer *w, const jx_trace_record_t *r) {
    struct cpu *cpu = &w->cpus[r->cpu];
    cpu->thread = r->thread; /* at first nobody knows who ran */
    put_run(w, r->cpu, r->ticks, r->more == 1 ? "ready" : show_thread_state(r->more));
    cpu->thread = r->a;
    cpu->since = r->ticks;
}

static void put_record(struct writer *w, const jx_trace_record_t *r) {
    char text[32];
    switch (r->kind) {
    case JX_TRACE_CONTEXT_SWITCH:
        switch_to(w, r);
        break;
    case JX_TRACE_WAKE:
        put_instant(w, r, "sched", "wake", r->a);
        break;
    case JX_TRACE_SYSCALL:
        open_call(w, r);
        break;
    case JX_TRACE_SYSCALL_END:
        snprintf(text, sizeof text, "%d", (int)r->b);
        close_call(w, r->thread, r->ticks, text);
        break;
    case JX_TRACE_THREAD_END:
        close_call(w, r->thread, r->ticks, "the thread ended");
        break;
    case JX_TRACE_FAULT:
        put_part(w, r, "vm", r->more ? "page fault, refused" : "page fault", "address");
        break;
    case JX_TRACE_IRQ:
        put_part(w, r, "irq", "interrupt", "vector");
        break;
    case JX_TRACE_MUTEX:
        put_part(w, r, "lock", "wait for mutex", "rank");
        break;
    case JX_TRACE_SPINLOCK:
        put_part(w, r, "lock", "wait for spinlock", "rank");
        break;
    case JX_TRACE_PROBE:
        put_instant(w, r, "probe", "probe", r->more);
        break;
    case JX_TRACE_PROCESS_END:
        put_instant(w, r, "tasks", "process end", r->a);
        break;
    default:
        break;
    }
}

/* --- reading --- */

static bool find_cpus(struct writer *w, const jx_trace_record_t *r, size_t count) {
    const jx_trace_record_t *end = r + count;
    if (count == 0 || r->kind != JX_TRACE_HEADER || r->a == 0 || r->b > CPUS_MAX)
        return false;
    w->rate = r->a;
    w->cpu_count = (unsigned)r->b;
    w->first = UINT64_MAX;
    r++;
    for (unsigned i = 0; i < w->cpu_count; i++, r = w->cpus[i - 1].end) {
        if (r >= end || r->kind != JX_TRACE_CPU || r->a >= (size_t)(end - r))
            return false;
        w->lost += r->b;
        w->cpus[i] = (struct cpu){.next = r + 1, .end = r + 1 + r->a};
        if (r->a == 0)
            continue;
        w->cpus[i].since = r[1].ticks;
        w->first = r[1].ticks < w->first ? r[1].ticks : w->first;
        w->last = r[r->a].ticks > w->last ? r[r->a].ticks : w->last;
    }
    return true;
}

/* Of all CPUs the next in the order of time; NULL: there are no more. */
static const jx_trace_record_t *take_next(struct writer *w) {
    struct cpu *best = NULL;
    for (unsigned i = 0; i < w->cpu_count; i++) {
        struct cpu *cpu = &w->cpus[i];
        if (cpu->next < cpu->end && (!best || cpu->next->ticks < best->next->ticks))
            best = cpu;
    }
    return best ? best->next++ : NULL;
}

static void put_unfinished(struct writer *w) {
    while (w->call_count > 0)
        close_call(w, w->calls[0].thread, w->last, "unfinished");
    for (unsigned cpu = 0; cpu < w->cpu_count; cpu++)
        put_run(w, cpu, w->last, "running");
}

bool trace_write_json(const jx_trace_record_t *records, size_t count, struct trace_tasks *tasks) {
    struct writer w = {.tasks = tasks};
    if (!find_cpus(&w, records, count))
        return false;
    for (size_t i = 0; i < count; i++)
        learn(&w, &records[i]);
    is_first = true;
    put("{\"displayTimeUnit\":\"ns\",\"otherData\":{\"cpus\":%u,\"lost\":%llu},\"traceEvents\":[\n",
        w.cpu_count, (unsigned long long)w.lost);
    put_names(&w);
    for (const jx_trace_record_t *r = take_next(&w); r; r = take_next(&w))
        put_record(&w, r);
    put_unfinished(&w);
    put("\n]}\n");
    flush();
    free(w.calls);
    return !w.failed;
}
