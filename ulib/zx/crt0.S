/*
 * crt0.S - the first instructions of a program: rdi is the bootstrap handle, rsi the
 * vDSO's base, all other registers are zero, so the stack's trace ends here.
 */
    .section .text._start, "ax", @progbits
    .globl _start
    .type _start, @function
_start:
    xorl %ebp, %ebp
    andq $-16, %rsp
    callq zx_start
    ud2
    .size _start, . - _start

    .section .note.GNU-stack, "", @progbits
