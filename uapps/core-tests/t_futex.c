/*
 * t_futex.c - sleeping on a word.
 */
#include <jacinth/utest.h>
#include <stdatomic.h>
#include <threads.h>

#include "core-tests/support.h"

static zx_time_t soon(void) { return zx_deadline_after(ZX_MSEC(2)); }
static zx_time_t later(void) { return zx_deadline_after(ZX_SEC(5)); }

TEST(futex_wait_checks_address_then_value_then_owner) {
    static zx_futex_t word = 5;
    zx_futex_t *odd = (zx_futex_t *)((uintptr_t)&word + 1);
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_futex_wait(NULL, 5, 0, soon()));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_futex_wait(odd, 5, 0, soon()));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_futex_wait((zx_futex_t *)8, 5, 0, soon()));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS,
              zx_futex_wait((zx_futex_t *)0xffff800000000000, 5, 0, soon()));
    EXPECT_EQ(ZX_ERR_BAD_STATE, zx_futex_wait(&word, 4, 99, soon()));
    EXPECT_EQ(ZX_ERR_BAD_HANDLE, zx_futex_wait(&word, 5, 99, soon()));
    EXPECT_EQ(ZX_ERR_WRONG_TYPE, zx_futex_wait(&word, 5, zx_process_self(), soon()));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_futex_wait(&word, 5, zx_thread_self(), soon()));
    EXPECT_EQ(ZX_ERR_TIMED_OUT, zx_futex_wait(&word, 5, ZX_HANDLE_INVALID, soon()));
    EXPECT_EQ(ZX_ERR_TIMED_OUT, zx_futex_wait(&word, 5, ZX_HANDLE_INVALID, 0));
}

TEST(futex_wake_reads_no_memory) {
    static zx_futex_t word;
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_futex_wake(NULL, 1));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_futex_wake((zx_futex_t *)((uintptr_t)&word + 2), 1));
    EXPECT_OK(zx_futex_wake(&word, 1));
    EXPECT_OK(zx_futex_wake((zx_futex_t *)0x10000, UINT32_MAX));
}

TEST(futex_wait_brings_the_page_of_its_word) {
    zx_handle_t vmo = make_vmo(1);
    volatile uint8_t *page = map_vmo(vmo, READ_WRITE, 1);
    zx_futex_t *word = (zx_futex_t *)(uintptr_t)page;
    EXPECT_EQ(ZX_ERR_BAD_STATE, zx_futex_wait(word, 1, 0, soon()));
    EXPECT_EQ(ZX_ERR_TIMED_OUT, zx_futex_wait(word, 0, 0, soon()));
    unmap(page, 1);
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_futex_wait(word, 0, 0, soon()));
    close_handle(vmo);
}

static zx_futex_t gate;
static atomic_int waiting, order;

struct sleeper {
    zx_status_t status;
    int woken; /* which one it was */
};

static int sleep_at_gate(void *argument) {
    struct sleeper *sleeper = argument;
    atomic_fetch_add(&waiting, 1);
    sleeper->status = zx_futex_wait(&gate, 0, ZX_HANDLE_INVALID, later());
    sleeper->woken = atomic_fetch_add(&order, 1);
    return 0;
}

TEST(futex_wake_wakes_as_many_as_asked_in_order) {
    struct sleeper sleepers[4] = {};
    thrd_t threads[4];
    atomic_store(&waiting, 0);
    atomic_store(&order, 0);
    for (int i = 0; i < 4; i++) {
        REQUIRE_EQ(thrd_success, thrd_create(&threads[i], sleep_at_gate, &sleepers[i]));
        while (atomic_load(&waiting) <= i)
            (void)zx_nanosleep(soon());
        (void)zx_nanosleep(soon());
    }
    EXPECT_OK(zx_futex_wake(&gate, 0));
    EXPECT_OK(zx_futex_wake(&gate, 2));
    for (int i = 0; i < 1000 && atomic_load(&order) < 2; i++)
        (void)zx_nanosleep(soon());
    (void)zx_nanosleep(soon());
    EXPECT_EQ(2, atomic_load(&order));
    EXPECT_OK(zx_futex_wake(&gate, UINT32_MAX));
    for (int i = 0; i < 4; i++) {
        thrd_join(threads[i], NULL);
        EXPECT_OK(sleepers[i].status);
        EXPECT_EQ(i / 2, sleepers[i].woken / 2);
    }
}

static zx_futex_t ball;

static int play(void *argument) {
    int own = *(int *)argument;
    for (int i = 0; i < 2000; i++) {
        while (atomic_load(&ball) != own)
            (void)zx_futex_wait(&ball, !own, ZX_HANDLE_INVALID, later());
        atomic_store(&ball, !own);
        (void)zx_futex_wake(&ball, 1);
    }
    return 0;
}

TEST(futex_loses_no_wake) {
    thrd_t threads[2];
    int own[2] = {0, 1};
    atomic_store(&ball, 0);
    for (int i = 0; i < 2; i++)
        REQUIRE_EQ(thrd_success, thrd_create(&threads[i], play, &own[i]));
    for (int i = 0; i < 2; i++)
        thrd_join(threads[i], NULL);
    EXPECT_EQ(0, atomic_load(&ball));
}
