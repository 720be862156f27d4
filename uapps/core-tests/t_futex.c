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

/* --- owners --- */

static zx_futex_t lock_word, queue_word;

static zx_koid_t owner_of(const zx_futex_t *word) {
    zx_koid_t koid = 99;
    EXPECT_OK(zx_futex_get_owner(word, &koid));
    return koid;
}

/* A thread that waits on a word; what it is told to be the owner, and what became of it. */
struct waiter {
    thrd_t thread;
    zx_futex_t *word;
    zx_handle_t owner, self;
    zx_time_t deadline;
    zx_status_t status;
    atomic_bool has_begun, is_done;
};

static int wait_on_word(void *argument) {
    struct waiter *waiter = argument;
    waiter->self = zx_thread_self();
    atomic_store(&waiter->has_begun, true);
    waiter->status = zx_futex_wait(waiter->word, 0, waiter->owner, waiter->deadline);
    atomic_store(&waiter->is_done, true);
    return 0;
}

static bool is_blocked(zx_handle_t thread) {
    zx_info_thread_t info = {0};
    EXPECT_OK(zx_object_get_info(thread, ZX_INFO_THREAD, &info, sizeof info, NULL, NULL));
    return info.state == ZX_THREAD_STATE_BLOCKED_FUTEX;
}

/* Returns when the thread sleeps on its word. */
static void start_waiter(struct waiter *waiter, zx_futex_t *word, zx_handle_t owner) {
    *waiter = (struct waiter){.word = word, .owner = owner, .deadline = ZX_TIME_INFINITE};
    EXPECT_EQ(thrd_success, thrd_create(&waiter->thread, wait_on_word, waiter));
    while (!atomic_load(&waiter->has_begun) || !is_blocked(waiter->self))
        (void)zx_nanosleep(soon());
}

static void await_done(struct waiter *waiter) {
    while (!atomic_load(&waiter->is_done))
        (void)zx_nanosleep(soon());
    thrd_join(waiter->thread, NULL);
    EXPECT_OK(waiter->status);
}

TEST(a_wait_sets_the_owner_and_a_wake_clears_it) {
    struct waiter one, two;
    EXPECT_EQ(ZX_KOID_INVALID, owner_of(&lock_word));
    start_waiter(&one, &lock_word, zx_thread_self());
    EXPECT_EQ(koid_of(zx_thread_self()), owner_of(&lock_word));
    EXPECT_EQ(ZX_ERR_TIMED_OUT, zx_futex_wait(&lock_word, 0, ZX_HANDLE_INVALID, soon()));
    EXPECT_EQ(ZX_KOID_INVALID, owner_of(&lock_word)); /* also of a wait that timed out */
    start_waiter(&two, &lock_word, zx_thread_self());
    EXPECT_EQ(koid_of(zx_thread_self()), owner_of(&lock_word));
    EXPECT_OK(zx_futex_wake(&lock_word, 0));
    EXPECT_EQ(ZX_KOID_INVALID, owner_of(&lock_word));
    EXPECT_OK(zx_futex_wake(&lock_word, 2));
    await_done(&one);
    await_done(&two);
}

TEST(the_owner_goes_when_the_last_waiter_leaves) {
    struct waiter one;
    start_waiter(&one, &queue_word, ZX_HANDLE_INVALID);
    EXPECT_EQ(ZX_ERR_TIMED_OUT, zx_futex_wait(&lock_word, 0, one.self, soon()));
    EXPECT_EQ(ZX_KOID_INVALID, owner_of(&lock_word));
    EXPECT_OK(zx_futex_wake(&queue_word, 1));
    await_done(&one);
}

TEST(a_thread_that_waits_on_a_futex_cannot_own_it) {
    struct waiter one;
    start_waiter(&one, &lock_word, ZX_HANDLE_INVALID);
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_futex_wait(&lock_word, 0, one.self, soon()));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_futex_requeue(&lock_word, 0, 0, &queue_word, 1, one.self));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_futex_requeue(&queue_word, 0, 0, &lock_word, 1, one.self));
    EXPECT_OK(zx_futex_wake(&lock_word, 1));
    await_done(&one);
}

TEST(wake_single_owner_makes_the_woken_thread_the_owner) {
    struct waiter one, two;
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_futex_wake_single_owner(NULL));
    EXPECT_OK(zx_futex_wake_single_owner(&lock_word));
    start_waiter(&one, &lock_word, zx_thread_self());
    start_waiter(&two, &lock_word, zx_thread_self());
    zx_handle_t first = copy_with(one.self, ZX_RIGHT_INSPECT);
    zx_koid_t koid = koid_of(first);
    EXPECT_OK(zx_futex_wake_single_owner(&lock_word));
    zx_koid_t owner = owner_of(&lock_word);
    EXPECT(owner == koid || owner == ZX_KOID_INVALID); /* it may have died already */
    await_done(&one);
    /* An owner that is dead owns nothing. */
    for (int i = 0; i < 1000 && owner_of(&lock_word) != ZX_KOID_INVALID; i++)
        (void)zx_nanosleep(soon());
    EXPECT_EQ(ZX_KOID_INVALID, owner_of(&lock_word));
    EXPECT_OK(zx_futex_wake_single_owner(&lock_word));
    await_done(&two);
    close_handle(first);
}

