/*
 * string.h - memory and string routines of the kernel.
 *
 * The names are the C library's because the compiler emits calls to them; on
 * the host the C library's own are used instead of string.c.
 */
#pragma once

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t length);
void *memmove(void *to, const void *from, size_t length);
void *memset(void *to, int byte, size_t length);
int memcmp(const void *a, const void *b, size_t length);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t max);
char *strchr(const char *s, int c);

/*
 * Freestanding code gets no builtins by itself; with these a copy of a few bytes
 * that the compiler can count is a few moves. string.c undoes them.
 */
#define memcpy(to, from, length)  __builtin_memcpy(to, from, length)
#define memmove(to, from, length) __builtin_memmove(to, from, length)
#define memset(to, byte, length)  __builtin_memset(to, byte, length)
#define memcmp(a, b, length)      __builtin_memcmp(a, b, length)

/* Copy at most size - 1 bytes and terminate; returns the length copied. */
size_t string_copy(char *to, size_t size, const char *from);
