/*
 * t_interrupt_line.c - interrupts of a real device: the clock of old PCs, which interrupts by
 * line 8 as often as it is told, and keeps the line active until its register C is read.
 *
 * Without the root resource there is nothing to test.
 */
#include <jacinth/utest.h>
#include <threads.h>

#include "core-tests/support.h"

#define CLOCK_LINE  8
#define SERIAL_LINE 4 /* the kernel's */
#define SLOW        10 /* 64 interrupts in a second */

enum clock_register { REGISTER_A = 10, REGISTER_B, REGISTER_C };
#define A_TIME_BASE 0x20
#define B_24_HOURS  0x02
#define B_PERIODIC  0x40

static void out8(uint16_t port, uint8_t value) {
    __asm__ volatile("outb %0, %1" ::"a"(value), "d"(port));
}
static uint8_t in8(uint16_t port) {
    uint8_t value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "d"(port));
    return value;
}
static void clock_set(enum clock_register reg, uint8_t value) {
    out8(0x70, (uint8_t)reg);
    out8(0x71, value);
}
/* It has been seen to: the line goes down. */
static void clock_serve(void) {
    out8(0x70, REGISTER_C);
    (void)in8(0x71);
}

static void clock_start(void) {
    EXPECT_OK(zx_ioports_request(root_resource(), 0x70, 2));
    clock_set(REGISTER_A, A_TIME_BASE | SLOW);
    clock_set(REGISTER_B, B_24_HOURS | B_PERIODIC);
    clock_serve();
}
static void clock_stop(void) {
    clock_set(REGISTER_B, B_24_HOURS);
    clock_serve();
}

static zx_handle_t make_line(uint32_t options) {
    zx_handle_t made = ZX_HANDLE_INVALID;
    EXPECT_OK(zx_interrupt_create(root_resource(), CLOCK_LINE, options, &made));
    return made;
}

TEST(interrupt_lines_have_one_owner_and_some_are_the_kernels) {
    static const uint32_t bad[] = {ZX_INTERRUPT_MODE_EDGE_BOTH, 6 << 1, 7 << 1, 0x20, 0x80000000,
                                   ZX_INTERRUPT_VIRTUAL | ZX_INTERRUPT_REMAP_IRQ};
    zx_handle_t root = root_resource(), line, other, range;
    if (root == ZX_HANDLE_INVALID)
        return;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_interrupt_create(root, CLOCK_LINE, bad[i], &other));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_interrupt_create(root, 255, 0, &other)); /* no such input */
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_interrupt_create(root, UINT32_MAX, 0, &other));
    EXPECT_EQ(ZX_ERR_ALREADY_BOUND, zx_interrupt_create(root, SERIAL_LINE, 0, &other));
    EXPECT_OK(zx_resource_create(root, ZX_RSRC_KIND_IRQ, CLOCK_LINE, 1, "", 0, &range));
    EXPECT_OK(zx_interrupt_create(range, CLOCK_LINE, 0, &line));
    EXPECT_EQ(ZX_ERR_OUT_OF_RANGE, zx_interrupt_create(range, CLOCK_LINE + 1, 0, &other));
    EXPECT_EQ(ZX_ERR_ALREADY_BOUND, zx_interrupt_create(range, CLOCK_LINE, 0, &other));
    EXPECT_EQ(ZX_ERR_ALREADY_BOUND,
              zx_interrupt_create(root, CLOCK_LINE, ZX_INTERRUPT_REMAP_IRQ, &other));
    EXPECT_EQ(ZX_DEFAULT_INTERRUPT_RIGHTS, rights_of(line));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_interrupt_trigger(line, 1, 0));
    EXPECT_EQ(ZX_ERR_BAD_STATE, zx_interrupt_trigger(line, 0, 0)); /* it is not virtual */
    EXPECT_OK(zx_interrupt_destroy(line));
    EXPECT_OK(zx_interrupt_create(range, CLOCK_LINE, 0, &other)); /* free again */
    EXPECT_EQ(ZX_ERR_CANCELED, zx_interrupt_wait(line, NULL));
    EXPECT_EQ(ZX_ERR_BAD_STATE, zx_interrupt_trigger(line, 0, 0));
    close_handle(line);
    EXPECT_EQ(ZX_ERR_ALREADY_BOUND, zx_interrupt_create(range, CLOCK_LINE, 0, &line));
    close_handle(other);
    close_handle(make_line(0));
    close_handle(range);
}

