/*
 * main.c - proofs: properties that take many processes and some seconds to show. The
 * first process of its machine, so that nothing else changes the kernel's counters.
 *
 *   P20  what a whole run of core-tests took is given back, ten times (three on many CPUs)
 *   P47  a process may be killed at any moment, on any CPU; kill_points.c: at each point
 *   P51  a closed handle value stays refused for the next 2^20 handles
 *   P55  closing a handle ends every wait through it, whoever comes first
 */
#include <jacinth/launch.h>
#include <jacinth/utest.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>
#include <zircon/processargs.h>

#include "core-tests/support.h"
#include "proofs/counters.h"
#include "proofs/kill_points.h"

/* --- P20: counters --- */

static zx_handle_t start_core_tests(const char *filter, zx_handle_t job) {
    const char *const argv[] = {"/boot/core-tests", filter, NULL};
    static const char *const no_environment[] = {NULL};
    const struct jx_launch_handle root = {PA_HND(PA_RESOURCE, 0),
                                          copy_with(root_resource(), ZX_RIGHT_SAME_RIGHTS)};
    const struct jx_launch launch = {
        .argv = argv, .envp = no_environment, .job = job, .handles = &root, .handle_count = 1};
    char error[128] = "";
    zx_handle_t process = ZX_HANDLE_INVALID;
    if (jx_launch(&launch, &process, error, sizeof error) != ZX_OK)
        utest_fail(__FILE__, __LINE__, "%s", error);
    return process;
}

TEST(p20_counters_are_back_after_each_run_of_core_tests) {
    struct counters before = {0};
    int runs = zx_system_get_num_cpus() == 1 ? 10 : 3; /* simulated CPUs take turns */
    for (int run = 0; run < runs; run++) {
        int64_t code = -1;
        char what[16];
        zx_handle_t process = start_core_tests(NULL, ZX_HANDLE_INVALID);
        REQUIRE(process != ZX_HANDLE_INVALID);
        EXPECT_OK(jx_wait(process, &code));
        EXPECT_EQ(0, code);
        snprintf(what, sizeof what, "run %d", run);
        if (run == 0) /* caches fill */
            before = count_settled();
        else
            expect_back(what, before);
    }
}

/* --- P47: kill at any moment --- */

static uint64_t random_below(uint64_t limit) {
    uint64_t value;
    zx_cprng_draw(&value, sizeof value);
    return value % limit;
}

static void wait_microseconds(uint64_t count) {
    zx_time_t until = zx_deadline_after(ZX_USEC((int64_t)count));
    while (zx_clock_get_monotonic() < until)
        (void)zx_nanosleep(count > 1000 ? until : 0);
}

/* One process is killed while it starts, runs, or ends by itself. */
static void kill_one(uint64_t microseconds) {
    zx_handle_t process = start_core_tests("t", ZX_HANDLE_INVALID);
    wait_microseconds(microseconds);
    EXPECT_OK(zx_task_kill(process));
    EXPECT_OK(zx_object_wait_one(process, ZX_PROCESS_TERMINATED, zx_deadline_after(ZX_SEC(5)),
                                 NULL));
    EXPECT_OK(zx_handle_close(process));
}

TEST(p47_a_process_may_be_killed_at_any_moment) {
    kill_one(50000);
    struct counters before = count_settled();
    for (int i = 0; i < 150; i++)
        kill_one(random_below(i % 3 == 0 ? 300 : i % 3 == 1 ? 5000 : 60000));
    expect_back("150 kills", before);
}

/* Jobs are killed with several processes in them, by two killers at once. */
static int kill_job(void *argument) { return zx_task_kill(*(zx_handle_t *)argument) == ZX_OK ? 0 : 1; }

static void kill_crowd(uint64_t microseconds) {
    zx_handle_t job = 0, inner = 0, processes[4];
    thrd_t killers[2];
    int result;
    EXPECT_OK(zx_job_create(zx_job_default(), 0, &job));
    EXPECT_OK(zx_job_create(job, 0, &inner));
    for (int i = 0; i < 4; i++)
        processes[i] = start_core_tests("t", i % 2 ? job : inner);
    wait_microseconds(microseconds);
    for (int i = 0; i < 2; i++)
        REQUIRE_EQ(thrd_success, thrd_create(&killers[i], kill_job, i ? &job : &inner));
    for (int i = 0; i < 2; i++) {
        thrd_join(killers[i], &result);
        EXPECT_EQ(0, result);
    }
    EXPECT_OK(zx_object_wait_one(job, ZX_JOB_TERMINATED, zx_deadline_after(ZX_SEC(5)), NULL));
    for (int i = 0; i < 4; i++)
        close_handle(processes[i]);
    close_handle(inner);
    close_handle(job);
}

TEST(p47_jobs_may_be_killed_with_all_that_runs_in_them) {
    kill_crowd(1000);
    struct counters before = count_settled();
    for (int i = 0; i < 20; i++)
        kill_crowd(random_below(40000));
    expect_back("20 jobs", before);
}

/* Threads of one process that is killed while they create, sleep, and end. */
CODE(spin_code, "1:\tpause\n\tjmp 1b");
TEST(p47_threads_start_while_their_process_is_killed) {
    struct counters before = count_settled();
    for (int i = 0; i < 200; i++) {
        struct child child;
        zx_handle_t threads[4] = {0};
        if (child_make(&child, spin_code, spin_code_end)) {
            EXPECT_OK(child_start(&child, 0));
            for (int j = 0; j < 4; j++) {
                EXPECT_OK(zx_thread_create(child.process, "late", 4, 0, &threads[j]));
                if (j == i % 4)
                    EXPECT_OK(zx_task_kill(child.process));
                zx_status_t status =
                    zx_thread_start(threads[j], CHILD_CODE, CHILD_STACK, 0, 0);
                EXPECT(j < i % 4 ? status == ZX_OK : status == ZX_ERR_BAD_STATE);
                if (j == i % 4)
                    break;
            }
            EXPECT_EQ(ZX_TASK_RETCODE_SYSCALL_KILL, child_wait(&child));
        }
        EXPECT_OK(zx_handle_close_many(threads, 4));
        child_end(&child);
    }
    expect_back("200 processes", before);
}

