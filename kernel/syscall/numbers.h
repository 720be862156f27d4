/*
 * numbers.h - the numbers of the system calls: SYS_handle_close, ..., SYS_COUNT.
 *
 * Only kernel and vDSO are built with them. JX_SYSCALL_SHUFFLE=n moves every number
 * by n places, to show that nothing else knows them.
 */
#pragma once

#ifndef JX_SYSCALL_SHUFFLE
#define JX_SYSCALL_SHUFFLE 0
#endif

enum {
#define SYSCALL(name, ...)       ROW_##name,
#define SYSCALL_VOID(name, ...)  ROW_##name,
#define SYSCALL_INNER(name, ...) ROW_##name,
#define VDSO_CALL(type, name, ...)
#include "syscall/syscalls.def"
    SYS_COUNT,
#undef SYSCALL
#undef SYSCALL_VOID
#undef SYSCALL_INNER
#undef VDSO_CALL
};

enum {
#define SYSCALL(name, ...)       SYS_##name = (ROW_##name + JX_SYSCALL_SHUFFLE) % SYS_COUNT,
#define SYSCALL_VOID(name, ...)  SYS_##name = (ROW_##name + JX_SYSCALL_SHUFFLE) % SYS_COUNT,
#define SYSCALL_INNER(name, ...) SYS_##name = (ROW_##name + JX_SYSCALL_SHUFFLE) % SYS_COUNT,
#define VDSO_CALL(type, name, ...)
#include "syscall/syscalls.def"
#undef SYSCALL
#undef SYSCALL_VOID
#undef SYSCALL_INNER
#undef VDSO_CALL
};
