/*
 * t_port.c - packets of users and of asynchronous waits.
 */
#include <jacinth/utest.h>
#include <threads.h>

#include "core-tests/support.h"

TEST(port_create_knows_its_options) {
    zx_handle_t port = 3;
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_port_create(2, &port));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_port_create(ZX_PORT_BIND_TO_INTERRUPT | 2, &port));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_port_create(0, NULL));
    EXPECT_EQ(3, port);
    port = make_port();
    EXPECT_EQ(ZX_DEFAULT_PORT_RIGHTS, rights_of(port));
    close_handle(port);
}

TEST(port_queue_passes_packets_through_in_order) {
    zx_handle_t port = make_port();
    zx_port_packet_t packet = {.key = 1, .type = 99, .status = -77, .user.u64 = {5, 6, 7, 8}};
    EXPECT_OK(zx_port_queue(port, &packet));
    packet.key = 2;
    EXPECT_OK(zx_port_queue(port, &packet));
    EXPECT_OK(zx_port_wait(port, 0, &packet));
    EXPECT_EQ(1, packet.key);
    EXPECT_EQ(ZX_PKT_TYPE_USER, packet.type);
    EXPECT_EQ(-77, packet.status);
    EXPECT_EQ(8, packet.user.u64[3]);
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_port_wait(port, 0, NULL)); /* and the packet is lost */
    EXPECT_EQ(ZX_ERR_TIMED_OUT, zx_port_wait(port, 0, &packet));
    EXPECT_EQ(ZX_ERR_TIMED_OUT, zx_port_wait(port, zx_deadline_after(ZX_MSEC(2)), &packet));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_port_queue(port, NULL));
    close_handle(port);
}

TEST(port_holds_2048_packets_of_users) {
    zx_handle_t port = make_port();
    zx_port_packet_t packet = {};
    zx_status_t status;
    int count = 0;
    while ((status = zx_port_queue(port, &packet)) == ZX_OK)
        count++;
    EXPECT_EQ(ZX_ERR_SHOULD_WAIT, status);
    EXPECT_EQ(2048, count);
    EXPECT_OK(zx_port_wait(port, 0, &packet));
    EXPECT_OK(zx_port_queue(port, &packet));
    close_handle(port);
}

TEST(port_wait_async_checks_port_then_source_then_options) {
    zx_handle_t port = make_port(), event = make_event();
    zx_handle_t weak = copy_without(event, ZX_RIGHT_WAIT);
    zx_handle_t weak_port = copy_without(port, ZX_RIGHT_WRITE);
    EXPECT_EQ(ZX_ERR_BAD_HANDLE, zx_object_wait_async(0, 0, 1, 1, 99));
    EXPECT_EQ(ZX_ERR_WRONG_TYPE, zx_object_wait_async(0, event, 1, 1, 99));
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED, zx_object_wait_async(0, weak_port, 1, 1, 99));
    EXPECT_EQ(ZX_ERR_BAD_HANDLE, zx_object_wait_async(0, port, 1, 1, 99));
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED, zx_object_wait_async(weak, port, 1, 1, 99));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_object_wait_async(event, port, 1, 1, 4));
    close_handle(weak);
    close_handle(weak_port);
    close_handle(event);
    close_handle(port);
}

TEST(port_gets_one_packet_for_each_wait) {
    zx_handle_t port = make_port(), event = make_event();
    zx_port_packet_t packet;
    EXPECT_OK(zx_object_wait_async(event, port, 9, ZX_EVENT_SIGNALED, 0));
    EXPECT_OK(zx_object_wait_async(event, port, 9, ZX_EVENT_SIGNALED,
                                   ZX_WAIT_ASYNC_TIMESTAMP));
    zx_time_t before = zx_clock_get_monotonic();
    EXPECT_OK(zx_object_signal(event, 0, ZX_EVENT_SIGNALED | ZX_USER_SIGNAL_0));
    EXPECT_OK(zx_object_signal(event, ZX_EVENT_SIGNALED, 0));
    EXPECT_OK(zx_port_wait(port, 0, &packet));
    EXPECT_EQ(9, packet.key);
    EXPECT_EQ(ZX_PKT_TYPE_SIGNAL_ONE, packet.type);
    EXPECT_EQ(ZX_OK, packet.status);
    EXPECT_EQ(ZX_EVENT_SIGNALED, packet.signal.trigger);
    EXPECT_EQ(ZX_EVENT_SIGNALED | ZX_USER_SIGNAL_0, packet.signal.observed);
    EXPECT_EQ(1, packet.signal.count);
    EXPECT_EQ(0, packet.signal.timestamp);
    EXPECT_EQ(0, packet.signal.reserved1);
    EXPECT_OK(zx_port_wait(port, 0, &packet));
    EXPECT((zx_time_t)packet.signal.timestamp >= before);
    EXPECT_EQ(ZX_ERR_TIMED_OUT, zx_port_wait(port, 0, &packet));
    close_handle(event);
    close_handle(port);
}

