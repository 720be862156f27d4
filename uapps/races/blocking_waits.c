/*
 * blocking_waits.c - objects with signals, one of each type, and ends of handles.
 */
#include "races/blocking_waits.h"

#include <jacinth/utest.h>
#include <zircon/syscalls/clock.h>
#include <zircon/syscalls/log.h>
#include <zircon/syscalls/types.h>

#include "core-tests/support.h"
#include "races/race.h"

/* --- ends of handles --- */

void end_close(struct scene *s) {
    zx_handle_t handle = s->handle;
    s->handle = ZX_HANDLE_INVALID;
    close_handle(handle);
}

void end_close_other(struct scene *s) {
    close_handle(s->other);
    s->other = ZX_HANDLE_INVALID;
}

void end_replace(struct scene *s) {
    zx_handle_t handle = s->handle;
    s->handle = ZX_HANDLE_INVALID;
    EXPECT_OK(zx_handle_replace(handle, ZX_RIGHT_SAME_RIGHTS, &s->more[0]));
}

/* Into a channel that goes with the scene. */
void end_transfer(struct scene *s) {
    EXPECT_OK(zx_channel_create(0, &s->more[1], &s->more[2]));
    EXPECT_OK(zx_channel_write(s->more[1], 0, NULL, 0, &s->handle, 1));
    s->handle = ZX_HANDLE_INVALID;
}

void end_transfer_etc(struct scene *s) {
    zx_handle_disposition_t moved = {.operation = ZX_HANDLE_OP_MOVE,
                                     .handle = s->handle,
                                     .rights = ZX_RIGHT_SAME_RIGHTS};
    EXPECT_OK(zx_channel_create(0, &s->more[1], &s->more[2]));
    EXPECT_OK(zx_channel_write_etc(s->more[1], 0, NULL, 0, &moved, 1));
    s->handle = ZX_HANDLE_INVALID;
}

void end_happen_and_close(struct scene *s) {
    happen_event(s);
    end_close(s);
}

/* --- waits --- */

static void wait_for(struct scene *s, zx_signals_t signals, zx_time_t deadline) {
    s->arguments[0] = THE_HANDLE;
    s->arguments[1] = signals;
    s->arguments[2] = (uint64_t)deadline;
    s->arguments[3] = s->seen + SCENE_RESULT;
}

/* To the caller's end of a pair, which goes with a caller that is killed. */
static void expect_sent(const struct scene *s, zx_status_t status) {
    if (status != ZX_ERR_PEER_CLOSED || !s->may_be_dead)
        EXPECT_OK(status);
}

/* The caller's handle is a second one. */
static void share(struct scene *s) { s->handle = copy_with(s->other, ZX_RIGHT_SAME_RIGHTS); }

void make_wait_event(struct scene *s) {
    s->other = make_event();
    share(s);
    wait_for(s, ZX_EVENT_SIGNALED, ZX_TIME_INFINITE);
}

void make_wait_event_until(struct scene *s) {
    make_wait_event(s);
    s->deadline = zx_deadline_after((zx_duration_t)race_random(ZX_USEC(600)));
    s->arguments[2] = (uint64_t)s->deadline;
}

/* The same handle twice; the caller puts its value into both items. */
void make_wait_many(struct scene *s) {
    zx_wait_item_t *items = (void *)((char *)(uintptr_t)s->page + HANDLE_PLACE);
    make_wait_event(s);
    items[0] = (zx_wait_item_t){0, ZX_USER_SIGNAL_0, 0};
    items[1] = (zx_wait_item_t){0, ZX_EVENT_SIGNALED, 0};
    s->arguments[0] = s->seen + HANDLE_PLACE;
    s->arguments[1] = 2;
    s->arguments[2] = (uint64_t)ZX_TIME_INFINITE;
}

void happen_event(struct scene *s) { EXPECT_OK(zx_object_signal(s->other, 0, ZX_EVENT_SIGNALED)); }

/* A wait of the dead hinders nobody. */
void use_event(struct scene *s) {
    happen_event(s);
    EXPECT_OK(zx_object_wait_one(s->other, ZX_EVENT_SIGNALED, 0, NULL));
}

void make_wait_channel(struct scene *s) {
    EXPECT_OK(zx_channel_create(0, &s->handle, &s->other));
    wait_for(s, ZX_CHANNEL_READABLE | ZX_CHANNEL_PEER_CLOSED, ZX_TIME_INFINITE);
}
void happen_channel(struct scene *s) {
    expect_sent(s, zx_channel_write(s->other, 0, "text", 4, NULL, 0));
}

void make_wait_socket(struct scene *s) {
    EXPECT_OK(zx_socket_create(0, &s->handle, &s->other));
    wait_for(s, ZX_SOCKET_READABLE | ZX_SOCKET_PEER_CLOSED, ZX_TIME_INFINITE);
}
void happen_socket(struct scene *s) {
    expect_sent(s, zx_socket_write(s->other, 0, "text", 4, NULL));
}

