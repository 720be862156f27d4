/*
 * race.c - runners, moments, and the tally of outcomes; see race.h.
 */
#include "races/race.h"

#include <jacinth/utest.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zircon/process.h>
#include <zircon/status.h>
#include <zircon/syscalls.h>

#include "core-tests/debuggee.h"
#include "proofs/counters.h"

void race_hangs(const char *what) {
    utest_fail(__FILE__, __LINE__, "%s: it does not end", what);
    exit(1); /* whoever hangs can't be joined */
}

static long number_of(const char *option, long otherwise) {
    const char *value = getenv(option);
    return value ? atol(value) : otherwise;
}

zx_time_t race_patience(void) {
    return zx_deadline_after(ZX_SEC(number_of("races.patience", 60)));
}

/* --- runners --- */

/* Until a count leaves a value that it had. */
static void await_change(const atomic_int *count, int value) {
    zx_time_t limit = PATIENCE;
    while (atomic_load(count) == value) {
        if (zx_futex_wait((const zx_futex_t *)count, value, ZX_HANDLE_INVALID, limit) ==
            ZX_ERR_TIMED_OUT)
            race_hangs("a round");
    }
}

static int run(void *argument) {
    struct runner *runner = argument;
    runner->self = zx_thread_self();
    atomic_store(&runner->begun, 0); /* as good as ready; see runner_start */
    (void)zx_futex_wake((const zx_futex_t *)&runner->begun, 1);
    for (int round = 1;; round++) {
        while (atomic_load(&runner->ordered) < round)
            (void)zx_futex_wait((const zx_futex_t *)&runner->ordered, round - 1,
                                ZX_HANDLE_INVALID, ZX_TIME_INFINITE);
        if (!runner->function)
            return 0;
        atomic_store(&runner->begun, round);
        runner->status = runner->function(runner->argument);
        atomic_store(&runner->done, round);
        (void)zx_futex_wake((const zx_futex_t *)&runner->done, 1);
    }
}

void runner_start(struct runner *runner) {
    *runner = (struct runner){.begun = -1};
    if (thrd_create(&runner->thread, run, runner) != thrd_success)
        race_hangs("a thread's start");
    await_change(&runner->begun, -1);
}

void runner_end(struct runner *runner) {
    runner_go(runner, NULL, NULL);
    EXPECT_EQ(thrd_success, thrd_join(runner->thread, NULL));
}

void runner_go(struct runner *runner, zx_status_t (*function)(void *), void *argument) {
    runner->function = function;
    runner->argument = argument;
    atomic_fetch_add(&runner->ordered, 1);
    (void)zx_futex_wake((const zx_futex_t *)&runner->ordered, 1);
}

void runner_await_begun(struct runner *runner) {
    zx_time_t limit = PATIENCE;
    while (atomic_load(&runner->begun) < atomic_load(&runner->ordered)) {
        (void)zx_thread_legacy_yield(0);
        if (zx_clock_get_monotonic() > limit)
            race_hangs("a round's begin");
    }
}

void runner_await_state(struct runner *runner, uint32_t state) {
    zx_time_t limit = PATIENCE;
    runner_await_begun(runner);
    while (atomic_load(&runner->done) < atomic_load(&runner->ordered) &&
           thread_state(runner->self) != state) {
        (void)zx_nanosleep(zx_deadline_after(ZX_USEC(20)));
        if (zx_clock_get_monotonic() > limit)
            race_hangs("the way to a call");
    }
}

zx_status_t runner_finish(struct runner *runner) {
    int ordered = atomic_load(&runner->ordered);
    for (int done; (done = atomic_load(&runner->done)) < ordered;)
        await_change(&runner->done, done);
    return runner->status;
}

/* --- being close to each other --- */

uint64_t race_random(uint64_t below) {
    static thread_local uint64_t state;
    if (state == 0)
        state = (uintptr_t)&state | 1; /* another one in each thread */
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state % below;
}

static void pause_for(uint64_t count) {
    for (; count > 0; count--)
        __asm__ volatile("pause");
}

void race_moment(void) {
    switch (race_random(5)) {
    case 0:
        break;
    case 1:
        pause_for(race_random(50));
        break;
    case 2:
        pause_for(race_random(2000));
        break;
    case 3:
        for (uint64_t count = race_random(3); count > 0; count--)
            (void)zx_thread_legacy_yield(0);
        break;
    case 4: /* on one CPU only a timer comes between any two instructions */
        (void)zx_nanosleep(zx_deadline_after((zx_duration_t)race_random(ZX_USEC(100))));
        break;
    }
}

#define HOLD_MAX 4000 /* some hundred microseconds where a pause is slow */

void race_hold(struct hold *hold) { pause_for(race_random(2 * atomic_load(&hold->pauses) + 1)); }

