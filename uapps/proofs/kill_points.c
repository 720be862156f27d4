/*
 * kill_points.c - a process is killed at each named point of a thread's life (P47).
 *
 * It takes a debug kernel that was booted with kill.points: there a process named
 * "kill:POINT:N" is stopped at the N-th pass of the point and killed by another thread
 * (kernel/object/kill_points.h). The victim is this program; it passes every point.
 */
#include "proofs/kill_points.h"

#include <jacinth/launch.h>
#include <jacinth/utest.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>

#include "core-tests/support.h"
#include "proofs/counters.h"

/* --- the victim --- */

#define ROUNDS 6

static zx_handle_t victim_port, idle_port, call_end, answer_end;
static zx_futex_t idle_word;
static mtx_t crowded;
static atomic_bool is_over;

static int answer_calls(void *unused) {
    for (int i = 0; i < ROUNDS; i++) {
        uint32_t text[4], size, count;
        (void)zx_object_wait_one(answer_end, ZX_CHANNEL_READABLE, ZX_TIME_INFINITE, NULL);
        if (zx_channel_read(answer_end, 0, text, NULL, sizeof text, 0, &size, &count) == ZX_OK)
            (void)zx_channel_write(answer_end, 0, text, size, NULL, 0);
    }
    return 0;
}

static int wait_for_packets(void *unused) {
    zx_port_packet_t packet;
    for (int i = 0; i < ROUNDS; i++)
        (void)zx_port_wait(victim_port, ZX_TIME_INFINITE, &packet);
    return 0;
}

static int crowd(void *unused) {
    for (int i = 0; i < ROUNDS; i++) {
        mtx_lock(&crowded);
        (void)zx_nanosleep(zx_deadline_after(ZX_USEC(50)));
        mtx_unlock(&crowded);
    }
    return 0;
}

static int spin(void *unused) {
    while (!atomic_load(&is_over))
        __asm__ volatile("pause");
    return 0;
}

static void use_handles(void) {
    uint32_t text[4] = {0}, size, count;
    zx_channel_call_args_t call = {text, NULL, text, NULL, sizeof text, 0, sizeof text, 0};
    zx_port_packet_t packet = {.type = ZX_PKT_TYPE_USER};
    zx_handle_t a, b;
    if (zx_eventpair_create(0, &a, &b) != ZX_OK)
        return;
    zx_wait_item_t items[2] = {{a, ZX_USER_SIGNAL_0, 0}, {b, ZX_USER_SIGNAL_0, 0}};
    (void)zx_object_wait_many(items, 2, zx_deadline_after(ZX_USEC(50)));
    (void)zx_object_wait_one(a, ZX_USER_SIGNAL_0, zx_deadline_after(ZX_USEC(50)), NULL);
    (void)zx_handle_close(a);
    (void)zx_handle_close(b);
    /* Others may meet at words and ports or not; here somebody surely waits. */
    (void)zx_futex_wait(&idle_word, 0, ZX_HANDLE_INVALID, zx_deadline_after(ZX_USEC(50)));
    (void)zx_port_wait(idle_port, zx_deadline_after(ZX_USEC(50)), &packet);
    (void)zx_channel_call(call_end, 0, ZX_TIME_INFINITE, &call, &size, &count);
    (void)zx_port_queue(victim_port, &packet);
    free(memset(malloc(3 * PAGE), 1, 3 * PAGE));
}

#define WORKERS 4
static zx_handle_t workers[WORKERS];

static int work(void *argument) {
    static int (*const mains[WORKERS])(void *) = {answer_calls, wait_for_packets, crowd, crowd};
    size_t own = (size_t)(uintptr_t)argument;
    (void)zx_handle_duplicate(zx_thread_self(), ZX_RIGHT_SAME_RIGHTS, &workers[own]);
    return mains[own](NULL);
}

/*
 * A thread that can be joined has not come to its end in the kernel yet. That it has is
 * waited for too: else this one could end the process before the kill that comes there.
 */
static void join_worker(thrd_t thread, size_t own) {
    int result;
    thrd_join(thread, &result);
    (void)zx_object_wait_one(workers[own], ZX_THREAD_TERMINATED, ZX_TIME_INFINITE, NULL);
}

