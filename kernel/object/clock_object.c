/*
 * clock_object.c - clocks that user code sets; see clock_object.h.
 *
 * T is the tick counter's reading at an update. The old value there comes from the old
 * ticks_to_synthetic, the line that readers use, so a change of the rate alone never
 * moves the value that a reader sees at T.
 */
#include "object/clock_object.h"

#include "arch/clock.h"
#include "arch/cpu.h"
#include "lib/string.h"
#include "vm/kheap.h"

#define FLAG(name) ZX_CLOCK_UPDATE_OPTION_##name##_VALID
#define MILLION    1000000u

_Static_assert(sizeof(struct clock_state) % sizeof(uint64_t) == 0, "copied by words");

/* The monotonic clock as a line over ticks. */
static struct line monotonic_line(void) {
    struct clock_scale scale = clock_scale();

    return (struct line){(int64_t)scale.base_ticks, 0,
                         ratio_make(scale.mult, (uint64_t)1 << scale.shift)};
}

/* ---- The state, in words ---- */

static void load_words(struct clock_object *clock, struct clock_state *out_state) {
    uint64_t words[CLOCK_STATE_WORDS];

    for (size_t i = 0; i < CLOCK_STATE_WORDS; i++)
        words[i] = atomic_load_explicit(&clock->state[i], memory_order_relaxed);
    memcpy(out_state, words, sizeof(*out_state));
}

static void store_words(struct clock_object *clock, const struct clock_state *state) {
    uint64_t words[CLOCK_STATE_WORDS];

    memcpy(words, state, sizeof(*state));
    for (size_t i = 0; i < CLOCK_STATE_WORDS; i++)
        atomic_store_explicit(&clock->state[i], words[i], memory_order_relaxed);
}

/* The state, and a reading of the tick counter while it was in force. */
static int64_t take_snapshot(struct clock_object *clock, struct clock_state *out_state) {
    for (;;) {
        uint32_t before = atomic_load_explicit(&clock->sequence, memory_order_acquire);
        load_words(clock, out_state);
        int64_t ticks = (int64_t)cpu_ticks_in_order();
        atomic_thread_fence(memory_order_acquire);
        uint32_t after = atomic_load_explicit(&clock->sequence, memory_order_relaxed);
        if (before == after && before % 2 == 0)
            return ticks;
        cpu_relax();
    }
}

/* ---- Updating ---- */

static bool has(const struct clock_update *update, uint64_t flags) {
    return update->flags & flags;
}

/* What may be asked of this clock in this state, whatever the time is. */
static status_t check_update(const struct clock_object *clock, const struct clock_state *state,
                             const struct clock_update *update) {
    bool value = has(update, FLAG(VALUE)), reference = has(update, FLAG(REFERENCE_VALUE));
    bool rate = has(update, FLAG(RATE_ADJUST));

    if (reference && (!update->is_v2 || (!value && !rate)))
        return ERR_INVALID_ARGS;
    if (!state->started)
        return value ? OK : ERR_BAD_STATE;
    if ((clock->options & ZX_CLOCK_OPT_CONTINUOUS) && value)
        return ERR_INVALID_ARGS;
    if (!(clock->options & ZX_CLOCK_OPT_MONOTONIC) || !update->is_v2)
        return OK;
    if ((value && !reference) || (rate && (value || reference)))
        return ERR_INVALID_ARGS;
    return OK;
}

/* Are the lines to be drawn anew? The rate that it has already moves nothing. */
static bool moves(const struct clock_state *state, const struct clock_update *update) {
    if (has(update, FLAG(VALUE) | FLAG(REFERENCE_VALUE)))
        return true;
    return has(update, FLAG(RATE_ADJUST)) && update->rate_adjust != state->rate_adjust;
}

static void draw_lines(struct clock_state *state, const struct clock_update *update,
                       int64_t ticks) {
    struct line mono = monotonic_line(), *line = &state->mono_to_synthetic;
    int64_t reference = line_at(&mono, ticks), reference_ticks = ticks;

    if (has(update, FLAG(REFERENCE_VALUE))) {
        reference = update->reference;
        reference_ticks = line_inverse(&mono, reference);
    }
    line->y0 = has(update, FLAG(VALUE)) ? update->value
                                        : line_at(&state->ticks_to_synthetic, reference_ticks);
    line->x0 = reference;
    if (has(update, FLAG(RATE_ADJUST)))
        line->slope = (struct ratio){(uint32_t)(MILLION + update->rate_adjust), MILLION};
    else if (!state->started)
        line->slope = (struct ratio){1, 1};
    state->ticks_to_synthetic =
        (struct line){reference_ticks, line->y0, ratio_product(mono.slope, line->slope)};
}

static void note_times(struct clock_state *state, const struct clock_update *update,
                       int64_t ticks) {
    if (has(update, FLAG(VALUE)))
        state->last_value_ticks = ticks;
    if (has(update, FLAG(RATE_ADJUST))) {
        state->last_rate_ticks = ticks;
        state->rate_adjust = update->rate_adjust;
    }
    if (has(update, FLAG(ERROR_BOUND))) {
        state->last_error_ticks = ticks;
        state->error_bound = update->error_bound;
    }
    state->generation++;
}

