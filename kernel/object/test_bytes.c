/*
 * test_bytes.c - sources and sinks for tests.
 */
#include "object/test_bytes.h"

#include "lib/string.h"

#define TEST_PAGE 64

static status_t source_copy_in(const struct byte_source *source, size_t offset, void *to,
                               size_t length) {
    const struct test_source *test = container_of(source, const struct test_source, source);

    if (!range_within(offset, length, test->size))
        return ERR_INVALID_ARGS;
    memcpy(to, test->bytes + offset, length);
    return OK;
}

static size_t source_copy_in_nofault(const struct byte_source *source, size_t offset, void *to,
                                     size_t length) {
    const struct test_source *test = container_of(source, const struct test_source, source);
    size_t now = offset < *test->there ? MIN(length, *test->there - offset) : 0;

    memcpy(to, test->bytes + offset, now);
    return now;
}

static status_t source_touch(const struct byte_source *source, size_t offset) {
    const struct test_source *test = container_of(source, const struct test_source, source);

    if (offset >= test->size)
        return ERR_INVALID_ARGS;
    *test->there = MIN(offset + TEST_PAGE, test->size);
    return OK;
}

static size_t sink_copy_out_nofault(const struct byte_sink *sink, size_t offset, const void *from,
                                    size_t length) {
    const struct test_sink *test = container_of(sink, const struct test_sink, sink);
    size_t now = offset < *test->there ? MIN(length, *test->there - offset) : 0;

    memcpy(test->bytes + offset, from, now);
    return now;
}

static status_t sink_touch(const struct byte_sink *sink, size_t offset) {
    const struct test_sink *test = container_of(sink, const struct test_sink, sink);

    if (offset >= TEST_SINK_SIZE)
        return ERR_INVALID_ARGS;
    *test->there = MIN(offset + TEST_PAGE, (size_t)TEST_SINK_SIZE);
    return OK;
}

struct test_source test_source_of(const void *bytes, size_t size, size_t *there) {
    *there = 0;
    return (struct test_source){
        {source_copy_in, source_copy_in_nofault, source_touch}, bytes, size, there};
}

struct test_sink test_sink_of(void *bytes, size_t *there) {
    *there = 0;
    return (struct test_sink){{sink_copy_out_nofault, sink_touch}, bytes, there};
}
