/*
 * t_socket.c - byte streams and datagrams.
 */
#include <jacinth/utest.h>
#include <stdlib.h>
#include <string.h>

#include "core-tests/support.h"

#define SOCKET_BUFFER 257024u

struct sockets {
    zx_handle_t a, b;
};

static struct sockets make_sockets(void) {
    struct sockets sockets = {0, 0};
    EXPECT_OK(zx_socket_create(ZX_SOCKET_STREAM, &sockets.a, &sockets.b));
    return sockets;
}
static void close_sockets(struct sockets sockets) {
    close_handle(sockets.a);
    close_handle(sockets.b);
}
static zx_signals_t signals_of(zx_handle_t handle) {
    zx_signals_t seen = 0;
    EXPECT_EQ(ZX_ERR_TIMED_OUT, zx_object_wait_one(handle, 0, 0, &seen));
    return seen;
}

TEST(socket_create_knows_its_options) {
    zx_handle_t a, b;
    unsigned before = own_handles();
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_socket_create(2, &a, &b));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_socket_create(0, NULL, &b));
    EXPECT_EQ(before, own_handles());
    struct sockets sockets = make_sockets();
    EXPECT_EQ(ZX_DEFAULT_SOCKET_RIGHTS, rights_of(sockets.a));
    EXPECT_EQ(ZX_SOCKET_WRITABLE, signals_of(sockets.b));
    close_sockets(sockets);
}

TEST(socket_carries_bytes_and_can_peek) {
    struct sockets sockets = make_sockets();
    char buffer[16] = "";
    size_t count = 99;
    EXPECT_EQ(ZX_ERR_SHOULD_WAIT, zx_socket_read(sockets.b, 0, buffer, 16, &count));
    EXPECT_OK(zx_socket_write(sockets.a, 0, "hello", 5, &count));
    EXPECT_EQ(5, count);
    EXPECT_OK(zx_socket_write(sockets.a, 0, " you", 5, NULL));
    EXPECT_EQ(ZX_SOCKET_READABLE | ZX_SOCKET_WRITABLE, signals_of(sockets.b));
    EXPECT_OK(zx_socket_read(sockets.b, ZX_SOCKET_PEEK, buffer, 4, &count));
    EXPECT_EQ(4, count);
    EXPECT_OK(zx_socket_read(sockets.b, 0, NULL, 0, &count));
    EXPECT_EQ(0, count);
    EXPECT_OK(zx_socket_read(sockets.b, 0, buffer, 16, &count));
    EXPECT_EQ(10, count);
    EXPECT_STR("hello you", buffer);
    EXPECT_EQ(ZX_SOCKET_WRITABLE, signals_of(sockets.b));
    close_sockets(sockets);
}

TEST(socket_arguments_are_checked_in_order) {
    struct sockets sockets = make_sockets();
    char byte = 0;
    size_t count;
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_socket_write(0, 9, NULL, 1, &count));
    EXPECT_EQ(ZX_ERR_BAD_HANDLE, zx_socket_write(0, 9, &byte, 1, &count));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_socket_write(sockets.a, 1, &byte, 1, &count));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_socket_write(sockets.a, 0, &byte, (size_t)1 << 32, &count));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_socket_write(sockets.a, 0, (void *)8, 1, &count));
    EXPECT_OK(zx_socket_write(sockets.a, 0, NULL, 0, &count));
    EXPECT_EQ(0, count);
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_socket_read(0, 9, NULL, 1, &count));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_socket_read(sockets.b, 1, &byte, 1, &count));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_socket_read(sockets.b, 0, &byte, (size_t)1 << 32, &count));
    EXPECT_EQ(ZX_ERR_SHOULD_WAIT, zx_socket_read(sockets.b, 0, &byte, 1, &count));
    EXPECT_OK(zx_socket_write(sockets.a, 0, &byte, 1, &count));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_socket_read(sockets.b, 0, (void *)8, 1, &count));
    EXPECT_OK(zx_socket_read(sockets.b, 0, &byte, 1, &count));
    close_sockets(sockets);
}

