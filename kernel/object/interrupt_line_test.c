/*
 * interrupt_line_test.c - interrupts from lines that the host's arch plays: who is told when,
 * when a line is masked, and who owns it.
 */
#include <zircon/types.h>

#include "arch/clock.h"
#include "arch/host/host.h"
#include "lib/ktest.h"
#include "object/interrupt.h"
#include "sched/sched.h"
#include "vm/test_crew.h"

#define EDGE  5  /* lines; by default below 16 edges, then levels */
#define LEVEL 17
#define SOON  ((nstime_t)1000000000)

struct line_bench {
    struct interrupt *interrupt;
    struct handle handle;
};

static bool line_begin(struct line_bench *bench, uint32_t line, uint32_t options) {
    if (interrupt_create_line(line, options, &bench->interrupt) != OK)
        return false;
    bench->handle = handle_adopt(&bench->interrupt->base, 0);
    return true;
}

static void pulse(uint32_t line) {
    host_set_line(line, true);
    host_set_line(line, false);
}

/* It has come, on whichever CPU. */
static bool is_pending(struct interrupt *interrupt) {
    for (unsigned i = 0; i < 1000; i++) {
        SPIN_GUARD(&interrupt->lock);
        if (interrupt->pending)
            return true;
    }
    return false;
}
static bool comes(struct interrupt *interrupt) {
    nstime_t end = clock_now() + SOON;

    while (!is_pending(interrupt) && clock_now() < end)
        cpu_relax();
    return is_pending(interrupt);
}

KTEST_QUICK(interrupt_line, an_edge_is_pending_with_the_time_of_the_first) {
    struct line_bench bench;
    nstime_t at, before = clock_now();

    REQUIRE(line_begin(&bench, EDGE, 0));
    pulse(EDGE);
    REQUIRE(comes(bench.interrupt));
    nstime_t between = clock_now();
    pulse(EDGE);
    EXPECT_EQ(OK, interrupt_wait(bench.interrupt, &at));
    EXPECT(before <= at && at <= between);
    EXPECT(!host_line_is_masked(EDGE));
    handle_release(&bench.handle);
    EXPECT(host_line_is_masked(EDGE));
}

static void raise_later(void *context, unsigned index) {
    (void)thread_sleep_until(clock_now() + 1000000);
    host_set_line(*(uint32_t *)context, true);
}

static void wakes_a_waiter(uint32_t line, uint32_t options) {
    struct line_bench bench;
    struct crew crew;
    nstime_t at, before = clock_now();

    REQUIRE(line_begin(&bench, line, options));
    if (crew_start(&crew, 1, raise_later, &line)) {
        EXPECT_EQ(OK, interrupt_wait(bench.interrupt, &at));
        EXPECT(at >= before + 1000000);
    }
    crew_wait(&crew);
    host_set_line(line, false);
    handle_release(&bench.handle);
}

KTEST_QUICK(interrupt_line, interrupts_wake_the_thread_that_waits) {
    wakes_a_waiter(EDGE, 0);
    wakes_a_waiter(LEVEL, 0);
    wakes_a_waiter(EDGE, ZX_INTERRUPT_MODE_LEVEL_LOW);
    wakes_a_waiter(LEVEL, ZX_INTERRUPT_MODE_EDGE_HIGH);
}

KTEST_QUICK(interrupt_line, a_level_is_masked_from_its_coming_to_the_next_wait) {
    struct line_bench bench;
    nstime_t first, second;

    host_set_line(LEVEL, true); /* as if nobody had served the device at boot */
    REQUIRE(line_begin(&bench, LEVEL, 0));
    REQUIRE(comes(bench.interrupt));
    EXPECT(host_line_is_masked(LEVEL));
    EXPECT_EQ(OK, interrupt_wait(bench.interrupt, &first));
    EXPECT(host_line_is_masked(LEVEL)); /* its driver is at work */
    /* Not served: it comes again at once. */
    EXPECT_EQ(OK, interrupt_wait(bench.interrupt, &second));
    EXPECT(second > first);
    host_set_line(LEVEL, false);
    EXPECT(host_line_is_masked(LEVEL));
    handle_release(&bench.handle);
}

/* ---- Ports ---- */

