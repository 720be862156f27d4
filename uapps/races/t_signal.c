/*
 * t_signal.c - signals against waits, cancel against packets, ports that close, timers.
 */
#include <jacinth/utest.h>
#include <zircon/syscalls.h>
#include <zircon/syscalls/port.h>

#include "core-tests/debuggee.h"
#include "races/race.h"

static struct runner one, other;

static void start_both(void) {
    runner_start(&one);
    runner_start(&other);
}
static void end_both(void) {
    runner_end(&one);
    runner_end(&other);
}

/* --- no wake is lost: a ball goes back and forth --- */

struct side {
    zx_handle_t own, port; /* what this side waits for, and by which port if it does so */
};
struct ball {
    const char *name;
    void (*make)(struct side sides[2]);
    void (*throw)(const struct side *to, const struct side *from);
    void (*catch)(const struct side *side);
};

static void expect_caught(zx_status_t status) {
    if (status == ZX_ERR_TIMED_OUT)
        race_hangs("a ball"); /* the wake was lost */
    EXPECT_OK(status);
}

static void make_events(struct side sides[2]) {
    for (int i = 0; i < 2; i++)
        sides[i] = (struct side){make_event(), make_port()};
}
static void signal_other(const struct side *to, const struct side *from) {
    EXPECT_OK(zx_object_signal(to->own, 0, ZX_EVENT_SIGNALED));
}
static void clear(const struct side *side) {
    EXPECT_OK(zx_object_signal(side->own, ZX_EVENT_SIGNALED, 0));
}
static void catch_by_wait_one(const struct side *side) {
    expect_caught(zx_object_wait_one(side->own, ZX_EVENT_SIGNALED, PATIENCE, NULL));
    clear(side);
}
static void catch_by_wait_many(const struct side *side) {
    zx_wait_item_t items[2] = {{side->own, ZX_USER_SIGNAL_0, 0},
                               {side->own, ZX_EVENT_SIGNALED, 0}};
    expect_caught(zx_object_wait_many(items, 2, PATIENCE));
    clear(side);
}
static void catch_by_port(const struct side *side) {
    zx_port_packet_t packet = {0};
    EXPECT_OK(zx_object_wait_async(side->own, side->port, 1, ZX_EVENT_SIGNALED, 0));
    expect_caught(zx_port_wait(side->port, PATIENCE, &packet));
    EXPECT_EQ(ZX_PKT_TYPE_SIGNAL_ONE, packet.type);
    EXPECT_EQ(ZX_ERR_TIMED_OUT, zx_port_wait(side->port, 0, &packet));
    clear(side);
}
static void queue_other(const struct side *to, const struct side *from) {
    static const zx_port_packet_t packet = {.key = 3};
    EXPECT_OK(zx_port_queue(to->port, &packet));
}
static void catch_packet(const struct side *side) {
    zx_port_packet_t packet = {0};
    expect_caught(zx_port_wait(side->port, PATIENCE, &packet));
    EXPECT_EQ(3, packet.key);
}

