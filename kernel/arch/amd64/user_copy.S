/*
 * user_copy.S - copies that survive a bad address.
 *
 * Each instruction that touches user memory has a row in user_copy_table: its
 * address, and where to go on after a fault that stands. Copies go eight bytes at
 * a time, because some machines count (and pay) every step of a byte copy.
 */
        .section .text.entry, "ax", @progbits

.macro GUARDED from, to
        .pushsection user_copy_table, "a", @progbits
        .balign 8
        .quad \from, \to
        .popsection
.endm
.macro ALLOW_ACCESS
        cmpb $0, user_access_guarded(%rip)
        je 91f
        stac
91:
.endm
.macro FORBID_ACCESS
        cmpb $0, user_access_guarded(%rip)
        je 92f
        clac
92:
.endm

/* size_t user_copy(void *to, const void *from, size_t length): returns what was not copied. */
        .balign 16
        .globl user_copy
user_copy:
        pushq %rbp
        movq %rsp, %rbp
        movq %rdx, %rcx
        andl $7, %edx
        shrq $3, %rcx
        ALLOW_ACCESS
1:      rep movsq
        movl %edx, %ecx
2:      rep movsb
        movl %ecx, %eax
3:      FORBID_ACCESS
        popq %rbp
        ret
4:      leaq (%rdx, %rcx, 8), %rax /* in words: rcx of them and the rest */
        /* A word that straddles a bad page is tried again byte by byte, as far as it goes. */
        movq %rax, %rcx
5:      rep movsb
6:      movq %rcx, %rax
        jmp 3b
7:      movl %ecx, %eax
        jmp 3b
        GUARDED 1b, 4b
        GUARDED 2b, 7b
        GUARDED 5b, 6b

/* bool user_load_u32(const uint32_t *from, uint32_t *out_value) */
        .balign 16
        .globl user_load_u32
user_load_u32:
        ALLOW_ACCESS
1:      movl (%rdi), %ecx
        FORBID_ACCESS
        movl %ecx, (%rsi)
        movl $1, %eax
        ret
2:      FORBID_ACCESS
        xorl %eax, %eax
        ret
        GUARDED 1b, 2b

        .section .note.GNU-stack, "", @progbits
