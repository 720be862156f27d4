/*
 * t_peer.c - a peer that closes while its other end is used, and channel_call with servers
 * that answer, close, or do both.
 */
#include <jacinth/utest.h>
#include <zircon/syscalls.h>
#include <zircon/syscalls/object.h>

#include "core-tests/support.h"
#include "races/race.h"

static struct runner user;
static struct hold hold;

/* --- a table of uses --- */

struct pair {
    zx_handle_t own, peer;
    zx_handle_t sent, sent_peer; /* an event pair, one end of which may go along */
};

struct use {
    const char *name;
    void (*make)(struct pair *pair);
    zx_status_t (*use)(struct pair *pair);
    zx_status_t alive, gone; /* the answer while the peer lives, and afterwards */
};

static void make_channel(struct pair *p) { EXPECT_OK(zx_channel_create(0, &p->own, &p->peer)); }
static void make_full_channel(struct pair *p) {
    make_channel(p);
    EXPECT_OK(zx_channel_write(p->peer, 0, "text", 4, NULL, 0));
}
/* A message that holds the end of an event pair: whoever ends the message ends that. */
static void make_channel_and_pair(struct pair *p) {
    make_channel(p);
    EXPECT_OK(zx_eventpair_create(0, &p->sent, &p->sent_peer));
}
static void make_channel_with_pair(struct pair *p) {
    make_channel_and_pair(p);
    EXPECT_OK(zx_channel_write(p->peer, 0, "text", 4, &p->sent, 1));
    p->sent = ZX_HANDLE_INVALID;
}
static void make_socket(struct pair *p) { EXPECT_OK(zx_socket_create(0, &p->own, &p->peer)); }
static void make_full_socket(struct pair *p) {
    make_socket(p);
    EXPECT_OK(zx_socket_write(p->peer, 0, "text", 4, NULL));
}
static void make_datagrams(struct pair *p) {
    EXPECT_OK(zx_socket_create(ZX_SOCKET_DATAGRAM, &p->own, &p->peer));
}
static void make_fifo(struct pair *p) { EXPECT_OK(zx_fifo_create(2, 4, 0, &p->own, &p->peer)); }
static void make_full_fifo(struct pair *p) {
    make_fifo(p);
    EXPECT_OK(zx_fifo_write(p->peer, 4, "text", 1, NULL));
}
static void make_eventpair(struct pair *p) { EXPECT_OK(zx_eventpair_create(0, &p->own, &p->peer)); }

static zx_status_t write_message(struct pair *p) {
    return zx_channel_write(p->own, 0, "text", 4, NULL, 0);
}
static zx_status_t write_handle(struct pair *p) {
    zx_handle_t sent = p->sent;
    p->sent = ZX_HANDLE_INVALID; /* gone on every result */
    return zx_channel_write(p->own, 0, "text", 4, &sent, 1);
}
/* The end of a channel in its own queue at the peer: a ring when the peer goes meanwhile. */
static zx_status_t write_peer_of_another(struct pair *p) {
    zx_handle_t a = ZX_HANDLE_INVALID, b = ZX_HANDLE_INVALID;
    EXPECT_OK(zx_channel_create(0, &a, &b));
    EXPECT_OK(zx_channel_write(a, 0, NULL, 0, &p->sent, 1));
    p->sent = ZX_HANDLE_INVALID;
    zx_status_t status = zx_channel_write(p->own, 0, NULL, 0, &b, 1);
    close_handle(a);
    return status;
}
static zx_status_t read_message(struct pair *p) {
    char text[4];
    uint32_t bytes, handles;
    zx_handle_t received = ZX_HANDLE_INVALID;
    zx_status_t status =
        zx_channel_read(p->own, 0, text, &received, sizeof text, 1, &bytes, &handles);
    close_handle(received);
    return status;
}
static zx_status_t discard_message(struct pair *p) {
    zx_status_t status =
        zx_channel_read(p->own, ZX_CHANNEL_READ_MAY_DISCARD, NULL, NULL, 0, 0, NULL, NULL);
    return status == ZX_ERR_BUFFER_TOO_SMALL ? ZX_OK : status;
}
static zx_status_t write_socket(struct pair *p) {
    return zx_socket_write(p->own, 0, "text", 4, NULL);
}
static zx_status_t read_socket(struct pair *p) {
    char text[4];
    return zx_socket_read(p->own, 0, text, sizeof text, NULL);
}
static zx_status_t set_threshold(struct pair *p) {
    size_t threshold = 100;
    return zx_object_set_property(p->own, ZX_PROP_SOCKET_TX_THRESHOLD, &threshold,
                                  sizeof threshold);
}
static zx_status_t write_fifo(struct pair *p) { return zx_fifo_write(p->own, 4, "text", 1, NULL); }
static zx_status_t read_fifo(struct pair *p) {
    char text[4];
    return zx_fifo_read(p->own, 4, text, 1, NULL);
}
static zx_status_t signal_peer(struct pair *p) {
    return zx_object_signal_peer(p->own, 0, ZX_USER_SIGNAL_1);
}

