/*
 * t_interrupt.c - virtual interrupts: waiting, ports, acknowledging, ending.
 */
#include <jacinth/utest.h>
#include <threads.h>

#include "core-tests/support.h"

static zx_handle_t make_interrupt(void) {
    zx_handle_t made = ZX_HANDLE_INVALID;
    EXPECT_OK(zx_interrupt_create(ZX_HANDLE_INVALID, 0, ZX_INTERRUPT_VIRTUAL, &made));
    return made;
}

static zx_handle_t make_port_for_interrupts(void) {
    zx_handle_t made = ZX_HANDLE_INVALID;
    EXPECT_OK(zx_port_create(ZX_PORT_BIND_TO_INTERRUPT, &made));
    return made;
}

struct bound {
    zx_handle_t interrupt, port;
};
static struct bound make_bound(uint64_t key) {
    struct bound made = {make_interrupt(), make_port_for_interrupts()};
    EXPECT_OK(zx_interrupt_bind(made.interrupt, made.port, key, ZX_INTERRUPT_BIND));
    return made;
}
static void close_bound(const struct bound *b) {
    close_handle(b->interrupt);
    close_handle(b->port);
}

static void expect_interrupt(zx_handle_t port, uint64_t key, zx_time_t timestamp) {
    zx_port_packet_t packet = {0};
    EXPECT_OK(zx_port_wait(port, 0, &packet));
    EXPECT_EQ(ZX_PKT_TYPE_INTERRUPT, packet.type);
    EXPECT_EQ(ZX_OK, packet.status);
    EXPECT_EQ(key, packet.key);
    EXPECT_EQ(timestamp, packet.interrupt.timestamp);
}

static void expect_nothing(zx_handle_t port) {
    zx_port_packet_t packet;
    EXPECT_EQ(ZX_ERR_TIMED_OUT, zx_port_wait(port, 0, &packet));
}

/* --- making --- */

TEST(interrupt_create_checks_options_and_resource) {
    zx_handle_t root = root_resource(), made = 3, range;
    EXPECT_EQ(ZX_ERR_INVALID_ARGS,
              zx_interrupt_create(0, 0, ZX_INTERRUPT_VIRTUAL | ZX_INTERRUPT_MODE_EDGE_LOW, &made));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_interrupt_create(0, 0, ZX_INTERRUPT_VIRTUAL, NULL));
    EXPECT_EQ(ZX_ERR_BAD_HANDLE, zx_interrupt_create(ZX_HANDLE_INVALID, 0, 0, &made));
    EXPECT_EQ(3, made);
    if (root != ZX_HANDLE_INVALID) {
        REQUIRE_OK(zx_resource_create(root, ZX_RSRC_KIND_IRQ, 200, 2, "", 0, &range));
        EXPECT_EQ(ZX_ERR_OUT_OF_RANGE, zx_interrupt_create(range, 199, 0, &made));
        EXPECT_EQ(ZX_ERR_OUT_OF_RANGE, zx_interrupt_create(range, 202, 0, &made));
        close_handle(range);
        REQUIRE_OK(zx_resource_create(root, ZX_RSRC_KIND_IOPORT, 1, 2, "", 0, &range));
        EXPECT_EQ(ZX_ERR_WRONG_TYPE, zx_interrupt_create(range, 1, 0, &made));
        close_handle(range);
    }
    made = make_interrupt();
    EXPECT_EQ(ZX_DEFAULT_INTERRUPT_RIGHTS, rights_of(made));
    close_handle(made);
}

/* --- waiting --- */

