/*
 * t_channel_etc.c - messages from several pieces, handles with dispositions, calls of
 * that kind, and what becomes of a process that floods a channel.
 */
#include <jacinth/launch.h>
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
static bool is_closed(zx_handle_t handle) {
    return zx_object_get_info(handle, ZX_INFO_HANDLE_VALID, NULL, 0, NULL, NULL) ==
           ZX_ERR_BAD_HANDLE;
}
static zx_handle_disposition_t moves(zx_handle_t handle) {
    return (zx_handle_disposition_t){ZX_HANDLE_OP_MOVE, handle, ZX_OBJ_TYPE_NONE,
                                     ZX_RIGHT_SAME_RIGHTS, ZX_OK};
}
static zx_handle_disposition_t duplicates(zx_handle_t handle) {
    zx_handle_disposition_t disposition = moves(handle);
    disposition.operation = ZX_HANDLE_OP_DUPLICATE;
    return disposition;
}
static zx_status_t send(zx_handle_t channel, zx_handle_disposition_t *dispositions,
                        uint32_t count) {
    return zx_channel_write_etc(channel, 0, "etc", 4, dispositions, count);
}
static void expect_empty(zx_handle_t channel) {
    EXPECT_EQ(ZX_ERR_SHOULD_WAIT, zx_channel_read(channel, 0, NULL, NULL, 0, 0, NULL, NULL));
}

/* --- dispositions --- */

TEST(channel_write_etc_moves_and_duplicates_with_rights) {
    struct channel channel = make_channel();
    zx_handle_t moved = make_event(), kept = make_event();
    zx_handle_disposition_t out[2] = {moves(moved), duplicates(kept)};
    zx_handle_info_t in[2];
    uint32_t bytes, handles = 0;
    char text[8];
    out[0].type = ZX_OBJ_TYPE_EVENT;
    out[0].rights = ZX_RIGHT_WAIT; /* not even TRANSFER is left */
    REQUIRE_OK(send(channel.a, out, 2));
    EXPECT_EQ(ZX_OK, out[0].result);
    EXPECT(is_closed(moved));
    EXPECT(!is_closed(kept));
    REQUIRE_OK(zx_channel_read_etc(channel.b, 0, text, in, 8, 2, &bytes, &handles));
    EXPECT_STR("etc", text);
    EXPECT_EQ(2, handles);
    EXPECT_EQ(ZX_RIGHT_WAIT, in[0].rights);
    EXPECT_EQ(ZX_OBJ_TYPE_EVENT, in[0].type);
    EXPECT_EQ(ZX_DEFAULT_EVENT_RIGHTS, in[1].rights);
    EXPECT_EQ(koid_of(kept), koid_of(in[1].handle));
    close_handle(in[0].handle);
    close_handle(in[1].handle);
    close_handle(kept);
    close_channel(channel);
}

/* One bad entry between two good ones; `want` is its result and the call's. */
static void expect_refused(struct channel channel, zx_handle_disposition_t bad, zx_status_t want) {
    zx_handle_t first = make_event(), last = make_event();
    zx_handle_disposition_t out[3] = {moves(first), bad, duplicates(last)};
    EXPECT_EQ(want, send(channel.a, out, 3));
    EXPECT_EQ(ZX_OK, out[0].result);
    EXPECT_EQ(want, out[1].result);
    EXPECT_EQ(ZX_OK, out[2].result);
    EXPECT(is_closed(first));
    EXPECT(!is_closed(last));
    close_handle(last);
    expect_empty(channel.b);
}

