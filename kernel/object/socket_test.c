/*
 * socket_test.c - byte streams, their limits and signals.
 */
#include "lib/ktest.h"
#include "lib/string.h"
#include "object/object.h"
#include "object/socket.h"
#include "object/test_bytes.h"
#include "vm/kheap.h"

struct ends {
    struct socket *a, *b;
    struct handle ha, hb;
};

static bool ends_create(struct ends *ends) {
    if (socket_create(false, &ends->a, &ends->b) != OK)
        return false;
    ends->ha = handle_adopt(&ends->a->end.base, ZX_DEFAULT_SOCKET_RIGHTS);
    ends->hb = handle_adopt(&ends->b->end.base, ZX_DEFAULT_SOCKET_RIGHTS);
    return true;
}

static void ends_release(struct ends *ends) {
    handle_release(&ends->ha);
    handle_release(&ends->hb);
}

static status_t put(struct socket *socket, const char *bytes, size_t size, size_t *out_actual) {
    size_t there;
    const struct test_source source = test_source_of(bytes, size, &there);

    return socket_write(socket, &source.source, size, out_actual);
}

static status_t get(struct socket *socket, char *bytes, size_t size, bool peek,
                    size_t *out_actual) {
    size_t there;
    const struct test_sink sink = test_sink_of(bytes, &there);

    return socket_read(socket, &sink.sink, size, peek, out_actual);
}

KTEST_QUICK(socket, bytes_arrive_in_order_across_short_reads) {
    struct ends ends;
    char buffer[256];
    size_t count = 0;

    REQUIRE(ends_create(&ends));
    EXPECT_EQ(ERR_SHOULD_WAIT, get(ends.b, buffer, 4, false, &count));
    if (put(ends.a, "hello, ", 7, &count) == OK && put(ends.a, "world", 5, &count) == OK) {
        EXPECT_EQ(ZX_SOCKET_READABLE | ZX_SOCKET_WRITABLE, waitable_signals(ends.hb.object));
        EXPECT_EQ(OK, get(ends.b, buffer, 200, true, &count));
        EXPECT_EQ(12, count);
        EXPECT_EQ(OK, get(ends.b, buffer, 3, false, &count));
        EXPECT_EQ(OK, get(ends.b, buffer + 3, 200, false, &count));
        EXPECT_EQ(9, count);
        EXPECT(memcmp(buffer, "hello, world", 12) == 0);
        EXPECT_EQ(ZX_SOCKET_WRITABLE, waitable_signals(ends.hb.object));
    }
    ends_release(&ends);
}

KTEST(socket, a_full_buffer_takes_no_more_and_loses_nothing) {
    struct ends ends;
    const size_t size = 20011;
    char *bytes = kheap_alloc(size);
    size_t count, written = 0, taken = 0;
    status_t status;

    REQUIRE(bytes);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (char)(i * 7);
    if (ends_create(&ends)) {
        while ((status = put(ends.a, bytes, size, &count)) == OK)
            written += count;
        EXPECT_EQ(ERR_SHOULD_WAIT, status);
        EXPECT_EQ(SOCKET_BUFFER_MAX, written);
        EXPECT_EQ(0, waitable_signals(ends.ha.object));
        unsigned wrong = 0;
        char some[61];
        while (get(ends.b, some, sizeof(some), false, &count) == OK)
            for (size_t i = 0; i < count; i++, taken++)
                wrong += some[i] != (char)(taken % size * 7);
        EXPECT_EQ(written, taken);
        EXPECT_EQ(0, wrong);
        EXPECT_EQ(ZX_SOCKET_WRITABLE, waitable_signals(ends.ha.object));
        ends_release(&ends);
    }
    kheap_free(bytes);
}

KTEST_QUICK(socket, a_bad_buffer_writes_and_takes_nothing) {
    struct ends ends;
    size_t there;
    const struct test_source bad = test_source_of("x", 0, &there);
    char *bytes = kheap_alloc(8192);
    size_t count;

    REQUIRE(bytes);
    memset(bytes, 'b', 8192);
    if (ends_create(&ends)) {
        EXPECT_EQ(ERR_INVALID_ARGS, socket_write(ends.a, &bad.source, 1, &count));
        EXPECT_EQ(ERR_SHOULD_WAIT, get(ends.b, bytes, 1, false, &count));
        if (put(ends.a, bytes, 8000, &count) == OK) {
            EXPECT_EQ(ERR_INVALID_ARGS, get(ends.b, bytes, 8000, false, &count));
            EXPECT_EQ(OK, get(ends.b, bytes, 4000, false, &count));
            EXPECT_EQ(4000, count);
        }
        ends_release(&ends);
    }
    kheap_free(bytes);
}

