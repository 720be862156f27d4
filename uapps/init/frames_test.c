/*
 * frames_test.c - input as the serial line brings it, in pieces of every size; on the host.
 */
#include <string.h>

#include "init/frames.h"
#include "lib/ktest.h"

/* `line` in pieces of `step` bytes; the length of what came out. */
static size_t unpack(const char *line, size_t length, size_t step, char *data, bool *out_ended) {
    struct frames frames = {0};
    size_t used = 0;
    for (size_t at = 0; at < length; at += step) {
        size_t part = length - at < step ? length - at : step;
        used += frames_unpack(&frames, line + at, part, data + used);
    }
    *out_ended = frames.ended;
    return used;
}

#define EXPECT_UNPACKED(want, ended, line)                                                         \
    for (size_t step = 1; step <= sizeof line; step++) {                                           \
        char data[64];                                                                             \
        bool end;                                                                                  \
        size_t length = unpack(line, sizeof line - 1, step, data, &end);                           \
        EXPECT_EQ(sizeof want - 1, length);                                                        \
        EXPECT(memcmp(data, want, sizeof want - 1) == 0);                                          \
        EXPECT_EQ(ended, end);                                                                     \
    }

KTEST(init_frames, data_comes_out_as_it_went_in) {
    EXPECT_UNPACKED("abc", true, "\0\0\0JXIO\3\0abc\0\0");
    EXPECT_UNPACKED("abcd", true, "JXIO\3\0abc\1\0d\0\0more");
    EXPECT_UNPACKED("", true, "JXIO\0\0");
    EXPECT_UNPACKED("ab", false, "JXIO\3\0ab");
}

KTEST(init_frames, the_preamble_is_found_behind_anything) {
    EXPECT_UNPACKED("a", true, "JJXJXIJXIO\1\0a\0\0");
    EXPECT_UNPACKED("", false, "\0\0JXI");
}

KTEST(init_frames, escaped_bytes_are_any_byte) {
    EXPECT_UNPACKED("\r\x10\n", true, "JXIO\3\0\x10\x4d\x10\x50\n\0\0");
    EXPECT_UNPACKED("0123456789abc", true,
                    "JXIO\x10\x4d\0"
                    "0123456789abc\0\0");
}
