/*
 * t_ulib_loop.c - <jacinth/loop.h>: signals, tasks, times, and the end of a loop.
 */
#include <jacinth/loop.h>
#include <jacinth/utest.h>
#include <stddef.h>
#include <threads.h>

#include "core-tests/support.h"

static struct jx_loop *make_loop(void) {
    struct jx_loop *loop = NULL;
    EXPECT_OK(jx_loop_create(&loop));
    return loop;
}

struct numbered {
    struct jx_task task;
    int number;
};
static int order[8], ran, canceled;

static void note(struct jx_loop *loop, struct jx_task *task, zx_status_t status) {
    if (status == ZX_OK)
        order[ran++ % 8] = ((struct numbered *)task)->number;
    else
        canceled++;
}

TEST(jx_loop_runs_tasks_by_time_and_then_as_they_came) {
    struct jx_loop *loop = make_loop();
    struct numbered tasks[5];
    zx_time_t soon = zx_deadline_after(ZX_MSEC(2));
    const zx_time_t times[] = {soon + 1, 0, soon, 0, soon};
    ran = 0;
    for (int i = 0; i < 5; i++) {
        tasks[i] = (struct numbered){{.function = note}, i};
        jx_loop_post(loop, &tasks[i].task, times[i]);
    }
    EXPECT_OK(jx_loop_cancel_task(loop, &tasks[4].task));
    EXPECT_EQ(ZX_ERR_NOT_FOUND, jx_loop_cancel_task(loop, &tasks[4].task));
    EXPECT_EQ(ZX_ERR_TIMED_OUT, jx_loop_run(loop, soon + 1));
    REQUIRE_EQ(4, ran);
    EXPECT_EQ(1, order[0]);
    EXPECT_EQ(3, order[1]);
    EXPECT_EQ(2, order[2]);
    EXPECT_EQ(0, order[3]);
    EXPECT(zx_clock_get_monotonic() > soon);
    EXPECT_EQ(ZX_ERR_NOT_FOUND, jx_loop_cancel_task(loop, &tasks[0].task));
    jx_loop_destroy(loop);
}

struct counted_wait {
    struct jx_wait wait;
    int left, called;
    zx_status_t last;
};

/* Waits again until it has been called often enough, then ends the loop. */
static void on_signal(struct jx_loop *loop, struct jx_wait *wait, zx_status_t status,
                      const zx_packet_signal_t *packet) {
    struct counted_wait *counted = (struct counted_wait *)wait;
    counted->called++;
    counted->last = status;
    if (status != ZX_OK)
        return;
    EXPECT_EQ(wait->signals, packet->observed & wait->signals);
    if (--counted->left == 0)
        jx_loop_quit(loop);
    else
        EXPECT_OK(jx_loop_wait(loop, wait));
}

TEST(jx_loop_calls_for_signals_and_quits) {
    struct jx_loop *loop = make_loop();
    zx_handle_t event;
    REQUIRE_OK(zx_event_create(0, &event));
    struct counted_wait counted = {
        .wait = {.handle = event, .signals = ZX_USER_SIGNAL_0, .function = on_signal}, .left = 3};
    EXPECT_OK(jx_loop_wait(loop, &counted.wait));
    EXPECT_EQ(ZX_ERR_TIMED_OUT, jx_loop_run(loop, 0));
    EXPECT_EQ(0, counted.called);
    EXPECT_OK(zx_object_signal(event, 0, ZX_USER_SIGNAL_0));
    EXPECT_EQ(ZX_ERR_CANCELED, jx_loop_run(loop, ZX_TIME_INFINITE));
    EXPECT_EQ(3, counted.called);
    EXPECT_EQ(ZX_ERR_NOT_FOUND, jx_loop_cancel_wait(loop, &counted.wait));

    /* A packet that lies in the port already is cancelled as well. */
    EXPECT_OK(jx_loop_wait(loop, &counted.wait));
    EXPECT_OK(jx_loop_cancel_wait(loop, &counted.wait));
    EXPECT_EQ(ZX_ERR_TIMED_OUT, jx_loop_run(loop, 0));
    EXPECT_EQ(3, counted.called);

    counted.wait.handle = ZX_HANDLE_INVALID;
    EXPECT_EQ(ZX_ERR_BAD_HANDLE, jx_loop_wait(loop, &counted.wait));
    jx_loop_destroy(loop);
    close_handle(event);
}

TEST(jx_loop_destroy_cancels_what_is_left) {
    struct jx_loop *loop = make_loop();
    zx_handle_t event;
    struct numbered task = {.task = {.function = note}};
    REQUIRE_OK(zx_event_create(0, &event));
    struct counted_wait counted = {
        .wait = {.handle = event, .signals = ZX_USER_SIGNAL_0, .function = on_signal}, .left = 1};
    unsigned before = own_handles();
    canceled = 0;
    EXPECT_OK(jx_loop_wait(loop, &counted.wait));
    jx_loop_post(loop, &task.task, ZX_TIME_INFINITE);
    jx_loop_destroy(loop);
    EXPECT_EQ(1, counted.called);
    EXPECT_EQ(ZX_ERR_CANCELED, counted.last);
    EXPECT_EQ(1, canceled);
    EXPECT_EQ(before - 1, own_handles()); /* the port */
    close_handle(event);
}

#define POSTS 200
static struct numbered posted[POSTS];

static int post_from_outside(void *argument) {
    for (int i = 0; i < POSTS; i++) {
        posted[i] = (struct numbered){{.function = note}, i};
        jx_loop_post(argument, &posted[i].task, 0);
        if (i % 16 == 0)
            thrd_yield();
    }
    jx_loop_quit(argument);
    return 0;
}

TEST(jx_loop_takes_tasks_and_the_end_from_other_threads) {
    struct jx_loop *loop = make_loop();
    thrd_t thread;
    ran = 0;
    REQUIRE_EQ(thrd_success, thrd_create(&thread, post_from_outside, loop));
    EXPECT_EQ(ZX_ERR_CANCELED, jx_loop_run(loop, ZX_TIME_INFINITE));
    thrd_join(thread, NULL);
    EXPECT_EQ(ZX_ERR_TIMED_OUT, jx_loop_run(loop, 0)); /* what came before the end */
    EXPECT_EQ(POSTS, ran);
    jx_loop_destroy(loop);
}
