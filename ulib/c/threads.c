/*
 * threads.c - C11 threads.
 *
 * A thread's stack, thread-local variables and control block are one mapping, the
 * block at its end and a page without access at its begin. Who gives the mapping back
 * depends on the block's state: thrd_join for a thread that ended joinable, the thread
 * itself, in its last call, for a detached one.
 */
#include <threads.h>

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <zircon/process.h>
#include <zircon/syscalls.h>

#include "c/lock.h"
#include "zx/start.h"
#include "zx/tls.h"

#define STACK_SIZE ((size_t)256 << 10)
#define NANOSECONDS 1000000000L

/* ENDING: the thread has seen that somebody will join it, and is on its way out. */
enum { JOINABLE, DETACHED, ENDING, ENDED };

static void run_destructors(struct thread_control *control);

/* --- creation and end --- */

/* Map the memory of a new thread; its first page stays out of reach. */
static zx_status_t map_thread(size_t size, uintptr_t *out_base) {
    zx_handle_t vmo;
    zx_status_t status = zx_vmo_create(size, 0, &vmo);
    if (status != ZX_OK)
        return status;
    status = zx_vmar_map(zx_vmar_root_self(), ZX_VM_PERM_READ | ZX_VM_PERM_WRITE, 0, vmo, 0, size,
                         out_base);
    (void)zx_handle_close(vmo);
    if (status != ZX_OK)
        return status;
    status = zx_vmar_protect(zx_vmar_root_self(), 0, *out_base, ZX_PAGE_SIZE);
    if (status != ZX_OK)
        (void)zx_vmar_unmap(zx_vmar_root_self(), *out_base, size);
    return status;
}

/* The first function of every thread but the first; the canary is that of the creator. */
NO_PROTECTOR __attribute__((noreturn)) static void thread_main(struct thread_control *control) {
    tls_install(control);
    thrd_exit(control->function(control->argument));
}

static void unmap_thread(struct thread_control *control) {
    (void)zx_vmar_unmap(zx_vmar_root_self(), control->mapping, control->mapping_size);
}

int thrd_create(thrd_t *out, thrd_start_t function, void *argument) {
    size_t size = (ZX_PAGE_SIZE + STACK_SIZE + tls_size() + ZX_PAGE_MASK) & ~ZX_PAGE_MASK;
    uintptr_t base = 0;
    zx_status_t status = map_thread(size, &base);
    if (status != ZX_OK)
        return status == ZX_ERR_NO_MEMORY ? thrd_nomem : thrd_error;

    struct thread_control *control = tls_place((void *)base, size);
    control->canary = tls_current()->canary;
    control->mapping = base;
    control->mapping_size = size;
    control->function = function;
    control->argument = argument;
    status = zx_thread_create(zx_process_self(), "thread", 6, 0, &control->handle);
    if (status == ZX_OK) {
        /* Thread-local variables begin at most tls_size() below the end. */
        uintptr_t stack = ((base + size - tls_size()) & ~(uintptr_t)15) - 8;
        *out = control; /* before the thread can end */
        status = zx_thread_start(control->handle, (zx_vaddr_t)thread_main, stack,
                                 (uintptr_t)control, 0);
        if (status != ZX_OK)
            (void)zx_handle_close(control->handle);
    }
    if (status != ZX_OK) {
        unmap_thread(control);
        return status == ZX_ERR_NO_MEMORY ? thrd_nomem : thrd_error;
    }
    return thrd_success;
}

void thrd_exit(int result) {
    struct thread_control *control = tls_current();
    int joinable = JOINABLE;
    run_destructors(control);
    control->result = result;
    if (control->mapping == 0) /* the first thread: nobody can join it, its stack stays */
        zx_thread_exit();
    /* Who joins waits for ENDED, so the mapping stays until the last call stores it. */
    if (atomic_compare_exchange_strong(&control->state, &joinable, ENDING))
        zx_futex_wake_handle_close_thread_exit(&control->state, UINT32_MAX, ENDED,
                                               control->handle);
    (void)zx_vmar_unmap_handle_close_thread_exit(zx_vmar_root_self(), control->mapping,
                                                 control->mapping_size, control->handle);
    __builtin_trap();
}

int thrd_join(thrd_t thread, int *out_result) {
    int state;
    while ((state = atomic_load(&thread->state)) == JOINABLE || state == ENDING)
        (void)zx_futex_wait(&thread->state, state, ZX_HANDLE_INVALID, ZX_TIME_INFINITE);
    if (state != ENDED)
        return thrd_error;
    if (out_result)
        *out_result = thread->result;
    unmap_thread(thread);
    return thrd_success;
}

int thrd_detach(thrd_t thread) {
    int state = JOINABLE;
    if (atomic_compare_exchange_strong(&thread->state, &state, DETACHED))
        return thrd_success;
    return thrd_join(thread, NULL);
}

thrd_t thrd_current(void) { return tls_current(); }
int thrd_equal(thrd_t a, thrd_t b) { return a == b; }

/* --- time --- */

static zx_duration_t duration_of(const struct timespec *time) {
    return zx_duration_add_duration(zx_duration_mul_int64(time->tv_sec, NANOSECONDS),
                                    time->tv_nsec);
}

int thrd_sleep(const struct timespec *duration, struct timespec *remaining) {
    if (duration->tv_sec < 0 || duration->tv_nsec < 0 || duration->tv_nsec >= NANOSECONDS)
        return -2;
    (void)zx_nanosleep(zx_deadline_after(duration_of(duration)));
    if (remaining)
        *remaining = (struct timespec){0};
    return 0;
}

void thrd_yield(void) { (void)zx_nanosleep(0); }

/* --- mutexes --- */

