/*
 * sched.h - per-CPU run queues and the choice of the next thread.
 *
 * A run queue has 32 priorities with a bitmap, round robin inside a priority, and
 * slices of 10 ms only while somebody else of the same priority waits (an idle
 * CPU, and a CPU with one runnable thread, take no timer interrupt). A woken
 * thread goes to the CPU it ran on last if that is idle, else to another idle
 * CPU, else to the waker's own. Idle CPUs steal.
 *
 * There the first one that a thread wakes becomes the CPU's heir, if it has the same
 * priority: if the waker blocks, the CPU goes straight to the heir. Who has said that
 * it will block at once (thread_about_to_park) makes heirs though other CPUs are idle.
 *
 * The run-queue lock is held across a switch and dropped by the next thread, unless
 * the heir inherits; a woken thread is queued only when its context is saved (`on_cpu`).
 */
#pragma once

#include "sched/thread.h"

/* Turn the running code into this CPU's idle thread. Interrupts off. */
void sched_init_cpu(struct thread *idle);
/* The loop of the idle thread. */
void sched_idle_loop(void) NORETURN;
/* Give the CPU to another ready thread of the same or higher priority, if there is one. */
void sched_yield(void);
/* Run `reaper` (prepared by vm/kernel_thread.c, entry sched_reaper_main) from now on. */
void sched_start_reaper(struct thread *reaper);
void sched_reaper_main(void *unused) NORETURN;

/*
 * For inherit.c: give a thread another priority. It takes effect at once wherever the
 * thread is. The caller keeps the thread alive; so below.
 */
void sched_set_priority(struct thread *thread, unsigned priority);
/* On which CPUs it is to be woken where they are idle. */
void sched_set_affinity(struct thread *thread, uint64_t cpus);

/* ---- for park.c, thread.c and timer.c ---- */
/*
 * Interrupts off: queue a thread that is neither parked nor queued, or make it the heir.
 * Interrupts come back as they were in `state`.
 */
void sched_make_ready(struct thread *thread, irq_state_t state);
/* Interrupts off: switch away from the current thread, whose state is PARKED. */
void sched_block(void);
/* The same for a thread whose state is DEAD: it does not return. */
void sched_end(void);
/* The current thread goes on: if this CPU has an heir and another CPU is idle, that gets it. */
void sched_offer_heir(void);
/* The first thing on a new thread's stack: ends the switch and turns interrupts on. */
void sched_first_run(void);
/* The tick that timer_request_tick asked for. Interrupt context. */
void sched_tick(nstime_t now);
unsigned sched_ready_count(unsigned cpu);
