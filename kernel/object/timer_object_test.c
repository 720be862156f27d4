/*
 * timer_object_test.c - timers, resources, the log as objects.
 */
#include "arch/clock.h"
#include "arch/cpu.h"
#include "lib/ktest.h"
#include "lib/string.h"
#include "object/debuglog.h"
#include "object/resource.h"
#include "object/timer_object.h"
#include "sched/park.h"
#include "vm/kheap.h"

static bool is_signalled(struct handle handle) {
    return waitable_signals(handle.object) & ZX_TIMER_SIGNALED;
}

KTEST_QUICK(timer_object, it_signals_after_its_deadline_and_not_before) {
    struct timer_object *timer;

    REQUIRE(timer_object_create(0, &timer) == OK);
    struct handle handle = handle_adopt(&timer->base, 0);
    nstime_t deadline = clock_now() + 300000;
    timer_object_set(timer, deadline, 0);
    while (!is_signalled(handle) && clock_now() < deadline + 10000000000)
        (void)thread_sleep_until(clock_now() + 50000);
    EXPECT(is_signalled(handle));
    EXPECT(clock_now() >= deadline);
    timer_object_set(timer, clock_now() + 1000000000, 0);
    EXPECT(!is_signalled(handle));
    timer_object_set(timer, 0, 0);
    EXPECT(is_signalled(handle));
    timer_object_cancel(timer);
    EXPECT(!is_signalled(handle));
    handle_release(&handle);
}

static void nothing_happens(struct timer *timer, nstime_t now) {}

KTEST_QUICK(timer, slack_joins_the_nearest_neighbour_within_it_and_no_other) {
    const nstime_t at = (nstime_t)1 << 60; /* nobody else's timer is near */
    struct timer one, other, third;

    timer_init(&one, nothing_happens);
    timer_init(&other, nothing_happens);
    timer_init(&third, nothing_happens);
    irq_state_t state = irq_save(); /* all on one CPU */
    timer_set(&one, at);
    timer_set(&other, at + 100);
    EXPECT_EQ(at, timer_set_with_slack(&third, at + 40 - 60, at + 40, at + 40 + 60));
    EXPECT(timer_cancel(&third));
    EXPECT_EQ(at + 100, timer_set_with_slack(&third, at + 40, at + 40, at + 100));
    EXPECT(timer_cancel(&third));
    EXPECT_EQ(at, timer_set_with_slack(&third, at, at + 60, at + 60));
    EXPECT(timer_cancel(&third));
    EXPECT_EQ(at + 60, timer_set_with_slack(&third, at + 1, at + 60, at + 99));
    EXPECT(timer_cancel(&third));
    EXPECT(timer_cancel(&one) && timer_cancel(&other));
    irq_restore(state);
}

#define MANY_TIMERS 100000
#define IN_A_BLOCK  5000
static struct timer *blocks[MANY_TIMERS / IN_A_BLOCK];

static struct timer *timer_at(unsigned i) { return &blocks[i / IN_A_BLOCK][i % IN_A_BLOCK]; }

static bool make_blocks(void) {
    for (unsigned i = 0; i < ARRAY_SIZE(blocks); i++) {
        blocks[i] = kheap_alloc(IN_A_BLOCK * sizeof(struct timer));
        if (!blocks[i])
            return false;
    }
    return true;
}

static void free_blocks(void) {
    for (unsigned i = 0; i < ARRAY_SIZE(blocks); i++) {
        kheap_free(blocks[i]);
        blocks[i] = NULL;
    }
}

static unsigned depth_of(const struct tree_node *node) {
    unsigned depth = 0;

    for (; node; node = node->parent)
        depth++;
    return depth;
}

static void arm_and_disarm_many(void) {
    const nstime_t far = (nstime_t)1 << 60;
    unsigned deepest = 0, armed = 0;

    for (unsigned i = 0; i < MANY_TIMERS; i++) {
        timer_init(timer_at(i), nothing_happens);
        timer_set(timer_at(i), far + (nstime_t)(i * 7919 % MANY_TIMERS));
    }
    for (unsigned i = 0; i < MANY_TIMERS; i++)
        deepest = MAX(deepest, depth_of(&timer_at(i)->node));
    for (unsigned i = 0; i < MANY_TIMERS; i++)
        armed += timer_cancel(timer_at(i));
    EXPECT_EQ(MANY_TIMERS, armed);
    EXPECT(deepest <= 26);
}

