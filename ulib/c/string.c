/*
 * string.c - string functions. memcpy, memmove, memset, memcmp, strlen, strnlen, strcmp,
 * strncmp and strchr are the kernel's (kernel/lib/string.c), built for user code.
 */
#include <strings.h>

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

void *memchr(const void *memory, int byte, size_t length) {
    const unsigned char *at = memory;
    for (; length > 0; length--, at++) {
        if (*at == (unsigned char)byte)
            return (void *)(uintptr_t)at;
    }
    return NULL;
}

void *memrchr(const void *memory, int byte, size_t length) {
    const unsigned char *bytes = memory;
    while (length > 0) {
        if (bytes[--length] == (unsigned char)byte)
            return (void *)(uintptr_t)(bytes + length);
    }
    return NULL;
}

void *mempcpy(void *restrict to, const void *restrict from, size_t length) {
    return (char *)memcpy(to, from, length) + length;
}

int bcmp(const void *a, const void *b, size_t length) { return memcmp(a, b, length); }

int strncasecmp(const char *a, const char *b, size_t max) {
    for (size_t i = 0; i < max; i++) {
        int difference = tolower((unsigned char)a[i]) - tolower((unsigned char)b[i]);
        if (difference != 0 || a[i] == '\0')
            return difference;
    }
    return 0;
}

int strcasecmp(const char *a, const char *b) { return strncasecmp(a, b, SIZE_MAX); }

char *strchrnul(const char *s, int c) {
    while (*s != '\0' && *s != (char)c)
        s++;
    return (char *)(uintptr_t)s;
}

char *strrchr(const char *s, int c) { return memrchr(s, c, strlen(s) + 1); }

char *strstr(const char *s, const char *part) {
    size_t length = strlen(part);
    for (;; s++) {
        if (strncmp(s, part, length) == 0)
            return (char *)(uintptr_t)s;
        if (*s == '\0')
            return NULL;
    }
}

static bool is_one_of(const char *set, char c) {
    for (; *set != '\0'; set++) {
        if (*set == c)
            return true;
    }
    return false;
}

size_t strspn(const char *s, const char *accepted) {
    size_t length = 0;
    while (s[length] != '\0' && is_one_of(accepted, s[length]))
        length++;
    return length;
}

size_t strcspn(const char *s, const char *rejected) {
    size_t length = 0;
    while (s[length] != '\0' && !is_one_of(rejected, s[length]))
        length++;
    return length;
}

char *strpbrk(const char *s, const char *wanted) {
    s += strcspn(s, wanted);
    return *s != '\0' ? (char *)(uintptr_t)s : NULL;
}

char *stpcpy(char *restrict to, const char *restrict from) {
    size_t length = strlen(from);
    memcpy(to, from, length + 1);
    return to + length;
}

char *strcpy(char *restrict to, const char *restrict from) {
    stpcpy(to, from);
    return to;
}

char *strncpy(char *restrict to, const char *restrict from, size_t max) {
    size_t length = strnlen(from, max);
    memcpy(to, from, length);
    memset(to + length, 0, max - length);
    return to;
}

char *strcat(char *restrict to, const char *restrict from) {
    stpcpy(to + strlen(to), from);
    return to;
}

char *strncat(char *restrict to, const char *restrict from, size_t max) {
    size_t begin = strlen(to), length = strnlen(from, max);
    memcpy(to + begin, from, length);
    to[begin + length] = '\0';
    return to;
}

size_t strlcpy(char *restrict to, const char *restrict from, size_t size) {
    size_t length = strlen(from);
    if (size > 0) {
        size_t copied = length < size ? length : size - 1;
        memcpy(to, from, copied);
        to[copied] = '\0';
    }
    return length;
}

size_t strlcat(char *restrict to, const char *restrict from, size_t size) {
    size_t begin = strnlen(to, size);
    return begin + strlcpy(to + begin, from, size - begin);
}

char *strtok_r(char *restrict s, const char *restrict separators, char **restrict rest) {
    if (!s)
        s = *rest;
    s += strspn(s, separators);
    if (*s == '\0') {
        *rest = s;
        return NULL;
    }
    char *end = s + strcspn(s, separators);
    *rest = *end != '\0' ? end + 1 : end;
    *end = '\0';
    return s;
}

char *strtok(char *restrict s, const char *restrict separators) {
    static char *rest;
    return strtok_r(s, separators, &rest);
}

char *strsep(char **s, const char *separators) {
    char *begin = *s;
    if (!begin)
        return NULL;
    char *end = strpbrk(begin, separators);
    if (end)
        *end++ = '\0';
    *s = end;
    return begin;
}

char *strndup(const char *s, size_t max) {
    size_t length = strnlen(s, max);
    char *copy = malloc(length + 1);
    if (copy) {
        memcpy(copy, s, length);
        copy[length] = '\0';
    }
    return copy;
}

char *strdup(const char *s) { return strndup(s, SIZE_MAX); }

char *strerror(int number) {
    static const struct {
        int number;
        const char *text;
    } texts[] = {
        {0, "Success"},          {EIO, "Input/output error"},
        {EBADF, "Bad stream"},   {EAGAIN, "Try again"},
        {ENOMEM, "Out of memory"}, {EBUSY, "Busy"},
        {EINVAL, "Invalid argument"}, {EPIPE, "The other end is closed"},
        {EDOM, "Argument out of domain"}, {ERANGE, "Result out of range"},
        {EILSEQ, "Illegal bytes"},
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (texts[i].number == number)
            return (char *)(uintptr_t)texts[i].text;
    }
    return (char *)(uintptr_t)"Unknown error";
}
