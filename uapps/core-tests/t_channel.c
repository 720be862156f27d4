/*
 * t_channel.c - messages, their handles, and calls.
 */
#include <jacinth/utest.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>

#include "core-tests/support.h"

struct channel {
    zx_handle_t a, b;
};

static struct channel make_channel(void) {
    struct channel channel = {0, 0};
    EXPECT_OK(zx_channel_create(0, &channel.a, &channel.b));
    return channel;
}
static void close_channel(struct channel channel) {
    close_handle(channel.a);
    close_handle(channel.b);
}
static zx_signals_t signals_of(zx_handle_t handle) {
    zx_signals_t seen = 0;
    EXPECT_EQ(ZX_ERR_TIMED_OUT, zx_object_wait_one(handle, 0, 0, &seen));
    return seen;
}
static bool is_closed(zx_handle_t handle) {
    return zx_object_get_info(handle, ZX_INFO_HANDLE_VALID, NULL, 0, NULL, NULL) ==
           ZX_ERR_BAD_HANDLE;
}

TEST(channel_create_refuses_options_and_bad_places) {
    zx_handle_t a, b;
    unsigned before = own_handles();
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_channel_create(1, &a, &b));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_channel_create(0, &a, NULL));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_channel_create(0, NULL, &b));
    EXPECT_EQ(before, own_handles());
    struct channel channel = make_channel();
    EXPECT_EQ(ZX_DEFAULT_CHANNEL_RIGHTS, rights_of(channel.a));
    EXPECT_EQ(ZX_CHANNEL_WRITABLE, signals_of(channel.a));
    close_channel(channel);
}

TEST(channel_carries_messages_in_order) {
    struct channel channel = make_channel();
    char buffer[16] = "";
    uint32_t bytes = 9, handles = 9;
    EXPECT_EQ(ZX_ERR_SHOULD_WAIT,
              zx_channel_read(channel.b, 0, buffer, NULL, 16, 0, &bytes, &handles));
    EXPECT_OK(zx_channel_write(channel.a, 0, "first", 6, NULL, 0));
    EXPECT_OK(zx_channel_write(channel.a, 0, NULL, 0, NULL, 0));
    EXPECT_EQ(ZX_CHANNEL_WRITABLE | ZX_CHANNEL_READABLE, signals_of(channel.b));
    EXPECT_OK(zx_channel_read(channel.b, 0, buffer, NULL, 16, 0, &bytes, &handles));
    EXPECT_STR("first", buffer);
    EXPECT_EQ(6, bytes);
    EXPECT_EQ(0, handles);
    EXPECT_OK(zx_channel_read(channel.b, 0, NULL, NULL, 0, 0, NULL, NULL));
    EXPECT_EQ(ZX_CHANNEL_WRITABLE, signals_of(channel.b));
    close_channel(channel);
}

TEST(channel_message_too_large_stays_and_tells_its_size) {
    struct channel channel = make_channel();
    zx_handle_t event = make_event(), received;
    uint32_t bytes = 0, handles = 0;
    char buffer[8];
    EXPECT_OK(zx_channel_write(channel.a, 0, "12345", 5, &event, 1));
    EXPECT_EQ(ZX_ERR_BUFFER_TOO_SMALL,
              zx_channel_read(channel.b, 0, buffer, &received, 4, 1, &bytes, &handles));
    EXPECT_EQ(5, bytes);
    EXPECT_EQ(1, handles);
    EXPECT_EQ(ZX_ERR_BUFFER_TOO_SMALL,
              zx_channel_read(channel.b, 0, buffer, &received, 8, 0, NULL, NULL));
    EXPECT_EQ(ZX_ERR_NOT_SUPPORTED,
              zx_channel_read(channel.b, 2, buffer, &received, 8, 1, NULL, NULL));
    EXPECT_EQ(ZX_ERR_BUFFER_TOO_SMALL,
              zx_channel_read(channel.b, ZX_CHANNEL_READ_MAY_DISCARD, buffer, &received, 8, 0,
                              &bytes, &handles));
    EXPECT_EQ(ZX_ERR_SHOULD_WAIT,
              zx_channel_read(channel.b, 0, buffer, &received, 8, 1, NULL, NULL));
    close_channel(channel);
}

