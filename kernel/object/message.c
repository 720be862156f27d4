/*
 * message.c - the memory of messages.
 */
#include "object/message.h"

#include "lib/string.h"
#include "vm/kheap.h"

/* The largest block that is not made of whole pages. */
#define MESSAGE_BLOCK_MAX 2048

static char **message_pages(const struct message *message) {
    return (char **)message_tail(message);
}

static size_t message_page_count(const struct message *message) {
    return (message->byte_count + PAGE_SIZE - 1) / PAGE_SIZE;
}

static size_t head_size(uint32_t handle_count) {
    return sizeof(struct message) + handle_count * sizeof(struct handle);
}

static size_t block_size(uint32_t byte_count, uint32_t handle_count, bool paged) {
    size_t pages = (byte_count + PAGE_SIZE - 1) / PAGE_SIZE;

    return head_size(handle_count) + (paged ? pages * sizeof(char *) : byte_count);
}

static status_t message_add_pages(struct message *message) {
    char **pages = message_pages(message);

    memset(pages, 0, message_page_count(message) * sizeof(*pages));
    for (size_t i = 0; i < message_page_count(message); i++) {
        pages[i] = kheap_alloc(PAGE_SIZE);
        if (!pages[i])
            return ERR_NO_MEMORY;
    }
    return OK;
}

static struct message *create_small(uint32_t byte_count) {
    struct message *message = kheap_alloc(MESSAGE_SMALL_BLOCK);

    if (message)
        *message = (struct message){.byte_count = byte_count, .small = true};
    return message;
}

struct message *message_create_otherwise(uint32_t byte_count, uint32_t handle_count) {
    if (handle_count == 0 && byte_count <= MESSAGE_SMALL_BYTES)
        return create_small(byte_count);
    bool paged = head_size(handle_count) + byte_count > MESSAGE_BLOCK_MAX;
    struct message *message = kheap_alloc(block_size(byte_count, handle_count, paged));
    if (!message)
        return NULL;
    *message = (struct message){
        .byte_count = byte_count, .handle_count = handle_count, .paged = paged};
    for (uint32_t i = 0; i < handle_count; i++)
        message->handles[i] = (struct handle){NULL, 0};
    if (paged && message_add_pages(message) != OK) {
        message_destroy_otherwise(message);
        return NULL;
    }
    return message;
}

void message_destroy_otherwise(struct message *message) {
    if (!message)
        return;
    if (message->small) {
        kheap_free_sized(message, MESSAGE_SMALL_BLOCK);
        return;
    }
    for (uint32_t i = 0; i < message->handle_count; i++)
        handle_release(&message->handles[i]);
    for (size_t i = 0; message->paged && i < message_page_count(message); i++)
        kheap_free(message_pages(message)[i]);
    kheap_free_sized(message,
                     block_size(message->byte_count, message->handle_count, message->paged));
}

char *message_bytes(const struct message *message, size_t offset, size_t *out_run) {
    *out_run = message->byte_count - offset;
    if (!message->paged)
        return message_tail(message) + offset;
    size_t in_page = offset % PAGE_SIZE;
    *out_run = MIN(*out_run, PAGE_SIZE - in_page);
    return message_pages(message)[offset / PAGE_SIZE] + in_page;
}

/* Run by run; no run, and so no look at the address, if there is no byte. */
status_t message_copy_in_otherwise(struct message *message, struct user_in from) {
    size_t run;

    for (size_t offset = 0; offset < message->byte_count; offset += run) {
        char *bytes = message_bytes(message, offset, &run);
        status_t status = user_copy_in(bytes, user_in_at(from, offset), run);
        if (status != OK)
            return status;
    }
    return OK;
}

status_t message_copy_out_otherwise(const struct message *message, struct user_out to) {
    size_t run;

    for (size_t offset = 0; offset < message->byte_count; offset += run) {
        const char *bytes = message_bytes(message, offset, &run);
        status_t status = user_copy_out(user_out_at(to, offset), bytes, run);
        if (status != OK)
            return status;
    }
    return OK;
}

