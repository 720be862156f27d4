/*
 * ulib_under_test.h - what tests/host/ulib_test.c may call of the user library.
 */
#pragma once

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where the library goes instead of ending the program, and what it said. */
struct ulib_failure {
    jmp_buf back;
    char text[128];
};
extern struct ulib_failure ulib_failure;
/* Bytes that malloc has mapped. */
extern size_t ulib_mapped;

long long ulib_strtoll(const char *s, char **end, int base);
unsigned long long ulib_strtoull(const char *s, char **end, int base);

void ulib_qsort(void *base, size_t count, size_t size, int (*compare)(const void *, const void *));
void *ulib_bsearch(const void *key, const void *base, size_t count, size_t size,
                   int (*compare)(const void *, const void *));

int ulib_isalnum(int c);
int ulib_isalpha(int c);
int ulib_isblank(int c);
int ulib_iscntrl(int c);
int ulib_isdigit(int c);
int ulib_isgraph(int c);
int ulib_islower(int c);
int ulib_isprint(int c);
int ulib_ispunct(int c);
int ulib_isspace(int c);
int ulib_isupper(int c);
int ulib_isxdigit(int c);
int ulib_tolower(int c);
int ulib_toupper(int c);

void *ulib_malloc(size_t size);
void *ulib_calloc(size_t count, size_t size);
void *ulib_realloc(void *block, size_t size);
void *ulib_aligned_alloc(size_t alignment, size_t size);
void ulib_free(void *block);

char *ulib_strstr(const char *s, const char *part);
char *ulib_strrchr(const char *s, int c);
size_t ulib_strspn(const char *s, const char *accepted);
size_t ulib_strcspn(const char *s, const char *rejected);
int ulib_strncasecmp(const char *a, const char *b, size_t max);
void *ulib_memchr(const void *memory, int byte, size_t length);
char *ulib_strtok_r(char *s, const char *separators, char **rest);
char *ulib_strncpy(char *to, const char *from, size_t max);
size_t ulib_strlcpy(char *to, const char *from, size_t size);
size_t ulib_strlcat(char *to, const char *from, size_t size);
