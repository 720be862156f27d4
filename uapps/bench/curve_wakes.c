/*
 * curve_wakes.c - what it costs to wake a thread, against the number of other waiters,
 * of registrations at a port, and of armed timers.
 */
#include <stdatomic.h>
#include <threads.h>
#include <zircon/syscalls.h>

#include "bench/curves.h"

#define SAMPLES     21
#define THREADS_MAX 1000
#define TIMERS_MAX  100000

/* ---- Threads that wait for one object ---- */

#define EVEN ZX_USER_SIGNAL_0
#define ODD  ZX_USER_SIGNAL_1
#define STOP ZX_USER_SIGNAL_2

static struct {
    zx_handle_t go, all_done;
    unsigned threads;
    atomic_uint done;
} crowd;

/* Each round's signal in turn; the last of the crowd tells that all have seen it. */
static int wait_in_crowd(void *unused) {
    zx_signals_t observed = 0;
    for (zx_signals_t next = EVEN;; next ^= EVEN | ODD) {
        if (atomic_fetch_add(&crowd.done, 1) + 1 == crowd.threads)
            CHECK(zx_object_signal(crowd.all_done, 0, ZX_EVENT_SIGNALED));
        CHECK(zx_object_wait_one(crowd.go, next | STOP, ZX_TIME_INFINITE, &observed));
        if (observed & STOP)
            return 0;
    }
}

static void crowd_await(void) {
    CHECK(zx_object_wait_one(crowd.all_done, ZX_EVENT_SIGNALED, ZX_TIME_INFINITE, NULL));
    CHECK(zx_object_signal(crowd.all_done, ZX_EVENT_SIGNALED, 0));
    CHECK(zx_nanosleep(zx_deadline_after(ZX_MSEC(1)))); /* they wait again */
    atomic_store(&crowd.done, 0);
}

static void crowd_begin(thrd_t *threads, unsigned count) {
    crowd.go = event_new();
    crowd.all_done = event_new();
    crowd.threads = count;
    atomic_store(&crowd.done, 0);
    for (unsigned i = 0; i < count; i++)
        if (thrd_create(&threads[i], wait_in_crowd, NULL) != thrd_success)
            bench_fail("thrd_create", count, __LINE__);
    crowd_await();
}

static void crowd_end(thrd_t *threads) {
    CHECK(zx_object_signal(crowd.go, 0, STOP));
    for (unsigned i = 0; i < crowd.threads; i++)
        (void)thrd_join(threads[i], NULL);
    CHECK(zx_handle_close(crowd.go));
    CHECK(zx_handle_close(crowd.all_done));
}

/* One signal wakes all of them, until the last has come back; for each. */
static int64_t cost_of_crowd(void) {
    zx_signals_t now = EVEN;
    samples_begin(9);
    while (samples_wanted()) {
        int64_t start = ticks();
        CHECK(zx_object_signal(crowd.go, EVEN | ODD, now));
        CHECK(zx_object_wait_one(crowd.all_done, ZX_EVENT_SIGNALED, ZX_TIME_INFINITE, NULL));
        sample_add(ticks() - start);
        crowd_await();
        now ^= EVEN | ODD;
    }
    return samples_median(crowd.threads);
}

/* A round trip to one thread by events while the crowd waits for something else. */
static zx_handle_t ping, pong;

static int answer_pings(void *unused) {
    serve_events(ping, pong);
    return 0;
}

static int64_t cost_of_one(void) {
    thrd_t server;
    ping = event_new();
    pong = event_new();
    if (thrd_create(&server, answer_pings, NULL) != thrd_success)
        bench_fail("thrd_create", 1, __LINE__);
    int64_t cost =
        COST(SAMPLES, 8, CHECK(zx_object_signal(ping, 0, ZX_EVENT_SIGNALED));
             CHECK(zx_object_wait_one(pong, ZX_EVENT_SIGNALED, ZX_TIME_INFINITE, NULL));
             CHECK(zx_object_signal(pong, ZX_EVENT_SIGNALED, 0)));
    CHECK(zx_object_signal(ping, 0, PARTNER_STOP));
    (void)thrd_join(server, NULL);
    CHECK(zx_handle_close(ping));
    CHECK(zx_handle_close(pong));
    return cost;
}

