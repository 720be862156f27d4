/*
 * sched_heir_test.c - the CPU goes from a waker that blocks to whom it woke (sched.c).
 *
 * What runs next is certain only on one CPU and while nobody preempts the waker, so the
 * tests of order ask whether it ever happened, which without heirs it never does.
 */
#include "arch/clock.h"
#include "lib/ktest.h"
#include "sched/sched.h"
#include "vm/kernel_thread.h"
#include "vm/test_crew.h"

#define SECOND ((nstime_t)1000000000)

static struct crew crew;
static _Atomic bool finished;

/* Where one thread waits and others give it turns. */
struct seat {
    struct spinlock lock;  /* RANK_IRQ */
    struct parker *parker; /* under lock: who waits */
    unsigned turns;        /* under lock */
};

static void seat_init(struct seat *seat) {
    *seat = (struct seat){};
    spinlock_init(&seat->lock, RANK_IRQ, "seat");
}

static void seat_give(struct seat *seat) {
    SPIN_GUARD(&seat->lock);
    seat->turns++;
    if (seat->parker)
        thread_unpark(seat->parker, OK);
    seat->parker = NULL;
}

static bool seat_try(struct seat *seat, struct parker *parker) {
    SPIN_GUARD(&seat->lock);
    park_prepare(parker);
    bool has_turn = seat->turns > 0;
    if (has_turn)
        seat->turns--;
    else
        seat->parker = parker;
    return has_turn;
}

static bool seat_is_waited_for(struct seat *seat) {
    SPIN_GUARD(&seat->lock);
    return seat->parker != NULL;
}

static void seat_take(struct seat *seat) {
    struct parker parker;

    while (!seat_try(seat, &parker))
        EXPECT_EQ(OK, thread_park(&parker, TIME_INFINITE, 0, BLOCK_OTHER));
}

/* Until somebody waits there, so that a turn that is given wakes him. */
static void seat_await_waiter(struct seat *seat) {
    while (!seat_is_waited_for(seat))
        sched_yield();
}

/* ---- Who runs next ---- */

#define ROUNDS 100

static struct seat waker_seat, woken_seat;
static _Atomic unsigned bystander_turns, turns_at_wake, direct;

static void woken_work(void) {
    for (unsigned round = 0; round < ROUNDS; round++) {
        seat_take(&woken_seat);
        direct += bystander_turns == turns_at_wake;
        seat_give(&waker_seat);
    }
}

static void waker_work(void) {
    for (unsigned round = 0; round < ROUNDS; round++) {
        seat_await_waiter(&woken_seat);
        turns_at_wake = bystander_turns;
        seat_give(&woken_seat);
        seat_take(&waker_seat);
    }
    finished = true;
}

/* Always ready, and in the queue before the woken thread. */
static void bystander_work(void) {
    while (!finished) {
        bystander_turns++;
        sched_yield();
        cpu_relax();
    }
}

static void three_work(void *context, unsigned index) {
    static void (*const work[])(void) = {bystander_work, woken_work, waker_work};
    work[index]();
}

KTEST(heir, a_woken_thread_runs_next_when_its_waker_blocks) {
    seat_init(&waker_seat);
    seat_init(&woken_seat);
    finished = false;
    direct = 0;
    if (!crew_start(&crew, 3, three_work, NULL)) { /* without a waker, at least */
        finished = true;
        for (unsigned round = 0; round < ROUNDS; round++)
            seat_give(&woken_seat);
    }
    crew_wait(&crew);
    EXPECT(direct > 0 || cpu_count() > 1);
}

/* ---- The waker goes on ---- */

static _Atomic unsigned arrivals;

static void arrive_work(void) {
    for (unsigned round = 0; round < 2; round++) {
        seat_take(&woken_seat);
        arrivals++;
    }
}

/* Only the end of the slice, or another CPU, can let the heir run. */
static void wake_and_spin(bool promise) {
    unsigned before = arrivals;
    nstime_t give_up = clock_now() + 20 * SECOND;

    if (promise)
        thread_about_to_park();
    seat_give(&woken_seat);
    if (promise)
        thread_not_about_to_park();
    while (arrivals == before && clock_now() < give_up) {
        clock_spin(10000); /* on the host a slice would take half a million looks at the clock */
        cpu_relax();
    }
    EXPECT_EQ(before + 1, arrivals);
}

static void spin_work(void) {
    for (unsigned round = 0; round < 2; round++) {
        seat_await_waiter(&woken_seat);
        wake_and_spin(round == 0);
    }
}

static void arrive_or_spin_work(void *context, unsigned index) {
    if (index == 0)
        arrive_work();
    else
        spin_work();
}

KTEST(heir, an_heir_runs_although_its_waker_goes_on) {
    seat_init(&woken_seat);
    arrivals = 0;
    if (!crew_start(&crew, 2, arrive_or_spin_work, NULL)) {
        seat_give(&woken_seat);
        seat_give(&woken_seat);
    }
    crew_wait(&crew);
}

/* ---- Higher priorities ---- */

static struct seat high_seat;
static _Atomic unsigned order, high_order, heir_order;
static _Atomic bool high_ended;

