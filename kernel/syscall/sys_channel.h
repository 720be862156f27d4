/*
 * sys_channel.h - shared by the two files of the channel calls: sys_channel.c has the
 * plain ways, which are kept short, and sys_channel_etc.c the others.
 */
#pragma once

#include <zircon/types.h>

#include "object/channel.h"

/* Where a message goes. */
struct reader {
    struct user_out bytes, handles, actual_bytes, actual_handles;
    bool etc; /* handles are zx_handle_info_t */
};

/* Give an answer to the caller, whose buffers hold so much; the actual counts are required. */
status_t sys_channel_deliver_reply(struct message *reply, const struct reader *reader,
                                   struct channel_limits room);
/* zx_channel_write and zx_channel_call with options, which may be bad ones. */
status_t sys_channel_write_with_options(uint32_t handle, uint32_t options, struct user_in bytes,
                                        uint32_t num_bytes, struct user_in handles,
                                        uint32_t num_handles) COLD;
status_t sys_channel_call_with_options(uint32_t handle, uint32_t options, nstime_t deadline,
                                       const zx_channel_call_args_t *args,
                                       struct user_out actual_bytes,
                                       struct user_out actual_handles) COLD;
/* After a write: ends a process that has filled the other end's queue. */
void sys_channel_flooded(const struct channel *channel) COLD;
ALWAYS_INLINE void sys_channel_check_flood(const struct channel *channel) {
    if (unlikely(channel_is_flooded(channel)))
        sys_channel_flooded(channel);
}
