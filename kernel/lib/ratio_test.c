/*
 * ratio_test.c - scaling against a reference that divides bit by bit.
 */
#include "lib/ratio.h"

#include "lib/ktest.h"

/* floor(value * numerator / denominator), by shifting and subtracting. */
static int64_t reference_scale(int64_t value, struct ratio ratio) {
    uint64_t magnitude = value < 0 ? -(uint64_t)value : (uint64_t)value;
    unsigned __int128 rest = (unsigned __int128)magnitude * ratio.numerator;
    unsigned __int128 quotient = 0;

    for (int bit = 95; bit >= 0; bit--) {
        unsigned __int128 part = (unsigned __int128)ratio.denominator << bit;
        if (bit > 63 && part >> bit != ratio.denominator)
            continue; /* cannot be in the rest */
        if (rest < part)
            continue;
        rest -= part;
        quotient |= (unsigned __int128)1 << bit;
    }
    if (value < 0 && rest != 0)
        quotient++;
    if (quotient > INT64_MAX)
        return value < 0 ? INT64_MIN : INT64_MAX;
    return value < 0 ? -(int64_t)quotient : (int64_t)quotient;
}

static uint64_t next_random(uint64_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* A number with a random count of bits, so that small ones come too. */
static uint64_t random_bits(uint64_t *state, unsigned most) {
    uint64_t bits = next_random(state);

    return bits >> (64 - most) >> next_random(state) % most;
}

KTEST_QUICK(ratio, scaling_rounds_down_on_both_sides_of_zero) {
    EXPECT_EQ(3, ratio_scale(10, (struct ratio){1, 3}));
    EXPECT_EQ(-4, ratio_scale(-10, (struct ratio){1, 3}));
    EXPECT_EQ(-3, ratio_scale(-9, (struct ratio){1, 3}));
    EXPECT_EQ(0, ratio_scale(INT64_MAX, (struct ratio){0, 1}));
    EXPECT_EQ(0, ratio_scale(INT64_MIN, (struct ratio){0, 1}));
}

KTEST_QUICK(ratio, scaling_saturates) {
    EXPECT_EQ(INT64_MAX, ratio_scale(INT64_MAX, (struct ratio){1, 1}));
    EXPECT_EQ(INT64_MIN, ratio_scale(INT64_MIN, (struct ratio){1, 1}));
    EXPECT_EQ(INT64_MAX, ratio_scale(INT64_MAX, (struct ratio){UINT32_MAX, 1}));
    EXPECT_EQ(INT64_MIN, ratio_scale(INT64_MIN, (struct ratio){UINT32_MAX, 1}));
    EXPECT_EQ(INT64_MAX, ratio_scale(INT64_MAX / 2 + 1, (struct ratio){2, 1}));
    EXPECT_EQ(INT64_MIN, ratio_scale(INT64_MIN / 2, (struct ratio){2, 1}));
    EXPECT_EQ(INT64_MIN, ratio_scale(INT64_MIN / 2 - 1, (struct ratio){2, 1}));
}

KTEST_QUICK(ratio, scaling_equals_a_division_bit_by_bit) {
    uint64_t state = 0x9e3779b97f4a7c15;

    for (unsigned i = 0; i < 20000; i++) {
        struct ratio ratio = {(uint32_t)random_bits(&state, 32),
                              (uint32_t)random_bits(&state, 32) | 1};
        int64_t value = (int64_t)random_bits(&state, 64);
        if (i % 2)
            value = (int64_t)-(uint64_t)value;
        int64_t want = reference_scale(value, ratio), got = ratio_scale(value, ratio);
        if (want != got)
            ktest_fail(__FILE__, __LINE__, "%ld * %u / %u is %ld, not %ld", value,
                       ratio.numerator, ratio.denominator, got, want);
    }
}

KTEST_QUICK(ratio, fractions_are_reduced_and_exact_where_they_fit) {
    uint64_t state = 12345;

    for (unsigned i = 0; i < 2000; i++) {
        uint64_t n = random_bits(&state, 32), d = random_bits(&state, 32) | 1;
        uint64_t factor = random_bits(&state, 31) | 1;
        struct ratio ratio = ratio_make(n * factor, d * factor);
        EXPECT(ratio.numerator * d == n * ratio.denominator);
        EXPECT(ratio.numerator <= n && ratio.denominator <= d);
    }
    EXPECT_EQ(0, ratio_make(0, 77).numerator);
    EXPECT_EQ(UINT32_MAX, ratio_make((uint64_t)1 << 40, 1).numerator);
}

/* |n/d - N/D| <= 1 / (D * 2^28), since a term of the next convergent has more than 32 bits. */
KTEST_QUICK(ratio, fractions_that_do_not_fit_are_approximated_closely) {
    uint64_t state = 99;

    for (unsigned i = 0; i < 2000; i++) {
        uint64_t n = next_random(&state) >> 14 | 1, d = next_random(&state) >> 14 | 1;
        if (n > d * 16 || d > n * 16)
            continue;
        struct ratio ratio = ratio_make(n, d);
        unsigned __int128 a = (unsigned __int128)n * ratio.denominator;
        unsigned __int128 b = (unsigned __int128)ratio.numerator * d;
        unsigned __int128 error = a > b ? a - b : b - a; /* times d * D */
        EXPECT(error << 28 <= d);
    }
}

KTEST_QUICK(ratio, a_line_saturates_in_each_step_and_turns_back) {
    const struct line line = {100, 1000, {3, 2}};
    const struct line far = {INT64_MIN, INT64_MIN, {1, 1}};

    EXPECT_EQ(1000, line_at(&line, 100));
    EXPECT_EQ(1003, line_at(&line, 102));
    EXPECT_EQ(998, line_at(&line, 99));
    EXPECT_EQ(102, line_inverse(&line, 1003));
    EXPECT_EQ(-1, line_at(&far, 0));
    EXPECT_EQ(INT64_MAX, line_at(&line, INT64_MAX));
    EXPECT_EQ(INT64_MIN + 1000, line_at(&line, INT64_MIN));
}
