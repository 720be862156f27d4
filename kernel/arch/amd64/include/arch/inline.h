/*
 * inline.h - the parts of arch/cpu.h that must be inline, for amd64.
 */
#pragma once

#include "lib/types.h"

/* RFLAGS before the interrupts went off. */
typedef uint64_t irq_state_t;

#define RFLAGS_IF ((uint64_t)1 << 9)

/* Debug builds measure the longest time with interrupts off (P34): irq_meter.c. */
#ifdef JX_DEBUG
void irq_meter_off(void);
void irq_meter_on(void);
#else
ALWAYS_INLINE void irq_meter_off(void) {}
ALWAYS_INLINE void irq_meter_on(void) {}
#endif

ALWAYS_INLINE void irq_enable(void) {
    irq_meter_on();
    __asm__ volatile("sti" ::: "memory");
}
ALWAYS_INLINE void irq_disable(void) {
    __asm__ volatile("cli" ::: "memory");
    irq_meter_off();
}
ALWAYS_INLINE irq_state_t irq_save(void) {
    irq_state_t state;
    __asm__ volatile("pushfq; popq %0; cli" : "=r"(state)::"memory");
    irq_meter_off();
    return state;
}
ALWAYS_INLINE void irq_restore(irq_state_t state) {
    if (state & RFLAGS_IF)
        irq_enable();
    else
        __asm__ volatile("" ::: "memory");
}
ALWAYS_INLINE bool irqs_enabled(void) {
    uint64_t flags;
    __asm__ volatile("pushfq; popq %0" : "=r"(flags)::"memory");
    return flags & RFLAGS_IF;
}
/* The loads are ordinary ones from the GS segment, so that they are made again
 * after whatever may have moved the thread to another CPU. */
ALWAYS_INLINE struct cpu *cpu_this(void) {
    return *(struct cpu *__attribute__((address_space(256))) *)(uintptr_t)0;
}
ALWAYS_INLINE struct thread *thread_current(void) {
    return *(struct thread *__attribute__((address_space(256))) *)(uintptr_t)8;
}
ALWAYS_INLINE void cpu_relax(void) {
    __asm__ volatile("pause" ::: "memory");
}
ALWAYS_INLINE uint64_t cpu_ticks(void) {
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high)::"memory");
    return (uint64_t)high << 32 | low;
}
ALWAYS_INLINE uint64_t cpu_ticks_in_order(void) {
    uint32_t low, high;
    __asm__ volatile("lfence\n\trdtsc\n\tlfence" : "=a"(low), "=d"(high)::"memory");
    return (uint64_t)high << 32 | low;
}
