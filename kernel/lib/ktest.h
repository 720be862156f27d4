/*
 * ktest.h - tests that run inside the kernel at boot and on the host.
 *
 * KTEST(suite, name) defines a test and puts a record of it into the linker
 * section `ktests`. Test files lie beside the code, named *_test.c. A test that
 * is cheap enough for every boot is KTEST_QUICK. The runner checks after each
 * test that page and heap counts are back where they were (ktest_set_balance).
 */
#pragma once

#include "lib/types.h"

struct ktest {
    const char *suite;
    const char *name;
    void (*run)(void);
    bool quick;
};

#define KTEST_RECORD_(suite_, name_, quick_)                                                       \
    static void ktest_##suite_##_##name_(void);                                                    \
    static const struct ktest ktest_record_##suite_##_##name_ USED SECTION("ktests")               \
        ALIGNED(8) = {#suite_, #name_, ktest_##suite_##_##name_, quick_};                          \
    static void ktest_##suite_##_##name_(void)
#define KTEST(suite, name)       KTEST_RECORD_(suite, name, false)
#define KTEST_QUICK(suite, name) KTEST_RECORD_(suite, name, true)

/* Records a failure of the running test and goes on. */
void ktest_fail(const char *file, int line, const char *format, ...) PRINTF_LIKE(3, 4);
/*
 * The same with little code where they are called, for there are thousands of places.
 * Release kernels have no room for the texts of the expressions: they are NULL there.
 */
#ifdef JX_DEBUG
#define KTEST_TEXT(text) text
#else
#define KTEST_TEXT(text) NULL
#endif
void ktest_fail_expected(const char *file, int line, const char *text) COLD;
/* `texts`: what was got, NUL, what was wanted. */
void ktest_fail_equal(const char *file, int line, const char *texts, long long want,
                      long long got) COLD;

#define EXPECT(cond)                                                                               \
    do {                                                                                           \
        if (!(cond))                                                                               \
            ktest_fail_expected(__FILE__, __LINE__, KTEST_TEXT(#cond));                            \
    } while (0)
#define EXPECT_EQ(want, got)                                                                       \
    do {                                                                                           \
        long long want_ = (long long)(want), got_ = (long long)(got);                              \
        if (want_ != got_)                                                                         \
            ktest_fail_equal(__FILE__, __LINE__, KTEST_TEXT(#got "\0" #want), want_, got_);        \
    } while (0)
/* Fails and leaves the test function. */
#define REQUIRE(cond)                                                                              \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            ktest_fail_expected(__FILE__, __LINE__, KTEST_TEXT(#cond));                            \
            return;                                                                                \
        }                                                                                          \
    } while (0)

struct ktest_result {
    unsigned passed, failed;
};
/*
 * Run tests: filter "quick", "all", or a suite, or suite.name. Prints a line per
 * failure, and with `verbose` one per test.
 */
struct ktest_result ktest_run(const char *filter, bool verbose);

/* A number that must be equal before and after each test (pages and objects in use). */
typedef uint64_t ktest_balance(void);
void ktest_set_balance(const char *what, ktest_balance *balance);
/*
 * How to wait a moment: while a balance is off, the runner calls it and looks again,
 * since dead threads are freed by another thread.
 */
void ktest_set_settle(void (*settle)(void));

/* For drivers that run tests their own way: the table, in link order. */
size_t ktest_count(void);
const struct ktest *ktest_get(size_t index);
bool ktest_matches(const struct ktest *test, const char *filter);
/* Run one test with the balance check; true if it passed. */
bool ktest_run_one(const struct ktest *test);
/* While set, EXPECT and REQUIRE do not count or print: runs whose allocations fail. */
void ktest_set_tolerant(bool tolerant);
