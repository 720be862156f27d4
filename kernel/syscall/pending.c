/*
 * pending.c - answers for calls that are not written yet.
 *
 * Weak, so that each real sys_ function takes its place. This file leaves the build
 * when the last call is there; then forgetting one is a link error.
 */
#include "syscall/syscalls.h"

#define WEAK __attribute__((weak))
#define SYS_PARAMETER(i, kind, name) sys_kind_##kind name
#define SYSCALL(name, text, needs, ...)                                                            \
    WEAK status_t sys_##name PARAMETERS(SYS_PARAMETER, __VA_ARGS__) { return ERR_NOT_SUPPORTED; }
#define SYSCALL_INNER SYSCALL
#define SYSCALL_VOID(name, text, needs, ...)                                                       \
    WEAK void sys_##name PARAMETERS(SYS_PARAMETER, __VA_ARGS__) { __builtin_trap(); }
#define VDSO_CALL(type, name, ...)
#include "syscall/syscalls.def"
