/*
 * registers.h - frames and debug registers of user threads, inside this folder.
 */
#pragma once

#include <stdatomic.h>

#include "arch/amd64/amd64.h"

/* Where a user thread that is in the kernel has its general registers. */
struct user_frame *user_frame_of(const struct arch_thread *thread);
/* The word after struct arch_thread: struct thread's `pending`. */
ALWAYS_INLINE _Atomic uint32_t *pending_of(struct arch_thread *thread) {
    return (_Atomic uint32_t *)((char *)thread + THREAD_PENDING);
}

/* No breakpoint is armed. */
void debug_init(struct arch_thread *thread);
/* Just before the return to user mode of a thread with ARCH_PENDING. Interrupts off. */
void debug_load(const struct arch_thread *thread);
/* A #DB of user mode; interrupts off. False: it meant another thread, nothing is to be told. */
bool debug_trap(struct user_frame *frame);
/* The frame of a call that was single-stepped becomes that of the trap behind it. */
void debug_step_over_syscall(struct user_frame *frame);
/* The kernel itself touched what somebody watches. */
void debug_forget_kernel_hits(void);
