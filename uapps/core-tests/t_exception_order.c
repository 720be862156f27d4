/*
 * t_exception_order.c - who is asked about an exception, in which order, and what becomes of
 * the order when a handler, or the thread itself, is gone.
 */
#include <jacinth/utest.h>

#include "core-tests/debuggee.h"

/* --- the order --- */

#define HANDLERS 5
struct handlers {
    zx_handle_t outer, inner; /* jobs */
    zx_handle_t channels[HANDLERS];
};
static const uint32_t channel_types[HANDLERS] = {
    ZX_EXCEPTION_CHANNEL_TYPE_DEBUGGER, ZX_EXCEPTION_CHANNEL_TYPE_THREAD,
    ZX_EXCEPTION_CHANNEL_TYPE_PROCESS, ZX_EXCEPTION_CHANNEL_TYPE_JOB,
    ZX_EXCEPTION_CHANNEL_TYPE_JOB};

/* A child that a handler of each kind waits for. */
static bool handlers_make(struct handlers *h, struct child *child) {
    h->outer = make_job(zx_job_default());
    h->inner = make_job(h->outer);
    if (!child_make_in(child, h->inner, crash_code, crash_code_end))
        return false;
    h->channels[0] = exception_channel(child->process, DEBUGGER);
    h->channels[1] = exception_channel(child->thread, 0);
    h->channels[2] = exception_channel(child->process, 0);
    h->channels[3] = exception_channel(h->inner, 0);
    h->channels[4] = exception_channel(h->outer, 0);
    if (!start_crashing(child))
        return false;
    close_handle(catch_type(h->channels[0], ZX_EXCP_THREAD_STARTING));
    return true;
}

static void handlers_end(struct handlers *h, struct child *child) {
    child_end(child);
    for (int i = 0; i < HANDLERS; i++)
        close_handle(h->channels[i]);
    close_handle(h->inner);
    close_handle(h->outer);
}

/* The exception is at handler i, and at no other. */
static zx_handle_t expect_at(struct handlers *h, struct child *child, int i) {
    zx_handle_t exception = catch_type(h->channels[i], UNDEFINED);
    EXPECT_EQ(channel_types[i], thread_info(child->thread).wait_exception_channel_type);
    for (int j = 0; j < HANDLERS; j++)
        EXPECT_EQ(ZX_ERR_TIMED_OUT,
                  zx_object_wait_one(h->channels[j], ZX_CHANNEL_READABLE, 0, NULL));
    return exception;
}

TEST(handlers_are_asked_from_the_debugger_to_the_outermost_job) {
    struct handlers h;
    struct child child;
    REQUIRE(handlers_make(&h, &child));
    for (int i = 0; i < HANDLERS; i++) {
        zx_handle_t exception = expect_at(&h, &child, i);
        uint32_t state = 9;
        EXPECT_OK(zx_object_get_property(exception, ZX_PROP_EXCEPTION_STATE, &state, 4));
        EXPECT_EQ(TRY_NEXT, state);
        close_handle(exception);
    }
    EXPECT_OK(zx_object_wait_one(h.channels[0], ZX_CHANNEL_READABLE, SOON, NULL));
    close_handle(catch_type(h.channels[0], ZX_EXCP_THREAD_EXITING));
    EXPECT_EQ(ZX_TASK_RETCODE_EXCEPTION_KILL, child_wait(&child));
    handlers_end(&h, &child);
}

TEST(each_handler_can_end_the_search) {
    for (int last = 0; last < HANDLERS; last++) {
        struct handlers h;
        struct child child;
        REQUIRE(handlers_make(&h, &child));
        for (int i = 0; i < last; i++)
            close_handle(expect_at(&h, &child, i));
        zx_handle_t exception = expect_at(&h, &child, last);
        set_rip(child.thread, AFTER_CRASH);
        answer(exception, HANDLED);
        EXPECT(wait_for_word(&child.data[0], 1));
        handlers_end(&h, &child);
    }
}

TEST(a_debugger_that_asks_for_a_second_chance_gets_it_after_the_process) {
    struct handlers h;
    struct child child;
    uint32_t strategy = 9;
    REQUIRE(handlers_make(&h, &child));
    zx_handle_t exception = expect_at(&h, &child, 0);
    zx_koid_t first = koid_of(exception);
    EXPECT_OK(zx_object_get_property(exception, ZX_PROP_EXCEPTION_STRATEGY, &strategy, 4));
    EXPECT_EQ(ZX_EXCEPTION_STRATEGY_FIRST_CHANCE, strategy);
    strategy = 2;
    EXPECT_EQ(ZX_ERR_INVALID_ARGS,
              zx_object_set_property(exception, ZX_PROP_EXCEPTION_STRATEGY, &strategy, 4));
    strategy = ZX_EXCEPTION_STRATEGY_SECOND_CHANCE;
    EXPECT_OK(zx_object_set_property(exception, ZX_PROP_EXCEPTION_STRATEGY, &strategy, 4));
    close_handle(exception);
    close_handle(expect_at(&h, &child, 1));
    close_handle(expect_at(&h, &child, 2));
    exception = expect_at(&h, &child, 0);
    EXPECT(koid_of(exception) != first);
    EXPECT_OK(zx_object_get_property(exception, ZX_PROP_EXCEPTION_STRATEGY, &strategy, 4));
    EXPECT_EQ(ZX_EXCEPTION_STRATEGY_FIRST_CHANCE, strategy);
    close_handle(exception);
    close_handle(expect_at(&h, &child, 3));
    exception = expect_at(&h, &child, 4);
    EXPECT_OK(zx_task_kill(child.process));
    close_handle(exception);
    EXPECT_EQ(ZX_TASK_RETCODE_SYSCALL_KILL, child_wait(&child));
    handlers_end(&h, &child);
}