TEST(channel_handles_arrive_with_their_rights_under_new_values) {
    struct channel channel = make_channel();
    zx_handle_t event = make_event();
    zx_handle_t weak = copy_with(event, ZX_RIGHT_TRANSFER | ZX_RIGHT_INSPECT);
    zx_koid_t koid = koid_of(event);
    zx_handle_t sent[2] = {event, weak}, got[2];
    zx_handle_info_t infos[2];
    uint32_t count = 0;
    EXPECT_OK(zx_channel_write(channel.a, 0, NULL, 0, sent, 2));
    EXPECT(is_closed(event) && is_closed(weak));
    EXPECT_OK(zx_channel_read(channel.b, 0, NULL, got, 0, 2, NULL, &count));
    EXPECT_EQ(2, count);
    EXPECT_EQ(koid, koid_of(got[0]));
    EXPECT_EQ(ZX_DEFAULT_EVENT_RIGHTS, rights_of(got[0]));
    EXPECT_EQ(ZX_RIGHT_TRANSFER | ZX_RIGHT_INSPECT, rights_of(got[1]));
    EXPECT_OK(zx_channel_write(channel.a, 0, NULL, 0, got, 2));
    EXPECT_OK(zx_channel_read_etc(channel.b, 0, NULL, infos, 0, 2, NULL, &count));
    EXPECT_EQ(ZX_OBJ_TYPE_EVENT, infos[1].type);
    EXPECT_EQ(ZX_RIGHT_TRANSFER | ZX_RIGHT_INSPECT, infos[1].rights);
    EXPECT_EQ(0, infos[1].unused);
    close_handle(infos[0].handle);
    close_handle(infos[1].handle);
    close_channel(channel);
}

TEST(channel_write_consumes_handles_on_every_outcome) {
    static zx_handle_t many[200];
    struct channel channel = make_channel();
    unsigned before = own_handles();
    zx_handle_t event = make_event();
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_channel_write(channel.a, 4, NULL, 0, &event, 1));
    event = make_event();
    EXPECT_EQ(ZX_ERR_BAD_HANDLE, zx_channel_write(0, 0, NULL, 0, &event, 1));
    event = make_event();
    EXPECT_EQ(ZX_ERR_OUT_OF_RANGE, zx_channel_write(channel.a, 0, NULL, 65537, &event, 1));
    event = make_event();
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_channel_write(channel.a, 0, (void *)8, 1, &event, 1));
    for (int i = 0; i < 200; i++)
        many[i] = make_event();
    EXPECT_EQ(ZX_ERR_OUT_OF_RANGE, zx_channel_write(channel.a, 0, NULL, 0, many, 200));
    event = copy_without(make_event(), ZX_RIGHT_TRANSFER);
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED, zx_channel_write(channel.a, 0, NULL, 0, &event, 1));
    EXPECT_EQ(before + 1, own_handles()); /* the event that was copied */
    event = make_event();
    zx_handle_t twice[2] = {event, event};
    EXPECT_EQ(ZX_ERR_BAD_HANDLE, zx_channel_write(channel.a, 0, NULL, 0, twice, 2));
    zx_handle_t none[2] = {make_event(), ZX_HANDLE_INVALID};
    EXPECT_EQ(ZX_ERR_BAD_HANDLE, zx_channel_write(channel.a, 0, NULL, 0, none, 2));
    close_handle(channel.b);
    event = make_event();
    EXPECT_EQ(ZX_ERR_PEER_CLOSED, zx_channel_write(channel.a, 0, NULL, 0, &event, 1));
    EXPECT_EQ(before, own_handles());
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_channel_write(channel.a, 0, NULL, 0, (void *)8, 1));
    close_handle(channel.a);
}

