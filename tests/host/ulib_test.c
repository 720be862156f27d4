/*
 * ulib_test.c - parts of the user library, on the host: against the C library where
 * that has the same function, else by what their headers promise.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zircon/processargs.h>

#include "host/ulib_under_test.h"
#include "lib/ktest.h"
#include "zx/start.h"

static uint64_t seed = 0x13198a2e03707344;

static uint64_t draw(uint64_t below) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (seed >> 11) % below;
}

/* --- numbers --- */

static void compare_numbers(const char *text, int base) {
    char *end, *ulib_end;
    errno = 0;
    long long want = strtoll(text, &end, base);
    int want_errno = errno == ERANGE ? ERANGE : 0;
    errno = 0;
    long long got = ulib_strtoll(text, &ulib_end, base);
    if (want != got || end != ulib_end || want_errno != (errno == ERANGE ? ERANGE : 0))
        ktest_fail(__FILE__, __LINE__, "strtoll(\"%s\", %d) is %lld", text, base, got);
    errno = 0;
    unsigned long long want_unsigned = strtoull(text, &end, base);
    want_errno = errno == ERANGE ? ERANGE : 0;
    errno = 0;
    unsigned long long got_unsigned = ulib_strtoull(text, &ulib_end, base);
    if (want_unsigned != got_unsigned || end != ulib_end ||
        want_errno != (errno == ERANGE ? ERANGE : 0))
        ktest_fail(__FILE__, __LINE__, "strtoull(\"%s\", %d) is %llu", text, base, got_unsigned);
}

KTEST(ulib, numbers_are_read_as_the_c_library_reads_them) {
    static const char *const texts[] = {
        "", "-", "+", "0", "0x", "0X1f", "0xg", "  \t\n12", "-12x", "+077", "08", "zz", "1e5",
        "9223372036854775807", "9223372036854775808", "-9223372036854775808",
        "-9223372036854775809", "18446744073709551615", "18446744073709551616",
        "-18446744073709551615", "99999999999999999999999999", "0x7fffffffffffffffff", "- 5",
        "--5", "0b101",
    };
    static const int bases[] = {0, 2, 8, 10, 16, 36};
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        for (size_t j = 0; j < ARRAY_SIZE(bases); j++)
            compare_numbers(texts[i], bases[j]);
}

KTEST(ulib, random_digits_are_read_alike_in_every_base) {
    static const char alphabet[] = "0123456789abcdefxXzZ+- ";
    for (int round = 0; round < 20000; round++) {
        char text[32];
        size_t length = draw(sizeof text - 1);
        for (size_t i = 0; i < length; i++)
            text[i] = alphabet[draw(sizeof alphabet - 1)];
        text[length] = '\0';
        compare_numbers(text, (int)(draw(8) == 0 ? 0 : 2 + draw(35)));
    }
}

/* --- sorting --- */

static int compare_keys(const void *a, const void *b) {
    return (*(const int *)a > *(const int *)b) - (*(const int *)a < *(const int *)b);
}

KTEST(ulib, qsort_orders_arrays_of_all_lengths_and_bsearch_finds_in_them) {
    for (size_t count = 0; count < 70; count++) {
        int ours[70], theirs[70];
        for (size_t i = 0; i < count; i++)
            ours[i] = theirs[i] = (int)draw(40);
        ulib_qsort(ours, count, sizeof ours[0], compare_keys);
        qsort(theirs, count, sizeof theirs[0], compare_keys);
        EXPECT(memcmp(ours, theirs, count * sizeof ours[0]) == 0);
        for (int key = -1; key < 41; key++) {
            const int *found = ulib_bsearch(&key, ours, count, sizeof ours[0], compare_keys);
            EXPECT_EQ(bsearch(&key, theirs, count, sizeof theirs[0], compare_keys) != NULL,
                      found != NULL);
            EXPECT(!found || *found == key);
        }
    }
}

static int compare_first_bytes(const void *a, const void *b) { return memcmp(a, b, 1); }

