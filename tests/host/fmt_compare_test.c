/*
 * fmt_compare_test.c - lib/fmt against the C library's snprintf, on formats put
 * together at random from the parts that both understand.
 */
#include <stdio.h>

#include "lib/fmt.h"
#include "lib/ktest.h"
#include "lib/string.h"

#pragma clang diagnostic ignored "-Wformat-nonliteral"
#pragma clang diagnostic ignored "-Wformat-security"

static uint64_t seed = 0x243f6a8885a308d3;

static uint64_t draw(uint64_t below) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (seed >> 11) % below;
}

static const char *const lengths[] = {"hh", "h", "", "l", "ll", "j", "z", "t"};

/* "%[flags][width][.precision][length]kind", without what C leaves undefined. */
static void make_format(char *format, char kind, const char *length) {
    const char *flags = kind == 'd' || kind == 'i'   ? "-0+ "
                        : kind == 'u'                ? "-0"
                        : kind == 's' || kind == 'c' ? "-"
                                                     : "-0#";
    size_t used = 0;

    format[used++] = '%';
    for (const char *flag = flags; *flag; flag++)
        if (draw(3) == 0)
            format[used++] = *flag;
    if (draw(2))
        used += (size_t)sprintf(format + used, "%d", (int)draw(30));
    if (kind != 'c' && draw(3) == 0)
        used += (size_t)sprintf(format + used, ".%d", (int)draw(25));
    used += (size_t)sprintf(format + used, "%s%c", length, kind);
    format[used] = '\0';
}

static void compare(const char *format, const char *want, int want_length, const char *got,
                    size_t got_length) {
    if ((size_t)want_length != got_length || strcmp(want, got) != 0)
        ktest_fail(__FILE__, __LINE__, "\"%s\" gives \"%s\", not \"%s\"", format, got, want);
}

static uint64_t draw_value(void) {
    switch (draw(4)) {
    case 0: return draw(3);
    case 1: return ~(uint64_t)0 - draw(3);
    case 2: return (uint64_t)1 << draw(64);
    default: return seed * 0x9e3779b97f4a7c15;
    }
}

KTEST(fmt, random_number_formats_agree_with_the_c_library) {
    static char want[256], got[256], format[32];

    for (unsigned i = 0; i < 200000; i++) {
        unsigned length = (unsigned)draw(ARRAY_SIZE(lengths));
        uint64_t value = draw_value();
        make_format(format, "diuxXo"[draw(6)], lengths[length]);
        if (length <= 2)
            compare(format, want, snprintf(want, sizeof(want), format, (int)value), got,
                    fmt_format(got, sizeof(got), format, (int)value));
        else
            compare(format, want, snprintf(want, sizeof(want), format, value), got,
                    fmt_format(got, sizeof(got), format, value));
    }
}

KTEST(fmt, random_string_formats_agree_with_the_c_library) {
    static char want[256], got[256], format[32];
    static const char text[] = "the quick brown fox";

    for (unsigned i = 0; i < 20000; i++) {
        const char *tail = text + draw(sizeof(text));
        size_t size = draw(40);
        make_format(format, 's', "");
        memset(want, 0, sizeof(want));
        memset(got, 0, sizeof(got));
        compare(format, want, snprintf(want, size, format, tail), got,
                fmt_format(got, size, format, tail));
        make_format(format, 'c', "");
        compare(format, want, snprintf(want, sizeof(want), format, 'x'), got,
                fmt_format(got, sizeof(got), format, 'x'));
    }
}