TEST(the_dead_and_the_unborn_may_be_named_as_owners) {
    zx_handle_t thread;
    struct waiter one;
    REQUIRE_OK(zx_thread_create(zx_process_self(), "new", 3, 0, &thread));
    start_waiter(&one, &lock_word, thread);
    EXPECT_EQ(koid_of(thread), owner_of(&lock_word));
    EXPECT_OK(zx_futex_requeue(&lock_word, 0, 0, &queue_word, 1, thread));
    EXPECT_EQ(koid_of(thread), owner_of(&queue_word));
    EXPECT_OK(zx_futex_wake(&queue_word, 1));
    await_done(&one); /* the wait kept its first owner alive */
    start_waiter(&one, &lock_word, ZX_HANDLE_INVALID);
    EXPECT_OK(zx_futex_requeue(&lock_word, 0, 0, &queue_word, 1, thread));
    EXPECT_EQ(koid_of(thread), owner_of(&queue_word));
    close_handle(thread);
    EXPECT_EQ(ZX_KOID_INVALID, owner_of(&queue_word));
    EXPECT_OK(zx_futex_wake(&queue_word, 1));
    await_done(&one);
}

TEST(a_thread_of_another_process_cannot_own_a_futex) {
    static const uint8_t code[] = {0x0f, 0x0b};
    struct child child;
    if (child_make(&child, code, code + sizeof code))
        EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_futex_wait(&lock_word, 0, child.thread, soon()));
    child_end(&child);
}

/* --- requeueing --- */

TEST(futex_requeue_checks_addresses_then_value_then_owner) {
    zx_futex_t *odd = (zx_futex_t *)((uintptr_t)&queue_word + 1);
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_futex_requeue(NULL, 1, 0, &queue_word, 1, 0));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_futex_requeue(&lock_word, 1, 0, NULL, 1, 0));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_futex_requeue(&lock_word, 1, 0, odd, 1, 0));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_futex_requeue(&lock_word, 1, 0, &lock_word, 1, 0));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_futex_requeue((zx_futex_t *)8, 1, 0, &queue_word, 1, 0));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS,
              zx_futex_requeue(&lock_word, 1, 0, (zx_futex_t *)0xffff800000000000, 1, 0));
    EXPECT_EQ(ZX_ERR_BAD_STATE, zx_futex_requeue(&lock_word, 1, 5, &queue_word, 1, 0x77));
    EXPECT_EQ(ZX_ERR_BAD_HANDLE, zx_futex_requeue(&lock_word, 1, 0, &queue_word, 1, 0x77));
    EXPECT_EQ(ZX_ERR_WRONG_TYPE,
              zx_futex_requeue(&lock_word, 1, 0, &queue_word, 1, zx_process_self()));
    EXPECT_EQ(ZX_ERR_BAD_STATE, zx_futex_requeue_single_owner(&lock_word, 5, &queue_word, 1, 0));
    EXPECT_OK(zx_futex_requeue(&lock_word, 1, 0, &queue_word, 1, zx_thread_self()));
    EXPECT_OK(zx_futex_requeue_single_owner(&lock_word, 0, &queue_word, 1, 0));
}

TEST(futex_requeue_wakes_some_and_moves_others_in_order) {
    struct waiter waiters[4];
    for (int i = 0; i < 4; i++)
        start_waiter(&waiters[i], &lock_word, ZX_HANDLE_INVALID);
    EXPECT_OK(zx_futex_requeue(&lock_word, 1, 0, &queue_word, 2, zx_thread_self()));
    await_done(&waiters[0]);
    EXPECT_EQ(koid_of(zx_thread_self()), owner_of(&queue_word));
    EXPECT_EQ(ZX_KOID_INVALID, owner_of(&lock_word));
    EXPECT_OK(zx_futex_wake(&lock_word, 9));
    await_done(&waiters[3]);
    EXPECT(is_blocked(waiters[1].self) && is_blocked(waiters[2].self));
    EXPECT_OK(zx_futex_wake(&queue_word, 1));
    await_done(&waiters[1]);
    EXPECT(is_blocked(waiters[2].self));
    EXPECT_OK(zx_futex_wake(&queue_word, 1));
    await_done(&waiters[2]);
}

TEST(requeue_single_owner_gives_the_first_futex_to_the_woken_thread) {
    struct waiter waiters[3];
    for (int i = 0; i < 3; i++)
        start_waiter(&waiters[i], &lock_word, ZX_HANDLE_INVALID);
    zx_koid_t first = koid_of(waiters[0].self);
    EXPECT_OK(zx_futex_requeue_single_owner(&lock_word, 0, &queue_word, 1, zx_thread_self()));
    zx_koid_t owner = owner_of(&lock_word);
    EXPECT(owner == first || owner == ZX_KOID_INVALID);
    EXPECT_EQ(koid_of(zx_thread_self()), owner_of(&queue_word));
    await_done(&waiters[0]);
    EXPECT_OK(zx_futex_wake(&queue_word, 1));
    await_done(&waiters[1]);
    EXPECT_OK(zx_futex_wake(&lock_word, 1));
    await_done(&waiters[2]);
}

TEST(a_moved_waiter_times_out_on_its_new_futex) {
    struct waiter one = {.word = &lock_word, .deadline = zx_deadline_after(ZX_MSEC(300))};
    EXPECT_EQ(thrd_success, thrd_create(&one.thread, wait_on_word, &one));
    while (!atomic_load(&one.has_begun))
        (void)zx_nanosleep(soon());
    EXPECT_OK(zx_futex_requeue(&lock_word, 0, 0, &queue_word, 1, zx_thread_self()));
    while (!atomic_load(&one.is_done))
        (void)zx_nanosleep(soon());
    thrd_join(one.thread, NULL);
    EXPECT_EQ(ZX_ERR_TIMED_OUT, one.status);
    EXPECT_EQ(ZX_KOID_INVALID, owner_of(&queue_word));
}
