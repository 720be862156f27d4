/*
 * ratio.h - exact scaling by a fraction, and lines made of it.
 *
 * A fraction has 32-bit terms. Products go by way of 128 bits, quotients by two
 * divisions of 64 bits by 32, so no division routine of a compiler's library is needed.
 * Every step saturates on its own at the ends of int64_t.
 */
#pragma once

#include "lib/types.h"

struct ratio {
    uint32_t numerator, denominator; /* denominator is not 0 */
};

/* floor(value * numerator / denominator); below zero that rounds away from it. */
int64_t ratio_scale(int64_t value, struct ratio ratio);
/*
 * numerator / denominator in lowest terms; where a term does not fit 32 bits, the last
 * convergent that does. The denominator is not 0.
 */
struct ratio ratio_make(uint64_t numerator, uint64_t denominator);
struct ratio ratio_product(struct ratio a, struct ratio b);

/* y = scale(x - x0) + y0 */
struct line {
    int64_t x0, y0;
    struct ratio slope;
};
int64_t line_at(const struct line *line, int64_t x);
/* An x for y; the slope is not 0. */
int64_t line_inverse(const struct line *line, int64_t y);
