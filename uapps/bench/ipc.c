/*
 * ipc.c - messages, signals and packets: in one thread, between threads, between
 * processes. In a round trip the other side blocks, is woken, answers, and blocks.
 */
#include <stdlib.h>
#include <threads.h>
#include <zircon/syscalls.h>

#include "bench/bench.h"

#define LENGTH 64

static uint8_t message[LENGTH], answer[LENGTH];

static void channel_pair(zx_handle_t out[2]) { CHECK(zx_channel_create(0, &out[0], &out[1])); }

static void close_pair(zx_handle_t pair[2]) {
    CHECK(zx_handle_close(pair[0]));
    CHECK(zx_handle_close(pair[1]));
}

ROW(channel_same_thread_64B) {
    zx_handle_t ends[2];
    uint32_t bytes, handles;
    channel_pair(ends);
    MEASURE(32, CHECK(zx_channel_write(ends[0], 0, message, LENGTH, NULL, 0));
            CHECK(zx_channel_read(ends[1], 0, answer, NULL, LENGTH, 0, &bytes, &handles)));
    close_pair(ends);
}

/* The handle that was read is the one that is written next. */
ROW(channel_same_thread_64B_1handle) {
    zx_handle_t ends[2], event = event_new();
    uint32_t bytes, handles;
    channel_pair(ends);
    MEASURE(32, CHECK(zx_channel_write(ends[0], 0, message, LENGTH, &event, 1));
            CHECK(zx_channel_read(ends[1], 0, answer, &event, LENGTH, 1, &bytes, &handles)));
    CHECK(zx_handle_close(event));
    close_pair(ends);
}

static void call_64(zx_handle_t channel) {
    uint32_t bytes, handles;
    zx_channel_call_args_t args = {
        .wr_bytes = message,
        .wr_num_bytes = LENGTH,
        .rd_bytes = answer,
        .rd_num_bytes = LENGTH,
    };
    CHECK(zx_channel_call(channel, 0, ZX_TIME_INFINITE, &args, &bytes, &handles));
}

void serve_channel(zx_handle_t channel) {
    uint8_t request[LENGTH];
    uint32_t bytes, handles;
    zx_signals_t observed;
    for (;;) {
        CHECK(zx_object_wait_one(channel, ZX_CHANNEL_READABLE | ZX_CHANNEL_PEER_CLOSED,
                                 ZX_TIME_INFINITE, &observed));
        if (!(observed & ZX_CHANNEL_READABLE))
            break;
        CHECK(zx_channel_read(channel, 0, request, NULL, LENGTH, 0, &bytes, &handles));
        CHECK(zx_channel_write(channel, 0, request, LENGTH, NULL, 0));
    }
    CHECK(zx_handle_close(channel));
}

static int channel_thread(void *channel) {
    serve_channel(*(zx_handle_t *)channel);
    return 0;
}

static void thread_begin(thrd_t *thread, thrd_start_t function, void *argument) {
    if (thrd_create(thread, function, argument) != thrd_success)
        bench_fail("thrd_create", 0, __LINE__);
}

ROW(channel_call_threads_64B) {
    zx_handle_t ends[2];
    thrd_t server;
    channel_pair(ends);
    thread_begin(&server, channel_thread, &ends[1]);
    MEASURE(16, call_64(ends[0]));
    CHECK(zx_handle_close(ends[0]));
    thrd_join(server, NULL);
}

ROW(channel_call_processes_64B) {
    zx_handle_t ends[2];
    channel_pair(ends);
    struct partner partner = partner_start("channel", &ends[1], 1);
    MEASURE(16, call_64(ends[0]));
    CHECK(zx_handle_close(ends[0]));
    partner_join(partner);
}

/* ---- Events ---- */

void serve_events(zx_handle_t ping, zx_handle_t pong) {
    zx_signals_t observed;
    for (;;) {
        CHECK(zx_object_wait_one(ping, ZX_EVENT_SIGNALED | PARTNER_STOP, ZX_TIME_INFINITE,
                                 &observed));
        if (observed & PARTNER_STOP)
            return;
        CHECK(zx_object_signal(ping, ZX_EVENT_SIGNALED, 0));
        CHECK(zx_object_signal(pong, 0, ZX_EVENT_SIGNALED));
    }
}

static void round_trip(zx_handle_t ping, zx_handle_t pong) {
    CHECK(zx_object_signal(ping, 0, ZX_EVENT_SIGNALED));
    CHECK(zx_object_wait_one(pong, ZX_EVENT_SIGNALED, ZX_TIME_INFINITE, NULL));
    CHECK(zx_object_signal(pong, ZX_EVENT_SIGNALED, 0));
}

ROW(event_pingpong_processes) {
    zx_handle_t ping = event_new(), pong = event_new();
    zx_handle_t given[2] = {duplicate(ping), duplicate(pong)};
    struct partner partner = partner_start("events", given, 2);
    MEASURE(16, round_trip(ping, pong));
    CHECK(zx_object_signal(ping, 0, PARTNER_STOP));
    partner_join(partner);
    CHECK(zx_handle_close(ping));
    CHECK(zx_handle_close(pong));
}

/* ---- Ports ---- */

/*
 * Three calls: wait for a signal that is not there, raise it, take the packet. Two
 * signals take turns, so that raising one takes the other away.
 */
static void port_turn(zx_handle_t port, zx_handle_t event, zx_signals_t next, zx_signals_t last) {
    zx_port_packet_t packet;
    CHECK(zx_object_wait_async(event, port, 1, next, 0));
    CHECK(zx_object_signal(event, last, next));
    CHECK(zx_port_wait(port, ZX_TIME_INFINITE, &packet));
}

ROW(port_signal_wait) {
    zx_handle_t port, event = event_new();
    zx_signals_t next = ZX_USER_SIGNAL_0, last = ZX_USER_SIGNAL_1;
    CHECK(zx_port_create(0, &port));
    MEASURE(32, port_turn(port, event, next, last); zx_signals_t turn = next; next = last;
            last = turn);
    CHECK(zx_handle_close(event));
    CHECK(zx_handle_close(port));
}
