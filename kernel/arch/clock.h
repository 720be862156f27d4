/*
 * clock.h - the time since boot, and this CPU's one-shot deadline interrupt.
 *
 * Time is a constant-rate counter (the TSC) from which nanoseconds follow by a
 * multiplication: ns = (ticks - base) * mult >> shift. The same numbers are on
 * the time page (vdso/time_page.h), so user code computes equal times.
 */
#pragma once

#include "lib/types.h"

nstime_t clock_now(void);
uint64_t clock_ticks_per_second(void);
/* A span of cpu_ticks() in ns: who only adds up spans keeps ticks, which are cheaper to read. */
nstime_t clock_ticks_to_ns(uint64_t ticks);
/* Interrupt this CPU at `deadline` (soon if it has passed); replaces the earlier one. Interrupts off. */
void clock_arm(nstime_t deadline);
/* Forget the deadline of this CPU. Interrupts off. */
void clock_disarm(void);
/* Busy-wait; only for boot and hardware. */
void clock_spin(nstime_t duration);

/* For the time page: ns = ((unsigned __int128)(ticks - base) * mult) >> shift. */
struct clock_scale {
    uint64_t base_ticks;
    uint64_t mult;
    uint32_t shift;
};
struct clock_scale clock_scale(void);