TEST(port_edge_waits_want_a_change) {
    zx_handle_t port = make_port(), event = make_event();
    zx_port_packet_t packet;
    EXPECT_OK(zx_object_signal(event, 0, ZX_EVENT_SIGNALED));
    EXPECT_OK(zx_object_wait_async(event, port, 1, ZX_EVENT_SIGNALED, ZX_WAIT_ASYNC_EDGE));
    EXPECT_OK(zx_object_wait_async(event, port, 2, ZX_EVENT_SIGNALED, 0));
    EXPECT_OK(zx_port_wait(port, 0, &packet));
    EXPECT_EQ(2, packet.key);
    EXPECT_EQ(ZX_ERR_TIMED_OUT, zx_port_wait(port, 0, &packet));
    EXPECT_OK(zx_object_signal(event, ZX_EVENT_SIGNALED, 0));
    EXPECT_OK(zx_object_signal(event, 0, ZX_EVENT_SIGNALED));
    EXPECT_OK(zx_port_wait(port, 0, &packet));
    EXPECT_EQ(1, packet.key);
    close_handle(event);
    close_handle(port);
}

TEST(port_counts_the_messages_of_a_channel) {
    zx_handle_t port = make_port(), a, b;
    zx_port_packet_t packet;
    REQUIRE_OK(zx_channel_create(0, &a, &b));
    for (int i = 0; i < 3; i++)
        EXPECT_OK(zx_channel_write(a, 0, "x", 1, NULL, 0));
    EXPECT_OK(zx_object_wait_async(b, port, 1, ZX_CHANNEL_READABLE, 0));
    EXPECT_OK(zx_port_wait(port, 0, &packet));
    EXPECT_EQ(3, packet.signal.count);
    close_handle(a);
    close_handle(b);
    close_handle(port);
}

TEST(port_cancel_takes_waits_and_packets_of_handle_and_key) {
    zx_handle_t port = make_port(), event = make_event(), copy = copy_without(event, 0);
    zx_port_packet_t packet;
    EXPECT_EQ(ZX_ERR_NOT_FOUND, zx_port_cancel(port, event, 1));
    EXPECT_OK(zx_object_wait_async(event, port, 1, ZX_EVENT_SIGNALED, 0));
    EXPECT_OK(zx_object_wait_async(copy, port, 1, ZX_EVENT_SIGNALED, 0));
    EXPECT_OK(zx_object_wait_async(event, port, 2, ZX_EVENT_SIGNALED, 0));
    EXPECT_OK(zx_object_signal(event, 0, ZX_EVENT_SIGNALED));
    EXPECT_OK(zx_object_wait_async(event, port, 1, ZX_USER_SIGNAL_0, 0));
    EXPECT_OK(zx_port_cancel(port, event, 1));
    EXPECT_EQ(ZX_ERR_NOT_FOUND, zx_port_cancel(port, event, 1));
    EXPECT_OK(zx_object_signal(event, 0, ZX_USER_SIGNAL_0));
    EXPECT_OK(zx_port_wait(port, 0, &packet));
    EXPECT_EQ(1, packet.key); /* through the copy */
    EXPECT_OK(zx_port_wait(port, 0, &packet));
    EXPECT_EQ(2, packet.key);
    EXPECT_EQ(ZX_ERR_TIMED_OUT, zx_port_wait(port, 0, &packet));
    EXPECT_EQ(ZX_ERR_WRONG_TYPE, zx_port_cancel(event, event, 1));
    EXPECT_EQ(ZX_ERR_BAD_HANDLE, zx_port_cancel(port, 0, 1));
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED, zx_port_cancel(port, port, 1));
    close_handle(event);
    close_handle(copy);
    close_handle(port);
}

TEST(port_keeps_packets_but_not_waits_of_a_closed_handle) {
    zx_handle_t port = make_port(), event = make_event(), copy = copy_without(event, 0);
    zx_port_packet_t packet;
    EXPECT_OK(zx_object_wait_async(event, port, 1, ZX_USER_SIGNAL_0, 0));
    EXPECT_OK(zx_object_wait_async(event, port, 2, ZX_EVENT_SIGNALED, 0));
    EXPECT_OK(zx_object_signal(event, 0, ZX_EVENT_SIGNALED));
    close_handle(event);
    EXPECT_OK(zx_object_signal(copy, 0, ZX_USER_SIGNAL_0));
    EXPECT_OK(zx_port_wait(port, 0, &packet));
    EXPECT_EQ(2, packet.key);
    EXPECT_EQ(ZX_ERR_TIMED_OUT, zx_port_wait(port, 0, &packet));
    close_handle(copy);
    close_handle(port);
}

TEST(port_that_closes_first_leaves_its_sources_in_peace) {
    zx_handle_t port = make_port(), event = make_event();
    for (int i = 0; i < 10; i++)
        EXPECT_OK(zx_object_wait_async(event, port, 1, ZX_EVENT_SIGNALED, 0));
    close_handle(port);
    EXPECT_OK(zx_object_signal(event, 0, ZX_EVENT_SIGNALED));
    close_handle(event);
}

