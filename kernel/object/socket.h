/*
 * socket.h - two ends, each with a buffer of bytes for it.
 *
 * The buffer grows chunk by chunk as bytes come, up to SOCKET_BUFFER_MAX. A write
 * takes what fits. The signals of both ends follow from the state alone
 * (socket_signals_locked), so each change ends by updating both.
 */
#pragma once

#include <zircon/syscalls/object.h>

#include "object/peered.h"

#define SOCKET_BUFFER_MAX ((size_t)257024)

struct socket {
    struct peered end;
    /* Under *end.base.lock. */
    struct list chunks;  /* received and not yet read, oldest first */
    size_t bytes;        /* in them */
    size_t rx_threshold, tx_threshold; /* 0: none */
    bool write_disabled; /* this end may not write */
};

ALWAYS_INLINE struct socket *socket_from(struct waitable *object) {
    return container_of(object, struct socket, end.base);
}

/* Where the bytes of a write come from. */
struct socket_source {
    /* ERR_INVALID_ARGS. No lock held. */
    status_t (*copy_in)(const struct socket_source *source, size_t offset, void *to,
                        size_t length);
};
/* Where the bytes of a read go. */
struct socket_sink {
    /* How many bytes could be copied; under a lock, so it never waits. */
    size_t (*copy_out)(const struct socket_sink *sink, size_t offset, const void *from,
                       size_t length);
    /* After a short copy, without a lock: make the byte at `offset` writable. ERR_INVALID_ARGS. */
    status_t (*touch)(const struct socket_sink *sink, size_t offset);
};

status_t socket_create(struct socket **out_a, struct socket **out_b);
/*
 * ERR_PEER_CLOSED, ERR_BAD_STATE (writing is disabled), ERR_INVALID_ARGS,
 * ERR_SHOULD_WAIT (full), ERR_NO_MEMORY; nothing is written then.
 */
status_t socket_write(struct socket *socket, const struct socket_source *source, uint64_t size,
                      size_t *out_actual);
/* ERR_PEER_CLOSED, ERR_BAD_STATE, ERR_SHOULD_WAIT when empty; nothing is taken on failure. */
status_t socket_read(struct socket *socket, const struct socket_sink *sink, uint64_t size,
                     bool peek, size_t *out_actual);
/* ZX_SOCKET_DISPOSITION_ for each end, or 0. ERR_INVALID_ARGS, ERR_BAD_STATE. */
status_t socket_set_disposition(struct socket *socket, uint32_t own, uint32_t peer);
/* ERR_INVALID_ARGS; of the transmit threshold also ERR_PEER_CLOSED. */
status_t socket_set_rx_threshold(struct socket *socket, uint64_t threshold);
status_t socket_set_tx_threshold(struct socket *socket, uint64_t threshold);
void socket_get_thresholds(struct socket *socket, uint64_t *out_rx, uint64_t *out_tx);
void socket_get_info(struct socket *socket, zx_info_socket_t *out_info);