TEST(interrupt_wait_tells_when_the_device_interrupted) {
    zx_time_t at, last;
    if (root_resource() == ZX_HANDLE_INVALID)
        return;
    zx_handle_t line = make_line(ZX_INTERRUPT_MODE_EDGE_HIGH);
    last = zx_clock_get_monotonic();
    clock_start();
    for (int i = 0; i < 5; i++) {
        EXPECT_OK(zx_interrupt_wait(line, &at));
        EXPECT(at > last && at <= zx_clock_get_monotonic());
        last = at;
        clock_serve();
    }
    clock_stop();
    close_handle(line);
}

TEST(a_level_that_was_not_served_comes_again_with_the_next_wait) {
    zx_time_t first, second, third;
    if (root_resource() == ZX_HANDLE_INVALID)
        return;
    zx_handle_t line = make_line(ZX_INTERRUPT_MODE_LEVEL_HIGH);
    clock_start();
    EXPECT_OK(zx_interrupt_wait(line, &first));
    zx_time_t asked = zx_clock_get_monotonic();
    EXPECT_OK(zx_interrupt_wait(line, &second));
    EXPECT(second >= asked); /* masked until then */
    clock_serve();
    EXPECT_OK(zx_interrupt_wait(line, &third));
    EXPECT(third > second);
    clock_stop();
    close_handle(line);
}

TEST(a_line_is_told_once_for_each_acknowledgement) {
    zx_port_packet_t packet;
    zx_time_t last = 0;
    zx_handle_t port;
    if (root_resource() == ZX_HANDLE_INVALID)
        return;
    EXPECT_OK(zx_port_create(ZX_PORT_BIND_TO_INTERRUPT, &port));
    zx_handle_t line = make_line(ZX_INTERRUPT_MODE_LEVEL_HIGH);
    EXPECT_OK(zx_interrupt_bind(line, port, 88, ZX_INTERRUPT_BIND));
    clock_start();
    for (int i = 0; i < 5; i++) {
        EXPECT_OK(zx_port_wait(port, zx_deadline_after(ZX_SEC(10)), &packet));
        EXPECT_EQ(88, packet.key);
        EXPECT_EQ(ZX_PKT_TYPE_INTERRUPT, packet.type);
        EXPECT(packet.interrupt.timestamp > last);
        last = packet.interrupt.timestamp;
        EXPECT_EQ(ZX_ERR_TIMED_OUT, zx_port_wait(port, 0, &packet));
        clock_serve();
        EXPECT_OK(zx_interrupt_ack(line));
    }
    clock_stop();
    close_handle(line);
    close_handle(port);
}

struct line_waiter {
    zx_handle_t line;
    zx_status_t status;
};
static int wait_for_line(void *argument) {
    struct line_waiter *waiter = argument;
    while ((waiter->status = zx_interrupt_wait(waiter->line, NULL)) == ZX_OK)
        clock_serve();
    return 0;
}
TEST(a_line_may_be_destroyed_while_it_interrupts_a_waiter) {
    if (root_resource() == ZX_HANDLE_INVALID)
        return;
    clock_start();
    for (int i = 0; i < 8; i++) {
        struct line_waiter waiter = {.line = make_line(ZX_INTERRUPT_MODE_LEVEL_HIGH)};
        thrd_t thread;
        REQUIRE_EQ(thrd_success, thrd_create(&thread, wait_for_line, &waiter));
        (void)zx_nanosleep(zx_deadline_after(ZX_MSEC(3 * i)));
        EXPECT_OK(zx_interrupt_destroy(waiter.line));
        thrd_join(thread, NULL);
        EXPECT_EQ(ZX_ERR_CANCELED, waiter.status);
        close_handle(waiter.line);
    }
    clock_stop();
}