void race_learn(struct hold *hold, bool was_late) {
    unsigned pauses = atomic_load(&hold->pauses);
    pauses = was_late ? pauses * 3 / 4 : pauses * 5 / 4 + 20;
    atomic_store(&hold->pauses, pauses < HOLD_MAX ? pauses : HOLD_MAX);
}

void race_line_up(atomic_uint *line, unsigned count) {
    bool is_alone = zx_system_get_num_cpus() == 1;
    atomic_fetch_add(line, 1);
    for (unsigned turn = 1; atomic_load(line) < count; turn++) {
        if (turn > 1000) /* a real CPU has perhaps more to do than to wait here */
            (void)zx_nanosleep(zx_deadline_after(ZX_USEC(20)));
        else if (is_alone || turn % 200 == 0)
            (void)zx_thread_legacy_yield(0);
        else
            __asm__ volatile("pause");
    }
}

/* --- rounds and outcomes --- */

#define KINDS    64
#define OUTCOMES 8

static struct tally {
    const char *what;
    unsigned kinds;
    struct {
        zx_status_t outcome;
        unsigned count;
    } outcomes[OUTCOMES];
} tallies[KINDS];
static unsigned tally_count, rounds_run;

static struct tally *tally_of(const char *what) {
    for (unsigned i = 0; i < tally_count; i++) {
        if (strcmp(tallies[i].what, what) == 0)
            return &tallies[i];
    }
    if (tally_count == KINDS)
        race_hangs("the list of tallies");
    tallies[tally_count] = (struct tally){.what = what};
    return &tallies[tally_count++];
}

void race_count(const char *what, zx_status_t outcome) {
    struct tally *tally = tally_of(what);
    unsigned i = 0;
    rounds_run++;
    while (i < tally->kinds && tally->outcomes[i].outcome != outcome)
        i++;
    if (i == OUTCOMES)
        return;
    if (i == tally->kinds)
        tally->outcomes[tally->kinds++].outcome = outcome;
    tally->outcomes[i].count++;
}

void race_expect(const char *what, const char *how, zx_status_t outcome, const zx_status_t *legal,
                 unsigned count) {
    race_count(what, outcome);
    for (unsigned i = 0; i < count; i++) {
        if (outcome == legal[i])
            return;
    }
    utest_fail(__FILE__, __LINE__, "%s, %s: %s", what, how, zx_status_get_string(outcome));
}

/* To standard error: results of tests are lines of their own on the other one. */
static void print_tallies(const char *name, zx_duration_t time) {
    fprintf(stderr, "%s: %u rounds, %ld ms\n", name, rounds_run, (long)(time / ZX_MSEC(1)));
    for (unsigned i = 0; i < tally_count; i++) {
        const struct tally *tally = &tallies[i];
        fprintf(stderr, "    %s:", tally->what);
        for (unsigned j = 0; j < tally->kinds; j++) {
            const char *text = zx_status_get_string(tally->outcomes[j].outcome);
            text += strncmp(text, "ZX_ERR_", 7) == 0 ? 7 : 3;
            fprintf(stderr, "%s %u %s", j ? "," : "", tally->outcomes[j].count, text);
        }
        fprintf(stderr, "\n");
    }
}

/* A thread keeps the block of the last message that it read for its next one: so it has one. */
static void keep_a_message(void) {
    zx_handle_t ends[2] = {0};
    char text[4];
    EXPECT_OK(zx_channel_create(0, &ends[0], &ends[1]));
    EXPECT_OK(zx_channel_write(ends[0], 0, "text", 4, NULL, 0));
    EXPECT_OK(zx_channel_read(ends[1], 0, text, NULL, sizeof text, 0, NULL, NULL));
    EXPECT_OK(zx_handle_close_many(ends, 2));
}

/* All of the list is written, so that no page of it is new later. */
static void begin_rounds(void) {
    memset(tallies, 0, sizeof tallies);
    tally_count = rounds_run = 0;
}

/* Rounds cost more where many CPUs share few real ones. */
static unsigned share_of(unsigned rounds) {
    unsigned cpus = zx_system_get_num_cpus();
    return cpus <= 2 ? rounds : (2 * rounds + 1) / (cpus <= 4 ? 3 : 4);
}

void race_run(const char *name, void (*body)(unsigned rounds), unsigned rounds) {
    unsigned all = rounds * (unsigned)number_of("races.times", 1);
    begin_rounds();
    body(1);
    keep_a_message();
    struct counters before = count_settled();
    begin_rounds();
    zx_time_t start = zx_clock_get_monotonic();
    body(share_of(all));
    print_tallies(name, zx_clock_get_monotonic() - start);
    keep_a_message();
    expect_back(name, before);
}
