/*
 * strace - tells each call that a program makes.
 *
 * A program asks the vDSO once for the address of every call it uses (ulib/zx/resolve.c).
 * strace is its debugger, and has a breakpoint where that question arrives: it answers with
 * an address where nothing can be mapped. So every call faults before it begins, with its
 * arguments in the registers; strace then sends the thread to the real address, with a
 * return address that faults as well, and there sees the result. Neither the program nor
 * the vDSO, which all programs share, is written to.
 */
#include "tools/strace.h"

#include <elf.h>
#include <jacinth/launch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zircon/process.h>
#include <zircon/syscalls.h>
#include <zircon/syscalls/debug.h>

#include "common/tool.h"

static const char help[] =
    "usage: strace PROGRAM [ARGUMENT...]\n"
    "Runs a program and writes its calls to standard error: thread, seconds since the start,\n"
    "name and arguments with what pointers lead to (the first 32 bytes, the first 8 entries),\n"
    "handles with the type of their object, result, what the call gave back, and microseconds\n"
    "it took (with what it costs to be watched). Calls that do not enter the kernel (clocks)\n"
    "are not shown, nor what the vDSO calls within a call.\n";

/* The lowest pages of the address space stay unmapped for ever. */
#define CALLS_AT  ((uint64_t)0x20000)
#define CALL_SIZE 16u
#define RETURN_AT ((uint64_t)0x1f000)

struct traced {
    zx_handle_t process, channel;
    uint64_t vdso; /* where it lies there */
    zx_time_t begin;
    struct pending *pending;
};

/* A thread in a call. */
struct pending {
    struct pending *next;
    zx_koid_t thread;
    uint64_t return_address;
    zx_time_t begin;
    struct strace_call call;
};

/* --- addresses of calls --- */

typedef uintptr_t find_function(uint32_t hash);

static uint64_t vdso_of(zx_handle_t process) {
    uintptr_t base = 0;
    (void)zx_object_get_property(process, ZX_PROP_PROCESS_VDSO_BASE_ADDRESS, &base, sizeof base);
    return base;
}

/* The vDSO is the same everywhere, so this program's own tells offsets. */
static uint64_t find_offset(void) {
    return ((const Elf64_Ehdr *)vdso_of(zx_process_self()))->e_entry;
}
static uint64_t real_address(const struct traced *t, uint32_t hash) {
    uint64_t own = vdso_of(zx_process_self());
    uint64_t address = ((find_function *)(own + find_offset()))(hash);
    return address ? address - own + t->vdso : 0;
}

static uint64_t read_word(const struct traced *t, uint64_t address) {
    uint64_t word = 0;
    size_t actual;
    (void)zx_process_read_memory(t->process, address, &word, sizeof word, &actual);
    return word;
}

/* Answer in the place of the vDSO. */
static void answer_find(const struct traced *t, zx_thread_state_general_regs_t *regs) {
    int index = strace_find((uint32_t)regs->rdi);
    regs->rax =
        index < 0 ? real_address(t, (uint32_t)regs->rdi) : CALLS_AT + (uint64_t)index * CALL_SIZE;
    regs->rip = read_word(t, regs->rsp);
    regs->rsp += 8;
}

/* --- a call begins and ends --- */

/* In one piece, since the program writes as well. */
static void print_call(const struct traced *t, const struct pending *p, const char *end) {
    char line[STRACE_TEXT + 64];
    zx_duration_t since = p->begin - t->begin;
    snprintf(line, sizeof line, "%6llu %3lld.%06lld %s%s\n", (unsigned long long)p->thread,
             (long long)(since / ZX_SEC(1)), (long long)(since % ZX_SEC(1) / 1000), p->call.text,
             end);
    fputs(line, stderr);
}

static void begin_call(struct traced *t, zx_koid_t thread, unsigned index,
                       zx_thread_state_general_regs_t *regs) {
    struct pending *p = calloc(1, sizeof *p);
    uint64_t magic = RETURN_AT;
    size_t actual;
    regs->rip = real_address(t, strace_hash(index));
    if (!p)
        return; /* the call is made, but not told */
    *p = (struct pending){.next = t->pending,
                          .thread = thread,
                          .return_address = read_word(t, regs->rsp),
                          .begin = zx_clock_get_monotonic()};
    const uint64_t args[STRACE_ARGS] = {regs->rdi,
                                        regs->rsi,
                                        regs->rdx,
                                        regs->rcx,
                                        regs->r8,
                                        regs->r9,
                                        read_word(t, regs->rsp + 8),
                                        read_word(t, regs->rsp + 16)};
    strace_begin(&p->call, t->process, index, args);
    if (strace_returns(index) &&
        zx_process_write_memory(t->process, regs->rsp, &magic, sizeof magic, &actual) == ZX_OK) {
        t->pending = p;
        return;
    }
    print_call(t, p, "");
    free(p);
}

static void end_call(struct traced *t, zx_koid_t thread, zx_thread_state_general_regs_t *regs) {
    struct pending **at = &t->pending;
    char text[32];
    while (*at && (*at)->thread != thread)
        at = &(*at)->next;
    struct pending *p = *at;
    if (!p)
        return;
    zx_duration_t took = zx_clock_get_monotonic() - p->begin;
    *at = p->next;
    regs->rip = p->return_address;
    strace_end(&p->call, t->process, (zx_status_t)regs->rax);
    snprintf(text, sizeof text, " (%lld us)", (long long)(took / 1000));
    print_call(t, p, text);
    free(p);
}

