/*
 * t_handle.c - one handle, or one message, and several who want it: one of them gets it.
 */
#include <jacinth/utest.h>
#include <zircon/syscalls.h>
#include <zircon/syscalls/port.h>
#include <zircon/syscalls/types.h>

#include "core-tests/support.h"
#include "races/race.h"

#define RIVALS 3 /* two runners, and the test itself */

static struct runner runners[RIVALS - 1];
static atomic_uint line;

/* What one of them does, and what it has afterwards. */
struct rival {
    const struct act *act;
    zx_handle_t wanted;
    zx_handle_t got, a, b; /* what came of it, and a channel that it may use */
};
struct act {
    const char *name;
    zx_status_t (*act)(struct rival *rival);
    bool takes; /* the handle is gone afterwards */
};

/* --- acts --- */

static zx_status_t close_it(struct rival *r) { return zx_handle_close(r->wanted); }
static zx_status_t close_many(struct rival *r) {
    const zx_handle_t handles[3] = {0, r->wanted, 0};
    return zx_handle_close_many(handles, 3);
}
static zx_status_t replace(struct rival *r) {
    return zx_handle_replace(r->wanted, ZX_RIGHT_SAME_RIGHTS, &r->got);
}
static zx_status_t send(struct rival *r) {
    return zx_channel_write(r->a, 0, NULL, 0, &r->wanted, 1);
}
static zx_status_t send_as(struct rival *r, zx_handle_op_t operation) {
    zx_handle_disposition_t moved = {
        .operation = operation, .handle = r->wanted, .rights = ZX_RIGHT_SAME_RIGHTS};
    return zx_channel_write_etc(r->a, 0, NULL, 0, &moved, 1);
}
static zx_status_t move(struct rival *r) { return send_as(r, ZX_HANDLE_OP_MOVE); }
static zx_status_t send_copy(struct rival *r) { return send_as(r, ZX_HANDLE_OP_DUPLICATE); }
static zx_status_t duplicate(struct rival *r) {
    return zx_handle_duplicate(r->wanted, ZX_RIGHT_SAME_RIGHTS, &r->got);
}
static zx_status_t signal(struct rival *r) {
    return zx_object_signal(r->wanted, 0, ZX_USER_SIGNAL_3);
}
static zx_status_t signal_peer(struct rival *r) {
    return zx_object_signal_peer(r->wanted, 0, ZX_USER_SIGNAL_3);
}
static zx_status_t ask(struct rival *r) {
    zx_info_handle_basic_t info;
    return zx_object_get_info(r->wanted, ZX_INFO_HANDLE_BASIC, &info, sizeof info, NULL, NULL);
}
static zx_status_t watch(struct rival *r) {
    zx_status_t status = zx_port_create(0, &r->got);
    return status == ZX_OK ? zx_object_wait_async(r->wanted, r->got, 1, ZX_USER_SIGNAL_5, 0)
                           : status;
}

static const struct act acts[] = {
    {"close", close_it, true},          {"close_many", close_many, true},
    {"replace", replace, true},         {"transfer", send, true},
    {"move", move, true},               {"send a copy", send_copy, false},
    {"duplicate", duplicate, false},    {"signal", signal, false},
    {"signal_peer", signal_peer, false}, {"get_info", ask, false},
    {"wait_async", watch, false},
};
#define ACTS  (sizeof acts / sizeof acts[0])
#define TAKES 5 /* the first ones take it */

static zx_status_t vie(void *argument) {
    struct rival *rival = argument;
    race_line_up(&line, RIVALS);
    return rival->act->act(rival);
}

static void end_rival(struct rival *r) {
    const zx_handle_t handles[] = {r->got, r->a, r->b};
    EXPECT_OK(zx_handle_close_many(handles, 3));
}

/* At least one takes it. */
static void choose_acts(struct rival rivals[RIVALS], zx_handle_t wanted) {
    for (int i = 0; i < RIVALS; i++) {
        rivals[i] = (struct rival){.wanted = wanted};
        rivals[i].act = &acts[race_random(i == 0 ? TAKES : ACTS)];
        EXPECT_OK(zx_channel_create(0, &rivals[i].a, &rivals[i].b));
    }
}

RACE(of_all_who_take_a_handle_one_gets_it, 150) {
    runner_start(&runners[0]);
    runner_start(&runners[1]);
    for (unsigned i = 0; i < rounds; i++) {
        struct rival rivals[RIVALS];
        zx_handle_t wanted = 0, peer = 0;
        unsigned takers = 0;
        EXPECT_OK(zx_eventpair_create(0, &wanted, &peer));
        choose_acts(rivals, wanted);
        atomic_store(&line, 0);
        unsigned first = (unsigned)race_random(RIVALS); /* who is the test itself */
        runner_go(&runners[0], vie, &rivals[(first + 1) % RIVALS]);
        runner_go(&runners[1], vie, &rivals[(first + 2) % RIVALS]);
        zx_status_t own = vie(&rivals[first]);
        for (unsigned j = 0; j < RIVALS; j++) {
            const struct act *act = rivals[(first + j) % RIVALS].act;
            zx_status_t status = j == 0 ? own : runner_finish(&runners[j - 1]);
            LEGAL(act->name, "with rivals", status, ZX_OK, ZX_ERR_BAD_HANDLE);
            takers += act->takes && status == ZX_OK;
        }
        EXPECT_EQ(1, takers);
        EXPECT_EQ(ZX_ERR_BAD_HANDLE, zx_handle_close(wanted));
        for (int j = 0; j < RIVALS; j++)
            end_rival(&rivals[j]);
        EXPECT_OK(zx_object_wait_one(peer, ZX_EVENTPAIR_PEER_CLOSED, 0, NULL));
        close_handle(peer);
    }
    runner_end(&runners[0]);
    runner_end(&runners[1]);
}

