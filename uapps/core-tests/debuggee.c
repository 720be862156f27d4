/*
 * debuggee.c - what children do, stopping their threads, registers, and catching exceptions.
 */
#include "core-tests/debuggee.h"

#include <jacinth/utest.h>

/* --- what the children do --- */

CODE(still_code, "1:\tpause\n\tjmp 1b");
CODE(crash_code, "ud2\n\tmovq $1, (%rsi)\n1:\tpause\n\tjmp 1b");

bool start_crashing(struct child *child) {
    zx_status_t status = child_start(child, CHILD_DATA);
    EXPECT_OK(status);
    return status == ZX_OK;
}

/* --- suspension --- */

zx_handle_t stop(zx_handle_t thread) {
    zx_handle_t token = ZX_HANDLE_INVALID;
    EXPECT_OK(zx_task_suspend(thread, &token));
    EXPECT_OK(zx_object_wait_one(thread, ZX_THREAD_SUSPENDED, SOON, NULL));
    return token;
}

void go_on(zx_handle_t thread, zx_handle_t token) {
    close_handle(token);
    EXPECT_OK(zx_object_wait_one(thread, ZX_THREAD_RUNNING, SOON, NULL));
}

zx_info_thread_t thread_info(zx_handle_t thread) {
    zx_info_thread_t info = {0};
    EXPECT_OK(zx_object_get_info(thread, ZX_INFO_THREAD, &info, sizeof info, NULL, NULL));
    return info;
}

uint32_t thread_state(zx_handle_t thread) { return thread_info(thread).state; }

#define MOMENT    ZX_USEC(200)
#define PATIENCE  ZX_SEC(10)

bool wait_for_state(zx_handle_t thread, uint32_t state) {
    zx_time_t end = zx_deadline_after(PATIENCE);
    while (thread_state(thread) != state) {
        if (zx_clock_get_monotonic() > end)
            return false;
        (void)zx_nanosleep(zx_deadline_after(MOMENT));
    }
    return true;
}

bool wait_for_word(const volatile uint64_t *word, uint64_t value) {
    zx_time_t end = zx_deadline_after(PATIENCE);
    while (*word != value) {
        if (zx_clock_get_monotonic() > end)
            return false;
        (void)zx_nanosleep(zx_deadline_after(MOMENT));
    }
    return true;
}

bool wait_for_change(const volatile uint64_t *word, uint64_t value) {
    zx_time_t end = zx_deadline_after(PATIENCE);
    while (*word == value) {
        if (zx_clock_get_monotonic() > end)
            return false;
        (void)zx_nanosleep(zx_deadline_after(MOMENT));
    }
    return true;
}

/* --- registers --- */

zx_thread_state_general_regs_t general_regs(zx_handle_t thread) {
    zx_thread_state_general_regs_t regs = {0};
    EXPECT_OK(zx_thread_read_state(thread, ZX_THREAD_STATE_GENERAL_REGS, &regs, sizeof regs));
    return regs;
}

void set_general_regs(zx_handle_t thread, const zx_thread_state_general_regs_t *regs) {
    EXPECT_OK(zx_thread_write_state(thread, ZX_THREAD_STATE_GENERAL_REGS, regs, sizeof *regs));
}

void set_rip(zx_handle_t thread, uint64_t rip) {
    zx_thread_state_general_regs_t regs = general_regs(thread);
    regs.rip = rip;
    set_general_regs(thread, &regs);
}

void set_single_step(zx_handle_t thread, uint32_t on) {
    EXPECT_OK(zx_thread_write_state(thread, ZX_THREAD_STATE_SINGLE_STEP, &on, sizeof on));
}

/* --- exceptions --- */

zx_handle_t exception_channel(zx_handle_t task, uint32_t options) {
    zx_handle_t channel = ZX_HANDLE_INVALID;
    EXPECT_OK(zx_task_create_exception_channel(task, options, &channel));
    return channel;
}

struct caught catch_next(zx_handle_t channel) {
    struct caught caught = {.exception = ZX_HANDLE_INVALID};
    uint32_t bytes = 0, handles = 0;
    EXPECT_OK(zx_object_wait_one(channel, ZX_CHANNEL_READABLE, SOON, NULL));
    EXPECT_OK(zx_channel_read(channel, 0, &caught.info, &caught.exception, sizeof caught.info, 1,
                              &bytes, &handles));
    EXPECT_EQ(24, bytes);
    EXPECT_EQ(1, handles);
    return caught;
}

zx_handle_t catch_type(zx_handle_t channel, zx_excp_type_t type) {
    struct caught caught = catch_next(channel);
    EXPECT_EQ(type, caught.info.type);
    return caught.exception;
}

void answer(zx_handle_t exception, uint32_t state) {
    EXPECT_OK(zx_object_set_property(exception, ZX_PROP_EXCEPTION_STATE, &state, sizeof state));
    close_handle(exception);
}

zx_exception_report_v2_t report_of(zx_handle_t thread) {
    zx_exception_report_v2_t report = {0};
    EXPECT_OK(zx_object_get_info(thread, ZX_INFO_THREAD_EXCEPTION_REPORT_V2, &report,
                                 sizeof report, NULL, NULL));
    return report;
}
