/*
 * debug - stops a program, looks at it, and lets it go on.
 *
 * It is the process's debugger: the kernel tells it first of every exception, and of
 * threads that start and end. While a person looks, the whole process is suspended; the
 * thread that an exception stopped is held by that as well. Breakpoints are the
 * processor's four, since programs are mapped from the boot archive, which nobody can
 * write to; each thread gets them while it stands still.
 */
#include "tools/debug.h"

#include <jacinth/launch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zircon/process.h>
#include <zircon/processargs.h>
#include <zircon/syscalls.h>

#include "common/inspect.h"
#include "common/tasks.h"
#include "common/tool.h"

#define PATIENCE ZX_SEC(5)

/* --- breakpoints --- */

static zx_thread_state_debug_regs_t debug_regs_of(const struct target *t) {
    zx_thread_state_debug_regs_t regs = {0};
    for (unsigned i = 0; i < BREAKPOINTS; i++) {
        const struct breakpoint *b = &t->breakpoints[i];
        if (b->kind == BREAK_NONE)
            continue;
        regs.dr[i] = b->address;
        regs.dr7 |= (uint64_t)1 << (2 * i);
        if (b->kind == BREAK_WRITE) /* eight bytes */
            regs.dr7 |= (uint64_t)(1 | 2 << 2) << (16 + 4 * i);
    }
    return regs;
}

static void arm_thread(const struct target *t, zx_handle_t thread) {
    const zx_thread_state_debug_regs_t regs = debug_regs_of(t);
    (void)zx_thread_write_state(thread, ZX_THREAD_STATE_DEBUG_REGS, &regs, sizeof regs);
}

zx_status_t target_each_thread(struct target *t,
                               void (*visit)(struct target *t, zx_handle_t thread)) {
    size_t count;
    void *koids;
    zx_status_t status =
        tasks_list(t->process, ZX_INFO_PROCESS_THREADS, sizeof(zx_koid_t), &koids, &count);
    for (size_t i = 0; status == ZX_OK && i < count; i++) {
        zx_handle_t thread;
        if (zx_object_get_child(t->process, ((zx_koid_t *)koids)[i], ZX_RIGHT_SAME_RIGHTS,
                                &thread) != ZX_OK)
            continue;
        visit(t, thread);
        (void)zx_handle_close(thread);
    }
    free(koids);
    return status;
}

/* One that is in an exception stands still without the signal. */
static void wait_until_still(zx_handle_t thread) {
    zx_info_thread_t info = {0};
    (void)zx_object_get_info(thread, ZX_INFO_THREAD, &info, sizeof info, NULL, NULL);
    if (info.state != ZX_THREAD_STATE_BLOCKED_EXCEPTION)
        (void)zx_object_wait_one(thread, ZX_THREAD_SUSPENDED | ZX_THREAD_TERMINATED,
                                 zx_deadline_after(PATIENCE), NULL);
}

static void arm_when_still(struct target *t, zx_handle_t thread) {
    wait_until_still(thread);
    arm_thread(t, thread);
}

static void end_step(zx_handle_t thread) {
    static const uint32_t off = 0;
    (void)zx_thread_write_state(thread, ZX_THREAD_STATE_SINGLE_STEP, &off, sizeof off);
}

static void calm(struct target *t, zx_handle_t thread) {
    wait_until_still(thread);
    end_step(thread);
}

/* --- stopping and going on --- */

static void target_hold(struct target *t) {
    if (t->token == ZX_HANDLE_INVALID)
        (void)zx_task_suspend(t->process, &t->token);
}

static bool is_ours(zx_excp_type_t type) {
    return !ZX_EXCP_IS_ARCH(type) || type == ZX_EXCP_HW_BREAKPOINT ||
           type == ZX_EXCP_SW_BREAKPOINT;
}

static void close_handle(zx_handle_t *handle) {
    (void)zx_handle_close(*handle);
    *handle = ZX_HANDLE_INVALID;
}

