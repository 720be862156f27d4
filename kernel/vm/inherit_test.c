/*
 * inherit_test.c - priority inheritance through mutexes; through futexes, see core-tests.
 */
#include "arch/clock.h"
#include "lib/ktest.h"
#include "lib/string.h"
#include "sched/inherit.h"
#include "vm/kheap.h"
#include "vm/test_crew.h"

#define MS ((nstime_t)1000000)

static unsigned priority_now(const struct thread *thread) { return thread->wanted_priority; }

/* ---- Random waits against a plain model ---- */

#define PEOPLE 20
struct person {
    struct thread thread; /* never runs */
    struct inherit_wait wait;
    int owner; /* who is waited for, by index; -1: nobody */
};

static uint64_t seed;
static unsigned random_below(unsigned limit) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(seed >> 33) % limit;
}

/* What the person must run with: its own, and that of whoever waits for it, and so on. */
static unsigned expected_priority(const struct person *people, int who) {
    unsigned priority = people[who].thread.own_priority;
    for (int i = 0; i < PEOPLE; i++)
        if (people[i].owner == who && !people[i].thread.lends_nothing)
            priority = MAX(priority, expected_priority(people, i));
    return priority;
}

/* The one waited for has a higher index, so there is no circle. */
static void random_step(struct person *people) {
    int who = (int)random_below(PEOPLE - 1), chosen = who + 1 + (int)random_below(PEOPLE);
    struct person *person = &people[who];

    if (random_below(3) == 0) {
        thread_set_priority(&person->thread, 1 + random_below(PRIORITY_COUNT - 1),
                            random_below(4) != 0);
        return;
    }
    person->owner = chosen < PEOPLE ? chosen : -1;
    inherit_set_owner(&person->wait, &person->thread,
                      person->owner < 0 ? NULL : &people[person->owner].thread);
}

static void random_steps(struct person *people) {
    for (unsigned step = 0; step < 3000; step++) {
        random_step(people);
        for (int i = 0; i < PEOPLE; i++)
            EXPECT_EQ(expected_priority(people, i), priority_now(&people[i].thread));
    }
    for (int i = 0; i < PEOPLE; i++)
        inherit_end(&people[i].wait, &people[i].thread);
    for (int i = 0; i < PEOPLE; i++) {
        EXPECT_EQ(0, people[i].thread.lent_bitmap);
        EXPECT_EQ(people[i].thread.own_priority, priority_now(&people[i].thread));
    }
}

KTEST(inherit, random_waits_agree_with_a_model) {
    struct person *people = kheap_zalloc(PEOPLE * sizeof(*people));

    REQUIRE(people);
    seed = 4;
    for (int i = 0; i < PEOPLE; i++) {
        thread_init(&people[i].thread, "person", NULL, NULL, 0, NULL, NULL, PRIORITY_DEFAULT);
        people[i].owner = -1;
    }
    random_steps(people);
    for (int i = 0; i < PEOPLE; i++)
        thread_abandon(&people[i].thread);
    kheap_free(people);
}

/* Two that wait for each other end when one of them gives up. */
KTEST_QUICK(inherit, a_circle_does_no_harm) {
    struct person *people = kheap_zalloc(3 * sizeof(*people));

    REQUIRE(people);
    for (unsigned i = 0; i < 3; i++)
        thread_init(&people[i].thread, "person", NULL, NULL, 0, NULL, NULL, 5 + i);
    for (unsigned i = 0; i < 3; i++)
        inherit_set_owner(&people[i].wait, &people[i].thread, &people[i == 0].thread);
    EXPECT_EQ(7, priority_now(&people[0].thread));
    EXPECT_EQ(7, priority_now(&people[1].thread));
    for (unsigned i = 0; i < 3; i++)
        inherit_end(&people[i].wait, &people[i].thread);
    for (unsigned i = 0; i < 3; i++) {
        EXPECT_EQ(5 + i, priority_now(&people[i].thread));
        thread_abandon(&people[i].thread);
    }
    kheap_free(people);
}

/* A long chain is followed so far; what it lent is taken back whole. */
KTEST(inherit, a_chain_is_followed_for_so_many_owners) {
    unsigned count = INHERIT_DEPTH + 8;
    struct person *people = kheap_zalloc(count * sizeof(*people));

    REQUIRE(people);
    for (unsigned i = 0; i < count; i++)
        thread_init(&people[i].thread, "person", NULL, NULL, 0, NULL, NULL, 5);
    for (unsigned i = 0; i + 1 < count; i++)
        inherit_set_owner(&people[i].wait, &people[i].thread, &people[i + 1].thread);
    thread_set_priority(&people[0].thread, 9, true);
    for (unsigned i = 0; i < count; i++)
        EXPECT_EQ(i < INHERIT_DEPTH ? 9 : 5, priority_now(&people[i].thread));
    thread_set_priority(&people[0].thread, 4, true);
    for (unsigned i = 0; i < count; i++)
        EXPECT_EQ(i > 0 ? 5 : 4, priority_now(&people[i].thread));
    for (unsigned i = 0; i < count; i++)
        inherit_end(&people[i].wait, &people[i].thread);
    for (unsigned i = 0; i < count; i++) {
        EXPECT_EQ(0, people[i].thread.lent_bitmap);
        thread_abandon(&people[i].thread);
    }
    kheap_free(people);
}