static void print_unfinished(struct traced *t) {
    for (struct pending *p = t->pending; p; p = p->next)
        print_call(t, p, " unfinished");
}

/* --- events --- */

/* True if the thread is where strace wanted it to fault. */
static bool take_fault(struct traced *t, zx_koid_t thread, zx_thread_state_general_regs_t *regs) {
    uint64_t index = (regs->rip - CALLS_AT) / CALL_SIZE;
    if (regs->rip == t->vdso + find_offset())
        answer_find(t, regs);
    else if (regs->rip == RETURN_AT)
        end_call(t, thread, regs);
    else if (regs->rip >= CALLS_AT && index < strace_count())
        begin_call(t, thread, (unsigned)index, regs);
    else
        return false;
    return true;
}

static void watch_find(const struct traced *t, zx_handle_t thread) {
    const zx_thread_state_debug_regs_t regs = {.dr = {t->vdso + find_offset()}, .dr7 = 1};
    (void)zx_thread_write_state(thread, ZX_THREAD_STATE_DEBUG_REGS, &regs, sizeof regs);
}

/* ZX_EXCEPTION_STATE_: a crash is for the next handler. */
static uint32_t react(struct traced *t, const zx_exception_info_t *info, zx_handle_t thread) {
    zx_thread_state_general_regs_t regs;
    if (info->type == ZX_EXCP_THREAD_STARTING)
        watch_find(t, thread);
    if (!ZX_EXCP_IS_ARCH(info->type))
        return ZX_EXCEPTION_STATE_HANDLED;
    if (zx_thread_read_state(thread, ZX_THREAD_STATE_GENERAL_REGS, &regs, sizeof regs) != ZX_OK ||
        !take_fault(t, info->tid, &regs))
        return ZX_EXCEPTION_STATE_TRY_NEXT;
    (void)zx_thread_write_state(thread, ZX_THREAD_STATE_GENERAL_REGS, &regs, sizeof regs);
    return ZX_EXCEPTION_STATE_HANDLED;
}

static void take_event(struct traced *t) {
    zx_exception_info_t info;
    zx_handle_t exception, thread;
    if (zx_channel_read(t->channel, 0, &info, &exception, sizeof info, 1, NULL, NULL) != ZX_OK)
        return;
    if (zx_exception_get_thread(exception, &thread) == ZX_OK) {
        uint32_t state = react(t, &info, thread);
        (void)zx_object_set_property(exception, ZX_PROP_EXCEPTION_STATE, &state, sizeof state);
        (void)zx_handle_close(thread);
    }
    (void)zx_handle_close(exception);
}

static int run(struct traced *t) {
    zx_info_process_t info = {0};
    zx_wait_item_t items[] = {{t->channel, ZX_CHANNEL_READABLE, 0},
                              {t->process, ZX_PROCESS_TERMINATED, 0}};
    do {
        if (zx_object_wait_many(items, 2, ZX_TIME_INFINITE) != ZX_OK)
            break;
        if (items[0].pending & ZX_CHANNEL_READABLE)
            take_event(t);
    } while (items[0].pending & ZX_CHANNEL_READABLE);
    print_unfinished(t);
    (void)zx_object_get_info(t->process, ZX_INFO_PROCESS, &info, sizeof info, NULL, NULL);
    fprintf(stderr, "the process has ended: %lld\n", (long long)info.return_code);
    return (int)info.return_code;
}

/* The job's debugger hears of the process before it runs, and can attach to it. */
static zx_status_t attach(struct traced *t, zx_handle_t watcher) {
    zx_exception_info_t info;
    zx_handle_t starting = ZX_HANDLE_INVALID;
    zx_status_t status = zx_object_wait_one(watcher, ZX_CHANNEL_READABLE, ZX_TIME_INFINITE, NULL);
    if (status == ZX_OK)
        status = zx_channel_read(watcher, 0, &info, &starting, sizeof info, 1, NULL, NULL);
    if (status == ZX_OK)
        status = zx_exception_get_process(starting, &t->process);
    if (status == ZX_OK)
        status = zx_task_create_exception_channel(t->process, ZX_EXCEPTION_CHANNEL_DEBUGGER,
                                                  &t->channel);
    t->vdso = vdso_of(t->process);
    t->begin = zx_clock_get_monotonic();
    (void)zx_handle_close(starting);
    return status;
}

int main(int argc, char **argv) {
    struct traced traced = {0};
    char error[128] = "";
    zx_handle_t job, watcher, process;
    tool_start(argc, argv, help);
    if (argc < 2)
        return tool_usage();
    zx_status_t status = zx_job_create(zx_job_default(), 0, &job);
    if (status == ZX_OK)
        status = zx_task_create_exception_channel(job, ZX_EXCEPTION_CHANNEL_DEBUGGER, &watcher);
    if (status != ZX_OK)
        return tool_fail(status, "making a job");
    const struct jx_launch launch = {.argv = (const char *const *)argv + 1, .job = job};
    status = jx_launch(&launch, &process, error, sizeof error);
    if (status != ZX_OK)
        return tool_fail(ZX_OK, "%s", error);
    (void)zx_handle_close(process); /* the exception gives another */
    status = attach(&traced, watcher);
    (void)zx_handle_close(watcher); /* its children are their own */
    return status == ZX_OK ? run(&traced) : tool_fail(status, "%s", argv[1]);
}
