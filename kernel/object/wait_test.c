/*
 * wait_test.c - waiting for signals, and handles that go away meanwhile.
 */
#include "arch/clock.h"
#include "lib/ktest.h"
#include "object/event.h"
#include "object/eventpair.h"
#include "object/object.h"
#include "object/wait.h"
#include "sched/park.h"
#include "sched/sched.h"
#include "vm/kernel_thread.h"

struct bench {
    struct handle_table table;
    struct waitable *event; /* borrowed from its handle */
    uint32_t value;
    bool good;
};

static void bench_begin(struct bench *bench) {
    handle_table_init(&bench->table);
    bench->good = false;
    if (event_create(&bench->event) != OK)
        return;
    struct handle handle = handle_adopt(bench->event, ZX_DEFAULT_EVENT_RIGHTS);
    bench->good = handle_table_add(&bench->table, handle, &bench->value) == OK;
    if (!bench->good)
        handle_release(&handle);
}

static void bench_end(struct bench *bench) {
    handle_table_clear(&bench->table);
    handle_table_destroy(&bench->table);
}

static status_t wait_for(struct handle_table *table, uint32_t value, signals_t wanted,
                         nstime_t deadline, signals_t *out_seen) {
    struct wait_result result = wait_one(table, value, wanted, deadline);

    *out_seen = result.observed;
    return result.status;
}

KTEST_QUICK(wait, a_wish_that_is_true_is_answered_at_once_whatever_the_deadline) {
    struct bench bench;
    signals_t seen = 0;

    bench_begin(&bench);
    if (bench.good) {
        EXPECT_EQ(OK, object_signal(bench.event, 0, ZX_USER_SIGNAL_0 | ZX_EVENT_SIGNALED));
        EXPECT_EQ(OK, wait_for(&bench.table, bench.value, ZX_USER_SIGNAL_0, 0, &seen));
        EXPECT_EQ(ZX_USER_SIGNAL_0 | ZX_EVENT_SIGNALED, seen);
        EXPECT_EQ(OK, wait_for(&bench.table, bench.value, ZX_USER_SIGNAL_0, INT64_MIN, &seen));
    }
    bench_end(&bench);
}

KTEST_QUICK(wait, a_poll_tells_the_signals_and_times_out) {
    struct bench bench;
    signals_t seen = 0;

    bench_begin(&bench);
    if (bench.good) {
        EXPECT_EQ(OK, object_signal(bench.event, 0, ZX_USER_SIGNAL_1));
        EXPECT_EQ(ERR_TIMED_OUT, wait_for(&bench.table, bench.value, 0, 0, &seen));
        EXPECT_EQ(ZX_USER_SIGNAL_1, seen);
        EXPECT_EQ(ERR_TIMED_OUT, wait_for(&bench.table, bench.value, ZX_EVENT_SIGNALED,
                                          clock_now() + 1000, &seen));
        EXPECT(list_is_empty(&bench.event->observers));
    }
    bench_end(&bench);
}

KTEST_QUICK(wait, handle_right_and_type_are_checked_in_order) {
    struct bench bench;
    signals_t seen;
    uint32_t weak;

    bench_begin(&bench);
    if (bench.good) {
        struct handle handle = handle_make(bench.event, ZX_RIGHT_SIGNAL);
        EXPECT_EQ(ERR_BAD_HANDLE, wait_for(&bench.table, bench.value ^ 8, 1, 0, &seen));
        if (handle_table_add(&bench.table, handle, &weak) == OK)
            EXPECT_EQ(ERR_ACCESS_DENIED, wait_for(&bench.table, weak, 1, 0, &seen));
        else
            handle_release(&handle);
    }
    bench_end(&bench);
}

KTEST_QUICK(wait, signals_of_others_are_refused_and_change_nothing) {
    struct bench bench;

    bench_begin(&bench);
    if (bench.good) {
        EXPECT_EQ(ERR_INVALID_ARGS, object_signal(bench.event, 0, ZX_USER_SIGNAL_0 | 1));
        EXPECT_EQ(ERR_INVALID_ARGS, object_signal(bench.event, 1u << 23, ZX_USER_SIGNAL_0));
        EXPECT_EQ(ERR_NOT_SUPPORTED, object_signal_peer(bench.event, 0, ZX_USER_SIGNAL_0));
        EXPECT_EQ(0, waitable_signals(bench.event));
        EXPECT_EQ(OK, object_signal(bench.event, ZX_USER_SIGNAL_0, ZX_USER_SIGNAL_0));
        EXPECT_EQ(ZX_USER_SIGNAL_0, waitable_signals(bench.event));
    }
    bench_end(&bench);
}

KTEST_QUICK(eventpair, an_end_signals_the_other_and_its_last_handle_closes_it) {
    struct waitable *a, *b;

    REQUIRE(eventpair_create(&a, &b) == OK);
    struct handle ha = handle_adopt(a, 0), hb = handle_adopt(b, 0);
    EXPECT_EQ(a->koid, object_related_koid(b));
    EXPECT_EQ(OK, object_signal_peer(a, 0, ZX_EVENTPAIR_SIGNALED));
    EXPECT_EQ(ZX_EVENTPAIR_SIGNALED, waitable_signals(b));
    EXPECT_EQ(0, waitable_signals(a));
    EXPECT_EQ(ERR_INVALID_ARGS, object_signal_peer(a, 0, ZX_EVENTPAIR_PEER_CLOSED));
    handle_release(&ha);
    EXPECT_EQ(ZX_EVENTPAIR_SIGNALED | ZX_EVENTPAIR_PEER_CLOSED, waitable_signals(b));
    EXPECT_EQ(ERR_PEER_CLOSED, object_signal_peer(b, 0, ZX_USER_SIGNAL_0));
    EXPECT_EQ(ERR_INVALID_ARGS, object_signal_peer(b, 0, 1));
    handle_release(&hb);
}

