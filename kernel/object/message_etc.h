/*
 * message_etc.h - messages made in less usual ways than message.h's.
 */
#pragma once

#include "object/message.h"

/*
 * A message whose bytes lie in several places: `vector` is an array of `count`
 * zx_channel_iovec_t, at most ZX_CHANNEL_MAX_MSG_IOVECS. Its handles are not yet in it.
 * ERR_INVALID_ARGS, ERR_OUT_OF_RANGE (too many bytes), ERR_NO_MEMORY.
 */
status_t message_create_from_vector(struct user_in vector, uint32_t count, uint32_t handle_count,
                                    struct message **out_message);
