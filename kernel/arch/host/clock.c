/*
 * clock.c - virtual time, one counter for all CPUs.
 */
#include "arch/clock.h"

#include "arch/host/host_internal.h"

static _Atomic int64_t now;

nstime_t host_time(void) { return atomic_load_explicit(&now, memory_order_relaxed); }
void host_time_creep(nstime_t by) { atomic_fetch_add_explicit(&now, by, memory_order_relaxed); }

void host_time_jump(nstime_t to) {
    nstime_t before = atomic_load(&now);

    while (before < to && !atomic_compare_exchange_weak(&now, &before, to))
        ;
}

void host_advance_time(nstime_t duration) {
    host_time_creep(duration);
    if (host_takes_turns())
        host_poll(); /* and the turn stays */
    else
        host_cpu_relax();
}

/* Each look takes a moment, so a loop that waits for a time ends. */
nstime_t clock_now(void) {
    return atomic_fetch_add_explicit(&now, 20, memory_order_relaxed) + 20;
}

uint64_t host_ticks(void) { return (uint64_t)clock_now(); }
nstime_t clock_ticks_to_ns(uint64_t ticks) { return (nstime_t)ticks; }
uint64_t clock_ticks_per_second(void) { return 1000000000; }

void clock_arm(nstime_t deadline) {
    struct host_cpu *cpu = host_cpu();

    atomic_store(&cpu->deadline, deadline);
    host_check_deadline(cpu);
}

void clock_disarm(void) { atomic_store(&host_cpu()->deadline, TIME_INFINITE); }
void clock_spin(nstime_t duration) { host_time_creep(duration); }
struct clock_scale clock_scale(void) { return (struct clock_scale){0, 1, 0}; }
