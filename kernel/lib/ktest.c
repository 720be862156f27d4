/*
 * ktest.c - the runner of the tests that KTEST collected.
 *
 * Tests run one after the other on one thread, so what concerns the running test
 * is kept in plain variables, except the count of failures: a test may start
 * threads that fail for it.
 */
#include "lib/ktest.h"

#include <stdarg.h>
#include <stdatomic.h>

#include "lib/fmt.h"
#include "lib/log.h"
#include "lib/string.h"

/* The linker names the ends of the section; weak, since a build may have no test. */
extern const struct ktest __start_ktests[] __attribute__((weak, visibility("hidden")));
extern const struct ktest __stop_ktests[] __attribute__((weak, visibility("hidden")));

#define BALANCES_MAX     8
#define REPORTS_PER_TEST 16
#define SETTLE_MAX       500

struct balance {
    const char *what;
    ktest_balance *get;
    uint64_t before;
};

static struct balance balances[BALANCES_MAX];
static size_t balance_count;
static void (*settle_hook)(void);
static const struct ktest *running;
static atomic_uint failures;
static atomic_bool tolerant;

size_t ktest_count(void) { return (size_t)(__stop_ktests - __start_ktests); }
const struct ktest *ktest_get(size_t index) { return &__start_ktests[index]; }
void ktest_set_tolerant(bool value) { atomic_store(&tolerant, value); }

void ktest_set_balance(const char *what, ktest_balance *get) {
    if (balance_count < BALANCES_MAX)
        balances[balance_count++] = (struct balance){what, get, 0};
}

void ktest_fail(const char *file, int line, const char *format, ...) {
    char text[160];
    va_list args;

    if (atomic_load(&tolerant))
        return;
    if (atomic_fetch_add(&failures, 1) >= REPORTS_PER_TEST)
        return;
    va_start(args, format);
    fmt_vformat(text, sizeof(text), format, args);
    va_end(args);
    log_error("FAIL %s.%s (%s:%d)", running ? running->suite : "?", running ? running->name : "?",
              file, line);
    log_error("     %s", text);
}

void ktest_fail_expected(const char *file, int line, const char *text) {
    ktest_fail(file, line, "expected %s", text ? text : "what the line says");
}

void ktest_fail_equal(const char *file, int line, const char *texts, long long want,
                      long long got) {
    if (!texts)
        texts = "got\0wanted";
    ktest_fail(file, line, "%s is %lld (%#llx), not %s = %lld (%#llx)", texts, got, got,
               texts + strlen(texts) + 1, want, want);
}

bool ktest_matches(const struct ktest *test, const char *filter) {
    size_t suite = strlen(test->suite);

    if (strcmp(filter, "all") == 0)
        return true;
    if (strcmp(filter, "quick") == 0)
        return test->quick;
    if (strncmp(filter, test->suite, suite) != 0)
        return false;
    return filter[suite] == '\0' || (filter[suite] == '.' && strcmp(filter + suite + 1, test->name) == 0);
}

static void balances_record(void) {
    for (size_t i = 0; i < balance_count; i++)
        balances[i].before = balances[i].get();
}

void ktest_set_settle(void (*settle)(void)) { settle_hook = settle; }

static bool balances_are_equal(void) {
    for (size_t i = 0; i < balance_count; i++)
        if (balances[i].get() != balances[i].before)
            return false;
    return true;
}

static void balances_check(void) {
    for (unsigned i = 0; settle_hook && i < SETTLE_MAX && !balances_are_equal(); i++)
        settle_hook();
    for (size_t i = 0; i < balance_count; i++) {
        uint64_t now = balances[i].get();
        if (now != balances[i].before)
            ktest_fail(__FILE__, __LINE__, "%s: %llu before the test, %llu after it",
                       balances[i].what, (unsigned long long)balances[i].before,
                       (unsigned long long)now);
    }
}

bool ktest_run_one(const struct ktest *test) {
    running = test;
    atomic_store(&failures, 0);
    balances_record();
    test->run();
    balances_check();
    running = NULL;
    return atomic_load(&failures) == 0;
}

struct ktest_result ktest_run(const char *filter, bool verbose) {
    struct ktest_result result = {0, 0};

    for (size_t i = 0; i < ktest_count(); i++) {
        const struct ktest *test = ktest_get(i);
        if (!ktest_matches(test, filter))
            continue;
        if (verbose)
            log_info("test %s.%s", test->suite, test->name);
        if (ktest_run_one(test))
            result.passed++;
        else
            result.failed++;
    }
    return result;
}
