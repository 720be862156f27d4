/*
 * find.c - the image's entry point: from a name's hash to the call's address.
 *
 * A program's start code asks once for each call that the program uses. Two names
 * with equal hashes would be equal case labels, so they cannot be built.
 */
#include <stddef.h>

#include "syscall/expand.h"
#include "vdso/hash.h"

#define SYSCALL(name, ...)       extern const char vdso_##name[];
#define SYSCALL_VOID(name, ...)  extern const char vdso_##name[];
#define SYSCALL_INNER(name, ...)
#define VDSO_CALL(type, name, ...) extern const char vdso_##name[];
#include "syscall/syscalls.def"
#undef SYSCALL
#undef SYSCALL_VOID
#undef VDSO_CALL

const void *vdso_find(uint32_t hash);

/* The address of the call, or NULL if this kernel does not have it. */
const void *vdso_find(uint32_t hash) {
    switch (hash) {
#define FOUND(name)                                                                                \
    case VDSO_HASH("zx_" #name):                                                                   \
        _Static_assert(sizeof("zx_" #name) <= VDSO_NAME_MAX, "the hash sees no more");             \
        return vdso_##name;
#define SYSCALL(name, ...)         FOUND(name)
#define SYSCALL_VOID(name, ...)    FOUND(name)
#define VDSO_CALL(type, name, ...) FOUND(name)
#include "syscall/syscalls.def"
    default:
        return NULL;
    }
}