TEST(a_handler_that_handles_is_the_last_though_a_second_chance_was_asked_for) {
    struct handlers h;
    struct child child;
    uint32_t strategy = ZX_EXCEPTION_STRATEGY_SECOND_CHANCE;
    REQUIRE(handlers_make(&h, &child));
    zx_handle_t exception = expect_at(&h, &child, 0);
    EXPECT_OK(zx_object_set_property(exception, ZX_PROP_EXCEPTION_STRATEGY, &strategy, 4));
    close_handle(exception);
    exception = expect_at(&h, &child, 1);
    set_rip(child.thread, AFTER_CRASH);
    answer(exception, HANDLED);
    EXPECT(wait_for_word(&child.data[0], 1));
    EXPECT_EQ(ZX_ERR_TIMED_OUT, zx_object_wait_one(h.channels[0], ZX_CHANNEL_READABLE, 0, NULL));
    handlers_end(&h, &child);
}

TEST(a_handler_that_goes_away_is_passed_over) {
    struct handlers h;
    struct child child;
    zx_handle_t dummy, other;
    REQUIRE(handlers_make(&h, &child));
    /* With the exception unread in its channel, ... */
    EXPECT_OK(zx_object_wait_one(h.channels[0], ZX_CHANNEL_READABLE, SOON, NULL));
    close_handle(h.channels[0]);
    close_handle(h.channels[2]);
    EXPECT_OK(zx_channel_create(0, &h.channels[0], &dummy));
    EXPECT_OK(zx_channel_create(0, &h.channels[2], &other));
    close_handle(expect_at(&h, &child, 1));
    /* ... or before it was asked: the process's handler is not there. */
    zx_handle_t exception = expect_at(&h, &child, 3);
    set_rip(child.thread, AFTER_CRASH);
    answer(exception, HANDLED);
    EXPECT(wait_for_word(&child.data[0], 1));
    close_handle(dummy);
    close_handle(other);
    handlers_end(&h, &child);
}

/* --- handlers and threads that die --- */

TEST(an_exception_held_by_a_process_that_dies_goes_to_the_next) {
    struct child child, holder;
    REQUIRE(child_make(&child, crash_code, crash_code_end));
    REQUIRE(script_make(&holder));
    script_add(&holder, 0, "zx_nanosleep", INT64_MAX, 0, 0, 0);
    zx_handle_t first = exception_channel(child.thread, 0);
    zx_handle_t second = exception_channel(child.process, 0);
    REQUIRE(start_crashing(&child));
    zx_handle_t exception = catch_type(first, UNDEFINED);
    EXPECT_OK(zx_process_start(holder.process, holder.thread, CHILD_CODE, CHILD_STACK, exception,
                               CHILD_DATA));
    EXPECT(wait_for_state(holder.thread, ZX_THREAD_STATE_BLOCKED_SLEEPING));
    EXPECT_EQ(ZX_EXCEPTION_CHANNEL_TYPE_THREAD,
              thread_info(child.thread).wait_exception_channel_type);
    EXPECT_OK(zx_task_kill(holder.process));
    exception = catch_type(second, UNDEFINED);
    set_rip(child.thread, AFTER_CRASH);
    answer(exception, HANDLED);
    EXPECT(wait_for_word(&child.data[0], 1));
    close_handle(first);
    close_handle(second);
    child_end(&holder);
    child_end(&child);
}

TEST(a_thread_killed_in_an_exception_asks_nobody_else) {
    struct handlers h;
    struct child child;
    uint32_t state = HANDLED;
    REQUIRE(handlers_make(&h, &child));
    zx_handle_t exception = expect_at(&h, &child, 0);
    EXPECT_OK(zx_task_kill(child.process));
    close_handle(catch_type(h.channels[0], ZX_EXCP_THREAD_EXITING));
    EXPECT_EQ(ZX_TASK_RETCODE_SYSCALL_KILL, child_wait(&child));
    for (int i = 1; i < HANDLERS; i++)
        EXPECT_EQ(ZX_ERR_TIMED_OUT,
                  zx_object_wait_one(h.channels[i], ZX_CHANNEL_READABLE, 0, NULL));
    EXPECT_EQ(ZX_ERR_BAD_STATE,
              zx_object_get_info(child.thread, ZX_INFO_THREAD_EXCEPTION_REPORT, &state, 0, NULL,
                                 NULL));
    EXPECT_OK(zx_object_set_property(exception, ZX_PROP_EXCEPTION_STATE, &state, 4));
    close_handle(exception);
    handlers_end(&h, &child);
}