TEST(interrupt_wait_tells_the_first_time_and_triggers_coalesce) {
    zx_handle_t interrupt = make_interrupt();
    zx_time_t at = 0;
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_interrupt_trigger(interrupt, 1, 5));
    EXPECT_OK(zx_interrupt_trigger(interrupt, 0, 11));
    EXPECT_OK(zx_interrupt_trigger(interrupt, 0, 12));
    EXPECT_OK(zx_interrupt_wait(interrupt, &at));
    EXPECT_EQ(11, at);
    EXPECT_OK(zx_interrupt_trigger(interrupt, 0, 0)); /* a time like any other */
    EXPECT_OK(zx_interrupt_trigger(interrupt, 0, 14));
    EXPECT_OK(zx_interrupt_wait(interrupt, &at));
    EXPECT_EQ(0, at);
    EXPECT_OK(zx_interrupt_trigger(interrupt, 0, 15));
    EXPECT_OK(zx_interrupt_wait(interrupt, NULL));
    EXPECT_EQ(ZX_ERR_BAD_STATE, zx_interrupt_ack(interrupt)); /* it is for ports */
    close_handle(interrupt);
}

struct waiter {
    zx_handle_t interrupt, thread;
    zx_status_t status;
    zx_time_t at;
    _Atomic bool runs;
};
static int wait_for_interrupt(void *argument) {
    struct waiter *waiter = argument;
    waiter->thread = zx_thread_self();
    waiter->runs = true;
    waiter->status = zx_interrupt_wait(waiter->interrupt, &waiter->at);
    return 0;
}
/* Starts it, and comes back when it waits. */
static void start_waiter(struct waiter *waiter, thrd_t *thread) {
    zx_info_thread_t info = {0};
    REQUIRE_EQ(thrd_success, thrd_create(thread, wait_for_interrupt, waiter));
    for (int i = 0; i < 4000 && info.state != ZX_THREAD_STATE_BLOCKED_INTERRUPT; i++) {
        (void)zx_nanosleep(zx_deadline_after(ZX_MSEC(1)));
        if (waiter->runs)
            EXPECT_OK(zx_object_get_info(waiter->thread, ZX_INFO_THREAD, &info, sizeof info, NULL,
                                         NULL));
    }
    EXPECT_EQ(ZX_THREAD_STATE_BLOCKED_INTERRUPT, info.state);
}

TEST(interrupt_wakes_the_one_thread_that_may_wait) {
    struct waiter waiter = {.interrupt = make_interrupt()};
    zx_handle_t port = make_port_for_interrupts();
    thrd_t thread;
    start_waiter(&waiter, &thread);
    EXPECT_EQ(ZX_ERR_BAD_STATE, zx_interrupt_wait(waiter.interrupt, NULL));
    EXPECT_EQ(ZX_ERR_BAD_STATE,
              zx_interrupt_bind(waiter.interrupt, port, 1, ZX_INTERRUPT_BIND));
    EXPECT_OK(zx_interrupt_trigger(waiter.interrupt, 0, 77));
    thrd_join(thread, NULL);
    EXPECT_OK(waiter.status);
    EXPECT_EQ(77, waiter.at);
    EXPECT_OK(zx_interrupt_bind(waiter.interrupt, port, 1, ZX_INTERRUPT_BIND));
    expect_nothing(port);
    close_handle(port);
    close_handle(waiter.interrupt);
}

TEST(interrupt_destroy_cancels_its_waiter_and_all_that_comes_after) {
    struct waiter waiter = {.interrupt = make_interrupt()};
    zx_handle_t port = make_port_for_interrupts();
    thrd_t thread;
    start_waiter(&waiter, &thread);
    EXPECT_OK(zx_interrupt_destroy(waiter.interrupt));
    thrd_join(thread, NULL);
    EXPECT_EQ(ZX_ERR_CANCELED, waiter.status);
    EXPECT_EQ(ZX_ERR_CANCELED, zx_interrupt_wait(waiter.interrupt, NULL));
    EXPECT_EQ(ZX_ERR_CANCELED, zx_interrupt_trigger(waiter.interrupt, 0, 1));
    EXPECT_EQ(ZX_ERR_CANCELED,
              zx_interrupt_bind(waiter.interrupt, port, 1, ZX_INTERRUPT_BIND));
    EXPECT_EQ(ZX_ERR_BAD_STATE, zx_interrupt_ack(waiter.interrupt));
    EXPECT_OK(zx_interrupt_destroy(waiter.interrupt));
    close_handle(waiter.interrupt);
    close_handle(port);
}

