/*
 * orders_wait.c - waits through handles, the handles, and ports, in all orders.
 */
#include "object/eventpair.h"
#include "object/event.h"
#include "object/object.h"
#include "object/port.h"
#include "object/wait.h"
#include "tests/host/orders.h"

static struct {
    struct handle_table table;
    struct waitable *event[2]; /* referenced besides */
    uint32_t value[2];         /* their handles */
    struct port *port;         /* borrowed from its handle */
    struct handle port_handle;
    /* What the threads got. */
    status_t status, other_status;
    signals_t seen, seen_again;
    unsigned packets;
    struct handle taken;
} bench;

static uint32_t give(struct waitable *object, rights_t rights) {
    uint32_t value = 0;
    struct handle handle = handle_make(object, rights);

    if (handle_table_add(&bench.table, handle, &value) != OK)
        handle_release(&handle);
    return value;
}

static void prepare(void) {
    bench = (typeof(bench)){.status = ERR_INTERNAL, .other_status = ERR_INTERNAL};
    handle_table_init(&bench.table);
    for (unsigned i = 0; i < 2; i++) {
        REQUIRE(event_create(&bench.event[i]) == OK);
        bench.value[i] = give(bench.event[i], ZX_DEFAULT_EVENT_RIGHTS);
    }
    REQUIRE(port_create(0, &bench.port) == OK);
    bench.port_handle = handle_adopt(&bench.port->base, 0);
}

static void let_go(void) {
    handle_release(&bench.port_handle);
    handle_release(&bench.taken);
    handle_table_clear(&bench.table);
    handle_table_destroy(&bench.table);
    for (unsigned i = 0; i < 2; i++) {
        EXPECT(list_is_empty(&bench.event[i]->observers));
        EXPECT_EQ(1, ref_count(&bench.event[i]->refs));
        waitable_unref(bench.event[i]);
    }
}

/* ---- What threads do ---- */

static void wait_for_first(void) {
    struct wait_result result =
        wait_one(&bench.table, bench.value[0], ZX_EVENT_SIGNALED, TIME_INFINITE);

    bench.status = result.status;
    bench.seen = result.observed;
}

static void wait_for_both(void) {
    zx_wait_item_t items[2] = {{bench.value[0], ZX_EVENT_SIGNALED, 0},
                               {bench.value[1], ZX_EVENT_SIGNALED, 0}};

    bench.status = wait_many(&bench.table, items, 2, TIME_INFINITE);
    bench.seen = items[0].pending;
    bench.seen_again = items[1].pending;
}

static void signal_first(void) {
    EXPECT_EQ(OK, object_signal(bench.event[0], 0, ZX_EVENT_SIGNALED));
}
static void signal_second(void) {
    EXPECT_EQ(OK, object_signal(bench.event[1], 0, ZX_EVENT_SIGNALED));
}
static void close_first(void) {
    struct handle handle = handle_table_take(&bench.table, bench.value[0]);

    bench.other_status = handle.object ? OK : ERR_BAD_HANDLE;
    handle_release(&handle);
}
static void kill_first(void) { thread_set_pending(orders_thread(0), THREAD_PENDING_KILL); }

/* ---- wait_one and wait_many ---- */

static void wait_check(void) {
    if (bench.status == OK)
        EXPECT(bench.seen & ZX_EVENT_SIGNALED);
    if (bench.status == ERR_CANCELED)
        EXPECT(bench.seen & SIGNAL_HANDLE_CLOSED);
    orders_saw("%s", orders_status(bench.status));
    let_go();
}

ORDERS(wait_one, a_signal_is_never_missed, .switches = 3, .prepare = prepare,
       .work = {wait_for_first, signal_first}, .check = wait_check, .outcomes = {"OK"});
ORDERS(wait_one, a_closed_handle_ends_the_wait, .switches = 3, .prepare = prepare,
       .work = {wait_for_first, close_first}, .check = wait_check,
       .outcomes = {"CANCELED", "BAD_HANDLE"});