/* ---- A mutex with many waiters: its oldest 16 lend ---- */

enum { LENDERS = 16, QUEUED = LENDERS + 6 };

static struct crew queue_crew;
static struct mutex wanted;
static _Atomic bool give_up_queue;

static unsigned waiters_of_wanted(void) {
    unsigned count = 0;
    SPIN_GUARD(&wanted.wait_lock);
    for (const struct list_node *node = wanted.waiters; node; node = node->next)
        count++;
    return count;
}

static void await_waiters(unsigned count) {
    while (waiters_of_wanted() < count && !give_up_queue)
        (void)thread_sleep_until(clock_now() + MS);
}

/* They come in the order of their numbers, and the last one has a priority of its own. */
static void queue_work(void *context, unsigned index) {
    unsigned own = index == QUEUED - 1 ? PRIORITY_DEFAULT + 3 : PRIORITY_DEFAULT;

    thread_set_priority(thread_current(), own, true);
    await_waiters(index);
    mutex_lock(&wanted);
    bool last_lends = QUEUED - 1 - index <= LENDERS;
    EXPECT(give_up_queue ||
           priority_now(thread_current()) == PRIORITY_DEFAULT + (last_lends ? 3 : 0));
    mutex_unlock(&wanted);
    EXPECT_EQ(own, priority_now(thread_current()));
}

KTEST(inherit, the_oldest_waiters_of_a_mutex_lend) {
    mutex_init(&wanted, RANK_AUDIT, "wanted"); /* the crew's locks come behind it */
    give_up_queue = false;
    mutex_lock(&wanted);
    give_up_queue = !crew_start(&queue_crew, QUEUED, queue_work, NULL);
    await_waiters(QUEUED);
    EXPECT_EQ(PRIORITY_DEFAULT, priority_now(thread_current()));
    mutex_unlock(&wanted);
    crew_wait(&queue_crew);
}

/* ---- Mutexes, and a CPU that nobody gives ---- */

enum { LOW = 8, MIDDLE = 9, HOG = 10, HIGH = 12 };

static struct crew crew;
static struct mutex first, second; /* HIGH waits for first, its owner for second, that of LOW */
static struct thread *_Atomic low_thread;
static _Atomic bool has_first, has_second, high_has_first, missing;
static _Atomic unsigned hogs;

static bool wait_until(bool (*is_so)(void)) {
    nstime_t give_up = clock_now() + 20000 * MS;
    while (!is_so() && !missing && clock_now() < give_up)
        (void)thread_sleep_until(clock_now() + MS);
    return is_so();
}
static bool first_is_taken(void) { return has_first; }
static bool second_is_taken(void) { return has_second; }
static bool all_hogs_run(void) { return hogs == cpu_count(); }
static bool high_lends(void) { return low_thread && priority_now(low_thread) == HIGH; }

static void low_work(void) {
    thread_set_priority(thread_current(), LOW, true);
    low_thread = thread_current();
    mutex_lock(&second);
    has_second = true;
    EXPECT(wait_until(all_hogs_run) || missing);
    EXPECT(priority_now(thread_current()) == HIGH || missing);
    mutex_unlock(&second);
    EXPECT(priority_now(thread_current()) == LOW || missing);
}

static void middle_work(void) {
    thread_set_priority(thread_current(), MIDDLE, true);
    EXPECT(wait_until(second_is_taken) || missing);
    mutex_lock(&first);
    has_first = true;
    mutex_lock(&second);
    EXPECT(priority_now(thread_current()) == HIGH || missing);
    mutex_unlock(&second);
    mutex_unlock(&first);
    EXPECT(priority_now(thread_current()) == MIDDLE || missing);
}

static void high_work(void) {
    thread_set_priority(thread_current(), HIGH, true);
    EXPECT(wait_until(first_is_taken) || missing);
    mutex_lock(&first);
    high_has_first = true;
    mutex_unlock(&first);
}

/* Leaves no CPU to a thread of less priority. */
static void hog_work(void) {
    nstime_t give_up = clock_now() + 20000 * MS;

    EXPECT(wait_until(high_lends) || missing);
    thread_set_priority(thread_current(), HOG, true);
    hogs++;
    while (!high_has_first && !missing && clock_now() < give_up)
        cpu_relax();
    EXPECT(high_has_first || missing);
}

static void role_work(void *context, unsigned index) {
    static void (*const work[])(void) = {low_work, middle_work, high_work};
    if (index < ARRAY_SIZE(work))
        work[index]();
    else
        hog_work();
}

KTEST(inherit, a_chain_of_mutexes_is_not_held_up_by_others) {
    mutex_init(&first, RANK_PROCESS, "first");
    mutex_init(&second, RANK_THREAD, "second");
    has_first = has_second = high_has_first = missing = false;
    low_thread = NULL;
    hogs = 0;
    missing = !crew_start(&crew, 3 + cpu_count(), role_work, NULL);
    crew_wait(&crew);
}
