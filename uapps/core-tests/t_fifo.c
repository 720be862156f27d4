/*
 * t_fifo.c - queues of small elements.
 */
#include <jacinth/utest.h>
#include <string.h>

#include "core-tests/support.h"

struct fifos {
    zx_handle_t a, b;
};

static struct fifos make_fifos(size_t count, size_t size) {
    struct fifos fifos = {0, 0};
    EXPECT_OK(zx_fifo_create(count, size, 0, &fifos.a, &fifos.b));
    return fifos;
}
static void close_fifos(struct fifos fifos) {
    close_handle(fifos.a);
    close_handle(fifos.b);
}
static zx_signals_t signals_of(zx_handle_t handle) {
    zx_signals_t seen = 0;
    EXPECT_EQ(ZX_ERR_TIMED_OUT, zx_object_wait_one(handle, 0, 0, &seen));
    return seen;
}

TEST(fifo_create_refuses_shapes_that_do_not_fit) {
    zx_handle_t a, b;
    unsigned before = own_handles();
    EXPECT_EQ(ZX_ERR_OUT_OF_RANGE, zx_fifo_create(8, 8, 1, &a, &b));
    EXPECT_EQ(ZX_ERR_OUT_OF_RANGE, zx_fifo_create(0, 8, 0, &a, &b));
    EXPECT_EQ(ZX_ERR_OUT_OF_RANGE, zx_fifo_create(8, 0, 0, &a, &b));
    EXPECT_EQ(ZX_ERR_OUT_OF_RANGE, zx_fifo_create(6, 8, 0, &a, &b));
    EXPECT_EQ(ZX_ERR_OUT_OF_RANGE, zx_fifo_create(1024, 8, 0, &a, &b));
    EXPECT_EQ(ZX_ERR_OUT_OF_RANGE, zx_fifo_create((size_t)1 << 63, 2, 0, &a, &b));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_fifo_create(8, 8, 0, &a, NULL));
    EXPECT_EQ(before, own_handles());
    struct fifos fifos = make_fifos(512, 8);
    zx_info_handle_basic_t info, other;
    EXPECT_OK(zx_object_get_info(fifos.a, ZX_INFO_HANDLE_BASIC, &info, sizeof info, NULL, NULL));
    EXPECT_OK(zx_object_get_info(fifos.b, ZX_INFO_HANDLE_BASIC, &other, sizeof other, NULL, NULL));
    EXPECT_EQ(ZX_OBJ_TYPE_FIFO, info.type);
    EXPECT_EQ(ZX_DEFAULT_FIFO_RIGHTS, info.rights);
    EXPECT_EQ(other.koid, info.related_koid);
    EXPECT_EQ(info.koid, other.related_koid);
    EXPECT_EQ(ZX_FIFO_WRITABLE, signals_of(fifos.a));
    close_fifos(fifos);
}

TEST(fifo_elements_arrive_in_order_and_signals_follow) {
    struct fifos fifos = make_fifos(4, 8);
    uint64_t in[6] = {1, 2, 3, 4, 5, 6}, out[6] = {0};
    size_t count = 99;
    EXPECT_OK(zx_fifo_write(fifos.a, 8, in, 3, &count));
    EXPECT_EQ(3, count);
    EXPECT_EQ(ZX_FIFO_READABLE | ZX_FIFO_WRITABLE, signals_of(fifos.b));
    EXPECT_OK(zx_fifo_read(fifos.b, 8, out, 2, &count));
    EXPECT_EQ(2, count);
    EXPECT_OK(zx_fifo_write(fifos.a, 8, in + 3, 6, &count));
    EXPECT_EQ(3, count);
    EXPECT_EQ(0, signals_of(fifos.a) & ZX_FIFO_WRITABLE);
    EXPECT_EQ(ZX_ERR_SHOULD_WAIT, zx_fifo_write(fifos.a, 8, in, 1, &count));
    EXPECT_OK(zx_fifo_read(fifos.b, 8, out + 2, 6, &count));
    EXPECT_EQ(4, count);
    EXPECT_EQ(0, memcmp(in, out, sizeof in));
    EXPECT_EQ(ZX_FIFO_WRITABLE, signals_of(fifos.a));
    EXPECT_EQ(ZX_FIFO_WRITABLE, signals_of(fifos.b));
    /* The other way has a ring of its own. */
    EXPECT_OK(zx_fifo_write(fifos.b, 8, in, 4, NULL));
    EXPECT_OK(zx_fifo_write(fifos.a, 8, in, 4, NULL));
    EXPECT_OK(zx_fifo_read(fifos.a, 8, out, 1, NULL));
    EXPECT_EQ(1, out[0]);
    close_fifos(fifos);
}