/* The stopped thread goes on; a crash goes to the next handler. */
static void release_exception(struct target *t) {
    uint32_t state = is_ours(t->type) ? ZX_EXCEPTION_STATE_HANDLED : ZX_EXCEPTION_STATE_TRY_NEXT;
    if (t->exception != ZX_HANDLE_INVALID)
        (void)zx_object_set_property(t->exception, ZX_PROP_EXCEPTION_STATE, &state, sizeof state);
    close_handle(&t->exception);
}

static void target_release(struct target *t) {
    (void)target_each_thread(t, arm_when_still);
    release_exception(t);
    close_handle(&t->token);
}

/* What is the next line about? Takes the thread of the exception. */
static void take_stop(struct target *t, zx_handle_t exception, zx_excp_type_t type) {
    close_handle(&t->thread);
    t->exception = exception;
    t->type = type;
    (void)zx_exception_get_thread(exception, &t->thread);
    end_step(t->thread);
    target_hold(t);
}

static void print_stop(struct target *t) {
    zx_exception_report_v2_t report;
    if (zx_object_get_info(t->thread, ZX_INFO_THREAD_EXCEPTION_REPORT_V2, &report, sizeof report,
                           NULL, NULL) == ZX_OK)
        inspect_print_exception(t->process, t->thread, &report);
    target_print_place(t);
}

void target_print_place(struct target *t) {
    zx_thread_state_general_regs_t regs;
    char place[INSPECT_PLACE];
    if (zx_thread_read_state(t->thread, ZX_THREAD_STATE_GENERAL_REGS, &regs, sizeof regs) == ZX_OK)
        printf("at %#llx %s\n", (unsigned long long)regs.rip,
               inspect_place(t->process, regs.rip, place));
}

/* True if the person is to look at it. */
static bool take_event(struct target *t) {
    zx_exception_info_t info;
    zx_handle_t exception;
    if (zx_channel_read(t->channel, 0, &info, &exception, sizeof info, 1, NULL, NULL) != ZX_OK)
        return false;
    bool is_quiet =
        info.type == ZX_EXCP_THREAD_EXITING || (info.type == ZX_EXCP_THREAD_STARTING && t->began);
    t->began = true;
    if (!is_quiet) {
        take_stop(t, exception, info.type);
        return true;
    }
    zx_handle_t thread = ZX_HANDLE_INVALID;
    if (info.type == ZX_EXCP_THREAD_STARTING && zx_exception_get_thread(exception, &thread) == ZX_OK)
        arm_thread(t, thread);
    (void)zx_handle_close(thread);
    (void)zx_handle_close(exception);
    return false;
}

static void print_end(struct target *t) {
    zx_info_process_t info = {0};
    (void)zx_object_get_info(t->process, ZX_INFO_PROCESS, &info, sizeof info, NULL, NULL);
    printf("the process has ended: %lld\n", (long long)info.return_code);
    t->ended = true;
}

void target_run(struct target *t, zx_time_t deadline) {
    zx_wait_item_t items[] = {{t->channel, ZX_CHANNEL_READABLE, 0},
                              {t->process, ZX_PROCESS_TERMINATED, 0}};
    target_release(t);
    for (;;) {
        zx_status_t status = zx_object_wait_many(items, 2, deadline);
        if (status == ZX_ERR_TIMED_OUT) {
            target_hold(t);
            (void)target_each_thread(t, calm);
            printf("stopped ");
            target_print_place(t);
            return;
        }
        if (items[0].pending & ZX_CHANNEL_READABLE) {
            if (take_event(t)) {
                print_stop(t);
                return;
            }
        } else {
            print_end(t);
            return;
        }
    }
}

void target_leave(struct target *t) {
    memset(t->breakpoints, 0, sizeof t->breakpoints);
    target_release(t);
    close_handle(&t->channel);
}

/* --- beginning --- */

/* Standard output and error are shared; the input stays the debugger's. */
static size_t share_output(struct jx_launch_handle *handles) {
    size_t count = 0;
    for (int fd = 1; fd <= 2; fd++) {
        zx_handle_t copy;
        if (zx_handle_duplicate(jx_stream_handle(fd), ZX_RIGHT_SAME_RIGHTS, &copy) == ZX_OK)
            handles[count++] = (struct jx_launch_handle){PA_HND(PA_FD, fd), copy};
    }
    return count;
}

