/*
 * channel_test.c - messages, calls, and long chains of ends.
 */
#include "arch/clock.h"
#include "lib/ktest.h"
#include "lib/string.h"
#include "object/channel.h"
#include "object/event.h"
#include "sched/park.h"
#include "vm/kernel_thread.h"

struct ends {
    struct channel *a, *b;
    struct handle ha, hb;
};

static bool ends_create(struct ends *ends) {
    if (channel_create(&ends->a, &ends->b) != OK)
        return false;
    ends->ha = handle_adopt(&ends->a->end.base, ZX_DEFAULT_CHANNEL_RIGHTS);
    ends->hb = handle_adopt(&ends->b->end.base, ZX_DEFAULT_CHANNEL_RIGHTS);
    return true;
}

static void ends_release(struct ends *ends) {
    handle_release(&ends->ha);
    handle_release(&ends->hb);
}

/* A message of `length` bytes, all `byte`, that carries a handle if one is given. */
static struct message *message_of(uint32_t length, char byte, struct handle handle) {
    struct message *message = message_create(length, handle.object ? 1 : 0);
    size_t run;

    if (!message) {
        handle_release(&handle);
        return NULL;
    }
    for (size_t offset = 0; offset < length; offset += run) {
        char *bytes = message_bytes(message, offset, &run);
        memset(bytes, byte, run);
    }
    if (handle.object)
        message->handles[0] = handle;
    return message;
}

static const struct handle no_handle = {NULL, 0};

static status_t send(struct channel *channel, uint32_t length, char byte, struct handle handle) {
    struct message *message = message_of(length, byte, handle);

    if (!message)
        return ERR_NO_MEMORY;
    status_t status = channel_write(channel, message);
    if (status != OK)
        message_destroy(message);
    return status;
}

static status_t receive(struct channel *channel, uint32_t max_bytes, bool discard,
                        struct message **out_message) {
    struct channel_limits sizes;

    *out_message = NULL;
    return channel_read(channel, (struct channel_limits){max_bytes, 1, discard}, out_message,
                        &sizes);
}

KTEST_QUICK(channel, messages_arrive_in_order_and_signals_follow_the_queue) {
    struct ends ends;
    struct message *message = NULL;

    REQUIRE(ends_create(&ends));
    EXPECT_EQ(ZX_CHANNEL_WRITABLE, waitable_signals(ends.hb.object));
    EXPECT_EQ(ERR_SHOULD_WAIT, receive(ends.b, 10, false, &message));
    EXPECT_EQ(OK, send(ends.a, 5, 'x', no_handle));
    EXPECT_EQ(OK, send(ends.a, 0, 'y', no_handle));
    EXPECT_EQ(ZX_CHANNEL_WRITABLE | ZX_CHANNEL_READABLE, waitable_signals(ends.hb.object));
    if (receive(ends.b, 10, false, &message) == OK)
        EXPECT_EQ(5, message->byte_count);
    message_destroy(message);
    if (receive(ends.b, 10, false, &message) == OK)
        EXPECT_EQ(0, message->byte_count);
    message_destroy(message);
    EXPECT_EQ(ZX_CHANNEL_WRITABLE, waitable_signals(ends.hb.object));
    ends_release(&ends);
}

KTEST_QUICK(channel, a_message_too_large_stays_unless_it_may_be_discarded) {
    struct ends ends;
    struct message *message = NULL;

    REQUIRE(ends_create(&ends));
    if (send(ends.a, 11, 'x', no_handle) == OK) {
        EXPECT_EQ(ERR_BUFFER_TOO_SMALL, receive(ends.b, 10, false, &message));
        EXPECT(!message);
        EXPECT_EQ(ERR_BUFFER_TOO_SMALL, receive(ends.b, 10, true, &message));
        EXPECT(message);
        message_destroy(message);
        EXPECT_EQ(ERR_SHOULD_WAIT, receive(ends.b, 10, true, &message));
    }
    ends_release(&ends);
}

KTEST_QUICK(channel, what_is_queued_is_read_after_the_peer_has_closed) {
    struct ends ends;
    struct message *message = NULL;

    REQUIRE(ends_create(&ends));
    status_t status = send(ends.a, 1, 'x', no_handle);
    handle_release(&ends.ha);
    if (status == OK) {
        EXPECT_EQ(ZX_CHANNEL_PEER_CLOSED | ZX_CHANNEL_READABLE, waitable_signals(ends.hb.object));
        EXPECT_EQ(OK, receive(ends.b, 1, false, &message));
        message_destroy(message);
    }
    EXPECT_EQ(ERR_PEER_CLOSED, receive(ends.b, 1, false, &message));
    EXPECT_EQ(ERR_PEER_CLOSED, send(ends.b, 1, 'x', no_handle));
    ends_release(&ends);
}

