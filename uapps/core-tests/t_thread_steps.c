/*
 * t_thread_steps.c - how a debugger walks a thread: single steps and hardware breakpoints.
 */
#include <jacinth/utest.h>

#include "core-tests/debuggee.h"

/* A child that its debugger holds before the first instruction; *out_start is that. */
static bool attach(struct child *child, zx_handle_t *out_debugger, zx_handle_t *out_start) {
    *out_debugger = exception_channel(child->process, DEBUGGER);
    EXPECT_OK(child_start(child, CHILD_DATA));
    *out_start = catch_type(*out_debugger, ZX_EXCP_THREAD_STARTING);
    return *out_start != ZX_HANDLE_INVALID;
}

/* --- single steps --- */

CODE(step_code, "nop\n\tmov $5, %eax\n\tpush %rax\n\tpop %rbx\n\tjmp 1f\n\tud2\n1:\tnop\n\tud2");

TEST(a_thread_is_stepped_one_instruction_at_a_time) {
    static const uint8_t offsets[] = {1, 6, 7, 8, 12, 13};
    struct child child;
    zx_handle_t debugger, exception;
    REQUIRE(child_make(&child, step_code, step_code_end));
    REQUIRE(attach(&child, &debugger, &exception));
    set_single_step(child.thread, 1);
    for (size_t i = 0; i < sizeof offsets; i++) {
        zx_thread_state_debug_regs_t debug;
        close_handle(exception);
        exception = catch_type(debugger, ZX_EXCP_HW_BREAKPOINT);
        EXPECT_EQ(CHILD_CODE + offsets[i], general_regs(child.thread).rip);
        EXPECT_EQ(1, report_of(child.thread).context.arch.u.x86_64.vector);
        EXPECT_OK(zx_thread_read_state(child.thread, ZX_THREAD_STATE_DEBUG_REGS, &debug,
                                       sizeof debug));
        EXPECT_EQ(0x4000, debug.dr6 & 0x400f);
        uint32_t handled = HANDLED;
        EXPECT_OK(zx_object_set_property(exception, ZX_PROP_EXCEPTION_STATE, &handled, 4));
    }
    EXPECT_EQ(5, general_regs(child.thread).rbx);
    set_single_step(child.thread, 0);
    close_handle(exception);
    exception = catch_type(debugger, ZX_EXCP_UNDEFINED_INSTRUCTION);
    EXPECT_EQ(CHILD_CODE + 13, general_regs(child.thread).rip);
    close_handle(exception);
    EXPECT_EQ(ZX_TASK_RETCODE_EXCEPTION_KILL, child_wait(&child));
    close_handle(debugger);
    child_end(&child);
}

/* A call is one step, whether the thread was wanted meanwhile or not. */
static void step_over_call(bool suspend_meanwhile) {
    struct child child;
    zx_handle_t debugger, exception, token = ZX_HANDLE_INVALID;
    uint64_t before = 0, after = 0;
    REQUIRE(script_make(&child));
    script_add(&child, 0, "zx_handle_close", 0, 0, 0, 0);
    REQUIRE(attach(&child, &debugger, &exception));
    set_single_step(child.thread, 1);
    for (int i = 0; i < 100; i++) {
        if (suspend_meanwhile)
            EXPECT_OK(zx_task_suspend(child.thread, &token));
        answer(exception, HANDLED);
        if (suspend_meanwhile) {
            EXPECT_OK(zx_object_wait_one(child.thread, ZX_THREAD_SUSPENDED, SOON, NULL));
            close_handle(token);
        }
        exception = catch_type(debugger, ZX_EXCP_HW_BREAKPOINT);
        after = general_regs(child.thread).rip;
        uint8_t code[2] = {0};
        size_t actual;
        EXPECT_OK(zx_process_read_memory(child.process, before ? before : CHILD_CODE, code, 2,
                                         &actual));
        if (code[0] == 0x0f && code[1] == 0x05)
            break;
        before = after;
    }
    EXPECT_EQ(before + 2, after);
    EXPECT_EQ(0, general_regs(child.thread).rax);
    EXPECT_OK(zx_task_kill(child.process));
    close_handle(exception);
    EXPECT_EQ(ZX_TASK_RETCODE_SYSCALL_KILL, child_wait(&child));
    close_handle(debugger);
    child_end(&child);
}

TEST(a_call_is_one_step) { step_over_call(false); }
TEST(a_call_is_one_step_of_a_thread_that_is_suspended_in_between) { step_over_call(true); }

/* --- hardware breakpoints --- */

CODE(watch_code, "nop\n\tnop\n\tmovq $1, 8(%rsi)\n\tnop\n\tmov 16(%rsi), %rax\n\tnop\n\tud2");
/*               0     1      2                    10     11                  15     16 */

static void set_debug(zx_handle_t thread, const zx_thread_state_debug_regs_t *regs) {
    EXPECT_OK(zx_thread_write_state(thread, ZX_THREAD_STATE_DEBUG_REGS, regs, sizeof *regs));
}

static uint64_t dr6_of(zx_handle_t thread) {
    zx_thread_state_debug_regs_t regs = {0};
    EXPECT_OK(zx_thread_read_state(thread, ZX_THREAD_STATE_DEBUG_REGS, &regs, sizeof regs));
    return regs.dr6;
}

/* Breakpoint 0 on the second nop, 1 on a write, 2 on a read or write. */
static const zx_thread_state_debug_regs_t watch = {
    .dr = {CHILD_CODE + 1, CHILD_DATA + 8, CHILD_DATA + 16, 0},
    .dr7 = 1 << 0 | 1 << 2 | 1 << 4 | (uint64_t)0x9 << 20 | (uint64_t)0xb << 24};

