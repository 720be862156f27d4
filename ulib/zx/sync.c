/*
 * sync.c - waiting by futexes.
 *
 * Everywhere a waiter first says that it is there, then looks (the kernel looks once more,
 * under its lock), while a waker first changes, then asks whether anybody is there. Both
 * orders are sequentially consistent, so one of them sees the other.
 */
#include <jacinth/sync.h>

#include <stdatomic.h>
#include <zircon/syscalls.h>

#include "c/lock.h"

/* --- mutex and condition --- */

void jx_mutex_lock(struct jx_mutex *mutex) {
    (void)lock_take_until(&mutex->state, ZX_TIME_INFINITE);
}
zx_status_t jx_mutex_lock_until(struct jx_mutex *mutex, zx_time_t deadline) {
    return lock_take_until(&mutex->state, deadline);
}
bool jx_mutex_try_lock(struct jx_mutex *mutex) {
    return lock_try(&mutex->state);
}
void jx_mutex_unlock(struct jx_mutex *mutex) {
    lock_give(&mutex->state);
}

static zx_status_t sleep_on(_Atomic(int) *word, int value, _Atomic(int) *waiters,
                            zx_time_t deadline) {
    zx_status_t status = zx_futex_wait(word, value, ZX_HANDLE_INVALID, deadline);
    atomic_fetch_sub(waiters, 1);
    return status == ZX_ERR_TIMED_OUT ? ZX_ERR_TIMED_OUT : ZX_OK;
}

static void move_on(_Atomic(int) *sequence, _Atomic(int) *waiters, uint32_t count) {
    atomic_fetch_add(sequence, 1);
    if (atomic_load(waiters) > 0)
        (void)zx_futex_wake(sequence, count);
}

zx_status_t jx_condition_wait(struct jx_condition *condition, struct jx_mutex *mutex,
                              zx_time_t deadline) {
    atomic_fetch_add(&condition->waiters, 1);
    int sequence = atomic_load(&condition->sequence);
    jx_mutex_unlock(mutex);
    zx_status_t status = sleep_on(&condition->sequence, sequence, &condition->waiters, deadline);
    jx_mutex_lock(mutex);
    return status;
}

void jx_condition_signal(struct jx_condition *condition) {
    move_on(&condition->sequence, &condition->waiters, 1);
}
void jx_condition_broadcast(struct jx_condition *condition) {
    move_on(&condition->sequence, &condition->waiters, UINT32_MAX);
}

/* --- semaphore --- */

void jx_semaphore_post(struct jx_semaphore *semaphore, unsigned count) {
    atomic_fetch_add(&semaphore->count, (int)count);
    if (atomic_load(&semaphore->waiters) > 0)
        (void)zx_futex_wake(&semaphore->count, count);
}

static bool take_one(struct jx_semaphore *semaphore) {
    int count = atomic_load(&semaphore->count);
    while (count > 0) {
        if (atomic_compare_exchange_weak(&semaphore->count, &count, count - 1))
            return true;
    }
    return false;
}

zx_status_t jx_semaphore_wait(struct jx_semaphore *semaphore, zx_time_t deadline) {
    while (!take_one(semaphore)) {
        atomic_fetch_add(&semaphore->waiters, 1);
        if (sleep_on(&semaphore->count, 0, &semaphore->waiters, deadline) != ZX_OK)
            return take_one(semaphore) ? ZX_OK : ZX_ERR_TIMED_OUT;
    }
    return ZX_OK;
}

/* --- once --- */

void jx_once(struct jx_once *once, void (*function)(void *argument), void *argument) {
    enum { NOT_YET, RUNNING, DONE };
    int state = NOT_YET;
    if (atomic_load_explicit(&once->state, memory_order_acquire) == DONE)
        return;
    if (atomic_compare_exchange_strong(&once->state, &state, RUNNING)) {
        function(argument);
        atomic_store(&once->state, DONE);
        (void)zx_futex_wake(&once->state, UINT32_MAX);
        return;
    }
    while (atomic_load(&once->state) != DONE)
        (void)zx_futex_wait(&once->state, RUNNING, ZX_HANDLE_INVALID, ZX_TIME_INFINITE);
}

/* --- event count --- */

int jx_event_count_prepare(struct jx_event_count *count) {
    atomic_fetch_add(&count->waiters, 1);
    return atomic_load(&count->sequence);
}

void jx_event_count_cancel(struct jx_event_count *count) {
    atomic_fetch_sub(&count->waiters, 1);
}

zx_status_t jx_event_count_wait(struct jx_event_count *count, int key, zx_time_t deadline) {
    return sleep_on(&count->sequence, key, &count->waiters, deadline);
}

void jx_event_count_notify(struct jx_event_count *count, uint32_t waiters) {
    atomic_thread_fence(memory_order_seq_cst); /* the caller's change comes first */
    move_on(&count->sequence, &count->waiters, waiters);
}