static void make_channel(struct side sides[2]) {
    sides[0].port = sides[1].port = ZX_HANDLE_INVALID;
    EXPECT_OK(zx_channel_create(0, &sides[0].own, &sides[1].own));
}
static void write_other(const struct side *to, const struct side *from) {
    EXPECT_OK(zx_channel_write(from->own, 0, "ball", 4, NULL, 0));
}
static void catch_message(const struct side *side) {
    char text[4];
    expect_caught(zx_object_wait_one(side->own, ZX_CHANNEL_READABLE, PATIENCE, NULL));
    EXPECT_OK(zx_channel_read(side->own, 0, text, NULL, 4, 0, NULL, NULL));
}
static void make_socket(struct side sides[2]) {
    sides[0].port = sides[1].port = ZX_HANDLE_INVALID;
    EXPECT_OK(zx_socket_create(0, &sides[0].own, &sides[1].own));
}
static void send_other(const struct side *to, const struct side *from) {
    EXPECT_OK(zx_socket_write(from->own, 0, "ball", 4, NULL));
}
static void catch_bytes(const struct side *side) {
    char text[4];
    expect_caught(zx_object_wait_one(side->own, ZX_SOCKET_READABLE, PATIENCE, NULL));
    EXPECT_OK(zx_socket_read(side->own, 0, text, 4, NULL));
}
static void make_timers(struct side sides[2]) {
    for (int i = 0; i < 2; i++) {
        sides[i].port = ZX_HANDLE_INVALID;
        EXPECT_OK(zx_timer_create(0, ZX_CLOCK_MONOTONIC, &sides[i].own));
    }
}
static void set_other(const struct side *to, const struct side *from) {
    zx_duration_t soon = (zx_duration_t)race_random(ZX_USEC(40)) - ZX_USEC(10);
    EXPECT_OK(zx_timer_set(to->own, zx_deadline_after(soon), 0));
}
static void catch_time(const struct side *side) {
    expect_caught(zx_object_wait_one(side->own, ZX_TIMER_SIGNALED, PATIENCE, NULL));
    EXPECT_OK(zx_timer_cancel(side->own));
}
static void make_interrupts(struct side sides[2]) {
    for (int i = 0; i < 2; i++) {
        sides[i].port = ZX_HANDLE_INVALID;
        EXPECT_OK(zx_interrupt_create(0, 0, ZX_INTERRUPT_VIRTUAL, &sides[i].own));
    }
}
static void trigger_other(const struct side *to, const struct side *from) {
    EXPECT_OK(zx_interrupt_trigger(to->own, 0, 1));
}
static void catch_interrupt(const struct side *side) {
    expect_caught(zx_interrupt_wait(side->own, NULL));
}

static const struct ball balls[] = {
    {"event, wait_one", make_events, signal_other, catch_by_wait_one},
    {"event, wait_many", make_events, signal_other, catch_by_wait_many},
    {"event, wait_async", make_events, signal_other, catch_by_port},
    {"packet", make_events, queue_other, catch_packet},
    {"message", make_channel, write_other, catch_message},
    {"bytes", make_socket, send_other, catch_bytes},
    {"timer", make_timers, set_other, catch_time},
    {"interrupt", make_interrupts, trigger_other, catch_interrupt},
};

struct game {
    const struct ball *ball;
    struct side sides[2];
    unsigned rounds;
};

static void hold_for_a_moment(unsigned round) {
    if (round % 8 == 0)
        race_moment();
}

static zx_status_t play_back(void *argument) {
    const struct game *game = argument;
    for (unsigned i = 0; i < game->rounds; i++) {
        game->ball->catch(&game->sides[1]);
        hold_for_a_moment(i);
        game->ball->throw(&game->sides[0], &game->sides[1]);
    }
    return ZX_OK;
}

RACE(no_signal_and_no_packet_misses_who_goes_to_wait_for_it, 150) {
    runner_start(&one);
    for (size_t i = 0; i < sizeof balls / sizeof balls[0]; i++) {
        struct game game = {.ball = &balls[i], .rounds = rounds};
        game.ball->make(game.sides);
        runner_go(&one, play_back, &game);
        for (unsigned round = 0; round < rounds; round++) {
            game.ball->throw(&game.sides[1], &game.sides[0]);
            hold_for_a_moment(race_random(8));
            game.ball->catch(&game.sides[0]);
            race_count(game.ball->name, ZX_OK);
        }
        EXPECT_OK(runner_finish(&one));
        for (int j = 0; j < 2; j++) {
            close_handle(game.sides[j].own);
            close_handle(game.sides[j].port);
        }
    }
    runner_end(&one);
}

/* --- a pulse wakes everybody who waits, and is told of --- */

struct wait {
    zx_handle_t event;
    zx_signals_t seen;
};
static zx_status_t wait_for_pulse(void *argument) {
    struct wait *wait = argument;
    return zx_object_wait_one(wait->event, ZX_USER_SIGNAL_0 | ZX_USER_SIGNAL_1, PATIENCE,
                              &wait->seen);
}

