/*
 * socket.c - waits around zx_socket_read and zx_socket_write.
 */
#include "common/socket.h"

#include <zircon/rights.h>
#include <zircon/syscalls.h>

size_t socket_read_some(zx_handle_t socket, void *bytes, size_t size) {
    const zx_signals_t worth =
        ZX_SOCKET_READABLE | ZX_SOCKET_PEER_CLOSED | ZX_SOCKET_PEER_WRITE_DISABLED;
    for (;;) {
        size_t length = 0;
        zx_status_t status = zx_socket_read(socket, 0, bytes, size, &length);
        if (status == ZX_OK)
            return length;
        if (status != ZX_ERR_SHOULD_WAIT ||
            zx_object_wait_one(socket, worth, ZX_TIME_INFINITE, NULL) != ZX_OK)
            return 0;
    }
}

bool socket_write_all(zx_handle_t socket, const void *bytes, size_t length) {
    const zx_signals_t worth =
        ZX_SOCKET_WRITABLE | ZX_SOCKET_PEER_CLOSED | ZX_SOCKET_WRITE_DISABLED;
    const char *at = bytes;
    while (length > 0) {
        size_t written = 0;
        zx_status_t status = zx_socket_write(socket, 0, at, length, &written);
        if (status == ZX_ERR_SHOULD_WAIT)
            status = zx_object_wait_one(socket, worth, ZX_TIME_INFINITE, NULL);
        if (status != ZX_OK)
            return false;
        at += written;
        length -= written;
    }
    return true;
}

zx_handle_t socket_share(zx_handle_t socket, zx_rights_t right) {
    zx_handle_t copy = ZX_HANDLE_INVALID;
    (void)zx_handle_duplicate(socket, ZX_RIGHTS_BASIC | right, &copy);
    return copy;
}
