/*
 * calls.h - the vDSO's own functions, as calls.c defines them; find.c has their names.
 */
#pragma once

#include <zircon/syscalls.h>

#include "syscall/expand.h"

#define KIND(kind, passed, user) typedef user vdso_kind_##kind;
#include "syscall/kinds.def"
#undef KIND

#define VDSO_PARAMETER(i, kind, name) vdso_kind_##kind name
#define SYSCALL(name, ...)
#define SYSCALL_VOID(name, ...)
#define SYSCALL_INNER(name, text, needs, ...)                                                      \
    zx_status_t vdso_##name PARAMETERS(VDSO_PARAMETER, __VA_ARGS__);
#define VDSO_CALL(type, name, text, ...)                                                           \
    type vdso_##name PARAMETERS(VDSO_PARAMETER, __VA_ARGS__);
#include "syscall/syscalls.def"
#undef SYSCALL
#undef SYSCALL_VOID
#undef SYSCALL_INNER
#undef VDSO_CALL
#undef VDSO_PARAMETER