TEST(interrupt_whose_last_handle_is_closed_cancels_its_waiter) {
    struct waiter waiter = {.interrupt = make_interrupt()};
    thrd_t thread;
    start_waiter(&waiter, &thread);
    close_handle(waiter.interrupt);
    thrd_join(thread, NULL);
    EXPECT_EQ(ZX_ERR_CANCELED, waiter.status);
}

TEST(a_killed_thread_leaves_the_interrupt_to_others) {
    zx_handle_t interrupt = make_interrupt();
    zx_info_thread_t info = {0};
    struct child child;
    zx_time_t at = 0;
    REQUIRE(script_make(&child));
    script_add(&child, 0, "zx_interrupt_wait", CHILD_HANDLE, 0, 0, 0);
    EXPECT_OK(zx_process_start(child.process, child.thread, CHILD_CODE, CHILD_STACK,
                               copy_with(interrupt, ZX_RIGHT_SAME_RIGHTS), CHILD_DATA));
    for (int i = 0; i < 4000 && info.state != ZX_THREAD_STATE_BLOCKED_INTERRUPT; i++) {
        EXPECT_OK(zx_object_get_info(child.thread, ZX_INFO_THREAD, &info, sizeof info, NULL, NULL));
        (void)zx_nanosleep(zx_deadline_after(ZX_MSEC(1)));
    }
    EXPECT_EQ(ZX_THREAD_STATE_BLOCKED_INTERRUPT, info.state);
    EXPECT_OK(zx_task_kill(child.process));
    EXPECT_OK(zx_object_wait_one(child.process, ZX_PROCESS_TERMINATED,
                                 zx_deadline_after(ZX_SEC(10)), NULL));
    child_end(&child);
    EXPECT_OK(zx_interrupt_trigger(interrupt, 0, 5));
    EXPECT_OK(zx_interrupt_wait(interrupt, &at));
    EXPECT_EQ(5, at);
    close_handle(interrupt);
}

/* --- ports --- */

TEST(interrupt_bind_checks_options_rights_and_the_port) {
    struct bound b = make_bound(1);
    zx_handle_t plain, other = make_port_for_interrupts();
    EXPECT_OK(zx_port_create(0, &plain));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_interrupt_bind(0, 0, 1, 2));
    EXPECT_EQ(ZX_ERR_WRONG_TYPE, zx_interrupt_bind(b.interrupt, plain, 1, ZX_INTERRUPT_BIND));
    EXPECT_EQ(ZX_ERR_WRONG_TYPE, zx_interrupt_bind(b.interrupt, plain, 1, ZX_INTERRUPT_UNBIND));
    EXPECT_EQ(ZX_ERR_ALREADY_BOUND, zx_interrupt_bind(b.interrupt, other, 1, ZX_INTERRUPT_BIND));
    EXPECT_EQ(ZX_ERR_ALREADY_BOUND, zx_interrupt_bind(b.interrupt, b.port, 1, ZX_INTERRUPT_BIND));
    EXPECT_EQ(ZX_ERR_NOT_FOUND, zx_interrupt_bind(b.interrupt, other, 1, ZX_INTERRUPT_UNBIND));
    EXPECT_EQ(ZX_ERR_BAD_STATE, zx_interrupt_wait(b.interrupt, NULL));
    EXPECT_OK(zx_interrupt_bind(b.interrupt, b.port, 1, ZX_INTERRUPT_UNBIND));
    EXPECT_EQ(ZX_ERR_NOT_FOUND, zx_interrupt_bind(b.interrupt, b.port, 1, ZX_INTERRUPT_UNBIND));
    EXPECT_OK(zx_interrupt_bind(b.interrupt, other, 1, ZX_INTERRUPT_BIND));
    close_handle(plain);
    close_handle(other);
    close_bound(&b);
}

