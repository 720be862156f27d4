/*
 * cpu.h - this CPU: identity, interrupts, counters, calls to other CPUs.
 *
 * One of the interface headers that kernel/arch/amd64 and kernel/arch/host both
 * implement. What must be inline (cpu_this, thread_current, irq_save...) lies in
 * "arch/inline.h", which the build finds in kernel/arch/TARGET/include.
 */
#pragma once

#include <stdatomic.h>

#include "arch/lock_rank.h"
#include "lib/types.h"

#define MAX_CPUS 64

struct thread;
struct run_queue;

/*
 * Counts of ZX_INFO_CPU_STATS; written by their own CPU only, with counter_bump(), and read
 * by any.
 */
struct cpu_counters {
    _Atomic uint64_t reschedules, context_switches, irq_preempts, preempts, yields;
    _Atomic uint64_t ints, timer_ints, timers, page_faults, exceptions, syscalls;
    _Atomic uint64_t reschedule_ipis, generic_ipis;
    _Atomic uint64_t spurious_ints, unexpected_ints;
    _Atomic uint64_t idle_time;
    _Atomic uint64_t aspace_loads;      /* CR3 writes, for P17 */
    _Atomic uint64_t irq_off_max_ticks; /* debug builds: the longest time with interrupts off */
};

ALWAYS_INLINE void counter_add(_Atomic uint64_t *counter, uint64_t more) {
    uint64_t now = atomic_load_explicit(counter, memory_order_relaxed);
    atomic_store_explicit(counter, now + more, memory_order_relaxed);
}

ALWAYS_INLINE void counter_bump(_Atomic uint64_t *counter) { counter_add(counter, 1); }

ALWAYS_INLINE uint64_t counter_read(const _Atomic uint64_t *counter) {
    return atomic_load_explicit(counter, memory_order_relaxed);
}

/*
 * Per-CPU state, reached through cpu_this(). The offsets of the first fields are
 * known to entry.S and to the compiler (the guard).
 */
struct cpu {
    struct cpu *self;        /* 0x00 */
    struct thread *current;  /* 0x08: the running thread */
    uint64_t kernel_stack;   /* 0x10: top of the running thread's stack, for SYSCALL */
    uint64_t scratch;        /* 0x18: the user's stack pointer during SYSCALL entry */
    uint32_t id;             /* 0x20: 0 is the boot CPU; dense */
    union {
        struct {
            uint16_t in_interrupt; /* 0x24: depth of interrupt handlers */
            uint16_t traces_wakes; /* sched/trace.c's */
        };
        uint32_t wakes_specially;  /* both, for one test of sched.c */
    };
    uint64_t stack_guard;    /* 0x28: the stack protector's canary */
    union {
        struct {
            _Atomic bool need_resched;  /* 0x30: preempt at the next chance */
            _Atomic bool traces_blocks; /* sched/trace.c's */
        };
        _Atomic uint16_t blocks_specially; /* both, for one test of sched.c */
    };
    bool online;
    struct thread *idle_thread;
    struct held_locks spinlocks;
    struct cpu_counters counters;
    struct lock_counters locks;
    struct run_queue *run_queue; /* sched.c's */
    void *arch;              /* the target's own per-CPU structure */
};

/* irq_state_t, irq_save, irq_restore, irq_enable, irq_disable, irqs_enabled, cpu_this,
 * thread_current, cpu_relax, cpu_ticks, cpu_ticks_in_order (the counter is read after every
 * load before it and before every load after it). */
#include "arch/inline.h"

/* This CPU's number. Only a hint unless interrupts are off. */
ALWAYS_INLINE unsigned cpu_id(void) { return cpu_this()->id; }
unsigned cpu_count(void);              /* CPUs that are online */
struct cpu *cpu_get(unsigned id);      /* id < cpu_count() */
ALWAYS_INLINE uint64_t cpu_bit(unsigned id) { return (uint64_t)1 << id; }

/*
 * Wait for an interrupt. Called by the idle thread with interrupts off; enables
 * them and halts without a gap, and returns with them off.
 */
void cpu_idle(void);
/* Make `cpu` look at need_resched soon (an interrupt that does nothing else). */
void cpu_send_resched(unsigned cpu);
/*
 * Answer requests from other CPUs (TLB flushes) while spinning with interrupts
 * off. Spinlocks call it in their wait loop.
 */
void cpu_poll_requests(void);
/* Stop all other CPUs for good (panic), and interrupts here; best effort, never waits long. */
void cpu_stop_others(void);
/* Stop this one, while another reports a panic. */
void cpu_stand_still(void) NORETURN;
/* Run fn(context) on each CPU in `mask` in interrupt context, and wait. Interrupts on. */
void cpu_call(uint64_t mask, void (*fn)(void *), void *context);

/* End the machine. The code reaches the test bench as its exit status. */
enum machine_end { MACHINE_POWEROFF, MACHINE_REBOOT, MACHINE_PANIC };
void machine_end(enum machine_end how, int code) NORETURN;

/* Return addresses by frame pointers from `frame` (0: the caller); returns the count. */
unsigned cpu_backtrace(uintptr_t frame, uintptr_t *out_pcs, unsigned max);
/* Log this CPU's and, if given, another thread's registers and stack. */
void cpu_dump_stack(uintptr_t frame);
/* 64 bits from RDSEED or RDRAND; false where there is none. */
bool cpu_random(uint64_t *out_bits);
/* Is this address on one of the current thread's or this CPU's stacks? (P05) */
bool cpu_on_own_stack(uintptr_t address);
