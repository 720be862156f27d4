/*
 * orders_time.c - timers that expire while somebody cancels or sets them, in all orders.
 */
#include "arch/clock.h"
#include "arch/host/host.h"
#include "object/timer_object.h"
#include "tests/host/orders.h"

#define AWAY ((nstime_t)100000)     /* ns: more than passes by itself in an order */
#define FAR  ((nstime_t)1000000000) /* more than passes between an order and its check */

static struct {
    struct timer_object *object;
    struct handle handle;
    nstime_t deadline;
    _Atomic bool is_set;
    bool was_set; /* when it was set again */
} timer;

static void prepare(void) {
    timer = (typeof(timer)){.deadline = 0};
    REQUIRE(timer_object_create(ZX_TIMER_SLACK_CENTER, &timer.object) == OK);
    waitable_ref(&timer.object->base);
    timer.handle = handle_adopt(&timer.object->base, 0);
    timer.deadline = clock_now() + AWAY;
}

/* On the CPU whose timer it is: set, and late. */
static void set_and_expire(void) {
    timer_object_set(timer.object, timer.deadline, 0);
    timer.is_set = true;
    host_advance_time(AWAY);
}
static void cancel(void) { timer_object_cancel(timer.object); }
static void set_far_away(void) {
    timer.was_set = timer.is_set;
    timer_object_set(timer.object, timer.deadline + FAR, 0);
}
static void close_handle(void) { handle_release(&timer.handle); }

static bool is_signalled(void) {
    return waitable_signals(&timer.object->base) & ZX_TIMER_SIGNALED;
}

static void let_go(void) {
    handle_release(&timer.handle);
    EXPECT(!timer.object->timer.armed);
    waitable_unref(&timer.object->base);
}

static void check(void) {
    zx_info_timer_t info;

    timer_object_get_info(timer.object, &info);
    EXPECT_EQ(0, info.deadline);
    EXPECT(!timer.object->timer.armed);
    orders_saw("%s", is_signalled() ? "signalled" : "quiet");
    let_go();
}

/* Quiet, if it was cancelled; signalled, if it was cancelled before it was set. */
ORDERS(timer, a_cancel_meets_the_expiry, .switches = 3, .prepare = prepare,
       .work = {set_and_expire, cancel}, .check = check, .outcomes = {"signalled", "quiet"});
ORDERS(timer, the_last_handle_goes_as_it_expires, .switches = 3, .prepare = prepare,
       .work = {set_and_expire, close_handle}, .check = check,
       .outcomes = {"signalled", "quiet"});

/* A later deadline must not be taken for due by the expiry of the earlier one. */
static void set_again_check(void) {
    zx_info_timer_t info;

    timer_object_get_info(timer.object, &info);
    EXPECT(is_signalled() == (info.deadline == 0));
    if (timer.was_set)
        EXPECT_EQ(timer.deadline + FAR, info.deadline);
    orders_saw("%s%s", is_signalled() ? "signalled" : "quiet", info.deadline ? ", armed" : "");
    let_go();
}

ORDERS(timer, it_is_set_again_as_it_expires, .switches = 3, .prepare = prepare,
       .work = {set_and_expire, set_far_away}, .check = set_again_check,
       .outcomes = {"signalled", "quiet, armed"});