KTEST(channel, the_largest_message_keeps_every_byte) {
    struct ends ends;
    struct message *message = NULL;
    size_t run;

    REQUIRE(ends_create(&ends));
    if (send(ends.a, ZX_CHANNEL_MAX_MSG_BYTES, 'q', no_handle) == OK &&
        receive(ends.b, ZX_CHANNEL_MAX_MSG_BYTES, false, &message) == OK) {
        unsigned wrong = 0;
        for (size_t offset = 0; offset < message->byte_count; offset += run) {
            const char *bytes = message_bytes(message, offset, &run);
            for (size_t i = 0; i < run; i++)
                wrong += bytes[i] != 'q';
        }
        EXPECT_EQ(0, wrong);
    }
    message_destroy(message);
    ends_release(&ends);
}

KTEST_QUICK(channel, a_message_that_dies_closes_its_handles) {
    struct ends ends;
    struct waitable *event;
    uint64_t events = waitable_live_count(ZX_OBJ_TYPE_EVENT);

    REQUIRE(ends_create(&ends));
    if (event_create(&event) == OK)
        (void)send(ends.a, 1, 'x', handle_adopt(event, ZX_RIGHT_TRANSFER));
    ends_release(&ends);
    EXPECT_EQ(events, waitable_live_count(ZX_OBJ_TYPE_EVENT));
}

/*
 * `count` channels, each with its end in a message of the one before; returns the
 * handle that holds all of them up, and the end of the innermost in *out_last.
 */
static struct handle chain_create(unsigned count, struct handle *out_last) {
    struct ends outer, inner;

    if (!ends_create(&outer))
        return no_handle;
    struct handle first = handle_take(&outer.ha);
    struct handle tail = handle_take(&outer.hb);
    for (unsigned i = 1; i < count && ends_create(&inner); i++) {
        (void)send(channel_from(tail.object), 0, 0, handle_take(&inner.ha));
        handle_release(&tail);
        tail = handle_take(&inner.hb);
    }
    *out_last = tail;
    return first;
}

static void chain_test(unsigned count) {
    uint64_t before = waitable_live_count(ZX_OBJ_TYPE_CHANNEL);
    struct handle last = no_handle, first = chain_create(count, &last);

    REQUIRE(first.object);
    EXPECT_EQ(before + count * 2, waitable_live_count(ZX_OBJ_TYPE_CHANNEL) + count - 1);
    handle_release(&first);
    EXPECT_EQ(ZX_CHANNEL_PEER_CLOSED, waitable_signals(last.object) & ZX_CHANNEL_PEER_CLOSED);
    handle_release(&last);
    EXPECT_EQ(before, waitable_live_count(ZX_OBJ_TYPE_CHANNEL));
}

KTEST_QUICK(channel, a_chain_of_200_ends_inside_each_other_closes_at_once) { chain_test(200); }
KTEST(channel, a_chain_of_100000_ends_does_not_eat_the_stack) { chain_test(100000); }

/* ---- cycles ---- */

/* Each of `count` channels has its first end sent through the second of the one before. */
static void cycle_test(unsigned count) {
    uint64_t before = waitable_live_count(ZX_OBJ_TYPE_CHANNEL);
    struct ends all[8];
    unsigned made = 0;

    while (made < count && ends_create(&all[made]))
        made++;
    for (unsigned i = 0; made == count && i < count; i++)
        (void)send(all[i].b, 0, 0, handle_take(&all[(i + 1) % count].ha));
    for (unsigned i = 0; i < made; i++) {
        EXPECT(made != count || waitable_signals(all[i].hb.object) & ZX_CHANNEL_PEER_CLOSED);
        ends_release(&all[i]);
    }
    EXPECT_EQ(before, waitable_live_count(ZX_OBJ_TYPE_CHANNEL));
}

KTEST_QUICK(channel, an_end_sent_into_its_own_queue_is_closed) { cycle_test(1); }
KTEST_QUICK(channel, ends_that_hold_each_other_up_are_closed) {
    cycle_test(2);
    cycle_test(3);
    cycle_test(8);
}