TEST(interrupt_sends_one_packet_for_each_acknowledgement) {
    struct bound b = make_bound(42);
    expect_nothing(b.port);
    EXPECT_OK(zx_interrupt_trigger(b.interrupt, 0, 100));
    EXPECT_OK(zx_interrupt_trigger(b.interrupt, 0, 101));
    expect_interrupt(b.port, 42, 100);
    expect_nothing(b.port);
    EXPECT_OK(zx_interrupt_trigger(b.interrupt, 0, 102));
    expect_nothing(b.port);
    EXPECT_OK(zx_interrupt_ack(b.interrupt));
    expect_interrupt(b.port, 42, 101); /* the first of those that came meanwhile */
    EXPECT_OK(zx_interrupt_ack(b.interrupt));
    expect_nothing(b.port);
    EXPECT_OK(zx_interrupt_ack(b.interrupt)); /* once more changes nothing */
    EXPECT_OK(zx_interrupt_trigger(b.interrupt, 0, 103));
    expect_interrupt(b.port, 42, 103);
    close_bound(&b);
}

TEST(interrupt_that_came_before_the_port_is_sent_at_once) {
    zx_handle_t interrupt = make_interrupt(), port = make_port_for_interrupts();
    EXPECT_OK(zx_interrupt_trigger(interrupt, 0, 9));
    EXPECT_OK(zx_interrupt_bind(interrupt, port, 7, ZX_INTERRUPT_BIND));
    expect_interrupt(port, 7, 9);
    close_handle(interrupt);
    close_handle(port);
}

TEST(interrupt_packets_go_before_others_and_keep_their_order) {
    struct bound b = make_bound(1);
    zx_handle_t second = make_interrupt();
    zx_port_packet_t packet = {.key = 50};
    EXPECT_OK(zx_interrupt_bind(second, b.port, 2, ZX_INTERRUPT_BIND));
    EXPECT_OK(zx_port_queue(b.port, &packet));
    EXPECT_OK(zx_interrupt_trigger(second, 0, 20));
    packet.key = 51;
    EXPECT_OK(zx_port_queue(b.port, &packet));
    EXPECT_OK(zx_interrupt_trigger(b.interrupt, 0, 10));
    expect_interrupt(b.port, 2, 20);
    expect_interrupt(b.port, 1, 10);
    EXPECT_OK(zx_port_wait(b.port, 0, &packet));
    EXPECT_EQ(50, packet.key);
    EXPECT_OK(zx_port_wait(b.port, 0, &packet));
    EXPECT_EQ(51, packet.key);
    expect_nothing(b.port);
    close_handle(second);
    close_bound(&b);
}

TEST(interrupt_that_is_unbound_takes_its_unread_packet_along) {
    struct bound b = make_bound(3);
    zx_time_t at = 0;
    EXPECT_OK(zx_interrupt_trigger(b.interrupt, 0, 30));
    EXPECT_OK(zx_interrupt_trigger(b.interrupt, 0, 31));
    EXPECT_OK(zx_interrupt_bind(b.interrupt, b.port, 3, ZX_INTERRUPT_UNBIND));
    expect_nothing(b.port);
    EXPECT_EQ(ZX_ERR_BAD_STATE, zx_interrupt_ack(b.interrupt));
    EXPECT_OK(zx_interrupt_wait(b.interrupt, &at));
    EXPECT_EQ(30, at);
    EXPECT_OK(zx_interrupt_trigger(b.interrupt, 0, 32));
    expect_nothing(b.port);
    EXPECT_OK(zx_interrupt_bind(b.interrupt, b.port, 4, ZX_INTERRUPT_BIND));
    expect_interrupt(b.port, 4, 32);
    close_bound(&b);
}

