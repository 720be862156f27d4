/*
 * context.h - the machine's part of a thread: stack switch, extended state, entry to user mode.
 *
 * struct arch_thread is defined in arch/inline_context.h and is the first member
 * of struct thread.
 */
#pragma once

#include "arch/inline_context.h"
#include "lib/types.h"

#define KERNEL_STACK_SIZE ((size_t)16384)

/*
 * Prepare a first switch to `thread`: it starts in entry(argument) on the given
 * stack, with interrupts off (the scheduler's first-run code turns them on).
 * entry never returns.
 */
void arch_thread_init(struct arch_thread *thread, void *stack_base, size_t stack_size,
                      void (*entry)(void *), void *argument);
/*
 * Give a thread extended state and let it run user code: `area` is
 * arch_extended_state_size() bytes, 64-byte aligned, owned by the thread. It is
 * set to the initial state.
 */
void arch_thread_set_extended_state(struct arch_thread *thread, void *area);
size_t arch_extended_state_size(void);
/*
 * Save the running context in `from` and continue `to`. Interrupts off. Extended
 * state and FS/GS base go along. Returns when somebody switches back to `from`.
 */
void arch_switch(struct arch_thread *from, struct arch_thread *to);

/* Enter user mode for the first time; all other registers are zero. */
struct user_start {
    vaddr_t ip, sp;
    uint64_t arg1, arg2;
};
void arch_enter_user(const struct user_start *start) NORETURN;

/* Set the FS or GS base that user code sees. The address is canonical and a user's. */
void arch_set_user_fs_base(struct arch_thread *thread, uint64_t base); /* current thread only */
void arch_set_user_gs_base(struct arch_thread *thread, uint64_t base);
/* Where SYSCALL may come from: [begin, end) of the vDSO's code in this process. */
void arch_set_syscall_window(struct arch_thread *thread, vaddr_t begin, vaddr_t end);
/* Called at each switch to a user thread after the address space was loaded is not needed: arch_switch does it. */

/*
 * Register sets of a user thread that is in the kernel and stands still: not on any CPU,
 * and kept from running meanwhile. Kinds and layouts are those of
 * <zircon/syscalls/debug.h>; a thread that has not run yet shows how it will begin.
 */
#define REGISTER_SET_MAX ((size_t)2120)
/* Bytes of a kind; 0: there is no such kind. */
size_t arch_register_set_size(uint32_t kind);
/* `set` has arch_register_set_size(kind) bytes. ERR_INVALID_ARGS; padding reads 0. */
status_t arch_registers_read(struct arch_thread *thread, uint32_t kind, void *set);
/* ERR_INVALID_ARGS for a value that user code could not have; then nothing changes. */
status_t arch_registers_write(struct arch_thread *thread, uint32_t kind, const void *set);
/*
 * A bit of the `pending` word that is arch's own. It may stay set; every return to user mode
 * then takes the long way.
 */
#define ARCH_PENDING 0x80u

/* Log the user registers of the current thread, which is in an exception or system call. */
struct user_frame;
void arch_dump_user_frame(const struct user_frame *frame);
vaddr_t arch_user_frame_ip(const struct user_frame *frame);
vaddr_t arch_user_frame_sp(const struct user_frame *frame);
vaddr_t arch_user_frame_fp(const struct user_frame *frame);