ORDERS(wait_one, signal_and_close_at_once, .switches = 2, .prepare = prepare,
       .work = {wait_for_first, signal_first, close_first}, .check = wait_check,
       .outcomes = {"OK", "CANCELED", "BAD_HANDLE"});
ORDERS(wait_one, signal_and_kill_at_once, .switches = 2, .prepare = prepare,
       .work = {wait_for_first, signal_first, kill_first}, .check = wait_check,
       .outcomes = {"OK", "KILLED"});

static void wait_many_check(void) {
    if (bench.status == OK)
        EXPECT(bench.seen_again & ZX_EVENT_SIGNALED);
    if (bench.status == ERR_CANCELED)
        EXPECT(bench.seen & SIGNAL_HANDLE_CLOSED);
    orders_saw("%s", orders_status(bench.status));
    let_go();
}

ORDERS(wait_many, one_handle_is_closed_and_the_other_object_signalled, .switches = 2,
       .prepare = prepare, .work = {wait_for_both, close_first, signal_second},
       .check = wait_many_check, .outcomes = {"OK", "CANCELED", "BAD_HANDLE"});

static void either_check(void) {
    EXPECT((bench.seen | bench.seen_again) & ZX_EVENT_SIGNALED);
    orders_saw("%s", orders_status(bench.status));
    let_go();
}

ORDERS(wait_many, two_signals_wake_once, .switches = 2, .prepare = prepare,
       .work = {wait_for_both, signal_first, signal_second}, .check = either_check,
       .outcomes = {"OK"});

/* ---- The handle table ---- */

static void look_up(void) {
    struct found found = handle_table_look_up(&bench.table, bench.value[0], ZX_OBJ_TYPE_EVENT,
                                              ZX_RIGHT_SIGNAL);

    bench.status = found.status;
    if (found.status == OK)
        waitable_unref(found.object);
}
/* The only reference is the handle's. */
static void prepare_owned(void) {
    prepare();
    waitable_unref(bench.event[0]);
}
static void let_go_of_owned(void) {
    struct handle handle = handle_table_take(&bench.table, bench.value[0]);

    EXPECT(handle.object == NULL);
    REQUIRE(event_create(&bench.event[0]) == OK);
    let_go();
}
static void look_up_check(void) {
    EXPECT_EQ(OK, bench.other_status);
    orders_saw("%s", orders_status(bench.status));
    let_go_of_owned();
}

ORDERS(handles, a_look_up_meets_a_close, .switches = 3, .prepare = prepare_owned,
       .work = {look_up, close_first}, .check = look_up_check, .outcomes = {"OK", "BAD_HANDLE"});

static void take_first(void) {
    bench.taken = handle_table_take(&bench.table, bench.value[0]);
    bench.status = bench.taken.object ? OK : ERR_BAD_HANDLE;
}
static void duplicate_first(void) {
    struct handle copy = {NULL, 0};

    bench.status =
        handle_table_duplicate(&bench.table, bench.value[0], ZX_RIGHT_SAME_RIGHTS, &copy);
    handle_release(&copy);
}
static void one_of_two_check(void) {
    EXPECT((bench.status == OK) != (bench.other_status == OK));
    orders_saw("%s", orders_status(bench.status));
    handle_release(&bench.taken);
    let_go_of_owned();
}

ORDERS(handles, two_take_one_handle_and_one_gets_it, .switches = 3, .prepare = prepare_owned,
       .work = {take_first, close_first}, .check = one_of_two_check,
       .outcomes = {"OK", "BAD_HANDLE"});
ORDERS(handles, a_duplicate_meets_a_close, .switches = 3, .prepare = prepare_owned,
       .work = {duplicate_first, close_first}, .check = look_up_check,
       .outcomes = {"OK", "BAD_HANDLE"});

static void clear_table(void) { handle_table_clear(&bench.table); }
static void clear_check(void) {
    orders_saw("%s", orders_status(bench.status));
    EXPECT_EQ(0, handle_table_count(&bench.table));
    REQUIRE(event_create(&bench.event[0]) == OK);
    let_go();
}
static void add_first(void) {
    struct waitable *event;
    uint32_t value;

    REQUIRE(event_create(&event) == OK);
    struct handle handle = handle_adopt(event, 0);
    bench.status = handle_table_add(&bench.table, handle, &value);
    if (bench.status != OK)
        handle_release(&handle);
}

