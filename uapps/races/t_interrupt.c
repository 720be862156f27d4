/*
 * t_interrupt.c - interrupts of a port: triggers against unbinding, closing and destruction.
 */
#include <jacinth/utest.h>
#include <zircon/syscalls.h>
#include <zircon/syscalls/port.h>

#include "core-tests/support.h"
#include "races/race.h"

static struct runner runner;

struct bound {
    zx_handle_t interrupt, port;
    zx_handle_t used; /* the handle by which the runner triggers */
};

static struct bound make_bound(void) {
    struct bound b = {0};
    EXPECT_OK(zx_interrupt_create(ZX_HANDLE_INVALID, 0, ZX_INTERRUPT_VIRTUAL, &b.interrupt));
    EXPECT_OK(zx_port_create(ZX_PORT_BIND_TO_INTERRUPT, &b.port));
    EXPECT_OK(zx_interrupt_bind(b.interrupt, b.port, 7, ZX_INTERRUPT_BIND));
    b.used = copy_with(b.interrupt, ZX_RIGHT_SAME_RIGHTS);
    return b;
}

static void end_bound(const struct bound *b) {
    const zx_handle_t handles[] = {b->interrupt, b->port, b->used};
    EXPECT_OK(zx_handle_close_many(handles, 3));
}

static zx_status_t trigger(void *argument) {
    race_moment();
    return zx_interrupt_trigger(((struct bound *)argument)->used, 0, 5);
}

static zx_status_t poll(const struct bound *b) {
    zx_port_packet_t packet;
    return zx_port_wait(b->port, 0, &packet);
}

/* The packet goes with the binding; the interrupt is kept for whoever asks next. */
static void unbind(struct bound *b) {
    EXPECT_OK(zx_interrupt_bind(b->interrupt, b->port, 7, ZX_INTERRUPT_UNBIND));
    EXPECT_EQ(ZX_ERR_TIMED_OUT, poll(b));
}
/* A packet that nobody has taken goes with its interrupt. */
static void destroy(struct bound *b) {
    EXPECT_OK(zx_interrupt_destroy(b->interrupt));
    EXPECT_EQ(ZX_ERR_TIMED_OUT, poll(b));
}
static void close_port(struct bound *b) {
    close_handle(b->port);
    b->port = ZX_HANDLE_INVALID;
}
static void close_used(struct bound *b) {
    zx_handle_t used = b->used;
    b->used = ZX_HANDLE_INVALID;
    close_handle(used);
}
/* Taken, and asked for the next one. */
static void take(struct bound *b) {
    if (poll(b) == ZX_OK)
        EXPECT_OK(zx_interrupt_ack(b->interrupt));
}

static const struct change {
    const char *name;
    void (*make)(struct bound *b);
    zx_status_t refusal; /* of a trigger that came later; ZX_OK: there is none */
    bool silent;         /* there is no packet afterwards */
} changes[] = {
    {"trigger and unbind", unbind, ZX_OK, true},
    {"trigger and destroy", destroy, ZX_ERR_CANCELED, true},
    {"trigger and close of the port", close_port, ZX_OK, false},
    {"trigger and close of its handle", close_used, ZX_ERR_BAD_HANDLE, false},
    {"trigger and ack", take, ZX_OK, false},
};

RACE(an_interrupt_of_a_port_may_change_in_every_way_while_it_comes, 40) {
    runner_start(&runner);
    for (unsigned i = 0; i < rounds * (sizeof changes / sizeof changes[0]); i++) {
        const struct change *change = &changes[i % (sizeof changes / sizeof changes[0])];
        struct bound bound = make_bound();
        struct bound round = bound; /* the runner looks at its own */
        runner_go(&runner, trigger, &round);
        race_moment();
        change->make(&bound);
        LEGAL(change->name, "", runner_finish(&runner), ZX_OK, change->refusal);
        if (change->silent)
            EXPECT_EQ(ZX_ERR_TIMED_OUT, poll(&bound));
        end_bound(&bound);
    }
    runner_end(&runner);
}

/* Triggers while the last one is being acknowledged are one more packet, at once or then. */
RACE(a_trigger_during_the_acknowledgement_is_not_lost, 80) {
    runner_start(&runner);
    struct bound bound = make_bound();
    for (unsigned i = 0; i < rounds; i++) {
        zx_port_packet_t packet = {0};
        EXPECT_OK(zx_interrupt_trigger(bound.interrupt, 0, 1));
        EXPECT_OK(zx_port_wait(bound.port, PATIENCE, &packet));
        EXPECT_EQ(1, packet.interrupt.timestamp);
        runner_go(&runner, trigger, &bound);
        race_moment();
        EXPECT_OK(zx_interrupt_ack(bound.interrupt));
        LEGAL("trigger", "and ack", runner_finish(&runner), ZX_OK);
        EXPECT_OK(zx_port_wait(bound.port, PATIENCE, &packet));
        EXPECT_EQ(5, packet.interrupt.timestamp);
        EXPECT_OK(zx_interrupt_ack(bound.interrupt));
        EXPECT_EQ(ZX_ERR_TIMED_OUT, poll(&bound));
    }
    end_bound(&bound);
    runner_end(&runner);
}
