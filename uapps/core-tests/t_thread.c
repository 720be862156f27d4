/*
 * t_thread.c - raw threads: create, start, exit, states; and the float registers of
 * several threads.
 */
#include <jacinth/utest.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <threads.h>

#include "core-tests/support.h"

static bool is_terminated(zx_handle_t task) {
    zx_signals_t seen = 0;
    (void)zx_object_wait_one(task, 0, 0, &seen);
    return seen & ZX_TASK_TERMINATED;
}

static zx_info_thread_t info_of(zx_handle_t thread) {
    zx_info_thread_t info = {0};
    EXPECT_OK(zx_object_get_info(thread, ZX_INFO_THREAD, &info, sizeof info, NULL, NULL));
    return info;
}

TEST(thread_create_checks_options_name_and_process) {
    zx_handle_t thread = 6, weak = copy_without(zx_process_self(), ZX_RIGHT_MANAGE_THREAD);
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_thread_create(0, "a", 1, 1, &thread));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_thread_create(0, NULL, 1, 0, &thread));
    EXPECT_EQ(ZX_ERR_BAD_HANDLE, zx_thread_create(0, "a", 1, 0, &thread));
    EXPECT_EQ(ZX_ERR_WRONG_TYPE, zx_thread_create(zx_job_default(), "a", 1, 0, &thread));
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED, zx_thread_create(weak, "a", 1, 0, &thread));
    EXPECT_EQ(6, thread);
    close_handle(weak);
}

TEST(thread_that_is_new_has_no_signals_and_is_not_listed) {
    zx_handle_t thread;
    zx_koid_t koids[16];
    size_t count = 0;
    zx_signals_t seen = 99;
    REQUIRE_OK(zx_thread_create(zx_process_self(), "new", 3, 0, &thread));
    EXPECT_EQ(0x4d2cf, rights_of(thread));
    EXPECT_EQ(ZX_ERR_TIMED_OUT, zx_object_wait_one(thread, 0, 0, &seen));
    EXPECT_EQ(0, seen);
    EXPECT_EQ(ZX_THREAD_STATE_NEW, info_of(thread).state);
    EXPECT_OK(zx_object_get_info(zx_process_self(), ZX_INFO_PROCESS_THREADS, koids, sizeof koids,
                                 &count, NULL));
    for (size_t i = 0; i < count; i++)
        EXPECT(koids[i] != koid_of(thread));
    close_handle(thread);
}

/* --- running --- */

static _Alignas(16) char stacks[8][4096];
static atomic_uint flag;

/* Runs without thread-local storage, so it calls nothing but the kernel. */
__attribute__((no_stack_protector)) static void wait_for_flag(uintptr_t one, uintptr_t two) {
    while (atomic_load(&flag) == 0)
        (void)zx_futex_wait((const zx_futex_t *)&flag, 0, ZX_HANDLE_INVALID, ZX_TIME_INFINITE);
    atomic_store(&flag, (unsigned)(one * 10 + two));
    zx_thread_exit();
}

static uintptr_t stack_top(unsigned which) {
    return (uintptr_t)stacks[which] + sizeof stacks[which] - 8;
}

TEST(thread_runs_from_start_to_exit_once) {
    zx_handle_t thread;
    zx_signals_t seen;
    atomic_store(&flag, 0);
    REQUIRE_OK(zx_thread_create(zx_process_self(), "run", 3, 0, &thread));
    REQUIRE_OK(zx_thread_start(thread, (uintptr_t)wait_for_flag, stack_top(0), 4, 2));
    EXPECT_EQ(ZX_ERR_BAD_STATE,
              zx_thread_start(thread, (uintptr_t)wait_for_flag, stack_top(0), 4, 2));
    (void)zx_object_wait_one(thread, 0, 0, &seen);
    EXPECT_EQ(ZX_THREAD_RUNNING, seen);
    for (int i = 0; i < 1000 && info_of(thread).state != ZX_THREAD_STATE_BLOCKED_FUTEX; i++)
        (void)zx_nanosleep(zx_deadline_after(ZX_MSEC(1)));
    EXPECT_EQ(ZX_THREAD_STATE_BLOCKED_FUTEX, info_of(thread).state);
    atomic_store(&flag, 1);
    EXPECT_OK(zx_futex_wake((const zx_futex_t *)&flag, 1));
    EXPECT_OK(zx_object_wait_one(thread, ZX_THREAD_TERMINATED, zx_deadline_after(ZX_SEC(5)), &seen));
    EXPECT_EQ(ZX_THREAD_TERMINATED, seen);
    EXPECT_EQ(42, atomic_load(&flag));
    EXPECT_EQ(ZX_THREAD_STATE_DEAD, info_of(thread).state);
    EXPECT_EQ(ZX_ERR_BAD_STATE,
              zx_thread_start(thread, (uintptr_t)wait_for_flag, stack_top(0), 4, 2));
    close_handle(thread);
}

