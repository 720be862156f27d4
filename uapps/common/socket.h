/*
 * socket.h - stream sockets the simple way: waiting, and whole.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <zircon/types.h>

/* Wait for bytes and take them; 0 at the end (or when the handle is none). */
size_t socket_read_some(zx_handle_t socket, void *bytes, size_t size);
/* Write all, waiting for room; false when nobody can read it any more. */
bool socket_write_all(zx_handle_t socket, const void *bytes, size_t length);
/*
 * A second handle that others may have: with `right` (READ or WRITE), and what waiting and
 * handing on need, but without the means to close the stream for everybody.
 * ZX_HANDLE_INVALID when there is none to share.
 */
zx_handle_t socket_share(zx_handle_t socket, zx_rights_t right);
