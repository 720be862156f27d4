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