TEST(fifo_checks_come_in_order) {
    struct fifos fifos = make_fifos(2, 8);
    uint64_t word = 7;
    size_t count;
    EXPECT_EQ(ZX_ERR_BAD_HANDLE, zx_fifo_write(0, 4, NULL, 0, &count));
    EXPECT_EQ(ZX_ERR_OUT_OF_RANGE, zx_fifo_write(fifos.a, 4, &word, 1, &count));
    EXPECT_EQ(ZX_ERR_OUT_OF_RANGE, zx_fifo_write(fifos.a, 8, NULL, 0, &count));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_fifo_write(fifos.a, 8, NULL, 1, &count));
    EXPECT_EQ(ZX_ERR_OUT_OF_RANGE, zx_fifo_read(fifos.b, 9, &word, 1, &count));
    EXPECT_EQ(ZX_ERR_OUT_OF_RANGE, zx_fifo_read(fifos.b, 8, &word, 0, &count));
    EXPECT_EQ(ZX_ERR_SHOULD_WAIT, zx_fifo_read(fifos.b, 8, NULL, 1, &count));
    close_handle(fifos.b);
    EXPECT_EQ(ZX_ERR_PEER_CLOSED, zx_fifo_write(fifos.a, 4, NULL, 0, &count));
    EXPECT_EQ(ZX_ERR_OUT_OF_RANGE, zx_fifo_read(fifos.a, 9, &word, 1, &count));
    EXPECT_EQ(ZX_ERR_PEER_CLOSED, zx_fifo_read(fifos.a, 8, &word, 1, &count));
    EXPECT_EQ(ZX_FIFO_PEER_CLOSED, signals_of(fifos.a));
    close_handle(fifos.a);
}

TEST(fifo_data_outlives_the_writer) {
    struct fifos fifos = make_fifos(2, 4);
    uint32_t word = 0;
    EXPECT_OK(zx_fifo_write(fifos.a, 4, "abcd", 1, NULL));
    close_handle(fifos.a);
    EXPECT_EQ(ZX_FIFO_PEER_CLOSED | ZX_FIFO_READABLE, signals_of(fifos.b));
    EXPECT_OK(zx_fifo_read(fifos.b, 4, &word, 2, NULL));
    EXPECT_EQ(0, memcmp(&word, "abcd", 4));
    EXPECT_EQ(ZX_ERR_PEER_CLOSED, zx_fifo_read(fifos.b, 4, &word, 2, NULL));
    close_handle(fifos.b);
}

TEST(fifo_a_buffer_that_ends_part_way_moves_nothing) {
    struct fifos fifos = make_fifos(512, 8);
    zx_handle_t vmo = make_vmo(1);
    volatile uint8_t *page = map_vmo(vmo, READ_WRITE, 1);
    char *edge = (char *)(uintptr_t)page + PAGE - 24; /* three elements, then nothing is mapped */
    uint64_t out[8] = {0};
    size_t count = 99;
    memcpy(edge, "11111111222222223333333", 24);
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_fifo_write(fifos.a, 8, edge, 8, &count));
    EXPECT_EQ(99, count);
    EXPECT_EQ(ZX_FIFO_WRITABLE, signals_of(fifos.b));
    EXPECT_OK(zx_fifo_write(fifos.a, 8, edge, 3, &count));
    EXPECT_OK(zx_fifo_write(fifos.a, 8, "44444444", 1, &count));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_fifo_read(fifos.b, 8, edge, 8, &count));
    EXPECT_OK(zx_fifo_read(fifos.b, 8, out, 8, &count));
    EXPECT_EQ(4, count);
    EXPECT_EQ(0, memcmp(out, "111111112222222233333333", 23));
    unmap(page, 1);
    close_handle(vmo);
    close_fifos(fifos);
}

TEST(fifo_elements_land_in_pages_that_are_not_there_yet) {
    struct fifos fifos = make_fifos(4096, 1);
    zx_handle_t vmo = make_vmo(3);
    volatile uint8_t *pages = map_vmo(vmo, READ_WRITE, 3);
    static char bytes[4096];
    size_t count = 0;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 13);
    EXPECT_OK(zx_fifo_write(fifos.a, 1, bytes, sizeof bytes, &count));
    EXPECT_EQ(sizeof bytes, count);
    EXPECT_OK(zx_fifo_read(fifos.b, 1, (char *)(uintptr_t)pages + PAGE / 2, sizeof bytes, &count));
    EXPECT_EQ(sizeof bytes, count);
    EXPECT_EQ(0, memcmp(bytes, (char *)(uintptr_t)pages + PAGE / 2, sizeof bytes));
    unmap(pages, 3);
    close_handle(vmo);
    close_fifos(fifos);
}
