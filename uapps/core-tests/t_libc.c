/*
 * t_libc.c - the C library where it meets the system: memory, text, sorting. The pure
 * parts are compared with another C library on the host (tests/host/ulib_test.c).
 */
#include <errno.h>
#include <inttypes.h>
#include <jacinth/utest.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TEST(malloc_gives_small_and_large_blocks_and_takes_them_back) {
    for (int round = 0; round < 100; round++) {
        char *small = malloc(10), *large = malloc(1 << 20);
        REQUIRE(small && large);
        memset(small, 1, 10);
        memset(large, 2, 1 << 20);
        EXPECT_EQ(1, small[9]);
        small = realloc(small, 100000);
        REQUIRE(small);
        EXPECT_EQ(1, small[9]);
        free(small);
        free(large);
    }
}

TEST(calloc_gives_zeros_also_in_reused_memory) {
    for (int round = 0; round < 3; round++) {
        unsigned char *bytes = calloc(300, 3);
        REQUIRE(bytes);
        for (int i = 0; i < 900; i++)
            EXPECT_EQ(0, bytes[i]);
        memset(bytes, 0xff, 900);
        free(bytes);
    }
}

TEST(aligned_memory_is_aligned) {
    for (size_t alignment = 16; alignment <= 65536; alignment *= 2) {
        void *block = aligned_alloc(alignment, 100);
        EXPECT_EQ(0, (uintptr_t)block % alignment);
        free(block);
    }
}

TEST(malloc_of_too_much_sets_errno) {
    /* The compiler believes that malloc never fails, so it must not know whom it calls. */
    void *(*volatile allocate)(size_t) = malloc;
    errno = 0;
    EXPECT(allocate(SIZE_MAX / 2) == NULL);
    EXPECT_EQ(ENOMEM, errno);
}

TEST(printf_formats_every_length) {
    char text[128];
    snprintf(text, sizeof text, "%zu %jd %lld %hhd %hd %#x %05d|%-5s|%5s|%.2s|%c|%%", (size_t)7,
             (intmax_t)-8, 9ll, (char)-1, (short)-2, 255, 42, "ab", "cd", "efg", 'h');
    EXPECT_STR("7 -8 9 -1 -2 0xff 00042|ab   |   cd|ef|h|%", text);
    volatile size_t small = 4;
    EXPECT_EQ(10, snprintf(text, small, "0123456789"));
    EXPECT_STR("012", text);
    snprintf(text, sizeof text, "%" PRIu64 " %" PRIx32, UINT64_MAX, UINT32_MAX);
    EXPECT_STR("18446744073709551615 ffffffff", text);
}

TEST(asprintf_gives_a_string_of_its_own) {
    char *text = NULL;
    EXPECT_EQ(5, asprintf(&text, "%d-%s", 12, "ab"));
    EXPECT_STR("12-ab", text);
    free(text);
}

static int descending(const void *a, const void *b) { return *(const int *)b - *(const int *)a; }

TEST(qsort_sorts) {
    int numbers[] = {3, 1, 4, 1, 5, 9, 2, 6};
    qsort(numbers, 8, sizeof numbers[0], descending);
    for (int i = 1; i < 8; i++)
        EXPECT(numbers[i - 1] >= numbers[i]);
}

TEST(getenv_finds_names_and_no_prefixes) {
    EXPECT(getenv("NO_SUCH_NAME_HERE") == NULL);
    EXPECT(getenv("") == NULL);
}
