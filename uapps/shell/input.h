/*
 * input.h - what is typed at the shell, byte by byte, with a way back.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <zircon/types.h>

struct input {
    zx_handle_t socket; /* borrowed */
    char *bytes;        /* [begin, end) is read and not yet taken */
    size_t begin, end, room;
    bool ended;
};

/* Take what the socket has now, without waiting. */
void input_fill(struct input *input);
/* The next byte; -1 if there is none now. */
int input_take(struct input *input);
/* Wait for the next byte; -1 at the end. */
int input_wait(struct input *input);
/* Put bytes in front of those to come. */
void input_give_back(struct input *input, const char *bytes, size_t length);
/* Put bytes behind those that are there. */
void input_append(struct input *input, const char *bytes, size_t length);
