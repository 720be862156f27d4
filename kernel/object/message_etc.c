/*
 * message_etc.c - messages from bytes in several places.
 *
 * The list of places is copied first and read once, so that nobody can change it
 * between adding up and copying.
 */
#include "object/message_etc.h"

#include <zircon/types.h>

#include "vm/kheap.h"

static status_t add_up(const zx_channel_iovec_t *vector, uint32_t count, uint32_t *out_bytes) {
    uint32_t bytes = 0;

    for (uint32_t i = 0; i < count; i++) {
        if (vector[i].reserved != 0 || (!vector[i].buffer && vector[i].capacity > 0))
            return ERR_INVALID_ARGS;
        if (vector[i].capacity > ZX_CHANNEL_MAX_MSG_BYTES - bytes)
            return ERR_OUT_OF_RANGE;
        bytes += vector[i].capacity;
    }
    *out_bytes = bytes;
    return OK;
}

/* One place's bytes, to `offset` of the message. */
static status_t copy_in_at(struct message *message, uint32_t offset, struct user_in from,
                           uint32_t length) {
    size_t run;

    for (uint32_t done = 0; done < length; done += (uint32_t)run) {
        char *bytes = message_bytes(message, offset + done, &run);
        run = MIN(run, (size_t)(length - done));
        status_t status = user_copy_in(bytes, user_in_at(from, done), run);
        if (status != OK)
            return status;
    }
    return OK;
}

static status_t fill(struct message *message, const zx_channel_iovec_t *vector, uint32_t count) {
    uint32_t offset = 0;

    for (uint32_t i = 0; i < count; i++) {
        status_t status = copy_in_at(message, offset, (struct user_in){(vaddr_t)vector[i].buffer},
                                     vector[i].capacity);
        if (status != OK)
            return status;
        offset += vector[i].capacity;
    }
    return OK;
}

static status_t create_from(const zx_channel_iovec_t *vector, uint32_t count,
                            uint32_t handle_count, struct message **out_message) {
    AUTO(message) message = NULL;
    uint32_t bytes;

    status_t status = add_up(vector, count, &bytes);
    if (status == OK)
        status = message_create(bytes, handle_count, &message);
    if (status == OK)
        status = fill(message, vector, count);
    if (status == OK)
        *out_message = TAKE(message);
    return status;
}

#define VECTOR_ON_STACK 8

status_t message_create_from_vector(struct user_in vector, uint32_t count, uint32_t handle_count,
                                    struct message **out_message) {
    zx_channel_iovec_t few[VECTOR_ON_STACK], *many = NULL;
    size_t size = count * sizeof(*many);

    if (count > VECTOR_ON_STACK && !(many = kheap_alloc(size)))
        return ERR_NO_MEMORY;
    zx_channel_iovec_t *all = many ? many : few;
    status_t status = user_copy_in(all, vector, size);
    if (status == OK)
        status = create_from(all, count, handle_count, out_message);
    kheap_free(many);
    return status;
}
