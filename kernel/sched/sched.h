/*
 * sched.h - per-CPU run queues and the choice of the next thread.
 *
 * A run queue has 32 priorities with a bitmap, round robin inside a priority, and
 * slices of 10 ms only while somebody else of the same priority waits (an idle
 * CPU, and a CPU with one runnable thread, take no timer interrupt). A woken
 * thread goes to the CPU it ran on last if that is idle, else to another idle
 * CPU, else to the waker's own, so that a thread that wakes another and then
 * blocks hands its CPU straight over. Idle CPUs steal.
 *
 * The run-queue lock is held across the switch and dropped by the next thread;
 * a woken thread is queued only when its context is saved (`on_cpu`).
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

/* ---- for park.c, thread.c and timer.c ---- */
/* Interrupts off: queue a thread that is neither parked nor queued. */
void sched_make_ready(struct thread *thread);
/* Interrupts off: switch away from the current thread, whose state is PARKED or DEAD. */
void sched_block(void);
/* The first thing on a new thread's stack: ends the switch and turns interrupts on. */
void sched_first_run(void);
/* The tick that timer_request_tick asked for. Interrupt context. */
void sched_tick(nstime_t now);
unsigned sched_ready_count(unsigned cpu);
