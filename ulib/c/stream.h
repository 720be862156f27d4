/*
 * stream.h - bytes out of and into the process: what stands behind a standard stream.
 */
#pragma once

#include <stddef.h>
#include <zircon/types.h>

/* Write all of `length` bytes, waiting for room; an error once they cannot go anywhere. */
zx_status_t stream_write(int fd, const char *data, size_t length);
/* Wait for at least a byte; *out_length 0 is the end of input. */
zx_status_t stream_read(int fd, char *data, size_t size, size_t *out_length);