KTEST_QUICK(channel, an_end_taken_out_of_a_queue_may_be_put_into_another) {
    struct ends outer, inner;
    struct message *message = NULL;

    REQUIRE(ends_create(&outer));
    if (ends_create(&inner)) {
        status_t status = send(outer.b, 0, 0, handle_take(&inner.ha));
        if (status == OK && receive(outer.a, 0, false, &message) == OK) {
            EXPECT_EQ(OK, channel_write(inner.b, message) == OK ? OK : ERR_INTERNAL);
            EXPECT(waitable_signals(inner.hb.object) & ZX_CHANNEL_PEER_CLOSED);
        }
        ends_release(&inner);
    }
    ends_release(&outer);
}

/* ---- calls ---- */

struct call {
    struct handle_table table;
    uint32_t value;
    struct ends ends;
    nstime_t deadline;
    status_t status;
    uint32_t reply_size;
    struct waitable *done;
};

static void call_main(void *argument) {
    struct call *call = argument;
    struct waitable *done = call->done; /* the call goes away once this is signalled */
    struct message *request = message_of(4, 0, no_handle), *reply = NULL;

    call->status = ERR_NO_MEMORY;
    if (request)
        call->status = channel_call(call->ends.a, &call->table, call->value, request,
                                    call->deadline, &reply);
    if (call->status == OK)
        call->reply_size = reply->byte_count;
    message_destroy(reply);
    waitable_change(done, 0, ZX_EVENT_SIGNALED);
    waitable_unref(done);
}

static bool call_begin(struct call *call, nstime_t deadline) {
    *call = (struct call){.deadline = deadline};
    handle_table_init(&call->table);
    if (!ends_create(&call->ends))
        return false;
    if (handle_table_add(&call->table, call->ends.ha, &call->value) != OK)
        return false;
    call->ends.ha.object = NULL; /* the table's */
    if (event_create(&call->done) != OK)
        return false;
    struct thread *thread = kernel_thread_create("caller", call_main, call, PRIORITY_DEFAULT);
    if (!thread) {
        waitable_unref(call->done);
        return false;
    }
    waitable_ref(call->done);
    thread_start(thread);
    return true;
}

static void call_join(struct call *call) {
    while (!(waitable_signals(call->done) & ZX_EVENT_SIGNALED))
        (void)thread_sleep_until(clock_now() + 100000);
    waitable_unref(call->done);
}

static void call_end(struct call *call) {
    ends_release(&call->ends);
    handle_table_clear(&call->table);
    handle_table_destroy(&call->table);
}

/* The request, or NULL when the caller has given up. */
static struct message *call_take_request(struct call *call) {
    struct message *request;

    while (receive(call->ends.b, 4, false, &request) != OK) {
        if (waitable_signals(call->done) & ZX_EVENT_SIGNALED)
            return NULL;
        (void)thread_sleep_until(clock_now() + 100000);
    }
    return request;
}

KTEST(channel, a_call_gets_the_message_that_carries_its_number) {
    struct call call;

    if (call_begin(&call, TIME_INFINITE)) {
        struct message *request = call_take_request(&call);
        struct message *reply = message_of(9, 0, no_handle);
        if (request && reply) {
            EXPECT(message_txid(request) & 0x80000000u);
            EXPECT_EQ(OK, send(call.ends.b, 8, 7, no_handle));
            message_set_txid(reply, message_txid(request));
            EXPECT_EQ(OK, channel_write(call.ends.b, reply));
        } else {
            message_destroy(reply);
            handle_release(&call.ends.hb);
        }
        message_destroy(request);
        call_join(&call);
        EXPECT_EQ(OK, call.status);
        EXPECT_EQ(9, call.reply_size);
    }
    call_end(&call);
}

KTEST(channel, a_call_ends_when_the_peer_closes_or_the_time_is_over) {
    struct call call;

    if (call_begin(&call, TIME_INFINITE)) {
        message_destroy(call_take_request(&call));
        handle_release(&call.ends.hb);
        call_join(&call);
        EXPECT_EQ(ERR_PEER_CLOSED, call.status);
    }
    call_end(&call);
    if (call_begin(&call, 0)) {
        call_join(&call);
        EXPECT_EQ(ERR_TIMED_OUT, call.status);
        struct message *request = call_take_request(&call);
        EXPECT(request);
        message_destroy(request);
    }
    call_end(&call);
}

KTEST(channel, P55_a_call_ends_when_its_handle_is_closed_or_sent_away) {
    struct call call;
    struct handle handle;

    if (call_begin(&call, TIME_INFINITE)) {
        message_destroy(call_take_request(&call));
        EXPECT_EQ(OK, handle_table_remove(&call.table, call.value, &handle));
        call_join(&call);
        EXPECT_EQ(ERR_CANCELED, call.status);
        handle_release(&handle);
    }
    call_end(&call);
}
