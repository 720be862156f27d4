/*
 * clock_object.h - a clock that user code sets: a line over the tick counter.
 *
 * Readers take no lock: they copy the state between two looks at a sequence number,
 * and take the tick counter's reading there too, so that a reading belongs to the
 * state it is used with and all observers agree at equal ticks. The writer is alone
 * by the object's lock, and is not interrupted while the number is odd.
 */
#pragma once

#include <zircon/syscalls/clock.h>

#include "lib/ratio.h"
#include "object/handle.h"

struct clock_state {
    struct line ticks_to_synthetic, mono_to_synthetic;
    uint64_t error_bound;
    int64_t last_value_ticks, last_rate_ticks, last_error_ticks;
    int32_t rate_adjust; /* parts in a million */
    uint32_t generation;
    uint64_t started;
};
#define CLOCK_STATE_WORDS (sizeof(struct clock_state) / sizeof(uint64_t))

struct clock_object {
    struct waitable base;
    uint64_t options;          /* set once: ZX_CLOCK_OPT_ */
    nstime_t backstop;         /* set once */
    _Atomic uint32_t sequence; /* odd while the state changes; written under base.lock */
    _Atomic uint64_t state[CLOCK_STATE_WORDS];
};

/* What zx_clock_update asks for; both versions of its structure fit. */
struct clock_update {
    uint64_t flags; /* ZX_CLOCK_UPDATE_OPTION_ */
    bool is_v2;
    int32_t rate_adjust;
    int64_t value, reference;
    uint64_t error_bound;
};

ALWAYS_INLINE struct clock_object *clock_object_from(struct waitable *object) {
    return container_of(object, struct clock_object, base);
}
/* ERR_INVALID_ARGS: a backstop below zero, or after now for a clock that starts by itself. */
status_t clock_object_create(uint64_t options, nstime_t backstop, struct clock_object **out_clock);
nstime_t clock_object_read(struct clock_object *clock);
void clock_object_get_details(struct clock_object *clock, zx_clock_details_v1_t *out_details);
/* ERR_INVALID_ARGS, ERR_BAD_STATE (not started, and no value is given); then nothing changed. */
status_t clock_object_update(struct clock_object *clock, const struct clock_update *update);
