/*
 * calls.c - the table of calls, and what their kinds of arguments tell; see calls.h.
 */
#include "core-tests/calls.h"

#include <string.h>
#include <zircon/syscalls.h>

#include "core-tests/call_arguments.h"
#include "core-tests/call_objects.h"
#include "syscall/expand.h"

_Alignas(4096) char call_buffers[8][4096];

enum passed { none_passed, u32, i32, u64, i64, in, out };
static const enum passed passed_of[] = {
    [KIND_none] = none_passed,
#define KIND(name, passed, user) [KIND_##name] = passed,
#include "syscall/kinds.def"
#undef KIND
};

#define KIND_OF(i, kind, name) KIND_##kind
#define SYSCALL(name, text, needs, ...)                                                            \
    {#name, (void *)zx_##name, prepare_##name, {EACH_PAIR(KIND_OF, __VA_ARGS__)}},
#define SYSCALL_VOID(name, ...)
#define SYSCALL_INNER(name, ...)
#define VDSO_CALL(type, name, ...)

const struct call calls[] = {
#include "syscall/syscalls.def"
};
const size_t calls_count = sizeof calls / sizeof calls[0];

bool call_reads(const struct call *call, int i) { return passed_of[call->kinds[i]] == in; }
bool call_has_pointer(const struct call *call, int i) {
    return call->kinds[i] != KIND_none && passed_of[call->kinds[i]] >= in;
}

/* Those that cannot work without doing harm give the status that is the next best. */
zx_status_t call_expected(const struct call *call) {
    static const struct {
        const char *name;
        zx_status_t status;
    } others[] = {
        {"channel_call", ZX_ERR_TIMED_OUT},
        {"channel_call_etc", ZX_ERR_TIMED_OUT}, {"process_start", ZX_ERR_WRONG_TYPE},
        {"thread_start", ZX_ERR_WRONG_TYPE},  {"task_kill", ZX_ERR_ACCESS_DENIED},
        {"port_cancel", ZX_ERR_NOT_FOUND},    {"futex_wait", ZX_ERR_TIMED_OUT},
        {"debug_read", ZX_ERR_WRONG_TYPE},    {"vmo_set_size", ZX_ERR_UNAVAILABLE},
        {"vmar_unmap", ZX_ERR_INVALID_ARGS},  {"vmar_protect", ZX_ERR_INVALID_ARGS},
        {"vmar_destroy", ZX_ERR_BAD_STATE},   {"vmar_op_range", ZX_ERR_ACCESS_DENIED},
         {"system_powerctl", ZX_ERR_INVALID_ARGS},
    };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        if (strcmp(others[i].name, call->name) == 0)
            return others[i].status;
    }
    return ZX_OK;
}

void call_prepare(const struct call *call, uint64_t *a) {
    memset(call_buffers, 0, sizeof call_buffers);
    for (int i = 0; i < 8; i++)
        a[i] = call_has_pointer(call, i) ? (uint64_t)call_buffers[i] : 0;
    call->prepare(a);
}

typedef int32_t any_call(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
                         uint64_t);
zx_status_t call_make(const struct call *call, const uint64_t *a) {
    return ((any_call *)call->function)(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7]);
}

void call_drop_results(const struct call *call, const uint64_t *a) {
    for (int i = 0; i < 8; i++) {
        zx_handle_t handle;
        if (call->kinds[i] != KIND_OUT_HANDLE && call->kinds[i] != KIND_OUT_HANDLES &&
            call->kinds[i] != KIND_OUT_HANDLE_INFOS)
            continue;
        memcpy(&handle, (const void *)a[i], 4);
        if (handle != ZX_HANDLE_INVALID)
            drop(handle);
    }
}
