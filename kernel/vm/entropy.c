/*
 * entropy.c - seeding and drawing.
 */
#include "vm/entropy.h"

#include "arch/spinlock.h"
#include "lib/random.h"

#define JITTER_ROUNDS 256

static struct spinlock entropy_lock = SPINLOCK_INIT(RANK_LEAF, "entropy");
static struct random entropy_state;
static uint64_t words[8];
static unsigned words_left;

void entropy_mix(const void *bytes, size_t length) {
    SPIN_GUARD(&entropy_lock);

    random_mix(&entropy_state, bytes, length);
}

void entropy_draw(void *out_bytes, size_t length) {
    SPIN_GUARD(&entropy_lock);

    random_draw(&entropy_state, out_bytes, length);
}

/* Single words come from a block drawn ahead; each is forgotten as it is given. */
uint64_t entropy_draw_u64(void) {
    SPIN_GUARD(&entropy_lock);
    if (words_left == 0) {
        random_draw(&entropy_state, words, sizeof(words));
        words_left = ARRAY_SIZE(words);
    }
    uint64_t bits = words[--words_left];
    words[words_left] = 0;
    return bits;
}

/* How long a few dependent steps take differs from round to round by a bit or so. */
static void mix_jitter(void) {
    uint64_t samples[16];

    for (unsigned round = 0; round < JITTER_ROUNDS; round++) {
        uint64_t start = cpu_ticks();
        for (volatile unsigned i = 0; i < 16 + (start & 15); i++)
            cpu_relax();
        samples[round % ARRAY_SIZE(samples)] = cpu_ticks() ^ start << 32;
        if (round % ARRAY_SIZE(samples) == ARRAY_SIZE(samples) - 1)
            entropy_mix(samples, sizeof(samples));
    }
}

void entropy_init(void) {
    uint64_t bits;

    random_init(&entropy_state);
    for (unsigned i = 0; i < 8 && cpu_random(&bits); i++)
        entropy_mix(&bits, sizeof(bits));
    mix_jitter();
}
