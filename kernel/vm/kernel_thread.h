/*
 * kernel_thread.h - kernel stacks, and threads that run only kernel code.
 *
 * Stacks lie in their own virtual range (KVA_BASE) with an unmapped page on both
 * sides (P52); a few stay mapped in a cache, because threads come and go.
 */
#pragma once

#include "sched/thread.h"

/* KERNEL_STACK_SIZE bytes; NULL: no memory. */
void *kernel_stack_alloc(void) NODISCARD;
/* Of a thread that is off it for good. May sleep and wait for other CPUs. */
void kernel_stack_free(void *stack);
/* Give the cached stacks back. May wait for other CPUs. */
void kernel_stacks_trim(void);
/* Is this address in the stacks' range, and is it in a guard page? */
bool kernel_stack_is_guard(vaddr_t address);

/* A thread that runs entry(argument) and may return or call thread_exit. NULL: no memory. */
struct thread *kernel_thread_create(const char *name, void (*entry)(void *), void *argument,
                                    unsigned priority) NODISCARD;
/* For idle threads of application CPUs: a zeroed struct thread. */
struct thread *kernel_thread_alloc(void) NODISCARD;
