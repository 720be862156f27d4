/*
 * sync.h - ways for the threads of a process to wait for each other, on futexes.
 *
 * All of them are free to make: memory of zeros is ready for use, and nothing is to be
 * destroyed. None enters the kernel when nobody has to wait or to be woken. Deadlines are
 * times of zx_clock_get_monotonic; ZX_TIME_INFINITE waits for ever, 0 does not wait.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <zircon/types.h>

/* --- mutex: one thread at a time; not recursive --- */

struct jx_mutex {
    _Atomic(int) state; /* 0 free, 1 taken, 2 taken and somebody may sleep */
};

void jx_mutex_lock(struct jx_mutex *mutex);
/* ZX_ERR_TIMED_OUT when the deadline passes first. */
zx_status_t jx_mutex_lock_until(struct jx_mutex *mutex, zx_time_t deadline);
bool jx_mutex_try_lock(struct jx_mutex *mutex);
void jx_mutex_unlock(struct jx_mutex *mutex);

/* --- condition: sleep until another thread has changed what a mutex guards --- */

struct jx_condition {
    _Atomic(int) sequence; /* moves on with every wake-up */
    _Atomic(int) waiters;
};

/*
 * Give the mutex back, sleep, take it again. It may return without a wake-up, so the caller
 * looks again at what it waits for. ZX_ERR_TIMED_OUT: the deadline passed; the mutex is held
 * in any case.
 */
zx_status_t jx_condition_wait(struct jx_condition *condition, struct jx_mutex *mutex,
                              zx_time_t deadline);
/* Wake one waiter, or all; with or without the mutex. */
void jx_condition_signal(struct jx_condition *condition);
void jx_condition_broadcast(struct jx_condition *condition);

/* --- semaphore: a count that never falls below zero --- */

struct jx_semaphore {
    _Atomic(int) count; /* set it to what the semaphore begins with */
    _Atomic(int) waiters;
};

/* Add to the count, which stays at most INT32_MAX (the caller's care). */
void jx_semaphore_post(struct jx_semaphore *semaphore, unsigned count);
/* Take one, once there is one. ZX_ERR_TIMED_OUT when the deadline passes first. */
zx_status_t jx_semaphore_wait(struct jx_semaphore *semaphore, zx_time_t deadline);

/* --- once: one thread does it, the others wait until it is done --- */

struct jx_once {
    _Atomic(int) state;
};

void jx_once(struct jx_once *once, void (*function)(void *argument), void *argument);

/* --- event count: a condition for data that no mutex guards --- */

struct jx_event_count {
    _Atomic(int) sequence;
    _Atomic(int) waiters;
};

/*
 * Who waits takes a key, then looks at the data. If there is nothing yet, it waits with
 * the key, else it cancels. Each key goes to exactly one of the two:
 *
 *     int key = jx_event_count_prepare(&count);
 *     if (queue_is_empty(queue))
 *         status = jx_event_count_wait(&count, key, deadline);
 *     else
 *         jx_event_count_cancel(&count);
 *
 * What was changed before a notification is never missed. A wait may also end without one.
 */
int jx_event_count_prepare(struct jx_event_count *count);
void jx_event_count_cancel(struct jx_event_count *count);
zx_status_t jx_event_count_wait(struct jx_event_count *count, int key, zx_time_t deadline);
/* After the change: wake up to so many waiters, UINT32_MAX for all. */
void jx_event_count_notify(struct jx_event_count *count, uint32_t waiters);