TEST(channel_write_etc_tells_the_result_of_each_handle) {
    struct channel channel = make_channel();
    unsigned before = own_handles();
    zx_handle_t event = make_event(), mute = copy_without(event, ZX_RIGHT_TRANSFER);
    zx_handle_t single = copy_without(event, ZX_RIGHT_DUPLICATE);
    zx_handle_disposition_t bad = duplicates(event);
    bad.operation = 2;
    expect_refused(channel, bad, ZX_ERR_INVALID_ARGS);
    expect_refused(channel, moves(ZX_HANDLE_INVALID), ZX_ERR_BAD_HANDLE);
    expect_refused(channel, duplicates(ZX_HANDLE_INVALID), ZX_ERR_BAD_HANDLE);
    bad = duplicates(event);
    bad.type = ZX_OBJ_TYPE_PORT;
    bad.rights = ZX_RIGHT_WRITE; /* also not a subset: the type comes first */
    expect_refused(channel, bad, ZX_ERR_WRONG_TYPE);
    bad.type = ZX_OBJ_TYPE_EVENT;
    expect_refused(channel, bad, ZX_ERR_INVALID_ARGS);
    expect_refused(channel, duplicates(mute), ZX_ERR_ACCESS_DENIED);
    expect_refused(channel, duplicates(single), ZX_ERR_ACCESS_DENIED);
    EXPECT(!is_closed(mute));
    EXPECT(!is_closed(single));
    expect_refused(channel, moves(mute), ZX_ERR_ACCESS_DENIED);
    EXPECT(is_closed(mute));
    expect_refused(channel, duplicates(channel.a), ZX_ERR_NOT_SUPPORTED);
    EXPECT(!is_closed(channel.a));
    close_handle(single);
    close_handle(event);
    EXPECT_EQ(before, own_handles());
    /* The same handle moved twice, and duplicated after it is gone. */
    event = make_event();
    zx_handle_disposition_t out[3] = {moves(event), moves(event), duplicates(event)};
    EXPECT_EQ(ZX_ERR_BAD_HANDLE, send(channel.a, out, 3));
    EXPECT_EQ(ZX_OK, out[0].result);
    EXPECT_EQ(ZX_ERR_BAD_HANDLE, out[1].result);
    EXPECT_EQ(ZX_ERR_BAD_HANDLE, out[2].result);
    EXPECT_EQ(before, own_handles());
    /* The written end itself moves to its death. */
    out[0] = moves(channel.a);
    EXPECT_EQ(ZX_ERR_NOT_SUPPORTED, send(channel.a, out, 1));
    EXPECT(is_closed(channel.a));
    close_handle(channel.b);
}

TEST(channel_write_etc_consumes_what_moves_on_every_outcome) {
    struct channel channel = make_channel();
    zx_handle_t event, kept = make_event();
    zx_handle_disposition_t *many = calloc(65, sizeof *many);
    REQUIRE(many);
    for (int i = 0; i < 65; i++)
        many[i] = moves(i < 64 ? make_event() : kept);
    many[64].operation = ZX_HANDLE_OP_DUPLICATE;
    EXPECT_EQ(ZX_ERR_OUT_OF_RANGE, send(channel.a, many, 65));
    for (int i = 0; i < 64; i++)
        EXPECT(is_closed(many[i].handle));
    EXPECT(!is_closed(kept));
    const struct {
        zx_handle_t handle;
        uint32_t options, num_bytes;
        const void *bytes;
        zx_status_t want;
    } calls[] = {
        {channel.a, 1, 4, "etc", ZX_ERR_INVALID_ARGS},
        {ZX_HANDLE_INVALID, 0, 4, "etc", ZX_ERR_BAD_HANDLE},
        {kept, 0, 4, "etc", ZX_ERR_WRONG_TYPE},
        {channel.a, 0, 65537, "etc", ZX_ERR_OUT_OF_RANGE},
        {channel.a, 0, 4, NULL, ZX_ERR_INVALID_ARGS},
    };
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        zx_handle_disposition_t out = moves(event = make_event());
        EXPECT_EQ(calls[i].want, zx_channel_write_etc(calls[i].handle, calls[i].options,
                                                      calls[i].bytes, calls[i].num_bytes, &out, 1));
        EXPECT(is_closed(event));
        EXPECT_EQ(ZX_OK, out.result);
    }
    expect_empty(channel.b);
    close_handle(channel.b);
    zx_handle_disposition_t out[2] = {moves(event = make_event()), duplicates(kept)};
    EXPECT_EQ(ZX_ERR_PEER_CLOSED, send(channel.a, out, 2));
    EXPECT(is_closed(event));
    close_handle(kept);
    close_handle(channel.a);
    free(many);
}