#define CLOSED ZX_ERR_PEER_CLOSED
static const struct use uses[] = {
    {"channel write", make_channel, write_message, ZX_OK, CLOSED},
    {"channel write of a handle", make_channel_and_pair, write_handle, ZX_OK, CLOSED},
    {"channel write of an end", make_channel_and_pair, write_peer_of_another, ZX_OK, CLOSED},
    {"channel read, empty", make_channel, read_message, ZX_ERR_SHOULD_WAIT, CLOSED},
    {"channel read", make_full_channel, read_message, ZX_OK, ZX_OK},
    {"channel read of a handle", make_channel_with_pair, read_message, ZX_OK, ZX_OK},
    {"channel discard", make_channel_with_pair, discard_message, ZX_OK, ZX_OK},
    {"channel signal_peer", make_channel, signal_peer, ZX_OK, CLOSED},
    {"socket write", make_socket, write_socket, ZX_OK, CLOSED},
    {"socket read, empty", make_socket, read_socket, ZX_ERR_SHOULD_WAIT, CLOSED},
    {"socket read", make_full_socket, read_socket, ZX_OK, ZX_OK},
    {"socket threshold", make_socket, set_threshold, ZX_OK, CLOSED},
    {"datagram write", make_datagrams, write_socket, ZX_OK, CLOSED},
    {"fifo write", make_fifo, write_fifo, ZX_OK, CLOSED},
    {"fifo read, empty", make_fifo, read_fifo, ZX_ERR_SHOULD_WAIT, CLOSED},
    {"fifo read", make_full_fifo, read_fifo, ZX_OK, ZX_OK},
    {"eventpair signal_peer", make_eventpair, signal_peer, ZX_OK, CLOSED},
};

struct attempt {
    const struct use *use;
    struct pair pair;
};
static zx_status_t attempt(void *argument) {
    struct attempt *attempt = argument;
    race_hold(&hold);
    return attempt->use->use(&attempt->pair);
}

/* In the end nobody has what was sent: its own peer has been told. */
static void end_pair(struct pair *p) {
    const zx_handle_t handles[] = {p->own, p->peer, p->sent};
    EXPECT_OK(zx_handle_close_many(handles, 3));
    if (p->sent_peer != ZX_HANDLE_INVALID)
        EXPECT_OK(zx_object_wait_one(p->sent_peer, ZX_EVENTPAIR_PEER_CLOSED, 0, NULL));
    close_handle(p->sent_peer);
}

static void use_once(const struct use *use, enum moment moment) {
    struct attempt round = {.use = use};
    use->make(&round.pair);
    if (moment == BEFORE)
        close_handle(round.pair.peer);
    runner_go(&user, attempt, &round);
    if (moment == DURING) {
        race_moment();
        close_handle(round.pair.peer);
    }
    zx_status_t status = runner_finish(&user);
    LEGAL(use->name, "while its peer closes", status, use->gone,
          moment == BEFORE ? use->gone : use->alive);
    if (moment == DURING && use->alive != use->gone)
        race_learn(&hold, status == use->gone);
    round.pair.peer = ZX_HANDLE_INVALID;
    EXPECT_OK(zx_object_wait_one(round.pair.own, ZX_CHANNEL_PEER_CLOSED, 0, NULL));
    end_pair(&round.pair);
}

RACE(a_peer_may_close_at_any_point_of_any_use_of_the_other_end, 30) {
    runner_start(&user);
    for (size_t i = 0; i < sizeof uses / sizeof uses[0]; i++) {
        use_once(&uses[i], BEFORE);
        for (unsigned j = 0; j < rounds; j++)
            use_once(&uses[i], DURING);
    }
    runner_end(&user);
}

/* --- both ends at once, with messages in both queues --- */

static zx_status_t close_own(void *argument) {
    race_moment();
    return zx_handle_close(*(zx_handle_t *)argument);
}

/* Each queue holds an end of the same event pair, and more. */
static void fill(zx_handle_t a, zx_handle_t b, zx_handle_t watched[2]) {
    zx_handle_t ends[2];
    for (int i = 0; i < 2; i++) {
        EXPECT_OK(zx_eventpair_create(0, &ends[i], &watched[i]));
        EXPECT_OK(zx_channel_write(i ? a : b, 0, "text", 4, &ends[i], 1));
    }
}

RACE(both_ends_may_close_at_once_and_what_they_held_is_gone, 80) {
    runner_start(&user);
    for (unsigned i = 0; i < rounds; i++) {
        zx_handle_t a, b, watched[2];
        EXPECT_OK(zx_channel_create(0, &a, &b));
        fill(a, b, watched);
        runner_go(&user, close_own, &a);
        race_moment();
        close_handle(b);
        LEGAL("close", "of both ends", runner_finish(&user), ZX_OK);
        for (int j = 0; j < 2; j++)
            EXPECT_OK(zx_object_wait_one(watched[j], ZX_EVENTPAIR_PEER_CLOSED, 0, NULL));
        EXPECT_OK(zx_handle_close_many(watched, 2));
    }
    runner_end(&user);
}

/* --- channel_call --- */

enum { ANSWERS = 1, CLOSES = 2 };

struct server {
    zx_handle_t end;
    unsigned does;
};

