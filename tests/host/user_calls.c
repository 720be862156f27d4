/*
 * user_calls.c - the system calls by their public names, for user.h's code.
 *
 * The stubs are made from syscalls.def; what a pointer argument points to is known
 * from its kind, and for bytes from the size that follows it. So a call takes the
 * same way as on the machine: through the table, with addresses of user memory that
 * the kernel reads and writes through the page table.
 */
#include <zircon/syscalls.h>

#include "arch/host/host.h"
#include "arch/upcall.h"
#include "lib/assert.h"
#include "sched/thread.h"
#include "syscall/expand.h"
#include "syscall/numbers.h"
#include "tests/host/user.h"

enum kind {
    KIND_NONE,
#define KIND(name, passed, user) KIND_##name,
#include "syscall/kinds.def"
#undef KIND
};

/* ---- Buffers ---- */

extern char __executable_start[], end[];

/* This program's data, or the calling thread's stack. */
static bool is_ours(uint64_t address) {
    const struct arch_thread *arch = &thread_current()->arch;
    uint64_t bottom = (uintptr_t)arch->stack_bottom;

    return (address >= (uintptr_t)__executable_start && address < (uintptr_t)end) ||
           (address >= bottom && address < bottom + arch->stack_size);
}

static bool is_array(unsigned kind) {
    return kind == KIND_IN_BYTES || kind == KIND_OUT_BYTES || kind == KIND_INOUT_BYTES ||
           kind == KIND_IN_TEXT || kind == KIND_OUT_TEXT;
}

/* Of what an argument of this kind points to; 0: it is no pointer, or an array. */
static uint64_t record_size(unsigned kind) {
    switch (kind) {
    case KIND_IN_PACKET:
    case KIND_OUT_PACKET:
        return 48;
    case KIND_OUT_HANDLE:
    case KIND_OUT_U32:
    case KIND_OUT_SIGNALS:
        return 4;
    case KIND_OUT_U64:
    case KIND_OUT_SIZE:
    case KIND_OUT_TIME:
    case KIND_OUT_VADDR:
        return 8;
    default:
        return 0;
    }
}

static uint64_t pointee_size(const uint8_t kinds[8], const uint64_t a[8], unsigned i) {
    uint64_t unit = kinds[i] == KIND_OUT_PADDRS ? 8 : 1;
    if (unit == 1 && !is_array(kinds[i]))
        return record_size(kinds[i]);
    for (unsigned k = i + 1; k < 8; k++)
        if (kinds[k] == KIND_SIZE)
            return a[k] * unit;
    return 0;
}

static bool is_read_only(unsigned kind) {
    return kind == KIND_IN_BYTES || kind == KIND_IN_TEXT || kind == KIND_IN_PACKET;
}

struct call {
    uint64_t number, a[8];
    struct {
        uint64_t ours, size; /* size 0: this argument is not carried */
    } carried[8];
};

/*
 * What the kernel may not write at all must come back as it was. Whoever judges a failed
 * call makes calls himself, while the buffers of the outer one must last.
 */
static void carry_in(struct call *call, const uint8_t kinds[8]) {
    uint64_t used = user_is_judging() ? USER_BOUNCE_SIZE / 2 : 0;

    for (unsigned i = 0; i < 8; i++) {
        uint64_t size = pointee_size(kinds, call->a, i);
        if (size == 0 || !is_ours(call->a[i]))
            continue;
        ASSERT(used + size <= USER_BOUNCE_SIZE);
        call->carried[i].ours = call->a[i];
        call->carried[i].size = size;
        call->a[i] = user_bounce() + used;
        used += round_up(size, 16);
        if (kinds[i] != KIND_OUT_BYTES || size <= 256)
            ASSERT(host_user_write(call->a[i], (void *)call->carried[i].ours, size));
    }
}

static void carry_out(const struct call *call, const uint8_t kinds[8], int32_t status) {
    for (unsigned i = 0; i < 8; i++) {
        uint64_t size = call->carried[i].size;
        bool whole = kinds[i] != KIND_OUT_BYTES || size <= 256;
        if (size && !is_read_only(kinds[i]) && (whole || status == ZX_OK))
            ASSERT(host_user_read(call->a[i], (void *)call->carried[i].ours, size));
    }
}

/* ---- Calls ---- */

/* Those that move or make several pages, one after another. */
static bool may_be_partly_done(const struct call *call) {
    switch (call->number) {
    case SYS_vmo_op_range:
    case SYS_vmar_op_range:
    case SYS_vmo_write:
    case SYS_vmo_read:
    case SYS_object_set_property:
    case SYS_process_write_memory:
    case SYS_pager_supply_pages:
    case SYS_pager_op_range:
    case SYS_bti_pin:
        return true;
    default:
        return false;
    }
}

static uint64_t attempt(void *context) {
    const uint64_t *a = ((struct call *)context)->a;

    return (uint32_t)upcall_syscall_table[((struct call *)context)->number](
        a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7]);
}

static int32_t make_call(uint64_t number, const uint8_t kinds[8], const uint64_t arguments[8]) {
    struct call call = {.number = number};

    __builtin_memcpy(call.a, arguments, sizeof(call.a));
    carry_in(&call, kinds);
    int32_t status = (int32_t)user_attempt(attempt, &call, may_be_partly_done(&call));
    if (thread_current()->pending)
        upcall_return_to_user();
    carry_out(&call, kinds, status);
    return status;
}

#define PARAMETER(i, kind, name) uint64_t a##i
#define KIND_OF(i, kind, name)   KIND_##kind
/* The C convention leaves the upper half of a narrow argument undefined. */
#define NARROW_u32(a) (uint32_t)(a)
#define NARROW_i32(a) (uint64_t)(int64_t)(int32_t)(a)
#define NARROW_u64(a) (a)
#define NARROW_i64(a) (a)
#define NARROW_in(a)  (a)
#define NARROW_out(a) (a)
#define KIND(kind, passed, user)                                                                   \
    static inline uint64_t narrow_##kind(uint64_t a) { return NARROW_##passed(a); }
#include "syscall/kinds.def"
#undef KIND
#define VALUE(i, kind, name) narrow_##kind(a##i)

/* The public names have other types in the public header, which this part must not see. */
#define SYSCALL(name, text, needs, ...)                                                            \
    int32_t user_##name PARAMETERS(PARAMETER, __VA_ARGS__) __asm__("zx_" #name);                   \
    int32_t user_##name PARAMETERS(PARAMETER, __VA_ARGS__) {                                       \
        static const uint8_t kinds[8] = {EACH_PAIR(KIND_OF, __VA_ARGS__)};                         \
        const uint64_t a[8] = {EACH_PAIR(VALUE, __VA_ARGS__)};                                     \
        return make_call(SYS_##name, kinds, a);                                                    \
    }
#define SYSCALL_VOID(name, text, needs, ...)
#define SYSCALL_INNER(name, text, needs, ...)
#define VDSO_CALL(type, name, ...)
#include "syscall/syscalls.def"
