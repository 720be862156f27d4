/*
 * sys_ktrace.c - recording events, and reading the records.
 */
#include "arch/trace.h"
#include "object/ktrace.h"
#include "syscall/sys_resource.h"
#include "syscall/sys_util.h"

#define RECORDS_AT_ONCE 8

static status_t check(uint32_t handle) {
    return ktrace_is_allowed() ? sys_check_resource(handle, ZX_RSRC_KIND_ROOT) : ERR_NOT_SUPPORTED;
}

status_t sys_ktrace_control(uint32_t handle, uint32_t action, uint32_t options,
                            struct user_out unused) {
    status_t status = check(handle);

    if (status != OK)
        return status;
    switch (action) {
    case KTRACE_ACTION_START:
    case KTRACE_ACTION_START_CIRCULAR:
        if (options & ~KTRACE_GRP_ALL)
            return ERR_INVALID_ARGS;
        return ktrace_start(options ? options : KTRACE_GRP_ALL, action != KTRACE_ACTION_START);
    case KTRACE_ACTION_STOP:
        ktrace_stop();
        return OK;
    case KTRACE_ACTION_REWIND:
        return ktrace_forget();
    default:
        return ERR_INVALID_ARGS;
    }
}

/* Whole records from `first` on; each piece is copied out with no lock held. */
static status_t copy_records(uint64_t first, struct user_out data, uint64_t wanted,
                             uint64_t *out_copied) {
    jx_trace_record_t records[RECORDS_AT_ONCE];
    uint64_t total, copied = 0;
    size_t count;

    do {
        size_t max = MIN(wanted - copied, (uint64_t)RECORDS_AT_ONCE);
        status_t status = ktrace_get(first + copied, max, records, &count, &total);
        if (status == OK && count)
            status = user_copy_out(user_out_at(data, copied * sizeof(records[0])), records,
                                   count * sizeof(records[0]));
        if (status != OK)
            return status;
        copied += count;
    } while (count && copied < wanted);
    *out_copied = copied;
    return OK;
}

status_t sys_ktrace_read(uint32_t handle, struct user_out data, uint32_t offset, uint64_t size,
                         struct user_out actual) {
    const size_t record_size = sizeof(jx_trace_record_t);
    uint64_t records, total;
    size_t none;

    status_t status = check(handle);
    if (status != OK)
        return status;
    if (offset % record_size)
        return ERR_INVALID_ARGS;
    status = ktrace_get(0, 0, NULL, &none, &total);
    if (status != OK)
        return status;
    if (data.address == 0 && size == 0)
        return user_copy_out_u64(actual, total * record_size);
    status = copy_records(offset / record_size, data, size / record_size, &records);
    return status == OK ? user_copy_out_u64(actual, records * record_size) : status;
}

status_t sys_ktrace_write(uint32_t handle, uint32_t id, uint32_t arg0, uint32_t arg1) {
    status_t status = check(handle);

    if (status != OK)
        return status;
    if (id > KTRACE_PROBE_ID_MAX)
        return ERR_INVALID_ARGS;
    if (trace_is_on(KTRACE_GRP_PROBE))
        upcall_trace(JX_TRACE_PROBE, (uint16_t)id, arg0, arg1);
    return OK;
}
