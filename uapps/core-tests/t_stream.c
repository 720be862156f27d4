/*
 * t_stream.c - reading and writing memory objects in order.
 */
#include <jacinth/utest.h>
#include <string.h>
#include <threads.h>

#include "core-tests/support.h"

#define BOTH (ZX_STREAM_MODE_READ | ZX_STREAM_MODE_WRITE)

static zx_handle_t make_stream(zx_handle_t vmo, uint32_t options, zx_off_t seek) {
    zx_handle_t stream = 0;
    EXPECT_OK(zx_stream_create(options, vmo, seek, &stream));
    return stream;
}
static uint64_t content_of(zx_handle_t vmo) {
    uint64_t size = 0;
    EXPECT_OK(zx_object_get_property(vmo, ZX_PROP_VMO_CONTENT_SIZE, &size, sizeof size));
    return size;
}
static void set_content(zx_handle_t vmo, uint64_t size) {
    EXPECT_OK(zx_object_set_property(vmo, ZX_PROP_VMO_CONTENT_SIZE, &size, sizeof size));
}
static uint64_t size_of(zx_handle_t vmo) {
    uint64_t size = 0;
    EXPECT_OK(zx_vmo_get_size(vmo, &size));
    return size;
}
static zx_off_t place_of(zx_handle_t stream) {
    zx_off_t seek = 0;
    EXPECT_OK(zx_stream_seek(stream, ZX_STREAM_SEEK_ORIGIN_CURRENT, 0, &seek));
    return seek;
}
static zx_status_t write_text(zx_handle_t stream, uint32_t options, const char *text,
                              size_t *actual) {
    zx_iovec_t vector = {(void *)(uintptr_t)text, strlen(text)};
    return zx_stream_writev(stream, options, &vector, 1, actual);
}
static void expect_text(zx_handle_t vmo, uint64_t offset, const char *text) {
    char got[64] = "";
    EXPECT_OK(zx_vmo_read(vmo, got, offset, strlen(text)));
    EXPECT_STR(text, got);
}

TEST(stream_create_wants_the_rights_of_its_mode) {
    zx_handle_t vmo = make_vmo(1), out, event;
    REQUIRE_OK(zx_event_create(0, &event));
    zx_handle_t reads = copy_without(vmo, ZX_RIGHT_WRITE), none = copy_with(vmo, 0);
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_stream_create(8, 0, 0, &out));
    EXPECT_EQ(ZX_ERR_BAD_HANDLE, zx_stream_create(BOTH, 0, 0, &out));
    EXPECT_EQ(ZX_ERR_WRONG_TYPE, zx_stream_create(BOTH, event, 0, &out));
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED, zx_stream_create(BOTH, reads, 0, &out));
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED, zx_stream_create(ZX_STREAM_MODE_READ, none, 0, &out));
    EXPECT_OK(zx_stream_create(0, none, UINT64_MAX, &out));
    EXPECT_EQ(ZX_DEFAULT_STREAM_RIGHTS, rights_of(out));
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED, zx_stream_seek(out, 0, 0, NULL));
    close_handle(out);
    EXPECT_OK(zx_stream_create(ZX_STREAM_MODE_READ, reads, 7, &out));
    EXPECT_EQ(ZX_DEFAULT_STREAM_RIGHTS | ZX_RIGHT_READ, rights_of(out));
    EXPECT_EQ(7, place_of(out));
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED, write_text(out, 0, "x", NULL));
    zx_info_handle_basic_t info;
    EXPECT_OK(zx_object_get_info(out, ZX_INFO_HANDLE_BASIC, &info, sizeof info, NULL, NULL));
    EXPECT_EQ(ZX_OBJ_TYPE_STREAM, info.type);
    EXPECT_EQ(0, info.related_koid);
    /* User signals work, and the stream holds its object. */
    zx_signals_t seen;
    EXPECT_OK(zx_object_signal(out, 0, ZX_USER_SIGNAL_3));
    EXPECT_OK(zx_object_wait_one(out, ZX_USER_SIGNAL_3, 0, &seen));
    EXPECT_EQ(ZX_USER_SIGNAL_3, seen);
    close_handle(reads);
    close_handle(none);
    close_handle(vmo);
    char byte = 1;
    size_t actual = 0;
    zx_iovec_t vector = {&byte, 1};
    EXPECT_OK(zx_stream_readv_at(out, 0, 0, &vector, 1, &actual));
    EXPECT_EQ(1, actual);
    EXPECT_EQ(0, byte);
    close_handle(out);
    close_handle(event);
}