struct wait {
    zx_handle_t port;
    zx_status_t status;
    zx_port_packet_t packet;
};

static int wait_at_port(void *argument) {
    struct wait *wait = argument;
    wait->status = zx_port_wait(wait->port, zx_deadline_after(ZX_SEC(5)), &wait->packet);
    return 0;
}

TEST(port_gives_each_packet_to_one_thread) {
    struct wait waits[4];
    thrd_t threads[4];
    zx_handle_t port = make_port();
    uint64_t sum = 0;
    for (int i = 0; i < 4; i++) {
        waits[i] = (struct wait){.port = port};
        REQUIRE_EQ(thrd_success, thrd_create(&threads[i], wait_at_port, &waits[i]));
    }
    for (uint64_t key = 1; key <= 1000; key *= 10) {
        zx_port_packet_t packet = {.key = key};
        (void)zx_nanosleep(zx_deadline_after(ZX_MSEC(1)));
        EXPECT_OK(zx_port_queue(port, &packet));
    }
    for (int i = 0; i < 4; i++) {
        thrd_join(threads[i], NULL);
        EXPECT_OK(waits[i].status);
        sum += waits[i].packet.key;
    }
    EXPECT_EQ(1111, sum);
    close_handle(port);
}

TEST(port_that_loses_its_last_handle_cancels_its_waiters) {
    struct wait wait = {.port = make_port()};
    thrd_t thread;
    REQUIRE_EQ(thrd_success, thrd_create(&thread, wait_at_port, &wait));
    (void)zx_nanosleep(zx_deadline_after(ZX_MSEC(3)));
    close_handle(wait.port);
    thrd_join(thread, NULL);
    EXPECT_EQ(ZX_ERR_CANCELED, wait.status);
}

TEST(port_gives_a_queued_packet_whatever_the_deadline) {
    zx_handle_t port = make_port();
    zx_port_packet_t packet = {.key = 3};
    EXPECT_OK(zx_port_queue(port, &packet));
    EXPECT_OK(zx_port_wait(port, ZX_TIME_INFINITE_PAST, &packet));
    EXPECT_EQ(3, packet.key);
    EXPECT_EQ(ZX_ERR_TIMED_OUT, zx_port_wait(port, ZX_TIME_INFINITE_PAST, &packet));
    /* A packet whose place is bad is lost. */
    EXPECT_OK(zx_port_queue(port, &packet));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_port_wait(port, 0, NULL));
    EXPECT_EQ(ZX_ERR_TIMED_OUT, zx_port_wait(port, 0, &packet));
    close_handle(port);
}

TEST(port_edge_and_timestamp_go_together) {
    zx_handle_t port = make_port(), event = make_event();
    zx_port_packet_t packet;
    EXPECT_OK(zx_object_signal(event, 0, ZX_USER_SIGNAL_1));
    EXPECT_OK(zx_object_wait_async(event, port, 1, ZX_USER_SIGNAL_1 | ZX_USER_SIGNAL_2,
                                   ZX_WAIT_ASYNC_EDGE | ZX_WAIT_ASYNC_TIMESTAMP));
    EXPECT_EQ(ZX_ERR_TIMED_OUT, zx_port_wait(port, 0, &packet));
    zx_time_t before = zx_clock_get_monotonic();
    EXPECT_OK(zx_object_signal(event, ZX_USER_SIGNAL_1, ZX_USER_SIGNAL_2));
    EXPECT_OK(zx_port_wait(port, 0, &packet));
    EXPECT_EQ(ZX_USER_SIGNAL_2, packet.signal.observed);
    EXPECT((zx_time_t)packet.signal.timestamp >= before &&
           (zx_time_t)packet.signal.timestamp <= zx_clock_get_monotonic());
    close_handle(event);
    close_handle(port);
}

TEST(port_forgets_waits_of_a_handle_that_is_sent_away) {
    zx_handle_t port = make_port(), event = make_event(), a, b, got = ZX_HANDLE_INVALID;
    zx_port_packet_t packet;
    uint32_t handles;
    REQUIRE_OK(zx_channel_create(0, &a, &b));
    EXPECT_OK(zx_object_wait_async(event, port, 1, ZX_USER_SIGNAL_0, 0));
    EXPECT_OK(zx_channel_write(a, 0, NULL, 0, &event, 1));
    EXPECT_OK(zx_channel_read(b, 0, NULL, &got, 0, 1, NULL, &handles));
    EXPECT_EQ(ZX_ERR_NOT_FOUND, zx_port_cancel(port, got, 1));
    EXPECT_OK(zx_object_signal(got, 0, ZX_USER_SIGNAL_0));
    EXPECT_EQ(ZX_ERR_TIMED_OUT, zx_port_wait(port, 0, &packet));
    close_handle(got);
    close_handle(a);
    close_handle(b);
    close_handle(port);
}
