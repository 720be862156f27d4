/*
 * syscalls/clock.h - clocks that user code sets.
 *
 * An options word carries the version of the structure that goes with it.
 */
#pragma once

#include <zircon/types.h>

#define ZX_CLOCK_ARGS_VERSION_SHIFT_ 58
#define ZX_CLOCK_ARGS_VERSION_MASK   ((uint64_t)0x3f << ZX_CLOCK_ARGS_VERSION_SHIFT_)
#define ZX_CLOCK_ARGS_VERSION(n)                                                                   \
    (((uint64_t)(n) << ZX_CLOCK_ARGS_VERSION_SHIFT_) & ZX_CLOCK_ARGS_VERSION_MASK)

/* zx_clock_create */
#define ZX_CLOCK_OPT_MONOTONIC  ((uint64_t)1u << 0) /* never goes back */
#define ZX_CLOCK_OPT_CONTINUOUS ((uint64_t)1u << 1) /* never jumps; needs MONOTONIC */
#define ZX_CLOCK_OPT_AUTO_START ((uint64_t)1u << 2) /* runs from the start, like the monotonic one */
#define ZX_CLOCK_OPTS_ALL                                                                          \
    (ZX_CLOCK_OPT_MONOTONIC | ZX_CLOCK_OPT_CONTINUOUS | ZX_CLOCK_OPT_AUTO_START)

/* zx_clock_update */
#define ZX_CLOCK_UPDATE_OPTION_VALUE_VALID           ((uint64_t)1u << 0)
#define ZX_CLOCK_UPDATE_OPTION_SYNTHETIC_VALUE_VALID ZX_CLOCK_UPDATE_OPTION_VALUE_VALID
#define ZX_CLOCK_UPDATE_OPTION_RATE_ADJUST_VALID     ((uint64_t)1u << 1)
#define ZX_CLOCK_UPDATE_OPTION_ERROR_BOUND_VALID     ((uint64_t)1u << 2)
#define ZX_CLOCK_UPDATE_OPTION_REFERENCE_VALUE_VALID ((uint64_t)1u << 3) /* version 2 */
#define ZX_CLOCK_UPDATE_OPTIONS_ALL                                                                \
    (ZX_CLOCK_UPDATE_OPTION_VALUE_VALID | ZX_CLOCK_UPDATE_OPTION_RATE_ADJUST_VALID |               \
     ZX_CLOCK_UPDATE_OPTION_ERROR_BOUND_VALID | ZX_CLOCK_UPDATE_OPTION_REFERENCE_VALUE_VALID)

#define ZX_CLOCK_UPDATE_MIN_RATE_ADJUST (-1000) /* parts in a million */
#define ZX_CLOCK_UPDATE_MAX_RATE_ADJUST 1000
#define ZX_CLOCK_UNKNOWN_ERROR          UINT64_MAX

typedef struct zx_clock_create_args_v1 {
    zx_time_t backstop_time; /* the clock never shows less */
} zx_clock_create_args_v1_t;
_Static_assert(sizeof(zx_clock_create_args_v1_t) == 8, "ABI");

typedef struct zx_clock_rate {
    uint32_t synthetic_ticks;
    uint32_t reference_ticks;
} zx_clock_rate_t;
_Static_assert(sizeof(zx_clock_rate_t) == 8, "ABI");

/* synthetic = (reference - reference_offset) * rate, rounded down, + synthetic_offset */
typedef struct zx_clock_transformation {
    int64_t reference_offset;
    int64_t synthetic_offset;
    zx_clock_rate_t rate;
} zx_clock_transformation_t;
_Static_assert(sizeof(zx_clock_transformation_t) == 24, "ABI");

typedef struct zx_clock_details_v1 {
    uint64_t options; /* those of its creation, without the version */
    zx_time_t backstop_time;
    zx_clock_transformation_t ticks_to_synthetic;
    zx_clock_transformation_t mono_to_synthetic;
    uint64_t error_bound;
    zx_ticks_t query_ticks;
    zx_ticks_t last_value_update_ticks;
    zx_ticks_t last_rate_adjust_update_ticks;
    zx_ticks_t last_error_bounds_update_ticks;
    uint32_t generation_counter; /* another one after each update */
    uint8_t padding1[4];
} zx_clock_details_v1_t;
_Static_assert(sizeof(zx_clock_details_v1_t) == 112, "ABI");
_Static_assert(offsetof(zx_clock_details_v1_t, error_bound) == 64, "ABI");

typedef struct zx_clock_update_args_v1 {
    int32_t rate_adjust;
    uint8_t padding1[4];
    int64_t value;
    uint64_t error_bound;
} zx_clock_update_args_v1_t;
_Static_assert(sizeof(zx_clock_update_args_v1_t) == 24, "ABI");

typedef struct zx_clock_update_args_v2 {
    int32_t rate_adjust;
    uint8_t padding1[4];
    int64_t synthetic_value;
    int64_t reference_value;
    uint64_t error_bound;
} zx_clock_update_args_v2_t;
_Static_assert(sizeof(zx_clock_update_args_v2_t) == 32, "ABI");
