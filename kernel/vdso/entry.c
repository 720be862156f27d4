/*
 * entry.c - the stubs that enter the kernel, one for each row of syscalls.def.
 *
 * A call's arguments arrive by the C convention and go to the kernel in rdi, rsi,
 * rdx, r10, r8, r9, r12, r13. Stubs of seven and eight arguments take the last ones
 * from the caller's stack, so that the kernel never reads a user stack.
 */
#include "syscall/expand.h"
#include "syscall/numbers.h"

#define ENTER "movl %0, %%eax\n\tsyscall\n\t"
#define STUB_0 ENTER "ret"
#define STUB_1 STUB_0
#define STUB_2 STUB_0
#define STUB_3 STUB_0
#define STUB_4 "movq %%rcx, %%r10\n\t" ENTER "ret"
#define STUB_5 STUB_4
#define STUB_6 STUB_4
#define STUB_7                                                                                     \
    "pushq %%r12\n\tmovq 16(%%rsp), %%r12\n\tmovq %%rcx, %%r10\n\t" ENTER "popq %%r12\n\tret"
#define STUB_8                                                                                     \
    "pushq %%r12\n\tpushq %%r13\n\tmovq 24(%%rsp), %%r12\n\tmovq 32(%%rsp), %%r13\n\t"             \
    "movq %%rcx, %%r10\n\t" ENTER "popq %%r13\n\tpopq %%r12\n\tret"

#define STUB_OF_COUNT_(count) STUB_##count
#define STUB_OF_COUNT(count)  STUB_OF_COUNT_(count)

#define SYSCALL(name, text, needs, ...)                                                            \
    __attribute__((naked)) void vdso_##name(void);                                                 \
    __attribute__((naked)) void vdso_##name(void) {                                                \
        __asm__(STUB_OF_COUNT(PAIR_COUNT(__VA_ARGS__)) : : "i"(SYS_##name));                       \
    }
#define SYSCALL_INNER SYSCALL
#define SYSCALL_VOID(name, text, needs, ...)                                                       \
    __attribute__((naked)) void vdso_##name(void);                                                 \
    __attribute__((naked)) void vdso_##name(void) {                                                \
        __asm__(ENTER "ud2" : : "i"(SYS_##name));                                                  \
    }
#define VDSO_CALL(type, name, ...)
#include "syscall/syscalls.def"
