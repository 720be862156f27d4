/*
 * threads.h - C11 threads, on futexes.
 *
 * Deadlines are TIME_UTC times, which here count from boot (timespec_get).
 */
#pragma once

#include <time.h>

#define thread_local _Thread_local

#define thrd_success  0
#define thrd_busy     1
#define thrd_error    2
#define thrd_nomem    3
#define thrd_timedout 4

#define mtx_plain     0
#define mtx_recursive 1
#define mtx_timed     2

typedef struct thread_control *thrd_t;
typedef int (*thrd_start_t)(void *);

typedef struct {
    _Atomic(int) state; /* 0 free, 1 taken, 2 taken and somebody may sleep */
    int kind;
    _Atomic(thrd_t) owner; /* of a recursive one */
    unsigned depth;
} mtx_t;

typedef struct {
    _Atomic(int) sequence;
    _Atomic(int) waiters;
} cnd_t;

typedef struct {
    _Atomic(int) state;
} once_flag;
#define ONCE_FLAG_INIT {0}

typedef unsigned tss_t;
typedef void (*tss_dtor_t)(void *);
#define TSS_DTOR_ITERATIONS 4

void call_once(once_flag *flag, void (*function)(void));

int thrd_create(thrd_t *out, thrd_start_t function, void *argument);
thrd_t thrd_current(void);
int thrd_equal(thrd_t a, thrd_t b);
int thrd_join(thrd_t thread, int *out_result);
int thrd_detach(thrd_t thread);
void thrd_exit(int result) __attribute__((noreturn));
int thrd_sleep(const struct timespec *duration, struct timespec *remaining);
void thrd_yield(void);

int mtx_init(mtx_t *mutex, int kind);
void mtx_destroy(mtx_t *mutex);
int mtx_lock(mtx_t *mutex);
int mtx_timedlock(mtx_t *restrict mutex, const struct timespec *restrict deadline);
int mtx_trylock(mtx_t *mutex);
int mtx_unlock(mtx_t *mutex);

int cnd_init(cnd_t *condition);
void cnd_destroy(cnd_t *condition);
int cnd_signal(cnd_t *condition);
int cnd_broadcast(cnd_t *condition);
int cnd_wait(cnd_t *condition, mtx_t *mutex);
int cnd_timedwait(cnd_t *restrict condition, mtx_t *restrict mutex,
                  const struct timespec *restrict deadline);

int tss_create(tss_t *out_key, tss_dtor_t destructor);
void tss_delete(tss_t key);
void *tss_get(tss_t key);
int tss_set(tss_t key, void *value);
