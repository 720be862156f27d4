/*
 * string_test.c - every alignment and length around the word size.
 */
#include "lib/string.h"

#include "lib/ktest.h"

static unsigned char area[160], copy[160];

static void fill(void) {
    for (size_t i = 0; i < sizeof(area); i++)
        area[i] = copy[i] = (i * 7 + 1) & 0x7f;
}

static void expect_moved(size_t from, size_t to, size_t length) {
    for (size_t i = 0; i < sizeof(area); i++) {
        bool inside = i >= to && i < to + length;
        if (area[i] != copy[inside ? i - to + from : i]) {
            ktest_fail(__FILE__, __LINE__, "move of %zu from %zu to %zu is wrong at %zu", length,
                       from, to, i);
            return;
        }
    }
}

KTEST_QUICK(string, moves_overlap_in_both_directions) {
    for (size_t from = 0; from < 12; from++) {
        for (size_t to = 0; to < 48; to += 3) {
            for (size_t length = 0; length < 100; length += 7) {
                fill();
                memmove(area + from, area + to, length);
                expect_moved(to, from, length);
                fill();
                memmove(area + to, area + from, length);
                expect_moved(from, to, length);
            }
        }
    }
}

KTEST_QUICK(string, copy_and_set_touch_only_their_range) {
    for (size_t at = 0; at < 9; at++) {
        for (size_t length = 0; length < 70; length++) {
            fill();
            memset(area + at, 0xa5, length);
            EXPECT(at == 0 || area[at - 1] == copy[at - 1]);
            EXPECT(area[at + length] == copy[at + length]);
            for (size_t i = 0; i < length; i++)
                EXPECT_EQ(0xa5, area[at + i]);
            memcpy(area + at, copy + at, length);
            EXPECT_EQ(0, memcmp(area, copy, sizeof(area)));
        }
    }
}

KTEST_QUICK(string, comparison_tells_the_first_difference) {
    EXPECT(strcmp("abc", "abd") < 0);
    EXPECT(strcmp("abc", "ab") > 0);
    EXPECT(strcmp("\x80", "a") > 0);
    EXPECT_EQ(0, strncmp("abcX", "abcY", 3));
    EXPECT_EQ(3, strnlen("abcdef", 3));
    EXPECT(memcmp("aaaaaaaa1", "aaaaaaaa2", 9) < 0);
    fill();
    for (size_t i = 0; i < sizeof(area); i++) {
        area[i]++;
        EXPECT(memcmp(area, copy, sizeof(area)) > 0);
        area[i]--;
    }
}

KTEST_QUICK(string, string_copy_always_terminates) {
    char small[4] = "zzz";

    EXPECT_EQ(3, string_copy(small, sizeof(small), "abcdef"));
    EXPECT_EQ(0, strcmp(small, "abc"));
    EXPECT_EQ(1, string_copy(small, sizeof(small), "x"));
    EXPECT_EQ(0, strcmp(small, "x"));
    EXPECT_EQ(0, string_copy(small, 0, "y"));
    EXPECT_EQ(0, strcmp(small, "x"));
}
