/*
 * stdlib.h - memory, numbers, sorting, and the end of the program.
 */
#pragma once

#include <stddef.h>

#define EXIT_SUCCESS 0
#define EXIT_FAILURE 1
#define RAND_MAX     0x7fffffff

typedef struct {
    int quot, rem;
} div_t;
typedef struct {
    long quot, rem;
} ldiv_t;
typedef struct {
    long long quot, rem;
} lldiv_t;

void *malloc(size_t size) __attribute__((malloc, alloc_size(1)));
void *calloc(size_t count, size_t size) __attribute__((malloc, alloc_size(1, 2)));
void *realloc(void *block, size_t size) __attribute__((alloc_size(2)));
void *reallocarray(void *block, size_t count, size_t size) __attribute__((alloc_size(2, 3)));
void *aligned_alloc(size_t alignment, size_t size) __attribute__((malloc, alloc_size(2)));
int posix_memalign(void **out_block, size_t alignment, size_t size);
void free(void *block);

/* Flushes the streams, runs what atexit was given; the kernel keeps the low 8 bits or more. */
void exit(int code) __attribute__((noreturn));
void _Exit(int code) __attribute__((noreturn));
void quick_exit(int code) __attribute__((noreturn));
/* Ends the process by an exception, so that it leaves a crash report. */
void abort(void) __attribute__((noreturn));
int atexit(void (*function)(void));
int at_quick_exit(void (*function)(void));

char *getenv(const char *name);

int atoi(const char *s);
long atol(const char *s);
long long atoll(const char *s);
long strtol(const char *restrict s, char **restrict end, int base);
unsigned long strtoul(const char *restrict s, char **restrict end, int base);
long long strtoll(const char *restrict s, char **restrict end, int base);
unsigned long long strtoull(const char *restrict s, char **restrict end, int base);

int abs(int value);
long labs(long value);
long long llabs(long long value);
div_t div(int a, int b);
ldiv_t ldiv(long a, long b);
lldiv_t lldiv(long long a, long long b);

int rand(void);
void srand(unsigned seed);

void qsort(void *base, size_t count, size_t size, int (*compare)(const void *, const void *));
void *bsearch(const void *key, const void *base, size_t count, size_t size,
              int (*compare)(const void *, const void *));
