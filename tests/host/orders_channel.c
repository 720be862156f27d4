/*
 * orders_channel.c - channel_call against everything that can end it, in all orders.
 */
#include "object/channel.h"
#include "tests/host/orders.h"

static struct {
    struct handle_table table;
    uint32_t value;             /* the caller's end */
    struct channel *theirs;     /* the server's, borrowed from its handle */
    struct handle their_handle;
    status_t status, read_status, reply_status;
    bool got_reply;
} call;

static void prepare(void) {
    struct channel *ours;

    call = (typeof(call)){.status = ERR_INTERNAL, .read_status = ERR_INTERNAL};
    handle_table_init(&call.table);
    REQUIRE(channel_create(&ours, &call.theirs) == OK);
    call.their_handle = handle_adopt(&call.theirs->end.base, ZX_DEFAULT_CHANNEL_RIGHTS);
    struct handle handle = handle_adopt(&ours->end.base, ZX_DEFAULT_CHANNEL_RIGHTS);
    REQUIRE(handle_table_add(&call.table, handle, &call.value) == OK);
}

static void make_call(void) {
    struct message *message = message_create(16, 0), *reply = NULL;

    REQUIRE(message != NULL);
    call.status = channel_call(NULL, &call.table, call.value, message, TIME_INFINITE, &reply);
    call.got_reply = reply != NULL;
    message_destroy(reply);
}

/* Take the request if it is there, and answer it in its own message. */
static void answer(void) {
    const struct channel_limits room = {.bytes = 16};
    struct channel_limits sizes;
    struct message *message;

    call.read_status = channel_read(call.theirs, room, &message, &sizes);
    if (call.read_status != OK)
        return;
    call.reply_status = channel_write(call.theirs, message);
    if (call.reply_status != OK)
        message_destroy(message);
}

static void close_theirs(void) { handle_release(&call.their_handle); }
static void close_ours(void) {
    struct handle handle = handle_table_take(&call.table, call.value);

    handle_release(&handle);
}
static void kill_caller(void) { thread_set_pending(orders_thread(0), THREAD_PENDING_KILL); }

static void let_go(void) {
    handle_release(&call.their_handle);
    handle_table_clear(&call.table);
    handle_table_destroy(&call.table);
}

/* The caller has its answer if and only if the call says so. */
static void check(void) {
    EXPECT_EQ(call.status == OK, call.got_reply);
    if (call.status == OK)
        EXPECT(call.read_status == OK && call.reply_status == OK);
    orders_saw("%s", orders_status(call.status));
    let_go();
}

/* A server that comes too early leaves; then its end is closed, so that the call ends. */
static void answer_and_close(void) {
    answer();
    close_theirs();
}

ORDERS(channel, a_call_meets_its_answer_and_the_end_of_the_peer, .switches = 3,
       .prepare = prepare, .work = {make_call, answer_and_close}, .check = check,
       .outcomes = {"OK", "PEER_CLOSED"});
ORDERS(channel, a_call_meets_its_answer_and_a_kill, .switches = 2, .prepare = prepare,
       .work = {make_call, answer, kill_caller}, .check = check, .outcomes = {"OK", "KILLED"});
ORDERS(channel, a_call_meets_its_answer_and_the_close_of_its_handle, .switches = 2,
       .prepare = prepare, .work = {make_call, answer, close_ours}, .check = check,
       .outcomes = {"OK", "CANCELED", "BAD_HANDLE"});
ORDERS(channel, a_call_meets_the_close_of_both_ends, .switches = 2, .prepare = prepare,
       .work = {make_call, close_theirs, close_ours}, .check = check,
       .outcomes = {"PEER_CLOSED", "CANCELED", "BAD_HANDLE"});

/* ---- Messages without calls ---- */

static void write_to_them(void) {
    struct message *message = message_create(16, 0);
    struct found found = handle_table_look_up(&call.table, call.value, ZX_OBJ_TYPE_CHANNEL, 0);

    REQUIRE(message != NULL && found.status == OK);
    *message_front(message) = 1;
    call.status = channel_write(channel_from(found.object), message);
    if (call.status != OK)
        message_destroy(message);
    waitable_unref(found.object);
}

static void read_theirs(void) {
    struct channel_limits sizes;
    struct message *message;

    call.read_status =
        channel_read(call.theirs, (struct channel_limits){.bytes = 16}, &message, &sizes);
    if (call.read_status == OK)
        message_destroy(message);
}

static void write_check(void) {
    if (call.read_status == OK)
        EXPECT_EQ(OK, call.status);
    orders_saw("write %s, read %s", orders_status(call.status), orders_status(call.read_status));
    let_go();
}

static void read_and_close(void) {
    read_theirs();
    close_theirs();
}

ORDERS(channel, a_write_meets_a_read_and_the_end_of_the_reader, .switches = 3,
       .prepare = prepare, .work = {write_to_them, read_and_close}, .check = write_check,
       .outcomes = {"write OK, read OK", "write OK, read SHOULD_WAIT",
                    "write PEER_CLOSED, read SHOULD_WAIT"});