ORDERS(handles, a_new_handle_meets_the_end_of_the_table, .switches = 2, .prepare = prepare_owned,
       .work = {add_first, clear_table}, .check = clear_check, .outcomes = {"OK", "BAD_STATE"});

/* ---- Pairs ---- */

static struct waitable *ends[2];

static void prepare_pair(void) {
    prepare();
    REQUIRE(eventpair_create(&ends[0], &ends[1]) == OK);
    for (unsigned i = 0; i < 2; i++) {
        uint32_t value = give(ends[i], ZX_DEFAULT_EVENTPAIR_RIGHTS);
        if (i == 0)
            waitable_unref(bench.event[0]);
        struct handle handle = handle_table_take(&bench.table, bench.value[i]);
        handle_release(&handle);
        bench.value[i] = value;
    }
    REQUIRE(event_create(&bench.event[0]) == OK);
}
static void wait_for_peer(void) {
    struct wait_result result = wait_one(&bench.table, bench.value[0],
                                         ZX_EVENTPAIR_SIGNALED | ZX_EVENTPAIR_PEER_CLOSED,
                                         TIME_INFINITE);
    bench.status = result.status;
    bench.seen = result.observed;
}
static void signal_then_close_peer(void) {
    EXPECT_EQ(OK, object_signal_peer(ends[1], 0, ZX_EVENTPAIR_SIGNALED));
    struct handle handle = handle_table_take(&bench.table, bench.value[1]);
    handle_release(&handle);
    waitable_unref(ends[1]);
}
static void pair_check(void) {
    EXPECT_EQ(ZX_EVENTPAIR_SIGNALED | ZX_EVENTPAIR_PEER_CLOSED, waitable_signals(ends[0]));
    orders_saw("%s, signalled%s", orders_status(bench.status),
               bench.seen & ZX_EVENTPAIR_PEER_CLOSED ? " and closed" : "");
    waitable_unref(ends[0]);
    let_go();
}

ORDERS(eventpair, a_wait_meets_a_signal_and_the_end_of_the_peer, .switches = 3,
       .prepare = prepare_pair, .work = {wait_for_peer, signal_then_close_peer},
       .check = pair_check, .outcomes = {"OK, signalled", "OK, signalled and closed"});

/* ---- Asynchronous waits ---- */

#define KEY 7

static void observe(void) {
    bench.status = port_wait_async(bench.port, &bench.table, bench.value[0], KEY,
                                   ZX_EVENT_SIGNALED, 0);
}
static void prepare_observed(void) {
    prepare();
    observe();
    bench.status = ERR_INTERNAL;
}
static void cancel(void) {
    bench.other_status = port_cancel(bench.port, &bench.table, bench.value[0], KEY);
}
static void take_packet(void) {
    zx_port_packet_t packet;

    bench.status = port_wait(bench.port, 0, &packet);
    if (bench.status != OK)
        return;
    EXPECT_EQ(KEY, packet.key);
    EXPECT(packet.signal.observed & ZX_EVENT_SIGNALED);
    bench.packets++;
}
/* What lies in the port after all have gone on. */
static void drain(void) {
    zx_port_packet_t packet;

    while (port_wait(bench.port, 0, &packet) == OK)
        bench.packets++;
    struct port_counts counts = port_counts(bench.port);
    EXPECT_EQ(0, counts.packets);
}
static void expect_no_waits(void) {
    struct port_counts counts = port_counts(bench.port);

    EXPECT_EQ(0, counts.waits);
    EXPECT_EQ(0, bench.port->async_count);
}

/* None after a cancel that found something. */
static void cancel_check(void) {
    expect_no_waits();
    drain();
    EXPECT_EQ(OK, bench.other_status);
    EXPECT_EQ(0, bench.packets);
    orders_saw("%s", orders_status(bench.other_status));
    let_go();
}

