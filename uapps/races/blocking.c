/*
 * blocking.c - the table of calls that block; see blocking.h. Waits for the signals of each
 * type of object are in blocking_waits.c.
 */
#include "races/blocking.h"

#include <jacinth/utest.h>
#include <string.h>
#include <zircon/syscalls/port.h>
#include <zircon/syscalls/pager.h>

#include "core-tests/support.h"
#include "races/blocking_waits.h"
#include "races/race.h"

/* --- ports --- */

static void make_own_port(struct scene *s) {
    s->handle = make_port();
    s->arguments[0] = THE_HANDLE;
    s->arguments[1] = (uint64_t)ZX_TIME_INFINITE;
    s->arguments[2] = s->seen + SCENE_PACKET;
}
static void make_two_ports(struct scene *s) {
    make_own_port(s);
    s->other = copy_with(s->handle, ZX_RIGHT_SAME_RIGHTS);
}
/* Its packet is one of an event. */
static void make_port_and_event(struct scene *s) {
    make_two_ports(s);
    s->more[0] = make_event();
    EXPECT_OK(zx_object_wait_async(s->more[0], s->other, 5, ZX_EVENT_SIGNALED, 0));
}
static void queue(struct scene *s) {
    static const zx_port_packet_t packet = {.key = 7};
    EXPECT_OK(zx_port_queue(s->other, &packet));
}
static void close_and_queue(struct scene *s) {
    end_close(s);
    queue(s);
}
/* The port lives on by its new handle; so does the wait, which a transfer does not end. */
static void replace_and_queue(struct scene *s) {
    end_replace(s);
    s->other = s->more[0];
    s->more[0] = ZX_HANDLE_INVALID;
    queue(s);
}
static void signal_event(struct scene *s) {
    EXPECT_OK(zx_object_signal(s->more[0], 0, ZX_EVENT_SIGNALED));
}
/* A packet goes to the living. */
static void use_port(struct scene *s) {
    zx_port_packet_t packet = {0};
    if (zx_port_wait(s->other, 0, &packet) == ZX_OK)
        return; /* what the ending queued, which the dead one has not taken */
    queue(s);
    EXPECT_OK(zx_port_wait(s->other, 0, &packet));
    EXPECT_EQ(7, packet.key);
}

/* --- calls of channels --- */

static void make_call(struct scene *s) {
    zx_channel_call_args_t *args = (void *)(uintptr_t)((char *)(uintptr_t)s->page + 2560);
    EXPECT_OK(zx_channel_create(0, &s->handle, &s->other));
    *args = (zx_channel_call_args_t){.wr_bytes = (void *)(s->seen + 2700),
                                     .wr_num_bytes = 8,
                                     .rd_bytes = (void *)(s->seen + 2720),
                                     .rd_num_bytes = 16};
    s->arguments[0] = THE_HANDLE;
    s->arguments[2] = (uint64_t)ZX_TIME_INFINITE;
    s->arguments[3] = s->seen + 2560;
    s->arguments[4] = s->seen + 2640;
    s->arguments[5] = s->seen + 2648;
}
/* The request, once it is there. */
static bool take_request(struct scene *s, uint32_t request[2]) {
    EXPECT_OK(zx_object_wait_one(s->other, ZX_CHANNEL_READABLE | ZX_CHANNEL_PEER_CLOSED, PATIENCE,
                                 NULL));
    return zx_channel_read(s->other, 0, request, NULL, 8, 0, NULL, NULL) == ZX_OK;
}
static void answer_call(struct scene *s) {
    uint32_t request[2];
    if (take_request(s, request))
        EXPECT_OK(zx_channel_write(s->other, 0, request, 8, NULL, 0));
}
static void answer_and_close(struct scene *s) {
    answer_call(s);
    end_close_other(s);
}
static void take_and_close(struct scene *s) {
    uint32_t request[2];
    (void)take_request(s, request);
    end_close_other(s);
}
/* An answer to somebody else is a message like any other. */
static void answer_wrongly_and_close(struct scene *s) {
    static const uint32_t nobody[2] = {1, 2};
    EXPECT_OK(zx_channel_write(s->other, 0, nobody, 8, NULL, 0));
    end_close_other(s);
}
static void use_call(struct scene *s) {
    if (s->other != ZX_HANDLE_INVALID)
        EXPECT_OK(
            zx_object_wait_one(s->other, ZX_CHANNEL_PEER_CLOSED, PATIENCE, NULL));
}

