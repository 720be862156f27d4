/*
 * sys_stream.c - streams.
 */
#include "object/stream.h"
#include "syscall/sys_util.h"
#include "vm/kheap.h"

status_t sys_stream_create(uint32_t options, uint32_t vmo, uint64_t seek, struct user_out out) {
    AUTO(waitable) object = NULL;
    struct stream *stream;
    rights_t rights = 0;

    if (options & ~ZX_STREAM_CREATE_MASK)
        return ERR_INVALID_ARGS;
    if (options & ZX_STREAM_MODE_READ)
        rights |= ZX_RIGHT_READ;
    if (options & ZX_STREAM_MODE_WRITE)
        rights |= ZX_RIGHT_WRITE;
    status_t status = sys_lookup(vmo, ZX_OBJ_TYPE_VMO, rights, &object);
    if (status == OK)
        status = stream_create(options, vmo_from(object), seek, &stream);
    if (status != OK)
        return status;
    return sys_publish(out, handle_adopt(&stream->base, ZX_DEFAULT_STREAM_RIGHTS | rights));
}

/* ---- vectors ---- */

#define ENTRIES_ON_STACK 8

struct user_vector {
    zx_iovec_t few[ENTRIES_ON_STACK];
    zx_iovec_t *many; /* NULL: they are in `few` */
    struct stream_vector vector;
};

static status_t sum_capacities(struct stream_vector *vector) {
    vector->total = 0;
    for (size_t i = 0; i < vector->count; i++)
        if (__builtin_add_overflow(vector->total, vector->entries[i].capacity, &vector->total))
            return ERR_INVALID_ARGS;
    return OK;
}

static status_t vector_begin(struct user_vector *user, struct user_in from, uint64_t count) {
    zx_iovec_t *entries = user->few;

    if (count > STREAM_VECTOR_MAX)
        return ERR_INVALID_ARGS;
    user->many = NULL;
    if (count > ENTRIES_ON_STACK)
        entries = user->many = kheap_alloc(count * sizeof(*entries));
    if (!entries)
        return ERR_NO_MEMORY;
    user->vector = (struct stream_vector){.entries = entries, .count = count};
    status_t status = user_copy_in(entries, from, count * sizeof(*entries));
    return status != OK ? status : sum_capacities(&user->vector);
}

static void vector_end(struct user_vector *user) { kheap_free(user->many); }

typedef status_t stream_transfer(struct stream *stream, struct stream_place place,
                                 const struct stream_vector *vector, uint64_t *out_actual);

static status_t transfer_vector(struct stream *stream, struct stream_place place,
                                struct user_in from, uint64_t count, stream_transfer *transfer,
                                uint64_t *out_moved) {
    struct user_vector user = {.many = NULL};

    status_t status = vector_begin(&user, from, count);
    if (status == OK)
        status = transfer(stream, place, &user.vector, out_moved);
    vector_end(&user);
    return status;
}

static status_t transfer(uint32_t handle, rights_t needed, struct stream_place place,
                         struct user_in from, uint64_t count, stream_transfer *transfer,
                         struct user_out actual) {
    AUTO(waitable) object = NULL;
    uint64_t moved;

    if (from.address == 0)
        return ERR_INVALID_ARGS;
    status_t status = sys_lookup(handle, ZX_OBJ_TYPE_STREAM, needed, &object);
    if (status == OK)
        status = transfer_vector(stream_from(object), place, from, count, transfer, &moved);
    return status != OK ? status : user_copy_out_u64_optional(actual, moved);
}

/* ---- the calls ---- */

status_t sys_stream_readv(uint32_t handle, uint32_t options, struct user_in vector,
                          uint64_t vector_count, struct user_out actual) {
    const struct stream_place place = {.at_seek = true};

    if (options != 0)
        return ERR_INVALID_ARGS;
    return transfer(handle, ZX_RIGHT_READ, place, vector, vector_count, stream_read, actual);
}

status_t sys_stream_readv_at(uint32_t handle, uint32_t options, uint64_t offset,
                             struct user_in vector, uint64_t vector_count,
                             struct user_out actual) {
    const struct stream_place place = {.offset = offset};

    if (options != 0)
        return ERR_INVALID_ARGS;
    return transfer(handle, ZX_RIGHT_READ, place, vector, vector_count, stream_read, actual);
}

status_t sys_stream_writev(uint32_t handle, uint32_t options, struct user_in vector,
                           uint64_t vector_count, struct user_out actual) {
    const struct stream_place place = {.at_seek = true, .append = options & ZX_STREAM_APPEND};

    if (options & ~ZX_STREAM_APPEND)
        return ERR_INVALID_ARGS;
    return transfer(handle, ZX_RIGHT_WRITE, place, vector, vector_count, stream_write, actual);
}

status_t sys_stream_writev_at(uint32_t handle, uint32_t options, uint64_t offset,
                              struct user_in vector, uint64_t vector_count,
                              struct user_out actual) {
    const struct stream_place place = {.offset = offset};

    if (options != 0)
        return ERR_INVALID_ARGS;
    return transfer(handle, ZX_RIGHT_WRITE, place, vector, vector_count, stream_write, actual);
}

status_t sys_stream_seek(uint32_t handle, uint32_t whence, int64_t offset,
                         struct user_out out_seek) {
    AUTO(waitable) object = NULL;
    rights_t rights;
    uint64_t seek;

    status_t status =
        sys_lookup_rights(handle, ZX_OBJ_TYPE_STREAM, 0, &object, &rights);
    if (status != OK)
        return status;
    if (!(rights & (ZX_RIGHT_READ | ZX_RIGHT_WRITE)))
        return ERR_ACCESS_DENIED;
    status = stream_seek(stream_from(object), whence, offset, &seek);
    return status != OK ? status : user_copy_out_u64_optional(out_seek, seek);
}
