/*
 * t_futex.c - wakes and moves of waiters against deadlines, suspensions and each other:
 * each wake wakes exactly one, if one sleeps.
 *
 * There is no test of a waiter that is killed, because nobody outlives that: a futex is of
 * one process, and so is a kill; t_stop.c has it.
 */
#include <jacinth/utest.h>
#include <zircon/syscalls.h>

#include "core-tests/debuggee.h"
#include "races/race.h"

#define WAITERS 3

struct waiter {
    struct runner runner;
    zx_time_t deadline;
};
static struct waiter waiters[WAITERS];
static zx_futex_t word, other_word;

static void start_waiters(void) {
    for (int i = 0; i < WAITERS; i++)
        runner_start(&waiters[i].runner);
}
static void end_waiters(void) {
    for (int i = 0; i < WAITERS; i++)
        runner_end(&waiters[i].runner);
}

static zx_status_t sleep_on_word(void *argument) {
    const struct waiter *waiter = argument;
    return zx_futex_wait(&word, 0, ZX_HANDLE_INVALID, waiter->deadline);
}
static void go_to_sleep(int i, zx_time_t deadline) {
    waiters[i].deadline = deadline;
    runner_go(&waiters[i].runner, sleep_on_word, &waiters[i]);
    runner_await_state(&waiters[i].runner, ZX_THREAD_STATE_BLOCKED_FUTEX);
}
static bool is_done(int i) {
    return atomic_load(&waiters[i].runner.done) == atomic_load(&waiters[i].runner.ordered);
}

/* The second one sleeps in any case. */
static void await_one_of_two(void) {
    zx_time_t limit = PATIENCE;
    while (!is_done(1) && !(is_done(0) && waiters[0].runner.status == ZX_OK)) {
        if (zx_clock_get_monotonic() > limit)
            race_hangs("a wake of which nobody woke");
        (void)zx_nanosleep(zx_deadline_after(ZX_USEC(20)));
    }
}

/* The first one times out when it is woken: it takes the wake, or leaves it to the next. */
RACE(a_wake_is_not_lost_to_a_waiter_that_times_out, 120) {
    start_waiters();
    for (unsigned i = 0; i < rounds; i++) {
        go_to_sleep(0, zx_deadline_after((zx_duration_t)race_random(ZX_USEC(300))));
        go_to_sleep(1, ZX_TIME_INFINITE);
        race_moment();
        EXPECT_OK(zx_futex_wake(&word, 1));
        await_one_of_two();
        zx_status_t first = runner_finish(&waiters[0].runner);
        LEGAL("the first", "with a deadline", first, ZX_OK, ZX_ERR_TIMED_OUT);
        if (first == ZX_OK) { /* so the second sleeps still */
            EXPECT(!is_done(1));
            EXPECT_OK(zx_futex_wake(&word, 1));
        }
        EXPECT_OK(runner_finish(&waiters[1].runner));
    }
    end_waiters();
}

/* The same with a suspension, which takes a waiter off the queue until it is resumed. */
RACE(a_wake_is_not_lost_to_a_waiter_that_is_suspended, 100) {
    start_waiters();
    for (unsigned i = 0; i < rounds; i++) {
        zx_handle_t token = ZX_HANDLE_INVALID;
        go_to_sleep(0, ZX_TIME_INFINITE);
        go_to_sleep(1, ZX_TIME_INFINITE);
        EXPECT_OK(zx_task_suspend(waiters[0].runner.self, &token));
        race_moment();
        EXPECT_OK(zx_futex_wake(&word, 1));
        close_handle(token);
        await_one_of_two();
        bool is_second = is_done(1);
        race_count("woken: the second", is_second ? ZX_OK : ZX_ERR_TIMED_OUT);
        /* One was woken, so the other one sleeps, or will. */
        runner_await_state(&waiters[is_second ? 0 : 1].runner, ZX_THREAD_STATE_BLOCKED_FUTEX);
        EXPECT(!is_done(is_second ? 0 : 1));
        EXPECT_OK(zx_futex_wake(&word, 1));
        EXPECT_OK(runner_finish(&waiters[0].runner));
        EXPECT_OK(runner_finish(&waiters[1].runner));
    }
    end_waiters();
}

/* --- requeue --- */

