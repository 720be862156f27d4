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

/* Copy at most size - 1 bytes and terminate; returns the length copied. */
size_t string_copy(char *to, size_t size, const char *from);
