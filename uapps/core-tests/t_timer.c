/*
 * t_timer.c - clocks, sleeping, timers.
 */
#include <jacinth/utest.h>

#include "core-tests/support.h"

static zx_handle_t make_timer(void) {
    zx_handle_t timer = ZX_HANDLE_INVALID;
    EXPECT_OK(zx_timer_create(ZX_TIMER_SLACK_CENTER, ZX_CLOCK_MONOTONIC, &timer));
    return timer;
}
static bool has_fired(zx_handle_t timer) {
    return zx_object_wait_one(timer, ZX_TIMER_SIGNALED, 0, NULL) == ZX_OK;
}

TEST(clock_get_knows_three_clocks) {
    zx_time_t first = 0, second = 0, unknown = 7;
    EXPECT_OK(zx_clock_get(ZX_CLOCK_MONOTONIC, &first));
    second = zx_clock_get_monotonic();
    EXPECT(first > 0 && second >= first);
    EXPECT_OK(zx_clock_get(ZX_CLOCK_UTC, &first));
    EXPECT_OK(zx_clock_get(ZX_CLOCK_THREAD, &first));
    EXPECT(first > 0 && first <= zx_clock_get_monotonic());
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_clock_get(3, &unknown));
    EXPECT_EQ(7, unknown);
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_clock_get(ZX_CLOCK_MONOTONIC, NULL));
}

TEST(the_kernels_clock_and_the_vdsos_agree) {
    for (int i = 0; i < 1000; i++) {
        zx_time_t before = zx_clock_get_monotonic(), kernel = 0;
        EXPECT_OK(zx_clock_get(ZX_CLOCK_MONOTONIC, &kernel));
        zx_time_t after = zx_clock_get_monotonic();
        if (kernel < before || kernel > after) {
            EXPECT(kernel >= before && kernel <= after);
            break;
        }
    }
}

TEST(deadline_after_saturates) {
    EXPECT_EQ(ZX_TIME_INFINITE, zx_deadline_after(ZX_TIME_INFINITE));
    EXPECT_EQ(ZX_TIME_INFINITE, zx_deadline_after(INT64_MAX - 1));
    EXPECT(zx_deadline_after(INT64_MIN) < 0);
    EXPECT(zx_deadline_after(0) <= zx_clock_get_monotonic());
}

TEST(nanosleep_sleeps_long_enough_or_not_at_all) {
    zx_time_t deadline = zx_deadline_after(ZX_MSEC(2));
    EXPECT_OK(zx_nanosleep(deadline));
    EXPECT(zx_clock_get_monotonic() >= deadline);
    EXPECT_OK(zx_nanosleep(0));
    EXPECT_OK(zx_nanosleep(-5));
    EXPECT_OK(zx_nanosleep(ZX_TIME_INFINITE_PAST));
    EXPECT_OK(zx_nanosleep(1));
}

TEST(timer_create_checks_clock_and_options) {
    zx_handle_t timer = 9;
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_timer_create(0, ZX_CLOCK_UTC, &timer));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_timer_create(3, ZX_CLOCK_MONOTONIC, &timer));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_timer_create(0, ZX_CLOCK_MONOTONIC, NULL));
    EXPECT_EQ(9, timer);
    timer = make_timer();
    EXPECT_EQ(ZX_DEFAULT_TIMER_RIGHTS, rights_of(timer));
    EXPECT(!has_fired(timer));
    close_handle(timer);
}

TEST(timer_set_checks_slack_before_the_handle) {
    zx_handle_t timer = make_timer(), weak = copy_without(timer, ZX_RIGHT_WRITE);
    EXPECT_EQ(ZX_ERR_OUT_OF_RANGE, zx_timer_set(ZX_HANDLE_INVALID, 0, -1));
    EXPECT_EQ(ZX_ERR_BAD_HANDLE, zx_timer_set(ZX_HANDLE_INVALID, 0, 0));
    EXPECT_EQ(ZX_ERR_WRONG_TYPE, zx_timer_set(zx_process_self(), 0, 0));
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED, zx_timer_set(weak, 0, 0));
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED, zx_timer_cancel(weak));
    close_handle(weak);
    close_handle(timer);
}

TEST(timer_fires_at_its_time_and_stays_signalled) {
    zx_handle_t timer = make_timer();
    zx_time_t deadline = zx_deadline_after(ZX_MSEC(3));
    EXPECT_OK(zx_timer_set(timer, deadline, 0));
    EXPECT(!has_fired(timer) || zx_clock_get_monotonic() >= deadline);
    EXPECT_OK(zx_object_wait_one(timer, ZX_TIMER_SIGNALED, zx_deadline_after(ZX_SEC(5)), NULL));
    EXPECT(zx_clock_get_monotonic() >= deadline);
    EXPECT(has_fired(timer));
    EXPECT_OK(zx_timer_set(timer, zx_deadline_after(ZX_SEC(60)), 0));
    EXPECT(!has_fired(timer));
    close_handle(timer);
}

