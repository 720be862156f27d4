/*
 * random.h - random bytes from a ChaCha20 key that is replaced at every draw.
 *
 * A draw first makes the next key, then the output, and forgets the old key: who
 * reads the state later cannot tell what was drawn before. The structure takes
 * no lock; its owner does.
 */
#pragma once

#include "lib/types.h"

struct random {
    uint32_t key[8];
    uint64_t draws; /* part of the nonce, so equal keys would not repeat output */
};

/* Start from nothing: the caller mixes entropy in before the first draw. */
void random_init(struct random *random);
/* Stir bytes of any quality in; never lowers what is there. */
void random_mix(struct random *random, const void *bytes, size_t length);
void random_draw(struct random *random, void *out_bytes, size_t length);
uint64_t random_draw_u64(struct random *random);

/* One block of the cipher (RFC 8439), for the generator and its test. */
void chacha20_block(const uint32_t key[8], uint32_t counter, const uint32_t nonce[3],
                    uint8_t out_block[64]);
