/*
 * host.h - the machine that a host process plays, as its tests see it.
 *
 * A CPU is a pthread, a kernel thread a fibre, RAM an arena behind a memory file,
 * and time is virtual: it creeps with each look at the clock and each enabling of
 * interrupts, and jumps to the next deadline when every CPU is idle. So a run on
 * one CPU with a given seed always does the same. All CPUs idle without a
 * deadline is a deadlock and ends the run with a dump.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "arch/cpu.h"
#include "arch/mmu.h"

/* ---- Setting up, from main ---- */
struct host_options {
    unsigned cpus;
    uint64_t memory;       /* bytes of RAM */
    uint64_t seed;
    unsigned preempt_one_in; /* 0: never; else preempt at random when interrupts go on */
    const char *cmdline;
};
/* Make the arena, the boot information and CPU 0 of the calling pthread. */
void host_init(const struct host_options *options);
/* Run main(argument) as CPU 0 on a pthread and wait for host_finish; returns its code. */
int host_run(const struct host_options *options, void (*main)(void));
void host_finish(int code) NORETURN;

/* ---- For tests ---- */
uint64_t host_random(void); /* from the seed */
/* Let time pass for this CPU. */
void host_advance_time(nstime_t duration);
/* Change how often threads are preempted at random (see host_options). */
void host_set_preemption(unsigned one_in);
/* Bytes come over the serial line. */
void host_console_type(const char *bytes, size_t length);
/* Where arch_enter_user goes; must not return. */
struct user_start;
void host_set_user_main(void (*main)(const struct user_start *start));
/*
 * What user code would do with the space that is loaded on this CPU: through the
 * CPU's own translation cache, faulting into the kernel where there is none.
 * False if the fault stands.
 */
bool host_user_load(vaddr_t va, uint64_t *out_value);
bool host_user_store(vaddr_t va, uint64_t value);
bool host_user_load_byte(vaddr_t va, uint8_t *out_value);
bool host_user_store_byte(vaddr_t va, uint8_t value);

/* ---- Between the files of this folder ---- */
#define TLB_ENTRIES 64
struct tlb_entry {
    bool valid;
    vaddr_t page;
    uint64_t address;
    unsigned prot;
};

enum host_irq { HOST_IRQ_RESCHED = 1, HOST_IRQ_TIMER = 2, HOST_IRQ_CALL = 4, HOST_IRQ_FLUSH = 8,
                HOST_IRQ_CONSOLE = 16 };

/* One request to one CPU; lies on the sender's stack until `left` says it is done. */
struct host_request {
    struct host_request *next;
    void (*function)(void *);
    void *context;
    atomic_uint *left;
};

struct host_cpu {
    struct cpu cpu; /* first */
    pthread_t pthread;
    pthread_cond_t wake;
    bool idle;      /* under the idle lock */
    bool irqs_on;   /* owned by the CPU */
    atomic_uint pending;
    _Atomic int64_t deadline;
    _Atomic(struct host_request *) calls, flushes;
    struct mmu *mmu;
    struct tlb_entry tlb[TLB_ENTRIES];
    void *stack_bottom; /* of the pthread */
    size_t stack_size;
};

struct host_cpu *host_cpu(void);
struct host_cpu *host_cpu_get(unsigned id);
void host_cpu_adopt(struct host_cpu *cpu); /* the calling pthread is this CPU */
void host_interrupt(unsigned cpu, unsigned irq);
/* Run it on every CPU of `mask`, this one included; wait with interrupts on. */
void host_request_all(uint64_t mask, void (*function)(void *), void *context, bool flush);
void host_poll(void);
void host_check_deadline(struct host_cpu *cpu);
nstime_t host_time(void);
void host_time_creep(nstime_t by);
void host_time_jump(nstime_t to);
void host_memory_init(uint64_t bytes);
void host_boot_init(const struct host_options *options);
void host_tlb_drop_all(void);
/* Walk the table; 0 if absent. */
uint64_t host_mmu_entry(const struct mmu *mmu, vaddr_t va);
#define HOST_ENTRY_ADDRESS(entry) ((entry) & 0x000ffffffffff000u)
#define HOST_ENTRY_PROT(entry)    ((unsigned)((entry) >> 1 & 0x3f))