ORDERS(port, a_cancelled_wait_leaves_no_packet, .switches = 3, .prepare = prepare_observed,
       .work = {signal_first, cancel}, .check = cancel_check, .outcomes = {"OK"});

/* At most one; exactly one if the cancel came too late. */
static void take_check(void) {
    unsigned taken = bench.packets;

    expect_no_waits();
    drain();
    EXPECT_EQ(taken, bench.packets);
    EXPECT_EQ(bench.other_status == OK ? 0 : 1, bench.packets);
    orders_saw("took %u, cancel %s", taken, orders_status(bench.other_status));
    let_go();
}

ORDERS(port, signal_cancel_and_a_reader, .switches = 2, .prepare = prepare_observed,
       .work = {take_packet, signal_first, cancel}, .check = take_check,
       .outcomes = {"took 0, cancel OK", "took 1, cancel NOT_FOUND"});

/* The wait ends either by its signal, with one packet, or by its handle, with none. */
static void close_check(void) {
    drain();
    expect_no_waits();
    orders_saw("%u, closed %s", bench.packets, orders_status(bench.other_status));
    let_go();
}

ORDERS(port, a_signal_meets_the_close_of_the_handle, .switches = 3, .prepare = prepare_observed,
       .work = {signal_first, close_first}, .check = close_check,
       .outcomes = {"0, closed OK", "1, closed OK"});

static void register_check(void) {
    drain();
    if (bench.status == OK && bench.packets == 0)
        EXPECT_EQ(0, port_counts(bench.port).waits); /* the close has taken it */
    EXPECT(bench.packets <= 1);
    orders_saw("%s, %u", orders_status(bench.status), bench.packets);
    expect_no_waits();
    let_go();
}

ORDERS(port, a_registration_meets_signal_and_close, .switches = 2, .prepare = prepare,
       .work = {observe, signal_first, close_first}, .check = register_check,
       .outcomes = {"OK, 0", "OK, 1", "BAD_HANDLE, 0"});

static void close_port(void) { handle_release(&bench.port_handle); }
static void port_gone_check(void) {
    orders_saw("gone");
    let_go();
}

ORDERS(port, a_signal_meets_the_end_of_the_port, .switches = 3, .prepare = prepare_observed,
       .work = {signal_first, close_port}, .check = port_gone_check, .outcomes = {"gone"});

/* The first may come when the port has let go of its packets, but not of its registrations. */
static void prepare_both_observed(void) {
    prepare_observed();
    EXPECT_EQ(OK, port_wait_async(bench.port, &bench.table, bench.value[1], KEY,
                                  ZX_EVENT_SIGNALED, 0));
}
static void signal_both(void) {
    signal_first();
    signal_second();
}

ORDERS(port, two_signals_meet_the_end_of_the_port, .switches = 3,
       .prepare = prepare_both_observed, .work = {signal_both, close_port},
       .check = port_gone_check, .outcomes = {"gone"});
ORDERS(port, cancel_by_close_meets_the_end_of_the_port, .switches = 3,
       .prepare = prepare_observed, .work = {close_first, close_port}, .check = port_gone_check,
       .outcomes = {"gone"});

/* A thread that waits in the port, with a reference of its own. */
static void prepare_reader(void) {
    prepare_observed();
    waitable_ref(&bench.port->base);
}
static void read_port(void) {
    zx_port_packet_t packet;

    bench.status = port_wait(bench.port, TIME_INFINITE, &packet);
    bench.packets += bench.status == OK;
    waitable_unref(&bench.port->base);
}
static void reader_check(void) {
    orders_saw("%s", orders_status(bench.status));
    let_go();
}

ORDERS(port, a_reader_meets_a_packet_and_the_end_of_the_port, .switches = 2,
       .prepare = prepare_reader, .work = {read_port, signal_first, close_port},
       .check = reader_check, .outcomes = {"OK", "CANCELED"});
ORDERS(port, a_reader_is_killed_as_its_packet_comes, .switches = 2, .prepare = prepare_reader,
       .work = {read_port, signal_first, kill_first}, .check = reader_check,
       .outcomes = {"OK", "KILLED"});
