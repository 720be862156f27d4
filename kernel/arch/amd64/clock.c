/*
 * clock.c - time from the TSC, and deadlines by the local APIC's timer.
 *
 * The TSC's rate is measured against a clock of known rate: HPET, else the ACPI
 * timer, else the PIT. Each end of a measurement takes the closest of a few
 * readings, so a host that stops us in between hardly matters; of a few rounds the
 * slowest rate counts, because an interruption only ever adds TSC ticks. Where two
 * clocks exist both are used, and if they differ by more than 2 % the PIT is asked
 * whom to believe.
 *
 * ns = (ticks - base) * mult >> shift, with mult below 2^32 and shift 31 at most, so the
 * product fits 128 bits for all time, mult keeps at least 24 bits, and mult / 2^shift is a
 * fraction of 32-bit terms: a clock object can follow this clock exactly.
 */
#include "arch/clock.h"

#include "arch/amd64/amd64.h"
#include "arch/amd64/regs.h"
#include "arch/upcall.h"
#include "lib/log.h"

#define NS_PER_SECOND     ((uint64_t)1000000000)
#define PM_TIMER_RATE     3579545
#define PIT_RATE          1193182
#define PIT_COUNTER       0x40
#define PIT_COMMAND       0x43
#define HPET_CAPABILITIES 0 /* in 64-bit words */
#define HPET_CONFIG       2
#define HPET_COUNTER      30
#define HPET_ENABLE       1
#define ROUNDS            3
#define RATE_LEAST        ((uint64_t)50000000)
#define RATE_MOST         ((uint64_t)20000000000)
#define TIMER_MOST_TICKS  ((uint64_t)0xfffffff0)

static struct clock_scale scale = {.mult = 1, .shift = 0};
static uint64_t tsc_rate = NS_PER_SECOND;
static uint64_t waited;     /* ticks spent on measuring the clocks */
static uint64_t timer_mult; /* APIC ticks = ns * timer_mult >> 32 */

/* a * b / c by way of 128 bits; the result fits 64, or the processor says so. */
static uint64_t mul_div(uint64_t a, uint64_t b, uint64_t c) {
    uint64_t low, high, rest;
    __asm__("mulq %3" : "=a"(low), "=d"(high) : "a"(a), "r"(b) : "cc");
    __asm__("divq %4" : "=a"(low), "=d"(rest) : "a"(low), "d"(high), "r"(c) : "cc");
    return low;
}

/* ---- Reading ---- */

nstime_t clock_ticks_to_ns(uint64_t ticks) {
    return (nstime_t)((unsigned __int128)ticks * scale.mult >> scale.shift);
}
nstime_t clock_now(void) {
    return clock_ticks_to_ns(cpu_ticks() - scale.base_ticks);
}
uint64_t clock_calibration_ticks(void) {
    return waited;
}
uint64_t clock_ticks_per_second(void) {
    return tsc_rate;
}
struct clock_scale clock_scale(void) {
    return scale;
}

void clock_spin(nstime_t duration) {
    nstime_t end = clock_now() + duration;
    while (clock_now() < end)
        cpu_relax();
}

/* ---- Clocks of known rate ---- */

struct reference {
    const char *name;
    uint64_t rate, mask; /* the counter wraps at mask */
    uint64_t window;     /* ns of one round: long enough for the clock's grain */
    uint64_t (*read)(void);
};

static volatile uint64_t *hpet;
static uint16_t pm_port;

static uint64_t hpet_read(void) {
    return hpet[HPET_COUNTER];
}
static uint64_t pm_read(void) {
    return port_in32(pm_port);
}
/* Channel 0 counts down from 65536; latched, because it is read in two halves. */
static uint64_t pit_read(void) {
    port_out8(PIT_COMMAND, 0);
    uint32_t low = port_in8(PIT_COUNTER);
    return 0xffff - (low | (uint32_t)port_in8(PIT_COUNTER) << 8);
}

static bool hpet_open(uint64_t address, struct reference *out) {
    if (address == 0)
        return false;
    hpet = fixed_map_device(address);
    uint64_t capabilities = hpet[HPET_CAPABILITIES];
    uint64_t period = capabilities >> 32; /* femtoseconds */
    if (period == 0 || period > 100000000)
        return false;
    hpet[HPET_CONFIG] = hpet[HPET_CONFIG] | HPET_ENABLE;
    bool wide = capabilities >> 13 & 1;
    *out = (struct reference){"HPET", 1000000000000000 / period, wide ? UINT64_MAX : UINT32_MAX,
                              500000, hpet_read};
    return true;
}
static bool pm_open(const struct platform_info *platform, struct reference *out) {
    pm_port = (uint16_t)platform->pm_timer_port;
    *out = (struct reference){"ACPI timer", PM_TIMER_RATE,
                              platform->pm_timer_32bit ? UINT32_MAX : 0xffffff, 1000000, pm_read};
    return pm_port != 0;
}
static bool pit_open(struct reference *out) {
    port_out8(PIT_COMMAND, 0x34); /* channel 0, both halves, rate generator */
    port_out8(PIT_COUNTER, 0);
    port_out8(PIT_COUNTER, 0);
    *out = (struct reference){"PIT", PIT_RATE, 0xffff, 4000000, pit_read};
    return true;
}

/* ---- Measuring ---- */

struct reading {
    uint64_t tsc, reference;
    uint32_t timer;
};

