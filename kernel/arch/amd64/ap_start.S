/*
 * ap_start.S - an application CPU, from real mode to ap_main.
 *
 * Copied to a free page below 1 MiB; the CPU starts at its beginning with CS at
 * the page and IP 0, so everything here is relative to that. The hand-over block
 * at the end is filled in for one CPU at a time. It runs on the boot page tables
 * (which show the first 4 GiB where they are) for a few instructions, then on the
 * kernel's own.
 */
#include "arch/amd64/layout.h"

#define AT(label) (label - ap_start_begin)

        .section .rodata.ap_start, "a", @progbits
        .balign 16
        .globl ap_start_begin, ap_start_end, ap_handover
        .code16
ap_start_begin:
        cli
        cld
        xorl %ebx, %ebx
        movw %cs, %bx
        movw %bx, %ds
        shll $4, %ebx           /* where we are */
        leal AT(gdt)(%ebx), %eax
        movl %eax, AT(gdt_pointer) + 2
        leal AT(start32)(%ebx), %eax
        movl %eax, AT(jump32)
        leal AT(ap_start64)(%ebx), %eax
        movl %eax, AT(jump64)
        lgdtl AT(gdt_pointer)
        movl %cr0, %eax
        andl $0x9fffffff, %eax  /* not CD, not NW */
        orl $1, %eax
        movl %eax, %cr0
        ljmpl *AT(jump32)

        .code32
start32:
        movw $0x10, %ax
        movw %ax, %ds
        movw %ax, %ss
        movl %cr4, %eax
        orl $0xa0, %eax         /* PAE, PGE */
        movl %eax, %cr4
        movl AT(ap_handover)(%ebx), %eax
        movl %eax, %cr3
        movl $MSR_EFER, %ecx
        rdmsr
        orl $0x901, %eax        /* SCE, LME, NXE */
        wrmsr
        movl %cr0, %eax
        orl $0x80010001, %eax   /* PG, WP, PE */
        movl %eax, %cr0
        ljmpl *AT(jump64)(%ebx)

        .code64
ap_start64:
        movl %ebx, %ebx
        movq AT(ap_handover) + 8(%rbx), %r8
        movq AT(ap_handover) + 16(%rbx), %rsp
        movq AT(ap_handover) + 24(%rbx), %rdi
        movq AT(ap_handover) + 32(%rbx), %rsi
        movabsq $ap_start_high, %rax
        jmpq *%rax

        .balign 8
gdt:
        .quad 0
        .quad 0x00cf9b000000ffff /* 32-bit code */
        .quad 0x00cf93000000ffff
        .quad 0x00af9b000000ffff /* 64-bit code */
gdt_pointer:
        .word 31
        .long 0
        .balign 4
jump32: .long 0
        .word 0x08
        .balign 4
jump64: .long 0
        .word 0x18
        .balign 8
ap_handover:
        .skip 5 * 8
ap_start_end:

        .section .text.entry, "ax", @progbits
        .code64
ap_start_high:
        movq %r8, %cr3
        xorl %eax, %eax
        movl %eax, %ds
        movl %eax, %es
        movl %eax, %ss
        movl %eax, %fs
        movl %eax, %gs
        movq %rdi, %rax
        movq %rdi, %rdx
        shrq $32, %rdx
        movl $MSR_GS_BASE, %ecx
        wrmsr
        xorl %ebp, %ebp
        call *%rsi
        ud2

        .section .note.GNU-stack, "", @progbits
