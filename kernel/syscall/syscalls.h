/*
 * syscalls.h - the kernel's side of every system call: status_t sys_NAME(...).
 *
 * Expanded from syscalls.def. Pointers arrive as struct user_in and struct user_out,
 * which cannot be followed by accident; handles, options and the like as uint32_t,
 * sizes, offsets and addresses as uint64_t, times as int64_t.
 */
#pragma once

#include "lib/types.h"
#include "lib/user_ptr.h"
#include "syscall/expand.h"
#include "syscall/numbers.h"

typedef uint32_t sys_passed_u32;
typedef int32_t sys_passed_i32;
typedef uint64_t sys_passed_u64;
typedef int64_t sys_passed_i64;
typedef struct user_in sys_passed_in;
typedef struct user_out sys_passed_out;

#define KIND(kind, passed, user) typedef sys_passed_##passed sys_kind_##kind;
#include "syscall/kinds.def"
#undef KIND

#define SYS_PARAMETER(i, kind, name) sys_kind_##kind name
#define SYSCALL(name, text, needs, ...) status_t sys_##name PARAMETERS(SYS_PARAMETER, __VA_ARGS__);
#define SYSCALL_INNER SYSCALL
#define SYSCALL_VOID(name, text, needs, ...)                                                       \
    void sys_##name PARAMETERS(SYS_PARAMETER, __VA_ARGS__) NORETURN;
#define VDSO_CALL(type, name, ...)
#include "syscall/syscalls.def"
#undef SYSCALL
#undef SYSCALL_INNER
#undef SYSCALL_VOID
#undef VDSO_CALL
#undef SYS_PARAMETER

/* A number's name, for traces and crash reports: "handle_close"; NULL if there is none. */
const char *syscall_name(uint64_t number);
/* How often a number was called since boot; counted in debug builds, else 0. */
uint64_t syscall_call_count(uint64_t number);
