/*
 * entry.S - from the processor's events to C, and back.
 *
 * Every way in builds a struct user_frame at the top of a kernel stack, clears DF
 * and AC, and has GS at the CPU's own structure. Three ways in:
 *   - ordinary vectors: SWAPGS if they came from user mode;
 *   - vectors with a stack of their own (debug, NMI, double fault, machine check):
 *     the GS base can't be judged, so it is saved, and set from the top of the stack;
 *   - SYSCALL, where each instruction counts: it is the cheapest call's whole cost.
 */
#include "arch/amd64/layout.h"

        .altmacro

.macro PUSH_REGISTERS
        pushq %rdi
        pushq %rsi
        pushq %rdx
        pushq %rcx
        pushq %rax
        pushq %r8
        pushq %r9
        pushq %r10
        pushq %r11
        pushq %rbx
        pushq %rbp
        pushq %r12
        pushq %r13
        pushq %r14
        pushq %r15
.endm

.macro POP_REGISTERS
        popq %r15
        popq %r14
        popq %r13
        popq %r12
        popq %rbp
        popq %rbx
        popq %r11
        popq %r10
        popq %r9
        popq %r8
        popq %rax
        popq %rcx
        popq %rdx
        popq %rsi
        popq %rdi
        addq $16, %rsp          /* vector and error code */
.endm

/* A no-operation where SMAP is missing (init.c). */
.macro CLEAR_AC
77:     clac
        .pushsection access_guard_sites, "a", @progbits
        .balign 8
        .quad 77b
        .popsection
.endm

        .section .text.entry, "ax", @progbits

/* ---- Stubs: the processor pushes an error code for some vectors, we for the rest. ---- */
.macro STUB vector
        .balign 16
stub_\vector:
.if \vector == 8 || (\vector >= 10 && \vector <= 14) || \vector == 17 || \vector == 21 || \vector == 29 || \vector == 30
.else
        pushq $0
.endif
        pushq $\vector
.if \vector == VECTOR_DEBUG || \vector == VECTOR_NMI || \vector == VECTOR_DOUBLE_FAULT || \vector == VECTOR_MACHINE_CHECK
        jmp ist_entry
.else
        jmp trap_entry
.endif
.endm
.macro STUB_ADDRESS vector
        .quad stub_\vector
.endm

        .set v, 0
.rept 256
        STUB %v
        .set v, v + 1
.endr

trap_entry:
        PUSH_REGISTERS
        cld
        testb $3, FRAME_CS(%rsp)
        jz 2f
        swapgs
2:
        CLEAR_AC
        movq %rsp, %rdi
        call trap_dispatch
        .globl trap_return
trap_return:                    /* interrupts off; rsp is at the frame */
        testb $3, FRAME_CS(%rsp)
        jz 3f
        swapgs
3:      POP_REGISTERS
        iretq

ist_entry:
        PUSH_REGISTERS
        cld
        CLEAR_AC
        rdgsbase %rbx
        movq FRAME_SIZE(%rsp), %rax
        wrgsbase %rax
        cmpl $VECTOR_DEBUG, FRAME_VECTOR(%rsp)
        jne 4f
        testb $3, FRAME_CS(%rsp)
        jnz ist_debug_from_user
4:      movq %rsp, %rdi
        call trap_dispatch_ist
        wrgsbase %rbx
        POP_REGISTERS
        iretq

/* A user's single step may block like any exception: go on with it on the thread's stack. */
ist_debug_from_user:
        movq CPU_KERNEL_STACK(%rax), %rdi
        subq $FRAME_SIZE, %rdi
        movq %rdi, %rdx
        movq %rsp, %rsi
        movl $(FRAME_SIZE / 8), %ecx
        rep movsq
        wrgsbase %rbx
        swapgs
        movq %rdx, %rsp
        movq %rsp, %rdi
        call trap_dispatch
        jmp trap_return

/*
 * SYSCALL: rcx is the user's rip, r11 its flags, rax the number; arguments in rdi,
 * rsi, rdx, r10, r8, r9, r12, r13. The whole frame is built, so that a thread in a
 * system call can be looked at like any other.
 */
        .balign 64
        .globl syscall_entry
syscall_entry:
        swapgs
        movq %rsp, %gs:CPU_SCRATCH
        movq %gs:CPU_KERNEL_STACK, %rsp
        pushq $SELECTOR_USER_DATA
        pushq %gs:CPU_SCRATCH
        pushq %r11
        pushq $SELECTOR_USER_CODE
        pushq %rcx
        pushq %rax              /* the number, in the place of the error code */
        pushq $VECTOR_SYSCALL
        PUSH_REGISTERS
        sti
        incq %gs:CPU_SYSCALLS
        movq %gs:CPU_CURRENT, %rbx
        movq %rcx, %r11
        subq THREAD_WINDOW_BEGIN(%rbx), %r11
        cmpq THREAD_WINDOW_LENGTH(%rbx), %r11
        ja syscall_outside
        cmpq upcall_syscall_limit(%rip), %rax
        jae syscall_long
        movq %r10, %rcx
        pushq %r13
        pushq %r12
        callq *upcall_syscall_table(, %rax, 8)
        addq $16, %rsp
syscall_done:
        cli
        cmpl $0, THREAD_PENDING(%rbx)
        jne syscall_slow
        /* The window check has shown that rcx is a user's address, hence canonical. */
        movq FRAME_RBX(%rsp), %rbx
        movq FRAME_RIP(%rsp), %rcx
        movq FRAME_RFLAGS(%rsp), %r11
        movq FRAME_RSP(%rsp), %rsp
        xorl %edi, %edi
        xorl %esi, %esi
        xorl %edx, %edx
        xorl %r8d, %r8d
        xorl %r9d, %r9d
        xorl %r10d, %r10d
        swapgs
        sysretq

/* Calls are traced, or there is none of this number. */
syscall_long:
        movq %rsp, %rdi
        call syscall_long_way
        jmp syscall_done

syscall_outside:
        movq %rsp, %rdi
        call syscall_forbidden  /* does not return while the process lives on */
        jmp syscall_done

/* Somebody wants the thread's attention, and may change its registers meanwhile. */
syscall_slow:
        movq %rax, %rsi
        movq %rsp, %rdi
        call syscall_slow_exit
        jmp trap_return

        .section .rodata.trap_stubs, "a", @progbits
        .balign 8
        .globl trap_stubs
trap_stubs:
        .set v, 0
.rept 256
        STUB_ADDRESS %v
        .set v, v + 1
.endr

        .noaltmacro
        .section .note.GNU-stack, "", @progbits
