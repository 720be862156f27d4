/*
 * ratio.c - exact scaling by a fraction; see ratio.h.
 */
#include "lib/ratio.h"

static int64_t add_saturating(int64_t a, int64_t b) {
    int64_t sum;

    if (!__builtin_add_overflow(a, b, &sum))
        return sum;
    return b > 0 ? INT64_MAX : INT64_MIN;
}

static int64_t subtract_saturating(int64_t a, int64_t b) {
    int64_t difference;

    if (!__builtin_sub_overflow(a, b, &difference))
        return difference;
    return b < 0 ? INT64_MAX : INT64_MIN;
}

/* magnitude * ratio, rounded down, or up if asked; UINT64_MAX for all that is more. */
static uint64_t scale_magnitude(uint64_t magnitude, struct ratio ratio, bool up) {
    unsigned __int128 product = (unsigned __int128)magnitude * ratio.numerator;
    uint64_t high = (uint64_t)(product >> 32);
    uint64_t low = high % ratio.denominator << 32 | (uint32_t)product;
    uint64_t quotient = high / ratio.denominator;

    if (quotient >> 32)
        return UINT64_MAX;
    quotient = (quotient << 32) + low / ratio.denominator;
    bool more = up && low % ratio.denominator != 0;
    return more && quotient != UINT64_MAX ? quotient + 1 : quotient;
}

int64_t ratio_scale(int64_t value, struct ratio ratio) {
    const uint64_t most = (uint64_t)INT64_MAX;

    if (value >= 0)
        return (int64_t)MIN(scale_magnitude((uint64_t)value, ratio, false), most);
    uint64_t scaled = scale_magnitude(-(uint64_t)value, ratio, true);
    return scaled > most ? INT64_MIN : -(int64_t)scaled;
}

/* One step of a continued fraction: part * last + before; false if that has over 32 bits. */
static bool next_term(uint64_t part, uint64_t last, uint64_t before, uint64_t *out_term) {
    if (__builtin_mul_overflow(part, last, out_term) ||
        __builtin_add_overflow(*out_term, before, out_term))
        return false;
    return *out_term <= UINT32_MAX;
}

struct ratio ratio_make(uint64_t numerator, uint64_t denominator) {
    uint64_t n = 1, n_before = 0, d = 0, d_before = 1;

    while (denominator != 0) {
        uint64_t part = numerator / denominator, rest = numerator % denominator, n_next, d_next;
        if (!next_term(part, n, n_before, &n_next) || !next_term(part, d, d_before, &d_next))
            break;
        n_before = n;
        n = n_next;
        d_before = d;
        d = d_next;
        numerator = denominator;
        denominator = rest;
    }
    if (d == 0)
        return (struct ratio){UINT32_MAX, 1}; /* more than any fraction */
    return (struct ratio){(uint32_t)n, (uint32_t)d};
}

struct ratio ratio_product(struct ratio a, struct ratio b) {
    return ratio_make((uint64_t)a.numerator * b.numerator,
                      (uint64_t)a.denominator * b.denominator);
}

int64_t line_at(const struct line *line, int64_t x) {
    int64_t scaled = ratio_scale(subtract_saturating(x, line->x0), line->slope);

    return add_saturating(scaled, line->y0);
}

int64_t line_inverse(const struct line *line, int64_t y) {
    const struct ratio inverse = {line->slope.denominator, line->slope.numerator};

    return add_saturating(ratio_scale(subtract_saturating(y, line->y0), inverse), line->x0);
}