TEST(channel_end_cannot_be_sent_through_itself) {
    struct channel channel = make_channel(), other = make_channel();
    zx_handle_t end = channel.a;
    EXPECT_EQ(ZX_ERR_NOT_SUPPORTED, zx_channel_write(channel.a, 0, NULL, 0, &end, 1));
    EXPECT(is_closed(channel.a));
    EXPECT_EQ(ZX_CHANNEL_PEER_CLOSED, signals_of(channel.b));
    close_handle(channel.b);
    EXPECT_OK(zx_handle_replace(other.a, ZX_DEFAULT_CHANNEL_RIGHTS & ~ZX_RIGHT_TRANSFER,
                                &other.a));
    end = other.a;
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED, zx_channel_write(other.a, 0, NULL, 0, &end, 1));
    close_handle(other.b);
}

TEST(channel_peer_that_is_sent_where_nobody_can_read_it_is_closed) {
    struct channel one = make_channel(), two = make_channel();
    unsigned before = own_handles();
    EXPECT_OK(zx_channel_write(one.a, 0, "x", 1, &one.b, 1));
    EXPECT_EQ(ZX_CHANNEL_PEER_CLOSED, signals_of(one.a));
    close_handle(one.a);
    one = make_channel();
    EXPECT_OK(zx_channel_write(one.a, 0, NULL, 0, &two.b, 1));
    EXPECT_EQ(ZX_CHANNEL_WRITABLE, signals_of(two.a));
    EXPECT_OK(zx_channel_write(two.a, 0, NULL, 0, &one.b, 1));
    EXPECT_EQ(ZX_CHANNEL_PEER_CLOSED, signals_of(one.a));
    EXPECT_EQ(ZX_CHANNEL_PEER_CLOSED, signals_of(two.a));
    EXPECT_EQ(before - 2, own_handles());
    close_handle(one.a);
    close_handle(two.a);
}

TEST(channel_read_of_a_bad_buffer_loses_the_message) {
    struct channel channel = make_channel();
    zx_handle_t event = make_event(), got;
    unsigned before = own_handles();
    EXPECT_OK(zx_channel_write(channel.a, 0, "abc", 3, &event, 1));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS,
              zx_channel_read(channel.b, 0, (void *)8, &got, 3, 1, NULL, NULL));
    EXPECT_EQ(ZX_ERR_SHOULD_WAIT, zx_channel_read(channel.b, 0, &got, &got, 3, 1, NULL, NULL));
    EXPECT_EQ(before - 1, own_handles());
    close_channel(channel);
}

TEST(channel_largest_message_arrives_whole) {
    struct channel channel = make_channel();
    unsigned char *sent = malloc(65536), *got = malloc(65536);
    uint32_t bytes = 0;
    REQUIRE(sent && got);
    for (int i = 0; i < 65536; i++)
        sent[i] = (unsigned char)(i * 31 >> 3);
    EXPECT_OK(zx_channel_write(channel.a, 0, sent, 65536, NULL, 0));
    EXPECT_OK(zx_channel_read(channel.b, 0, got, NULL, UINT32_MAX, UINT32_MAX, &bytes, NULL));
    EXPECT_EQ(65536, bytes);
    EXPECT(memcmp(sent, got, 65536) == 0);
    free(sent);
    free(got);
    close_channel(channel);
}

TEST(channel_queued_messages_survive_the_writer) {
    struct channel channel = make_channel();
    char byte;
    EXPECT_OK(zx_channel_write(channel.a, 0, "z", 1, NULL, 0));
    close_handle(channel.a);
    EXPECT_EQ(ZX_CHANNEL_PEER_CLOSED | ZX_CHANNEL_READABLE, signals_of(channel.b));
    EXPECT_OK(zx_channel_read(channel.b, 0, &byte, NULL, 1, 0, NULL, NULL));
    EXPECT_EQ('z', byte);
    EXPECT_EQ(ZX_ERR_PEER_CLOSED, zx_channel_read(channel.b, 0, &byte, NULL, 1, 0, NULL, NULL));
    EXPECT_EQ(ZX_ERR_PEER_CLOSED, zx_channel_write(channel.b, 0, NULL, 0, NULL, 0));
    close_handle(channel.b);
}

