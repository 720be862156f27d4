/*
 * input.c - a buffer that grows only by what was given back.
 */
#include "shell/input.h"

#include <stdlib.h>
#include <string.h>
#include <zircon/syscalls.h>

#define READ_SIZE ((size_t)256)

/* Have room for `front` bytes before begin and `back` bytes behind end. */
static bool reserve(struct input *input, size_t front, size_t back) {
    size_t held = input->end - input->begin;
    if (front <= input->begin && back <= input->room - input->end)
        return true;
    char *bytes = malloc(front + held + back);
    if (!bytes)
        return false;
    if (held > 0)
        memcpy(bytes + front, input->bytes + input->begin, held);
    free(input->bytes);
    input->bytes = bytes;
    input->begin = front;
    input->end = front + held;
    input->room = front + held + back;
    return true;
}

void input_fill(struct input *input) {
    size_t length = 0;
    if (!reserve(input, 0, READ_SIZE))
        return;
    zx_status_t status = zx_socket_read(input->socket, 0, input->bytes + input->end,
                                        input->room - input->end, &length);
    input->end += length;
    input->ended = status != ZX_OK && status != ZX_ERR_SHOULD_WAIT;
}

int input_take(struct input *input) {
    return input->begin < input->end ? (unsigned char)input->bytes[input->begin++] : -1;
}

int input_wait(struct input *input) {
    for (;;) {
        int byte = input_take(input);
        if (byte >= 0 || input->ended)
            return byte;
        (void)zx_object_wait_one(input->socket, ZX_SOCKET_READABLE | ZX_SOCKET_PEER_CLOSED,
                                 ZX_TIME_INFINITE, NULL);
        input_fill(input);
    }
}

void input_give_back(struct input *input, const char *bytes, size_t length) {
    if (length == 0 || !reserve(input, length, 0))
        return;
    input->begin -= length;
    memcpy(input->bytes + input->begin, bytes, length);
}

void input_append(struct input *input, const char *bytes, size_t length) {
    if (length == 0 || !reserve(input, 0, length))
        return;
    memcpy(input->bytes + input->end, bytes, length);
    input->end += length;
}