void make_wait_fifo(struct scene *s) {
    EXPECT_OK(zx_fifo_create(4, 4, 0, &s->handle, &s->other));
    wait_for(s, ZX_FIFO_READABLE | ZX_FIFO_PEER_CLOSED, ZX_TIME_INFINITE);
}
void happen_fifo(struct scene *s) {
    expect_sent(s, zx_fifo_write(s->other, 4, "text", 1, NULL));
}

void make_wait_eventpair(struct scene *s) {
    EXPECT_OK(zx_eventpair_create(0, &s->handle, &s->other));
    wait_for(s, ZX_EVENTPAIR_SIGNALED | ZX_EVENTPAIR_PEER_CLOSED, ZX_TIME_INFINITE);
}
void happen_eventpair(struct scene *s) {
    expect_sent(s, zx_object_signal_peer(s->other, 0, ZX_EVENTPAIR_SIGNALED));
}

void make_wait_timer(struct scene *s) {
    EXPECT_OK(zx_timer_create(0, ZX_CLOCK_MONOTONIC, &s->other));
    share(s);
    wait_for(s, ZX_TIMER_SIGNALED, ZX_TIME_INFINITE);
}
void happen_timer(struct scene *s) {
    zx_duration_t soon = (zx_duration_t)race_random(ZX_USEC(50));
    EXPECT_OK(zx_timer_set(s->other, zx_deadline_after(soon), 0));
}

/* --- tasks: never started, so a kill ends them at once --- */

void make_wait_process(struct scene *s) {
    EXPECT_OK(zx_process_create(zx_job_default(), "waited", 6, 0, &s->other, &s->more[0]));
    share(s);
    wait_for(s, ZX_PROCESS_TERMINATED, ZX_TIME_INFINITE);
}
void make_wait_job(struct scene *s) {
    EXPECT_OK(zx_job_create(zx_job_default(), 0, &s->other));
    share(s);
    wait_for(s, ZX_JOB_TERMINATED, ZX_TIME_INFINITE);
}
void happen_killed(struct scene *s) { EXPECT_OK(zx_task_kill(s->other)); }

/* Whoever waits for a process's exceptions hears of its end. */
void make_wait_exception(struct scene *s) {
    EXPECT_OK(zx_process_create(zx_job_default(), "watched", 7, 0, &s->other, &s->more[0]));
    EXPECT_OK(zx_task_create_exception_channel(s->other, 0, &s->handle));
    wait_for(s, ZX_CHANNEL_READABLE | ZX_CHANNEL_PEER_CLOSED, ZX_TIME_INFINITE);
}

/* --- memory, clocks, the log --- */

void make_wait_vmo(struct scene *s) {
    s->other = make_vmo(1);
    s->more[0] = make_snapshot(s->other, 1);
    share(s);
    wait_for(s, ZX_VMO_ZERO_CHILDREN, ZX_TIME_INFINITE);
}
void happen_vmo(struct scene *s) {
    close_handle(s->more[0]);
    s->more[0] = ZX_HANDLE_INVALID;
}

void make_wait_clock(struct scene *s) {
    EXPECT_OK(zx_clock_create(0, NULL, &s->other));
    share(s);
    wait_for(s, ZX_CLOCK_STARTED, ZX_TIME_INFINITE);
}
void happen_clock(struct scene *s) {
    zx_clock_update_args_v1_t args = {.value = 1};
    EXPECT_OK(zx_clock_update(
        s->other, ZX_CLOCK_ARGS_VERSION(1) | ZX_CLOCK_UPDATE_OPTION_VALUE_VALID, &args));
}

void make_wait_stream(struct scene *s) {
    s->more[0] = make_vmo(1);
    EXPECT_OK(zx_stream_create(0, s->more[0], 0, &s->other));
    share(s);
    wait_for(s, ZX_USER_SIGNAL_0, ZX_TIME_INFINITE);
}
void happen_stream(struct scene *s) { EXPECT_OK(zx_object_signal(s->other, 0, ZX_USER_SIGNAL_0)); }

/* Another record makes it readable; all that was there is passed. */
void make_wait_log(struct scene *s) {
    zx_log_record_t record;
    EXPECT_OK(zx_debuglog_create(root_resource(), ZX_LOG_FLAG_READABLE, &s->other));
    share(s);
    while (zx_debuglog_read(s->other, 0, &record, sizeof record) > 0)
        ;
    wait_for(s, ZX_LOG_READABLE, ZX_TIME_INFINITE);
}
void happen_log(struct scene *s) {
    EXPECT_OK(zx_debuglog_write(s->other, 0, "races", 5));
}