TEST(channel_ends_nested_in_messages_close_with_the_outermost) {
    struct channel outer = make_channel(), inner;
    zx_handle_t first = outer.a, at = outer.b;
    for (int i = 0; i < 200; i++) {
        inner = make_channel();
        EXPECT_OK(zx_channel_write(at, 0, NULL, 0, &inner.a, 1));
        close_handle(at);
        at = inner.b;
    }
    EXPECT_EQ(ZX_CHANNEL_WRITABLE, signals_of(at));
    close_handle(first);
    EXPECT_EQ(ZX_CHANNEL_PEER_CLOSED, signals_of(at));
    close_handle(at);
}

/* --- calls --- */

struct answer {
    zx_handle_t channel;
    uint32_t size;
    zx_handle_t handle;
    bool close;
};

/* Answers one request with `size` bytes, after a message that is no answer. */
static int answer_one(void *argument) {
    struct answer *answer = argument;
    uint32_t message[16] = {0};
    zx_signals_t seen;
    (void)zx_object_wait_one(answer->channel, ZX_CHANNEL_READABLE | ZX_CHANNEL_PEER_CLOSED,
                             zx_deadline_after(ZX_SEC(5)), &seen);
    EXPECT_OK(zx_channel_read(answer->channel, 0, message, NULL, sizeof message, 0, NULL, NULL));
    EXPECT(message[0] & 0x80000000u);
    (void)zx_nanosleep(zx_deadline_after(ZX_MSEC(1)));
    if (answer->close) {
        close_handle(answer->channel);
        return 0;
    }
    uint32_t stray[2] = {message[0] ^ 1, 0};
    EXPECT_OK(zx_channel_write(answer->channel, 0, stray, 8, NULL, 0));
    EXPECT_OK(zx_channel_write(answer->channel, 0, message, answer->size, &answer->handle,
                               answer->handle ? 1 : 0));
    return 0;
}

static zx_status_t call(zx_handle_t channel, uint32_t *reply, uint32_t size, zx_time_t deadline) {
    uint32_t request[2] = {0, 0x1234}, bytes, handles;
    zx_channel_call_args_t args = {.wr_bytes = request, .wr_num_bytes = 8, .rd_bytes = reply,
                                   .rd_num_bytes = size};
    return zx_channel_call(channel, 0, deadline, &args, &bytes, &handles);
}

TEST(channel_call_gets_its_answer_past_the_queue) {
    struct channel channel = make_channel();
    struct answer answer = {.channel = channel.b, .size = 12};
    uint32_t reply[3] = {0};
    thrd_t thread;
    REQUIRE_EQ(thrd_success, thrd_create(&thread, answer_one, &answer));
    EXPECT_OK(call(channel.a, reply, 12, zx_deadline_after(ZX_SEC(5))));
    EXPECT_EQ(0x1234, reply[1]);
    thrd_join(thread, NULL);
    EXPECT_OK(zx_channel_read(channel.a, 0, reply, NULL, 12, 0, NULL, NULL)); /* the stray one */
    close_channel(channel);
}

TEST(channel_call_refuses_an_answer_that_does_not_fit) {
    struct channel channel = make_channel();
    struct answer answer = {.channel = channel.b, .size = 16, .handle = make_event()};
    uint32_t reply[4] = {0};
    thrd_t thread;
    unsigned before = own_handles();
    REQUIRE_EQ(thrd_success, thrd_create(&thread, answer_one, &answer));
    EXPECT_EQ(ZX_ERR_BUFFER_TOO_SMALL,
              call(channel.a, reply, 16, zx_deadline_after(ZX_SEC(5))));
    thrd_join(thread, NULL);
    EXPECT_EQ(before - 1, own_handles());
    close_channel(channel);
}