/* --- one message, packet, element or datagram for three --- */

struct prize {
    const char *name;
    void (*make)(zx_handle_t *out_giver, zx_handle_t *out_taker);
    void (*give)(zx_handle_t giver);
    zx_status_t (*take)(zx_handle_t taker);
    zx_status_t nothing;
};

static void make_channel(zx_handle_t *giver, zx_handle_t *taker) {
    EXPECT_OK(zx_channel_create(0, giver, taker));
}
static void give_message(zx_handle_t giver) {
    zx_handle_t event = 0;
    EXPECT_OK(zx_event_create(0, &event));
    EXPECT_OK(zx_channel_write(giver, 0, "text", 4, &event, 1));
}
static zx_status_t take_message(zx_handle_t taker) {
    char text[4];
    zx_handle_t received = ZX_HANDLE_INVALID;
    zx_status_t status = zx_channel_read(taker, 0, text, &received, 4, 1, NULL, NULL);
    EXPECT_EQ(status, zx_object_get_info(received, ZX_INFO_HANDLE_VALID, NULL, 0, NULL, NULL) ==
                              ZX_OK
                          ? ZX_OK
                          : ZX_ERR_SHOULD_WAIT);
    close_handle(received);
    return status;
}
static void make_packets(zx_handle_t *giver, zx_handle_t *taker) {
    *giver = make_port();
    *taker = copy_with(*giver, ZX_RIGHT_READ);
}
static void give_packet(zx_handle_t giver) {
    static const zx_port_packet_t packet = {.key = 4};
    EXPECT_OK(zx_port_queue(giver, &packet));
}
static zx_status_t take_packet(zx_handle_t taker) {
    zx_port_packet_t packet;
    return zx_port_wait(taker, 0, &packet);
}
static void make_fifo(zx_handle_t *giver, zx_handle_t *taker) {
    EXPECT_OK(zx_fifo_create(2, 4, 0, giver, taker));
}
static void give_element(zx_handle_t giver) {
    EXPECT_OK(zx_fifo_write(giver, 4, "text", 1, NULL));
}
static zx_status_t take_element(zx_handle_t taker) {
    char text[8];
    return zx_fifo_read(taker, 4, text, 2, NULL);
}
static void make_datagrams(zx_handle_t *giver, zx_handle_t *taker) {
    EXPECT_OK(zx_socket_create(ZX_SOCKET_DATAGRAM, giver, taker));
}
static void give_datagram(zx_handle_t giver) {
    EXPECT_OK(zx_socket_write(giver, 0, "text", 4, NULL));
}
static zx_status_t take_datagram(zx_handle_t taker) {
    char text[4];
    return zx_socket_read(taker, 0, text, 4, NULL);
}

static const struct prize prizes[] = {
    {"message", make_channel, give_message, take_message, ZX_ERR_SHOULD_WAIT},
    {"packet", make_packets, give_packet, take_packet, ZX_ERR_TIMED_OUT},
    {"fifo element", make_fifo, give_element, take_element, ZX_ERR_SHOULD_WAIT},
    {"datagram", make_datagrams, give_datagram, take_datagram, ZX_ERR_SHOULD_WAIT},
};

struct grab {
    const struct prize *prize;
    zx_handle_t taker;
};
static zx_status_t grab(void *argument) {
    const struct grab *own = argument;
    race_line_up(&line, RIVALS);
    return own->prize->take(own->taker);
}

RACE(what_is_there_once_is_taken_once, 50) {
    runner_start(&runners[0]);
    runner_start(&runners[1]);
    for (size_t i = 0; i < sizeof prizes / sizeof prizes[0]; i++) {
        zx_handle_t giver = 0;
        struct grab round = {.prize = &prizes[i]};
        round.prize->make(&giver, &round.taker);
        for (unsigned j = 0; j < rounds; j++) {
            round.prize->give(giver);
            atomic_store(&line, 0);
            runner_go(&runners[0], grab, &round);
            runner_go(&runners[1], grab, &round);
            zx_status_t results[RIVALS] = {grab(&round), 0, 0};
            unsigned winners = 0;
            for (int k = 0; k < RIVALS; k++) {
                if (k > 0)
                    results[k] = runner_finish(&runners[k - 1]);
                LEGAL(round.prize->name, "by three", results[k], ZX_OK, round.prize->nothing);
                winners += results[k] == ZX_OK;
            }
            EXPECT_EQ(1, winners);
        }
        close_handle(giver);
        close_handle(round.taker);
    }
    runner_end(&runners[0]);
    runner_end(&runners[1]);
}