TEST(thread_runs_on_without_handles) {
    zx_handle_t thread;
    atomic_store(&flag, 0);
    REQUIRE_OK(zx_thread_create(zx_process_self(), "on", 2, 0, &thread));
    REQUIRE_OK(zx_thread_start(thread, (uintptr_t)wait_for_flag, stack_top(1), 1, 3));
    close_handle(thread);
    atomic_store(&flag, 1);
    EXPECT_OK(zx_futex_wake((const zx_futex_t *)&flag, 1));
    for (int i = 0; i < 5000 && atomic_load(&flag) != 13; i++)
        (void)zx_nanosleep(zx_deadline_after(ZX_MSEC(1)));
    EXPECT_EQ(13, atomic_load(&flag));
    (void)zx_nanosleep(zx_deadline_after(ZX_MSEC(2))); /* it is off its stack */
}

TEST(thread_of_a_process_that_does_not_run_cannot_start) {
    zx_handle_t process, vmar, thread;
    REQUIRE_OK(zx_process_create(zx_job_default(), "idle", 4, 0, &process, &vmar));
    REQUIRE_OK(zx_thread_create(process, "t", 1, 0, &thread));
    EXPECT_EQ(ZX_ERR_BAD_STATE, zx_thread_start(thread, 0x1000, 0, 0, 0));
    close_handle(process);
    close_handle(vmar);
    EXPECT_EQ(ZX_ERR_BAD_STATE, zx_thread_start(thread, 0x1000, 0, 0, 0));
    close_handle(thread);
}

TEST(thread_entry_must_be_a_user_address) {
    zx_handle_t thread;
    REQUIRE_OK(zx_thread_create(zx_process_self(), "bad", 3, 0, &thread));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_thread_start(thread, 0xffffffff80000000, 0, 0, 0));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_thread_start(thread, 0x800000000000, 0, 0, 0));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_thread_start(thread, UINT64_MAX, 0, 0, 0));
    EXPECT_EQ(ZX_THREAD_STATE_NEW, info_of(thread).state);
    close_handle(thread);
}

TEST(thread_register_fs_is_set_by_the_thread_itself_only) {
    zx_handle_t other;
    uintptr_t fs;
    __asm__ volatile("rdfsbase %0" : "=r"(fs));
    REQUIRE_OK(zx_thread_create(zx_process_self(), "other", 5, 0, &other));
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED,
              zx_object_set_property(other, ZX_PROP_REGISTER_FS, &fs, sizeof fs));
    EXPECT_EQ(ZX_ERR_WRONG_TYPE,
              zx_object_set_property(zx_process_self(), ZX_PROP_REGISTER_FS, &fs, sizeof fs));
    uintptr_t kernel = 0xffff800000000000, crooked = 0x800000000000;
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_object_set_property(zx_thread_self(), ZX_PROP_REGISTER_FS,
                                                          &kernel, sizeof kernel));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_object_set_property(zx_thread_self(), ZX_PROP_REGISTER_FS,
                                                          &crooked, sizeof crooked));
    EXPECT_EQ(ZX_ERR_BUFFER_TOO_SMALL,
              zx_object_set_property(zx_thread_self(), ZX_PROP_REGISTER_FS, &fs, 4));
    EXPECT_OK(zx_object_set_property(zx_thread_self(), ZX_PROP_REGISTER_FS, &fs, sizeof fs));
    close_handle(other);
}

TEST(thread_stats_and_runtime_count_up) {
    zx_info_thread_stats_t stats = {0};
    zx_info_task_runtime_t before = {0}, after = {0};
    EXPECT_OK(zx_object_get_info(zx_thread_self(), ZX_INFO_TASK_RUNTIME, &before, sizeof before,
                                 NULL, NULL));
    zx_time_t until = zx_deadline_after(ZX_MSEC(5));
    while (zx_clock_get_monotonic() < until)
        ;
    EXPECT_OK(zx_object_get_info(zx_thread_self(), ZX_INFO_TASK_RUNTIME, &after, sizeof after,
                                 NULL, NULL));
    EXPECT(after.cpu_time > before.cpu_time);
    EXPECT_OK(zx_object_get_info(zx_thread_self(), ZX_INFO_THREAD_STATS, &stats, sizeof stats,
                                 NULL, NULL));
    EXPECT(stats.total_runtime >= after.cpu_time);
    EXPECT(stats.last_scheduled_cpu < zx_system_get_num_cpus());
}

/* --- P29: extended state --- */

#define SERIES_THREADS 8
#define SERIES_STEPS   200000

