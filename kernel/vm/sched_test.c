/*
 * sched_test.c - parking, mutexes, timers and the life of threads. Here and not in
 * sched/, because threads need stacks.
 */
#include "sched/sched.h"

#include "arch/clock.h"
#include "lib/ktest.h"
#include "lib/string.h"
#include "vm/kernel_thread.h"
#include "vm/test_crew.h"

#define MS ((nstime_t)1000000)

static struct crew crew;
static _Atomic unsigned counter;

/* ---- Parking ---- */

KTEST_QUICK(park, an_unpark_that_came_first_is_not_lost) {
    struct parker parker;

    park_prepare(&parker);
    thread_unpark(&parker, ERR_PEER_CLOSED);
    thread_unpark(&parker, OK);
    EXPECT_EQ(ERR_PEER_CLOSED, thread_park(&parker, TIME_INFINITE, 0, BLOCK_OTHER));
}

KTEST_QUICK(park, a_passed_deadline_returns_at_once) {
    struct parker parker;

    park_prepare(&parker);
    EXPECT_EQ(ERR_TIMED_OUT, thread_park(&parker, 0, 0, BLOCK_OTHER));
    EXPECT_EQ(ERR_TIMED_OUT, thread_park(&parker, clock_now(), PARK_KILLABLE, BLOCK_OTHER));
}

KTEST_QUICK(park, a_deadline_is_waited_for_and_not_missed) {
    nstime_t begin = clock_now();

    EXPECT_EQ(OK, thread_sleep_until(begin + 2 * MS));
    EXPECT(clock_now() >= begin + 2 * MS);
}

struct slot {
    struct spinlock lock;
    struct parker *parker; /* under lock: who waits here */
};
static struct slot slots[4];
static _Atomic unsigned handed, taken;
static _Atomic bool storm_complete; /* all threads are there, the wakers too */

static bool slot_leave(struct slot *slot, const struct parker *parker) {
    SPIN_GUARD(&slot->lock);
    bool was_there = slot->parker == parker;
    if (was_there)
        slot->parker = NULL;
    return was_there;
}

static void slot_enter(struct slot *slot, struct parker *parker) {
    SPIN_GUARD(&slot->lock);
    park_prepare(parker);
    slot->parker = parker;
}

/* Wait with a deadline so short that waking and timing out race. */
static void storm_wait(struct slot *slot, unsigned round) {
    struct parker parker;

    slot_enter(slot, &parker);
    nstime_t deadline =
        round % 3 || !storm_complete ? clock_now() + round % 50 * 1000 : TIME_INFINITE;
    status_t status = thread_park(&parker, deadline, 0, BLOCK_OTHER);
    if (status == ERR_TIMED_OUT && slot_leave(slot, &parker))
        return;
    if (status == ERR_TIMED_OUT)
        status = parker_status(&parker);
    EXPECT_EQ(ERR_CANCELED, status);
    taken++;
}

static void storm_wake(struct slot *slot) {
    SPIN_GUARD(&slot->lock);
    if (!slot->parker)
        return;
    thread_unpark(slot->parker, ERR_CANCELED);
    slot->parker = NULL;
    handed++;
}

static void storm_work(void *context, unsigned index) {
    if (index < ARRAY_SIZE(slots)) {
        for (unsigned round = 0; round < 400; round++)
            storm_wait(&slots[index], round + index);
        counter++;
        return;
    }
    while (counter < ARRAY_SIZE(slots)) { /* the waiters are started first */
        for (unsigned i = 0; i < ARRAY_SIZE(slots); i++)
            storm_wake(&slots[i]);
        sched_yield();
        cpu_relax();
    }
}

KTEST(park, P15_no_wake_up_is_lost_or_doubled_in_a_storm) {
    for (unsigned i = 0; i < ARRAY_SIZE(slots); i++)
        spinlock_init(&slots[i].lock, RANK_IRQ, "test slot");
    handed = taken = counter = 0;
    storm_complete = crew_start(&crew, ARRAY_SIZE(slots) + 2, storm_work, NULL);
    EXPECT(storm_complete);
    crew_wait(&crew);
    EXPECT_EQ(handed, taken);
    EXPECT(handed > 0);
}

/* ---- Kill and suspend ---- */

static struct thread *_Atomic victim;
static status_t victim_status;

