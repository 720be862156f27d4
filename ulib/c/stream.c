/*
 * stream.c - the standard streams' sockets.
 *
 * The handles stay in the start message's table, so that they are found without any
 * set-up and can be taken by a program that wants them for itself. A program that got
 * no output streams writes to the machine's console.
 */
#include "c/stream.h"

#include <jacinth/launch.h>
#include <zircon/processargs.h>
#include <zircon/syscalls.h>

#include "zx/start.h"

zx_handle_t jx_stream_handle(int fd) { return start_find_handle(PA_HND(PA_FD, fd)); }

static zx_status_t console_write(const char *data, size_t length) {
    while (length > 0) {
        size_t part = length < 256 ? length : 256;
        zx_status_t status = zx_debug_write(data, part);
        if (status != ZX_OK)
            return status;
        data += part;
        length -= part;
    }
    return ZX_OK;
}

zx_status_t stream_write(int fd, const char *data, size_t length) {
    zx_handle_t socket = jx_stream_handle(fd);
    if (socket == ZX_HANDLE_INVALID)
        return console_write(data, length);
    while (length > 0) {
        size_t written = 0;
        zx_status_t status = zx_socket_write(socket, 0, data, length, &written);
        if (status == ZX_ERR_SHOULD_WAIT)
            status = zx_object_wait_one(socket,
                                        ZX_SOCKET_WRITABLE | ZX_SOCKET_PEER_CLOSED |
                                            ZX_SOCKET_WRITE_DISABLED,
                                        ZX_TIME_INFINITE, NULL);
        if (status != ZX_OK)
            return status;
        data += written;
        length -= written;
    }
    return ZX_OK;
}

zx_status_t stream_read(int fd, char *data, size_t size, size_t *out_length) {
    zx_handle_t socket = jx_stream_handle(fd);
    *out_length = 0;
    for (;;) {
        if (socket == ZX_HANDLE_INVALID)
            return ZX_OK;
        zx_status_t status = zx_socket_read(socket, 0, data, size, out_length);
        /* The other end is gone, or has said that nothing more will come. */
        if (status == ZX_ERR_PEER_CLOSED || status == ZX_ERR_BAD_STATE)
            return ZX_OK;
        if (status != ZX_ERR_SHOULD_WAIT)
            return status;
        status = zx_object_wait_one(socket,
                                    ZX_SOCKET_READABLE | ZX_SOCKET_PEER_CLOSED |
                                        ZX_SOCKET_PEER_WRITE_DISABLED,
                                    ZX_TIME_INFINITE, NULL);
        if (status != ZX_OK)
            return status;
    }
}
