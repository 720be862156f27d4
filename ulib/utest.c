/*
 * utest.c - finds a program's tests in the linker's section, runs them and counts.
 */
#include <jacinth/utest.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HIDDEN __attribute__((visibility("hidden")))
extern const struct utest tests_begin[] __asm__("__start_utests") HIDDEN;
extern const struct utest tests_end[] __asm__("__stop_utests") HIDDEN;

static const struct utest *running;
static bool failed;

void utest_fail(const char *file, int line, const char *format, ...) {
    va_list args;
    va_start(args, format);
    printf("%s:%d: %s: ", file, line, running->name);
    vprintf(format, args);
    printf("\n");
    va_end(args);
    failed = true;
}

bool utest_equal(const char *file, int line, const char *text, int64_t want, int64_t got) {
    if (want == got)
        return true;
    utest_fail(file, line, "%s is %ld (%#lx), not %ld (%#lx)", text, got, (unsigned long)got,
               want, (unsigned long)want);
    return false;
}

bool utest_equal_text(const char *file, int line, const char *text, const char *want,
                      const char *got) {
    if (got && strcmp(want, got) == 0)
        return true;
    utest_fail(file, line, "%s is \"%s\", not \"%s\"", text, got ? got : "(null)", want);
    return false;
}

/* Is one of the comma-separated words in the name? */
static bool has_word(const char *name, const char *words) {
    char word[64];
    for (const char *at = words; *at; at += strcspn(at, ",") + (at[strcspn(at, ",")] == ',')) {
        snprintf(word, sizeof word, "%.*s", (int)strcspn(at, ","), at);
        if (strstr(name, word))
            return true;
    }
    return false;
}

/* The first process has no arguments, but the kernel's command line: utest=NAME,NAME... */
static bool is_wanted(const struct utest *test, int argc, char **argv) {
    const char *wanted = getenv("utest");
    if (argc <= 1 && wanted)
        return has_word(test->name, wanted);
    for (int i = 1; i < argc; i++) {
        if (strstr(test->name, argv[i]))
            return true;
    }
    return argc <= 1;
}

int utest_main(int argc, char **argv) {
    unsigned passed = 0, failures = 0;
    for (const struct utest *test = tests_begin; test < tests_end; test++) {
        if (!is_wanted(test, argc, argv))
            continue;
        running = test;
        failed = false;
        if (getenv("utest.names"))
            printf("%s\n", test->name);
        test->run();
        if (failed) {
            failures++;
            printf("FAILED %s\n", test->name);
        } else {
            passed++;
        }
    }
    printf("%u passed, %u failed\n", passed, failures);
    return failures == 0 ? 0 : 1;
}