static void victim_work(void *context, unsigned index) {
    struct parker parker;

    park_prepare(&parker);
    victim = thread_current();
    victim_status = thread_park(&parker, TIME_INFINITE, PARK_KILLABLE, BLOCK_OTHER);
    thread_clear_pending(thread_current(), UINT32_MAX);
    EXPECT_EQ(ERR_TIMED_OUT, thread_park(&parker, clock_now() + MS, PARK_KILLABLE, BLOCK_OTHER));
}

static status_t end_of_park_by(uint32_t bits) {
    victim = NULL;
    if (!crew_start(&crew, 1, victim_work, NULL)) {
        crew_wait(&crew);
        return ERR_NO_MEMORY;
    }
    while (!victim)
        (void)thread_sleep_until(clock_now() + MS);
    thread_set_pending(victim, bits);
    crew_wait(&crew);
    return victim_status;
}

KTEST_QUICK(park, kill_and_suspend_end_a_killable_park) {
    EXPECT_EQ(ERR_INTERNAL_KILLED, end_of_park_by(THREAD_PENDING_KILL));
    EXPECT_EQ(ERR_INTERNAL_RETRY, end_of_park_by(THREAD_PENDING_SUSPEND));
    EXPECT_EQ(ERR_INTERNAL_KILLED,
              end_of_park_by(THREAD_PENDING_KILL | THREAD_PENDING_SUSPEND));
}

static struct parker *_Atomic stubborn;

static void stubborn_work(void *context, unsigned index) {
    struct parker parker;

    park_prepare(&parker);
    stubborn = &parker;
    victim = thread_current();
    victim_status = thread_park(&parker, TIME_INFINITE, 0, BLOCK_OTHER);
    thread_clear_pending(thread_current(), UINT32_MAX);
}

KTEST_QUICK(park, kill_does_not_end_a_wait_that_is_not_killable) {
    victim = NULL;
    if (!crew_start(&crew, 1, stubborn_work, NULL)) {
        crew_wait(&crew);
        return;
    }
    while (!victim)
        (void)thread_sleep_until(clock_now() + MS);
    thread_set_pending(victim, THREAD_PENDING_KILL);
    (void)thread_sleep_until(clock_now() + 2 * MS);
    thread_unpark(stubborn, ERR_NOT_FOUND);
    crew_wait(&crew);
    EXPECT_EQ(ERR_NOT_FOUND, victim_status);
}

/* ---- Mutexes ---- */

static struct mutex shared_lock;
static unsigned guarded, guarded_copy; /* under shared_lock */

static void guarded_step(unsigned round) {
    MUTEX_GUARD(&shared_lock);
    unsigned value = guarded;
    if (round % 16 == 0)
        sched_yield();
    EXPECT_EQ(value, guarded_copy);
    guarded = guarded_copy = value + 1;
}

static void guarded_work(void *context, unsigned index) {
    for (unsigned round = 0; round < 500; round++)
        guarded_step(round + index);
}

KTEST(mutex, only_one_thread_is_inside) {
    mutex_init(&shared_lock, RANK_PROCESS, "test");
    guarded = guarded_copy = 0;
    EXPECT(crew_run(&crew, 6, guarded_work, NULL));
    EXPECT_EQ(3000, guarded);
}

static unsigned arrivals[8], arrival_count; /* under shared_lock */
static _Atomic bool abandoned;

static unsigned waiter_count(void) {
    SPIN_GUARD(&shared_lock.wait_lock);
    unsigned count = 0;
    for (struct list_node *node = shared_lock.waiters; node; node = node->next)
        count++;
    return count;
}

/* Each comes when all before it wait. */
static void arrive(void *context, unsigned index) {
    while (!abandoned && waiter_count() != index)
        (void)thread_sleep_until(clock_now() + MS / 4);
    MUTEX_GUARD(&shared_lock);
    arrivals[arrival_count++] = index;
}

static bool hold_while_others_arrive(void) {
    MUTEX_GUARD(&shared_lock);
    if (!crew_start(&crew, ARRAY_SIZE(arrivals), arrive, NULL)) {
        abandoned = true; /* those that were made come to an end */
        return false;
    }
    while (waiter_count() != ARRAY_SIZE(arrivals))
        (void)thread_sleep_until(clock_now() + MS / 4);
    return true;
}