TEST(channel_call_ends_with_its_peer) {
    struct channel channel = make_channel();
    struct answer answer = {.channel = channel.b, .close = true};
    uint32_t reply[3];
    thrd_t thread;
    REQUIRE_EQ(thrd_success, thrd_create(&thread, answer_one, &answer));
    EXPECT_EQ(ZX_ERR_PEER_CLOSED, call(channel.a, reply, 12, zx_deadline_after(ZX_SEC(5))));
    thrd_join(thread, NULL);
    EXPECT_EQ(ZX_ERR_PEER_CLOSED, call(channel.a, reply, 12, ZX_TIME_INFINITE));
    close_handle(channel.a);
}

TEST(channel_call_times_out_and_leaves_its_request) {
    struct channel channel = make_channel();
    uint32_t message[2] = {0};
    EXPECT_EQ(ZX_ERR_TIMED_OUT, call(channel.a, message, 8, 0));
    EXPECT_EQ(ZX_ERR_TIMED_OUT, call(channel.a, message, 8, zx_deadline_after(ZX_MSEC(2))));
    EXPECT_OK(zx_channel_read(channel.b, 0, message, NULL, 8, 0, NULL, NULL));
    EXPECT_OK(zx_channel_write(channel.b, 0, message, 8, NULL, 0)); /* too late: an ordinary one */
    EXPECT_OK(zx_channel_read(channel.a, 0, message, NULL, 8, 0, NULL, NULL));
    close_channel(channel);
}

static int close_soon(void *argument) {
    (void)zx_nanosleep(zx_deadline_after(ZX_MSEC(3)));
    close_handle(*(zx_handle_t *)argument);
    return 0;
}

TEST(P55_channel_call_is_cancelled_when_its_handle_is_closed) {
    struct channel channel = make_channel();
    uint32_t reply[3];
    thrd_t thread;
    REQUIRE_EQ(thrd_success, thrd_create(&thread, close_soon, &channel.a));
    EXPECT_EQ(ZX_ERR_CANCELED, call(channel.a, reply, 12, zx_deadline_after(ZX_SEC(5))));
    thrd_join(thread, NULL);
    close_handle(channel.b);
}

TEST(channel_call_checks_and_consumes) {
    struct channel channel = make_channel();
    uint32_t data[4] = {0}, bytes, handles;
    zx_handle_t event = make_event();
    unsigned before = own_handles();
    zx_channel_call_args_t args = {.wr_bytes = data, .wr_num_bytes = 3, .wr_handles = &event,
                                   .wr_num_handles = 1};
    EXPECT_EQ(ZX_ERR_INVALID_ARGS,
              zx_channel_call(channel.a, 0, 0, NULL, &bytes, &handles));
    EXPECT_EQ(before, own_handles());
    EXPECT_EQ(ZX_ERR_INVALID_ARGS,
              zx_channel_call(channel.a, 0, 0, &args, &bytes, &handles));
    EXPECT_EQ(before - 1, own_handles());
    event = make_event();
    args.wr_num_bytes = 4;
    EXPECT_EQ(ZX_ERR_INVALID_ARGS,
              zx_channel_call(channel.a, 8, 0, &args, &bytes, &handles));
    event = make_event();
    EXPECT_EQ(ZX_ERR_BAD_HANDLE, zx_channel_call(0, 0, 0, &args, &bytes, &handles));
    event = make_event();
    EXPECT_EQ(ZX_ERR_WRONG_TYPE, zx_channel_call(zx_process_self(), 0, 0, &args, &bytes,
                                                 &handles));
    EXPECT_EQ(before - 1, own_handles());
    close_channel(channel);
}
