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

#include "arch/cpu.h"
#include "arch/mmu.h"

/* ---- Setting up, from main ---- */
struct host_options {
    unsigned cpus;
    uint64_t memory;       /* bytes of RAM */
    uint64_t seed;
    unsigned preempt_one_in; /* 0: never; else preempt at random when interrupts go on */
    bool turns;            /* all CPUs on one pthread, one at a time: turns.c */
    const char *cmdline;
};
/* Make the arena, the boot information and CPU 0 of the calling pthread. */
void host_init(const struct host_options *options);
/* Run main(argument) as CPU 0 on a pthread and wait for host_finish; returns its code. */
int host_run(const struct host_options *options, void (*main)(void));
void host_finish(int code) NORETURN;

/* ---- CPUs that take turns (turns.c) ---- */
/* A step by which CPUs can see each other is about to come: an operation on an atomic word. */
struct host_point {
    const volatile void *where;
    const void *site; /* the instruction */
    const char *file; /* the source file that was compiled */
    bool changes;     /* the word, or it might */
};
void host_point(const volatile void *where, bool changes, const char *file);
struct host_turn_hooks {
    /* Who goes on: the running CPU or another one that can; the point comes in its next turn. */
    unsigned (*at_point)(const struct host_point *point);
    /* The running CPU can't go on: one of `able`. */
    unsigned (*choose)(uint64_t able);
    /* No CPU can go on. True if that has changed; else time passes, or it is a deadlock. */
    bool (*nobody)(void);
};
void host_turns_set_hooks(const struct host_turn_hooks *hooks); /* each may be NULL */
uint64_t host_turns_able(void);        /* CPUs that could go on, by cpu_bit */
unsigned host_turns_after(unsigned cpu, uint64_t cpus); /* the next one of these, in a circle */
void host_turn_wait(void);             /* this CPU, with all on it, until it is released */
void host_turns_release(uint64_t cpus); /* those of these that wait, by cpu_bit */

/* ---- For tests ---- */
uint64_t host_random(void); /* from the seed */
/* Let time pass for this CPU. */
void host_advance_time(nstime_t duration);
/* Change how often threads are preempted at random (see host_options). */
void host_set_preemption(unsigned one_in);
/* Bytes come over the serial line. */
void host_console_type(const char *bytes, size_t length);
/* What user code writes to the console goes nowhere. */
void host_console_mute(bool mute);
/* Physical memory that is no RAM, as a device would have it: it keeps what is written. */
#define HOST_DEVICE_BASE ((uint64_t)1 << 36)
#define HOST_DEVICE_SIZE MIB(2)
/* A device makes its line (a GSI below 24) active or not, or writes a message. CPU 0 is told. */
void host_set_line(uint32_t line, bool active);
bool host_line_is_masked(uint32_t line);
void host_write_message(uint64_t address, uint32_t data);
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
bool host_user_read(vaddr_t va, void *to, size_t length);
bool host_user_write(vaddr_t va, const void *from, size_t length);
