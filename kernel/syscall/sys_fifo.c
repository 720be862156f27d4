/*
 * sys_fifo.c - FIFOs.
 */
#include "object/fifo.h"
#include "syscall/sys_bytes.h"
#include "syscall/sys_util.h"

status_t sys_fifo_create(uint64_t elem_count, uint64_t elem_size, uint32_t options,
                         struct user_out out0, struct user_out out1) {
    struct fifo *a, *b;

    status_t status = policy_check(ZX_POL_NEW_FIFO);
    if (status != OK)
        return status;
    if (options != 0)
        return ERR_OUT_OF_RANGE;
    status = fifo_create(elem_count, elem_size, &a, &b);
    return status != OK ? status : sys_publish_new_two(out0, &a->end.base, out1, &b->end.base);
}

status_t sys_fifo_write(uint32_t handle, uint64_t elem_size, struct user_in data, uint64_t count,
                        struct user_out actual_count) {
    const struct user_source source = user_source_at(data);
    AUTO(waitable) object = NULL;
    size_t written;

    status_t status = sys_lookup(handle, ZX_OBJ_TYPE_FIFO, ZX_RIGHT_WRITE, &object);
    if (status != OK)
        return status;
    status = fifo_write(fifo_from(object), elem_size, &source.source, count, &written);
    return status != OK ? status : user_copy_out_u64_optional(actual_count, written);
}

status_t sys_fifo_read(uint32_t handle, uint64_t elem_size, struct user_out data, uint64_t count,
                       struct user_out actual_count) {
    const struct user_sink sink = user_sink_at(data);
    AUTO(waitable) object = NULL;
    size_t taken;

    status_t status = sys_lookup(handle, ZX_OBJ_TYPE_FIFO, ZX_RIGHT_READ, &object);
    if (status != OK)
        return status;
    status = fifo_read(fifo_from(object), elem_size, &sink.sink, count, &taken);
    return status != OK ? status : user_copy_out_u64_optional(actual_count, taken);
}
