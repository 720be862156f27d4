/*
 * t_clock.c - clocks that a program sets: which updates are allowed, and that what is
 * read is exactly the line that the details tell.
 */
#include <jacinth/utest.h>
#include <stdatomic.h>
#include <string.h>
#include <threads.h>

#include "core-tests/support.h"

#define V1         ZX_CLOCK_ARGS_VERSION(1)
#define V2         ZX_CLOCK_ARGS_VERSION(2)
#define VALUE      ZX_CLOCK_UPDATE_OPTION_VALUE_VALID
#define RATE       ZX_CLOCK_UPDATE_OPTION_RATE_ADJUST_VALID
#define ERROR      ZX_CLOCK_UPDATE_OPTION_ERROR_BOUND_VALID
#define REFERENCE  ZX_CLOCK_UPDATE_OPTION_REFERENCE_VALUE_VALID
#define MONOTONIC  ZX_CLOCK_OPT_MONOTONIC
#define CONTINUOUS (ZX_CLOCK_OPT_MONOTONIC | ZX_CLOCK_OPT_CONTINUOUS)
#define AUTO_START ZX_CLOCK_OPT_AUTO_START

static zx_handle_t make_clock(uint64_t options, zx_time_t backstop) {
    zx_clock_create_args_v1_t args = {backstop};
    zx_handle_t clock = ZX_HANDLE_INVALID;
    EXPECT_OK(zx_clock_create(options | V1, &args, &clock));
    return clock;
}
static zx_time_t read_clock(zx_handle_t clock) {
    zx_time_t now = -1;
    EXPECT_OK(zx_clock_read(clock, &now));
    return now;
}
static zx_clock_details_v1_t details_of(zx_handle_t clock) {
    zx_clock_details_v1_t details;
    memset(&details, 0xee, sizeof details);
    EXPECT_OK(zx_clock_get_details(clock, V1, &details));
    return details;
}
static zx_status_t set_v1(zx_handle_t clock, uint64_t flags, int64_t value, int32_t rate,
                          uint64_t error) {
    zx_clock_update_args_v1_t args = {.rate_adjust = rate, .value = value, .error_bound = error};
    return zx_clock_update(clock, V1 | flags, &args);
}
static zx_status_t set_v2(zx_handle_t clock, uint64_t flags, int64_t value, int64_t reference,
                          int32_t rate) {
    zx_clock_update_args_v2_t args = {
        .rate_adjust = rate, .synthetic_value = value, .reference_value = reference};
    return zx_clock_update(clock, V2 | flags, &args);
}
static bool is_started(zx_handle_t clock) {
    return zx_object_wait_one(clock, ZX_CLOCK_STARTED, 0, NULL) == ZX_OK;
}

/* floor((x - reference_offset) * rate) + synthetic_offset, a bit at a time. */
static int64_t evaluate(const zx_clock_transformation_t *line, int64_t x) {
    int64_t distance = x - line->reference_offset;
    bool below = distance < 0;
    unsigned __int128 rest = below ? -(unsigned __int128)distance : (unsigned __int128)distance;
    uint64_t quotient = 0;
    rest *= line->rate.synthetic_ticks;
    for (int bit = 63; bit >= 0; bit--) {
        unsigned __int128 part = (unsigned __int128)line->rate.reference_ticks << bit;
        if (rest >= part) {
            rest -= part;
            quotient |= 1ull << bit;
        }
    }
    if (below)
        return line->synthetic_offset - (int64_t)(quotient + (rest != 0));
    return line->synthetic_offset + (int64_t)quotient;
}

/* --- creation --- */

TEST(clock_create_refuses_wrong_versions_options_and_backstops) {
    zx_clock_create_args_v1_t args = {0};
    zx_handle_t clock;
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_clock_create(0, &args, &clock));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_clock_create(V1, NULL, &clock));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_clock_create(V1, (void *)8, &clock));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_clock_create(V2, &args, &clock));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_clock_create(8, NULL, &clock));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_clock_create(1ull << 57, NULL, &clock));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_clock_create(ZX_CLOCK_OPT_CONTINUOUS, NULL, &clock));
    args.backstop_time = -1;
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_clock_create(V1, &args, &clock));
    args.backstop_time = zx_deadline_after(ZX_SEC(1000));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_clock_create(V1 | AUTO_START, &args, &clock));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_clock_create(0, NULL, NULL));
}