KTEST(mutex, waiters_get_it_in_the_order_of_arrival) {
    mutex_init(&shared_lock, RANK_AUDIT, "test"); /* the crew has a lock, too */
    arrival_count = 0;
    abandoned = false;
    bool complete = hold_while_others_arrive();
    crew_wait(&crew);
    REQUIRE(complete);
    for (unsigned i = 0; i < arrival_count; i++)
        EXPECT_EQ(i, arrivals[i]);
    EXPECT_EQ(ARRAY_SIZE(arrivals), arrival_count);
}

static bool try_twice(bool *out_second) NO_LOCK_ANALYSIS {
    bool first = mutex_try_lock(&shared_lock);

    EXPECT(mutex_is_mine(&shared_lock));
    *out_second = mutex_try_lock(&shared_lock);
    if (first)
        mutex_unlock(&shared_lock);
    return first;
}

KTEST_QUICK(mutex, try_lock_fails_while_it_is_held) {
    bool second;

    mutex_init(&shared_lock, RANK_PROCESS, "test");
    EXPECT(try_twice(&second));
    EXPECT(!second);
    EXPECT(!mutex_is_mine(&shared_lock));
    EXPECT(try_twice(&second));
}

#ifdef JX_DEBUG
/* ---- The order of locks ---- */

static const char *reported_holding, *reported_taking;

static void note_report(const struct held_lock *holding, const struct held_lock *taking) {
    reported_holding = holding->name;
    reported_taking = taking->name;
}

static void take_both(struct mutex *first, struct mutex *second) NO_LOCK_ANALYSIS {
    mutex_lock(first);
    mutex_lock(second);
    mutex_unlock(second);
    mutex_unlock(first);
}

KTEST_QUICK(lock_rank, P50_mutexes_in_the_wrong_order_are_reported_with_both_names) {
    static struct mutex low, high;

    mutex_init(&low, RANK_PROCESS, "low");
    mutex_init(&high, RANK_VMO, "high");
    reported_holding = reported_taking = "nothing";
    lock_rank_reporter *before = lock_rank_set_reporter(note_report);
    take_both(&low, &high);
    EXPECT_EQ(0, strcmp(reported_taking, "nothing"));
    take_both(&high, &low);
    lock_rank_set_reporter(before);
    EXPECT_EQ(0, strcmp(reported_taking, "low"));
    EXPECT_EQ(0, strcmp(reported_holding, "high"));
}

KTEST_QUICK(lock_rank, P50_equal_ranks_do_not_nest) {
    static struct mutex one, two;

    mutex_init(&one, RANK_VMO, "one");
    mutex_init(&two, RANK_VMO, "two");
    reported_taking = "nothing";
    lock_rank_reporter *before = lock_rank_set_reporter(note_report);
    take_both(&one, &two);
    lock_rank_set_reporter(before);
    EXPECT_EQ(0, strcmp(reported_taking, "two"));
}

static void take_both_spins(struct spinlock *first, struct spinlock *second) NO_LOCK_ANALYSIS {
    irq_state_t state = spin_lock(first);
    spin_lock_irq_off(second);
    spin_unlock_irq_off(second);
    spin_unlock(first, state);
}

KTEST_QUICK(lock_rank, P50_spinlocks_in_the_wrong_order_are_reported) {
    static struct spinlock outer = SPINLOCK_INIT(RANK_PMM, "outer");
    static struct spinlock inner = SPINLOCK_INIT(RANK_IRQ, "inner");

    reported_taking = "nothing";
    lock_rank_reporter *before = lock_rank_set_reporter(note_report);
    take_both_spins(&outer, &inner);
    EXPECT_EQ(0, strcmp(reported_taking, "nothing"));
    take_both_spins(&inner, &outer);
    lock_rank_set_reporter(before);
    EXPECT_EQ(0, strcmp(reported_taking, "outer"));
}
#endif

/* ---- Timers ---- */

struct alarm {
    struct timer timer;
    unsigned order;
};
static struct alarm alarms[16];
static _Atomic unsigned rings;

static void alarm_rings(struct timer *timer, nstime_t now) {
    struct alarm *alarm = container_of(timer, struct alarm, timer);

    alarm->order = ++rings;
    EXPECT(now >= (nstime_t)timer->node.key);
}

