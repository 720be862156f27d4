/*
 * strace_text.c - names and kinds come from syscalls.def, so no call can be forgotten.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zircon/status.h>
#include <zircon/syscalls.h>

#include "common/show.h"
#include "common/tasks.h"
#include "syscall/expand.h"
#include "tools/strace.h"
#include "vdso/hash.h"

enum kind {
    KIND_NONE,
#define KIND(name, passed, user) KIND_##name,
#include "syscall/kinds.def"
#undef KIND
};

struct argument {
    enum kind kind;
    const char *name;
};
struct row {
    const char *name;
    uint32_t hash;
    bool returns;
    struct argument arguments[STRACE_ARGS];
};

#define ARGUMENT(i, kind, name)                                                                    \
    { KIND_##kind, #name }
#define ROW(returns, name, ...)                                                                    \
    {"zx_" #name, VDSO_HASH("zx_" #name), returns, {EACH_PAIR(ARGUMENT, __VA_ARGS__)}},
#define SYSCALL(name, text, needs, ...)      ROW(true, name, __VA_ARGS__)
#define SYSCALL_VOID(name, text, needs, ...) ROW(false, name, __VA_ARGS__)
#define SYSCALL_INNER(name, text, needs, ...)
#define VDSO_CALL(type, name, text, ...) VDSO_##type(name, __VA_ARGS__)
/* By what they return: what gives a plain value never enters the kernel. */
#define VDSO_zx_status_t(name, ...) ROW(true, name, __VA_ARGS__)
#define VDSO_void(name, ...)        ROW(false, name, __VA_ARGS__)
#define VDSO_zx_time_t(name, ...)
#define VDSO_uint32_t(name, ...)
#define VDSO_uint64_t(name, ...)
#define VDSO_zx_ticks_t(name, ...)

static const struct row rows[] = {
#include "syscall/syscalls.def"
};

unsigned strace_count(void) {
    return sizeof rows / sizeof rows[0];
}
uint32_t strace_hash(unsigned index) {
    return rows[index].hash;
}
bool strace_returns(unsigned index) {
    return rows[index].returns;
}

int strace_find(uint32_t hash) {
    for (unsigned i = 0; i < strace_count(); i++) {
        if (rows[i].hash == hash)
            return (int)i;
    }
    return -1;
}

/* --- values --- */