static void high_main(void *unused) {
    seat_take(&high_seat);
    high_order = ++order;
    high_ended = true;
}

/* Both wakes before anything can happen between them. */
static void wake_both(void) {
    irq_state_t state = irq_save();
    thread_about_to_park();
    seat_give(&woken_seat);
    seat_give(&high_seat);
    irq_restore(state);
}

static void heir_or_waker_work(void *context, unsigned index) {
    if (index == 0) {
        seat_take(&woken_seat);
        heir_order = ++order;
        seat_give(&waker_seat);
        return;
    }
    seat_await_waiter(&woken_seat);
    seat_await_waiter(&high_seat);
    wake_both();
    seat_take(&waker_seat);
}

KTEST(heir, a_thread_of_higher_priority_goes_before_the_heir) {
    seat_init(&waker_seat);
    seat_init(&woken_seat);
    seat_init(&high_seat);
    order = 0;
    high_ended = false;
    struct thread *high = kernel_thread_create("high", high_main, NULL, PRIORITY_DEFAULT + 1);
    if (!high)
        return;
    thread_start(high);
    if (!crew_start(&crew, 2, heir_or_waker_work, NULL)) {
        seat_give(&woken_seat);
        seat_give(&high_seat);
    }
    crew_wait(&crew);
    while (!high_ended)
        (void)thread_sleep_until(clock_now() + SECOND / 1000);
    EXPECT(high_order < heir_order || cpu_count() > 1);
}

/* ---- A thread that may not move ---- */

static unsigned pinned_cpu;
static _Atomic bool pinned_ended;

static void pinned_main(void *unused) {
    for (unsigned round = 0; round < ROUNDS; round++) {
        seat_take(&woken_seat);
        EXPECT_EQ(pinned_cpu, cpu_id());
        seat_give(&waker_seat);
    }
    pinned_ended = true;
}

KTEST(heir, a_pinned_thread_runs_on_its_cpu_only) {
    seat_init(&waker_seat);
    seat_init(&woken_seat);
    pinned_ended = false;
    pinned_cpu = cpu_count() - 1;
    struct thread *pinned = kernel_thread_create("pinned", pinned_main, NULL, PRIORITY_DEFAULT);
    if (!pinned)
        return;
    thread_start_pinned(pinned, pinned_cpu);
    for (unsigned round = 0; round < ROUNDS; round++) {
        thread_about_to_park();
        seat_give(&woken_seat);
        seat_take(&waker_seat);
    }
    while (!pinned_ended)
        (void)thread_sleep_until(clock_now() + SECOND / 1000);
}

/* ---- Kill ---- */

static struct thread *_Atomic victim;
static struct parker *_Atomic victim_parker;

static void victim_work(void *context, unsigned index) {
    struct parker first, second;

    park_prepare(&first);
    victim = thread_current();
    victim_parker = &first;
    EXPECT_EQ(OK, thread_park(&first, TIME_INFINITE, PARK_KILLABLE, BLOCK_OTHER));
    park_prepare(&second);
    EXPECT_EQ(ERR_INTERNAL_KILLED,
              thread_park(&second, TIME_INFINITE, PARK_KILLABLE, BLOCK_OTHER));
    thread_clear_pending(thread_current(), UINT32_MAX);
}

/* Woken, then killed, before the waker's CPU can go to it; another CPU may be quicker. */
KTEST(heir, a_kill_reaches_an_heir_before_it_runs) {
    victim_parker = NULL;
    if (!crew_start(&crew, 1, victim_work, NULL)) {
        crew_wait(&crew);
        return;
    }
    while (!victim_parker || atomic_load(&victim->state) != THREAD_PARKED)
        (void)thread_sleep_until(clock_now() + SECOND / 1000);
    irq_state_t state = irq_save();
    thread_about_to_park();
    thread_unpark(victim_parker, OK);
    thread_set_pending(victim, THREAD_PENDING_KILL);
    irq_restore(state);
    crew_wait(&crew);
    thread_not_about_to_park();
}

/* ---- Storm ---- */

#define RING 8
static struct seat ring[RING];

/* Three turns go round; a giver promises to park, or not, or takes the promise back. */
static void ring_work(void *context, unsigned index) {
    for (unsigned round = 0; round < 300; round++) {
        seat_take(&ring[index]);
        if ((round + index) % 3)
            thread_about_to_park();
        seat_give(&ring[(index + 1) % RING]);
        if ((round + index) % 3 == 2)
            thread_not_about_to_park();
        if ((round + index) % 7 == 0)
            sched_yield();
    }
}

KTEST(heir, P15_turns_in_a_ring_are_neither_lost_nor_doubled) {
    for (unsigned i = 0; i < RING; i++)
        seat_init(&ring[i]);
    for (unsigned i = 0; i < 3; i++)
        ring[i * 2].turns = 1;
    bool complete = crew_start(&crew, RING, ring_work, NULL);
    for (unsigned i = 0; !complete && i < RING * 300; i++)
        seat_give(&ring[i % RING]); /* in the place of those that could not be made */
    crew_wait(&crew);
    unsigned left = 0;
    for (unsigned i = 0; i < RING; i++)
        left += ring[i].turns;
    EXPECT(!complete || left == 3);
}