TEST(hardware_breakpoints_stop_a_thread_and_let_it_go_on) {
    static const struct {
        uint8_t offset, bit;
    } stops[] = {{1, 0}, {10, 1}, {15, 2}};
    struct child child;
    zx_handle_t debugger, exception;
    REQUIRE(child_make(&child, watch_code, watch_code_end));
    REQUIRE(attach(&child, &debugger, &exception));
    set_debug(child.thread, &watch);
    for (size_t i = 0; i < 3; i++) {
        answer(exception, HANDLED);
        exception = catch_type(debugger, ZX_EXCP_HW_BREAKPOINT);
        EXPECT_EQ(CHILD_CODE + stops[i].offset, general_regs(child.thread).rip);
        EXPECT_EQ(1u << stops[i].bit, dr6_of(child.thread) & 0x400f);
    }
    answer(exception, HANDLED);
    exception = catch_type(debugger, ZX_EXCP_UNDEFINED_INSTRUCTION);
    close_handle(exception);
    EXPECT_EQ(ZX_TASK_RETCODE_EXCEPTION_KILL, child_wait(&child));
    close_handle(debugger);
    child_end(&child);
}

/*
 * Watches of one thread do not stop another, though both touch what is watched on the same
 * CPU: here the second thread of the process runs the same code.
 */
TEST(hardware_breakpoints_are_a_thread_s_own) {
    struct child child;
    zx_handle_t debugger, first, second, thread, exception;
    REQUIRE(child_make(&child, watch_code, watch_code_end));
    REQUIRE(attach(&child, &debugger, &first));
    REQUIRE_OK(zx_thread_create(child.process, "second", 6, 0, &thread));
    EXPECT_OK(zx_thread_start(thread, CHILD_CODE, CHILD_STACK, 0, CHILD_DATA));
    second = catch_type(debugger, ZX_EXCP_THREAD_STARTING);
    set_debug(child.thread, &watch);
    answer(first, HANDLED);
    first = catch_type(debugger, ZX_EXCP_HW_BREAKPOINT); /* its CPU is armed now */
    answer(second, HANDLED);
    struct caught caught = catch_next(debugger);
    EXPECT_EQ(ZX_EXCP_UNDEFINED_INSTRUCTION, caught.info.type);
    EXPECT_EQ(koid_of(thread), caught.info.tid);
    answer(first, HANDLED);
    exception = catch_type(debugger, ZX_EXCP_HW_BREAKPOINT);
    EXPECT_EQ(CHILD_CODE + 10, general_regs(child.thread).rip);
    EXPECT_OK(zx_task_kill(child.process));
    close_handle(exception);
    close_handle(caught.exception);
    close_handle(thread);
    EXPECT_EQ(ZX_TASK_RETCODE_SYSCALL_KILL, child_wait(&child));
    close_handle(debugger);
    child_end(&child);
}

/* The kernel writes to what is watched, for the thread that watches it. */
TEST(a_watch_does_not_stop_the_kernel) {
    struct child child;
    zx_handle_t debugger, exception;
    REQUIRE(script_make(&child));
    zx_thread_state_debug_regs_t regs = {
        .dr = {CHILD_DATA + 8 * 300}, .dr7 = 1 | (uint64_t)0xb << 16};
    script_add(&child, 0, "zx_clock_get", 0, CHILD_DATA + 8 * 300, 0, 0);
    REQUIRE(attach(&child, &debugger, &exception));
    set_debug(child.thread, &regs);
    answer(exception, HANDLED);
    exception = catch_type(debugger, ZX_EXCP_UNDEFINED_INSTRUCTION);
    EXPECT_EQ(0, script_result(&child, 0));
    EXPECT(child.data[300] != 0);
    close_handle(exception);
    EXPECT_EQ(ZX_TASK_RETCODE_EXCEPTION_KILL, child_wait(&child));
    close_handle(debugger);
    child_end(&child);
}

TEST(debug_registers_are_checked_and_their_reserved_bits_fixed) {
    struct child child;
    zx_thread_state_debug_regs_t regs, good = {.dr = {1, 2, 3, 4}, .dr7 = UINT64_MAX};
    REQUIRE(child_make(&child, still_code, still_code_end));
    EXPECT_OK(child_start(&child, 0));
    zx_handle_t token = stop(child.thread);
    good.dr7 = (uint64_t)0xffffffff0000fcff | (uint64_t)0x33330000; /* all on writes and reads */
    good.dr6 = UINT64_MAX;
    set_debug(child.thread, &good);
    EXPECT_OK(zx_thread_read_state(child.thread, ZX_THREAD_STATE_DEBUG_REGS, &regs, sizeof regs));
    EXPECT_EQ(4, regs.dr[3]);
    EXPECT_EQ(0x333304ff, regs.dr7);
    EXPECT_EQ(0xffffefff, regs.dr6);
    const uint64_t bad[] = {0x7ffffffff000, 0xffff800000000000, 0x800000000000};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        regs = good;
        regs.dr[i] = bad[i];
        EXPECT_EQ(ZX_ERR_INVALID_ARGS,
                  zx_thread_write_state(child.thread, ZX_THREAD_STATE_DEBUG_REGS, &regs,
                                        sizeof regs));
    }
    regs = (zx_thread_state_debug_regs_t){.dr7 = (uint64_t)2 << 16}; /* an I/O breakpoint */
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_thread_write_state(child.thread, ZX_THREAD_STATE_DEBUG_REGS,
                                                         &regs, sizeof regs));
    EXPECT_OK(zx_thread_read_state(child.thread, ZX_THREAD_STATE_DEBUG_REGS, &regs, sizeof regs));
    EXPECT_EQ(0x333304ff, regs.dr7);
    close_handle(token);
    child_end(&child);
}
