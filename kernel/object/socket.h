/*
 * socket.h - two ends, each with a buffer for it: of bytes, or of whole packets.
 *
 * The buffer grows chunk by chunk as bytes come, up to SOCKET_BUFFER_MAX. A write to a
 * stream takes what fits, one to a datagram socket all or nothing; a read of a datagram
 * socket takes one packet, and what does not fit its reader is lost. The signals of both ends follow from the state alone
 * (socket_signals_locked), so each change ends by updating both.
 */
#pragma once

#include <zircon/syscalls/object.h>

#include "object/bytes.h"
#include "object/peered.h"

#define SOCKET_BUFFER_MAX ((size_t)257024)
/* Packets in one buffer, so that small ones do not take many times their size. */
#define SOCKET_PACKETS_MAX 4096u

struct socket {
    struct peered end;
    bool datagram;       /* set once; the same at both ends */
    /* Under *end.base.lock. */
    struct list chunks;  /* received and not yet read, oldest first */
    size_t bytes;        /* in them */
    uint32_t packets;    /* in them; of a stream 0 */
    size_t rx_threshold, tx_threshold; /* 0: none */
    bool write_disabled; /* this end may not write */
};

ALWAYS_INLINE struct socket *socket_from(struct waitable *object) {
    return container_of(object, struct socket, end.base);
}

/* ERR_NO_MEMORY. */
status_t socket_create(bool datagram, struct socket **out_a, struct socket **out_b);
/*
 * ERR_PEER_CLOSED, ERR_BAD_STATE (writing is disabled), ERR_INVALID_ARGS,
 * ERR_OUT_OF_RANGE (a packet larger than any buffer), ERR_SHOULD_WAIT (full, or no room
 * for the packet), ERR_NO_MEMORY; nothing is written then.
 */
status_t socket_write(struct socket *socket, const struct byte_source *source, uint64_t size,
                      size_t *out_actual);
/* ERR_PEER_CLOSED, ERR_BAD_STATE, ERR_SHOULD_WAIT when empty; nothing is taken on failure. */
status_t socket_read(struct socket *socket, const struct byte_sink *sink, uint64_t size,
                     bool peek, size_t *out_actual);
/* ZX_SOCKET_DISPOSITION_ for each end, or 0. ERR_INVALID_ARGS, ERR_BAD_STATE. */
status_t socket_set_disposition(struct socket *socket, uint32_t own, uint32_t peer);
/* ERR_INVALID_ARGS; of the transmit threshold also ERR_PEER_CLOSED. */
status_t socket_set_rx_threshold(struct socket *socket, uint64_t threshold);
status_t socket_set_tx_threshold(struct socket *socket, uint64_t threshold);
void socket_get_thresholds(struct socket *socket, uint64_t *out_rx, uint64_t *out_tx);
void socket_get_info(struct socket *socket, zx_info_socket_t *out_info);
