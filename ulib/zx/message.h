/*
 * message.h - builds a start message: handles as they come, then the strings.
 *
 * A handle added is the message's, and closed if it is never sent. Errors are kept and
 * returned by message_send, so that who adds needs no checks.
 */
#pragma once

#include <zircon/types.h>

struct message {
    zx_status_t status;
    uint32_t count;
    zx_handle_t handles[ZX_CHANNEL_MAX_MSG_HANDLES];
    uint32_t infos[ZX_CHANNEL_MAX_MSG_HANDLES];
};

/* ZX_HANDLE_INVALID is ignored by both. */
void message_add_handle(struct message *message, uint32_t info, zx_handle_t handle);
void message_add_copy(struct message *message, uint32_t info, zx_handle_t handle);
/* Both lists end with NULL. The handles are gone afterwards, whatever the result. */
zx_status_t message_send(struct message *message, zx_handle_t channel, const char *const *argv,
                         const char *const *envp);
void message_close(struct message *message);