KTEST_QUICK(socket, a_disabled_writer_is_refused_and_the_reader_drains) {
    struct ends ends;
    char buffer[8];
    size_t count;

    REQUIRE(ends_create(&ends));
    if (put(ends.a, "abc", 3, &count) == OK) {
        EXPECT_EQ(OK, socket_set_disposition(ends.a, ZX_SOCKET_DISPOSITION_WRITE_DISABLED, 0));
        EXPECT_EQ(ZX_SOCKET_WRITE_DISABLED, waitable_signals(ends.ha.object));
        EXPECT_EQ(ZX_SOCKET_PEER_WRITE_DISABLED | ZX_SOCKET_READABLE | ZX_SOCKET_WRITABLE,
                  waitable_signals(ends.hb.object));
        EXPECT_EQ(ERR_BAD_STATE, put(ends.a, "d", 1, &count));
        EXPECT_EQ(ERR_BAD_STATE,
                  socket_set_disposition(ends.a, ZX_SOCKET_DISPOSITION_WRITE_ENABLED, 0));
        EXPECT_EQ(ERR_INVALID_ARGS, socket_set_disposition(ends.a, 3, 0));
        EXPECT_EQ(OK, get(ends.b, buffer, 8, false, &count));
        EXPECT_EQ(ERR_BAD_STATE, get(ends.b, buffer, 8, false, &count));
        EXPECT_EQ(OK, socket_set_disposition(ends.b, 0, ZX_SOCKET_DISPOSITION_WRITE_ENABLED));
        EXPECT_EQ(OK, put(ends.a, "d", 1, &count));
    }
    ends_release(&ends);
}

KTEST_QUICK(socket, a_closed_peer_ends_writing_at_once_and_reading_at_the_end) {
    struct ends ends;
    char buffer[8];
    size_t count;

    REQUIRE(ends_create(&ends));
    status_t status = put(ends.a, "abc", 3, &count);
    handle_release(&ends.ha);
    EXPECT_EQ(ERR_PEER_CLOSED, put(ends.b, "x", 1, &count));
    if (status == OK) {
        EXPECT_EQ(ZX_SOCKET_PEER_CLOSED | ZX_SOCKET_READABLE, waitable_signals(ends.hb.object));
        EXPECT_EQ(OK, get(ends.b, buffer, 8, false, &count));
    }
    EXPECT_EQ(ERR_PEER_CLOSED, get(ends.b, buffer, 8, false, &count));
    EXPECT_EQ(ZX_SOCKET_PEER_CLOSED, waitable_signals(ends.hb.object));
    ends_release(&ends);
}

KTEST_QUICK(socket, thresholds_follow_the_fill_level) {
    struct ends ends;
    char buffer[8];
    size_t count;

    REQUIRE(ends_create(&ends));
    EXPECT_EQ(ERR_INVALID_ARGS, socket_set_rx_threshold(ends.b, SOCKET_BUFFER_MAX + 1));
    EXPECT_EQ(OK, socket_set_rx_threshold(ends.b, 3));
    EXPECT_EQ(OK, socket_set_tx_threshold(ends.a, SOCKET_BUFFER_MAX - 1));
    EXPECT(waitable_signals(ends.ha.object) & ZX_SOCKET_WRITE_THRESHOLD);
    if (put(ends.a, "ab", 2, &count) == OK && put(ends.a, "c", 1, &count) == OK) {
        EXPECT(waitable_signals(ends.hb.object) & ZX_SOCKET_READ_THRESHOLD);
        EXPECT(!(waitable_signals(ends.ha.object) & ZX_SOCKET_WRITE_THRESHOLD));
        EXPECT_EQ(OK, get(ends.b, buffer, 2, false, &count));
        EXPECT(!(waitable_signals(ends.hb.object) & ZX_SOCKET_READ_THRESHOLD));
        EXPECT(waitable_signals(ends.ha.object) & ZX_SOCKET_WRITE_THRESHOLD);
    }
    EXPECT_EQ(OK, socket_set_tx_threshold(ends.a, 0));
    EXPECT(!(waitable_signals(ends.ha.object) & ZX_SOCKET_WRITE_THRESHOLD));
    ends_release(&ends);
}
