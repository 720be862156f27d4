/*
 * channel.h - two ends, each with a queue of messages for it.
 *
 * Writing never blocks. A writer whose message starts with the number that a
 * thread on the other end waits for (channel_call) hands it straight over.
 *
 * When an end loses its last handle its messages wait for its last reference, so
 * that ends inside messages inside ends die one after another in the loop of
 * waitable_unref, however long the chain is.
 */
#pragma once

#include "object/handle_table.h"
#include "object/message.h"
#include "object/peered.h"

/* Messages that may wait in one queue; who writes more is ended (flood.h). */
#define CHANNEL_MESSAGES_MAX 3500u

struct channel {
    struct peered end;
    /* Under *end.base.lock. */
    struct list messages;    /* struct message, oldest first */
    _Atomic uint32_t message_count; /* may be read without */
    uint32_t last_txid;
    struct list callers;     /* threads of this end in channel_call */
    /* Under channel_nest_lock; see channel_nest.h. */
    struct channel *container; /* in whose queue this end's handle lies; NULL: in none */
    uint32_t nested;           /* ends whose handles lie in this end's queue */
};

ALWAYS_INLINE struct channel *channel_from(struct waitable *object) {
    return container_of(object, struct channel, end.base);
}

/* The references are the caller's. ERR_NO_MEMORY. */
status_t channel_create(struct channel **out_a, struct channel **out_b);
/*
 * The message goes to the other end; ERR_PEER_CLOSED: it is still the caller's. One
 * that nobody could ever read (channel_nest.h) is destroyed, which is OK.
 */
status_t channel_write(struct channel *channel, struct message *message);

struct channel_limits {
    uint32_t bytes, handles;
    bool discard; /* take the message also when it is too large */
};
/*
 * The next message; it is the caller's. ERR_SHOULD_WAIT, ERR_PEER_CLOSED. With
 * ERR_BUFFER_TOO_SMALL the message's sizes are in *out_sizes, and *out_message is
 * the message if it was to be discarded, else NULL.
 */
status_t channel_read(struct channel *channel, struct channel_limits limits,
                      struct message **out_message, struct channel_limits *out_sizes);
/* Put a message back that was just read. */
void channel_unread(struct channel *channel, struct message *message);
/*
 * Write `message` (consumed on every outcome) under a fresh number and wait for
 * the answer, which is the caller's. `value` is the handle through which the call
 * is made: closing or sending it away ends the wait. ERR_PEER_CLOSED,
 * ERR_TIMED_OUT, ERR_CANCELED, ERR_INTERNAL_*.
 */
status_t channel_call(struct channel *channel, struct handle_table *table, uint32_t value,
                      struct message *message, nstime_t deadline, struct message **out_reply);
/* Messages that wait to be read; for the packet of an async wait. */
ALWAYS_INLINE uint32_t channel_pending_locked(struct channel *channel)
    REQUIRES(*channel->end.base.lock) {
    return atomic_load_explicit(&channel->message_count, memory_order_relaxed);
}
/* Does more wait at the other end than may? */
ALWAYS_INLINE bool channel_is_flooded(const struct channel *channel) {
    const struct channel *peer = container_of(channel->end.peer, const struct channel, end);

    return atomic_load_explicit(&peer->message_count, memory_order_relaxed) >
           CHANNEL_MESSAGES_MAX;
}
