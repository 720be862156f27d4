/*
 * t_ulib_sync.c - <jacinth/sync.h>: each way to wait, with threads that need it.
 */
#include <jacinth/sync.h>
#include <jacinth/utest.h>
#include <threads.h>

#include "core-tests/support.h"

#define THREADS 4
#define ROUNDS  500

static void run_threads(thrd_start_t function, void *argument) {
    thrd_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        REQUIRE_EQ(thrd_success, thrd_create(&threads[i], function, argument));
    for (int i = 0; i < THREADS; i++)
        thrd_join(threads[i], NULL);
}

static struct jx_mutex mutex;
static int counter;

static int count_up(void *argument) {
    for (int i = 0; i < ROUNDS; i++) {
        jx_mutex_lock(&mutex);
        int was = counter;
        if (i % 16 == 0)
            thrd_yield();
        counter = was + 1;
        jx_mutex_unlock(&mutex);
    }
    return 0;
}

TEST(jx_mutex_lets_one_thread_in_at_a_time) {
    counter = 0;
    run_threads(count_up, NULL);
    EXPECT_EQ(THREADS * ROUNDS, counter);
    EXPECT(jx_mutex_try_lock(&mutex));
    EXPECT(!jx_mutex_try_lock(&mutex));
    EXPECT_EQ(ZX_ERR_TIMED_OUT, jx_mutex_lock_until(&mutex, zx_deadline_after(ZX_MSEC(1))));
    jx_mutex_unlock(&mutex);
    EXPECT_OK(jx_mutex_lock_until(&mutex, 0));
    jx_mutex_unlock(&mutex);
}

/* Two threads take turns; a lost wake-up would leave both asleep. */
static struct jx_condition turn_changed;
static int turn;

static int take_turns(void *argument) {
    int mine = *(int *)argument;
    for (int i = 0; i < ROUNDS; i++) {
        jx_mutex_lock(&mutex);
        while (turn != mine)
            (void)jx_condition_wait(&turn_changed, &mutex, ZX_TIME_INFINITE);
        turn = !mine;
        jx_condition_broadcast(&turn_changed);
        jx_mutex_unlock(&mutex);
    }
    return 0;
}

TEST(jx_condition_wakes_who_waits_and_times_out) {
    int first = 0, second = 1;
    thrd_t threads[2];
    turn = 0;
    REQUIRE_EQ(thrd_success, thrd_create(&threads[0], take_turns, &first));
    REQUIRE_EQ(thrd_success, thrd_create(&threads[1], take_turns, &second));
    thrd_join(threads[0], NULL);
    thrd_join(threads[1], NULL);
    EXPECT_EQ(0, turn);
    jx_mutex_lock(&mutex);
    EXPECT_EQ(ZX_ERR_TIMED_OUT,
              jx_condition_wait(&turn_changed, &mutex, zx_deadline_after(ZX_MSEC(1))));
    EXPECT(!jx_mutex_try_lock(&mutex));
    jx_mutex_unlock(&mutex);
    EXPECT_EQ(0, turn_changed.waiters);
}

static struct jx_semaphore semaphore;
static _Atomic(int) taken;

static int take_many(void *argument) {
    for (int i = 0; i < ROUNDS; i++) {
        if (jx_semaphore_wait(&semaphore, ZX_TIME_INFINITE) == ZX_OK)
            taken++;
    }
    return 0;
}
static int post_many(void *argument) {
    for (int i = 0; i < THREADS * ROUNDS / 2; i++)
        jx_semaphore_post(&semaphore, 2);
    return 0;
}

TEST(jx_semaphore_gives_out_exactly_what_was_posted) {
    thrd_t poster;
    semaphore = (struct jx_semaphore){.count = 1};
    taken = 0;
    REQUIRE_EQ(thrd_success, thrd_create(&poster, post_many, NULL));
    run_threads(take_many, NULL);
    thrd_join(poster, NULL);
    EXPECT_EQ(THREADS * ROUNDS, taken);
    EXPECT_OK(jx_semaphore_wait(&semaphore, 0));
    EXPECT_EQ(ZX_ERR_TIMED_OUT, jx_semaphore_wait(&semaphore, 0));
    EXPECT_EQ(ZX_ERR_TIMED_OUT, jx_semaphore_wait(&semaphore, zx_deadline_after(ZX_MSEC(1))));
    EXPECT_EQ(0, semaphore.count);
    EXPECT_EQ(0, semaphore.waiters);
}

static struct jx_once once;

static void do_once(void *argument) {
    int was = *(int *)argument;
    (void)zx_nanosleep(zx_deadline_after(ZX_MSEC(2)));
    *(int *)argument = was + 1;
}
static int come_once(void *argument) {
    jx_once(&once, do_once, argument);
    return EXPECT_EQ(1, *(int *)argument), 0;
}

TEST(jx_once_runs_once_and_everybody_sees_it_done) {
    int done = 0;
    once = (struct jx_once){0};
    run_threads(come_once, &done);
    EXPECT_EQ(1, done);
}

/* One writer counts up, readers wait for each value without a lock. */
static struct jx_event_count changes;
static _Atomic(int) value;

static int see_all(void *argument) {
    while (value < ROUNDS) {
        int seen = value;
        int key = jx_event_count_prepare(&changes);
        if (value != seen || seen == ROUNDS)
            jx_event_count_cancel(&changes);
        else
            (void)jx_event_count_wait(&changes, key, ZX_TIME_INFINITE);
    }
    return 0;
}
static int change_all(void *argument) {
    for (int i = 0; i < ROUNDS; i++) {
        value++;
        jx_event_count_notify(&changes, UINT32_MAX);
        if (i % 8 == 0)
            thrd_yield();
    }
    return 0;
}

TEST(jx_event_count_misses_no_change) {
    thrd_t writer;
    value = 0;
    REQUIRE_EQ(thrd_success, thrd_create(&writer, change_all, NULL));
    run_threads(see_all, NULL);
    thrd_join(writer, NULL);
    EXPECT_EQ(ROUNDS, value);
    EXPECT_EQ(0, changes.waiters);
    int key = jx_event_count_prepare(&changes);
    EXPECT_EQ(ZX_ERR_TIMED_OUT, jx_event_count_wait(&changes, key, zx_deadline_after(ZX_MSEC(1))));
}
