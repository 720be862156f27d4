/*
 * strace_text.c - names and kinds come from syscalls.def, so no call can be forgotten.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zircon/status.h>
#include <zircon/syscalls.h>
#include <zircon/syscalls/port.h>

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

/* --- what pointers lead to --- */

#define ENTRIES_SHOWN 8 /* of an array */

static bool read_value(zx_handle_t process, uint64_t address, void *value, size_t size) {
    size_t actual = 0;
    return address != 0 && zx_process_read_memory(process, address, value, size, &actual) == ZX_OK &&
           actual == size;
}

static int find_argument(const struct strace_call *call, const char *name) {
    for (unsigned i = 0; i < STRACE_ARGS && rows[call->index].arguments[i].kind != KIND_NONE; i++) {
        if (strcmp(rows[call->index].arguments[i].name, name) == 0)
            return (int)i;
    }
    return -1;
}

/* How many there are behind argument `i`: the first count that follows; 0 if there is none. */
static uint64_t count_behind(const struct strace_call *call, unsigned i) {
    for (unsigned at = i + 1; at < STRACE_ARGS; at++) {
        enum kind kind = rows[call->index].arguments[at].kind;
        if (kind == KIND_SIZE || kind == KIND_U32)
            return kind == KIND_U32 ? (uint32_t)call->args[at] : call->args[at];
    }
    return 0;
}

typedef void add_entry(struct strace_call *call, zx_handle_t process, const void *entry);

static void add_array(struct strace_call *call, zx_handle_t process, uint64_t address,
                      uint64_t count, size_t size, add_entry *entry) {
    uint64_t buffer[4]; /* holds any entry */
    if (count > 0 && !read_value(process, address, buffer, size)) {
        add(call, "%#llx", (unsigned long long)address);
        return;
    }
    add(call, "[");
    for (uint64_t i = 0; i < count && i < ENTRIES_SHOWN; i++) {
        if (!read_value(process, address + i * size, buffer, size))
            break;
        add(call, i ? ", " : "");
        entry(call, process, buffer);
    }
    add(call, count > ENTRIES_SHOWN ? ", ...]" : "]");
}

static void add_one_handle(struct strace_call *call, zx_handle_t process, const void *entry) {
    add_handle(call, process, *(const zx_handle_t *)entry);
}
static void add_handle_info(struct strace_call *call, zx_handle_t process, const void *entry) {
    const zx_handle_info_t *info = entry;
    add(call, "%#x:%s", info->handle, show_type(info->type));
}
static void add_disposition(struct strace_call *call, zx_handle_t process, const void *entry) {
    const zx_handle_disposition_t *d = entry;
    add(call, "%s ",
        d->operation == ZX_HANDLE_OP_MOVE        ? "move"
        : d->operation == ZX_HANDLE_OP_DUPLICATE ? "duplicate"
                                                 : "?");
    add_handle(call, process, d->handle);
    add(call, " rights=%#x", d->rights);
}
static void add_item(struct strace_call *call, zx_handle_t process, const void *entry) {
    const zx_wait_item_t *item = entry;
    add_handle(call, process, item->handle);
    add(call, " for %#x", item->waitfor);
}
static void add_pending(struct strace_call *call, zx_handle_t process, const void *entry) {
    add(call, "%#x", ((const zx_wait_item_t *)entry)->pending);
}
/* zx_iovec_t, and zx_channel_iovec_t, which has the same form. */
static void add_iovec(struct strace_call *call, zx_handle_t process, const void *entry) {
    const zx_iovec_t *iovec = entry;
    add_text(call, process, (uintptr_t)iovec->buffer, (uint32_t)iovec->capacity);
}
static void add_room(struct strace_call *call, zx_handle_t process, const void *entry) {
    add(call, "%zu", ((const zx_iovec_t *)entry)->capacity);
}