TEST(a_clock_stands_at_its_backstop_until_it_is_started) {
    zx_handle_t clock = make_clock(0, 12345);
    zx_clock_details_v1_t details = details_of(clock);
    EXPECT_EQ(ZX_DEFAULT_CLOCK_RIGHTS, rights_of(clock));
    EXPECT_EQ(12345, read_clock(clock));
    EXPECT(!is_started(clock));
    EXPECT_EQ(0, details.options);
    EXPECT_EQ(12345, details.backstop_time);
    EXPECT_EQ(ZX_CLOCK_UNKNOWN_ERROR, details.error_bound);
    EXPECT_EQ(0, details.mono_to_synthetic.reference_offset);
    EXPECT_EQ(12345, details.mono_to_synthetic.synthetic_offset);
    EXPECT_EQ(0, details.mono_to_synthetic.rate.synthetic_ticks);
    EXPECT_EQ(1, details.mono_to_synthetic.rate.reference_ticks);
    EXPECT_EQ(0, memcmp(&details.mono_to_synthetic, &details.ticks_to_synthetic, 24));
    EXPECT_EQ(0, details.last_value_update_ticks);
    EXPECT_EQ(ZX_ERR_BAD_STATE, set_v1(clock, RATE, 0, 5, 0));
    EXPECT_EQ(ZX_ERR_BAD_STATE, set_v1(clock, ERROR, 0, 0, 7));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, set_v1(clock, VALUE, 12344, 0, 0));
    EXPECT_EQ(ZX_CLOCK_UNKNOWN_ERROR, details_of(clock).error_bound);
    EXPECT_OK(set_v1(clock, VALUE, 12345, 0, 0));
    EXPECT(is_started(clock));
    EXPECT(details_of(clock).generation_counter != details.generation_counter);
    close_handle(clock);
}

TEST(a_clock_that_starts_by_itself_is_the_monotonic_one) {
    zx_handle_t clock = make_clock(CONTINUOUS | AUTO_START, 0);
    zx_clock_details_v1_t details = details_of(clock);
    EXPECT(is_started(clock));
    EXPECT_EQ(CONTINUOUS | AUTO_START, details.options);
    EXPECT_EQ(0, details.mono_to_synthetic.reference_offset);
    EXPECT_EQ(0, details.mono_to_synthetic.synthetic_offset);
    EXPECT_EQ(details.mono_to_synthetic.rate.reference_ticks,
              details.mono_to_synthetic.rate.synthetic_ticks);
    EXPECT(details.last_value_update_ticks > 0);
    EXPECT_EQ(details.last_value_update_ticks, details.last_rate_adjust_update_ticks);
    for (int i = 0; i < 1000; i++) {
        zx_time_t before = zx_clock_get_monotonic(), now = read_clock(clock);
        zx_time_t after = zx_clock_get_monotonic();
        if (now < before || now > after) {
            EXPECT(before <= now && now <= after);
            break;
        }
    }
    close_handle(clock);
}

/* --- updating --- */

TEST(clock_update_checks_arguments_before_the_handle) {
    zx_clock_update_args_v1_t args = {0};
    zx_handle_t clock = make_clock(0, 0), reader = copy_without(clock, ZX_RIGHT_WRITE);
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_clock_update(0, V1 | VALUE, NULL));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_clock_update(0, VALUE, &args));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_clock_update(0, ZX_CLOCK_ARGS_VERSION(3) | VALUE, &args));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_clock_update(0, V1, &args));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_clock_update(0, V1 | 16, &args));
    args.rate_adjust = 1001;
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_clock_update(0, V1 | RATE, &args));
    args.rate_adjust = -1001;
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_clock_update(0, V1 | RATE, &args));
    EXPECT_EQ(ZX_ERR_BAD_HANDLE, zx_clock_update(0, V1 | VALUE, &args));
    EXPECT_EQ(ZX_ERR_WRONG_TYPE, zx_clock_update(zx_process_self(), V1 | VALUE, &args));
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED, zx_clock_update(reader, V1 | VALUE, &args));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_clock_get_details(0, 0, &args));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_clock_get_details(0, V1, NULL));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_clock_get_details(0, V1 | 1, &args));
    close_handle(reader);
    close_handle(clock);
}