TEST(socket_fills_up_and_drains) {
    struct sockets sockets = make_sockets();
    const size_t size = 70001;
    char *data = malloc(size), *got = calloc(1, size);
    size_t count, written = 0, taken = 0;
    unsigned wrong = 0;
    zx_status_t status;
    REQUIRE(data && got);
    for (size_t i = 0; i < size; i++)
        data[i] = (char)(i * 11);
    while ((status = zx_socket_write(sockets.a, 0, data, size, &count)) == ZX_OK)
        written += count;
    EXPECT_EQ(ZX_ERR_SHOULD_WAIT, status);
    EXPECT_EQ(SOCKET_BUFFER, written);
    EXPECT_EQ(0, signals_of(sockets.a));
    while (zx_socket_read(sockets.b, 0, got, 999, &count) == ZX_OK)
        for (size_t i = 0; i < count; i++, taken++)
            wrong += got[i] != (char)(taken % size * 11);
    EXPECT_EQ(SOCKET_BUFFER, taken);
    EXPECT_EQ(0, wrong);
    EXPECT_EQ(ZX_SOCKET_WRITABLE, signals_of(sockets.a));
    free(data);
    free(got);
    close_sockets(sockets);
}

TEST(socket_writes_end_with_the_peer_and_reads_when_empty) {
    struct sockets sockets = make_sockets();
    char buffer[4];
    size_t count;
    EXPECT_OK(zx_socket_write(sockets.a, 0, "abc", 3, &count));
    close_handle(sockets.a);
    EXPECT_EQ(ZX_SOCKET_PEER_CLOSED | ZX_SOCKET_READABLE, signals_of(sockets.b));
    EXPECT_EQ(ZX_ERR_PEER_CLOSED, zx_socket_write(sockets.b, 0, "x", 1, &count));
    EXPECT_OK(zx_socket_read(sockets.b, 0, buffer, 4, &count));
    EXPECT_EQ(3, count);
    EXPECT_EQ(ZX_ERR_PEER_CLOSED, zx_socket_read(sockets.b, 0, buffer, 4, &count));
    close_handle(sockets.b);
}

TEST(socket_disposition_stops_and_restarts_writing) {
    struct sockets sockets = make_sockets();
    const uint32_t disabled = ZX_SOCKET_DISPOSITION_WRITE_DISABLED;
    const uint32_t enabled = ZX_SOCKET_DISPOSITION_WRITE_ENABLED;
    char buffer[4];
    size_t count;
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_socket_set_disposition(sockets.a, 3, 0));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_socket_set_disposition(sockets.a, 0, 4));
    EXPECT_OK(zx_socket_write(sockets.a, 0, "abc", 3, &count));
    EXPECT_OK(zx_socket_set_disposition(sockets.a, disabled, 0));
    EXPECT_OK(zx_socket_set_disposition(sockets.a, disabled, 0));
    EXPECT_EQ(ZX_SOCKET_WRITE_DISABLED, signals_of(sockets.a));
    EXPECT_EQ(ZX_SOCKET_WRITABLE | ZX_SOCKET_READABLE | ZX_SOCKET_PEER_WRITE_DISABLED,
              signals_of(sockets.b));
    EXPECT_EQ(ZX_ERR_BAD_STATE, zx_socket_write(sockets.a, 0, "d", 1, &count));
    EXPECT_EQ(ZX_ERR_BAD_STATE, zx_socket_set_disposition(sockets.a, enabled, 0));
    EXPECT_OK(zx_socket_read(sockets.b, 0, buffer, 4, &count));
    EXPECT_EQ(ZX_ERR_BAD_STATE, zx_socket_read(sockets.b, 0, buffer, 4, &count));
    EXPECT_OK(zx_socket_set_disposition(sockets.b, 0, enabled));
    EXPECT_OK(zx_socket_write(sockets.a, 0, "d", 1, &count));
    zx_handle_t weak = copy_without(sockets.a, ZX_RIGHT_MANAGE_SOCKET);
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED, zx_socket_set_disposition(weak, 0, 0));
    close_handle(weak);
    close_sockets(sockets);
}

TEST(socket_info_tells_the_fill_level) {
    struct sockets sockets = make_sockets();
    zx_info_socket_t info;
    EXPECT_OK(zx_socket_write(sockets.a, 0, "abc", 3, NULL));
    REQUIRE_OK(zx_object_get_info(sockets.b, ZX_INFO_SOCKET, &info, sizeof info, NULL, NULL));
    EXPECT_EQ(0, info.options);
    EXPECT_EQ(SOCKET_BUFFER, info.rx_buf_max);
    EXPECT_EQ(3, info.rx_buf_size);
    EXPECT_EQ(3, info.rx_buf_available);
    EXPECT_EQ(SOCKET_BUFFER, info.tx_buf_max);
    EXPECT_EQ(0, info.tx_buf_size);
    close_sockets(sockets);
}

