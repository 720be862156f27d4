/*
 * irq_meter.c - how long interrupts were off at most, per CPU (P34). Debug builds.
 *
 * A span begins when they go off and nobody has begun one, and ends just before
 * they come on, whichever thread does it: a switch of threads does not end it.
 */
#include "arch/amd64/amd64.h"

#ifdef JX_DEBUG
void irq_meter_off(void) {
    struct amd64_cpu *cpu = amd64_this();
    if (cpu->irq_off_since == 0)
        cpu->irq_off_since = cpu_ticks();
}

void irq_meter_on(void) {
    struct amd64_cpu *cpu = amd64_this();
    if (cpu->irq_off_since == 0)
        return;
    uint64_t span = cpu_ticks() - cpu->irq_off_since;
    cpu->irq_off_since = 0;
    if (span > cpu->cpu.counters.irq_off_max_ticks)
        cpu->cpu.counters.irq_off_max_ticks = span;
}
#endif