TEST(channel_write_etc_leaves_an_array_alone_that_cannot_be_read) {
    struct channel channel = make_channel();
    zx_handle_t vmo = make_vmo(1), event = make_event();
    volatile uint8_t *page = map_vmo(vmo, READ_WRITE, 1);
    char *last = (char *)(uintptr_t)page + PAGE - sizeof(zx_handle_disposition_t);
    const zx_handle_disposition_t out = moves(event);
    memcpy(last, &out, sizeof out);
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, send(channel.a, (zx_handle_disposition_t *)last, 2));
    EXPECT(!is_closed(event));
    expect_empty(channel.b);
    /* Results that cannot be written change nothing about the call. */
    zx_handle_disposition_t bad = moves(ZX_HANDLE_INVALID);
    memcpy(last, &bad, sizeof bad);
    EXPECT_OK(zx_vmar_protect(zx_vmar_root_self(), ZX_VM_PERM_READ, (zx_vaddr_t)page, PAGE));
    EXPECT_EQ(ZX_ERR_BAD_HANDLE, send(channel.a, (zx_handle_disposition_t *)last, 1));
    unmap(page, 1);
    close_handle(event);
    close_handle(vmo);
    close_channel(channel);
}

TEST(channel_write_etc_of_the_most_handles_arrives) {
    struct channel channel = make_channel();
    zx_handle_t event = make_event();
    static zx_handle_disposition_t out[64];
    static zx_handle_info_t in[64];
    uint32_t bytes, handles = 0;
    for (int i = 0; i < 64; i++)
        out[i] = duplicates(event);
    EXPECT_OK(send(channel.a, out, 64));
    char text[4];
    EXPECT_OK(zx_channel_read_etc(channel.b, 0, text, in, 4, 64, &bytes, &handles));
    EXPECT_EQ(64, handles);
    for (uint32_t i = 0; i < handles; i++) {
        EXPECT_EQ(koid_of(event), koid_of(in[i].handle));
        EXPECT_EQ(0, in[i].unused);
        close_handle(in[i].handle);
    }
    close_handle(event);
    close_channel(channel);
}

/* --- several pieces --- */

#define IOVEC ZX_CHANNEL_WRITE_USE_IOVEC

TEST(channel_messages_are_put_together_from_pieces) {
    struct channel channel = make_channel();
    zx_handle_t event = make_event();
    const zx_channel_iovec_t pieces[4] = {{"one ", 4, 0}, {NULL, 0, 0}, {"two ", 4, 0},
                                          {"three", 6, 0}};
    char text[32] = "";
    uint32_t bytes = 0, handles = 0;
    zx_handle_t got = 0;
    EXPECT_OK(zx_channel_write(channel.a, IOVEC, pieces, 4, &event, 1));
    EXPECT_OK(zx_channel_read(channel.b, 0, text, &got, 32, 1, &bytes, &handles));
    EXPECT_EQ(14, bytes);
    EXPECT_STR("one two three", text);
    zx_handle_disposition_t out = moves(got);
    EXPECT_OK(zx_channel_write_etc(channel.a, IOVEC, pieces + 1, 2, &out, 1));
    EXPECT_OK(zx_channel_read(channel.b, 0, text, &got, 32, 1, &bytes, &handles));
    EXPECT_EQ(4, bytes);
    EXPECT_EQ(1, handles);
    EXPECT_OK(zx_channel_write(channel.a, IOVEC, NULL, 0, NULL, 0));
    EXPECT_OK(zx_channel_read(channel.b, 0, text, NULL, 32, 0, &bytes, &handles));
    EXPECT_EQ(0, bytes);
    close_handle(got);
    close_channel(channel);
}