/* ---- with a second thread ---- */

struct helper {
    struct bench bench;
    nstime_t deadline;
    uint32_t items;
    status_t status;
    signals_t seen[2];
    struct waitable *done; /* signalled at the end */
};

static void helper_main(void *argument) {
    struct helper *helper = argument;
    struct waitable *done = helper->done; /* the helper goes away once this is signalled */
    zx_wait_item_t items[2] = {
        {helper->bench.value, ZX_EVENT_SIGNALED, 0},
        {helper->bench.value, ZX_USER_SIGNAL_7, 0},
    };

    if (helper->items == 1) {
        helper->status = wait_for(&helper->bench.table, helper->bench.value, ZX_EVENT_SIGNALED,
                                  helper->deadline, &helper->seen[0]);
    } else {
        helper->status = wait_many(&helper->bench.table, items, 2, helper->deadline);
        helper->seen[0] = items[0].pending;
        helper->seen[1] = items[1].pending;
    }
    waitable_change(done, 0, ZX_EVENT_SIGNALED);
    waitable_unref(done);
}

static bool helper_begin(struct helper *helper, uint32_t items) {
    bench_begin(&helper->bench);
    helper->deadline = TIME_INFINITE;
    helper->items = items;
    if (!helper->bench.good || event_create(&helper->done) != OK)
        return false;
    struct thread *thread = kernel_thread_create("waiter", helper_main, helper, PRIORITY_DEFAULT);
    if (!thread) {
        waitable_unref(helper->done);
        return false;
    }
    waitable_ref(helper->done);
    thread_start(thread);
    return true;
}

/* Wait until `count` observers hang on the event. */
static void helper_settle(struct waitable *event, unsigned count) {
    for (;;) {
        unsigned linked = 0;
        mutex_lock(event->lock);
        list_for_each(node, &event->observers) {
            linked++;
        }
        mutex_unlock(event->lock);
        if (linked == count)
            return;
        (void)thread_sleep_until(clock_now() + 100000);
    }
}

static void helper_join(struct helper *helper) {
    while (!(waitable_signals(helper->done) & ZX_EVENT_SIGNALED))
        (void)thread_sleep_until(clock_now() + 100000);
    waitable_unref(helper->done);
}

KTEST(wait, a_pulse_wakes_and_is_reported_although_it_is_over) {
    struct helper helper;

    if (helper_begin(&helper, 1)) {
        helper_settle(helper.bench.event, 1);
        mutex_lock(helper.bench.event->lock);
        waitable_pulse_locked(helper.bench.event, ZX_EVENT_SIGNALED);
        mutex_unlock(helper.bench.event->lock);
        helper_join(&helper);
        EXPECT_EQ(OK, helper.status);
        EXPECT_EQ(ZX_EVENT_SIGNALED, helper.seen[0]);
    }
    bench_end(&helper.bench);
}

KTEST(wait, P55_closing_the_handle_cancels_the_wait_through_it) {
    struct helper helper;
    struct handle handle;

    if (helper_begin(&helper, 1)) {
        helper_settle(helper.bench.event, 1);
        EXPECT_EQ(OK, handle_table_remove(&helper.bench.table, helper.bench.value, &handle));
        helper_join(&helper);
        EXPECT_EQ(ERR_CANCELED, helper.status);
        EXPECT_EQ(ZX_SIGNAL_HANDLE_CLOSED, helper.seen[0]);
        handle_release(&handle);
    }
    bench_end(&helper.bench);
}

KTEST(wait, a_wait_for_many_hears_of_each_and_of_the_close) {
    struct helper helper;
    struct handle handle;

    if (helper_begin(&helper, 2)) {
        helper_settle(helper.bench.event, 2);
        waitable_change(helper.bench.event, 0, ZX_USER_SIGNAL_7 | ZX_USER_SIGNAL_0);
        helper_join(&helper);
        EXPECT_EQ(OK, helper.status);
        EXPECT_EQ(ZX_USER_SIGNAL_7 | ZX_USER_SIGNAL_0, helper.seen[0]);
        EXPECT_EQ(ZX_USER_SIGNAL_7 | ZX_USER_SIGNAL_0, helper.seen[1]);
    }
    bench_end(&helper.bench);
    if (helper_begin(&helper, 2)) {
        helper_settle(helper.bench.event, 2);
        EXPECT_EQ(OK, handle_table_remove(&helper.bench.table, helper.bench.value, &handle));
        handle_release(&handle);
        helper_join(&helper);
        EXPECT_EQ(ERR_CANCELED, helper.status);
        EXPECT_EQ(ZX_SIGNAL_HANDLE_CLOSED, helper.seen[0] & ZX_SIGNAL_HANDLE_CLOSED);
    }
    bench_end(&helper.bench);
}

#define P55_ROUNDS 300

/* No settling: the close comes before, while, and after the wait links itself. */
KTEST(wait, P55_no_order_of_wait_and_close_loses_the_wait) {
    struct helper helper;
    struct handle handle;

    for (unsigned round = 0; round < P55_ROUNDS; round++) {
        if (helper_begin(&helper, 1 + round % 2)) {
            if (round % 3)
                sched_yield();
            EXPECT_EQ(OK, handle_table_remove(&helper.bench.table, helper.bench.value, &handle));
            handle_release(&handle);
            helper_join(&helper);
            EXPECT(helper.status == ERR_CANCELED || helper.status == ERR_BAD_HANDLE);
        }
        bench_end(&helper.bench);
    }
}