TEST(stream_reads_and_writes_in_order_across_vectors) {
    zx_handle_t vmo = make_vmo(1), stream = make_stream(vmo, BOTH, 0);
    char one[4] = "", two[8] = "";
    zx_iovec_t in[4] = {{"ab", 2}, {NULL, 0}, {"cdefg", 5}, {"h", 1}};
    zx_iovec_t out[3] = {{one, 3}, {NULL, 0}, {two, 7}};
    size_t actual = 99;
    set_content(vmo, 0);
    EXPECT_OK(zx_stream_writev(stream, 0, in, 4, &actual));
    EXPECT_EQ(8, actual);
    EXPECT_EQ(8, place_of(stream));
    EXPECT_EQ(8, content_of(vmo));
    EXPECT_OK(zx_stream_readv(stream, 0, out, 3, &actual));
    EXPECT_EQ(0, actual); /* at the end of the content */
    EXPECT_OK(zx_stream_seek(stream, ZX_STREAM_SEEK_ORIGIN_START, 1, NULL));
    EXPECT_OK(zx_stream_readv(stream, 0, out, 3, &actual));
    EXPECT_EQ(7, actual);
    EXPECT_STR("bcd", one);
    EXPECT_STR("efgh", two);
    EXPECT_EQ(8, place_of(stream));
    EXPECT_OK(zx_stream_readv_at(stream, 0, 6, out, 3, &actual));
    EXPECT_EQ(2, actual);
    EXPECT_EQ(0, memcmp(one, "gh", 2));
    EXPECT_OK(zx_stream_writev_at(stream, 0, 2, in, 1, &actual));
    EXPECT_EQ(2, actual);
    EXPECT_EQ(8, place_of(stream));
    expect_text(vmo, 0, "ababefgh");
    close_handle(stream);
    close_handle(vmo);
}

TEST(stream_checks_come_in_order) {
    zx_handle_t vmo = make_vmo(1), stream = make_stream(vmo, BOTH, 0);
    char byte;
    size_t actual = 99;
    zx_iovec_t good = {&byte, 1}, huge[2] = {{&byte, 1}, {&byte, SIZE_MAX}};
    zx_iovec_t *bad = (zx_iovec_t *)8;
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_stream_readv(0, 1, &good, 1, &actual));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_stream_readv(0, 0, NULL, 0, &actual));
    EXPECT_EQ(ZX_ERR_BAD_HANDLE, zx_stream_readv(0, 0, bad, 1, &actual));
    EXPECT_EQ(ZX_ERR_WRONG_TYPE, zx_stream_readv(vmo, 0, bad, 1, &actual));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_stream_readv(stream, 0, bad, 1, &actual));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_stream_readv(stream, 0, huge, 2, &actual));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_stream_readv(stream, 0, &good, SIZE_MAX, &actual));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_stream_readv_at(stream, 1, 0, &good, 1, &actual));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_stream_writev(0, 2, &good, 1, &actual));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_stream_writev(0, 0, NULL, 0, &actual));
    EXPECT_EQ(ZX_ERR_BAD_HANDLE, zx_stream_writev(0, 0, bad, 1, &actual));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_stream_writev(stream, 0, bad, 1, &actual));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS,
              zx_stream_writev_at(stream, ZX_STREAM_APPEND, 0, &good, 1, &actual));
    EXPECT_EQ(99, actual);
    EXPECT_OK(zx_stream_writev_at(stream, 0, UINT64_MAX, &good, 0, &actual));
    EXPECT_EQ(0, actual);
    EXPECT_EQ(ZX_ERR_FILE_BIG, zx_stream_writev_at(stream, 0, UINT64_MAX, &good, 1, &actual));
    EXPECT_OK(zx_stream_readv_at(stream, 0, UINT64_MAX, &good, 1, &actual));
    EXPECT_EQ(0, actual);
    close_handle(stream);
    close_handle(vmo);
}