KTEST(ulib, qsort_moves_elements_whole_whatever_their_size) {
    for (size_t size = 1; size < 40; size++) {
        unsigned char elements[20 * 40];
        for (size_t i = 0; i < 20; i++)
            memset(elements + i * size, (int)draw(256), size);
        ulib_qsort(elements, 20, size, compare_first_bytes);
        for (size_t i = 0; i < 20 * size; i++)
            EXPECT_EQ(elements[i / size * size], elements[i]);
        for (size_t i = 1; i < 20; i++)
            EXPECT(elements[(i - 1) * size] <= elements[i * size]);
    }
}

/* --- characters and strings --- */

KTEST(ulib, kinds_of_characters_are_those_of_ascii) {
    for (int c = -1; c < 128; c++) {
        EXPECT_EQ(!!isalnum(c), !!ulib_isalnum(c));
        EXPECT_EQ(!!isalpha(c), !!ulib_isalpha(c));
        EXPECT_EQ(!!isblank(c), !!ulib_isblank(c));
        EXPECT_EQ(!!iscntrl(c), !!ulib_iscntrl(c));
        EXPECT_EQ(!!isdigit(c), !!ulib_isdigit(c));
        EXPECT_EQ(!!isgraph(c), !!ulib_isgraph(c));
        EXPECT_EQ(!!islower(c), !!ulib_islower(c));
        EXPECT_EQ(!!isprint(c), !!ulib_isprint(c));
        EXPECT_EQ(!!ispunct(c), !!ulib_ispunct(c));
        EXPECT_EQ(!!isspace(c), !!ulib_isspace(c));
        EXPECT_EQ(!!isupper(c), !!ulib_isupper(c));
        EXPECT_EQ(!!isxdigit(c), !!ulib_isxdigit(c));
        EXPECT_EQ(tolower(c), ulib_tolower(c));
        EXPECT_EQ(toupper(c), ulib_toupper(c));
    }
}

static void random_text(char *text, size_t size) {
    size_t length = draw(size);
    for (size_t i = 0; i < length; i++)
        text[i] = (char)('a' + draw(3));
    text[length] = '\0';
}

static int sign(int value) { return (value > 0) - (value < 0); }

KTEST(ulib, searches_in_strings_find_what_the_c_library_finds) {
    for (int round = 0; round < 20000; round++) {
        char text[24], part[5];
        random_text(text, sizeof text);
        random_text(part, sizeof part);
        EXPECT(strstr(text, part) == ulib_strstr(text, part));
        EXPECT(strrchr(text, 'b') == ulib_strrchr(text, 'b'));
        EXPECT(strrchr(text, '\0') == ulib_strrchr(text, '\0'));
        EXPECT(memchr(text, 'c', sizeof part) == ulib_memchr(text, 'c', sizeof part));
        EXPECT_EQ(strspn(text, part), ulib_strspn(text, part));
        EXPECT_EQ(strcspn(text, part), ulib_strcspn(text, part));
        EXPECT_EQ(sign(strncasecmp(text, part, 3)), sign(ulib_strncasecmp(text, part, 3)));
    }
}

KTEST(ulib, strtok_cuts_strings_like_the_c_library) {
    for (int round = 0; round < 2000; round++) {
        char ours[24], theirs[24], *our_rest = NULL, *their_rest = NULL;
        random_text(ours, sizeof ours);
        strcpy(theirs, ours);
        char *want = strtok_r(theirs, "b", &their_rest);
        char *got = ulib_strtok_r(ours, "b", &our_rest);
        for (; want && got; want = strtok_r(NULL, "b", &their_rest),
                            got = ulib_strtok_r(NULL, "b", &our_rest))
            EXPECT(strcmp(want, got) == 0);
        EXPECT(!want && !got);
    }
}

