/*
 * t_wait.c - wait_one and wait_many, and handles that go away meanwhile.
 */
#include <jacinth/utest.h>
#include <stdatomic.h>
#include <threads.h>

#include "core-tests/support.h"

static zx_time_t soon(void) { return zx_deadline_after(ZX_MSEC(2)); }
static zx_time_t later(void) { return zx_deadline_after(ZX_SEC(5)); }

TEST(wait_one_checks_handle_right_and_type_in_order) {
    zx_handle_t event = make_event(), port, weak = copy_without(event, ZX_RIGHT_WAIT);
    zx_signals_t seen = 7;
    REQUIRE_OK(zx_port_create(0, &port));
    EXPECT_EQ(ZX_ERR_BAD_HANDLE, zx_object_wait_one(ZX_HANDLE_INVALID, 1, 0, &seen));
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED, zx_object_wait_one(weak, 1, 0, &seen));
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED, zx_object_wait_one(port, 1, 0, &seen));
    EXPECT_EQ(7, seen);
    close_handle(weak);
    close_handle(event);
    close_handle(port);
}

TEST(wait_one_polls_with_a_past_deadline) {
    zx_handle_t event = make_event();
    zx_signals_t seen = 7;
    static const zx_time_t past[] = {0, -1, ZX_TIME_INFINITE_PAST, 1};
    for (int i = 0; i < 4; i++) {
        EXPECT_EQ(ZX_ERR_TIMED_OUT, zx_object_wait_one(event, ZX_EVENT_SIGNALED, past[i], &seen));
        EXPECT_EQ(0, seen);
    }
    EXPECT_OK(zx_object_signal(event, 0, ZX_EVENT_SIGNALED | ZX_USER_SIGNAL_2));
    for (int i = 0; i < 4; i++)
        EXPECT_OK(zx_object_wait_one(event, ZX_EVENT_SIGNALED, past[i], &seen));
    EXPECT_EQ(ZX_EVENT_SIGNALED | ZX_USER_SIGNAL_2, seen);
    EXPECT_OK(zx_object_wait_one(event, ZX_EVENT_SIGNALED, 0, NULL));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_object_wait_one(event, ZX_EVENT_SIGNALED, 0, (void *)8));
    EXPECT_EQ(ZX_ERR_TIMED_OUT, zx_object_wait_one(event, ZX_USER_SIGNAL_0, soon(), &seen));
    EXPECT_EQ(ZX_EVENT_SIGNALED | ZX_USER_SIGNAL_2, seen);
    close_handle(event);
}

TEST(wait_one_never_comes_back_before_its_deadline) {
    zx_handle_t event = make_event();
    zx_time_t deadline = zx_deadline_after(ZX_MSEC(3));
    EXPECT_EQ(ZX_ERR_TIMED_OUT, zx_object_wait_one(event, 1, deadline, NULL));
    EXPECT(zx_clock_get_monotonic() >= deadline);
    close_handle(event);
}

/* What a second thread does to a handle while the first waits. */
struct meddler {
    zx_handle_t handle;
    zx_signals_t set, clear;
    bool close, send;
    zx_handle_t channel;
};

static int meddle(void *argument) {
    struct meddler *meddler = argument;
    (void)zx_nanosleep(zx_deadline_after(ZX_MSEC(2)));
    if (meddler->set | meddler->clear) {
        EXPECT_OK(zx_object_signal(meddler->handle, 0, meddler->set));
        EXPECT_OK(zx_object_signal(meddler->handle, meddler->clear, 0));
    }
    if (meddler->close)
        close_handle(meddler->handle);
    if (meddler->send)
        EXPECT_OK(zx_channel_write(meddler->channel, 0, NULL, 0, &meddler->handle, 1));
    return 0;
}

TEST(wait_one_is_woken_and_told_also_of_what_is_over) {
    zx_handle_t event = make_event();
    struct meddler meddler = {.handle = event, .set = ZX_EVENT_SIGNALED | ZX_USER_SIGNAL_4,
                              .clear = ZX_EVENT_SIGNALED};
    zx_signals_t seen = 0;
    thrd_t thread;
    REQUIRE_EQ(thrd_success, thrd_create(&thread, meddle, &meddler));
    EXPECT_OK(zx_object_wait_one(event, ZX_EVENT_SIGNALED, later(), &seen));
    EXPECT_EQ(ZX_EVENT_SIGNALED | ZX_USER_SIGNAL_4, seen);
    thrd_join(thread, NULL);
    close_handle(event);
}

TEST(P55_closing_the_handle_cancels_the_waits_through_it_only) {
    zx_handle_t event = make_event(), other = copy_without(event, 0);
    struct meddler meddler = {.handle = event, .close = true};
    zx_signals_t seen = 0;
    thrd_t thread;
    REQUIRE_EQ(thrd_success, thrd_create(&thread, meddle, &meddler));
    EXPECT_EQ(ZX_ERR_CANCELED, zx_object_wait_one(event, ZX_EVENT_SIGNALED, later(), &seen));
    EXPECT_EQ(ZX_SIGNAL_HANDLE_CLOSED, seen);
    thrd_join(thread, NULL);
    meddler = (struct meddler){.handle = copy_without(other, 0), .close = true};
    REQUIRE_EQ(thrd_success, thrd_create(&thread, meddle, &meddler));
    EXPECT_EQ(ZX_ERR_TIMED_OUT,
              zx_object_wait_one(other, 0, zx_deadline_after(ZX_MSEC(8)), &seen));
    thrd_join(thread, NULL);
    close_handle(other);
}

