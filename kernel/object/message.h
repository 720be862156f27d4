/*
 * message.h - bytes and handles on their way through a channel.
 *
 * A message is one block: the header, its handles, its bytes. A large one keeps its
 * bytes in pages, so that no message needs much memory in one piece.
 * A message owns its handles; destroying it closes them.
 *
 * A user thread keeps the block of the last small message that it took apart for the
 * next one that it makes, so request and reply of a call need no heap: the server
 * answers in the block of the request, and the caller gets that block back. The spare
 * belongs to the thread alone, so taking it needs no lock and no interrupts off.
 */
#pragma once

#include "lib/user_ptr.h"
#include "object/handle.h"
#include "sched/thread.h"
#include "vm/user_copy.h"

struct message {
    struct list_node node; /* in a channel's queue */
    uint32_t byte_count, handle_count;
    bool carries_channels;     /* while queued: see channel_nest.h */
    bool paged;                /* what follows the handles: char *pages[], or the bytes */
    bool small;                /* without handles, in a block of MESSAGE_SMALL_BLOCK bytes */
    struct handle handles[];
};
#define MESSAGE_SMALL_BLOCK 256
#define MESSAGE_SMALL_BYTES (MESSAGE_SMALL_BLOCK - sizeof(struct message))

/* The two below, where there is no spare to take, or none wanted. */
struct message *message_create_otherwise(uint32_t byte_count, uint32_t handle_count) NODISCARD;
void message_destroy_otherwise(struct message *message);

/* Bytes undefined, handles all NULL. NULL: no memory. The counts are within the limits. */
ALWAYS_INLINE NODISCARD struct message *message_create(uint32_t byte_count,
                                                       uint32_t handle_count) {
    struct thread *thread = thread_current();
    struct message *message = thread->spare_message;

    if (unlikely(!message || byte_count > MESSAGE_SMALL_BYTES || handle_count > 0))
        return message_create_otherwise(byte_count, handle_count);
    thread->spare_message = NULL;
    message->byte_count = byte_count;
    return message;
}
/* No lock held. NULL is fine. */
ALWAYS_INLINE void message_destroy(struct message *message) {
    struct thread *thread = thread_current();

    if (likely(message && message->small && !thread->spare_message && thread->user))
        thread->spare_message = message; /* its other fields are as message_create wants them */
    else
        message_destroy_otherwise(message);
}
AUTO_RELEASE(message, message_destroy)

/* Where the bytes or the list of pages lie. */
ALWAYS_INLINE char *message_tail(const struct message *message) {
    return (char *)(message->handles + message->handle_count);
}
status_t message_copy_in_otherwise(struct message *message, struct user_in from);
status_t message_copy_out_otherwise(const struct message *message, struct user_out to);
/* All the bytes, from and to user memory: ERR_INVALID_ARGS. No lock held. */
ALWAYS_INLINE status_t message_copy_in(struct message *message, struct user_in from) {
    if (likely(message->small) &&
        likely(user_copy_in(message->handles, from, message->byte_count) == OK))
        return OK;
    return message_copy_in_otherwise(message, from);
}
ALWAYS_INLINE status_t message_copy_out(const struct message *message, struct user_out to) {
    if (likely(message->small) &&
        likely(user_copy_out(to, message->handles, message->byte_count) == OK))
        return OK;
    return message_copy_out_otherwise(message, to);
}
/* The byte at `offset`, and how many lie behind each other from there. */
char *message_bytes(const struct message *message, size_t offset, size_t *out_run);

/* Where the first bytes lie, at least four if there are as many. */
ALWAYS_INLINE uint32_t *message_front(const struct message *message) {
    if (likely(message->small))
        return (uint32_t *)message->handles;
    return message->paged ? *(uint32_t **)message_tail(message)
                          : (uint32_t *)message_tail(message);
}
/* The first four bytes as a number; 0 if there are fewer. */
ALWAYS_INLINE uint32_t message_txid(const struct message *message) {
    return message->byte_count < sizeof(uint32_t) ? 0 : *message_front(message);
}
/* The message has at least four bytes. */
ALWAYS_INLINE void message_set_txid(struct message *message, uint32_t txid) {
    *message_front(message) = txid;
}