static void add(struct strace_call *call, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void add(struct strace_call *call, const char *format, ...) {
    size_t length = strlen(call->text);
    va_list args;
    va_start(args, format);
    vsnprintf(call->text + length, sizeof call->text - length, format, args);
    va_end(args);
}

static void add_handle(struct strace_call *call, zx_handle_t process, zx_handle_t handle) {
    size_t count;
    void *list;
    add(call, "%#x", handle);
    if (handle == ZX_HANDLE_INVALID)
        return;
    (void)tasks_list(process, ZX_INFO_HANDLE_TABLE, sizeof(zx_info_handle_extended_t), &list,
                     &count);
    const zx_info_handle_extended_t *handles = list;
    for (size_t i = 0; i < count; i++) {
        if (handles[i].handle_value == handle)
            add(call, ":%s", show_type(handles[i].type));
    }
    free(list);
}

#define TEXT_SHOWN 32

static void add_text(struct strace_call *call, zx_handle_t process, uint64_t address,
                     uint64_t length) {
    char text[TEXT_SHOWN];
    size_t actual = 0, wanted = length < sizeof text ? length : sizeof text;
    (void)zx_process_read_memory(process, address, text, wanted, &actual);
    add(call, "\"");
    for (size_t i = 0; i < actual; i++)
        add(call, text[i] >= ' ' && text[i] < 127 ? "%c" : "\\x%02x", (unsigned char)text[i]);
    add(call, length > actual ? "\"..." : "\"");
}

static void add_time(struct strace_call *call, int64_t time) {
    char text[SHOW_SIZE * 2];
    if (time == ZX_TIME_INFINITE)
        strlcpy(text, "infinite", sizeof text);
    else
        snprintf(text, sizeof text, "%lld.%06llds", (long long)(time / ZX_SEC(1)),
                 (long long)(time % ZX_SEC(1) / 1000));
    add(call, "%s", text);
}

static void add_argument(struct strace_call *call, zx_handle_t process, unsigned i) {
    const struct argument *a = &rows[call->index].arguments[i];
    uint64_t value = call->args[i];
    add(call, "%s%s=", i ? ", " : "", a->name);
    switch (a->kind) {
    case KIND_HANDLE:
        add_handle(call, process, (zx_handle_t)value);
        break;
    case KIND_TIME:
    case KIND_DURATION:
        add_time(call, (int64_t)value);
        break;
    case KIND_U32:
    case KIND_CLOCK:
        add(call, "%u", (uint32_t)value);
        break;
    case KIND_OPTIONS:
    case KIND_RIGHTS:
    case KIND_SIGNALS:
    case KIND_SIGNAL_MASK:
    case KIND_VM_OPTIONS:
        add(call, "%#x", (uint32_t)value);
        break;
    case KIND_I32:
    case KIND_FUTEX_VALUE:
        add(call, "%d", (int32_t)value);
        break;
    case KIND_SIZE:
    case KIND_KOID:
        add(call, "%llu", (unsigned long long)value);
        break;
    case KIND_I64:
        add(call, "%lld", (long long)value);
        break;
    case KIND_IN_TEXT:
        add_text(call, process, value, call->args[i + 1]);
        break;
    case KIND_IN_BYTES:
        if (rows[call->index].arguments[i + 1].kind == KIND_SIZE)
            add_text(call, process, value, call->args[i + 1]);
        else
            add(call, "%#llx", (unsigned long long)value);
        break;
    default:
        add(call, "%#llx", (unsigned long long)value);
        break;
    }
}

void strace_begin(struct strace_call *call, zx_handle_t process, unsigned index,
                  const uint64_t args[STRACE_ARGS]) {
    call->index = index;
    memcpy(call->args, args, sizeof call->args);
    call->text[0] = '\0';
    add(call, "%s(", rows[index].name);
    for (unsigned i = 0; i < STRACE_ARGS && rows[index].arguments[i].kind != KIND_NONE; i++)
        add_argument(call, process, i);
    add(call, ")");
}

/* What lies behind a pointer, if it is one value. */
static void add_result(struct strace_call *call, zx_handle_t process, unsigned i) {
    const struct argument *a = &rows[call->index].arguments[i];
    uint64_t value = 0;
    bool is_short =
        a->kind == KIND_OUT_HANDLE || a->kind == KIND_OUT_U32 || a->kind == KIND_OUT_SIGNALS;
    bool is_long = a->kind == KIND_OUT_U64 || a->kind == KIND_OUT_SIZE ||
                   a->kind == KIND_OUT_TIME || a->kind == KIND_OUT_VADDR;
    size_t actual;
    if ((!is_short && !is_long) || call->args[i] == 0 ||
        zx_process_read_memory(process, call->args[i], &value, is_short ? 4 : 8, &actual) != ZX_OK)
        return;
    add(call, " %s=", a->name);
    if (a->kind == KIND_OUT_HANDLE)
        add_handle(call, process, (zx_handle_t)value);
    else if (a->kind == KIND_OUT_TIME)
        add_time(call, (int64_t)value);
    else
        add(call, a->kind == KIND_OUT_U32 || a->kind == KIND_OUT_SIZE ? "%llu" : "%#llx",
            (unsigned long long)value);
}

void strace_end(struct strace_call *call, zx_handle_t process, zx_status_t status) {
    add(call, " = %s", zx_status_get_string(status));
    for (unsigned i = 0; status == ZX_OK && i < STRACE_ARGS; i++)
        add_result(call, process, i);
}