/* A series that a lost bit of any register would change; x87 and SSE both. */
static double series(unsigned seed) {
    double sum = 0, x = 1.0 + seed / 16.0;
    long double slow = seed;
    for (int i = 1; i <= SERIES_STEPS; i++) {
        x = x * 1.0000001 + 1.0 / (i + seed);
        sum += x / i;
        slow = slow * 0.999999L + (long double)1 / i;
        if (i % 20000 == 0)
            (void)zx_nanosleep(0);
    }
    return sum + (double)slow;
}

static double results[SERIES_THREADS];
static int run_series(void *argument) {
    unsigned which = (unsigned)(uintptr_t)argument;
    /* Vector registers that the series does not use keep their values meanwhile. */
    uint64_t low = which * 0x0101010101010101u, high;
    __asm__ volatile("movq %0, %%xmm14\n\tmovq %0, %%xmm15" : : "r"(low) : "xmm14", "xmm15");
    for (int i = 0; i < 2000000; i++)
        __asm__ volatile("" : : : "memory");
    __asm__ volatile("movq %%xmm14, %0" : "=r"(high));
    if (high != low)
        return 1;
    results[which] = series(which);
    return 0;
}

TEST(p29_float_series_in_8_threads_are_what_one_thread_computes) {
    thrd_t threads[SERIES_THREADS];
    for (uintptr_t i = 0; i < SERIES_THREADS; i++)
        REQUIRE_EQ(thrd_success, thrd_create(&threads[i], run_series, (void *)i));
    for (unsigned i = 0; i < SERIES_THREADS; i++) {
        int result = -1;
        thrd_join(threads[i], &result);
        EXPECT_EQ(0, result);
    }
    for (unsigned i = 0; i < SERIES_THREADS; i++)
        EXPECT(results[i] == series(i));
}

/* --- P35: calls on all CPUs at once --- */

static int hammer(void *argument) {
    zx_handle_t event;
    zx_signals_t seen;
    zx_time_t until = zx_deadline_after(ZX_MSEC(300));
    uintptr_t sp_before, sp_after;
    unsigned rounds = 0;
    if (zx_event_create(0, &event) != ZX_OK)
        return 1;
    for (; zx_clock_get_monotonic() < until; rounds++) {
        zx_signals_t mask = rounds % 2 ? ZX_USER_SIGNAL_3 : ZX_USER_SIGNAL_5;
        __asm__ volatile("mov %%rsp, %0" : "=r"(sp_before));
        if (zx_object_signal(event, ZX_USER_SIGNAL_ALL, mask) != ZX_OK)
            return 2;
        __asm__ volatile("mov %%rsp, %0" : "=r"(sp_after));
        if (sp_before != sp_after || zx_handle_close(ZX_HANDLE_INVALID) != ZX_OK)
            return 3;
        if (zx_object_wait_one(event, mask, 0, &seen) != ZX_OK || seen != mask)
            return 4;
    }
    return zx_handle_close(event) == ZX_OK && rounds > 0 ? 0 : 5;
}

TEST(p35_calls_on_all_cpus_at_once_do_not_mix) {
    thrd_t threads[12];
    for (size_t i = 0; i < 12; i++)
        REQUIRE_EQ(thrd_success, thrd_create(&threads[i], hammer, NULL));
    for (size_t i = 0; i < 12; i++) {
        int result = -1;
        thrd_join(threads[i], &result);
        EXPECT_EQ(0, result);
    }
}

/* --- end of a process with many threads --- */

TEST(process_exit_ends_threads_that_sleep_and_run) {
    struct child child;
    zx_handle_t threads[6];
    if (script_make(&child)) {
        script_add(&child, 0, "zx_nanosleep", INT64_MAX, 0, 0, 0);
        script_add(&child, 1, "zx_process_exit", 9, 0, 0, 0);
        EXPECT_OK(child_start(&child, CHILD_DATA));
        for (size_t i = 0; i < 6; i++) {
            EXPECT_OK(zx_thread_create(child.process, "more", 4, 0, &threads[i]));
            /* The page fault of entry 0 ends the process; these sleep as the first does. */
            EXPECT_OK(zx_thread_start(threads[i], child_call(&child, "zx_nanosleep"),
                                      CHILD_STACK - 512 - 32 * i, INT64_MAX, 0));
        }
        (void)zx_nanosleep(zx_deadline_after(ZX_MSEC(5)));
        EXPECT_OK(zx_task_kill(child.process));
        EXPECT_EQ(ZX_TASK_RETCODE_SYSCALL_KILL, child_wait(&child));
        for (size_t i = 0; i < 6; i++) {
            EXPECT(is_terminated(threads[i]));
            close_handle(threads[i]);
        }
    }
    child_end(&child);
}