TEST(only_the_second_version_takes_a_reference_and_only_for_something) {
    zx_handle_t clock = make_clock(0, 0);
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, set_v1(clock, VALUE | REFERENCE, 5, 0, 0));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, set_v2(clock, REFERENCE, 5, 0, 0));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, set_v2(clock, REFERENCE | ERROR, 5, 0, 0));
    EXPECT_EQ(ZX_ERR_BAD_STATE, set_v2(clock, REFERENCE | RATE, 5, 0, 0));
    EXPECT_OK(set_v2(clock, VALUE | REFERENCE | RATE, 1000, 500, -100));
    zx_clock_details_v1_t details = details_of(clock);
    EXPECT_EQ(500, details.mono_to_synthetic.reference_offset);
    EXPECT_EQ(1000, details.mono_to_synthetic.synthetic_offset);
    EXPECT_EQ(999900, details.mono_to_synthetic.rate.synthetic_ticks);
    EXPECT_EQ(1000000, details.mono_to_synthetic.rate.reference_ticks);
    EXPECT_EQ(1000, details.ticks_to_synthetic.synthetic_offset);
    close_handle(clock);
}

TEST(a_plain_clock_may_go_back_and_a_monotonic_one_may_not) {
    zx_handle_t plain = make_clock(0, 100), monotonic = make_clock(MONOTONIC, 100);
    EXPECT_OK(set_v1(plain, VALUE, ZX_SEC(1000), 0, 0));
    EXPECT_OK(set_v1(plain, VALUE, 100, 0, 0));
    EXPECT(read_clock(plain) < ZX_SEC(1000));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, set_v1(plain, VALUE, 99, 0, 0));

    EXPECT_OK(set_v1(monotonic, VALUE, ZX_SEC(1000), 0, 0));
    zx_clock_details_v1_t before = details_of(monotonic);
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, set_v1(monotonic, VALUE, ZX_SEC(1000), 0, 0));
    zx_clock_details_v1_t after = details_of(monotonic);
    after.query_ticks = before.query_ticks;
    EXPECT_EQ(0, memcmp(&before, &after, sizeof before));
    EXPECT_OK(set_v1(monotonic, VALUE, ZX_SEC(2000), 0, 0));
    EXPECT(read_clock(monotonic) >= ZX_SEC(2000));
    /* The second version wants to know at which time the value holds. */
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, set_v2(monotonic, VALUE, ZX_SEC(9000), 0, 0));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, set_v2(monotonic, VALUE | RATE, ZX_SEC(9000), 0, 0));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, set_v2(monotonic, RATE | REFERENCE, 0, 0, 5));
    EXPECT_OK(set_v2(monotonic, RATE, 0, 0, 5));
    EXPECT_OK(set_v2(monotonic, VALUE | REFERENCE, ZX_SEC(9000), zx_clock_get_monotonic(), 0));
    close_handle(plain);
    close_handle(monotonic);
}

TEST(a_continuous_clock_is_only_slewed) {
    zx_handle_t clock = make_clock(CONTINUOUS, 0);
    EXPECT_OK(set_v1(clock, VALUE, ZX_SEC(5), 0, 0));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, set_v1(clock, VALUE, ZX_SEC(900), 0, 0));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, set_v1(clock, VALUE | RATE, ZX_SEC(900), 1, 0));
    EXPECT_OK(set_v1(clock, RATE, 0, 1000, 0));
    EXPECT_OK(set_v1(clock, RATE, 0, -1000, 0));
    EXPECT_OK(set_v1(clock, ERROR, 0, 0, 42));
    EXPECT_EQ(42, details_of(clock).error_bound);
    close_handle(clock);
}