struct port_bench {
    struct line_bench line;
    struct port *port;
    struct handle handle;
};

static bool port_begin(struct port_bench *bench, uint32_t line) {
    if (!line_begin(&bench->line, line, 0))
        return false;
    if (port_create(ZX_PORT_BIND_TO_INTERRUPT, &bench->port) != OK) {
        handle_release(&bench->line.handle);
        return false;
    }
    bench->handle = handle_adopt(&bench->port->base, 0);
    return interrupt_bind(bench->line.interrupt, bench->port, 7) == OK;
}
static void port_end(struct port_bench *bench) {
    handle_release(&bench->line.handle);
    handle_release(&bench->handle);
}
static bool packet_comes(struct port_bench *bench) {
    zx_port_packet_t packet = {0};
    status_t status = port_wait(bench->port, clock_now() + SOON, &packet);

    return status == OK && packet.key == 7 && packet.type == ZX_PKT_TYPE_INTERRUPT &&
           packet.interrupt.timestamp <= clock_now();
}

KTEST_QUICK(interrupt_line, a_level_at_a_port_is_masked_until_the_acknowledgement) {
    struct port_bench bench;
    zx_port_packet_t packet;

    REQUIRE(port_begin(&bench, LEVEL));
    for (unsigned i = 0; i < 3; i++) {
        host_set_line(LEVEL, true);
        EXPECT(packet_comes(&bench));
        EXPECT(host_line_is_masked(LEVEL));
        EXPECT_EQ(OK, interrupt_ack(bench.line.interrupt));
        EXPECT(packet_comes(&bench)); /* it is active still */
        host_set_line(LEVEL, false);
        EXPECT_EQ(OK, interrupt_ack(bench.line.interrupt));
        EXPECT(!host_line_is_masked(LEVEL));
        EXPECT_EQ(ERR_TIMED_OUT, port_wait(bench.port, clock_now() + 1000, &packet));
    }
    port_end(&bench);
    EXPECT(host_line_is_masked(LEVEL));
}

KTEST_QUICK(interrupt_line, a_level_that_came_before_the_port_is_delivered_by_binding) {
    struct port_bench bench = {0};

    host_set_line(LEVEL, true);
    REQUIRE(port_begin(&bench, LEVEL));
    EXPECT(packet_comes(&bench));
    host_set_line(LEVEL, false);
    EXPECT_EQ(OK, interrupt_ack(bench.line.interrupt));
    EXPECT(!host_line_is_masked(LEVEL));
    port_end(&bench);
}

KTEST_QUICK(interrupt_line, edges_at_a_port_coalesce_until_the_acknowledgement) {
    struct port_bench bench;
    zx_port_packet_t packet;

    REQUIRE(port_begin(&bench, EDGE));
    pulse(EDGE);
    EXPECT(packet_comes(&bench));
    pulse(EDGE);
    pulse(EDGE);
    REQUIRE(comes(bench.line.interrupt));
    EXPECT_EQ(ERR_TIMED_OUT, port_wait(bench.port, clock_now() + 1000, &packet));
    EXPECT_EQ(OK, interrupt_ack(bench.line.interrupt));
    EXPECT(packet_comes(&bench));
    EXPECT_EQ(OK, interrupt_ack(bench.line.interrupt));
    EXPECT_EQ(ERR_TIMED_OUT, port_wait(bench.port, clock_now() + 1000, &packet));
    port_end(&bench);
}

/* ---- Owners ---- */

KTEST_QUICK(interrupt_line, a_line_has_one_owner_until_that_is_destroyed) {
    struct line_bench bench, next;
    struct interrupt *other;
    uint64_t live = waitable_live_total();

    REQUIRE(line_begin(&bench, LEVEL, 0));
    EXPECT_EQ(ERR_ALREADY_BOUND, interrupt_create_line(LEVEL, 0, &other));
    EXPECT_EQ(ERR_BAD_STATE, interrupt_trigger(bench.interrupt, 1));
    EXPECT_EQ(OK, interrupt_end(bench.interrupt));
    EXPECT(host_line_is_masked(LEVEL));
    bool again = line_begin(&next, LEVEL, 0); /* the old one has a handle still */
    handle_release(&bench.handle);
    REQUIRE(again);
    EXPECT(!host_line_is_masked(LEVEL));
    EXPECT_EQ(ERR_ALREADY_BOUND, interrupt_create_line(LEVEL, 0, &other));
    handle_release(&next.handle);
    EXPECT_EQ(live, waitable_live_total());
}