int victim_main(const char *how) {
    thrd_t threads[WORKERS], last;
    mtx_init(&crowded, mtx_plain);
    if (zx_port_create(0, &victim_port) != ZX_OK || zx_port_create(0, &idle_port) != ZX_OK ||
        zx_channel_create(0, &call_end, &answer_end) != ZX_OK)
        return 1;
    for (size_t i = 0; i < WORKERS; i++)
        thrd_create(&threads[i], work, (void *)(uintptr_t)i);
    for (int i = 0; i < ROUNDS; i++)
        use_handles();
    for (size_t i = 0; i < WORKERS; i++)
        join_worker(threads[i], i);
    thrd_create(&last, spin, NULL); /* it finds the kill on its way back to user mode */
    (void)zx_nanosleep(zx_deadline_after(ZX_USEC(200)));
    if (strcmp(how, "crash") == 0)
        *(volatile int *)8 = 1;
    return 0;
}

/* --- the kills --- */

#define ALL 1000000
struct point {
    const char *name;
    int first;  /* pass; earlier ones are those of who starts it */
    int before; /* how many passes come before the process has its return code */
};
static const struct point points[] = {
    {"thread made", 1, ALL},      {"thread start", 0, ALL},   {"thread started", 0, ALL},
    {"thread first", 0, ALL},     {"thread exit", 0, 4},      {"thread gone", 0, 4},
    {"thread forgotten", 0, 4},   {"call", 0, ALL},           {"call done", 0, ALL},
    {"handles reserved", 0, ALL}, {"fault", 0, ALL},          {"fault done", 0, ALL},
    {"park sleeping", 0, ALL},    {"wake sleeping", 0, ALL},  {"park futex", 0, ALL},
    {"wake futex", 0, ALL},       {"park port", 0, ALL},      {"wake port", 0, ALL},
    {"park channel", 0, ALL},     {"wake channel", 0, ALL},   {"park wait_one", 0, ALL},
    {"wake wait_one", 0, ALL},    {"park wait_many", 0, ALL}, {"wake wait_many", 0, ALL},
    {"exception", 0, ALL},        {"process exit", 0, ALL},   {"return", 0, 0},
    {"process finish", 0, 0},     {"handles closed", 0, 0},   {"memory gone", 0, 0},
    {"process dead", 0, 0},
};

static zx_handle_t start_victim(const struct point *point, int pass) {
    char name[ZX_MAX_NAME_LEN], error[128] = "";
    const char *how = strcmp(point->name, "exception") == 0 ? "crash" : "exit";
    const char *const argv[] = {"/boot/proofs", "victim", how, NULL};
    static const char *const no_environment[] = {NULL};
    const struct jx_launch launch = {.name = name, .argv = argv, .envp = no_environment};
    zx_handle_t process = ZX_HANDLE_INVALID;
    snprintf(name, sizeof name, "kill:%s:%d", point->name, pass);
    if (jx_launch(&launch, &process, error, sizeof error) != ZX_OK)
        utest_fail(__FILE__, __LINE__, "%s: %s", name, error);
    return process;
}

/* True if a thread of the victim came to that pass of the point. */
static bool kill_at(const struct point *point, int pass) {
    char name[ZX_MAX_NAME_LEN] = "", want[ZX_MAX_NAME_LEN];
    int64_t code = 1;
    zx_handle_t process = start_victim(point, pass);
    if (process == ZX_HANDLE_INVALID)
        return false;
    if (zx_object_wait_one(process, ZX_PROCESS_TERMINATED, zx_deadline_after(ZX_SEC(15)), NULL)) {
        utest_fail(__FILE__, __LINE__, "%s, pass %d: it does not end", point->name, pass);
        exit(1); /* nothing that comes would mean anything */
    }
    EXPECT_OK(zx_object_get_property(process, ZX_PROP_NAME, name, sizeof name));
    EXPECT_OK(jx_wait(process, &code));
    snprintf(want, sizeof want, "killed at %s", point->name);
    bool met = strcmp(name, want) == 0;
    if (met && pass < point->before && code != ZX_TASK_RETCODE_SYSCALL_KILL)
        utest_fail(__FILE__, __LINE__, "%s, pass %d: code %ld", point->name, pass, (long)code);
    return met;
}

static const int later[] = {1, 2, 5, 11, 40};

TEST(p47_points_of_a_threads_life_are_all_safe_to_be_killed_at) {
    unsigned kills = 0;
    if (!getenv("kill.points"))
        return;
    (void)kill_at(&points[0], 1);
    for (size_t i = 0; i < sizeof points / sizeof points[0]; i++) {
        const struct point *point = &points[i];
        struct counters before = count_settled();
        bool met = kill_at(point, point->first);
        if (!met)
            utest_fail(__FILE__, __LINE__, "%s: nobody came there", point->name);
        for (size_t j = 0; met && j < sizeof later / sizeof later[0]; j++, kills++)
            met = kill_at(point, point->first + later[j]);
        expect_back(point->name, before);
    }
    EXPECT(kills >= sizeof points / sizeof points[0]);
}
