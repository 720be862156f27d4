/*
 * call_arguments.h - for the table of calls.c: a prepare_ function for each call of
 * syscalls.def. It finds in a[0] to a[7] the buffers for what is a pointer, and 0 for the
 * rest, which it fills in so that the call works.
 */
#pragma once

#include <stdint.h>

#define SYSCALL(name, ...) void prepare_##name(uint64_t *a);
#define SYSCALL_VOID(name, ...)
#define SYSCALL_INNER(name, ...)
#define VDSO_CALL(type, name, ...)

#include "syscall/syscalls.def"

#undef SYSCALL
#undef SYSCALL_VOID
#undef SYSCALL_INNER
#undef VDSO_CALL
