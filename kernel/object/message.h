/*
 * message.h - bytes and handles on their way through a channel.
 *
 * A small message is one block: the header, its handles, its bytes. A larger one
 * keeps its bytes in pages, so that no message needs much memory in one piece.
 * A message owns its handles; destroying it closes them.
 */
#pragma once

#include "lib/user_ptr.h"
#include "object/handle.h"
#include "vm/user_copy.h"

struct message {
    struct list_node node; /* in a channel's queue */
    uint32_t byte_count, handle_count;
    bool carries_channels;     /* while queued: see channel_nest.h */
    bool paged;                /* what follows the handles: char *pages[], or the bytes */
    struct handle handles[];
};

/* Bytes undefined, handles all NULL. ERR_NO_MEMORY. The counts are within the limits. */
status_t message_create(uint32_t byte_count, uint32_t handle_count, struct message **out_message);
/* No lock held. NULL is fine. */
void message_destroy(struct message *message);
AUTO_RELEASE(message, message_destroy)

/* Where the bytes or the list of pages lie. */
ALWAYS_INLINE char *message_tail(const struct message *message) {
    return (char *)(message->handles + message->handle_count);
}
status_t message_copy_in_paged(struct message *message, struct user_in from);
status_t message_copy_out_paged(const struct message *message, struct user_out to);
/* All the bytes, from and to user memory: ERR_INVALID_ARGS. No lock held. */
ALWAYS_INLINE status_t message_copy_in(struct message *message, struct user_in from) {
    if (unlikely(message->paged))
        return message_copy_in_paged(message, from);
    if (message->byte_count == 0)
        return OK;
    return user_copy_in(message_tail(message), from, message->byte_count);
}
ALWAYS_INLINE status_t message_copy_out(const struct message *message, struct user_out to) {
    if (unlikely(message->paged))
        return message_copy_out_paged(message, to);
    if (message->byte_count == 0)
        return OK;
    return user_copy_out(to, message_tail(message), message->byte_count);
}
/* The byte at `offset`, and how many lie behind each other from there. */
char *message_bytes(const struct message *message, size_t offset, size_t *out_run);

/* The first four bytes as a number; 0 if there are fewer. */
uint32_t message_txid(const struct message *message);
/* The message has at least four bytes. */
void message_set_txid(struct message *message, uint32_t txid);
