/*
 * string_copy.c - the one string routine that no C library brings; built for the
 * host too.
 */
#include "lib/string.h"

size_t string_copy(char *to, size_t size, const char *from) {
    if (size == 0)
        return 0;
    size_t length = strnlen(from, size - 1);
    memcpy(to, from, length);
    to[length] = '\0';
    return length;
}
