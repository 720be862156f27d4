/*
 * port_test.c - packets, and waits on behalf of a port.
 */
#include "lib/ktest.h"
#include "object/event.h"
#include "object/object.h"
#include "object/port.h"

struct bench {
    struct handle_table table;
    struct port *port;      /* borrowed from `port_handle` */
    struct handle port_handle;
    struct waitable *event; /* borrowed from its handle */
    uint32_t value;
};

static bool bench_begin(struct bench *bench) {
    *bench = (struct bench){};
    handle_table_init(&bench->table);
    if (port_create(0, &bench->port) != OK)
        return false;
    bench->port_handle = handle_adopt(&bench->port->base, 0);
    if (event_create(&bench->event) != OK)
        return false;
    struct handle handle = handle_adopt(bench->event, ZX_DEFAULT_EVENT_RIGHTS);
    if (handle_table_add(&bench->table, handle, &bench->value) == OK)
        return true;
    handle_release(&handle);
    return false;
}

static void bench_end(struct bench *bench) {
    handle_release(&bench->port_handle);
    handle_table_clear(&bench->table);
    handle_table_destroy(&bench->table);
}

static status_t observe(struct bench *bench, uint64_t key, signals_t wanted, uint32_t options) {
    return port_wait_async(bench->port, &bench->table, bench->value, key, wanted, options);
}

static status_t poll(struct bench *bench, zx_port_packet_t *out_packet) {
    return port_wait(bench->port, 0, out_packet);
}

KTEST_QUICK(port, user_packets_come_in_order_and_are_made_a_users) {
    struct bench bench;
    zx_port_packet_t packet = {.key = 1, .type = 77, .status = -5, .user.u64 = {1, 2, 3, 4}};

    if (bench_begin(&bench)) {
        EXPECT_EQ(OK, port_queue(bench.port, &packet));
        packet.key = 2;
        EXPECT_EQ(OK, port_queue(bench.port, &packet));
        EXPECT_EQ(OK, poll(&bench, &packet));
        EXPECT_EQ(1, packet.key);
        EXPECT_EQ(ZX_PKT_TYPE_USER, packet.type);
        EXPECT_EQ(-5, packet.status);
        EXPECT_EQ(4, packet.user.u64[3]);
        EXPECT_EQ(OK, poll(&bench, &packet));
        EXPECT_EQ(2, packet.key);
        EXPECT_EQ(ERR_TIMED_OUT, poll(&bench, &packet));
    }
    bench_end(&bench);
}

KTEST(port, at_most_2048_user_packets_wait) {
    struct bench bench;
    zx_port_packet_t packet = {};
    status_t status = OK;

    if (bench_begin(&bench)) {
        for (unsigned i = 0; i < PORT_USER_PACKETS_MAX && status == OK; i++)
            status = port_queue(bench.port, &packet);
        EXPECT_EQ(OK, status);
        EXPECT_EQ(ERR_SHOULD_WAIT, port_queue(bench.port, &packet));
        EXPECT_EQ(OK, poll(&bench, &packet));
        EXPECT_EQ(OK, port_queue(bench.port, &packet));
    }
    bench_end(&bench);
}

KTEST_QUICK(port, an_asynchronous_wait_gives_one_packet) {
    struct bench bench;
    zx_port_packet_t packet;

    if (bench_begin(&bench)) {
        EXPECT_EQ(OK, observe(&bench, 9, ZX_EVENT_SIGNALED, ZX_WAIT_ASYNC_TIMESTAMP));
        EXPECT_EQ(ERR_TIMED_OUT, poll(&bench, &packet));
        (void)object_signal(bench.event, 0, ZX_USER_SIGNAL_0);
        EXPECT_EQ(ERR_TIMED_OUT, poll(&bench, &packet));
        (void)object_signal(bench.event, 0, ZX_EVENT_SIGNALED);
        (void)object_signal(bench.event, ZX_EVENT_SIGNALED, 0);
        (void)object_signal(bench.event, 0, ZX_EVENT_SIGNALED);
        EXPECT_EQ(OK, poll(&bench, &packet));
        EXPECT_EQ(9, packet.key);
        EXPECT_EQ(ZX_PKT_TYPE_SIGNAL_ONE, packet.type);
        EXPECT_EQ(ZX_EVENT_SIGNALED, packet.signal.trigger);
        EXPECT_EQ(ZX_EVENT_SIGNALED | ZX_USER_SIGNAL_0, packet.signal.observed);
        EXPECT_EQ(1, packet.signal.count);
        EXPECT(packet.signal.timestamp != 0);
        EXPECT_EQ(ERR_TIMED_OUT, poll(&bench, &packet));
    }
    bench_end(&bench);
}

