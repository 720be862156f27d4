/*
 * printf.c - formatted text into memory. The formatter is the kernel's (lib/fmt.h).
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/fmt.h"

static int as_result(size_t length) { return length <= INT_MAX ? (int)length : -1; }

int vsnprintf(char *restrict buffer, size_t size, const char *restrict format, va_list args) {
    return as_result(fmt_vformat(buffer, size, format, args));
}

int snprintf(char *restrict buffer, size_t size, const char *restrict format, ...) {
    va_list args;
    va_start(args, format);
    int length = vsnprintf(buffer, size, format, args);
    va_end(args);
    return length;
}

int vsprintf(char *restrict buffer, const char *restrict format, va_list args) {
    return vsnprintf(buffer, INT_MAX, format, args);
}

int sprintf(char *restrict buffer, const char *restrict format, ...) {
    va_list args;
    va_start(args, format);
    int length = vsprintf(buffer, format, args);
    va_end(args);
    return length;
}

int vasprintf(char **restrict out, const char *restrict format, va_list args) {
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    *out = length >= 0 ? malloc((size_t)length + 1) : NULL;
    return *out ? vsnprintf(*out, (size_t)length + 1, format, args) : -1;
}

int asprintf(char **restrict out, const char *restrict format, ...) {
    va_list args;
    va_start(args, format);
    int length = vasprintf(out, format, args);
    va_end(args);
    return length;
}
