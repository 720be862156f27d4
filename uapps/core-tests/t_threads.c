/*
 * t_threads.c - <threads.h>: creation and end, mutexes, conditions, thread-local memory.
 */
#include <jacinth/utest.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>
#include <zircon/process.h>
#include <zircon/syscalls.h>

#define THREADS 8
#define ROUNDS  2000

static thread_local int mine = 5;

static int double_it(void *argument) {
    mine += 1;
    return mine * 100 + *(int *)argument * 2;
}

TEST(a_thread_returns_a_result_and_has_its_own_variables) {
    thrd_t thread;
    int argument = 21, result = 0;
    mine = 9;
    REQUIRE_EQ(thrd_success, thrd_create(&thread, double_it, &argument));
    EXPECT_EQ(thrd_success, thrd_join(thread, &result));
    EXPECT_EQ(642, result);
    EXPECT_EQ(9, mine);
    mine = 5;
}

static int leave_early(void *argument) { thrd_exit(17); }

TEST(thrd_exit_ends_a_thread_with_a_result) {
    thrd_t thread;
    int result = 0;
    REQUIRE_EQ(thrd_success, thrd_create(&thread, leave_early, NULL));
    EXPECT_EQ(thrd_success, thrd_join(thread, &result));
    EXPECT_EQ(17, result);
}

static mtx_t mutex;
static int counter;

static int count_up(void *argument) {
    for (int i = 0; i < ROUNDS; i++) {
        mtx_lock(&mutex);
        counter++;
        if (i % 64 == 0)
            thrd_yield();
        mtx_unlock(&mutex);
    }
    return 0;
}

TEST(a_mutex_lets_one_thread_in_at_a_time) {
    thrd_t threads[THREADS];
    counter = 0;
    mtx_init(&mutex, mtx_plain);
    for (int i = 0; i < THREADS; i++)
        REQUIRE_EQ(thrd_success, thrd_create(&threads[i], count_up, NULL));
    for (int i = 0; i < THREADS; i++)
        thrd_join(threads[i], NULL);
    EXPECT_EQ(THREADS * ROUNDS, counter);
}

TEST(a_recursive_mutex_is_taken_again_by_its_owner) {
    mtx_t recursive;
    mtx_init(&recursive, mtx_recursive);
    EXPECT_EQ(thrd_success, mtx_lock(&recursive));
    EXPECT_EQ(thrd_success, mtx_trylock(&recursive));
    EXPECT_EQ(thrd_success, mtx_unlock(&recursive));
    EXPECT_EQ(thrd_success, mtx_unlock(&recursive));
    EXPECT_EQ(0, recursive.state);
}

static int try_mutex(void *argument) { return mtx_trylock(argument); }

static struct timespec in_a_moment(void) {
    struct timespec time;
    timespec_get(&time, TIME_UTC);
    time.tv_nsec += 5000000;
    if (time.tv_nsec >= 1000000000) {
        time.tv_nsec -= 1000000000;
        time.tv_sec++;
    }
    return time;
}

static int try_for_a_moment(void *argument) {
    struct timespec deadline = in_a_moment();
    return mtx_timedlock(argument, &deadline);
}

TEST(a_taken_mutex_is_busy_for_others) {
    mtx_t taken;
    thrd_t thread;
    int result = -1;
    mtx_init(&taken, mtx_timed);
    mtx_lock(&taken);
    REQUIRE_EQ(thrd_success, thrd_create(&thread, try_mutex, &taken));
    thrd_join(thread, &result);
    EXPECT_EQ(thrd_busy, result);
    REQUIRE_EQ(thrd_success, thrd_create(&thread, try_for_a_moment, &taken));
    thrd_join(thread, &result);
    EXPECT_EQ(thrd_timedout, result);
    mtx_unlock(&taken);
}

static cnd_t condition;
static int turn;

static int take_turns(void *argument) {
    int own = *(int *)argument;
    for (int i = 0; i < 200; i++) {
        mtx_lock(&mutex);
        while (turn != own)
            cnd_wait(&condition, &mutex);
        turn = !own;
        cnd_broadcast(&condition);
        mtx_unlock(&mutex);
    }
    return 0;
}

TEST(two_threads_take_turns_by_a_condition) {
    thrd_t threads[2];
    int own[2] = {0, 1};
    turn = 0;
    mtx_init(&mutex, mtx_plain);
    cnd_init(&condition);
    for (int i = 0; i < 2; i++)
        REQUIRE_EQ(thrd_success, thrd_create(&threads[i], take_turns, &own[i]));
    for (int i = 0; i < 2; i++)
        EXPECT_EQ(thrd_success, thrd_join(threads[i], NULL));
    EXPECT_EQ(0, turn);
}

TEST(a_condition_that_nobody_signals_times_out) {
    struct timespec deadline = in_a_moment();
    mtx_init(&mutex, mtx_plain);
    cnd_init(&condition);
    mtx_lock(&mutex);
    EXPECT_EQ(thrd_timedout, cnd_timedwait(&condition, &mutex, &deadline));
    mtx_unlock(&mutex);
}

static atomic_int detached_done;

static int end_detached(void *argument) {
    atomic_fetch_add(&detached_done, 1);
    return 0;
}