TEST(the_rate_it_has_and_an_error_bound_leave_the_lines_alone) {
    zx_handle_t clock = make_clock(0, 0);
    EXPECT_OK(set_v1(clock, VALUE | RATE, 7, 250, 0));
    zx_clock_details_v1_t before = details_of(clock);
    EXPECT_OK(set_v1(clock, ERROR, 0, 0, 3));
    EXPECT_OK(set_v1(clock, RATE, 0, 250, 0));
    zx_clock_details_v1_t after = details_of(clock);
    EXPECT_EQ(0, memcmp(&before.ticks_to_synthetic, &after.ticks_to_synthetic, 48));
    EXPECT(after.generation_counter != before.generation_counter);
    EXPECT(after.last_error_bounds_update_ticks > before.last_value_update_ticks);
    EXPECT_OK(set_v1(clock, RATE, 0, 251, 0));
    after = details_of(clock);
    EXPECT_EQ(1000251, after.mono_to_synthetic.rate.synthetic_ticks);
    /* The value at the change is that of the old line. */
    EXPECT_EQ(evaluate(&before.ticks_to_synthetic, after.last_rate_adjust_update_ticks),
              after.ticks_to_synthetic.synthetic_offset);
    close_handle(clock);
}

TEST(what_is_read_lies_on_the_line_of_the_details) {
    static const int32_t rates[] = {-1000, -1, 0, 1, 333, 1000};
    zx_handle_t clock = make_clock(0, 0);
    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        REQUIRE_OK(set_v1(clock, VALUE | RATE, ZX_SEC(1) * (int64_t)i, rates[i], 0));
        zx_clock_details_v1_t before = details_of(clock);
        zx_time_t now = read_clock(clock);
        zx_clock_details_v1_t after = details_of(clock);
        EXPECT(evaluate(&before.ticks_to_synthetic, before.query_ticks) <= now);
        EXPECT(evaluate(&after.ticks_to_synthetic, after.query_ticks) >= now);
        EXPECT_EQ(before.last_value_update_ticks, before.ticks_to_synthetic.reference_offset);
    }
    close_handle(clock);
}

/* --- races --- */

static zx_handle_t raced;
static atomic_bool stop;
static atomic_int steps_back, torn;

static int keep_reading(void *unused) {
    zx_time_t last = 0;
    while (!atomic_load(&stop)) {
        zx_time_t now = 0;
        if (zx_clock_read(raced, &now) != ZX_OK || now < last)
            atomic_fetch_add(&steps_back, 1);
        last = now;
    }
    return 0;
}
/* Rate and error bound are always set together, to numbers that belong together. */
static int keep_looking(void *unused) {
    while (!atomic_load(&stop)) {
        zx_clock_details_v1_t details;
        if (zx_clock_get_details(raced, V1, &details) != ZX_OK)
            atomic_fetch_add(&torn, 1);
        else if (details.mono_to_synthetic.rate.synthetic_ticks != 1000000 + details.error_bound)
            atomic_fetch_add(&torn, 1);
    }
    return 0;
}

TEST(readers_never_see_half_an_update_nor_time_go_back) {
    thrd_t threads[2];
    raced = make_clock(CONTINUOUS, 0);
    EXPECT_OK(set_v1(raced, VALUE | RATE | ERROR, 0, 1, 1));
    REQUIRE_EQ(thrd_success, thrd_create(&threads[0], keep_reading, NULL));
    REQUIRE_EQ(thrd_success, thrd_create(&threads[1], keep_looking, NULL));
    for (int i = 0; i < 20000; i++) {
        int32_t rate = i * 7919 % 1000 + 1;
        if (set_v1(raced, RATE | ERROR, 0, rate, (uint64_t)rate) != ZX_OK)
            atomic_fetch_add(&torn, 1);
    }
    atomic_store(&stop, true);
    for (int i = 0; i < 2; i++)
        thrd_join(threads[i], NULL);
    EXPECT_EQ(0, atomic_load(&steps_back));
    EXPECT_EQ(0, atomic_load(&torn));
    close_handle(raced);
}