KTEST_QUICK(interrupt_line, options_and_lines_that_there_are_not_are_refused) {
    static const uint32_t bad[] = {ZX_INTERRUPT_MODE_EDGE_BOTH, 6 << 1, 7 << 1,
                                   ZX_INTERRUPT_VIRTUAL, 0x20, 0x80000000};
    struct line_bench bench;
    struct interrupt *other;

    for (unsigned i = 0; i < ARRAY_SIZE(bad); i++)
        EXPECT_EQ(ERR_INVALID_ARGS, interrupt_create_line(EDGE, bad[i], &other));
    EXPECT_EQ(ERR_INVALID_ARGS, interrupt_create_line(24, 0, &other));
    EXPECT_EQ(ERR_INVALID_ARGS, interrupt_create_line(UINT32_MAX, 0, &other));
    /* The timer of old PCs is on another line than its number says. */
    REQUIRE(line_begin(&bench, 0, ZX_INTERRUPT_REMAP_IRQ));
    EXPECT_EQ(ERR_ALREADY_BOUND, interrupt_create_line(2, 0, &other));
    handle_release(&bench.handle);
}

KTEST_QUICK(interrupt_line, vectors_are_a_pool_of_aligned_runs) {
    uint32_t runs[IRQ_VECTORS / 32], one, four;

    REQUIRE(irq_messages_allocate(1, &one) == OK);
    REQUIRE(irq_messages_allocate(4, &four) == OK);
    EXPECT_EQ(0, four % 4);
    EXPECT(one < four || one >= four + 4);
    for (unsigned i = 1; i < ARRAY_SIZE(runs); i++) {
        REQUIRE(irq_messages_allocate(32, &runs[i]) == OK);
        EXPECT_EQ(0, runs[i] % 32);
    }
    EXPECT_EQ(ERR_NO_RESOURCES, irq_messages_allocate(32, &runs[0]));
    irq_messages_free(one, 1);
    irq_messages_free(four, 4);
    EXPECT_EQ(OK, irq_messages_allocate(32, &runs[0]));
    EXPECT_EQ(ERR_NO_RESOURCES, irq_messages_allocate(1, &one));
    struct interrupt *interrupt;
    EXPECT(interrupt_create_line(EDGE, 0, &interrupt) != OK);
    for (unsigned i = 0; i < ARRAY_SIZE(runs); i++)
        irq_messages_free(runs[i], 32);
    REQUIRE(interrupt_create_line(EDGE, 0, &interrupt) == OK); /* nobody kept the line */
    struct handle handle = handle_adopt(&interrupt->base, 0);
    handle_release(&handle);
}

/* ---- Many at once ---- */

#define ROUNDS 200

static _Atomic bool rounds_end;

/* Makes, binds and ends interrupts of a line that another thread pulses all the time. */
static void play(void *context, unsigned index) {
    struct port_bench bench;

    while (index == 0 && !rounds_end) {
        pulse(LEVEL);
        sched_yield();
    }
    for (unsigned i = 0; i < ROUNDS && index > 0; i++) {
        if (!port_begin(&bench, LEVEL))
            continue;
        (void)packet_comes(&bench);
        (void)interrupt_ack(bench.line.interrupt);
        port_end(&bench);
    }
    rounds_end = true;
}

KTEST(interrupt_line, ends_race_with_interrupts_and_nothing_is_left) {
    uint64_t live = waitable_live_total();
    struct crew crew;

    rounds_end = false;
    bool complete = crew_start(&crew, 2, play, NULL);
    if (!complete)
        rounds_end = true;
    EXPECT(complete);
    crew_wait(&crew);
    EXPECT(host_line_is_masked(LEVEL));
    /* What a worker still has to do keeps its interrupt a moment. */
    for (unsigned i = 0; i < 1000 && waitable_live_total() != live; i++)
        (void)thread_sleep_until(clock_now() + 100000);
    EXPECT_EQ(live, waitable_live_total());
}