TEST(P55_sending_the_handle_away_cancels_the_wait) {
    zx_handle_t event = make_event(), a, b;
    zx_signals_t seen = 0;
    thrd_t thread;
    REQUIRE_OK(zx_channel_create(0, &a, &b));
    struct meddler meddler = {.handle = event, .send = true, .channel = a};
    REQUIRE_EQ(thrd_success, thrd_create(&thread, meddle, &meddler));
    EXPECT_EQ(ZX_ERR_CANCELED, zx_object_wait_one(event, ZX_EVENT_SIGNALED, later(), &seen));
    EXPECT(seen & ZX_SIGNAL_HANDLE_CLOSED);
    thrd_join(thread, NULL);
    close_handle(a);
    close_handle(b);
}

static atomic_int close_next;
static zx_handle_t volatile to_close;

static int close_in_a_loop(void *argument) {
    for (int round = 1; round <= 500; round++) {
        while (atomic_load(&close_next) < round)
            (void)zx_nanosleep(0);
        close_handle(to_close);
    }
    return 0;
}

TEST(P55_no_order_of_wait_and_close_waits_for_ever) {
    thrd_t thread;
    unsigned wrong = 0;
    atomic_store(&close_next, 0);
    REQUIRE_EQ(thrd_success, thrd_create(&thread, close_in_a_loop, NULL));
    for (int round = 1; round <= 500; round++) {
        zx_handle_t event = make_event();
        to_close = event;
        atomic_store(&close_next, round);
        zx_wait_item_t item = {event, ZX_EVENT_SIGNALED, 0};
        zx_status_t status = round % 2
                                 ? zx_object_wait_one(event, ZX_EVENT_SIGNALED, later(), NULL)
                                 : zx_object_wait_many(&item, 1, later());
        wrong += status != ZX_ERR_CANCELED && status != ZX_ERR_BAD_HANDLE;
    }
    thrd_join(thread, NULL);
    EXPECT_EQ(0, wrong);
}

TEST(wait_many_checks_count_items_and_handles_in_order) {
    zx_wait_item_t items[65] = {};
    zx_handle_t event = make_event(), weak = copy_without(event, ZX_RIGHT_WAIT);
    EXPECT_EQ(ZX_ERR_OUT_OF_RANGE, zx_object_wait_many(NULL, 65, 0));
    EXPECT_EQ(ZX_ERR_OUT_OF_RANGE, zx_object_wait_many(items, SIZE_MAX, 0));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_object_wait_many(NULL, 1, 0));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_object_wait_many((void *)8, 64, 0));
    EXPECT_EQ(ZX_ERR_TIMED_OUT, zx_object_wait_many(NULL, 0, soon()));
    items[0] = (zx_wait_item_t){event, 0, 0};
    items[1] = (zx_wait_item_t){weak, 0, 0};
    items[2] = (zx_wait_item_t){ZX_HANDLE_INVALID, 0, 0};
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED, zx_object_wait_many(items, 3, 0));
    EXPECT_EQ(ZX_ERR_BAD_HANDLE, zx_object_wait_many(items + 2, 1, 0));
    close_handle(event);
    close_handle(weak);
}

TEST(wait_many_takes_64_and_writes_every_pending) {
    zx_wait_item_t items[ZX_WAIT_MANY_MAX_ITEMS];
    zx_handle_t event = make_event(), other = make_event();
    for (unsigned i = 0; i < ZX_WAIT_MANY_MAX_ITEMS; i++)
        items[i] = (zx_wait_item_t){i == 50 ? other : event, ZX_EVENT_SIGNALED, 99};
    EXPECT_EQ(ZX_ERR_TIMED_OUT, zx_object_wait_many(items, ZX_WAIT_MANY_MAX_ITEMS, soon()));
    for (unsigned i = 0; i < ZX_WAIT_MANY_MAX_ITEMS; i++)
        EXPECT_EQ(0, items[i].pending);
    EXPECT_OK(zx_object_signal(other, 0, ZX_EVENT_SIGNALED | ZX_USER_SIGNAL_1));
    EXPECT_OK(zx_object_wait_many(items, ZX_WAIT_MANY_MAX_ITEMS, 0));
    EXPECT_EQ(0, items[49].pending);
    EXPECT_EQ(ZX_EVENT_SIGNALED | ZX_USER_SIGNAL_1, items[50].pending);
    close_handle(event);
    close_handle(other);
}

TEST(wait_many_is_cancelled_when_one_of_its_handles_is_closed) {
    zx_handle_t event = make_event(), other = make_event();
    zx_wait_item_t items[2] = {{event, ZX_EVENT_SIGNALED, 0}, {other, ZX_EVENT_SIGNALED, 0}};
    struct meddler meddler = {.handle = other, .close = true};
    thrd_t thread;
    REQUIRE_EQ(thrd_success, thrd_create(&thread, meddle, &meddler));
    EXPECT_EQ(ZX_ERR_CANCELED, zx_object_wait_many(items, 2, later()));
    EXPECT_EQ(0, items[0].pending);
    EXPECT_EQ(ZX_SIGNAL_HANDLE_CLOSED, items[1].pending);
    thrd_join(thread, NULL);
    close_handle(event);
}