TEST(stream_writes_grow_what_can_grow_and_fill_what_cannot) {
    zx_handle_t fixed = make_vmo(1), grows = make_resizable_vmo(1);
    zx_handle_t small = make_stream(fixed, BOTH, PAGE - 3);
    zx_handle_t large = make_stream(grows, BOTH, PAGE - 3);
    size_t actual = 99;
    EXPECT_OK(write_text(small, 0, "abcdef", &actual));
    EXPECT_EQ(3, actual);
    EXPECT_EQ(PAGE, place_of(small));
    EXPECT_EQ(ZX_ERR_NO_SPACE, write_text(small, 0, "def", &actual));
    EXPECT_EQ(PAGE, place_of(small));
    EXPECT_OK(write_text(large, 0, "abcdef", &actual));
    EXPECT_EQ(6, actual);
    EXPECT_EQ(PAGE + 3, place_of(large));
    EXPECT_EQ(2 * PAGE, size_of(grows));
    EXPECT_EQ(PAGE + 3, content_of(grows));
    expect_text(grows, PAGE - 3, "abcdef");
    EXPECT_OK(zx_stream_seek(large, ZX_STREAM_SEEK_ORIGIN_START, INT64_MAX, NULL));
    EXPECT_EQ(ZX_ERR_OUT_OF_RANGE, write_text(large, 0, "x", &actual));
    EXPECT_EQ(2 * PAGE, size_of(grows));
    close_handle(small);
    close_handle(large);
    close_handle(fixed);
    close_handle(grows);
}

TEST(stream_a_gap_behind_the_content_becomes_zeros) {
    zx_handle_t vmo = make_vmo(2), stream = make_stream(vmo, BOTH, 0);
    char got[16] = "";
    size_t actual;
    EXPECT_OK(write_text(stream, 0, "0123456789", &actual));
    set_content(vmo, 4);
    EXPECT_OK(zx_vmo_write(vmo, "xxxx", 4, 4)); /* behind the content, as anyone may */
    EXPECT_OK(zx_stream_seek(stream, ZX_STREAM_SEEK_ORIGIN_END, 3, NULL));
    EXPECT_OK(write_text(stream, 0, "ab", &actual));
    EXPECT_EQ(9, content_of(vmo));
    EXPECT_OK(zx_vmo_read(vmo, got, 0, 12));
    EXPECT_EQ(0, memcmp(got, "0123\0\0\0ab\0\0\0", 12));
    close_handle(stream);
    close_handle(vmo);
}

TEST(stream_append_goes_behind_the_content) {
    zx_handle_t vmo = make_resizable_vmo(0), stream = make_stream(vmo, BOTH, 5);
    zx_handle_t appends = make_stream(vmo, BOTH | ZX_STREAM_MODE_APPEND, 0);
    uint8_t mode = 9;
    size_t actual;
    EXPECT_OK(write_text(stream, ZX_STREAM_APPEND, "ab", &actual));
    EXPECT_EQ(2, place_of(stream));
    EXPECT_OK(write_text(appends, 0, "cd", &actual));
    EXPECT_EQ(4, place_of(appends));
    EXPECT_OK(write_text(stream, ZX_STREAM_APPEND, "ef", &actual));
    EXPECT_EQ(6, place_of(stream));
    expect_text(vmo, 0, "abcdef");
    /* writev_at does not care. */
    zx_iovec_t vector = {"X", 1};
    EXPECT_OK(zx_stream_writev_at(appends, 0, 1, &vector, 1, &actual));
    expect_text(vmo, 0, "aXcdef");
    EXPECT_OK(zx_object_get_property(appends, ZX_PROP_STREAM_MODE_APPEND, &mode, 1));
    EXPECT_EQ(1, mode);
    mode = 0;
    EXPECT_OK(zx_object_set_property(appends, ZX_PROP_STREAM_MODE_APPEND, &mode, 1));
    EXPECT_OK(zx_stream_seek(appends, ZX_STREAM_SEEK_ORIGIN_START, 0, NULL));
    EXPECT_OK(write_text(appends, 0, "Y", &actual));
    expect_text(vmo, 0, "YXcdef");
    EXPECT_EQ(ZX_ERR_BUFFER_TOO_SMALL,
              zx_object_get_property(appends, ZX_PROP_STREAM_MODE_APPEND, &mode, 0));
    EXPECT_EQ(ZX_ERR_WRONG_TYPE, zx_object_get_property(vmo, ZX_PROP_STREAM_MODE_APPEND, &mode, 1));
    EXPECT_EQ(ZX_ERR_BUFFER_TOO_SMALL,
              zx_object_set_property(vmo, ZX_PROP_STREAM_MODE_APPEND, &mode, 0));
    EXPECT_EQ(ZX_ERR_WRONG_TYPE, zx_object_set_property(vmo, ZX_PROP_STREAM_MODE_APPEND, &mode, 1));
    close_handle(stream);
    close_handle(appends);
    close_handle(vmo);
}