TEST(channel_pieces_are_checked) {
    struct channel channel = make_channel();
    static char much[65536];
    const struct {
        zx_channel_iovec_t pieces[2];
        zx_status_t want;
    } rows[] = {
        {{{"a", 1, 1}, {"b", 1, 0}}, ZX_ERR_INVALID_ARGS},
        {{{"a", 1, 0}, {NULL, 1, 0}}, ZX_ERR_INVALID_ARGS},
        {{{"a", 1, 0}, {(void *)8, 1, 0}}, ZX_ERR_INVALID_ARGS},
        {{{much, 65536, 0}, {"b", 1, 0}}, ZX_ERR_OUT_OF_RANGE},
        {{{much, UINT32_MAX, 0}, {much, UINT32_MAX, 0}}, ZX_ERR_OUT_OF_RANGE},
        {{{much, 65530, 0}, {"bcdefg", 6, 0}}, ZX_OK},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        zx_handle_t event = make_event();
        EXPECT_EQ(rows[i].want, zx_channel_write(channel.a, IOVEC, rows[i].pieces, 2, &event, 1));
        EXPECT(is_closed(event));
    }
    uint32_t bytes = 0, handles;
    zx_handle_t got = 0;
    EXPECT_OK(zx_channel_read(channel.b, 0, much, &got, 65536, 1, &bytes, &handles));
    EXPECT_EQ(65536, bytes);
    EXPECT_EQ('g', much[65535]);
    close_handle(got);
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_channel_write(channel.a, IOVEC, (void *)8, 1, NULL, 0));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_channel_write(channel.a, 1, "a", 1, NULL, 0));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_channel_write(channel.a, 4 | IOVEC, "a", 1, NULL, 0));
    zx_channel_iovec_t *many = calloc(8193, sizeof *many);
    REQUIRE(many);
    for (int i = 0; i < 8192; i++)
        many[i] = (zx_channel_iovec_t){&much[i], 1, 0};
    EXPECT_EQ(ZX_ERR_OUT_OF_RANGE, zx_channel_write(channel.a, IOVEC, many, 8193, NULL, 0));
    EXPECT_OK(zx_channel_write(channel.a, IOVEC, many, 8192, NULL, 0));
    EXPECT_OK(zx_channel_read(channel.b, 0, much, NULL, 65536, 0, &bytes, NULL));
    EXPECT_EQ(8192, bytes);
    free(many);
    close_channel(channel);
}

/* --- calls --- */

/* Answers each call with its own bytes and handles, doubled. */
static int echo_server(void *context) {
    zx_handle_t end = *(zx_handle_t *)context;
    zx_handle_info_t infos[4];
    char text[64];
    uint32_t bytes, handles;
    zx_signals_t seen;
    while (zx_object_wait_one(end, ZX_CHANNEL_READABLE | ZX_CHANNEL_PEER_CLOSED,
                              ZX_TIME_INFINITE, &seen) == ZX_OK) {
        zx_handle_disposition_t out[4];
        if (zx_channel_read_etc(end, 0, text, infos, 64, 4, &bytes, &handles) != ZX_OK)
            break;
        for (uint32_t i = 0; i < handles; i++)
            out[i] = moves(infos[i].handle);
        const zx_channel_iovec_t pieces[2] = {{text, bytes, 0}, {text + 4, bytes - 4, 0}};
        if (zx_channel_write_etc(end, IOVEC, pieces, 2, out, handles) != ZX_OK)
            break;
    }
    return 0;
}

