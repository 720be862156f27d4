/*
 * frames.c - unpacks frames byte by byte; pure, so the host tests it.
 */
#include "init/frames.h"

#define ESCAPE 0x10

static const char preamble[] = "JXIO";

static void match_preamble(struct frames *frames, uint8_t byte) {
    if (byte == (uint8_t)preamble[frames->preamble])
        frames->preamble++;
    else
        frames->preamble = byte == (uint8_t)preamble[0];
}

/* The frame's length, a byte at a time. */
static void take_length(struct frames *frames, uint8_t byte) {
    frames->left |= (uint32_t)byte << (8 * frames->header++);
    if (frames->header == 2)
        frames->ended = frames->left == 0;
}

static bool take_data(struct frames *frames) {
    if (--frames->left == 0)
        frames->header = 0;
    return true;
}

/* Is the byte one of input? */
static bool take_byte(struct frames *frames, uint8_t byte) {
    if (frames->header == 2)
        return take_data(frames);
    take_length(frames, byte);
    return false;
}

size_t frames_unpack(struct frames *frames, const char *bytes, size_t length, char *data) {
    size_t used = 0;
    for (size_t i = 0; i < length && !frames->ended; i++) {
        uint8_t byte = (uint8_t)bytes[i];
        if (frames->preamble < sizeof preamble - 1) {
            match_preamble(frames, byte);
        } else if (byte == ESCAPE && !frames->escaped) {
            frames->escaped = true;
        } else {
            byte ^= frames->escaped ? 0x40 : 0;
            frames->escaped = false;
            if (take_byte(frames, byte))
                data[used++] = (char)byte;
        }
    }
    return used;
}