/* The tree is balanced: at most 1.45 log2(n) levels, so each step costs about 25 looks. */
KTEST(timer, a_hundred_thousand_lie_in_a_shallow_tree) {
    bool made = make_blocks();

    EXPECT(made);
    if (made)
        arm_and_disarm_many();
    free_blocks();
}

KTEST(timer_object, an_expiry_on_its_way_means_nothing_after_cancel) {
    struct timer_object *timer;
    unsigned late = 0;

    REQUIRE(timer_object_create(0, &timer) == OK);
    struct handle handle = handle_adopt(&timer->base, 0);
    for (unsigned i = 0; i < 200; i++) {
        timer_object_set(timer, clock_now() + i * 100, 0);
        (void)thread_sleep_until(clock_now() + 10000);
        timer_object_cancel(timer);
        late += is_signalled(handle);
    }
    (void)thread_sleep_until(clock_now() + 1000000);
    late += is_signalled(handle);
    EXPECT_EQ(0, late);
    handle_release(&handle);
    (void)thread_sleep_until(clock_now() + 1000000); /* the worker lets go */
}

KTEST_QUICK(resource, a_range_is_shared_unless_it_is_exclusive) {
    struct resource *root, *one, *two;
    const uint32_t exclusive = ZX_RSRC_KIND_IOPORT | ZX_RSRC_FLAG_EXCLUSIVE;
    char name[OBJECT_NAME_SIZE] = "test";

    REQUIRE(resource_create_root(&root) == OK);
    if (resource_create(root, ZX_RSRC_KIND_IOPORT, 0x3f8, 8, name, &one) == OK) {
        struct handle handle = handle_adopt(&one->base, 0);
        EXPECT_EQ(ERR_NOT_FOUND, resource_create(root, exclusive, 0x3ff, 1, name, &two));
        EXPECT_EQ(ERR_ACCESS_DENIED, resource_create(one, 2, 0x3f8, 1, name, &two));
        EXPECT_EQ(OK, resource_check(one, ZX_RSRC_KIND_IOPORT));
        EXPECT_EQ(ERR_WRONG_TYPE, resource_check(one, ZX_RSRC_KIND_IRQ));
        EXPECT_EQ(OK, resource_check(root, ZX_RSRC_KIND_IRQ));
        handle_release(&handle);
        if (resource_create(root, exclusive, 0x3ff, 1, name, &two) == OK) {
            EXPECT_EQ(ERR_NOT_FOUND, resource_create(root, 2, 0x3f8, 8, name, &one));
            waitable_unref(&two->base);
        }
    }
    EXPECT_EQ(ERR_NOT_FOUND, resource_create(root, 2, 65535, 2, name, &one));
    EXPECT_EQ(ERR_INVALID_ARGS, resource_create(root, ZX_RSRC_KIND_ROOT, 0, 1, name, &one));
    EXPECT_EQ(ERR_INVALID_ARGS, resource_create(root, ZX_RSRC_KIND_COUNT, 0, 0, name, &one));
    EXPECT_EQ(ERR_INVALID_ARGS, resource_create(root, 1u << 17, 0, 1, name, &one));
    waitable_unref(&root->base);
}

KTEST_QUICK(debuglog, each_reader_has_a_place_of_its_own) {
    struct debuglog *log;
    struct log_record record;
    bool found = false;

    REQUIRE(debuglog_create(true, &log) == OK);
    log_append(LOG_DEBUG, 7, 8, "a user's record", 15);
    while (debuglog_read(log, &record) == OK)
        if (record.length == 15 && memcmp(record.data, "a user's record", 15) == 0)
            found = record.pid == 7 && record.tid == 8;
    EXPECT(found);
    EXPECT(!(waitable_signals(&log->base) & ZX_LOG_READABLE));
    log_append(LOG_DEBUG, 7, 8, "another", 7);
    for (unsigned i = 0; i < 1000 && !(waitable_signals(&log->base) & ZX_LOG_READABLE); i++)
        (void)thread_sleep_until(clock_now() + 100000);
    EXPECT(waitable_signals(&log->base) & ZX_LOG_READABLE);
    waitable_unref(&log->base);
}
