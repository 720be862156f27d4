/*
 * sched_spread_test.c - no CPU idles while a thread waits for another (sched.c, invariant 5).
 */
#include "arch/clock.h"
#include "lib/ktest.h"
#include "sched/inherit.h"
#include "vm/test_crew.h"

#define SECOND ((nstime_t)1000000000)
#define ROUNDS 60

static struct crew crew;
static _Atomic unsigned running;
static _Atomic bool missing; /* a thread that could not be made */

/* Each has a priority of its own, so two that share a CPU never take turns. */
static void spin_until_all_run(void *context, unsigned index) {
    nstime_t give_up = clock_now() + 20 * SECOND;

    thread_set_priority(thread_current(), PRIORITY_DEFAULT - 1 - index % (PRIORITY_DEFAULT - 1),
                        true);
    running++;
    while (running < cpu_count() && !missing && clock_now() < give_up)
        cpu_relax();
    EXPECT(running >= cpu_count() || missing);
}

KTEST(sched, P15_as_many_threads_as_cpus_run_at_once) {
    missing = false;
    for (unsigned round = 0; round < ROUNDS && !missing; round++) {
        running = 0;
        missing = !crew_start(&crew, cpu_count(), spin_until_all_run, NULL);
        crew_wait(&crew);
    }
}