TEST(channel_call_etc_sends_dispositions_and_gets_infos) {
    struct channel channel = make_channel();
    zx_handle_t event = make_event();
    thrd_t server;
    REQUIRE_EQ(thrd_success, thrd_create(&server, echo_server, &channel.b));
    zx_handle_disposition_t out = duplicates(event);
    zx_handle_info_t in = {0};
    char reply[32] = "";
    uint32_t bytes = 0, handles = 0;
    zx_channel_call_etc_args_t args = {.wr_bytes = "????ask",
                                       .wr_handles = &out,
                                       .rd_bytes = reply,
                                       .rd_handles = &in,
                                       .wr_num_bytes = 7,
                                       .wr_num_handles = 1,
                                       .rd_num_bytes = 32,
                                       .rd_num_handles = 1};
    EXPECT_OK(zx_channel_call_etc(channel.a, 0, ZX_TIME_INFINITE, &args, &bytes, &handles));
    EXPECT_EQ(10, bytes);
    EXPECT_EQ(0, memcmp(reply + 4, "askask", 6));
    EXPECT_EQ(1, handles);
    EXPECT_EQ(ZX_OBJ_TYPE_EVENT, in.type);
    EXPECT_EQ(ZX_DEFAULT_EVENT_RIGHTS, in.rights);
    EXPECT_EQ(koid_of(event), koid_of(in.handle));
    close_handle(in.handle);
    const zx_channel_iovec_t pieces[2] = {{"??", 2, 0}, {"??xy", 4, 0}};
    args.wr_bytes = pieces;
    args.wr_num_bytes = 2;
    args.wr_num_handles = 0;
    EXPECT_OK(zx_channel_call_etc(channel.a, IOVEC, ZX_TIME_INFINITE, &args, &bytes, &handles));
    EXPECT_EQ(8, bytes);
    EXPECT_EQ(0, memcmp(reply + 4, "xyxy", 4));
    zx_channel_call_args_t plain = {.wr_bytes = pieces, .rd_bytes = reply, .wr_num_bytes = 2,
                                    .rd_num_bytes = 32};
    EXPECT_OK(zx_channel_call(channel.a, IOVEC, ZX_TIME_INFINITE, &plain, &bytes, &handles));
    EXPECT_EQ(8, bytes);
    plain.rd_num_bytes = 7;
    EXPECT_EQ(ZX_ERR_BUFFER_TOO_SMALL,
              zx_channel_call(channel.a, IOVEC, ZX_TIME_INFINITE, &plain, &bytes, &handles));
    close_handle(channel.a);
    EXPECT_EQ(thrd_success, thrd_join(server, NULL));
    close_handle(channel.b);
    close_handle(event);
}

TEST(channel_call_etc_checks_and_consumes) {
    struct channel channel = make_channel();
    zx_handle_t event = make_event();
    zx_handle_disposition_t out = moves(event);
    zx_channel_call_etc_args_t args = {
        .wr_bytes = "abcd", .wr_handles = &out, .wr_num_bytes = 4, .wr_num_handles = 1};
    uint32_t bytes, handles;
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_channel_call_etc(channel.a, 0, 0, NULL, &bytes, &handles));
    EXPECT(!is_closed(event));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_channel_call_etc(0, 1, 0, &args, &bytes, &handles));
    EXPECT(is_closed(event));
    out = moves(event = make_event());
    args.wr_num_bytes = 3;
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_channel_call_etc(0, 0, 0, &args, &bytes, &handles));
    EXPECT(is_closed(event));
    const zx_channel_iovec_t piece = {"abc", 3, 0};
    out = moves(event = make_event());
    args.wr_bytes = &piece;
    args.wr_num_bytes = 1;
    EXPECT_EQ(ZX_ERR_BAD_HANDLE, zx_channel_call_etc(0, IOVEC, 0, &args, &bytes, &handles));
    EXPECT(is_closed(event));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS,
              zx_channel_call_etc(channel.a, IOVEC, 0, &args, &bytes, &handles));
    out = duplicates(channel.a);
    args.wr_bytes = "abcd";
    args.wr_num_bytes = 4;
    EXPECT_EQ(ZX_ERR_NOT_SUPPORTED, zx_channel_call_etc(channel.a, 0, 0, &args, &bytes, &handles));
    EXPECT_EQ(ZX_ERR_NOT_SUPPORTED, out.result);
    args.wr_num_handles = 0;
    EXPECT_EQ(ZX_ERR_TIMED_OUT, zx_channel_call_etc(channel.a, 0, 0, &args, &bytes, &handles));
    close_handle(channel.b);
    EXPECT_EQ(ZX_ERR_PEER_CLOSED, zx_channel_call_etc(channel.a, 0, 0, &args, &bytes, &handles));
    close_handle(channel.a);
}