TEST(stream_seek_refuses_places_that_do_not_exist) {
    zx_handle_t vmo = make_vmo(1), stream = make_stream(vmo, ZX_STREAM_MODE_READ, 10);
    zx_off_t seek = 0;
    set_content(vmo, 100);
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_stream_seek(stream, ZX_STREAM_SEEK_ORIGIN_START, -1, &seek));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_stream_seek(stream, ZX_STREAM_SEEK_ORIGIN_CURRENT, -11, &seek));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_stream_seek(stream, ZX_STREAM_SEEK_ORIGIN_END, -101, &seek));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_stream_seek(stream, 3, 0, &seek));
    EXPECT_EQ(10, place_of(stream));
    EXPECT_OK(zx_stream_seek(stream, ZX_STREAM_SEEK_ORIGIN_END, -100, &seek));
    EXPECT_EQ(0, seek);
    EXPECT_OK(zx_stream_seek(stream, ZX_STREAM_SEEK_ORIGIN_END, 5, &seek));
    EXPECT_EQ(105, seek);
    EXPECT_OK(zx_stream_seek(stream, ZX_STREAM_SEEK_ORIGIN_START, INT64_MAX, &seek));
    EXPECT_OK(zx_stream_seek(stream, ZX_STREAM_SEEK_ORIGIN_CURRENT, INT64_MAX, &seek));
    EXPECT_EQ((int64_t)(UINT64_MAX - 1), (int64_t)seek);
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_stream_seek(stream, ZX_STREAM_SEEK_ORIGIN_CURRENT, 2, &seek));
    EXPECT_OK(zx_stream_seek(stream, ZX_STREAM_SEEK_ORIGIN_CURRENT, INT64_MIN, &seek));
    EXPECT_EQ(INT64_MAX - 1, (int64_t)seek);
    close_handle(stream);
    close_handle(vmo);
}

TEST(stream_handles_share_the_place_and_info_tells_it) {
    zx_handle_t vmo = make_vmo(1), stream = make_stream(vmo, ZX_STREAM_MODE_READ, 3);
    zx_handle_t copy = copy_without(stream, ZX_RIGHT_INSPECT);
    zx_info_stream_t info;
    set_content(vmo, 50);
    EXPECT_OK(zx_stream_seek(copy, ZX_STREAM_SEEK_ORIGIN_START, 20, NULL));
    EXPECT_OK(zx_object_get_info(stream, ZX_INFO_STREAM, &info, sizeof info, NULL, NULL));
    EXPECT_EQ(ZX_STREAM_MODE_READ, info.options);
    EXPECT_EQ(20, info.seek);
    EXPECT_EQ(50, info.content_size);
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED,
              zx_object_get_info(copy, ZX_INFO_STREAM, &info, sizeof info, NULL, NULL));
    close_handle(copy);
    close_handle(stream);
    close_handle(vmo);
}

