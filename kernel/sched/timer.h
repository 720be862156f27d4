/*
 * timer.h - deadlines: a function called in interrupt context at a time.
 *
 * Each CPU keeps its timers in a tree ordered by deadline, so arming, cancelling
 * and expiry are logarithmic, and programs its one-shot interrupt only for the
 * earliest. A timer lies on the CPU on which it was set. Its function runs with
 * that CPU's timer lock (RANK_TIMER) held, so it may only take RANK_WAIT and
 * above, must not set or cancel timers, and timer_cancel needs no further
 * synchronisation: when it returns, the function is not running.
 */
#pragma once

#include "arch/spinlock.h"
#include "lib/tree.h"
#include "lib/types.h"

struct timer;
typedef void timer_function(struct timer *timer, nstime_t now);

struct timer {
    struct tree_node node; /* key: deadline */
    timer_function *function;
    uint32_t cpu;          /* whose tree, while armed or last armed */
    _Atomic bool armed;    /* written under that CPU's timer lock */
};

void timer_init(struct timer *timer, timer_function *function);
/* Not armed now. A deadline that has passed fires at once, by interrupt. */
void timer_set(struct timer *timer, nstime_t deadline);
/*
 * The same, for any time from `earliest` to `latest`: together with another timer of this
 * CPU if one is due then, the nearest to `deadline`. Returns the time that was chosen.
 */
nstime_t timer_set_with_slack(struct timer *timer, nstime_t earliest, nstime_t deadline,
                              nstime_t latest);
/* True if it was armed and now never fires. When it returns, the function does not run. */
bool timer_cancel(struct timer *timer);

/* For the scheduler: have this CPU call sched_tick at `deadline`. Interrupts off. */
void timer_request_tick(nstime_t deadline);