static zx_status_t requeue(void *argument) {
    race_moment();
    return zx_futex_requeue(&word, 1, 0, &other_word, UINT32_MAX, ZX_HANDLE_INVALID);
}

static unsigned count_done(void) {
    unsigned count = 0;
    for (int i = 0; i < WAITERS; i++)
        count += is_done(i);
    return count;
}

/* Nobody is left on the first word, and nobody is lost between the two. */
RACE(requeue_against_wake_leaves_everybody_on_one_of_the_words, 80) {
    struct runner mover;
    runner_start(&mover);
    start_waiters();
    for (unsigned i = 0; i < rounds; i++) {
        for (int j = 0; j < WAITERS; j++)
            go_to_sleep(j, ZX_TIME_INFINITE);
        runner_go(&mover, requeue, NULL);
        race_moment();
        EXPECT_OK(zx_futex_wake(&word, 1));
        EXPECT_OK(runner_finish(&mover));
        unsigned woken = count_done(); /* or on their way: one or two */
        EXPECT(woken <= 2);
        EXPECT_OK(zx_futex_wake(&other_word, UINT32_MAX));
        for (int j = 0; j < WAITERS; j++)
            LEGAL("a waiter", "moved or woken", runner_finish(&waiters[j].runner), ZX_OK);
    }
    end_waiters();
    runner_end(&mover);
}

/* A waiter that was moved times out where it is, and the wake there is for the others. */
RACE(requeue_and_wake_against_deadlines_lose_no_wake, 80) {
    struct runner mover;
    runner_start(&mover);
    start_waiters();
    for (unsigned i = 0; i < rounds; i++) {
        go_to_sleep(0, zx_deadline_after((zx_duration_t)race_random(ZX_USEC(400))));
        go_to_sleep(1, zx_deadline_after((zx_duration_t)race_random(ZX_USEC(400))));
        go_to_sleep(2, ZX_TIME_INFINITE);
        runner_go(&mover, requeue, NULL); /* wakes one of those that are there, moves the rest */
        EXPECT_OK(runner_finish(&mover));
        race_moment();
        EXPECT_OK(zx_futex_wake(&other_word, UINT32_MAX));
        for (int j = 0; j < 2; j++)
            LEGAL("a waiter", "with a deadline", runner_finish(&waiters[j].runner), ZX_OK,
                  ZX_ERR_TIMED_OUT);
        LEGAL("a waiter", "without one", runner_finish(&waiters[2].runner), ZX_OK);
    }
    end_waiters();
    runner_end(&mover);
}

/* --- owners --- */

static zx_status_t end_soon(void *argument) {
    race_moment();
    return ZX_OK;
}

static zx_koid_t owner_of(const zx_futex_t *futex) {
    zx_koid_t koid = 99;
    EXPECT_OK(zx_futex_get_owner(futex, &koid));
    return koid;
}

/* An owner that ends is no owner any more, however close that is to its becoming one. */
RACE(an_owner_that_ends_is_forgotten, 30) {
    start_waiters();
    for (unsigned i = 0; i < rounds; i++) {
        struct runner owner;
        runner_start(&owner);
        zx_handle_t thread = copy_with(owner.self, ZX_RIGHT_SAME_RIGHTS);
        zx_koid_t koid = koid_of(thread);
        go_to_sleep(0, ZX_TIME_INFINITE);
        runner_go(&owner, end_soon, NULL);
        EXPECT_OK(runner_finish(&owner));
        runner_go(&owner, NULL, NULL); /* it ends */
        race_moment();
        EXPECT_OK(zx_futex_requeue(&word, 0, 0, &other_word, 1, thread));
        zx_koid_t now = owner_of(&other_word);
        race_count("owner", now == koid ? ZX_OK : ZX_ERR_NOT_FOUND);
        EXPECT(now == koid || now == ZX_KOID_INVALID);
        EXPECT_EQ(thrd_success, thrd_join(owner.thread, NULL));
        EXPECT_OK(zx_object_wait_one(thread, ZX_THREAD_TERMINATED, PATIENCE, NULL));
        EXPECT_EQ(ZX_KOID_INVALID, owner_of(&other_word));
        EXPECT_OK(zx_futex_wake(&other_word, 1));
        EXPECT_OK(runner_finish(&waiters[0].runner));
        close_handle(thread);
    }
    end_waiters();
}