/* --- interrupts --- */

static void make_interrupt(struct scene *s) {
    EXPECT_OK(zx_interrupt_create(ZX_HANDLE_INVALID, 0, ZX_INTERRUPT_VIRTUAL, &s->handle));
    s->arguments[0] = THE_HANDLE;
    s->arguments[1] = s->seen + SCENE_RESULT;
}
static void make_two_interrupts(struct scene *s) {
    make_interrupt(s);
    s->other = copy_with(s->handle, ZX_RIGHT_SAME_RIGHTS);
}
static void trigger(struct scene *s) { EXPECT_OK(zx_interrupt_trigger(s->other, 0, 5)); }
static void destroy(struct scene *s) { EXPECT_OK(zx_interrupt_destroy(s->other)); }
static void close_and_trigger(struct scene *s) {
    end_close(s);
    trigger(s);
}
/* The dead one is no waiter any more: another may wait. */
static void use_interrupt(struct scene *s) {
    trigger(s);
    EXPECT_OK(zx_interrupt_wait(s->other, NULL));
}

/* --- futexes and sleeps --- */

#define WORD(s)  ((zx_futex_t *)(uintptr_t)&(s)->page[400])
#define OTHER(s) ((zx_futex_t *)(uintptr_t)&(s)->page[402])

static void make_futex(struct scene *s) {
    atomic_store(WORD(s), 0);
    s->arguments[0] = s->seen + 400 * 8;
    s->arguments[3] = (uint64_t)ZX_TIME_INFINITE;
}
static void wake(struct scene *s) {
    atomic_store(WORD(s), 1);
    EXPECT_OK(zx_futex_wake(WORD(s), 1));
}
static void requeue_and_wake(struct scene *s) {
    EXPECT_OK(zx_futex_requeue(WORD(s), 0, 0, OTHER(s), 1, ZX_HANDLE_INVALID));
    wake(s);
    EXPECT_OK(zx_futex_wake(OTHER(s), UINT32_MAX));
}
static void wake_single(struct scene *s) {
    atomic_store(WORD(s), 1);
    EXPECT_OK(zx_futex_wake_single_owner(WORD(s)));
}

static void make_sleep(struct scene *s) { s->arguments[0] = (uint64_t)ZX_TIME_INFINITE; }
static void make_nap(struct scene *s) {
    s->deadline = zx_deadline_after((zx_duration_t)race_random(ZX_USEC(600)));
    s->arguments[0] = (uint64_t)s->deadline;
}
static void make_wait_for_nothing(struct scene *s) {
    s->arguments[0] = s->seen + HANDLE_PLACE;
    s->arguments[2] = (uint64_t)ZX_TIME_INFINITE;
}
static void do_nothing(struct scene *s) {}

/* --- the console, to which nobody types --- */

static void make_console(struct scene *s) {
    s->handle = copy_with(root_resource(), ZX_RIGHT_SAME_RIGHTS);
    s->arguments[0] = THE_HANDLE;
    s->arguments[1] = s->seen + SCENE_PACKET;
    s->arguments[2] = 1;
    s->arguments[3] = s->seen + SCENE_RESULT;
}

/* --- pagers: more[0] the pager's port, more[1] the pager's object, `other` the pager --- */

