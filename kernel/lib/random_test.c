/*
 * random_test.c - the cipher against the vectors of RFC 8439, and what the
 * generator promises.
 */
#include "lib/random.h"

#include "lib/ktest.h"
#include "lib/string.h"

/* RFC 8439, section 2.3.2: key 00 01 .. 1f, counter 1. */
KTEST_QUICK(random, chacha20_gives_the_block_of_the_rfc) {
    static const uint8_t want[64] = {
        0x10, 0xf1, 0xe7, 0xe4, 0xd1, 0x3b, 0x59, 0x15, 0x50, 0x0f, 0xdd, 0x1f, 0xa3,
        0x20, 0x71, 0xc4, 0xc7, 0xd1, 0xf4, 0xc7, 0x33, 0xc0, 0x68, 0x03, 0x04, 0x22,
        0xaa, 0x9a, 0xc3, 0xd4, 0x6c, 0x4e, 0xd2, 0x82, 0x64, 0x46, 0x07, 0x9f, 0xaa,
        0x09, 0x14, 0xc2, 0xd7, 0x05, 0xd9, 0x8b, 0x02, 0xa2, 0xb5, 0x12, 0x9c, 0xd1,
        0xde, 0x16, 0x4e, 0xb9, 0xcb, 0xd0, 0x83, 0xe8, 0xa2, 0x50, 0x3c, 0x4e};
    static const uint32_t nonce[3] = {0x09000000, 0x4a000000, 0};
    uint32_t key[8];
    uint8_t block[64];

    for (uint32_t i = 0; i < 8; i++)
        key[i] = 0x03020100 + 0x04040404 * i;
    chacha20_block(key, 1, nonce, block);
    EXPECT_EQ(0, memcmp(want, block, sizeof(block)));
}

/* RFC 8439, appendix A.1, first vector: all zero. */
KTEST_QUICK(random, chacha20_of_zeros) {
    static const uint8_t want[16] = {0x76, 0xb8, 0xe0, 0xad, 0xa0, 0xf1, 0x3d, 0x90,
                                     0x40, 0x5d, 0x6a, 0xe5, 0x53, 0x86, 0xbd, 0x28};
    static const uint32_t key[8], nonce[3];
    uint8_t block[64];

    chacha20_block(key, 0, nonce, block);
    EXPECT_EQ(0, memcmp(want, block, sizeof(want)));
}

KTEST_QUICK(random, equal_seeds_give_equal_bytes_and_draws_never_repeat) {
    struct random a, b;
    uint8_t first[100], second[100];

    random_init(&a);
    random_init(&b);
    random_mix(&a, "seed", 4);
    random_mix(&b, "seed", 4);
    random_draw(&a, first, sizeof(first));
    random_draw(&b, second, sizeof(second));
    EXPECT_EQ(0, memcmp(first, second, sizeof(first)));
    random_draw(&a, first, sizeof(first));
    EXPECT(memcmp(first, second, sizeof(first)) != 0);
    random_mix(&b, "more", 4);
    random_draw(&b, second, sizeof(second));
    EXPECT(memcmp(first, second, sizeof(first)) != 0);
}

KTEST_QUICK(random, the_key_is_replaced_before_the_output_is_made) {
    struct random random;
    uint32_t before[8];

    random_init(&random);
    random_mix(&random, "x", 1);
    memcpy(before, random.key, sizeof(before));
    (void)random_draw_u64(&random);
    EXPECT(memcmp(before, random.key, sizeof(before)) != 0);
}