TEST(socket_thresholds_are_properties) {
    struct sockets sockets = make_sockets();
    size_t value = 4, got = 99;
    char bytes[8] = "";
    EXPECT_EQ(ZX_ERR_BUFFER_TOO_SMALL,
              zx_object_set_property(sockets.b, ZX_PROP_SOCKET_RX_THRESHOLD, &value, 4));
    EXPECT_OK(zx_object_set_property(sockets.b, ZX_PROP_SOCKET_RX_THRESHOLD, &value, sizeof value));
    EXPECT_OK(zx_object_get_property(sockets.b, ZX_PROP_SOCKET_RX_THRESHOLD, &got, sizeof got));
    EXPECT_EQ(4, got);
    value = SOCKET_BUFFER - 2;
    EXPECT_OK(zx_object_set_property(sockets.a, ZX_PROP_SOCKET_TX_THRESHOLD, &value, sizeof value));
    EXPECT_OK(zx_object_get_property(sockets.a, ZX_PROP_SOCKET_TX_THRESHOLD, &got, sizeof got));
    EXPECT_EQ(value, got);
    value = SOCKET_BUFFER + 1;
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_object_set_property(sockets.a, ZX_PROP_SOCKET_TX_THRESHOLD,
                                                          &value, sizeof value));
    EXPECT(signals_of(sockets.a) & ZX_SOCKET_WRITE_THRESHOLD);
    EXPECT_OK(zx_socket_write(sockets.a, 0, bytes, 3, NULL));
    EXPECT(!(signals_of(sockets.a) & ZX_SOCKET_WRITE_THRESHOLD));
    EXPECT(!(signals_of(sockets.b) & ZX_SOCKET_READ_THRESHOLD));
    EXPECT_OK(zx_socket_write(sockets.a, 0, bytes, 1, NULL));
    EXPECT(signals_of(sockets.b) & ZX_SOCKET_READ_THRESHOLD);
    EXPECT_OK(zx_socket_read(sockets.b, 0, bytes, 2, NULL));
    EXPECT(signals_of(sockets.a) & ZX_SOCKET_WRITE_THRESHOLD);
    EXPECT(!(signals_of(sockets.b) & ZX_SOCKET_READ_THRESHOLD));
    value = 1;
    close_handle(sockets.a);
    EXPECT_EQ(ZX_ERR_PEER_CLOSED, zx_object_set_property(sockets.b, ZX_PROP_SOCKET_TX_THRESHOLD,
                                                         &value, sizeof value));
    EXPECT_OK(zx_object_set_property(sockets.b, ZX_PROP_SOCKET_RX_THRESHOLD, &value, sizeof value));
    EXPECT(signals_of(sockets.b) & ZX_SOCKET_READ_THRESHOLD);
    close_handle(sockets.b);
}

/* --- datagrams --- */

static struct sockets make_datagrams(void) {
    struct sockets sockets = {0, 0};
    EXPECT_OK(zx_socket_create(ZX_SOCKET_DATAGRAM, &sockets.a, &sockets.b));
    return sockets;
}

