/*
 * channel.c - a message's memory is made to fit it.
 */
#include <jacinth/channel.h>

#include <stdlib.h>
#include <zircon/limits.h>
#include <zircon/syscalls.h>

zx_handle_t jx_message_take(struct jx_message *message, uint32_t index) {
    if (index >= message->handle_count)
        return ZX_HANDLE_INVALID;
    zx_handle_t handle = message->handles[index];
    message->handles[index] = ZX_HANDLE_INVALID;
    return handle;
}

void jx_message_free(struct jx_message *message) {
    if (message->handle_count > 0)
        (void)zx_handle_close_many(message->handles, message->handle_count);
    free(message->bytes);
    free(message->handles);
    *message = (struct jx_message){0};
}

zx_status_t jx_channel_write(zx_handle_t channel, const void *bytes, uint32_t byte_count,
                             const zx_handle_t *handles, uint32_t handle_count) {
    return zx_channel_write(channel, 0, bytes, byte_count, handles, handle_count);
}

/* ZX_ERR_NO_MEMORY leaves the message empty. */
static zx_status_t reserve(struct jx_message *message, uint32_t bytes, uint32_t handles) {
    *message = (struct jx_message){
        .bytes = bytes ? malloc(bytes) : NULL,
        .handles = handles ? calloc(handles, sizeof(zx_handle_t)) : NULL,
    };
    if ((!bytes || message->bytes) && (!handles || message->handles))
        return ZX_OK;
    jx_message_free(message);
    return ZX_ERR_NO_MEMORY;
}

/* Another reader may take the message whose size was asked for, hence the loop. */
static zx_status_t read_now(zx_handle_t channel, struct jx_message *out) {
    uint32_t bytes = 0, handles = 0;
    *out = (struct jx_message){0};
    for (;;) {
        zx_status_t status = zx_channel_read(channel, 0, out->bytes, out->handles, bytes, handles,
                                             &out->byte_count, &out->handle_count);
        if (status == ZX_OK)
            return ZX_OK;
        bytes = out->byte_count;
        handles = out->handle_count;
        out->handle_count = 0; /* none has come */
        jx_message_free(out);
        if (status == ZX_ERR_BUFFER_TOO_SMALL)
            status = reserve(out, bytes, handles);
        if (status != ZX_OK)
            return status;
    }
}

zx_status_t jx_channel_read(zx_handle_t channel, zx_time_t deadline, struct jx_message *out) {
    for (;;) {
        zx_status_t status = read_now(channel, out);
        if (status != ZX_ERR_SHOULD_WAIT)
            return status;
        status = zx_object_wait_one(channel, ZX_CHANNEL_READABLE | ZX_CHANNEL_PEER_CLOSED, deadline,
                                    NULL);
        if (status != ZX_OK)
            return status;
    }
}

/* Nothing tells the size of an answer before it is there, so there is room for any. */
zx_status_t jx_channel_call(zx_handle_t channel, zx_time_t deadline, const void *bytes,
                            uint32_t byte_count, const zx_handle_t *handles, uint32_t handle_count,
                            struct jx_message *out) {
    zx_status_t status = reserve(out, ZX_CHANNEL_MAX_MSG_BYTES, ZX_CHANNEL_MAX_MSG_HANDLES);
    if (status != ZX_OK) {
        (void)zx_handle_close_many(handles, handle_count);
        return status;
    }
    const zx_channel_call_args_t args = {.wr_bytes = bytes,
                                         .wr_handles = handles,
                                         .rd_bytes = out->bytes,
                                         .rd_handles = out->handles,
                                         .wr_num_bytes = byte_count,
                                         .wr_num_handles = handle_count,
                                         .rd_num_bytes = ZX_CHANNEL_MAX_MSG_BYTES,
                                         .rd_num_handles = ZX_CHANNEL_MAX_MSG_HANDLES};
    status = zx_channel_call(channel, 0, deadline, &args, &out->byte_count, &out->handle_count);
    if (status != ZX_OK) {
        out->handle_count = 0;
        jx_message_free(out);
    }
    return status;
}