int mtx_init(mtx_t *mutex, int kind) {
    if ((kind & ~(mtx_recursive | mtx_timed)) != 0)
        return thrd_error;
    *mutex = (mtx_t){.kind = kind};
    return thrd_success;
}

void mtx_destroy(mtx_t *mutex) {}

/* The owner is the running thread only if this thread stored it, so no order is needed. */
static bool enter_again(mtx_t *mutex) {
    if (!(mutex->kind & mtx_recursive) ||
        atomic_load_explicit(&mutex->owner, memory_order_relaxed) != thrd_current())
        return false;
    mutex->depth++;
    return true;
}

static int entered(mtx_t *mutex) {
    if (mutex->kind & mtx_recursive)
        atomic_store_explicit(&mutex->owner, thrd_current(), memory_order_relaxed);
    return thrd_success;
}

static int lock_until(mtx_t *mutex, zx_time_t deadline) {
    if (enter_again(mutex))
        return thrd_success;
    if (lock_take_until(&mutex->state, deadline) != ZX_OK)
        return thrd_timedout;
    return entered(mutex);
}

int mtx_lock(mtx_t *mutex) { return lock_until(mutex, ZX_TIME_INFINITE); }

int mtx_timedlock(mtx_t *restrict mutex, const struct timespec *restrict deadline) {
    return lock_until(mutex, duration_of(deadline));
}

int mtx_trylock(mtx_t *mutex) {
    if (enter_again(mutex))
        return thrd_success;
    return lock_try(&mutex->state) ? entered(mutex) : thrd_busy;
}

int mtx_unlock(mtx_t *mutex) {
    if (mutex->kind & mtx_recursive) {
        if (mutex->depth > 0) {
            mutex->depth--;
            return thrd_success;
        }
        atomic_store_explicit(&mutex->owner, NULL, memory_order_relaxed);
    }
    lock_give(&mutex->state);
    return thrd_success;
}

/* --- conditions --- */

int cnd_init(cnd_t *condition) {
    *condition = (cnd_t){0};
    return thrd_success;
}

void cnd_destroy(cnd_t *condition) {}

/* A waiter sleeps on the sequence it saw under the mutex; each wake-up moves it on. */
static int wake(cnd_t *condition, uint32_t count) {
    atomic_fetch_add(&condition->sequence, 1);
    if (atomic_load(&condition->waiters) > 0)
        (void)zx_futex_wake(&condition->sequence, count);
    return thrd_success;
}

int cnd_signal(cnd_t *condition) { return wake(condition, 1); }
int cnd_broadcast(cnd_t *condition) { return wake(condition, UINT32_MAX); }

static int wait_until(cnd_t *condition, mtx_t *mutex, zx_time_t deadline) {
    atomic_fetch_add(&condition->waiters, 1);
    int sequence = atomic_load(&condition->sequence);
    mtx_unlock(mutex);
    zx_status_t status =
        zx_futex_wait(&condition->sequence, sequence, ZX_HANDLE_INVALID, deadline);
    atomic_fetch_sub(&condition->waiters, 1);
    mtx_lock(mutex);
    return status == ZX_ERR_TIMED_OUT ? thrd_timedout : thrd_success;
}

int cnd_wait(cnd_t *condition, mtx_t *mutex) {
    return wait_until(condition, mutex, ZX_TIME_INFINITE);
}

int cnd_timedwait(cnd_t *restrict condition, mtx_t *restrict mutex,
                  const struct timespec *restrict deadline) {
    return wait_until(condition, mutex, duration_of(deadline));
}

/* --- once --- */

void call_once(once_flag *flag, void (*function)(void)) {
    enum { NOT_YET, RUNNING, DONE };
    int state = NOT_YET;
    if (atomic_compare_exchange_strong(&flag->state, &state, RUNNING)) {
        function();
        atomic_store(&flag->state, DONE);
        (void)zx_futex_wake(&flag->state, UINT32_MAX);
        return;
    }
    while (atomic_load(&flag->state) != DONE)
        (void)zx_futex_wait(&flag->state, RUNNING, ZX_HANDLE_INVALID, ZX_TIME_INFINITE);
}

/* --- thread-specific values --- */

static struct lock keys_lock;
static bool key_used[TLS_KEYS];
static tss_dtor_t key_destructor[TLS_KEYS];

int tss_create(tss_t *out_key, tss_dtor_t destructor) {
    int result = thrd_error;
    lock_take(&keys_lock);
    for (tss_t key = 0; key < TLS_KEYS && result != thrd_success; key++) {
        if (key_used[key])
            continue;
        key_used[key] = true;
        key_destructor[key] = destructor;
        *out_key = key;
        result = thrd_success;
    }
    lock_drop(&keys_lock);
    return result;
}

void tss_delete(tss_t key) {
    lock_take(&keys_lock);
    key_used[key] = false;
    key_destructor[key] = NULL;
    lock_drop(&keys_lock);
}

void *tss_get(tss_t key) { return tls_current()->values[key]; }

int tss_set(tss_t key, void *value) {
    tls_current()->values[key] = value;
    return thrd_success;
}

/* One pass over the keys; true if a destructor ran, which may have set values again. */
static bool run_destructors_once(struct thread_control *control) {
    bool any = false;
    for (tss_t key = 0; key < TLS_KEYS; key++) {
        void *value = control->values[key];
        tss_dtor_t destructor = key_destructor[key];
        control->values[key] = NULL;
        if (!value || !destructor)
            continue;
        destructor(value);
        any = true;
    }
    return any;
}

static void run_destructors(struct thread_control *control) {
    for (int i = 0; i < TSS_DTOR_ITERATIONS && run_destructors_once(control); i++)
        ;
}
