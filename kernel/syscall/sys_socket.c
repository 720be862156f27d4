/*
 * sys_socket.c - sockets.
 */
#include "object/socket.h"
#include "syscall/sys_bytes.h"
#include "syscall/sys_util.h"

status_t sys_socket_create(uint32_t options, struct user_out out0, struct user_out out1) {
    struct socket *a, *b;

    status_t status = policy_check(ZX_POL_NEW_SOCKET);
    if (status != OK)
        return status;
    if (options & ~ZX_SOCKET_CREATE_MASK)
        return ERR_INVALID_ARGS;
    status = socket_create(options & ZX_SOCKET_DATAGRAM, &a, &b);
    return status != OK ? status : sys_publish_new_two(out0, &a->end.base, out1, &b->end.base);
}

status_t sys_socket_read(uint32_t handle, uint32_t options, struct user_out buffer,
                         uint64_t buffer_size, struct user_out actual) {
    const struct user_sink sink = user_sink_at(buffer);
    AUTO(waitable) object = NULL;
    size_t count;

    if (buffer_size > 0 && buffer.address == 0)
        return ERR_INVALID_ARGS;
    status_t status = sys_lookup(handle, ZX_OBJ_TYPE_SOCKET, ZX_RIGHT_READ, &object);
    if (status != OK)
        return status;
    if (options & ~ZX_SOCKET_PEEK)
        return ERR_INVALID_ARGS;
    status = socket_read(socket_from(object), &sink.sink, buffer_size, options & ZX_SOCKET_PEEK,
                         &count);
    return status != OK ? status : user_copy_out_u64_optional(actual, count);
}

status_t sys_socket_write(uint32_t handle, uint32_t options, struct user_in buffer,
                          uint64_t buffer_size, struct user_out actual) {
    const struct user_source source = user_source_at(buffer);
    AUTO(waitable) object = NULL;
    size_t count;

    if (buffer_size > 0 && buffer.address == 0)
        return ERR_INVALID_ARGS;
    status_t status = sys_lookup(handle, ZX_OBJ_TYPE_SOCKET, ZX_RIGHT_WRITE, &object);
    if (status != OK)
        return status;
    if (options != 0)
        return ERR_INVALID_ARGS;
    status = socket_write(socket_from(object), &source.source, buffer_size, &count);
    return status != OK ? status : user_copy_out_u64_optional(actual, count);
}

status_t sys_socket_set_disposition(uint32_t handle, uint32_t disposition,
                                    uint32_t disposition_peer) {
    AUTO(waitable) object = NULL;

    status_t status = sys_lookup(handle, ZX_OBJ_TYPE_SOCKET, ZX_RIGHT_MANAGE_SOCKET, &object);
    if (status != OK)
        return status;
    return socket_set_disposition(socket_from(object), disposition, disposition_peer);
}