/* --- P51: closed values --- */

#define WINDOW (1u << 20)
static zx_handle_t closed[WINDOW];

static bool is_valid(zx_handle_t value) {
    return zx_object_get_info(value, ZX_INFO_HANDLE_VALID, NULL, 0, NULL, NULL) == ZX_OK;
}

static unsigned count_valid(uint64_t made, unsigned samples) {
    unsigned valid = 0, window = made < WINDOW ? (unsigned)made : WINDOW;
    for (unsigned i = 0; i < samples; i++)
        valid += is_valid(closed[samples < WINDOW ? random_below(window) : i]);
    return valid;
}

static void close_and_create(zx_handle_t event, uint64_t count) {
    unsigned valid = 0, failures = 0;
    for (uint64_t i = 0; i < count; i++) {
        zx_handle_t copy = 0;
        failures += zx_handle_duplicate(event, ZX_RIGHT_SAME_RIGHTS, &copy) != ZX_OK;
        failures += zx_handle_close(copy) != ZX_OK;
        closed[i % WINDOW] = copy;
        if (i % (WINDOW / 16) == WINDOW / 16 - 1)
            valid += count_valid(i + 1, 1000);
    }
    EXPECT_EQ(0, failures);
    EXPECT_EQ(0, valid + count_valid(count, WINDOW));
}

TEST(p51_a_closed_value_is_refused_for_the_next_2_to_the_20_handles) {
    zx_handle_t event;
    REQUIRE_OK(zx_event_create(0, &event));
    close_and_create(event, 2 * WINDOW);
    EXPECT(is_valid(event));
    close_handle(event);
}

/* --- P55: close against waits --- */

#define ROUNDS 2000

static _Atomic zx_handle_t waited;
static atomic_uint round_number, waits_done;
static atomic_bool stop_waiting;

static zx_status_t wait_somehow(int how, zx_handle_t handle) {
    zx_wait_item_t items[2] = {{handle, ZX_USER_SIGNAL_0, 0}, {handle, ZX_USER_SIGNAL_1, 0}};
    return how == 0 ? zx_object_wait_one(handle, ZX_USER_SIGNAL_0, ZX_TIME_INFINITE, NULL)
                    : zx_object_wait_many(items, 2, ZX_TIME_INFINITE);
}

static int wait_for_ever(void *argument) {
    unsigned seen = 0, wrong = 0;
    int how = (int)(uintptr_t)argument;
    while (!atomic_load(&stop_waiting)) {
        (void)zx_futex_wait((const zx_futex_t *)&round_number, (int32_t)seen, 0,
                            zx_deadline_after(ZX_MSEC(100)));
        if (atomic_load(&round_number) == seen)
            continue;
        seen = atomic_load(&round_number);
        zx_status_t status = wait_somehow(how, atomic_load(&waited));
        wrong += status != ZX_ERR_CANCELED && status != ZX_ERR_BAD_HANDLE;
        atomic_fetch_add(&waits_done, 1);
        (void)zx_futex_wake((const zx_futex_t *)&waits_done, 1);
    }
    return (int)wrong;
}

TEST(p55_a_wait_never_outlives_its_handle) {
    thrd_t threads[3];
    zx_handle_t port;
    int result;
    REQUIRE_OK(zx_port_create(0, &port));
    atomic_store(&stop_waiting, false);
    for (uintptr_t i = 0; i < 3; i++)
        REQUIRE_EQ(thrd_success, thrd_create(&threads[i], wait_for_ever, (void *)(i % 2)));
    for (unsigned round = 1; round <= ROUNDS; round++) {
        zx_handle_t event;
        REQUIRE_OK(zx_event_create(0, &event));
        EXPECT_OK(zx_object_wait_async(event, port, round, ZX_USER_SIGNAL_0, 0));
        atomic_store(&waited, event);
        atomic_store(&round_number, round);
        EXPECT_OK(zx_futex_wake((const zx_futex_t *)&round_number, UINT32_MAX));
        for (uint64_t spin = random_below(20000); spin > 0; spin--)
            __asm__ volatile("pause");
        EXPECT_OK(zx_handle_close(event));
        zx_time_t limit = zx_deadline_after(ZX_SEC(5));
        for (unsigned done; (done = atomic_load(&waits_done)) < 3 * round;) {
            if (zx_futex_wait((const zx_futex_t *)&waits_done, (int32_t)done, 0, limit) ==
                ZX_ERR_TIMED_OUT) {
                utest_fail(__FILE__, __LINE__, "round %u: a wait did not end", round);
                exit(1); /* its thread cannot be joined */
            }
        }
    }
    atomic_store(&stop_waiting, true);
    for (int i = 0; i < 3; i++) {
        thrd_join(threads[i], &result);
        EXPECT_EQ(0, result);
    }
    zx_port_packet_t packet;
    EXPECT_EQ(ZX_ERR_TIMED_OUT, zx_port_wait(port, 0, &packet));
    close_handle(port);
}

int main(int argc, char **argv) {
    if (argc > 2 && strcmp(argv[1], "victim") == 0)
        return victim_main(argv[2]);
    return utest_main(argc, argv);
}