RACE(a_pulse_wakes_all_who_wait_by_then, 100) {
    start_both();
    for (unsigned i = 0; i < rounds; i++) {
        struct wait waits[2] = {{make_event(), 0}, {0, 0}};
        zx_handle_t event = waits[1].event = waits[0].event;
        runner_go(&one, wait_for_pulse, &waits[0]);
        runner_go(&other, wait_for_pulse, &waits[1]);
        runner_await_state(&one, ZX_THREAD_STATE_BLOCKED_WAIT_ONE);
        race_moment();
        EXPECT_OK(zx_object_signal(event, 0, ZX_USER_SIGNAL_0));
        EXPECT_OK(zx_object_signal(event, ZX_USER_SIGNAL_0, 0));
        EXPECT_OK(runner_finish(&one));
        EXPECT(waits[0].seen & ZX_USER_SIGNAL_0);
        EXPECT_OK(zx_object_signal(event, 0, ZX_USER_SIGNAL_1)); /* who came too late for it */
        EXPECT_OK(runner_finish(&other));
        EXPECT(waits[1].seen & (ZX_USER_SIGNAL_0 | ZX_USER_SIGNAL_1));
        race_count("the one that may come late",
                   waits[1].seen & ZX_USER_SIGNAL_1 ? ZX_ERR_TIMED_OUT : ZX_OK);
        close_handle(event);
    }
    end_both();
}

/* --- wait_async against a signal: one packet, whoever comes first --- */

#define KEY 9

struct watch {
    zx_handle_t event, port;
    uint32_t options;
    zx_port_packet_t packet;
};
static struct watch make_watch(uint32_t options) {
    return (struct watch){make_event(), make_port(), options, {0}};
}
static void close_watch(const struct watch *watch) {
    close_handle(watch->event);
    close_handle(watch->port);
}
static zx_status_t watch_event(void *argument) {
    struct watch *watch = argument;
    race_moment();
    return zx_object_wait_async(watch->event, watch->port, KEY, ZX_EVENT_SIGNALED, watch->options);
}
static zx_status_t signal_event(void *argument) {
    const struct watch *watch = argument;
    race_moment();
    return zx_object_signal(watch->event, 0, ZX_EVENT_SIGNALED);
}
/* ZX_OK: there is one packet, and no second one. */
static zx_status_t take_packet(struct watch *watch) {
    zx_port_packet_t second;
    zx_status_t status = zx_port_wait(watch->port, 0, &watch->packet);
    if (status == ZX_OK)
        EXPECT_EQ(ZX_ERR_TIMED_OUT, zx_port_wait(watch->port, 0, &second));
    return status;
}

static const uint32_t watch_options[] = {0, ZX_WAIT_ASYNC_TIMESTAMP, ZX_WAIT_ASYNC_EDGE};
static const char *const watch_names[] = {"once", "once with its time", "edge"};

RACE(a_registration_against_a_signal_gives_one_packet, 60) {
    runner_start(&one);
    for (unsigned i = 0; i < 3 * rounds; i++) {
        struct watch watch = make_watch(watch_options[i % 3]);
        bool is_edge = watch.options == ZX_WAIT_ASYNC_EDGE;
        runner_go(&one, watch_event, &watch);
        EXPECT_OK(signal_event(&watch));
        EXPECT_OK(runner_finish(&one));
        zx_status_t status = take_packet(&watch);
        LEGAL(watch_names[i % 3], "signalled", status, ZX_OK, is_edge ? ZX_ERR_TIMED_OUT : ZX_OK);
        if (status != ZX_OK) { /* the edge was before: the next one it is */
            EXPECT_OK(zx_object_signal(watch.event, ZX_EVENT_SIGNALED, 0));
            EXPECT_OK(zx_object_signal(watch.event, 0, ZX_EVENT_SIGNALED));
            EXPECT_OK(take_packet(&watch));
        }
        EXPECT_EQ(KEY, watch.packet.key);
        close_watch(&watch);
    }
    runner_end(&one);
}

/* --- cancel against packet --- */

static zx_status_t await_packet(void *argument) {
    struct watch *watch = argument;
    return zx_port_wait(watch->port, PATIENCE, &watch->packet);
}