/* --- discarding --- */

TEST(channel_read_may_discard_what_does_not_fit_and_closes_its_handles) {
    struct channel channel = make_channel(), inside = make_channel();
    uint32_t bytes = 0, handles = 0;
    char text[4];
    EXPECT_OK(zx_channel_write(channel.a, 0, "too long", 9, &inside.a, 1));
    EXPECT_OK(zx_channel_write(channel.a, 0, "ok", 3, NULL, 0));
    EXPECT_EQ(ZX_ERR_NOT_SUPPORTED,
              zx_channel_read(channel.b, 2, text, NULL, 4, 0, &bytes, &handles));
    EXPECT_EQ(ZX_ERR_BUFFER_TOO_SMALL,
              zx_channel_read(channel.b, ZX_CHANNEL_READ_MAY_DISCARD, text, NULL, 4, 0, &bytes,
                              &handles));
    EXPECT_EQ(9, bytes);
    EXPECT_EQ(1, handles);
    zx_signals_t seen = 0;
    EXPECT_OK(zx_object_wait_one(inside.b, ZX_CHANNEL_PEER_CLOSED, 0, &seen));
    EXPECT_OK(zx_channel_read(channel.b, ZX_CHANNEL_READ_MAY_DISCARD, text, NULL, 4, 0, &bytes,
                              &handles));
    EXPECT_STR("ok", text);
    close_handle(inside.b);
    close_channel(channel);
}

/* --- floods --- */

/* What a child of this program ends with that sends so many messages in one way. */
static int64_t flood(const char *way, const char *count) {
    const char *const argv[] = {"/boot/core-tests", "--flood", way, count, NULL};
    const struct jx_launch launch = {.argv = argv};
    zx_handle_t process = ZX_HANDLE_INVALID;
    char error[128] = "";
    zx_info_process_t info = {0};
    zx_signals_t seen;
    EXPECT_OK(jx_launch(&launch, &process, error, sizeof error));
    EXPECT_OK(zx_object_wait_one(process, ZX_PROCESS_TERMINATED, ZX_TIME_INFINITE, &seen));
    EXPECT_OK(zx_object_get_info(process, ZX_INFO_PROCESS, &info, sizeof info, NULL, NULL));
    close_handle(process);
    return info.return_code;
}

TEST(channel_3500_messages_may_wait_and_a_writer_of_more_is_ended) {
    EXPECT_EQ(7, flood("write", "3500"));
    EXPECT_EQ(ZX_TASK_RETCODE_EXCEPTION_KILL, flood("write", "3501"));
    EXPECT_EQ(7, flood("etc", "3500"));
    EXPECT_EQ(ZX_TASK_RETCODE_EXCEPTION_KILL, flood("etc", "3501"));
    EXPECT_EQ(ZX_TASK_RETCODE_EXCEPTION_KILL, flood("call", "3501"));
    EXPECT_EQ(ZX_TASK_RETCODE_EXCEPTION_KILL, flood("call-etc", "3501"));
    /* Who reads as well may write without end. */
    EXPECT_EQ(7, flood("read", "9000"));
}
