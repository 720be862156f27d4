/*
 * orders_sched.c - mutexes, parking, and the scheduler under them, in all orders.
 */
#include "arch/clock.h"
#include "arch/host/host.h"
#include "sched/inherit.h"
#include "sched/mutex.h"
#include "sched/sched.h"
#include "tests/host/orders.h"
#include "vm/kernel_thread.h"

static struct mutex lock = MUTEX_INIT(RANK_OBJECT, "orders");

/* ---- A mutex with up to three that want it ---- */

static struct {
    _Atomic unsigned inside;
    unsigned turns;
    char order[ORDERS_THREADS + 1]; /* of those that had it */
} guarded;

static void mutex_prepare(void) { guarded = (typeof(guarded)){.turns = 0}; }

static void hold(char name) {
    mutex_lock(&lock);
    EXPECT_EQ(0, atomic_fetch_add(&guarded.inside, 1));
    EXPECT(mutex_is_mine(&lock));
    guarded.order[guarded.turns++] = name;
    EXPECT_EQ(1, atomic_fetch_sub(&guarded.inside, 1));
    mutex_unlock(&lock);
}
static void hold_a(void) { hold('a'); }
static void hold_b(void) { hold('b'); }
static void hold_c(void) { hold('c'); }

static void mutex_check(void) {
    EXPECT_EQ(0, lock.owner);
    EXPECT(lock.waiters == NULL);
    orders_saw("%s", guarded.order);
}

ORDERS(mutex, three_have_it_one_after_another, .switches = 2, .prepare = mutex_prepare,
       .work = {hold_a, hold_b, hold_c}, .check = mutex_check,
       .outcomes = {"abc", "acb", "bac", "bca", "cab", "cba"});
ORDERS(mutex, two_hand_it_over_under_the_scheduler, .switches = 3, .scheduler = true,
       .prepare = mutex_prepare, .work = {hold_a, hold_b}, .check = mutex_check,
       .outcomes = {"ab", "ba"});

static bool got_it;

static void try_b(void) {
    got_it = false;
    if (!mutex_try_lock(&lock))
        return;
    got_it = true;
    guarded.order[guarded.turns++] = 'b';
    mutex_unlock(&lock);
}

static void try_check(void) {
    EXPECT_EQ(0, lock.owner);
    orders_saw("%s%s", guarded.order, got_it ? "" : ", refused");
}

ORDERS(mutex, one_who_only_tries_gets_it_or_goes_on, .switches = 3, .prepare = mutex_prepare,
       .work = {hold_a, try_b}, .check = try_check, .outcomes = {"ab", "ba", "a, refused"});

/* ---- One wait, its waker, and a kill ---- */

static struct {
    struct parker *linked; /* under lock: the protocol of park.h */
    struct parker early;   /* prepared before anybody can wake it */
    status_t status;
    bool found;
} wait;

static void wait_prepare(void) {
    wait = (typeof(wait)){.status = ERR_INTERNAL};
    wait.early.thread = orders_thread(0);
}

static void park_early(void) {
    wait.status = thread_park(&wait.early, TIME_INFINITE, 0, BLOCK_OTHER);
}
static void wake_early(void) { thread_unpark(&wait.early, OK); }
static void early_check(void) { orders_saw("%s", orders_status(wait.status)); }

ORDERS(park, a_wake_is_never_lost, .switches = 3, .scheduler = true, .prepare = wait_prepare,
       .work = {park_early, wake_early}, .check = early_check, .outcomes = {"OK"});

static void wake_early_otherwise(void) { thread_unpark(&wait.early, ERR_CANCELED); }

ORDERS(park, the_first_word_of_two_wakers_wins, .switches = 2, .prepare = wait_prepare,
       .work = {park_early, wake_early, wake_early_otherwise}, .check = early_check,
       .outcomes = {"OK", "CANCELED"});

static void link_parker(struct parker *parker) {
    MUTEX_GUARD(&lock);

    park_prepare(parker);
    wait.linked = parker;
}

/* True if a waker was earlier. */
static bool unlink_parker(void) {
    MUTEX_GUARD(&lock);

    bool was_woken = wait.linked == NULL;
    wait.linked = NULL;
    return was_woken;
}

static void park_linked(void) {
    struct parker parker;

    link_parker(&parker);
    wait.status = thread_park(&parker, TIME_INFINITE, PARK_KILLABLE, BLOCK_OTHER);
    if (wait.status != OK && unlink_parker())
        wait.status = parker_status(&parker);
}

static void wake_linked(void) {
    MUTEX_GUARD(&lock);

    if (!wait.linked)
        return;
    wait.found = true;
    thread_unpark(TAKE(wait.linked), OK);
}

static void kill_first(void) { thread_set_pending(orders_thread(0), THREAD_PENDING_KILL); }
static void suspend_first(void) { thread_set_pending(orders_thread(0), THREAD_PENDING_SUSPEND); }

static void linked_check(void) {
    EXPECT(wait.linked == NULL);
    EXPECT_EQ(wait.found, wait.status == OK);
    orders_saw("%s", orders_status(wait.status));
}

ORDERS(park, a_kill_and_a_wake_end_one_wait, .switches = 2, .prepare = wait_prepare,
       .work = {park_linked, wake_linked, kill_first}, .check = linked_check,
       .outcomes = {"OK", "KILLED"});
ORDERS(park, a_suspension_and_a_wake_end_one_wait, .switches = 2, .prepare = wait_prepare,
       .work = {park_linked, wake_linked, suspend_first}, .check = linked_check,
       .outcomes = {"OK", "RETRY"});

