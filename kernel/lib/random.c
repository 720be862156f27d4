/*
 * random.c - ChaCha20 (RFC 8439), and the generator that erases its key.
 *
 * Block 0 of a draw is the next key (its second half is not used); the output
 * begins with block 1.
 */
#include "lib/random.h"

#include "lib/string.h"

static uint32_t rotate(uint32_t value, unsigned by) { return value << by | value >> (32 - by); }

static void quarter(uint32_t x[16], unsigned a, unsigned b, unsigned c, unsigned d) {
    x[a] += x[b];
    x[d] = rotate(x[d] ^ x[a], 16);
    x[c] += x[d];
    x[b] = rotate(x[b] ^ x[c], 12);
    x[a] += x[b];
    x[d] = rotate(x[d] ^ x[a], 8);
    x[c] += x[d];
    x[b] = rotate(x[b] ^ x[c], 7);
}

static void double_round(uint32_t x[16]) {
    for (unsigned i = 0; i < 4; i++)
        quarter(x, i, 4 + i, 8 + i, 12 + i);
    for (unsigned i = 0; i < 4; i++)
        quarter(x, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4);
}

void chacha20_block(const uint32_t key[8], uint32_t counter, const uint32_t nonce[3],
                    uint8_t out_block[64]) {
    uint32_t start[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
    uint32_t x[16];

    memcpy(&start[4], key, 32);
    start[12] = counter;
    memcpy(&start[13], nonce, 12);
    memcpy(x, start, sizeof(x));
    for (unsigned round = 0; round < 10; round++)
        double_round(x);
    for (unsigned i = 0; i < 16; i++) {
        uint32_t word = x[i] + start[i];
        for (unsigned byte = 0; byte < 4; byte++)
            out_block[4 * i + byte] = (uint8_t)(word >> (8 * byte));
    }
}

void random_init(struct random *random) { memset(random, 0, sizeof(*random)); }

/* Forgetting must not be optimised away. */
static void erase(void *memory, size_t length) {
    memset(memory, 0, length);
    __asm__ volatile("" : : "r"(memory) : "memory");
}

/* The output of this draw under the old key; the key that follows is in the state. */
static void next_key(struct random *random, uint32_t out_old_key[8], uint32_t out_nonce[3]) {
    uint8_t block[64];

    memcpy(out_old_key, random->key, sizeof(random->key));
    out_nonce[0] = (uint32_t)random->draws;
    out_nonce[1] = (uint32_t)(random->draws >> 32);
    out_nonce[2] = 0;
    random->draws++;
    chacha20_block(out_old_key, 0, out_nonce, block);
    memcpy(random->key, block, sizeof(random->key));
    erase(block, sizeof(block));
}

void random_mix(struct random *random, const void *bytes, size_t length) {
    const uint8_t *in = bytes;
    uint32_t old[8], nonce[3], chunk[8];

    do {
        size_t part = MIN(length, sizeof(chunk));
        memset(chunk, 0, sizeof(chunk));
        if (part)
            memcpy(chunk, in, part);
        for (unsigned i = 0; i < 8; i++)
            random->key[i] ^= chunk[i];
        next_key(random, old, nonce);
        in += part;
        length -= part;
    } while (length);
    erase(old, sizeof(old));
    erase(chunk, sizeof(chunk));
}

void random_draw(struct random *random, void *out_bytes, size_t length) {
    uint8_t *out = out_bytes;
    uint32_t old[8], nonce[3], counter = 1;
    uint8_t block[64];

    next_key(random, old, nonce);
    while (length) {
        size_t part = MIN(length, sizeof(block));
        chacha20_block(old, counter++, nonce, block);
        memcpy(out, block, part);
        out += part;
        length -= part;
    }
    erase(old, sizeof(old));
    erase(block, sizeof(block));
}

uint64_t random_draw_u64(struct random *random) {
    uint64_t value;

    random_draw(random, &value, sizeof(value));
    return value;
}