KTEST_QUICK(timer, timers_fire_in_the_order_of_their_deadlines) {
    nstime_t begin = clock_now() + MS;

    rings = 0;
    irq_state_t state = irq_save(); /* all on one CPU, none before the last is set */
    for (unsigned i = 0; i < ARRAY_SIZE(alarms); i++) {
        timer_init(&alarms[i].timer, alarm_rings);
        timer_set(&alarms[i].timer, begin + (nstime_t)(i * 7 % 16) * MS / 8);
    }
    irq_restore(state);
    /* This thread may run on another CPU by now, and theirs may be late. */
    for (unsigned tries = 0; tries < 20000 && rings < ARRAY_SIZE(alarms); tries++)
        (void)thread_sleep_until(clock_now() + MS);
    EXPECT_EQ(ARRAY_SIZE(alarms), rings);
    for (unsigned i = 0; i < ARRAY_SIZE(alarms); i++)
        EXPECT_EQ(i * 7 % 16 + 1, alarms[i].order);
}

static _Atomic bool sleeper_woke;

static void sleep_or_spin(void *context, unsigned index) {
    nstime_t give_up = clock_now() + 20000 * MS;

    if (index == 0) {
        (void)thread_sleep_until(clock_now() + 2 * MS);
        sleeper_woke = true;
    }
    while (!sleeper_woke && clock_now() < give_up)
        cpu_relax();
    EXPECT(sleeper_woke);
}

/* Its timer is that of the CPU where it began to sleep, which idles meanwhile. */
KTEST(timer, a_sleeper_wakes_while_other_cpus_are_busy) {
    for (unsigned round = 0; round < 10; round++) {
        sleeper_woke = false;
        (void)crew_run(&crew, cpu_count(), sleep_or_spin, NULL);
    }
}

KTEST_QUICK(timer, a_cancelled_timer_never_fires) {
    rings = 0;
    timer_init(&alarms[0].timer, alarm_rings);
    irq_state_t state = irq_save(); /* on a slow host a millisecond may pass before the cancel */
    timer_set(&alarms[0].timer, clock_now() + MS);
    EXPECT(timer_cancel(&alarms[0].timer));
    irq_restore(state);
    EXPECT(!timer_cancel(&alarms[0].timer));
    (void)thread_sleep_until(clock_now() + 3 * MS);
    EXPECT_EQ(0, rings);
}

/* ---- Threads ---- */

static void count_work(void *context, unsigned index) { counter++; }

KTEST(thread, many_threads_live_and_die_and_their_memory_comes_back) {
    for (unsigned round = 0; round < 20; round++) {
        counter = 0;
        EXPECT(crew_run(&crew, 10, count_work, NULL));
        EXPECT_EQ(10, counter);
    }
}

static _Atomic bool spinner_seen[2];

static void spin_until_other_runs(void *context, unsigned index) {
    nstime_t give_up = clock_now() + 1000 * MS;

    spinner_seen[index] = true;
    while (!spinner_seen[1 - index] && clock_now() < give_up) {
        clock_spin(10000); /* on the host a look at the clock takes next to no time */
        cpu_relax();
    }
    EXPECT(spinner_seen[1 - index]);
}

KTEST(sched, threads_of_one_priority_share_a_cpu_by_slices) {
    spinner_seen[0] = spinner_seen[1] = false;
    EXPECT(crew_run(&crew, 2, spin_until_other_runs, NULL));
}

static void run_pinned(void *context) {
    struct parker *done = context;

    for (unsigned i = 0; i < 20; i++) {
        EXPECT_EQ(cpu_count() - 1, cpu_id());
        sched_yield();
    }
    thread_unpark(done, OK);
}

KTEST_QUICK(sched, a_pinned_thread_stays_on_its_cpu) {
    struct parker done;
    struct thread *thread =
        kernel_thread_create("pinned", run_pinned, &done, PRIORITY_DEFAULT);

    REQUIRE(thread);
    park_prepare(&done);
    thread_start_pinned(thread, cpu_count() - 1);
    EXPECT_EQ(OK, thread_park(&done, TIME_INFINITE, 0, BLOCK_OTHER));
}

static uint64_t seen_cpus;

static void note_cpu(void *context) {
    __atomic_fetch_or(&seen_cpus, cpu_bit(cpu_id()), __ATOMIC_RELAXED);
}

KTEST_QUICK(cpu, a_call_reaches_every_cpu) {
    uint64_t all = 0;

    for (unsigned i = 0; i < cpu_count(); i++)
        all |= cpu_bit(i);
    seen_cpus = 0;
    cpu_call(all, note_cpu, NULL);
    EXPECT_EQ(all, seen_cpus);
}
