/*
 * threads.c - threads and processes from their beginning to their end, and futexes.
 */
#include <jacinth/launch.h>
#include <stdatomic.h>
#include <threads.h>
#include <zircon/process.h>
#include <zircon/syscalls.h>

#include "bench/bench.h"

/* ---- Futexes ---- */

static zx_futex_t ping, pong;
#define FUTEX_GO   1
#define FUTEX_STOP 2

static void futex_give(zx_futex_t *futex, int value) {
    atomic_store((_Atomic int *)futex, value);
    CHECK(zx_futex_wake(futex, 1));
}

static int futex_take(zx_futex_t *futex) {
    int value;
    while ((value = atomic_load((_Atomic int *)futex)) == 0)
        (void)zx_futex_wait(futex, 0, ZX_HANDLE_INVALID, ZX_TIME_INFINITE);
    atomic_store((_Atomic int *)futex, 0);
    return value;
}

static int futex_thread(void *unused) {
    int value;
    do {
        value = futex_take(&ping);
        futex_give(&pong, value);
    } while (value != FUTEX_STOP);
    return 0;
}

static void futex_round_trip(int value) {
    futex_give(&ping, value);
    (void)futex_take(&pong);
}

ROW(futex_pingpong_threads) {
    thrd_t thread;
    if (thrd_create(&thread, futex_thread, NULL) != thrd_success)
        bench_fail("thrd_create", 0, __LINE__);
    MEASURE(16, futex_round_trip(FUTEX_GO));
    futex_round_trip(FUTEX_STOP);
    thrd_join(thread, NULL);
}

/* ---- Threads ---- */

static uint8_t stack[4096] __attribute__((aligned(16)));

/* A thread without thread-local memory, so without a canary. */
__attribute__((no_stack_protector)) static void thread_main(uintptr_t a, uintptr_t b) {
    zx_thread_exit();
}

static void thread_turn(void) {
    zx_handle_t thread;
    CHECK(zx_thread_create(zx_process_self(), "turn", 4, 0, &thread));
    /* As after a call, the stack is 8 bytes off a multiple of 16. */
    CHECK(zx_thread_start(thread, (zx_vaddr_t)thread_main, (zx_vaddr_t)(stack + sizeof stack - 8),
                          0, 0));
    CHECK(zx_object_wait_one(thread, ZX_THREAD_TERMINATED, ZX_TIME_INFINITE, NULL));
    CHECK(zx_handle_close(thread));
}

ROW(thread_create_join) { MEASURE(16, thread_turn()); }

/* ---- Processes ---- */

static void process_turn(const struct jx_launch *launch) {
    zx_handle_t process;
    int64_t code;
    CHECK(jx_launch(launch, &process, NULL, 0));
    CHECK(jx_wait(process, &code));
}

ROW(process_spawn_exit) {
    static const char *const argv[] = {"bench-nothing", NULL};
    struct jx_file file;
    CHECK(jx_file_find("/bin/bench-nothing", &file));
    struct jx_launch launch = {.file = &file, .argv = argv, .flags = JX_LAUNCH_NO_STDIO};
    MEASURE_MANY(21, 4, process_turn(&launch));
}