TEST(timer_with_a_past_deadline_fires_before_the_call_returns) {
    zx_handle_t timer = make_timer();
    static const zx_time_t past[] = {0, -1, ZX_TIME_INFINITE_PAST, 1};
    for (int i = 0; i < 4; i++) {
        EXPECT_OK(zx_timer_set(timer, past[i], 0));
        EXPECT(has_fired(timer));
        EXPECT_OK(zx_timer_cancel(timer));
        EXPECT(!has_fired(timer));
    }
    close_handle(timer);
}

TEST(timer_that_is_cancelled_never_fires) {
    zx_handle_t timer = make_timer();
    for (int i = 0; i < 50; i++) {
        EXPECT_OK(zx_timer_set(timer, zx_deadline_after(ZX_USEC(20 * i)), 0));
        (void)zx_nanosleep(zx_deadline_after(ZX_USEC(500)));
        EXPECT_OK(zx_timer_cancel(timer));
        EXPECT(!has_fired(timer));
    }
    (void)zx_nanosleep(zx_deadline_after(ZX_MSEC(3)));
    EXPECT(!has_fired(timer));
    EXPECT_OK(zx_timer_cancel(timer));
    close_handle(timer);
}

TEST(timer_info_tells_what_it_is_set_to) {
    zx_handle_t timer = make_timer();
    zx_info_timer_t info;
    EXPECT_OK(zx_timer_set(timer, ZX_TIME_INFINITE, 5));
    REQUIRE_OK(zx_object_get_info(timer, ZX_INFO_TIMER, &info, sizeof info, NULL, NULL));
    EXPECT_EQ(ZX_TIME_INFINITE, info.deadline);
    EXPECT_EQ(5, info.slack);
    EXPECT_OK(zx_timer_cancel(timer));
    REQUIRE_OK(zx_object_get_info(timer, ZX_INFO_TIMER, &info, sizeof info, NULL, NULL));
    EXPECT_EQ(0, info.deadline);
    EXPECT_EQ(0, info.slack);
    close_handle(timer);
}

TEST(timers_that_are_armed_may_be_closed) {
    for (int i = 0; i < 100; i++) {
        zx_handle_t timer = make_timer();
        EXPECT_OK(zx_timer_set(timer, zx_deadline_after(ZX_USEC(i)), 0));
        close_handle(timer);
    }
    (void)zx_nanosleep(zx_deadline_after(ZX_MSEC(1)));
}

/* --- slack --- */

/* A wide slack makes a timer fire with its neighbour, and never outside of it. */
TEST(a_timer_with_slack_fires_within_it) {
    static const uint32_t modes[] = {ZX_TIMER_SLACK_CENTER, ZX_TIMER_SLACK_EARLY,
                                     ZX_TIMER_SLACK_LATE};
    for (int i = 0; i < 3; i++) {
        zx_handle_t near = make_timer(), timer = ZX_HANDLE_INVALID;
        zx_info_timer_t info = {0};
        EXPECT_OK(zx_timer_create(modes[i], ZX_CLOCK_MONOTONIC, &timer));
        zx_time_t deadline = zx_deadline_after(ZX_MSEC(30));
        EXPECT_OK(zx_timer_set(near, deadline - ZX_MSEC(2), 0));
        EXPECT_OK(zx_timer_set(timer, deadline, ZX_MSEC(10)));
        EXPECT_OK(zx_object_get_info(timer, ZX_INFO_TIMER, &info, sizeof info, NULL, NULL));
        EXPECT(info.deadline == 0 || info.deadline == deadline);
        EXPECT(info.slack == 0 || info.slack == ZX_MSEC(10));
        EXPECT_OK(zx_object_wait_one(timer, ZX_TIMER_SIGNALED, ZX_TIME_INFINITE, NULL));
        zx_time_t now = zx_clock_get_monotonic();
        EXPECT(now >= deadline - (modes[i] == ZX_TIMER_SLACK_LATE ? 0 : ZX_MSEC(10)));
        close_handle(near);
        close_handle(timer);
    }
}

#define MANY 100000
static zx_handle_t many[MANY];

TEST(a_hundred_thousand_timers_are_armed_and_the_first_still_comes_first) {
    zx_time_t far = zx_deadline_after(ZX_HOUR(1));
    for (int i = 0; i < MANY; i++) {
        if (zx_timer_create(0, ZX_CLOCK_MONOTONIC, &many[i]) != ZX_OK ||
            zx_timer_set(many[i], far + i * 7919 % MANY, 0) != ZX_OK) {
            utest_fail(__FILE__, __LINE__, "timer %d", i);
            break;
        }
    }
    EXPECT_OK(zx_timer_set(many[MANY / 2], zx_deadline_after(ZX_MSEC(5)), 0));
    EXPECT_OK(zx_object_wait_one(many[MANY / 2], ZX_TIMER_SIGNALED, ZX_TIME_INFINITE, NULL));
    EXPECT(!has_fired(many[0]) && !has_fired(many[MANY - 1]));
    EXPECT_OK(zx_handle_close_many(many, MANY));
}
