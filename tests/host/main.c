/*
 * main.c - runs KTESTs in the kernel as a host program.
 *
 *   ktest [FILTER] [--cpus N] [--memory MIB] [--seed N] [--preempt N]
 *         [--repeat N] [--skip A,B,...] [--alloc-fail] [--list] [--verbose]
 *
 * --preempt N ends a thread's turn at one of N chances, at random from the seed;
 * with one CPU the same seed gives the same run. --alloc-fail runs each test again
 * and again while its first, second, third... allocation fails, until it passes
 * without meeting a failure: what it expects is ignored, but the machine must
 * live and its balances must hold. --repeat runs each test N times; what heap blocks,
 * pages and objects there are must be the same after each (P20); --skip leaves tests or
 * suites out.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/clock.h"
#include "lib/ktest.h"
#include "lib/log.h"
#include "sched/park.h"
#include "sched/waitable.h"
#include "tests/host/machine.h"
#include "vm/kheap.h"
#include "vm/pmm.h"

#define FAILURES_MAX 100000

static struct {
    const char *filter, *skip;
    unsigned repeat;
    bool verbose, alloc_fail, list;
    struct host_options machine;
} options = {
    .filter = "all",
    .skip = "",
    .repeat = 1,
    .machine = {.cpus = 1, .memory = MIB(64), .seed = 1, .cmdline = ""},
};

static struct ktest_result total;

const char *__asan_default_options(void);
const char *__asan_default_options(void) {
    /* Fibres have no fake stacks; an abort after a panic shows the stack by names. */
    return "detect_stack_use_after_return=0:handle_abort=1";
}
const char *__tsan_default_options(void);
const char *__tsan_default_options(void) { return "second_deadlock_stack=1:report_signal_unsafe=0"; }

static uint64_t balance_heap(void) { return kheap_stats().blocks_used; }
static uint64_t balance_pages(void) { return pmm_stats().pages[PAGE_VMO]; }

static void settle(void) { (void)thread_sleep_until(clock_now() + 1000000); }

static void count(bool passed) {
    if (passed)
        total.passed++;
    else
        total.failed++;
}

/* Until the failure that was asked for is not reached any more. */
static void run_with_failures(const struct ktest *test) {
    uint64_t n = 1, before = balance_heap();

    ktest_set_tolerant(true);
    for (; n < FAILURES_MAX; n += 1 + n / 4) {
        alloc_fail_set(n);
        ktest_run_one(test);
        bool reached = alloc_fail_left() == 0;
        alloc_fail_set(0);
        if (!reached)
            break;
    }
    ktest_set_tolerant(false);
    for (unsigned i = 0; i < 200 && balance_heap() != before; i++)
        settle();
    if (balance_heap() != before)
        log_warning("%s.%s left %lld heap blocks behind", test->suite, test->name,
                    (long long)(balance_heap() - before));
    if (options.verbose)
        log_info("%s.%s: fewer than %llu allocations", test->suite, test->name,
                 (unsigned long long)n);
    count(ktest_run_one(test));
}

static void run_one(const struct ktest *test) {
    if (options.verbose)
        log_info("test %s.%s", test->suite, test->name);
    if (options.alloc_fail)
        run_with_failures(test);
    else
        count(ktest_run_one(test));
}

static void list_tests(void) {
    for (size_t i = 0; i < ktest_count(); i++)
        printf("%s.%s\n", ktest_get(i)->suite, ktest_get(i)->name);
}

static bool is_skipped(const struct ktest *test) {
    char name[128];
    for (const char *at = options.skip; *at; at += strcspn(at, ",") + (at[strcspn(at, ",")] != 0)) {
        snprintf(name, sizeof(name), "%.*s", (int)strcspn(at, ","), at);
        if (ktest_matches(test, name))
            return true;
    }
    return false;
}

static void run_tests(void) {
    ktest_set_balance("heap blocks", balance_heap);
    ktest_set_balance("pages of memory objects", balance_pages);
    ktest_set_balance("objects", waitable_live_total);
    ktest_set_settle(settle);
    for (unsigned round = 0; round < options.repeat; round++)
        for (size_t i = 0; i < ktest_count(); i++)
            if (ktest_matches(ktest_get(i), options.filter) && !is_skipped(ktest_get(i)))
                run_one(ktest_get(i));
    host_finish(total.failed != 0 || total.passed == 0);
}

static unsigned long number(const char *text) {
    if (!text) {
        fprintf(stderr, "ktest: an option wants a number\n");
        exit(2);
    }
    return strtoul(text, NULL, 0);
}

static void read_arguments(char **argument) {
    for (; *argument; argument++) {
        const char *word = *argument;
        if (strcmp(word, "--cpus") == 0)
            options.machine.cpus = (unsigned)number(*++argument);
        else if (strcmp(word, "--memory") == 0)
            options.machine.memory = MIB(number(*++argument));
        else if (strcmp(word, "--seed") == 0)
            options.machine.seed = number(*++argument);
        else if (strcmp(word, "--preempt") == 0)
            options.machine.preempt_one_in = (unsigned)number(*++argument);
        else if (strcmp(word, "--repeat") == 0)
            options.repeat = (unsigned)number(*++argument);
        else if (strcmp(word, "--skip") == 0)
            options.skip = *++argument ? *argument : "";
        else if (strcmp(word, "--alloc-fail") == 0)
            options.alloc_fail = true;
        else if (strcmp(word, "--list") == 0)
            options.list = true;
        else if (strcmp(word, "--verbose") == 0)
            options.verbose = true;
        else
            options.filter = word;
    }
}

int main(int count, char **arguments) {
    read_arguments(arguments + 1);
    if (options.list) {
        list_tests();
        return 0;
    }
    int code = machine_run(&options.machine, run_tests);
    if (code != 0)
        printf("ktest: %u CPUs, seed %llu, preempt %u\n", options.machine.cpus,
               (unsigned long long)options.machine.seed, options.machine.preempt_one_in);
    printf("ktest: %u passed, %u failed\n", total.passed, total.failed);
    return code;
}
