/*
 * arch/inline_context.h (host) - the host's part of a thread: a fibre.
 *
 * A fibre runs on a stack of the host, several times larger than the kernel's,
 * because sanitizers need room; the stack that the kernel brings only names it.
 */
#pragma once

#include "lib/types.h"

struct mmu;

struct arch_thread {
    void *saved_sp;           /* while switched away */
    void *stack_bottom;       /* the host's stack */
    size_t stack_size;
    void *asan_fake_stack;
    void *tsan_fiber;
    void (*entry)(void *);
    void *argument;
    struct mmu *mmu;          /* what the CPU has loaded while it runs; NULL: the kernel's */
    void *registers;          /* struct host_registers: what a debugger wrote */
    bool no_fault;
};