static void make_pager(struct scene *s) {
    EXPECT_OK(zx_pager_create(0, &s->other));
    s->more[0] = make_port();
    EXPECT_OK(zx_pager_create_vmo(s->other, ZX_VMO_RESIZABLE, s->more[0], 1, PAGE, &s->more[1]));
}
static void make_read(struct scene *s) {
    make_pager(s);
    s->handle = copy_with(s->more[1], ZX_RIGHT_SAME_RIGHTS);
    s->arguments[0] = THE_HANDLE;
    s->arguments[1] = s->seen + SCENE_PACKET;
    s->arguments[3] = 8;
}
static void make_commit(struct scene *s) {
    make_pager(s);
    s->handle = copy_with(s->more[1], ZX_RIGHT_SAME_RIGHTS);
    s->arguments[0] = THE_HANDLE;
    s->arguments[1] = ZX_VMO_OP_COMMIT;
    s->arguments[3] = PAGE;
}
/* The object that is written is an ordinary one; what is to be written comes from the pager. */
static void make_copy(struct scene *s) {
    make_pager(s);
    EXPECT_OK(zx_vmar_map(s->vmar, READ_WRITE | ZX_VM_ALLOW_FAULTS, 0, s->more[1], 0, PAGE,
                          &s->mapped));
    EXPECT_OK(zx_vmo_create(PAGE, 0, &s->handle));
    s->arguments[0] = THE_HANDLE;
    s->arguments[1] = s->mapped;
    s->arguments[3] = 8;
}
static void supply(struct scene *s) {
    zx_handle_t pages = make_vmo(1);
    put(pages, 0, 42);
    EXPECT_OK(zx_pager_supply_pages(s->other, s->more[1], 0, PAGE, pages, 0));
    close_handle(pages);
}
/* A refusal is of requests that there are. */
static void refuse(struct scene *s) {
    zx_port_packet_t packet;
    EXPECT_OK(zx_port_wait(s->more[0], PATIENCE, &packet));
    EXPECT_OK(zx_pager_op_range(s->other, ZX_PAGER_OP_FAIL, s->more[1], 0, PAGE,
                                (uint64_t)(int64_t)ZX_ERR_IO));
}
static void detach(struct scene *s) { EXPECT_OK(zx_pager_detach_vmo(s->other, s->more[1])); }
static void shrink(struct scene *s) { EXPECT_OK(zx_vmo_set_size(s->more[1], 0)); }
static void close_and_supply(struct scene *s) {
    end_close(s);
    supply(s);
}
/* The call waits for the page, not for the mapping; then it looks again. */
static void unmap_and_supply(struct scene *s) {
    EXPECT_OK(zx_vmar_unmap(s->vmar, s->mapped, PAGE));
    s->mapped = 0;
    supply(s);
}
static void use_pager(struct scene *s) {
    supply(s);
    EXPECT_EQ(42, get(s->more[1], 0));
}

/* --- the table --- */

#define CALL(name)                                      "zx_" #name, (uintptr_t)zx_##name
#define ENDING(name, act, flags, before, after)         {name, act, flags, before, after, after}
#define ENDING_OR(name, act, flags, before, after, also)                                           \
    {name, act, flags, before, after, also}

#define GONE(name, act)  ENDING(name, act, LOCAL, ZX_ERR_BAD_HANDLE, ZX_ERR_CANCELED)
#define KEPT(name, act)  ENDING(name, act, LOCAL, ZX_ERR_BAD_HANDLE, ZX_OK)
#define BOTH(name, act, status) ENDING(name, act, 0, status, status)
#define WHEN_BLOCKED(name, act, status) ENDING(name, act, AFTER_ONLY, status, status)

/* A wait for signals through a handle, with what makes it so, and ends it. */
#define WAIT_ENDINGS(happen)                                                                       \
    BOTH("it happens", happen, ZX_OK), GONE("close", end_close), GONE("replace", end_replace),     \
        GONE("transfer", end_transfer), GONE("transfer as disposition", end_transfer_etc),         \
        ENDING_OR("it happens and close", end_happen_and_close, LOCAL, ZX_ERR_BAD_HANDLE,          \
                  ZX_ERR_CANCELED, ZX_OK)
