/*
 * string.c - memory and string routines of the kernel (not built for the host).
 *
 * Copies go by unaligned 64-bit words, eight at a time. What is left over is done by
 * words that end with the block, over some that were done already; less than four words
 * go one by one, their tail by bytes.
 * `no_builtin` keeps the compiler from turning a loop back into a call of the
 * function that contains it.
 */
#include "lib/string.h"

#undef memcpy
#undef memmove
#undef memset
#undef memcmp

#include <stdint.h>

#define NO_BUILTIN __attribute__((no_builtin))

struct __attribute__((packed, may_alias)) word {
    uint64_t value;
};
#define WORD (sizeof(uint64_t))

/* `count` words; forwards, and each is read before it is written. */
#define COPY_WORDS(to, from, count)                                                                \
    _Pragma("clang loop unroll(full)") for (size_t i = 0; i < (count); i++)                        \
        ((struct word *)(to))[i] = ((const struct word *)(from))[i]
#define FILL_WORDS(to, pattern, count)                                                             \
    _Pragma("clang loop unroll(full)") for (size_t i = 0; i < (count); i++)                        \
        ((struct word *)(to))[i] = (pattern)

NO_BUILTIN void *memcpy(void *restrict to, const void *restrict from, size_t length) {
    char *out = to, *end = out + length;
    const char *in = from, *in_end = in + length;

    if (length < 4 * WORD) {
        for (; length >= WORD; length -= WORD, out += WORD, in += WORD)
            COPY_WORDS(out, in, 1);
        while (length--)
            *out++ = *in++;
        return to;
    }
    for (; length >= 8 * WORD; length -= 8 * WORD, out += 8 * WORD, in += 8 * WORD)
        COPY_WORDS(out, in, 8);
    if (length > 4 * WORD)
        COPY_WORDS(out, in, 4);
    if (length > 0)
        COPY_WORDS(end - 4 * WORD, in_end - 4 * WORD, 4);
    return to;
}

/* From the end downwards, for a target that lies above and overlaps its source. */
NO_BUILTIN static void copy_backward(char *to, const char *from, size_t length) {
    for (; length >= WORD; length -= WORD)
        *(struct word *)(to + length - WORD) = *(const struct word *)(from + length - WORD);
    while (length--)
        to[length] = from[length];
}

NO_BUILTIN static void copy_forward(char *to, const char *from, size_t length) {
    for (; length >= WORD; length -= WORD, to += WORD, from += WORD)
        *(struct word *)to = *(const struct word *)from;
    while (length--)
        *to++ = *from++;
}

NO_BUILTIN void *memmove(void *to, const void *from, size_t length) {
    if ((uintptr_t)to - (uintptr_t)from < length)
        copy_backward(to, from, length);
    else
        copy_forward(to, from, length);
    return to;
}

NO_BUILTIN void *memset(void *to, int byte, size_t length) {
    char *out = to, *end = out + length;
    struct word pattern = {(uint8_t)byte * 0x0101010101010101u};

    if (length < 4 * WORD) {
        for (; length >= WORD; length -= WORD, out += WORD)
            FILL_WORDS(out, pattern, 1);
        while (length--)
            *out++ = (char)byte;
        return to;
    }
    for (; length >= 8 * WORD; length -= 8 * WORD, out += 8 * WORD)
        FILL_WORDS(out, pattern, 8);
    if (length > 4 * WORD)
        FILL_WORDS(out, pattern, 4);
    if (length > 0)
        FILL_WORDS(end - 4 * WORD, pattern, 4);
    return to;
}

NO_BUILTIN int memcmp(const void *a, const void *b, size_t length) {
    const unsigned char *left = a, *right = b;

    for (; length >= WORD; length -= WORD, left += WORD, right += WORD)
        if (((const struct word *)left)->value != ((const struct word *)right)->value)
            break;
    for (; length; length--, left++, right++)
        if (*left != *right)
            return *left < *right ? -1 : 1;
    return 0;
}

NO_BUILTIN size_t strnlen(const char *s, size_t max) {
    size_t length = 0;

    while (length < max && s[length])
        length++;
    return length;
}

NO_BUILTIN size_t strlen(const char *s) { return strnlen(s, SIZE_MAX); }

NO_BUILTIN int strncmp(const char *a, const char *b, size_t max) {
    for (size_t i = 0; i < max; i++) {
        unsigned char left = (unsigned char)a[i], right = (unsigned char)b[i];
        if (left != right)
            return left < right ? -1 : 1;
        if (left == '\0')
            return 0;
    }
    return 0;
}

NO_BUILTIN int strcmp(const char *a, const char *b) { return strncmp(a, b, SIZE_MAX); }

NO_BUILTIN char *strchr(const char *s, int c) {
    for (;; s++) {
        if (*s == (char)c)
            return (char *)s;
        if (*s == '\0')
            return NULL;
    }
}