static void add_packet(struct strace_call *call, zx_handle_t process, uint64_t address) {
    zx_port_packet_t packet;
    if (!read_value(process, address, &packet, sizeof packet)) {
        add(call, "%#llx", (unsigned long long)address);
        return;
    }
    add(call, "{key=%#llx type=%u status=%s", (unsigned long long)packet.key, packet.type,
        zx_status_get_string(packet.status));
    if (ZX_PKT_IS_SIGNAL_ONE(packet.type))
        add(call, " trigger=%#x observed=%#x count=%llu", packet.signal.trigger,
            packet.signal.observed, (unsigned long long)packet.signal.count);
    else if (ZX_PKT_IS_PAGE_REQUEST(packet.type))
        add(call, " command=%u offset=%#llx length=%#llx", packet.page_request.command,
            (unsigned long long)packet.page_request.offset,
            (unsigned long long)packet.page_request.length);
    add(call, "}");
}

/* The bytes of a message that is written. */
static void add_message(struct strace_call *call, zx_handle_t process, uint32_t options,
                        uint64_t bytes, uint32_t byte_count) {
    if (options & ZX_CHANNEL_WRITE_USE_IOVEC)
        add_array(call, process, bytes, byte_count, sizeof(zx_channel_iovec_t), add_iovec);
    else
        add_text(call, process, bytes, byte_count);
}

static void add_handles(struct strace_call *call, zx_handle_t process, uint64_t address,
                        uint64_t count, bool etc) {
    add_array(call, process, address, count,
              etc ? sizeof(zx_handle_disposition_t) : sizeof(zx_handle_t),
              etc ? add_disposition : add_one_handle);
}

static void add_call_args(struct strace_call *call, zx_handle_t process, uint64_t address,
                          bool etc) {
    zx_channel_call_args_t args; /* that of call_etc has the same form */
    if (!read_value(process, address, &args, sizeof args)) {
        add(call, "%#llx", (unsigned long long)address);
        return;
    }
    add(call, "{");
    add_message(call, process, (uint32_t)call->args[1], (uintptr_t)args.wr_bytes,
                args.wr_num_bytes);
    add(call, " ");
    add_handles(call, process, (uintptr_t)args.wr_handles, args.wr_num_handles, etc);
    add(call, ", room for %u bytes, %u handles}", args.rd_num_bytes, args.rd_num_handles);
}

