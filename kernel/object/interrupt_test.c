/*
 * interrupt_test.c - interrupts without user code: who holds what when things end.
 */
#include "lib/ktest.h"
#include "object/interrupt.h"

struct bench {
    struct interrupt *interrupt;
    struct port *port;
    struct handle irq_handle, port_handle;
};

static bool bench_begin(struct bench *bench) {
    if (interrupt_create_virtual(&bench->interrupt) != OK)
        return false;
    bench->irq_handle = handle_adopt(&bench->interrupt->base, 0);
    if (port_create(ZX_PORT_BIND_TO_INTERRUPT, &bench->port) != OK) {
        handle_release(&bench->irq_handle);
        return false;
    }
    bench->port_handle = handle_adopt(&bench->port->base, 0);
    return interrupt_bind(bench->interrupt, bench->port, 5) == OK;
}

/* Each end is reached with a packet queued, and with one taken and the next pending. */
static void end_with_packet(bool port_first, bool taken) {
    struct bench bench;
    zx_port_packet_t packet;
    uint64_t live = waitable_live_total();

    REQUIRE(bench_begin(&bench));
    EXPECT_EQ(OK, interrupt_trigger(bench.interrupt, 1));
    EXPECT_EQ(OK, interrupt_trigger(bench.interrupt, 2));
    if (taken) {
        EXPECT_EQ(OK, port_wait(bench.port, 0, &packet));
        EXPECT_EQ(1, packet.interrupt.timestamp);
    }
    handle_release(port_first ? &bench.port_handle : &bench.irq_handle);
    handle_release(port_first ? &bench.irq_handle : &bench.port_handle);
    EXPECT_EQ(live, waitable_live_total());
}

KTEST_QUICK(interrupt, nothing_is_left_whichever_end_goes_first) {
    for (unsigned i = 0; i < 4; i++)
        end_with_packet(i & 1, i & 2);
}

KTEST_QUICK(interrupt, what_comes_while_a_packet_is_out_follows_the_acknowledgement) {
    struct bench bench;
    zx_port_packet_t packet;

    REQUIRE(bench_begin(&bench));
    for (nstime_t at = 1; at < 6; at++) {
        EXPECT_EQ(OK, interrupt_trigger(bench.interrupt, 2 * at));
        EXPECT_EQ(OK, port_wait(bench.port, 0, &packet));
        EXPECT_EQ(2 * at, packet.interrupt.timestamp);
        EXPECT_EQ(ERR_TIMED_OUT, port_wait(bench.port, 0, &packet));
        EXPECT_EQ(OK, interrupt_trigger(bench.interrupt, 2 * at + 1));
        EXPECT_EQ(ERR_TIMED_OUT, port_wait(bench.port, 0, &packet));
        EXPECT_EQ(OK, interrupt_ack(bench.interrupt));
        EXPECT_EQ(OK, port_wait(bench.port, 0, &packet));
        EXPECT_EQ(2 * at + 1, packet.interrupt.timestamp);
        EXPECT_EQ(OK, interrupt_ack(bench.interrupt));
    }
    handle_release(&bench.irq_handle);
    handle_release(&bench.port_handle);
}
