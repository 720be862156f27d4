/*
 * test_bytes.h - for tests: kernel memory as the source and the sink of bytes.
 */
#pragma once

#include "object/bytes.h"

/* Pages have 64 bytes, absent until they are touched; what lies beyond TEST_SINK_SIZE is never there. */
#define TEST_SINK_SIZE 4096

struct test_source {
    struct byte_source source;
    const char *bytes;
    size_t size;   /* copying beyond this fails */
    size_t *there; /* bytes that are present */
};
struct test_sink {
    struct byte_sink sink;
    char *bytes;
    size_t *there;
};

/* *there begins as 0. */
struct test_source test_source_of(const void *bytes, size_t size, size_t *there);
struct test_sink test_sink_of(void *bytes, size_t *there);
