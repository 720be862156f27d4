/*
 * t_exception_start.c - what debuggers are told without a fault: of processes that start, and
 * of threads that start and end.
 */
#include <jacinth/utest.h>

#include "core-tests/debuggee.h"

TEST(a_debugger_hears_of_threads_that_start_and_end) {
    struct child child;
    struct caught caught;
    REQUIRE(script_make(&child));
    script_add(&child, 0, "zx_thread_exit", 0, 0, 0, 0);
    zx_handle_t debugger = exception_channel(child.process, DEBUGGER);
    EXPECT_OK(child_start(&child, CHILD_DATA));
    caught = catch_next(debugger);
    EXPECT_EQ(ZX_EXCP_THREAD_STARTING, caught.info.type);
    EXPECT_EQ(koid_of(child.thread), caught.info.tid);
    EXPECT_EQ(ZX_THREAD_STATE_BLOCKED_EXCEPTION, thread_state(child.thread));
    EXPECT_EQ(ZX_EXCEPTION_CHANNEL_TYPE_DEBUGGER,
              thread_info(child.thread).wait_exception_channel_type);
    EXPECT_EQ(CHILD_CODE, general_regs(child.thread).rip);
    EXPECT_EQ(CHILD_DATA, general_regs(child.thread).rsi);
    zx_exception_report_v2_t report = report_of(child.thread);
    EXPECT_EQ(ZX_EXCP_THREAD_STARTING, report.header.type);
    EXPECT_EQ(0, report.context.arch.u.x86_64.vector | report.synth_code);
    close_handle(caught.exception);
    zx_handle_t exception = catch_type(debugger, ZX_EXCP_THREAD_EXITING);
    EXPECT_EQ(0, general_regs(child.thread).rdi);
    EXPECT_EQ(ZX_ERR_TIMED_OUT, zx_object_wait_one(child.thread, ZX_THREAD_TERMINATED, 0, NULL));
    close_handle(exception);
    EXPECT_EQ(0, child_wait(&child));
    close_handle(debugger);
    child_end(&child);
}

TEST(a_killed_thread_tells_that_it_ends_but_does_not_wait) {
    struct child child;
    REQUIRE(child_make(&child, still_code, still_code_end));
    zx_handle_t debugger = exception_channel(child.process, DEBUGGER), thread;
    EXPECT_OK(child_start(&child, 0));
    close_handle(catch_type(debugger, ZX_EXCP_THREAD_STARTING));
    EXPECT_OK(zx_task_kill(child.process));
    EXPECT_EQ(ZX_TASK_RETCODE_SYSCALL_KILL, child_wait(&child));
    zx_handle_t exception = catch_type(debugger, ZX_EXCP_THREAD_EXITING);
    EXPECT_OK(zx_exception_get_thread(exception, &thread));
    EXPECT_EQ(koid_of(child.thread), koid_of(thread));
    close_handle(thread);
    close_handle(exception);
    close_handle(debugger);
    child_end(&child);
}

TEST(a_thread_goes_on_when_its_debugger_leaves) {
    struct child child;
    REQUIRE(child_make(&child, crash_code, crash_code_end));
    zx_handle_t debugger = exception_channel(child.process, DEBUGGER);
    EXPECT_OK(zx_process_start(child.process, child.thread, AFTER_CRASH, CHILD_STACK, 0,
                               CHILD_DATA));
    EXPECT_OK(zx_object_wait_one(debugger, ZX_CHANNEL_READABLE, SOON, NULL));
    EXPECT_EQ(0, child.data[0]);
    close_handle(debugger);
    EXPECT(wait_for_word(&child.data[0], 1));
    child_end(&child);
}

TEST(the_nearest_debugger_of_a_job_hears_of_a_process_that_starts) {
    struct child child;
    struct caught caught;
    zx_handle_t outer = make_job(zx_job_default()), middle = make_job(outer),
                inner = make_job(middle), far, near, process;
    REQUIRE(child_make_in(&child, inner, still_code, still_code_end));
    far = exception_channel(outer, DEBUGGER);
    near = exception_channel(middle, DEBUGGER);
    EXPECT_OK(child_start(&child, 0));
    caught = catch_next(near);
    EXPECT_EQ(ZX_EXCP_PROCESS_STARTING, caught.info.type);
    EXPECT_EQ(koid_of(child.process), caught.info.pid);
    EXPECT_EQ(ZX_EXCEPTION_CHANNEL_TYPE_JOB_DEBUGGER,
              thread_info(child.thread).wait_exception_channel_type);
    EXPECT_EQ(CHILD_CODE, general_regs(child.thread).rip);
    /* Now is the time to attach to the process: its thread has yet to start. */
    EXPECT_OK(zx_exception_get_process(caught.exception, &process));
    zx_handle_t debugger = exception_channel(process, DEBUGGER);
    close_handle(process);
    close_handle(caught.exception);
    close_handle(catch_type(debugger, ZX_EXCP_THREAD_STARTING));
    EXPECT(wait_for_state(child.thread, ZX_THREAD_STATE_RUNNING));
    EXPECT_EQ(ZX_ERR_TIMED_OUT, zx_object_wait_one(far, ZX_CHANNEL_READABLE, 0, NULL));
    close_handle(near);
    close_handle(far);
    close_handle(debugger);
    child_end(&child);
    close_handle(inner);
    close_handle(middle);
    close_handle(outer);
}

TEST(a_job_s_debugger_is_not_asked_about_faults) {
    struct child child;
    zx_handle_t job = make_job(zx_job_default());
    REQUIRE(child_make_in(&child, job, crash_code, crash_code_end));
    zx_handle_t debugger = exception_channel(job, DEBUGGER);
    REQUIRE(start_crashing(&child));
    close_handle(catch_type(debugger, ZX_EXCP_PROCESS_STARTING));
    EXPECT_EQ(ZX_TASK_RETCODE_EXCEPTION_KILL, child_wait(&child));
    EXPECT_EQ(ZX_ERR_TIMED_OUT, zx_object_wait_one(debugger, ZX_CHANNEL_READABLE, 0, NULL));
    close_handle(debugger);
    child_end(&child);
    close_handle(job);
}
