/*
 * fmt_test.c - one row per conversion; the differential test against a C library
 * is tests/host/fmt_compare_test.c.
 */
#include "lib/fmt.h"

#include "lib/ktest.h"
#include "lib/string.h"

static char buffer[128];

static void expect_text(const char *want, const char *format, ...) PRINTF_LIKE(2, 3);
static void expect_text(const char *want, const char *format, ...) {
    va_list args;

    memset(buffer, '!', sizeof(buffer));
    va_start(args, format);
    size_t length = fmt_vformat(buffer, sizeof(buffer), format, args);
    va_end(args);
    if (strcmp(want, buffer) != 0 || length != strlen(want))
        ktest_fail(__FILE__, __LINE__, "\"%s\" gives \"%s\", not \"%s\"", format, buffer, want);
}

KTEST_QUICK(fmt, integers_of_every_length) {
    expect_text("0 -1 2147483647 -2147483648", "%d %d %d %d", 0, -1, INT_MAX, INT_MIN);
    expect_text("-9223372036854775808", "%lld", LLONG_MIN);
    expect_text("18446744073709551615", "%llu", ULLONG_MAX);
    expect_text("44 300", "%hhu %hu", (unsigned char)44, (unsigned short)300);
    expect_text("ff FF 377", "%x %X %o", 255u, 255u, 255u);
    expect_text("4096", "%zu", (size_t)4096);
}

KTEST_QUICK(fmt, width_precision_and_flags) {
    expect_text("[   42][42   ][00042]", "[%5d][%-5d][%05d]", 42, 42, 42);
    expect_text("[+42][ 42][0x2a][052]", "[%+d][% d][%#x][%#o]", 42, 42, 42u, 42u);
    expect_text("[  007][0x002a][  -7]", "[%5.3d][%#06x][%*d]", 7, 42u, 4, -7);
    expect_text("[7   ]", "[%*d]", -4, 7);
    expect_text("[]", "[%.0d]", 0);
}

KTEST_QUICK(fmt, strings_and_characters) {
    const char *nothing = NULL;

    expect_text("[abc][  abc][abc  ][ab]", "[%s][%5s][%-5s][%.2s]", "abc", "abc", "abc", "abc");
    expect_text("(null)", "%s", nothing);
    expect_text("x%  y", "%c%%%3c", 'x', 'y');
    expect_text("0x1000", "%p", (void *)0x1000);
}

KTEST_QUICK(fmt, a_short_buffer_is_terminated_and_the_length_is_told) {
    memset(buffer, '!', sizeof(buffer));
    EXPECT_EQ(10, fmt_format(buffer, 4, "%s", "0123456789"));
    EXPECT(strcmp(buffer, "012") == 0);
    EXPECT_EQ('!', buffer[4]);
    EXPECT_EQ(3, fmt_format(NULL, 0, "abc"));
}
