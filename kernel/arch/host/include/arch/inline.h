/*
 * arch/inline.h (host) - what arch/cpu.h wants inline.
 *
 * A fibre may wake on another pthread than it fell asleep on, so the address of a
 * thread-local variable must not be kept across a switch: cpu_this is a call into
 * another file. Interrupts are a flag of the CPU; what is pending is taken when
 * they are enabled.
 */
#pragma once

#include "lib/compiler.h"

typedef bool irq_state_t;

struct cpu *host_cpu_this(void);
bool host_irq_disable(void); /* returns whether they were on */
void host_irq_enable(void);
bool host_irqs_enabled(void);
void host_cpu_relax(void);
uint64_t host_ticks(void);

ALWAYS_INLINE struct cpu *cpu_this(void) { return host_cpu_this(); }
ALWAYS_INLINE struct thread *thread_current(void) { return host_cpu_this()->current; }
ALWAYS_INLINE irq_state_t irq_save(void) { return host_irq_disable(); }
ALWAYS_INLINE void irq_restore(irq_state_t state) {
    if (state)
        host_irq_enable();
}
ALWAYS_INLINE void irq_enable(void) { host_irq_enable(); }
ALWAYS_INLINE void irq_disable(void) { (void)host_irq_disable(); }
ALWAYS_INLINE bool irqs_enabled(void) { return host_irqs_enabled(); }
ALWAYS_INLINE void cpu_relax(void) { host_cpu_relax(); }
ALWAYS_INLINE uint64_t cpu_ticks(void) { return host_ticks(); }
ALWAYS_INLINE uint64_t cpu_ticks_in_order(void) { return host_ticks(); }