TEST(socket_datagrams_stay_whole) {
    struct sockets sockets = make_datagrams();
    char buffer[16] = "";
    size_t count = 99;
    EXPECT_OK(zx_socket_write(sockets.a, 0, "first", 5, &count));
    EXPECT_EQ(5, count);
    EXPECT_OK(zx_socket_write(sockets.a, 0, NULL, 0, &count));
    EXPECT_EQ(0, count);
    EXPECT_OK(zx_socket_write(sockets.a, 0, "second", 6, &count));
    EXPECT_OK(zx_socket_write(sockets.a, 0, "third", 5, &count));
    zx_info_socket_t info;
    EXPECT_OK(zx_object_get_info(sockets.b, ZX_INFO_SOCKET, &info, sizeof info, NULL, NULL));
    EXPECT_EQ(ZX_SOCKET_DATAGRAM, info.options);
    EXPECT_EQ(16, info.rx_buf_size);
    EXPECT_EQ(5, info.rx_buf_available);
    EXPECT_OK(zx_socket_read(sockets.b, ZX_SOCKET_PEEK, buffer, 3, &count));
    EXPECT_EQ(3, count);
    EXPECT_OK(zx_socket_read(sockets.b, 0, buffer, 16, &count));
    EXPECT_EQ(5, count);
    EXPECT_EQ(0, memcmp(buffer, "first", 5));
    EXPECT_OK(zx_socket_read(sockets.b, 0, buffer, 2, &count)); /* the rest of it is lost */
    EXPECT_EQ(2, count);
    EXPECT_EQ(0, memcmp(buffer, "se", 2));
    EXPECT_OK(zx_socket_read(sockets.b, 0, buffer, 16, &count));
    EXPECT_EQ(0, memcmp(buffer, "third", 5));
    EXPECT_EQ(ZX_ERR_SHOULD_WAIT, zx_socket_read(sockets.b, 0, buffer, 16, &count));
    EXPECT_EQ(ZX_SOCKET_WRITABLE, signals_of(sockets.b));
    close_sockets(sockets);
}

TEST(socket_datagrams_are_written_whole_or_not_at_all) {
    struct sockets sockets = make_datagrams();
    char *data = calloc(1, SOCKET_BUFFER + 1);
    zx_handle_t vmo = make_vmo(1);
    volatile uint8_t *page = map_vmo(vmo, READ_WRITE, 1);
    char *edge = (char *)(uintptr_t)page + PAGE - 10;
    size_t count = 99;
    REQUIRE(data);
    EXPECT_EQ(ZX_ERR_OUT_OF_RANGE, zx_socket_write(sockets.a, 0, data, SOCKET_BUFFER + 1, &count));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_socket_write(sockets.a, 0, edge, 11, &count));
    EXPECT_EQ(ZX_ERR_SHOULD_WAIT, zx_socket_read(sockets.b, 0, data, 1, &count));
    EXPECT_OK(zx_socket_write(sockets.a, 0, data, SOCKET_BUFFER - 10, &count));
    EXPECT_EQ(ZX_ERR_SHOULD_WAIT, zx_socket_write(sockets.a, 0, data, 11, &count));
    EXPECT(signals_of(sockets.a) & ZX_SOCKET_WRITABLE);
    EXPECT_OK(zx_socket_write(sockets.a, 0, data, 10, &count));
    EXPECT(!(signals_of(sockets.a) & ZX_SOCKET_WRITABLE));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_socket_read(sockets.b, 0, edge, 11, &count));
    EXPECT_OK(zx_socket_read(sockets.b, 0, data, SOCKET_BUFFER, &count));
    EXPECT_EQ(SOCKET_BUFFER - 10, count);
    EXPECT_OK(zx_socket_read(sockets.b, 0, edge, 10, &count));
    EXPECT_EQ(10, count);
    EXPECT_OK(zx_socket_write(sockets.a, 0, data, SOCKET_BUFFER, &count));
    close_handle(sockets.a);
    EXPECT_OK(zx_socket_read(sockets.b, 0, data, 1, &count));
    EXPECT_EQ(ZX_ERR_PEER_CLOSED, zx_socket_read(sockets.b, 0, data, 1, &count));
    close_handle(sockets.b);
    free(data);
    unmap(page, 1);
    close_handle(vmo);
}

TEST(socket_a_flood_of_small_datagrams_meets_a_limit) {
    struct sockets sockets = make_datagrams();
    unsigned sent = 0;
    zx_status_t status;
    while ((status = zx_socket_write(sockets.a, 0, "x", 1, NULL)) == ZX_OK)
        sent++;
    EXPECT_EQ(ZX_ERR_SHOULD_WAIT, status);
    EXPECT_EQ(4096, sent);
    EXPECT(!(signals_of(sockets.a) & ZX_SOCKET_WRITABLE));
    char byte;
    EXPECT_OK(zx_socket_read(sockets.b, 0, &byte, 1, NULL));
    EXPECT(signals_of(sockets.a) & ZX_SOCKET_WRITABLE);
    EXPECT_OK(zx_socket_write(sockets.a, 0, "x", 1, NULL));
    close_sockets(sockets);
}
