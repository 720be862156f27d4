/*
 * t_ulib_channel.c - <jacinth/channel.h>: whole messages.
 */
#include <jacinth/channel.h>
#include <jacinth/utest.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>

#include "core-tests/support.h"

TEST(jx_channel_read_brings_any_message_whole) {
    static const uint32_t sizes[] = {0, 1, 4096, ZX_CHANNEL_MAX_MSG_BYTES};
    zx_handle_t ends[2], events[ZX_CHANNEL_MAX_MSG_HANDLES];
    uint8_t *bytes = malloc(ZX_CHANNEL_MAX_MSG_BYTES);
    struct jx_message message;
    unsigned before = own_handles();
    REQUIRE(bytes != NULL);
    REQUIRE_OK(zx_channel_create(0, &ends[0], &ends[1]));
    memset(bytes, 0x5a, ZX_CHANNEL_MAX_MSG_BYTES);
    for (uint32_t i = 0; i < 4; i++) {
        uint32_t count = i * 21;
        for (uint32_t j = 0; j < count; j++)
            REQUIRE_OK(zx_event_create(0, &events[j]));
        EXPECT_OK(jx_channel_write(ends[0], bytes, sizes[i], events, count));
        REQUIRE_OK(jx_channel_read(ends[1], 0, &message));
        EXPECT_EQ(sizes[i], message.byte_count);
        EXPECT_EQ(count, message.handle_count);
        EXPECT(sizes[i] == 0 || memcmp(bytes, message.bytes, sizes[i]) == 0);
        zx_handle_t one = jx_message_take(&message, 0);
        EXPECT_EQ(count > 0, one != ZX_HANDLE_INVALID);
        EXPECT_EQ(ZX_HANDLE_INVALID, jx_message_take(&message, 0));
        jx_message_free(&message);
        EXPECT_OK(zx_handle_close(one)); /* taken, so not closed with the rest */
    }
    EXPECT_EQ(ZX_ERR_TIMED_OUT, jx_channel_read(ends[1], 0, &message));
    close_handle(ends[0]);
    EXPECT_EQ(ZX_ERR_PEER_CLOSED, jx_channel_read(ends[1], ZX_TIME_INFINITE, &message));
    close_handle(ends[1]);
    free(bytes);
    EXPECT_EQ(before, own_handles());
}

TEST(jx_channel_write_closes_handles_that_cannot_leave) {
    zx_handle_t ends[2], event;
    unsigned before = own_handles();
    REQUIRE_OK(zx_channel_create(0, &ends[0], &ends[1]));
    close_handle(ends[1]);
    REQUIRE_OK(zx_event_create(0, &event));
    EXPECT_EQ(ZX_ERR_PEER_CLOSED, jx_channel_write(ends[0], "x", 1, &event, 1));
    close_handle(ends[0]);
    EXPECT_EQ(before, own_handles());
}

/* Answers one message by its own bytes and handles, then leaves. */
static int echo(void *argument) {
    zx_handle_t channel = *(zx_handle_t *)argument;
    struct jx_message message;
    if (jx_channel_read(channel, ZX_TIME_INFINITE, &message) != ZX_OK)
        return 1;
    zx_status_t status = jx_channel_write(channel, message.bytes, message.byte_count,
                                          message.handles, message.handle_count);
    for (uint32_t i = 0; i < message.handle_count; i++)
        (void)jx_message_take(&message, i);
    jx_message_free(&message);
    return status == ZX_OK ? 0 : 1;
}

TEST(jx_channel_call_brings_the_answer_and_its_handles) {
    char text[] = "....what goes there comes back";
    zx_handle_t ends[2], event;
    struct jx_message answer;
    int result = -1;
    thrd_t thread;
    REQUIRE_OK(zx_channel_create(0, &ends[0], &ends[1]));
    REQUIRE_OK(zx_event_create(0, &event));
    zx_koid_t koid = koid_of(event);
    REQUIRE_EQ(thrd_success, thrd_create(&thread, echo, &ends[1]));
    REQUIRE_OK(jx_channel_call(ends[0], ZX_TIME_INFINITE, text, sizeof text, &event, 1, &answer));
    thrd_join(thread, &result);
    EXPECT_EQ(0, result);
    EXPECT_EQ(sizeof text, answer.byte_count);
    EXPECT(memcmp((char *)answer.bytes + 4, text + 4, sizeof text - 4) == 0);
    REQUIRE_EQ(1, answer.handle_count);
    EXPECT_EQ(koid, koid_of(answer.handles[0]));
    jx_message_free(&answer);
    EXPECT_EQ(ZX_ERR_TIMED_OUT, jx_channel_call(ends[0], zx_deadline_after(ZX_MSEC(1)), text,
                                                sizeof text, NULL, 0, &answer));
    close_handle(ends[1]);
    EXPECT_EQ(ZX_ERR_PEER_CLOSED,
              jx_channel_call(ends[0], ZX_TIME_INFINITE, text, sizeof text, NULL, 0, &answer));
    close_handle(ends[0]);
}
