/*
 * t_inherit.c - the owner of a futex runs with the priority of whoever waits for it.
 *
 * LOW owns what MIDDLE waits for, who owns what HIGH waits for. Then there is a hog of a
 * priority between on every CPU; LOW gets one only if it is lent the priority of HIGH.
 */
#include <jacinth/utest.h>
#include <stdatomic.h>
#include <threads.h>

#include "core-tests/support.h"

enum { LOW = 5, MIDDLE = 7, HOG = 10, HIGH = 13, MOST_CPUS = 64 };

struct actor {
    thrd_t thread;
    _Atomic zx_handle_t handle; /* set by the thread itself */
    int priority;
    uint32_t flags; /* of its profile */
    uint32_t cpu;   /* the only one it may run on, with ZX_PROFILE_INFO_FLAG_CPU_MASK */
    int (*work)(struct actor *actor);
    zx_futex_t *waits_for;
    zx_handle_t owner;
};

static zx_futex_t low_word, middle_word;
static _Atomic bool go, high_is_through;
static _Atomic uint32_t hogs;

static void sleep_a_moment(void) { (void)zx_nanosleep(zx_deadline_after(ZX_MSEC(1))); }

static int act(void *argument) {
    struct actor *actor = argument;
    zx_profile_info_t info = {.flags = ZX_PROFILE_INFO_FLAG_PRIORITY | actor->flags,
                              .priority = actor->priority,
                              .cpu_affinity_mask = {{1ull << actor->cpu}}};
    zx_handle_t profile = ZX_HANDLE_INVALID;
    EXPECT_OK(zx_profile_create(zx_job_default(), 0, &info, &profile));
    EXPECT_OK(zx_object_set_profile(zx_thread_self(), profile, 0));
    close_handle(profile);
    actor->handle = copy_with(zx_thread_self(), ZX_RIGHT_SAME_RIGHTS);
    return actor->work(actor);
}

static void let_go(zx_futex_t *word) {
    atomic_store(word, 1);
    EXPECT_OK(zx_futex_wake(word, UINT32_MAX));
}

static int low_work(struct actor *actor) {
    while (hogs < zx_system_get_num_cpus())
        sleep_a_moment();
    let_go(&low_word);
    return 0;
}

static int middle_work(struct actor *actor) {
    EXPECT_OK(zx_futex_wait(&low_word, 0, actor->owner, ZX_TIME_INFINITE));
    let_go(&middle_word);
    return 0;
}

static int high_work(struct actor *actor) {
    EXPECT_OK(zx_futex_wait(&middle_word, 0, actor->owner, ZX_TIME_INFINITE));
    high_is_through = true;
    return 0;
}

/* Returns 1 if nobody got past it for long. */
static int hog_work(struct actor *actor) {
    zx_time_t give_up = 0;
    while (!go)
        sleep_a_moment();
    hogs++;
    for (give_up = zx_deadline_after(ZX_SEC(actor->owner)); !high_is_through;)
        if (zx_clock_get_monotonic() > give_up)
            return 1;
    return 0;
}

static void start(struct actor *actor) {
    EXPECT_EQ(thrd_success, thrd_create(&actor->thread, act, actor));
    while (!actor->handle)
        sleep_a_moment();
}

static void start_and_await(struct actor *actor) {
    zx_info_thread_t info = {0};
    start(actor);
    while (info.state != ZX_THREAD_STATE_BLOCKED_FUTEX) {
        EXPECT_OK(zx_object_get_info(actor->handle, ZX_INFO_THREAD, &info, sizeof info, NULL,
                                     NULL));
        sleep_a_moment();
    }
}

static int finish(struct actor *actor) {
    int result = -1;
    (void)thrd_join(actor->thread, &result);
    close_handle(actor->handle);
    return result;
}

/* True if HIGH was let go before the hogs gave up. */
static bool high_gets_through(uint32_t flags, unsigned patience) {
    static struct actor hog[MOST_CPUS];
    uint32_t cpus = zx_system_get_num_cpus();
    bool through = true;
    low_word = middle_word = 0;
    go = high_is_through = false;
    hogs = 0;
    struct actor low = {.priority = LOW, .work = low_work};
    start(&low);
    struct actor middle = {.priority = MIDDLE, .work = middle_work, .owner = low.handle};
    start_and_await(&middle);
    struct actor high = {
        .priority = HIGH, .flags = flags, .work = high_work, .owner = middle.handle};
    start_and_await(&high);
    for (uint32_t i = 0; i < cpus; i++) { /* one each: two on one CPU would leave one for LOW */
        hog[i] = (struct actor){.priority = HOG, .flags = ZX_PROFILE_INFO_FLAG_CPU_MASK, .cpu = i,
                                .work = hog_work, .owner = patience};
        start(&hog[i]);
    }
    go = true;
    for (uint32_t i = 0; i < cpus; i++)
        through = finish(&hog[i]) == 0 && through;
    (void)finish(&low);
    (void)finish(&middle);
    (void)finish(&high);
    return through;
}

TEST(a_chain_of_futex_owners_inherits_the_priority_of_who_waits) {
    EXPECT(high_gets_through(0, 20));
}

TEST(nothing_is_inherited_from_a_profile_that_says_so) {
    EXPECT(!high_gets_through(ZX_PROFILE_INFO_FLAG_NO_INHERIT, 1));
}