static size_t thread_count(void) {
    size_t count = 0;
    zx_koid_t koids[1];
    (void)zx_object_get_info(zx_process_self(), ZX_INFO_PROCESS_THREADS, koids, sizeof koids,
                             NULL, &count);
    return count;
}

TEST(detached_threads_take_their_memory_along) {
    zx_info_task_stats_t before, after;
    for (int warm = 0; warm < 2; warm++) {
        (void)zx_object_get_info(zx_process_self(), ZX_INFO_TASK_STATS, &before, sizeof before,
                                 NULL, NULL);
        for (int i = 0; i < 20; i++) {
            thrd_t thread;
            REQUIRE_EQ(thrd_success, thrd_create(&thread, end_detached, NULL));
            EXPECT_EQ(thrd_success, thrd_detach(thread));
        }
        for (int i = 0; i < 1000 && thread_count() > 1; i++)
            (void)zx_nanosleep(zx_deadline_after(ZX_MSEC(1)));
    }
    EXPECT_EQ(40, detached_done);
    EXPECT_EQ(1, thread_count());
    REQUIRE_OK(zx_object_get_info(zx_process_self(), ZX_INFO_TASK_STATS, &after, sizeof after,
                                  NULL, NULL));
    EXPECT_EQ(before.mem_mapped_bytes, after.mem_mapped_bytes);
}

static atomic_int once_count;
static void count_once(void) { atomic_fetch_add(&once_count, 1); }
static once_flag flag = ONCE_FLAG_INIT;
static int call_it(void *argument) {
    call_once(&flag, count_once);
    return once_count;
}

TEST(call_once_calls_once) {
    thrd_t threads[4];
    for (int i = 0; i < 4; i++)
        REQUIRE_EQ(thrd_success, thrd_create(&threads[i], call_it, NULL));
    for (int i = 0; i < 4; i++) {
        int seen = 0;
        thrd_join(threads[i], &seen);
        EXPECT_EQ(1, seen);
    }
}

static atomic_int destroyed;
static void note_value(void *value) { atomic_store(&destroyed, *(int *)value); }
static tss_t key;
static int set_value(void *argument) {
    tss_set(key, argument);
    return tss_get(key) == argument;
}

TEST(a_thread_specific_value_is_destroyed_at_the_threads_end) {
    thrd_t thread;
    int value = 33, result = 0;
    REQUIRE_EQ(thrd_success, tss_create(&key, note_value));
    REQUIRE_EQ(thrd_success, thrd_create(&thread, set_value, &value));
    thrd_join(thread, &result);
    EXPECT_EQ(1, result);
    EXPECT_EQ(33, destroyed);
    EXPECT(tss_get(key) == NULL);
    tss_delete(key);
}

static int allocate_much(void *argument) {
    for (int i = 0; i < 500; i++) {
        size_t size = 16u + (size_t)(i * 37 % 900);
        unsigned char *block = malloc(size);
        if (!block)
            return 1;
        memset(block, i, size);
        thrd_yield();
        for (size_t j = 0; j < size; j++)
            if (block[j] != (unsigned char)i)
                return 2;
        free(block);
    }
    return 0;
}

TEST(malloc_serves_several_threads) {
    thrd_t threads[4];
    for (int i = 0; i < 4; i++)
        REQUIRE_EQ(thrd_success, thrd_create(&threads[i], allocate_much, NULL));
    for (int i = 0; i < 4; i++) {
        int result = -1;
        thrd_join(threads[i], &result);
        EXPECT_EQ(0, result);
    }
}

/* Puts a pattern into all vector registers, gives the CPU away, and looks at them again. */
static int keep_registers(void *argument) {
    unsigned long pattern[2] = {(unsigned long)argument * 0x0101010101010101u, ~0ul}, seen[2];
    for (int i = 0; i < 300; i++) {
        __asm__ volatile("movups %0, %%xmm0\n\tmovups %0, %%xmm15" ::"m"(pattern)
                         : "xmm0", "xmm15");
        /* By hand, so that the compiler saves nothing; below what it keeps under the stack. */
        long result, zero = 0;
        __asm__ volatile("leaq -128(%%rsp), %%rsp\n\tcallq *%2\n\tleaq 128(%%rsp), %%rsp"
                         : "=a"(result), "+D"(zero)
                         : "r"((uintptr_t)zx_nanosleep)
                         : "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "memory", "cc");
        __asm__ volatile("movups %%xmm15, %0" : "=m"(seen));
        if (seen[0] != pattern[0] || seen[1] != pattern[1])
            return 1;
        __asm__ volatile("movups %%xmm0, %0" : "=m"(seen));
        if (seen[0] != pattern[0])
            return 2;
    }
    return 0;
}

TEST(vector_registers_belong_to_their_thread) {
    thrd_t threads[4];
    for (int i = 0; i < 4; i++)
        REQUIRE_EQ(thrd_success, thrd_create(&threads[i], keep_registers, (void *)(i + 1L)));
    for (int i = 0; i < 4; i++) {
        int result = -1;
        thrd_join(threads[i], &result);
        EXPECT_EQ(0, result);
    }
}
