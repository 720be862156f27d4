/*
 * channel.h - whole messages, whatever their size.
 */
#pragma once

#include <stdint.h>
#include <zircon/types.h>

/* A message that was read: its memory and its handles belong to whoever has the structure. */
struct jx_message {
    void *bytes; /* malloc'ed; NULL when there are none */
    uint32_t byte_count;
    zx_handle_t *handles; /* malloc'ed; a handle that is taken out becomes ZX_HANDLE_INVALID */
    uint32_t handle_count;
};

/* Take a handle out of a message; ZX_HANDLE_INVALID when it has none there. */
zx_handle_t jx_message_take(struct jx_message *message, uint32_t index);
/* Give the memory back, and close the handles that are still there. */
void jx_message_free(struct jx_message *message);

/*
 * Write a message, and with it handles, which are gone from this process afterwards
 * whatever the result: closed here if they did not leave.
 */
zx_status_t jx_channel_write(zx_handle_t channel, const void *bytes, uint32_t byte_count,
                             const zx_handle_t *handles, uint32_t handle_count);
/*
 * Read the next message, waiting for one until the deadline (0: not at all).
 * ZX_ERR_TIMED_OUT; ZX_ERR_PEER_CLOSED once all is read and nobody can write more;
 * ZX_ERR_NO_MEMORY, and the message stays where it is.
 */
zx_status_t jx_channel_read(zx_handle_t channel, zx_time_t deadline, struct jx_message *out);
/*
 * Write a message and read its answer, which begins with the same zx_txid_t. The kernel
 * chooses the number, so the first four bytes of what is written do not matter. The
 * handles are gone as after jx_channel_write.
 */
zx_status_t jx_channel_call(zx_handle_t channel, zx_time_t deadline, const void *bytes,
                            uint32_t byte_count, const zx_handle_t *handles, uint32_t handle_count,
                            struct jx_message *out);