static zx_status_t serve_one(void *argument) {
    struct server *server = argument;
    uint32_t request[2];
    (void)zx_object_wait_one(server->end, ZX_CHANNEL_READABLE, PATIENCE, NULL);
    zx_status_t status = zx_channel_read(server->end, 0, request, NULL, 8, 0, NULL, NULL);
    if (status == ZX_OK && (server->does & ANSWERS))
        status = zx_channel_write(server->end, 0, request, 8, NULL, 0);
    if (server->does & CLOSES)
        EXPECT_OK(zx_handle_close(server->end));
    return status;
}

static zx_status_t call_until(zx_handle_t end, zx_time_t deadline, uint32_t number) {
    uint32_t request[2] = {0, number}, reply[2] = {0}, bytes, handles;
    zx_channel_call_args_t args = {request, NULL, reply, NULL, sizeof request, 0, sizeof reply, 0};
    zx_status_t status = zx_channel_call(end, 0, deadline, &args, &bytes, &handles);
    if (status == ZX_OK) {
        EXPECT_EQ(8, bytes);
        EXPECT_EQ(number, reply[1]);
    }
    return status;
}

/* An answer that was given counts, whatever comes after it. */
RACE(an_answer_is_not_lost_to_the_close_that_follows_it, 120) {
    static const char *const names[] = {"call, no answer", "call, answer and close"};
    runner_start(&user);
    for (unsigned i = 0; i < 2 * rounds; i++) {
        struct server server = {.does = CLOSES | (i % 2 ? ANSWERS : 0)};
        zx_handle_t own;
        EXPECT_OK(zx_channel_create(0, &own, &server.end));
        runner_go(&user, serve_one, &server);
        if (i % 3 == 0)
            race_moment();
        LEGAL(names[i % 2], "", call_until(own, PATIENCE, i), i % 2 ? ZX_OK : ZX_ERR_PEER_CLOSED);
        EXPECT_OK(runner_finish(&user));
        close_handle(own);
    }
    runner_end(&user);
}

/* An answer after the deadline is a message like any other: it is here or there, and once. */
RACE(an_answer_against_the_deadline_comes_once, 150) {
    runner_start(&user);
    for (unsigned i = 0; i < rounds; i++) {
        struct server server = {.does = ANSWERS};
        uint32_t late[2];
        zx_handle_t own;
        EXPECT_OK(zx_channel_create(0, &own, &server.end));
        runner_go(&user, serve_one, &server);
        zx_time_t deadline = zx_deadline_after((zx_duration_t)race_random(ZX_USEC(150)));
        zx_status_t status = call_until(own, deadline, i);
        LEGAL("call", "until a deadline", status, ZX_OK, ZX_ERR_TIMED_OUT);
        EXPECT_OK(runner_finish(&user));
        EXPECT_EQ(status == ZX_OK ? ZX_ERR_SHOULD_WAIT : ZX_OK,
                  zx_channel_read(own, 0, late, NULL, sizeof late, 0, NULL, NULL));
        close_handle(own);
        close_handle(server.end);
    }
    runner_end(&user);
}

/* Several calls in flight on one end: each gets its own answer, or hears of the end. */
struct client {
    zx_handle_t end;
    uint32_t number;
};
static zx_status_t make_call(void *argument) {
    const struct client *client = argument;
    race_moment();
    return call_until(client->end, PATIENCE, client->number);
}

/* Answers in the order that is not that of the requests, then closes; how many it answered. */
static unsigned answer_backwards(zx_handle_t end, unsigned count) {
    uint32_t requests[3][2];
    for (unsigned i = 0; i < count; i++) {
        EXPECT_OK(zx_object_wait_one(end, ZX_CHANNEL_READABLE, PATIENCE, NULL));
        EXPECT_OK(zx_channel_read(end, 0, requests[i], NULL, 8, 0, NULL, NULL));
    }
    for (unsigned i = count; i > 0; i--)
        EXPECT_OK(zx_channel_write(end, 0, requests[i - 1], 8, NULL, 0));
    close_handle(end);
    return count;
}

RACE(of_calls_on_one_end_each_gets_its_own_answer_or_the_close, 100) {
    struct runner runners[3];
    for (int i = 0; i < 3; i++)
        runner_start(&runners[i]);
    for (unsigned i = 0; i < rounds; i++) {
        zx_handle_t own, peer;
        struct client clients[3];
        unsigned answered, good = 0;
        EXPECT_OK(zx_channel_create(0, &own, &peer));
        for (uint32_t j = 0; j < 3; j++) {
            clients[j] = (struct client){own, 3 * i + j};
            runner_go(&runners[j], make_call, &clients[j]);
        }
        answered = answer_backwards(peer, i % 4);
        for (int j = 0; j < 3; j++) {
            zx_status_t status = runner_finish(&runners[j]);
            LEGAL("call", "of three", status, ZX_OK, ZX_ERR_PEER_CLOSED);
            good += status == ZX_OK;
        }
        EXPECT_EQ(answered, good);
        close_handle(own);
    }
    for (int i = 0; i < 3; i++)
        runner_end(&runners[i]);
}
