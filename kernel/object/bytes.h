/*
 * bytes.h - where the bytes of a write come from, and where those of a read go: user
 * memory in system calls (syscall/sys_bytes.h), kernel memory in tests.
 *
 * The _nofault forms work under a lock: they say how far they came. After a short copy
 * the caller drops its lock, touches the byte at which it stopped, and tries again.
 */
#pragma once

#include "lib/types.h"

struct byte_source {
    /* ERR_INVALID_ARGS. No lock held. */
    status_t (*copy_in)(const struct byte_source *source, size_t offset, void *to, size_t length);
    /* How many bytes could be copied; under a lock, so it never waits. */
    size_t (*copy_in_nofault)(const struct byte_source *source, size_t offset, void *to,
                              size_t length);
    /* Without a lock: make the byte at `offset` readable. ERR_INVALID_ARGS. */
    status_t (*touch)(const struct byte_source *source, size_t offset);
};
struct byte_sink {
    /* How many bytes could be copied; under a lock, so it never waits. */
    size_t (*copy_out_nofault)(const struct byte_sink *sink, size_t offset, const void *from,
                               size_t length);
    /* Without a lock: make the byte at `offset` writable. ERR_INVALID_ARGS. */
    status_t (*touch)(const struct byte_sink *sink, size_t offset);
};
