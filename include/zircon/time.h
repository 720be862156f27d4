/*
 * time.h - arithmetic on times that saturates at ZX_TIME_INFINITE and
 * ZX_TIME_INFINITE_PAST instead of overflowing.
 */
#pragma once

#include <zircon/types.h>

static inline int64_t zx_saturating_add_(int64_t a, int64_t b) {
    int64_t sum;
    if (!__builtin_add_overflow(a, b, &sum))
        return sum;
    return b > 0 ? ZX_TIME_INFINITE : ZX_TIME_INFINITE_PAST;
}

static inline int64_t zx_saturating_sub_(int64_t a, int64_t b) {
    int64_t difference;
    if (!__builtin_sub_overflow(a, b, &difference))
        return difference;
    return b < 0 ? ZX_TIME_INFINITE : ZX_TIME_INFINITE_PAST;
}

static inline zx_time_t zx_time_add_duration(zx_time_t time, zx_duration_t duration) {
    return zx_saturating_add_(time, duration);
}
static inline zx_time_t zx_time_sub_duration(zx_time_t time, zx_duration_t duration) {
    return zx_saturating_sub_(time, duration);
}
static inline zx_duration_t zx_time_sub_time(zx_time_t later, zx_time_t earlier) {
    return zx_saturating_sub_(later, earlier);
}
static inline zx_duration_t zx_duration_add_duration(zx_duration_t a, zx_duration_t b) {
    return zx_saturating_add_(a, b);
}
static inline zx_duration_t zx_duration_sub_duration(zx_duration_t a, zx_duration_t b) {
    return zx_saturating_sub_(a, b);
}
static inline zx_duration_t zx_duration_mul_int64(zx_duration_t duration, int64_t factor) {
    int64_t product;
    if (!__builtin_mul_overflow(duration, factor, &product))
        return product;
    return (duration > 0) == (factor > 0) ? ZX_TIME_INFINITE : ZX_TIME_INFINITE_PAST;
}
