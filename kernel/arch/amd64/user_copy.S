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
/* STAC and CLAC, which init.c turns into no-operations where SMAP is missing. */
.macro GUARD_SITE instruction
77:     \instruction
        .pushsection access_guard_sites, "a", @progbits
        .balign 8
        .quad 77b
        .popsection
.endm
.macro ALLOW_ACCESS
        GUARD_SITE stac
.endm
.macro FORBID_ACCESS
        GUARD_SITE clac
.endm

/*
 * size_t arch_copy_to_user(vaddr_t to, const void *from, size_t length), and the same
 * with from and to the other way round: they return what was not copied.
 */
        .balign 64
        .globl arch_copy_to_user, arch_copy_from_user
arch_copy_to_user:
arch_copy_from_user:
        cmpq $8, %rdx
        jne copy_any
        ALLOW_ACCESS
1:      movq (%rsi), %rax
2:      movq %rax, (%rdi)
        FORBID_ACCESS
        xorl %eax, %eax
        ret
        GUARDED 1b, copy_bytes
        GUARDED 2b, copy_bytes

copy_any:
        movq %rdx, %rcx
        andl $7, %edx
        shrq $3, %rcx
        ALLOW_ACCESS
1:      rep movsq
        movl %edx, %ecx
2:      rep movsb
3:      FORBID_ACCESS
        movq %rcx, %rax
        ret
        /* A word that straddles a bad page is tried again byte by byte, as far as it goes. */
4:      leaq (%rdx, %rcx, 8), %rdx
copy_bytes:
        movq %rdx, %rcx
5:      rep movsb
        jmp 3b
        GUARDED 1b, 4b
        GUARDED 2b, 3b
        GUARDED 5b, 3b

/* bool arch_load_user_u32(vaddr_t from, uint32_t *out_value) */
        .balign 16
        .globl arch_load_user_u32
arch_load_user_u32:
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

/* bool arch_store_user_u64(vaddr_t to, uint64_t value); with 32 bits: inline_mmu.h */
        .balign 16
        .globl arch_store_user_u64
arch_store_user_u64:
        ALLOW_ACCESS
1:      movq %rsi, (%rdi)
        FORBID_ACCESS
        movl $1, %eax
        ret
2:      FORBID_ACCESS
        xorl %eax, %eax
        ret
        GUARDED 1b, 2b

        .section .note.GNU-stack, "", @progbits