/* A thread takes packets: what it gets and what was cancelled is the same thing only once. */
RACE(a_packet_has_been_taken_or_is_cancelled_never_both, 150) {
    static const zx_port_packet_t end = {.key = 77};
    start_both();
    for (unsigned i = 0; i < rounds; i++) {
        struct watch watch = make_watch(0);
        EXPECT_OK(zx_object_wait_async(watch.event, watch.port, KEY, ZX_EVENT_SIGNALED, 0));
        runner_go(&one, await_packet, &watch);
        runner_go(&other, signal_event, &watch);
        race_moment();
        zx_status_t status = zx_port_cancel(watch.port, watch.event, KEY);
        LEGAL("cancel", "while it is signalled and taken", status, ZX_OK, ZX_ERR_NOT_FOUND);
        EXPECT_OK(runner_finish(&other));
        if (status == ZX_OK)
            EXPECT_OK(zx_port_queue(watch.port, &end));
        EXPECT_OK(runner_finish(&one));
        EXPECT_EQ(status == ZX_OK ? end.key : KEY, watch.packet.key);
        EXPECT_EQ(ZX_ERR_TIMED_OUT, take_packet(&watch));
        close_watch(&watch);
    }
    end_both();
}

/* Nobody takes packets, so there is always something to cancel, and nothing comes after. */
RACE(after_a_cancel_no_packet_comes, 100) {
    runner_start(&one);
    for (unsigned i = 0; i < rounds; i++) {
        struct watch watch = make_watch(0);
        EXPECT_OK(zx_object_wait_async(watch.event, watch.port, KEY, ZX_EVENT_SIGNALED, 0));
        runner_go(&one, signal_event, &watch);
        race_moment();
        LEGAL("cancel", "while it is signalled", zx_port_cancel(watch.port, watch.event, KEY),
              ZX_OK);
        EXPECT_EQ(ZX_ERR_TIMED_OUT, take_packet(&watch));
        EXPECT_OK(runner_finish(&one));
        EXPECT_EQ(ZX_ERR_TIMED_OUT, take_packet(&watch));
        close_watch(&watch);
    }
    runner_end(&one);
}

/* A closed handle takes its registration with it, unless the packet is there already. */
RACE(a_closed_handle_leaves_one_packet_or_none, 100) {
    runner_start(&one);
    for (unsigned i = 0; i < rounds; i++) {
        struct watch watch = make_watch(0);
        zx_handle_t copy = copy_with(watch.event, ZX_RIGHT_SAME_RIGHTS);
        EXPECT_OK(zx_object_wait_async(copy, watch.port, KEY, ZX_EVENT_SIGNALED, 0));
        runner_go(&one, signal_event, &watch);
        race_moment();
        close_handle(copy);
        zx_status_t early = take_packet(&watch);
        EXPECT_OK(runner_finish(&one));
        LEGAL("packets", "of a handle that is closed", early, ZX_OK, ZX_ERR_TIMED_OUT);
        EXPECT_EQ(ZX_ERR_TIMED_OUT, take_packet(&watch));
        close_watch(&watch);
    }
    runner_end(&one);
}

/* --- ports that close --- */

static zx_status_t queue_packet(void *argument) {
    static const zx_port_packet_t packet = {.key = 1};
    const struct watch *watch = argument;
    race_moment();
    return zx_port_queue(watch->port, &packet);
}

RACE(a_port_may_be_closed_under_queue_signal_and_registration, 60) {
    static zx_status_t (*const uses[])(void *) = {queue_packet, watch_event};
    static const char *const names[] = {"queue", "wait_async"};
    start_both();
    for (unsigned i = 0; i < 2 * rounds; i++) {
        struct watch watch = make_watch(0);
        EXPECT_OK(zx_object_wait_async(watch.event, watch.port, KEY, ZX_EVENT_SIGNALED, 0));
        runner_go(&one, uses[i % 2], &watch);
        runner_go(&other, signal_event, &watch);
        race_moment();
        close_handle(watch.port);
        LEGAL(names[i % 2], "while the port closes", runner_finish(&one), ZX_OK,
              ZX_ERR_BAD_HANDLE);
        EXPECT_OK(runner_finish(&other));
        close_handle(watch.event);
    }
    end_both();
}