/* The new state at T; *state is the old one, and is not to be used after a failure. */
static status_t apply_update(const struct clock_object *clock, struct clock_state *state,
                             const struct clock_update *update, int64_t ticks) {
    status_t status = check_update(clock, state, update);
    if (status != OK)
        return status;
    if (moves(state, update)) {
        int64_t before = line_at(&state->ticks_to_synthetic, ticks);
        draw_lines(state, update, ticks);
        int64_t now = line_at(&state->ticks_to_synthetic, ticks);
        if ((clock->options & ZX_CLOCK_OPT_MONOTONIC) && now < before)
            return ERR_INVALID_ARGS;
        if (now < clock->backstop)
            return ERR_INVALID_ARGS;
    }
    note_times(state, update, ticks);
    state->started = 1;
    return OK;
}

/*
 * T is read after every CPU can see the odd number, or a reader could use the old line
 * beyond T, and see time go back with the new one.
 */
static status_t update_locked(struct clock_object *clock, const struct clock_update *update)
    REQUIRES(*clock->base.lock) {
    struct clock_state state;

    irq_state_t irqs = irq_save();
    uint32_t sequence = atomic_load_explicit(&clock->sequence, memory_order_relaxed);
    atomic_store_explicit(&clock->sequence, sequence + 1, memory_order_relaxed);
    atomic_thread_fence(memory_order_seq_cst);
    int64_t ticks = (int64_t)cpu_ticks_in_order();
    load_words(clock, &state);
    status_t status = apply_update(clock, &state, update, ticks);
    if (status == OK)
        store_words(clock, &state);
    atomic_store_explicit(&clock->sequence, sequence + 2, memory_order_release);
    irq_restore(irqs);
    return status;
}

status_t clock_object_update(struct clock_object *clock, const struct clock_update *update) {
    MUTEX_GUARD(clock->base.lock);

    status_t status = update_locked(clock, update);
    if (status == OK)
        waitable_change_locked(&clock->base, 0, ZX_CLOCK_STARTED);
    return status;
}

/* ---- Reading ---- */

nstime_t clock_object_read(struct clock_object *clock) {
    struct clock_state state;
    int64_t ticks = take_snapshot(clock, &state);

    return line_at(&state.ticks_to_synthetic, ticks);
}

static zx_clock_transformation_t transformation(const struct line *line) {
    return (zx_clock_transformation_t){
        line->x0, line->y0, {line->slope.numerator, line->slope.denominator}};
}

void clock_object_get_details(struct clock_object *clock, zx_clock_details_v1_t *out_details) {
    struct clock_state state;
    int64_t ticks = take_snapshot(clock, &state);

    *out_details = (zx_clock_details_v1_t){
        .options = clock->options,
        .backstop_time = clock->backstop,
        .ticks_to_synthetic = transformation(&state.ticks_to_synthetic),
        .mono_to_synthetic = transformation(&state.mono_to_synthetic),
        .error_bound = state.error_bound,
        .query_ticks = ticks,
        .last_value_update_ticks = state.last_value_ticks,
        .last_rate_adjust_update_ticks = state.last_rate_ticks,
        .last_error_bounds_update_ticks = state.last_error_ticks,
        .generation_counter = state.generation,
    };
}

/* ---- Life ---- */

static void clock_object_destroy(struct waitable *object) {
    kheap_free_sized(clock_object_from(object), sizeof(struct clock_object));
}

static const struct waitable_ops clock_object_ops = {
    .name = "clock",
    .type = ZX_OBJ_TYPE_CLOCK,
    .can_wait = true,
    .default_rights = ZX_DEFAULT_CLOCK_RIGHTS,
    .destroy = clock_object_destroy,
};

static void first_state(uint64_t options, nstime_t backstop, struct clock_state *out_state) {
    const struct line still = {0, backstop, {0, 1}};

    *out_state = (struct clock_state){.ticks_to_synthetic = still,
                                      .mono_to_synthetic = still,
                                      .error_bound = ZX_CLOCK_UNKNOWN_ERROR};
    if (!(options & ZX_CLOCK_OPT_AUTO_START))
        return;
    out_state->ticks_to_synthetic = monotonic_line();
    out_state->mono_to_synthetic = (struct line){0, 0, {1, 1}};
    out_state->last_value_ticks = out_state->last_rate_ticks = (int64_t)cpu_ticks_in_order();
    out_state->started = 1;
}

status_t clock_object_create(uint64_t options, nstime_t backstop,
                             struct clock_object **out_clock) {
    bool starts = options & ZX_CLOCK_OPT_AUTO_START;
    struct clock_state state;

    if (backstop < 0 || (starts && backstop > clock_now()))
        return ERR_INVALID_ARGS;
    struct clock_object *clock = kheap_zalloc(sizeof(*clock));
    if (!clock)
        return ERR_NO_MEMORY;
    waitable_init(&clock->base, &clock_object_ops, starts ? ZX_CLOCK_STARTED : 0);
    clock->options = options;
    clock->backstop = backstop;
    first_state(options, backstop, &state);
    store_words(clock, &state);
    *out_clock = clock;
    return OK;
}