static zx_status_t launch(char **argv, zx_handle_t job, char *error, size_t error_size) {
    struct jx_launch_handle handles[2];
    zx_handle_t process;
    const struct jx_launch how = {.argv = (const char *const *)argv,
                                  .job = job,
                                  .handles = handles,
                                  .handle_count = share_output(handles),
                                  .flags = JX_LAUNCH_NO_STDIO};
    zx_status_t status = jx_launch(&how, &process, error, error_size);
    if (status == ZX_OK)
        (void)zx_handle_close(process); /* the exception gives another */
    return status;
}

/* The next exception of a channel that is sure to come. */
static zx_status_t next_exception(zx_handle_t channel, zx_handle_t *out_exception) {
    zx_exception_info_t info;
    zx_status_t status = zx_object_wait_one(channel, ZX_CHANNEL_READABLE, ZX_TIME_INFINITE, NULL);
    return status == ZX_OK
               ? zx_channel_read(channel, 0, &info, out_exception, sizeof info, 1, NULL, NULL)
               : status;
}

/* The job's debugger hears of the process before it runs, and can attach to it. */
static zx_status_t attach_from_start(struct target *t, zx_handle_t watcher) {
    zx_handle_t starting = ZX_HANDLE_INVALID;
    zx_status_t status = next_exception(watcher, &starting);
    if (status == ZX_OK)
        status = zx_exception_get_process(starting, &t->process);
    if (status == ZX_OK)
        status = zx_task_create_exception_channel(t->process, ZX_EXCEPTION_CHANNEL_DEBUGGER,
                                                  &t->channel);
    (void)zx_handle_close(starting);
    if (status == ZX_OK)
        status = zx_object_wait_one(t->channel, ZX_CHANNEL_READABLE, ZX_TIME_INFINITE, NULL);
    if (status == ZX_OK && take_event(t))
        print_stop(t);
    return status;
}

int target_start(struct target *t, char **argv) {
    char error[128] = "";
    zx_handle_t job, watcher;
    zx_status_t status = zx_job_create(zx_job_default(), 0, &job);
    if (status == ZX_OK)
        status = zx_task_create_exception_channel(job, ZX_EXCEPTION_CHANNEL_DEBUGGER, &watcher);
    if (status != ZX_OK)
        return tool_fail(status, "making a job");
    status = launch(argv, job, error, sizeof error);
    if (status != ZX_OK)
        return tool_fail(ZX_OK, "%s", error);
    status = attach_from_start(t, watcher);
    (void)zx_handle_close(watcher);
    (void)zx_handle_close(job);
    return status == ZX_OK ? 0 : tool_fail(status, "%s", argv[0]);
}

/* The first thread is the one to look at. */
static void choose_thread(struct target *t, zx_handle_t thread) {
    if (t->thread == ZX_HANDLE_INVALID)
        (void)zx_handle_duplicate(thread, ZX_RIGHT_SAME_RIGHTS, &t->thread);
}

int target_attach(struct target *t, zx_handle_t root, const char *word) {
    zx_koid_t koid;
    enum task_kind kind;
    if (!tasks_parse_koid(word, &koid))
        return tool_fail(ZX_OK, "%s: not a koid", word);
    zx_status_t status = tasks_find(root, koid, &t->process, &kind);
    if (status == ZX_OK && kind != TASK_PROCESS)
        return tool_fail(ZX_OK, "%s: not a process", word);
    if (status == ZX_OK)
        status = zx_task_create_exception_channel(t->process, ZX_EXCEPTION_CHANNEL_DEBUGGER,
                                                  &t->channel);
    if (status != ZX_OK)
        return tool_fail(status, "%s", word);
    t->began = true;
    target_hold(t);
    (void)target_each_thread(t, choose_thread);
    (void)target_each_thread(t, arm_when_still); /* waits until all stand still */
    target_print_place(t);
    return 0;
}
