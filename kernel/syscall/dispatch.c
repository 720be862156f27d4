/*
 * dispatch.c - from a number to its function; the only entry.
 *
 * entry.S jumps through upcall_syscall_table. In a release kernel its entries are the
 * sys_ functions themselves: the C convention leaves the upper half of a register
 * that holds a 32-bit argument undefined, a structure of one word travels like a
 * word, and a status fills the lower half of the result, which is all that user code
 * reads. In a debug kernel an entry counts the call first, and may have its allocations
 * fail (alloc_storm.h).
 */
#include "arch/upcall.h"
#include "sched/kill_point.h"
#include "syscall/alloc_storm.h"
#include "syscall/syscalls.h"

#ifdef JX_DEBUG

static _Atomic uint64_t call_counts[SYS_COUNT];

#define FROM_u32(a)          (uint32_t)(a)
#define FROM_i32(a)          (int32_t)(a)
#define FROM_u64(a)          (a)
#define FROM_i64(a)          (int64_t)(a)
#define FROM_in(a)           (struct user_in){a}
#define FROM_out(a)          (struct user_out){a}
#define KIND(kind, passed, user)                                                                   \
    ALWAYS_INLINE sys_kind_##kind from_##kind(uint64_t value) { return FROM_##passed(value); }
#include "syscall/kinds.def"
#undef KIND

#define ARGUMENT(i, kind, name) from_##kind(a##i)
#define COUNTED(name, ...)                                                                         \
    static uint64_t counted_##name(uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,             \
                                   uint64_t a5, uint64_t a6, uint64_t a7, uint64_t a8) {           \
        __c11_atomic_fetch_add(&call_counts[SYS_##name], 1, __ATOMIC_RELAXED);                     \
        kill_point("call", thread_current());                                                      \
        __VA_ARGS__;                                                                               \
    }
#define SYSCALL(name, text, needs, ...)                                                            \
    COUNTED(name, bool storm = alloc_storm_enter(SYS_##name);                                      \
            status_t status = sys_##name(EACH_PAIR(ARGUMENT, __VA_ARGS__));                        \
            if (storm) alloc_storm_leave(SYS_##name); kill_point("call done", thread_current());   \
            return (uint64_t)(int64_t)status)
#define SYSCALL_INNER SYSCALL
#define SYSCALL_VOID(name, text, needs, ...)                                                       \
    COUNTED(name, sys_##name(EACH_PAIR(ARGUMENT, __VA_ARGS__)))
#define VDSO_CALL(type, name, ...)
#include "syscall/syscalls.def"
#undef SYSCALL
#undef SYSCALL_INNER
#undef SYSCALL_VOID
#undef VDSO_CALL

#define ENTRY(name) counted_##name

uint64_t syscall_call_count(uint64_t number) {
    return number < SYS_COUNT ? call_counts[number] : 0;
}

#else

#define ENTRY(name) (syscall_function *)(uintptr_t)sys_##name

uint64_t syscall_call_count(uint64_t number) { return 0; }

#endif

syscall_function *const upcall_syscall_table[SYS_COUNT] = {
#define SYSCALL(name, ...) [SYS_##name] = ENTRY(name),
#define SYSCALL_INNER SYSCALL
#define SYSCALL_VOID  SYSCALL
#define VDSO_CALL(type, name, ...)
#include "syscall/syscalls.def"
#undef SYSCALL
#undef SYSCALL_INNER
#undef SYSCALL_VOID
};
const uint64_t upcall_syscall_count = SYS_COUNT;
_Atomic uint64_t upcall_syscall_limit = SYS_COUNT;

static const char *const names[SYS_COUNT] = {
#define SYSCALL(name, ...) [SYS_##name] = #name,
#define SYSCALL_INNER SYSCALL
#define SYSCALL_VOID  SYSCALL
#include "syscall/syscalls.def"
#undef SYSCALL
#undef SYSCALL_INNER
#undef SYSCALL_VOID
#undef VDSO_CALL
};

const char *syscall_name(uint64_t number) { return number < SYS_COUNT ? names[number] : NULL; }

uint64_t upcall_bad_syscall(uint64_t number) { return (uint64_t)(int64_t)ERR_BAD_SYSCALL; }