CURVE(waiters) {
    static thrd_t threads[THREADS_MAX];
    for (unsigned count = 1; count <= THREADS_MAX; count *= curves_short() ? 100 : 10) {
        crowd_begin(threads, count);
        point("wake_all_each", count, cost_of_crowd());
        point("round_trip", count, cost_of_one());
        crowd_end(threads);
    }
}

/* ---- Registrations at a port ---- */

/* One signal makes as many packets as there are registrations; for each, with its reading. */
static int64_t cost_of_packets(zx_handle_t event, zx_handle_t port, unsigned count) {
    zx_port_packet_t packet;
    samples_begin(5);
    while (samples_wanted()) {
        for (unsigned i = 0; i < count; i++)
            CHECK(zx_object_wait_async(event, port, i, ZX_EVENT_SIGNALED, 0));
        int64_t start = ticks();
        CHECK(zx_object_signal(event, 0, ZX_EVENT_SIGNALED));
        for (unsigned i = 0; i < count; i++)
            CHECK(zx_port_wait(port, 0, &packet));
        sample_add(ticks() - start);
        CHECK(zx_object_signal(event, ZX_EVENT_SIGNALED, 0));
    }
    return samples_median(count);
}

CURVE(packets) {
    zx_handle_t event = event_new(), port;
    CHECK(zx_port_create(0, &port));
    for (unsigned count = 1; count <= 10000; count *= curves_short() ? 100 : 10)
        point("signal_each", count, cost_of_packets(event, port, count));
    CHECK(zx_handle_close(event));
    CHECK(zx_handle_close(port));
}

/* ---- Timers ---- */

static zx_handle_t timers[TIMERS_MAX];

static zx_handle_t timer_new(void) {
    zx_handle_t timer;
    CHECK(zx_timer_create(0, ZX_CLOCK_MONOTONIC, &timer));
    return timer;
}

/* Among those that are armed: some are before it, some after. */
static int64_t cost_of_setting(zx_handle_t timer, zx_time_t middle) {
    return COST(SAMPLES, 8, CHECK(zx_timer_set(timer, middle, 0));
                CHECK(zx_timer_cancel(timer)));
}

/*
 * What is missing in the time of a thread that does nothing but look at it, when a timer
 * comes due: the interrupt, the timer's leaving, its signal, the next deadline.
 */
static int64_t cost_of_firing(zx_handle_t timer) {
    samples_begin(SAMPLES);
    while (samples_wanted()) {
        zx_time_t deadline = zx_deadline_after(ZX_USEC(40));
        CHECK(zx_timer_set(timer, deadline, 0));
        int64_t last = ticks(), widest = 0;
        while (zx_clock_get_monotonic() < deadline + ZX_USEC(20)) {
            int64_t now = ticks();
            widest = now - last > widest ? now - last : widest;
            last = now;
        }
        CHECK(zx_object_wait_one(timer, ZX_TIMER_SIGNALED, 0, NULL));
        sample_add(widest);
    }
    return samples_median(1);
}

CURVE(timers) {
    zx_time_t base = zx_deadline_after(ZX_HOUR(1));
    zx_handle_t timer = timer_new();
    unsigned armed = 0;
    for (unsigned count = 1; count <= TIMERS_MAX; count *= curves_short() ? TIMERS_MAX : 10) {
        for (; armed < count; armed++) {
            timers[armed] = timer_new(); /* in no order */
            CHECK(zx_timer_set(timers[armed], base + armed * 7919ll % TIMERS_MAX * 1000, 0));
        }
        point("set_cancel", count, cost_of_setting(timer, base + TIMERS_MAX / 2 * 1000ll));
        point("fire", count, cost_of_firing(timer));
    }
    CHECK(zx_handle_close_many(timers, armed));
    CHECK(zx_handle_close(timer));
}