TEST(interrupt_destroy_tells_of_a_packet_that_was_taken_and_not_acknowledged) {
    struct bound b = make_bound(1);
    EXPECT_OK(zx_interrupt_trigger(b.interrupt, 0, 1));
    EXPECT_OK(zx_interrupt_destroy(b.interrupt)); /* still queued: taken back */
    expect_nothing(b.port);
    EXPECT_EQ(ZX_ERR_CANCELED, zx_interrupt_ack(b.interrupt));
    EXPECT_EQ(ZX_ERR_CANCELED, zx_interrupt_bind(b.interrupt, b.port, 1, ZX_INTERRUPT_UNBIND));
    close_bound(&b);

    b = make_bound(1);
    EXPECT_OK(zx_interrupt_trigger(b.interrupt, 0, 1));
    expect_interrupt(b.port, 1, 1);
    EXPECT_EQ(ZX_ERR_NOT_FOUND, zx_interrupt_destroy(b.interrupt));
    EXPECT_EQ(ZX_ERR_CANCELED, zx_interrupt_trigger(b.interrupt, 0, 1));
    close_bound(&b);

    b = make_bound(1);
    EXPECT_OK(zx_interrupt_destroy(b.interrupt)); /* nothing came */
    close_bound(&b);
}

TEST(interrupt_and_port_may_go_in_either_order) {
    struct bound b = make_bound(1);
    EXPECT_OK(zx_interrupt_trigger(b.interrupt, 0, 1));
    close_handle(b.interrupt);
    expect_nothing(b.port);
    close_handle(b.port);

    b = make_bound(1);
    EXPECT_OK(zx_interrupt_trigger(b.interrupt, 0, 1));
    close_handle(b.port);
    EXPECT_OK(zx_interrupt_trigger(b.interrupt, 0, 2));
    EXPECT_OK(zx_interrupt_ack(b.interrupt));
    EXPECT_OK(zx_interrupt_trigger(b.interrupt, 0, 3));
    close_handle(b.interrupt);
}

/* --- many at once --- */

#define ROUNDS 300
static int trigger_often(void *argument) {
    const struct bound *b = argument;
    for (int i = 1; i <= ROUNDS; i++)
        (void)zx_interrupt_trigger(b->interrupt, 0, i);
    return 0;
}
static int rebind_often(void *argument) {
    const struct bound *b = argument;
    for (int i = 0; i < ROUNDS; i++) {
        (void)zx_interrupt_bind(b->interrupt, b->port, 1, ZX_INTERRUPT_UNBIND);
        (void)zx_interrupt_bind(b->interrupt, b->port, 1, ZX_INTERRUPT_BIND);
    }
    return 0;
}

/* Whatever the order, the last interrupt is delivered, and nothing goes backwards. */
TEST(interrupts_that_race_with_binding_and_reading_are_not_lost) {
    struct bound b = make_bound(1);
    zx_port_packet_t packet;
    zx_time_t last = 0;
    thrd_t one, two;
    REQUIRE_EQ(thrd_success, thrd_create(&one, trigger_often, &b));
    REQUIRE_EQ(thrd_success, thrd_create(&two, rebind_often, &b));
    for (int i = 0; i < ROUNDS; i++) {
        if (zx_port_wait(b.port, 0, &packet) == ZX_OK) {
            EXPECT(packet.interrupt.timestamp >= last);
            last = packet.interrupt.timestamp;
        }
        (void)zx_interrupt_ack(b.interrupt);
    }
    thrd_join(one, NULL);
    thrd_join(two, NULL);
    EXPECT_OK(zx_interrupt_trigger(b.interrupt, 0, ROUNDS + 1));
    int count = 0;
    for (; count < 5 && zx_port_wait(b.port, 0, &packet) == ZX_OK; count++) {
        EXPECT(packet.interrupt.timestamp > last);
        last = packet.interrupt.timestamp;
        EXPECT_OK(zx_interrupt_ack(b.interrupt));
    }
    EXPECT(count == 1 || count == 2); /* of two, one was out before the last trigger */
    close_bound(&b);
}