KTEST_QUICK(port, what_is_active_already_counts_unless_an_edge_is_wanted) {
    struct bench bench;
    zx_port_packet_t packet;

    if (bench_begin(&bench)) {
        (void)object_signal(bench.event, 0, ZX_EVENT_SIGNALED);
        EXPECT_EQ(OK, observe(&bench, 1, ZX_EVENT_SIGNALED, ZX_WAIT_ASYNC_EDGE));
        EXPECT_EQ(OK, observe(&bench, 2, ZX_EVENT_SIGNALED, 0));
        EXPECT_EQ(OK, poll(&bench, &packet));
        EXPECT_EQ(2, packet.key);
        EXPECT_EQ(ERR_TIMED_OUT, poll(&bench, &packet));
        (void)object_signal(bench.event, ZX_EVENT_SIGNALED, 0);
        (void)object_signal(bench.event, 0, ZX_EVENT_SIGNALED);
        EXPECT_EQ(OK, poll(&bench, &packet));
        EXPECT_EQ(1, packet.key);
        EXPECT_EQ(ERR_INVALID_ARGS, observe(&bench, 1, ZX_EVENT_SIGNALED, 4));
    }
    bench_end(&bench);
}

KTEST_QUICK(port, cancel_takes_waits_and_packets_of_its_handle_and_key) {
    struct bench bench;
    zx_port_packet_t packet;

    if (bench_begin(&bench)) {
        EXPECT_EQ(OK, observe(&bench, 1, ZX_EVENT_SIGNALED, 0));
        EXPECT_EQ(OK, observe(&bench, 1, ZX_EVENT_SIGNALED, 0));
        EXPECT_EQ(OK, observe(&bench, 2, ZX_EVENT_SIGNALED, 0));
        (void)object_signal(bench.event, 0, ZX_EVENT_SIGNALED);
        EXPECT_EQ(OK, observe(&bench, 1, ZX_USER_SIGNAL_0, 0));
        EXPECT_EQ(OK, port_cancel(bench.port, &bench.table, bench.value, 1));
        EXPECT_EQ(ERR_NOT_FOUND, port_cancel(bench.port, &bench.table, bench.value, 1));
        (void)object_signal(bench.event, 0, ZX_USER_SIGNAL_0);
        EXPECT_EQ(OK, poll(&bench, &packet));
        EXPECT_EQ(2, packet.key);
        EXPECT_EQ(ERR_TIMED_OUT, poll(&bench, &packet));
        EXPECT_EQ(ERR_BAD_HANDLE, port_cancel(bench.port, &bench.table, bench.value ^ 4, 1));
    }
    bench_end(&bench);
}

KTEST_QUICK(port, closing_the_source_drops_waits_but_not_packets) {
    struct bench bench;
    zx_port_packet_t packet;
    struct handle handle;

    if (bench_begin(&bench)) {
        EXPECT_EQ(OK, observe(&bench, 1, ZX_USER_SIGNAL_0, 0));
        EXPECT_EQ(OK, observe(&bench, 2, ZX_EVENT_SIGNALED, 0));
        (void)object_signal(bench.event, 0, ZX_EVENT_SIGNALED);
        EXPECT_EQ(OK, handle_table_remove(&bench.table, bench.value, &handle));
        waitable_change(handle.object, 0, ZX_USER_SIGNAL_0);
        handle_release(&handle);
        EXPECT_EQ(OK, poll(&bench, &packet));
        EXPECT_EQ(2, packet.key);
        EXPECT_EQ(ERR_TIMED_OUT, poll(&bench, &packet));
    }
    bench_end(&bench);
}

KTEST_QUICK(port, closing_the_port_leaves_nothing_on_the_sources) {
    struct bench bench;
    zx_port_packet_t packet = {};

    if (bench_begin(&bench)) {
        AUTO(waitable) kept = &bench.port->base;
        waitable_ref(kept);
        EXPECT_EQ(OK, observe(&bench, 1, ZX_USER_SIGNAL_0, 0));
        EXPECT_EQ(OK, observe(&bench, 2, 0, 0));
        EXPECT_EQ(OK, port_queue(bench.port, &packet));
        (void)object_signal(bench.event, 0, ZX_USER_SIGNAL_0);
        handle_release(&bench.port_handle);
        EXPECT(list_is_empty(&bench.event->observers));
        EXPECT_EQ(ERR_CANCELED, poll(&bench, &packet));
        EXPECT_EQ(ERR_BAD_HANDLE, port_queue(bench.port, &packet));
        EXPECT_EQ(ERR_BAD_HANDLE, observe(&bench, 1, ZX_USER_SIGNAL_0, 0));
    }
    bench_end(&bench);
}

/* Its packet is let go of when the port is closed, but before its registrations are. */
static struct waitable *signalled_between;

static void signal_between(struct packet *packet) {
    (void)packet;
    waitable_change(signalled_between, 0, ZX_USER_SIGNAL_0);
}

static bool queue_kept(struct port *port, struct packet *packet) {
    MUTEX_GUARD(&port->lock);
    return port_queue_kept_locked(port, packet);
}

KTEST(port, what_fires_while_the_port_closes_leaves_no_packet) {
    static const struct kept_packet_ops ops = {.released = signal_between};
    struct packet packet = {.kept = &ops};
    struct bench bench;

    if (bench_begin(&bench)) {
        AUTO(waitable) kept = &bench.port->base;
        waitable_ref(kept);
        signalled_between = bench.event;
        EXPECT_EQ(OK, observe(&bench, 1, ZX_USER_SIGNAL_0, 0));
        EXPECT(queue_kept(bench.port, &packet));
        handle_release(&bench.port_handle);
        EXPECT(list_is_empty(&port_from(kept)->packets));
    }
    bench_end(&bench);
}
