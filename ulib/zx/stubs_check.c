/*
 * stubs_check.c - compares the prototypes of <zircon/syscalls.h> with syscalls.def: a
 * difference is a conflicting declaration. It leaves nothing in the library.
 */
#include <zircon/syscalls.h>

#include "syscall/expand.h"

#define KIND(kind, passed, user) typedef user user_kind_##kind;
#include "syscall/kinds.def"
#undef KIND

#define PARAMETER(i, kind, name) user_kind_##kind name
#define SYSCALL(name, text, needs, ...) zx_status_t zx_##name PARAMETERS(PARAMETER, __VA_ARGS__);
#define SYSCALL_VOID(name, text, needs, ...) void zx_##name PARAMETERS(PARAMETER, __VA_ARGS__);
#define SYSCALL_INNER(name, ...)
#define VDSO_CALL(type, name, text, ...) type zx_##name PARAMETERS(PARAMETER, __VA_ARGS__);
#include "syscall/syscalls.def"
