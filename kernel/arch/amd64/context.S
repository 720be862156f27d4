/*
 * context.S - the switch of stacks. What C keeps across a call lies on the old one.
 */
#include "arch/amd64/layout.h"

        .section .text.entry, "ax", @progbits

/* void context_switch(struct arch_thread *from, struct arch_thread *to) */
        .balign 16
        .globl context_switch
context_switch:
        pushq %rbp
        pushq %rbx
        pushq %r12
        pushq %r13
        pushq %r14
        pushq %r15
        movq %rsp, THREAD_RSP(%rdi)
        movq THREAD_RSP(%rsi), %rsp
        popq %r15
        popq %r14
        popq %r13
        popq %r12
        popq %rbx
        popq %rbp
        ret

/* The first return of a new thread comes here: rbx is its function, r12 the argument. */
        .globl context_start
context_start:
        movq %r12, %rdi
        xorl %ebp, %ebp
        call *%rbx
        ud2                     /* it never returns */

/* void context_enter_user(const struct user_frame *frame): the frame is the stack from here. */
        .globl context_enter_user
context_enter_user:
        movq %rdi, %rsp
        jmp trap_return

        .section .note.GNU-stack, "", @progbits
