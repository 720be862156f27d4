/*
 * loop.h - one thread that reacts to many things: signals of objects, times, and tasks
 * that other threads hand to it.
 *
 * What the loop is to do is a structure of the caller's, usually inside a larger one,
 * that belongs to the loop from when it is handed over until its function is called or
 * it is cancelled. The function may hand it over again. All functions run in the
 * thread that runs the loop, one after another; any thread may call the rest.
 */
#pragma once

#include <stdbool.h>
#include <zircon/syscalls/port.h>
#include <zircon/types.h>

struct jx_loop;

/* Wait for signals of an object. Set the first three, leave the others. */
struct jx_wait {
    zx_handle_t handle; /* borrowed until the wait is over */
    zx_signals_t signals;
    /* `status`: ZX_OK, or ZX_ERR_CANCELED, without a packet, when the loop is destroyed. */
    void (*function)(struct jx_loop *loop, struct jx_wait *wait, zx_status_t status,
                     const zx_packet_signal_t *packet);
    struct jx_wait *next, *previous;
};

/* Do something, at once or at some time. Set the first, leave the others. */
struct jx_task {
    /* `status`: ZX_OK, or ZX_ERR_CANCELED when the loop is destroyed. */
    void (*function)(struct jx_loop *loop, struct jx_task *task, zx_status_t status);
    zx_time_t time;
    struct jx_task *next, *previous;
};

zx_status_t jx_loop_create(struct jx_loop **out);
/* Nobody runs it any more. Calls what it still has with ZX_ERR_CANCELED. */
void jx_loop_destroy(struct jx_loop *loop);

/*
 * React to what happens. ZX_ERR_TIMED_OUT at the deadline, once nothing is left to do at
 * that moment; ZX_ERR_CANCELED after jx_loop_quit. It may be run again.
 */
zx_status_t jx_loop_run(struct jx_loop *loop, zx_time_t deadline);
/* End jx_loop_run after the function that it is in, or the next run at once. */
void jx_loop_quit(struct jx_loop *loop);

/* Wait for the signals once; the errors of zx_object_wait_async. */
zx_status_t jx_loop_wait(struct jx_loop *loop, struct jx_wait *wait);
/* ZX_ERR_NOT_FOUND: too late (its function has been called, or is about to be), or never begun. */
zx_status_t jx_loop_cancel_wait(struct jx_loop *loop, struct jx_wait *wait);

/*
 * Run a task at a time, or at once (0). Tasks of one time run in the order they came. Costs a
 * step for each task that is due later.
 */
void jx_loop_post(struct jx_loop *loop, struct jx_task *task, zx_time_t time);
/* ZX_ERR_NOT_FOUND as for waits. */
zx_status_t jx_loop_cancel_task(struct jx_loop *loop, struct jx_task *task);
