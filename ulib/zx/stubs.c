/*
 * stubs.c - the calls as a program sees them: zx_NAME jumps through a slot.
 *
 * Each stub lies in a section of its own and brings two things with it: its slot, in
 * memory that is read-only once the program runs, and a pair (hash of the name,
 * distance to the slot) in the section zx_stubs. The pair's section is linked to the
 * stub's, so that --gc-sections keeps exactly the pairs of the calls that the program
 * uses; start code asks the vDSO once for each (resolve.c).
 */
#include "syscall/expand.h"
#include "vdso/hash.h"

#define STUB(name)                                                                                 \
    __attribute__((naked, section(".text.zx_" #name))) void zx_##name(void);                       \
    __attribute__((naked, section(".text.zx_" #name))) void zx_##name(void) {                      \
        __asm__("jmpq *zx_slot_" #name "(%%rip)\n\t"                                               \
                ".pushsection .data.rel.ro.zx_slot." #name ",\"aw\",@progbits\n\t"                 \
                ".balign 8\n"                                                                      \
                "zx_slot_" #name ":\n\t"                                                           \
                ".quad 0\n\t"                                                                      \
                ".popsection\n\t"                                                                  \
                ".pushsection zx_stubs,\"ao\",@progbits,.text.zx_" #name "\n\t"                    \
                ".balign 4\n\t"                                                                    \
                ".long %c0\n\t"                                                                    \
                ".long zx_slot_" #name " - .\n\t"                                                  \
                ".popsection"                                                                      \
                :                                                                                  \
                : "i"(VDSO_HASH("zx_" #name)));                                                    \
    }

#define SYSCALL(name, ...)      STUB(name)
#define SYSCALL_VOID(name, ...) STUB(name)
#define SYSCALL_INNER(name, ...)
#define VDSO_CALL(type, name, ...) STUB(name)
#include "syscall/syscalls.def"