TEST(stream_a_fault_part_way_gives_what_was_moved) {
    zx_handle_t vmo = make_resizable_vmo(0), memory = make_vmo(2);
    zx_handle_t stream = make_stream(vmo, BOTH, 0);
    volatile uint8_t *pages = map_vmo(memory, READ_WRITE, 2);
    char *edge = (char *)(uintptr_t)pages + 2 * PAGE - 100; /* then nothing is mapped */
    zx_iovec_t vector[2] = {{edge - PAGE, PAGE}, {edge, 200}};
    size_t actual = 99;
    memset(edge - PAGE, 'm', PAGE + 100);
    EXPECT_OK(zx_stream_writev(stream, 0, vector, 2, &actual));
    EXPECT_EQ(PAGE + 100, actual);
    EXPECT_EQ(PAGE + 100, content_of(vmo));
    EXPECT_EQ(PAGE + 100, place_of(stream));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS,
              zx_stream_writev(stream, 0, &(zx_iovec_t){edge + 100, 5}, 1, &actual));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_stream_writev_at(stream, 0, 10 * PAGE,
                                                       &(zx_iovec_t){NULL, 5}, 1, &actual));
    EXPECT_EQ(2 * PAGE, size_of(vmo));
    EXPECT_EQ(PAGE + 100, place_of(stream));
    set_content(vmo, 300);
    EXPECT_OK(zx_vmo_op_range(memory, ZX_VMO_OP_DECOMMIT, 0, 2 * PAGE, NULL, 0));
    EXPECT_OK(zx_stream_readv_at(stream, 0, 0, vector + 1, 1, &actual));
    EXPECT_EQ(100, actual);
    EXPECT_EQ('m', edge[99]);
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_stream_readv_at(stream, 0, 0, &(zx_iovec_t){edge + 100, 5},
                                                      1, &actual));
    unmap(pages, 2);
    close_handle(stream);
    close_handle(memory);
    close_handle(vmo);
}

TEST(stream_moves_between_an_object_and_its_own_mapping) {
    zx_handle_t vmo = make_resizable_vmo(4), stream = make_stream(vmo, BOTH, 0);
    volatile uint8_t *pages = map_vmo(vmo, READ_WRITE, 4);
    size_t actual = 0;
    for (size_t i = 0; i < 2 * PAGE; i++)
        pages[i] = (uint8_t)(i / 3);
    zx_handle_t snapshot = make_snapshot(vmo, 4);
    zx_iovec_t vector = {(void *)(uintptr_t)pages, 2 * PAGE};
    EXPECT_OK(zx_stream_writev_at(stream, 0, 2 * PAGE, &vector, 1, &actual));
    EXPECT_EQ(2 * PAGE, actual);
    unsigned wrong = 0;
    for (size_t i = 0; i < 2 * PAGE; i++)
        wrong += pages[2 * PAGE + i] != (uint8_t)(i / 3);
    EXPECT_EQ(0, wrong);
    EXPECT_EQ(0, get(snapshot, 2));
    unmap(pages, 4);
    close_handle(snapshot);
    close_handle(stream);
    close_handle(vmo);
}

/* --- two writers --- */

#define RECORD  64
#define RECORDS 200

struct writer {
    zx_handle_t stream;
    char letter;
    unsigned failures;
};

static int append_records(void *context) {
    struct writer *writer = context;
    char record[RECORD];
    zx_iovec_t vector[2] = {{record, 10}, {record + 10, RECORD - 10}};
    size_t actual = 0;
    memset(record, writer->letter, sizeof record);
    for (int i = 0; i < RECORDS; i++) {
        if (zx_stream_writev(writer->stream, ZX_STREAM_APPEND, vector, 2, &actual) != ZX_OK ||
            actual != RECORD)
            writer->failures++;
    }
    return 0;
}

TEST(stream_records_of_two_writers_stay_whole) {
    zx_handle_t vmo = make_resizable_vmo(0);
    struct writer writers[2] = {{make_stream(vmo, BOTH, 0), 'a', 0},
                                {make_stream(vmo, BOTH, 0), 'b', 0}};
    thrd_t threads[2];
    for (int i = 0; i < 2; i++)
        EXPECT_EQ(thrd_success, thrd_create(&threads[i], append_records, &writers[i]));
    for (int i = 0; i < 2; i++)
        EXPECT_EQ(thrd_success, thrd_join(threads[i], NULL));
    EXPECT_EQ(2 * RECORD * RECORDS, content_of(vmo));
    unsigned wrong = 0, of_a = 0;
    for (uint64_t at = 0; at < 2 * RECORD * RECORDS; at += RECORD) {
        char record[RECORD] = "";
        EXPECT_OK(zx_vmo_read(vmo, record, at, RECORD));
        of_a += record[0] == 'a';
        for (int i = 1; i < RECORD; i++)
            wrong += record[i] != record[0];
    }
    EXPECT_EQ(0, wrong);
    EXPECT_EQ(RECORDS, of_a);
    EXPECT_EQ(0, writers[0].failures + writers[1].failures);
    close_handle(writers[0].stream);
    close_handle(writers[1].stream);
    close_handle(vmo);
}