/* The closest of a few: the TSC in the middle of the shortest pair. */
static struct reading take_reading(const struct reference *reference) {
    struct reading best = {0};
    uint64_t least = UINT64_MAX;
    for (unsigned i = 0; i < 8; i++) {
        uint64_t before = cpu_ticks();
        uint64_t value = reference->read();
        uint32_t timer = apic_timer_count();
        uint64_t after = cpu_ticks();
        if (after - before >= least)
            continue;
        least = after - before;
        best = (struct reading){before + least / 2, value, timer};
    }
    return best;
}

/*
 * One round: TSC ticks a second, and the APIC timer's in *out_timer_rate; 0 if the
 * clock stands still.
 */
static uint64_t measure_round(const struct reference *reference, uint64_t *out_timer_rate) {
    uint64_t want = reference->rate * reference->window / NS_PER_SECOND;
    uint64_t begin = cpu_ticks();
    apic_timer_start(UINT32_MAX);
    struct reading first = take_reading(reference), last;
    uint64_t passed = 0;
    for (unsigned tries = 0; passed < want; tries++) {
        passed = (reference->read() - first.reference) & reference->mask;
        if (tries > 100000 && passed == 0)
            return 0;
    }
    last = take_reading(reference);
    apic_timer_start(0);
    waited += cpu_ticks() - begin;
    passed = (last.reference - first.reference) & reference->mask;
    if (passed < want || passed > reference->mask / 2)
        return 0;
    *out_timer_rate = mul_div(first.timer - last.timer, reference->rate, passed);
    return mul_div(last.tsc - first.tsc, reference->rate, passed);
}

/* The slowest of a few rounds; 0 if the clock gives nonsense. */
static uint64_t measure(const struct reference *reference, uint64_t *out_timer_rate) {
    uint64_t least = UINT64_MAX;
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint64_t timer_rate = 0, rate = measure_round(reference, &timer_rate);
        if (rate < RATE_LEAST || rate > RATE_MOST || rate >= least)
            continue;
        least = rate;
        *out_timer_rate = timer_rate;
    }
    return least == UINT64_MAX ? 0 : least;
}

static bool agree(uint64_t a, uint64_t b) {
    return (a > b ? a - b : b - a) <= b / 50;
}

struct candidate {
    struct reference reference;
    uint64_t rate, timer_rate;
};

static void try_reference(struct candidate *candidates, unsigned *count, bool exists) {
    struct candidate *c = &candidates[*count];
    c->rate = exists ? measure(&c->reference, &c->timer_rate) : 0;
    if (c->rate)
        (*count)++;
    else if (exists)
        log_warning("clock: the %s gives no usable rate", c->reference.name);
}

/* Up to two clocks, and the PIT where they are fewer or differ. */
static struct candidate calibrate(const struct platform_info *platform) {
    struct candidate found[3] = {0};
    unsigned count = 0;
    try_reference(found, &count, hpet_open(platform->hpet, &found[count].reference));
    try_reference(found, &count, pm_open(platform, &found[count].reference));
    if (count == 2 && agree(found[0].rate, found[1].rate))
        return found[0];
    if (count == 2)
        log_warning("clock: %s and %s disagree (%llu and %llu ticks a second)",
                    found[0].reference.name, found[1].reference.name,
                    (unsigned long long)found[0].rate, (unsigned long long)found[1].rate);
    if (count == 1)
        return found[0];
    try_reference(found, &count, pit_open(&found[count].reference));
    if (count == 0)
        boot_fail("no clock gives a usable rate for the TSC");
    if (count == 3 && agree(found[1].rate, found[2].rate))
        return found[1];
    return found[0];
}

static void set_scale(uint64_t rate) {
    uint32_t shift = 31;
    while (shift > 0 && mul_div(NS_PER_SECOND, (uint64_t)1 << shift, rate) > UINT32_MAX)
        shift--;
    tsc_rate = rate;
    scale.mult = mul_div(NS_PER_SECOND, (uint64_t)1 << shift, rate);
    scale.shift = shift;
    scale.base_ticks = cpu_ticks();
}

void clock_init(const struct platform_info *platform) {
    struct candidate best = calibrate(platform);
    set_scale(best.rate);
    uint64_t timer_rate = best.timer_rate;
    if (timer_rate < 1000000 || timer_rate > RATE_MOST)
        boot_fail("the local APIC's timer runs at %llu ticks a second",
                  (unsigned long long)timer_rate);
    timer_mult = mul_div(timer_rate, (uint64_t)1 << 32, NS_PER_SECOND);
    log_info("clock: TSC %llu kHz by %s, timer %llu kHz", (unsigned long long)best.rate / 1000,
             best.reference.name, (unsigned long long)timer_rate / 1000);
}

/* ---- Deadlines ---- */

/* A deadline beyond the counter's range comes in parts. */
static void start_timer(nstime_t deadline) {
    nstime_t now = clock_now();
    uint64_t ticks = 1;
    if (deadline > now) {
        unsigned __int128 wide = (unsigned __int128)(uint64_t)(deadline - now) * timer_mult >> 32;
        ticks = wide > TIMER_MOST_TICKS ? TIMER_MOST_TICKS : (uint64_t)wide + 1;
    }
    apic_timer_start((uint32_t)ticks);
}

void clock_arm(nstime_t deadline) {
    amd64_this()->deadline = deadline;
    if (deadline == TIME_INFINITE)
        apic_timer_start(0);
    else
        start_timer(deadline);
}

void clock_disarm(void) {
    clock_arm(TIME_INFINITE);
}

void clock_interrupt(void) {
    nstime_t deadline = amd64_this()->deadline;
    if (deadline == TIME_INFINITE)
        return;
    if (clock_now() < deadline) {
        start_timer(deadline);
        return;
    }
    amd64_this()->deadline = TIME_INFINITE;
    upcall_timer();
}