/* Bytes for the kernel: a message, or as many as the count says, if there is one. */
static void add_in_bytes(struct strace_call *call, zx_handle_t process, unsigned i) {
    int size = find_argument(call, "elem_size");
    uint64_t count = count_behind(call, i), address = call->args[i];
    if (find_argument(call, "num_bytes") >= 0)
        add_message(call, process, (uint32_t)call->args[1], address, (uint32_t)count);
    else if (count > 0)
        add_text(call, process, address, size < 0 ? count : count * call->args[size]);
    else
        add(call, "%#llx", (unsigned long long)address);
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
        add_in_bytes(call, process, i);
        break;
    case KIND_IN_HANDLES:
    case KIND_INOUT_DISPOSITIONS:
        add_handles(call, process, value, count_behind(call, i),
                    a->kind == KIND_INOUT_DISPOSITIONS);
        break;
    case KIND_INOUT_ITEMS:
        add_array(call, process, value, count_behind(call, i), sizeof(zx_wait_item_t), add_item);
        break;
    case KIND_IN_IOVECS:
        add_array(call, process, value, count_behind(call, i), sizeof(zx_iovec_t), add_iovec);
        break;
    case KIND_IN_READ_IOVECS:
        add_array(call, process, value, count_behind(call, i), sizeof(zx_iovec_t), add_room);
        break;
    case KIND_IN_PACKET:
        add_packet(call, process, value);
        break;
    case KIND_IN_CALL_ARGS:
    case KIND_IN_CALL_ETC_ARGS:
        add_call_args(call, process, value, a->kind == KIND_IN_CALL_ETC_ARGS);
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

/* --- results --- */

/* What the call says it delivered: the value behind an argument of this name; 0 without. */
static uint64_t actual_of(const struct strace_call *call, zx_handle_t process, const char *name) {
    int at = find_argument(call, name);
    uint64_t value = 0;
    if (at >= 0)
        (void)read_value(process, call->args[at], &value,
                         rows[call->index].arguments[at].kind == KIND_OUT_U32 ? 4 : 8);
    return value;
}

/* Bytes that came. With `avail` the counts are of records, which only their reader knows. */
static void add_out_bytes(struct strace_call *call, zx_handle_t process, unsigned i) {
    int size = find_argument(call, "elem_size");
    uint64_t count = 0;
    if (find_argument(call, "actual_bytes") >= 0)
        count = actual_of(call, process, "actual_bytes");
    else if (size >= 0)
        count = actual_of(call, process, "actual_count") * call->args[size];
    else if (find_argument(call, "avail") < 0)
        count = actual_of(call, process, "actual");
    if (strcmp(rows[call->index].name, "zx_vmo_read") == 0)
        count = count_behind(call, i);
    if (count == 0)
        return;
    add(call, " %s=", rows[call->index].arguments[i].name);
    add_text(call, process, call->args[i], count);
}

/* The answer of a channel call, which lies behind its arguments. */
static void add_reply(struct strace_call *call, zx_handle_t process, unsigned i, bool etc) {
    zx_channel_call_args_t args;
    uint64_t handles = actual_of(call, process, "actual_handles");
    if (!read_value(process, call->args[i], &args, sizeof args))
        return;
    add(call, " reply=");
    add_text(call, process, (uintptr_t)args.rd_bytes, actual_of(call, process, "actual_bytes"));
    if (handles > 0)
        add_array(call, process, (uintptr_t)args.rd_handles, handles,
                  etc ? sizeof(zx_handle_info_t) : sizeof(zx_handle_t),
                  etc ? add_handle_info : add_one_handle);
}

/* True if the argument leads to more than one value. */
static bool add_big_result(struct strace_call *call, zx_handle_t process, unsigned i) {
    const struct argument *a = &rows[call->index].arguments[i];
    uint64_t count;
    switch (a->kind) {
    case KIND_OUT_BYTES:
    case KIND_OUT_TEXT:
        add_out_bytes(call, process, i);
        return true;
    case KIND_OUT_HANDLES:
    case KIND_OUT_HANDLE_INFOS:
        count = actual_of(call, process, "actual_handles");
        if (count > 0)
            add(call, " %s=", a->name);
        if (count > 0 && a->kind == KIND_OUT_HANDLES)
            add_array(call, process, call->args[i], count, sizeof(zx_handle_t), add_one_handle);
        else if (count > 0)
            add_array(call, process, call->args[i], count, sizeof(zx_handle_info_t),
                      add_handle_info);
        return true;
    case KIND_INOUT_ITEMS:
        add(call, " pending=");
        add_array(call, process, call->args[i], count_behind(call, i), sizeof(zx_wait_item_t),
                  add_pending);
        return true;
    case KIND_OUT_PACKET:
        add(call, " %s=", a->name);
        add_packet(call, process, call->args[i]);
        return true;
    case KIND_IN_CALL_ARGS:
    case KIND_IN_CALL_ETC_ARGS:
        add_reply(call, process, i, a->kind == KIND_IN_CALL_ETC_ARGS);
        return true;
    default:
        return false;
    }
}

/* What lies behind a pointer, if it is one value. */
static void add_result(struct strace_call *call, zx_handle_t process, unsigned i) {
    const struct argument *a = &rows[call->index].arguments[i];
    uint64_t value = 0;
    bool is_short =
        a->kind == KIND_OUT_HANDLE || a->kind == KIND_OUT_U32 || a->kind == KIND_OUT_SIGNALS;
    bool is_long = a->kind == KIND_OUT_U64 || a->kind == KIND_OUT_SIZE ||
                   a->kind == KIND_OUT_TIME || a->kind == KIND_OUT_VADDR;
    if (add_big_result(call, process, i) || (!is_short && !is_long) ||
        !read_value(process, call->args[i], &value, is_short ? 4 : 8))
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
