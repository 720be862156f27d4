/*
 * utest.h - tests for user programs.
 *
 *     TEST(what_must_hold_as_a_sentence) { EXPECT_EQ(ZX_OK, zx_handle_close(0)); }
 *     int main(int argc, char **argv) { return utest_main(argc, argv); }
 *
 * utest_main runs all tests of the program, or those whose names contain an argument
 * or the environment's `utest`; with `utest.names` it names each before it runs. It
 * prints a line for each failure and `N passed, N failed` at the end; its result
 * is 0 when all passed. EXPECT_ notes a failure and goes on, REQUIRE_ leaves the test.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct utest {
    const char *name;
    void (*run)(void);
};

#define TEST(name_)                                                                                \
    static void utest_##name_(void);                                                               \
    static const struct utest utest_record_##name_                                                 \
        __attribute__((used, retain, section("utests"), aligned(8))) = {#name_, utest_##name_};            \
    static void utest_##name_(void)

int utest_main(int argc, char **argv);
void utest_fail(const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
bool utest_equal(const char *file, int line, const char *text, int64_t want, int64_t got);
bool utest_equal_text(const char *file, int line, const char *text, const char *want,
                      const char *got);

#define EXPECT(condition)                                                                          \
    ((condition) ? (void)0 : utest_fail(__FILE__, __LINE__, "not true: %s", #condition))
#define EXPECT_EQ(want, got)                                                                       \
    ((void)utest_equal(__FILE__, __LINE__, #got, (int64_t)(want), (int64_t)(got)))
#define EXPECT_STR(want, got) ((void)utest_equal_text(__FILE__, __LINE__, #got, want, got))
#define EXPECT_OK(call)       EXPECT_EQ(0, call)
#define REQUIRE(condition)                                                                         \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            utest_fail(__FILE__, __LINE__, "not true: %s", #condition);                            \
            return;                                                                                \
        }                                                                                          \
    } while (0)
#define REQUIRE_EQ(want, got)                                                                      \
    do {                                                                                           \
        if (!utest_equal(__FILE__, __LINE__, #got, (int64_t)(want), (int64_t)(got)))               \
            return;                                                                                \
    } while (0)
#define REQUIRE_OK(call) REQUIRE_EQ(0, call)
