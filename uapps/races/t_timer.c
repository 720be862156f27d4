/*
 * t_timer.c - timers that are set and cancelled at the moment when they expire.
 */
#include <jacinth/utest.h>
#include <zircon/syscalls.h>
#include <zircon/syscalls/port.h>

#include "core-tests/support.h"
#include "races/race.h"

#define FAR_AWAY zx_deadline_after(ZX_SEC(1000))

static struct runner waiter;

static zx_handle_t make_timer(void) {
    zx_handle_t timer = ZX_HANDLE_INVALID;
    EXPECT_OK(zx_timer_create(0, ZX_CLOCK_MONOTONIC, &timer));
    return timer;
}

static zx_time_t set_to_expire_soon(zx_handle_t timer) {
    zx_time_t deadline = zx_deadline_after((zx_duration_t)race_random(ZX_USEC(80)));
    EXPECT_OK(zx_timer_set(timer, deadline, 0));
    return deadline;
}

static zx_status_t poll(zx_handle_t timer) {
    return zx_object_wait_one(timer, ZX_TIMER_SIGNALED, 0, NULL);
}

/* To the moment when it expires: a little before, or while somebody is being told. */
static void approach(zx_time_t deadline) {
    zx_time_t until = deadline + (zx_duration_t)race_random(ZX_USEC(40)) - ZX_USEC(5);
    if (race_random(4) == 0)
        race_moment();
    else
        while (zx_clock_get_monotonic() < until)
            ;
}

/* What was the deadline is well over. */
static void pass(zx_time_t deadline) {
    while (zx_clock_get_monotonic() <= deadline)
        (void)zx_thread_legacy_yield(0);
    race_moment();
}

RACE(a_cancelled_timer_stays_silent, 200) {
    zx_handle_t timer = make_timer();
    for (unsigned i = 0; i < rounds; i++) {
        zx_time_t deadline = set_to_expire_soon(timer);
        approach(deadline);
        race_count("expired before", poll(timer));
        EXPECT_OK(zx_timer_cancel(timer));
        EXPECT_EQ(ZX_ERR_TIMED_OUT, poll(timer));
        pass(deadline);
        EXPECT_EQ(ZX_ERR_TIMED_OUT, poll(timer));
    }
    close_handle(timer);
}

RACE(a_timer_that_is_set_again_forgets_its_first_deadline, 200) {
    zx_handle_t timer = make_timer();
    for (unsigned i = 0; i < rounds; i++) {
        zx_time_t deadline = set_to_expire_soon(timer);
        approach(deadline);
        race_count("expired before", poll(timer));
        EXPECT_OK(zx_timer_set(timer, FAR_AWAY, 0));
        EXPECT_EQ(ZX_ERR_TIMED_OUT, poll(timer));
        pass(deadline);
        EXPECT_EQ(ZX_ERR_TIMED_OUT, poll(timer));
        EXPECT_OK(zx_timer_set(timer, 0, 0));
        EXPECT_OK(poll(timer));
    }
    close_handle(timer);
}

static zx_status_t wait_for_timer(void *argument) {
    return zx_object_wait_one(*(zx_handle_t *)argument, ZX_TIMER_SIGNALED, PATIENCE, NULL);
}

/* Whatever was set and cancelled before: the last deadline wakes who waits. */
RACE(who_waits_for_a_timer_that_is_set_and_cancelled_is_woken_at_last, 80) {
    runner_start(&waiter);
    for (unsigned i = 0; i < rounds; i++) {
        zx_handle_t timer = make_timer();
        runner_go(&waiter, wait_for_timer, &timer);
        (void)set_to_expire_soon(timer);
        race_moment();
        EXPECT_OK(zx_timer_cancel(timer));
        (void)set_to_expire_soon(timer);
        race_moment();
        (void)set_to_expire_soon(timer);
        LEGAL("wait", "for the last deadline", runner_finish(&waiter), ZX_OK);
        close_handle(timer);
    }
    runner_end(&waiter);
}

/* By two threads at once, and then it goes. */
static zx_status_t set_and_cancel(void *argument) {
    zx_handle_t timer = *(zx_handle_t *)argument;
    race_moment();
    zx_status_t status = zx_timer_set(timer, zx_deadline_after(ZX_USEC(10)), 0);
    race_moment();
    return status == ZX_OK ? zx_timer_cancel(timer) : status;
}

RACE(a_timer_may_be_closed_while_it_is_set_cancelled_and_expires, 100) {
    zx_handle_t port;
    zx_port_packet_t packet;
    REQUIRE_OK(zx_port_create(0, &port));
    runner_start(&waiter);
    for (unsigned i = 0; i < rounds; i++) {
        zx_handle_t timer = make_timer();
        EXPECT_OK(zx_object_wait_async(timer, port, i, ZX_TIMER_SIGNALED, 0));
        runner_go(&waiter, set_and_cancel, &timer);
        (void)set_to_expire_soon(timer);
        race_moment();
        zx_handle_t closed = timer;
        close_handle(closed);
        LEGAL("set and cancel", "while it closes", runner_finish(&waiter), ZX_OK,
              ZX_ERR_BAD_HANDLE);
        while (zx_port_wait(port, 0, &packet) == ZX_OK)
            EXPECT_EQ(i, packet.key); /* none of an earlier timer */
    }
    runner_end(&waiter);
    close_handle(port);
}