KTEST(ulib, bounded_copies_terminate_and_tell_the_whole_length) {
    char text[8] = "xxxxxxx";
    EXPECT_EQ(5, ulib_strlcpy(text, "hello", 4));
    EXPECT(strcmp(text, "hel") == 0);
    EXPECT_EQ(6, ulib_strlcat(text, "lo!", 8));
    EXPECT(strcmp(text, "hello!") == 0);
    EXPECT_EQ(9, ulib_strlcat(text, "abc", 8));
    EXPECT(strcmp(text, "hello!a") == 0);
    ulib_strncpy(text, "ab", sizeof text);
    EXPECT(memcmp(text, "ab\0\0\0\0\0", 8) == 0);
}

/* --- malloc --- */

#define SLOTS 64

struct slot {
    unsigned char *block;
    size_t size, alignment;
    unsigned char fill;
};

static void check_slot(const struct slot *slot) {
    for (size_t i = 0; i < slot->size; i++) {
        if (slot->block[i] != slot->fill) {
            ktest_fail(__FILE__, __LINE__, "byte %zu of %zu has changed", i, slot->size);
            return;
        }
    }
}

static size_t random_size(void) { return draw(8) == 0 ? draw(100000) : draw(600); }

static void fill_slot(struct slot *slot) {
    EXPECT_EQ(0, (uintptr_t)slot->block % slot->alignment);
    slot->fill = (unsigned char)draw(256);
    memset(slot->block, slot->fill, slot->size);
}

static void change_slot(struct slot *slot) {
    check_slot(slot);
    size_t size = random_size(), old = slot->size;
    switch (draw(4)) {
    case 0:
        slot->block = ulib_realloc(slot->block, size);
        slot->size = size;
        slot->alignment = 16;
        REQUIRE(slot->block != NULL);
        struct slot kept = *slot;
        kept.size = size < old ? size : old;
        check_slot(&kept);
        break;
    case 1:
        ulib_free(slot->block);
        *slot = (struct slot){.block = ulib_calloc(size, 1), .size = size, .alignment = 16};
        REQUIRE(slot->block != NULL);
        check_slot(slot);
        break;
    case 2:
        ulib_free(slot->block);
        *slot = (struct slot){.size = size, .alignment = (size_t)16 << draw(9)};
        slot->block = ulib_aligned_alloc(slot->alignment, size);
        break;
    default:
        ulib_free(slot->block);
        *slot = (struct slot){.block = ulib_malloc(size), .size = size, .alignment = 16};
    }
    REQUIRE(slot->block != NULL);
    fill_slot(slot);
}

KTEST(ulib, malloc_keeps_blocks_apart_through_a_long_random_life) {
    struct slot slots[SLOTS] = {0};
    for (size_t i = 0; i < SLOTS; i++)
        slots[i].alignment = 16;
    if (setjmp(ulib_failure.back)) {
        ktest_fail(__FILE__, __LINE__, "malloc complains: %s", ulib_failure.text);
        return;
    }
    for (int round = 0; round < 30000; round++)
        change_slot(&slots[draw(SLOTS)]);
    for (size_t i = 0; i < SLOTS; i++)
        ulib_free(slots[i].block);
}

KTEST(ulib, malloc_reuses_small_blocks_and_unmaps_large_ones) {
    ulib_free(ulib_malloc(500));
    size_t before = ulib_mapped;
    for (int round = 0; round < 10000; round++)
        ulib_free(ulib_malloc(500));
    EXPECT_EQ(before, ulib_mapped);
    void *large = ulib_malloc(1000000);
    EXPECT(ulib_mapped > before);
    ulib_free(large);
    EXPECT_EQ(before, ulib_mapped);
}

KTEST(ulib, malloc_refuses_absurd_sizes) {
    errno = 0;
    EXPECT(ulib_malloc(SIZE_MAX) == NULL);
    EXPECT_EQ(ENOMEM, errno);
    EXPECT(ulib_malloc(SIZE_MAX - 20) == NULL);
    EXPECT(ulib_calloc(SIZE_MAX / 2, 3) == NULL);
    EXPECT(ulib_aligned_alloc(64, SIZE_MAX - 10) == NULL);
    EXPECT(ulib_aligned_alloc(48, 10) == NULL);
}