#define WAIT_ONE(type, make, happen)                                                               \
    {"wait_one " type, CALL(object_wait_one), ZX_THREAD_STATE_BLOCKED_WAIT_ONE, make, NULL,        \
     {BOTH("it happens", happen, ZX_OK), GONE("close", end_close)}}

const struct blocking blocking[] = {
    {"wait_one", CALL(object_wait_one), ZX_THREAD_STATE_BLOCKED_WAIT_ONE, make_wait_event,
     use_event, {WAIT_ENDINGS(happen_event)}},
    {"wait_one until", CALL(object_wait_one), ZX_THREAD_STATE_BLOCKED_WAIT_ONE,
     make_wait_event_until, use_event,
     {BOTH("nothing", do_nothing, ZX_ERR_TIMED_OUT),
      ENDING_OR("it happens", happen_event, 0, ZX_OK, ZX_OK, ZX_ERR_TIMED_OUT),
      ENDING_OR("close", end_close, LOCAL, ZX_ERR_BAD_HANDLE, ZX_ERR_CANCELED, ZX_ERR_TIMED_OUT)}},
    {"wait_many", CALL(object_wait_many), ZX_THREAD_STATE_BLOCKED_WAIT_MANY, make_wait_many,
     use_event, {WAIT_ENDINGS(happen_event)}},
    {"wait_many of nothing", CALL(object_wait_many), ZX_THREAD_STATE_BLOCKED_SLEEPING,
     make_wait_for_nothing, NULL, {}},
    WAIT_ONE("channel", make_wait_channel, happen_channel),
    WAIT_ONE("channel's peer", make_wait_channel, end_close_other),
    WAIT_ONE("exception channel", make_wait_exception, happen_killed),
    WAIT_ONE("socket", make_wait_socket, happen_socket),
    WAIT_ONE("socket's peer", make_wait_socket, end_close_other),
    WAIT_ONE("fifo", make_wait_fifo, happen_fifo),
    WAIT_ONE("fifo's peer", make_wait_fifo, end_close_other),
    WAIT_ONE("eventpair", make_wait_eventpair, happen_eventpair),
    WAIT_ONE("eventpair's peer", make_wait_eventpair, end_close_other),
    WAIT_ONE("timer", make_wait_timer, happen_timer),
    WAIT_ONE("process", make_wait_process, happen_killed),
    WAIT_ONE("job", make_wait_job, happen_killed),
    WAIT_ONE("memory object", make_wait_vmo, happen_vmo),
    WAIT_ONE("clock", make_wait_clock, happen_clock),
    WAIT_ONE("stream", make_wait_stream, happen_stream),
    WAIT_ONE("log", make_wait_log, happen_log),
    {"port_wait", CALL(port_wait), ZX_THREAD_STATE_BLOCKED_PORT, make_two_ports, use_port,
     {BOTH("queue", queue, ZX_OK), KEPT("close and queue", close_and_queue)}},
    {"port_wait of a signal", CALL(port_wait), ZX_THREAD_STATE_BLOCKED_PORT, make_port_and_event,
     use_port, {BOTH("signal", signal_event, ZX_OK)}},
    {"port_wait, last handle", CALL(port_wait), ZX_THREAD_STATE_BLOCKED_PORT, make_own_port, NULL,
     {GONE("close", end_close), KEPT("replace and queue", replace_and_queue)}},
    {"channel_call", CALL(channel_call), ZX_THREAD_STATE_BLOCKED_CHANNEL, make_call, use_call,
     {WHEN_BLOCKED("answer", answer_call, ZX_OK),
      WHEN_BLOCKED("answer and close the peer", answer_and_close, ZX_OK),
      WHEN_BLOCKED("take and close the peer", take_and_close, ZX_ERR_PEER_CLOSED),
      BOTH("close the peer", end_close_other, ZX_ERR_PEER_CLOSED),
      BOTH("wrong answer and close", answer_wrongly_and_close, ZX_ERR_PEER_CLOSED),
      GONE("close", end_close), GONE("transfer", end_transfer)}},
    {"interrupt_wait", CALL(interrupt_wait), ZX_THREAD_STATE_BLOCKED_INTERRUPT,
     make_two_interrupts, use_interrupt,
     {BOTH("trigger", trigger, ZX_OK), BOTH("destroy", destroy, ZX_ERR_CANCELED),
      KEPT("close and trigger", close_and_trigger)}},
    {"interrupt_wait, last handle", CALL(interrupt_wait), ZX_THREAD_STATE_BLOCKED_INTERRUPT,
     make_interrupt, NULL, {GONE("close", end_close)}},
    {"futex_wait", CALL(futex_wait), ZX_THREAD_STATE_BLOCKED_FUTEX, make_futex, NULL,
     {ENDING("wake", wake, 0, ZX_ERR_BAD_STATE, ZX_OK),
      ENDING("wake a single owner", wake_single, 0, ZX_ERR_BAD_STATE, ZX_OK),
      ENDING("requeue and wake", requeue_and_wake, 0, ZX_ERR_BAD_STATE, ZX_OK)}},
    {"nanosleep", CALL(nanosleep), ZX_THREAD_STATE_BLOCKED_SLEEPING, make_sleep, NULL, {}},
    {"nanosleep until", CALL(nanosleep), ZX_THREAD_STATE_BLOCKED_SLEEPING, make_nap, NULL,
     {BOTH("nothing", do_nothing, ZX_OK)}},
    {"debug_read", CALL(debug_read), 0, make_console, NULL, {}},
    {"vmo_read of a pager", CALL(vmo_read), ZX_THREAD_STATE_BLOCKED_PAGER, make_read, use_pager,
     {BOTH("supply", supply, ZX_OK), WHEN_BLOCKED("refuse", refuse, ZX_ERR_IO),
      BOTH("detach", detach, ZX_ERR_BAD_STATE),
      BOTH("close the pager", end_close_other, ZX_ERR_BAD_STATE),
      BOTH("shrink", shrink, ZX_ERR_OUT_OF_RANGE), KEPT("close and supply", close_and_supply)}},
    {"commit of a pager's", CALL(vmo_op_range), ZX_THREAD_STATE_BLOCKED_PAGER, make_commit,
     use_pager,
     {BOTH("supply", supply, ZX_OK), BOTH("detach", detach, ZX_ERR_BAD_STATE),
      BOTH("shrink", shrink, ZX_OK)}},
    {"copy from a pager's page", CALL(vmo_write), ZX_THREAD_STATE_BLOCKED_PAGER, make_copy,
     use_pager,
     {BOTH("supply", supply, ZX_OK), WHEN_BLOCKED("refuse", refuse, ZX_ERR_INVALID_ARGS),
      BOTH("close the pager", end_close_other, ZX_ERR_INVALID_ARGS),
      ENDING_OR("unmap and supply", unmap_and_supply, 0, ZX_ERR_INVALID_ARGS, ZX_ERR_INVALID_ARGS,
                ZX_OK),
      KEPT("close and supply", close_and_supply)}},
};
const unsigned blocking_count = sizeof blocking / sizeof blocking[0];

void scene_end(struct scene *s) {
    const zx_handle_t handles[] = {s->handle, s->other, s->more[0], s->more[1], s->more[2]};
    if (s->mapped)
        EXPECT_OK(zx_vmar_unmap(s->vmar, s->mapped, PAGE));
    EXPECT_OK(zx_handle_close_many(handles, sizeof handles / sizeof handles[0]));
}
