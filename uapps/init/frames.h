/*
 * frames.h - the input of `./jx exec` on a serial line.
 *
 * The line eats some bytes when it is set up, and the kernel's console turns a carriage
 * return into a newline. So first there is a preamble, which ends in `JXIO`; then come
 * frames, a 16-bit little-endian length and that many bytes, of which length 0 is the
 * end of input; and from the preamble on, 0x0d and 0x10 travel as 0x10 and the byte
 * with bit 6 turned over. tools/jx_exec.py is the other side.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All zero: nothing has been seen. */
struct frames {
    unsigned preamble; /* bytes of JXIO seen */
    bool escaped;      /* the last byte was 0x10 */
    unsigned header;   /* bytes of the length seen */
    uint32_t left;     /* of the frame */
    bool ended;
};

/* Take `length` bytes of the line; returns how many bytes of input went to `data`. */
size_t frames_unpack(struct frames *frames, const char *bytes, size_t length, char *data);