typedef void mistake(unsigned char *block);
static void free_twice(unsigned char *block) {
    ulib_free(block);
    ulib_free(block);
}
static void write_past_end(unsigned char *block) {
    block[100] ^= 1;
    ulib_free(block);
}
static void write_before_begin(unsigned char *block) {
    block[-1] ^= 1;
    ulib_free(block);
}
static void free_the_middle(unsigned char *block) { ulib_free(block + 16); }
static void free_misaligned(unsigned char *block) { ulib_free(block + 1); }
static void grow_freed(unsigned char *block) {
    ulib_free(block);
    block = ulib_realloc(block, 200);
}

KTEST(ulib, malloc_names_the_mistake_that_a_program_made) {
    static const struct {
        mistake *make;
        const char *part;
    } mistakes[] = {
        {free_twice, "freed already"},       {write_past_end, "written past its end"},
        {write_before_begin, "overwritten"}, {free_the_middle, "not a block"},
        {free_misaligned, "not a block"},    {grow_freed, "freed already"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(mistakes); i++) {
        ulib_failure.text[0] = '\0';
        unsigned char *block = ulib_malloc(100);
        memset(block, 0, 100);
        if (setjmp(ulib_failure.back) == 0)
            mistakes[i].make(block);
        if (!strstr(ulib_failure.text, mistakes[i].part))
            ktest_fail(__FILE__, __LINE__, "mistake %zu: \"%s\"", i, ulib_failure.text);
    }
}

/* --- the start message --- */

struct sample {
    zx_proc_args_t header;
    uint32_t infos[2];
    char strings[16];
};

static struct sample make_sample(void) {
    struct sample sample = {
        .header = {.protocol = ZX_PROCARGS_PROTOCOL,
                   .version = ZX_PROCARGS_VERSION,
                   .handle_info_off = offsetof(struct sample, infos),
                   .args_off = offsetof(struct sample, strings),
                   .args_num = 2,
                   .environ_off = offsetof(struct sample, strings) + 5,
                   .environ_num = 1},
        .infos = {PA_HND(PA_PROC_SELF, 0), PA_HND(PA_FD, 2)},
    };
    memcpy(sample.strings, "ls\0a\0X=1\0", 9);
    return sample;
}

KTEST(ulib, a_start_message_gives_arguments_environment_and_handles) {
    struct sample sample = make_sample();
    struct start_args args;
    char *vector[3];
    REQUIRE(start_parse(&sample, sizeof sample, 2, &args));
    EXPECT_EQ(2, args.handle_count);
    EXPECT_EQ(PA_HND(PA_FD, 2), args.infos[1]);
    start_fill_vector(args.args, args.argc, vector);
    EXPECT(strcmp(vector[0], "ls") == 0 && strcmp(vector[1], "a") == 0 && !vector[2]);
    start_fill_vector(args.environment, args.envc, vector);
    EXPECT(strcmp(vector[0], "X=1") == 0 && !vector[1]);
}

/* Each copy is exactly as large as the message, so a read beyond it is found. */
static bool parses(const struct sample *sample, size_t size, uint32_t handle_count) {
    struct start_args args;
    void *copy = malloc(size > 0 ? size : 1);
    memcpy(copy, sample, size);
    bool result = start_parse(copy, size, handle_count, &args);
    free(copy);
    return result;
}

KTEST(ulib, a_start_message_that_is_cut_or_lies_is_refused) {
    struct sample sample = make_sample();
    size_t whole = offsetof(struct sample, strings) + 9;
    EXPECT(parses(&sample, whole, 2));
    for (size_t size = 0; size < whole; size++)
        EXPECT(!parses(&sample, size, 2));
    EXPECT(!parses(&sample, whole, 60));
    for (size_t field = 0; field < sizeof sample.header / 4; field++) {
        for (int round = 0; round < 200; round++) {
            struct sample hostile = sample;
            ((uint32_t *)&hostile.header)[field] = (uint32_t)(draw(2) ? draw(64) : draw(1ul << 32));
            (void)parses(&hostile, whole, 2);
        }
    }
}
