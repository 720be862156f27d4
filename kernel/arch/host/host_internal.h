/*
 * host_internal.h - shared by the files of this folder only: the structure of a
 * CPU, and what the files ask of each other.
 *
 * Kept apart from host.h because <pthread.h> brings the C library's sched_yield,
 * whose name the kernel's scheduler uses too.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "arch/host/host.h"

#define TLB_ENTRIES 64
struct tlb_entry {
    bool valid;
    vaddr_t page;
    uint64_t address;
    unsigned prot;
};

enum host_irq { HOST_IRQ_RESCHED = 1, HOST_IRQ_TIMER = 2, HOST_IRQ_CALL = 4, HOST_IRQ_FLUSH = 8,
                HOST_IRQ_CONSOLE = 16, HOST_IRQ_DEVICE = 32 };

enum host_turn_state {
    TURN_GOES_ON, /* whenever it has the turn */
    TURN_SPINS,   /* until somebody changes what it looked at */
    TURN_IDLES,   /* until something is pending */
    TURN_WAITS,   /* until it is released */
};

/* A CPU's part of turns.c. */
struct host_turn {
    enum host_turn_state state;
    const volatile void *looked_at; /* the last word that it read */
    bool has_news;                  /* somebody has changed that since */
    void *saved_sp;                 /* while another CPU has the turn */
    void *stack_bottom;             /* that this lies on */
    size_t stack_size;
    void *asan_fake_stack;
};

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
    _Atomic bool idle; /* changed under the idle lock */
    bool irqs_on;   /* owned by the CPU */
    atomic_bool scheduled; /* the scheduler has it */
    atomic_uint pending;
    _Atomic int64_t deadline;
    _Atomic(struct host_request *) calls, flushes;
    struct mmu *mmu;
    struct tlb_entry tlb[TLB_ENTRIES];
    void *stack_bottom; /* of the pthread */
    size_t stack_size;
    struct host_turn turn;
};

struct host_cpu *host_cpu(void);
struct host_cpu *host_cpu_get(unsigned id);
void host_cpu_adopt(struct host_cpu *cpu); /* the calling pthread is this CPU */
void host_cpu_become(struct host_cpu *cpu); /* the same, for turns.c */
bool host_takes_turns(void);
void host_turns_begin(void);
void host_turns_start_cpu(struct host_cpu *cpu);
void host_turn_spin(void);
void host_turn_idle(void);
/* context.c: `me` leaves its stack as `from` remembers it, for `to`. */
void host_turn_switch(struct host_turn *from, const struct host_turn *to, struct host_cpu *me);
/* A new CPU, which begins in host_turn_main() on its own stack. */
void host_turn_prepare(struct host_turn *turn, const struct host_cpu *cpu);
void host_turn_main(void) NORETURN;
void host_interrupt(unsigned cpu, unsigned irq);
/* Run it on every CPU of `mask`, this one included; wait with interrupts on. */
void host_request_all(uint64_t mask, void (*function)(void *), void *context, bool flush);
void host_poll(void);
void host_take_interrupts(void); /* irq.c: of devices */
void host_check_deadline(struct host_cpu *cpu);
nstime_t host_time(void);
void host_time_creep(nstime_t by);
void host_time_jump(nstime_t to);
void host_memory_init(uint64_t bytes);
/* What user code reaches: RAM, or the memory of a device. */
void *host_user_memory(paddr_t address);
void host_boot_init(const struct host_options *options);
void host_tlb_drop_all(void);
/* Walk the table; 0 if absent. */
uint64_t host_mmu_entry(const struct mmu *mmu, vaddr_t va);
#define HOST_ENTRY_ADDRESS(entry) ((entry) & 0x000ffffffffff000u)
#define HOST_ENTRY_PROT(entry)    ((unsigned)((entry) >> 1 & 0x3f))