/* With a deadline that passes while the waker is on its way. */
static void park_for_a_moment(void) {
    struct parker parker;

    link_parker(&parker);
    wait.status = thread_park(&parker, clock_now() + 3000, PARK_KILLABLE, BLOCK_OTHER);
    if (wait.status != OK && unlink_parker())
        wait.status = parker_status(&parker);
}

static void late_wake(void) {
    host_advance_time(3000);
    wake_linked();
}

ORDERS(park, a_deadline_and_a_wake_end_one_wait, .switches = 3, .prepare = wait_prepare,
       .work = {park_for_a_moment, late_wake}, .check = linked_check,
       .outcomes = {"OK", "TIMED_OUT"});

/* ---- Two that wake each other: heirs, queues and idle CPUs ---- */

static struct {
    struct parker parkers[2];
    unsigned rounds[2];
} pair;

static void pair_prepare(void) {
    pair = (typeof(pair)){.rounds = {0}};
    for (unsigned i = 0; i < 2; i++)
        pair.parkers[i].thread = orders_thread(i);
}

static void ping(void) {
    thread_unpark(&pair.parkers[1], OK);
    pair.rounds[0] += thread_park(&pair.parkers[0], TIME_INFINITE, 0, BLOCK_OTHER) == OK;
}
static void pong(void) {
    pair.rounds[1] += thread_park(&pair.parkers[1], TIME_INFINITE, 0, BLOCK_OTHER) == OK;
    thread_about_to_park();
    thread_unpark(&pair.parkers[0], OK);
    thread_not_about_to_park();
}
static void pair_check(void) { orders_saw("%u and %u", pair.rounds[0], pair.rounds[1]); }

ORDERS(sched, two_that_wake_each_other_both_go_on, .switches = 2, .scheduler = true,
       .prepare = pair_prepare, .work = {ping, pong}, .check = pair_check,
       .outcomes = {"1 and 1"});

/* ---- A thread that may run anywhere ---- */

/* Parks, is woken, says so to thread `tells`, and ends. Its CPU is the scheduler's choice. */
static struct {
    struct parker parker, teller;
    _Atomic unsigned runs;
    _Atomic bool is_parked;
} guest;

static void guest_main(void *unused) {
    park_prepare(&guest.parker);
    guest.is_parked = true;
    EXPECT_EQ(OK, thread_park(&guest.parker, TIME_INFINITE, 0, BLOCK_OTHER));
    guest.runs++;
    thread_unpark(&guest.teller, OK);
}

static void start_guest(unsigned priority, unsigned tells) {
    struct thread *thread = kernel_thread_create("guest", guest_main, NULL, priority);

    REQUIRE(thread != NULL);
    guest = (typeof(guest)){.runs = 0};
    guest.teller.thread = orders_thread(tells);
    thread_start(thread);
    while (!guest.is_parked || thread->on_cpu)
        (void)thread_sleep_until(clock_now() + 1000000);
}

static void wake_guest(void) { thread_unpark(&guest.parker, OK); }
static void hear_of_guest(void) {
    EXPECT_EQ(OK, thread_park(&guest.teller, TIME_INFINITE, 0, BLOCK_OTHER));
}
/* Who has come to the end of its work keeps its CPU busy. */
static void be_busy(void) {}

static void guest_check(void) { orders_saw("ran %u times", guest.runs); }

/* Below the others, so that it waits for a CPU without end where somebody is busy. */
static void low_guest_prepare(void) { start_guest(PRIORITY_DEFAULT - 1, 1); }

ORDERS(sched, no_cpu_idles_while_a_thread_waits_elsewhere, .switches = 2, .scheduler = true,
       .prepare = low_guest_prepare, .work = {wake_guest, hear_of_guest, be_busy},
       .check = guest_check, .outcomes = {"ran 1 times"});

/* It is an heir, of one who blocks, while another CPU comes to steal. */
static void heir_prepare(void) {
    start_guest(PRIORITY_DEFAULT, 0);
    wait_prepare();
    wait.early.thread = orders_thread(1);
}
static void hand_over(void) {
    thread_about_to_park();
    wake_guest();
    hear_of_guest();
    thread_unpark(&wait.early, OK);
}

ORDERS(sched, an_heir_runs_once_whoever_comes_for_it, .switches = 2, .scheduler = true,
       .prepare = heir_prepare, .work = {hand_over, park_early}, .check = guest_check,
       .outcomes = {"ran 1 times"});

/* ---- Priorities ---- */

static void raise_first(void) { thread_set_priority(orders_thread(0), PRIORITY_DEFAULT + 4, true); }

static void priority_check(void) {
    for (unsigned i = 0; i < 2; i++)
        EXPECT_EQ(i == 0 ? PRIORITY_DEFAULT + 4 : PRIORITY_DEFAULT,
                  orders_thread(i)->wanted_priority);
    EXPECT_EQ(0, orders_thread(0)->lent_bitmap);
    EXPECT_EQ(0, orders_thread(1)->lent_bitmap);
    thread_set_priority(orders_thread(0), PRIORITY_DEFAULT, true);
    EXPECT_EQ(PRIORITY_DEFAULT, orders_thread(0)->wanted_priority);
    mutex_check();
}

ORDERS(inherit, what_a_waiter_lends_is_given_back, .switches = 2, .prepare = mutex_prepare,
       .work = {hold_a, hold_b, raise_first}, .check = priority_check, .outcomes = {"ab", "ba"});
