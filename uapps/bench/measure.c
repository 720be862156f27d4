/*
 * measure.c - samples, and their median.
 */
#include <stdlib.h>
#include <zircon/syscalls.h>

#include "bench/bench.h"

#define SAMPLES_MAX 512

static int64_t samples[SAMPLES_MAX];
static unsigned count, limit;

int64_t ticks(void) { return zx_ticks_get(); }

void samples_begin(unsigned wanted) {
    count = 0;
    limit = wanted < SAMPLES_MAX ? wanted : SAMPLES_MAX;
}

bool samples_wanted(void) { return count < limit; }

void sample_add(int64_t ticks) {
    if (count < limit)
        samples[count++] = ticks;
}

static int compare(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

int64_t samples_median(int64_t operations) {
    qsort(samples, count, sizeof samples[0], compare);
    return (samples[count / 2] + operations / 2) / operations;
}
