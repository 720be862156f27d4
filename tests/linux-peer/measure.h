/*
 * How a row is measured and told.
 *
 * Every row is N samples; one sample is BATCH back-to-back operations bracketed
 * by clock_gettime(CLOCK_MONOTONIC) outside and rdtsc inside.  Figures are per
 * operation: (sample / BATCH).  Nothing is subtracted; `timer_overhead` is what
 * one empty sample costs, so (timer_overhead / BATCH) bounds the bias of a row.
 *
 * Results are kept in memory and printed once at the end, so that the serial
 * port's interrupts never fall inside a measurement.
 */
#pragma once

#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <time.h>

#define PAGE 4096UL
#define MAXS 20000		/* samples of one row, at most */

extern int64_t *sc, *st;	/* samples: clock ns, tsc ticks (MAP_SHARED) */

/* The environment's BSCALE and BONLY; the caller is init from now on. */
void measure_begin(void);
/* The memory for samples, all of it there from the start. */
void measure_room(void);
void pin(int cpu);

/* A line of what will be printed; all of it is printed now; and the machine restarts. */
void emit(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void flush_out(void);
_Noreturn void leave(void);
/* Something that cannot fail has failed: says so, with errno, and ends the run. */
_Noreturn void die(const char *what);

#define CK(expr)                                                               \
    __extension__({                                                        \
        __typeof__(expr) r_ = (expr);                                  \
        if (__builtin_expect(r_ == (__typeof__(expr))-1, 0))           \
            die(#expr);                                            \
        r_;                                                            \
    })

static inline int64_t tsc(void)
{
    uint32_t a, d;
    __asm__ volatile("rdtsc" : "=a"(a), "=d"(d) : : "memory");
    return (int64_t)(((uint64_t)d << 32) | a);
}

static inline int64_t clk(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* How many samples a row of n gets; whether it is wanted at all, or was asked for by name. */
int cnt(int n);
int want(const char *name);
int asked_for(const char *name);

/* Least, median and mean of v per operation; v is sorted afterwards. */
void stat3(int64_t *v, int n, double batch, double o[3]);
void emit_row(const char *name, const double c[3], const double t[3], int n, int batch);
/* The row of the first n samples. */
void report(const char *name, int n, int batch);

#define T0 int64_t c0_ = clk(), t0_ = tsc()
#define T1(i)                                                                  \
    do {                                                                   \
        int64_t t1_ = tsc(), c1_ = clk();                              \
        st[i] = t1_ - t0_;                                             \
        sc[i] = c1_ - c0_;                                             \
    } while (0)

#define BENCH(NAME, N, BATCH, ...)                                             \
    do {                                                                   \
        if (want(NAME)) {                                              \
            int n_ = cnt(N), w_ = n_ / 10 + 8;                     \
            for (int i_ = -w_; i_ < n_; i_++) {                    \
                T0;                                            \
                for (int b_ = 0; b_ < (BATCH); b_++) {         \
                    __VA_ARGS__;                           \
                }                                              \
                T1(i_ < 0 ? 0 : i_);                           \
            }                                                      \
            report(NAME, n_, BATCH);                               \
        }                                                              \
    } while (0)
