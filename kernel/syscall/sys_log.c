/*
 * sys_log.c - the console and the kernel's log.
 */
#include <zircon/syscalls/log.h>

#include "dev/console_dev.h"
#include "lib/string.h"
#include "object/debuglog.h"
#include "object/user_thread.h"
#include "syscall/sys_resource.h"
#include "syscall/sys_util.h"

/* The most that one call moves. */
#define CONSOLE_CHUNK 256

status_t sys_debug_write(struct user_in buffer, uint64_t buffer_size) {
    size_t length = MIN(buffer_size, (uint64_t)CONSOLE_CHUNK);
    char bytes[CONSOLE_CHUNK];

    if (!console_dev_allows_user_output())
        return ERR_NOT_SUPPORTED;
    status_t status = user_copy_in(bytes, buffer, length);
    return status != OK ? status : console_dev_write(bytes, length);
}

status_t sys_debug_read(uint32_t handle, struct user_out buffer, uint64_t buffer_size,
                        struct user_out actual) {
    char bytes[CONSOLE_CHUNK];
    size_t length;

    status_t status = sys_check_resource(handle, ZX_RSRC_KIND_ROOT);
    if (status == OK)
        status = console_dev_read(bytes, MIN(buffer_size, sizeof(bytes)), &length);
    if (status == OK)
        status = user_copy_out(buffer, bytes, length);
    return status != OK ? status : user_copy_out_u64_optional(actual, length);
}

/* ---- the log ---- */

status_t sys_debuglog_create(uint32_t resource, uint32_t options, struct user_out out) {
    struct debuglog *log;

    status_t status = sys_check_resource(resource, ZX_RSRC_KIND_ROOT);
    if (status != OK)
        return status;
    if (options & ~ZX_LOG_FLAG_READABLE)
        return ERR_INVALID_ARGS;
    bool readable = options & ZX_LOG_FLAG_READABLE;
    status = debuglog_create(readable, &log);
    if (status != OK)
        return status;
    rights_t rights = ZX_DEFAULT_LOG_RIGHTS | (readable ? ZX_RIGHT_READ : 0);
    return sys_publish(out, handle_adopt(&log->base, rights));
}

/* The low byte of the options is the severity, 0 for that of information. */
#define LOG_OPTIONS_MASK 0xffffu

static enum log_severity severity_of(uint32_t options) {
    uint32_t level = options & 0xff;

    return level >= LOG_DEBUG && level <= LOG_ERROR ? (enum log_severity)level : LOG_INFO;
}

status_t sys_debuglog_write(uint32_t handle, uint32_t options, struct user_in buffer,
                            uint64_t buffer_size) {
    AUTO(waitable) object = NULL;
    char bytes[ZX_LOG_RECORD_DATA_MAX];

    if (buffer_size > sizeof(bytes))
        return ERR_OUT_OF_RANGE;
    if (options & ~LOG_OPTIONS_MASK)
        return ERR_INVALID_ARGS;
    status_t status = sys_lookup(handle, ZX_OBJ_TYPE_LOG, ZX_RIGHT_WRITE, &object);
    if (status == OK)
        status = user_copy_in(bytes, buffer, buffer_size);
    if (status != OK)
        return status;
    log_append(severity_of(options), process_current()->base.koid,
               user_thread_current()->base.koid, bytes, buffer_size);
    return OK;
}

static void record_for_user(const struct log_record *record, zx_log_record_t *out_record) {
    *out_record = (zx_log_record_t){
        .sequence = record->sequence,
        .datalen = record->length,
        .severity = record->severity,
        .flags = record->flags,
        .timestamp = record->timestamp,
        .pid = record->pid,
        .tid = record->tid,
    };
    memcpy(out_record->data, record->data, record->length);
}

status_t sys_debuglog_read(uint32_t handle, uint32_t options, struct user_out buffer,
                           uint64_t buffer_size) {
    AUTO(waitable) object = NULL;
    struct log_record record;
    zx_log_record_t copy;

    if (options != 0)
        return ERR_INVALID_ARGS;
    status_t status = sys_lookup(handle, ZX_OBJ_TYPE_LOG, ZX_RIGHT_READ, &object);
    if (status == OK)
        status = debuglog_read(debuglog_from(object), &record);
    if (status != OK)
        return status;
    record_for_user(&record, &copy);
    size_t length = MIN(offsetof(zx_log_record_t, data) + copy.datalen, buffer_size);
    status = user_copy_out(buffer, &copy, length);
    return status != OK ? status : (status_t)length;
}
