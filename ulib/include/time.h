/*
 * time.h - the times that <threads.h> takes, and the time since boot.
 */
#pragma once

#include <stddef.h>

typedef long time_t;
typedef long clock_t;
struct timespec {
    time_t tv_sec;
    long tv_nsec;
};

#define TIME_UTC       1
#define CLOCKS_PER_SEC 1000000L

/* There is no calendar yet: TIME_UTC counts from boot, as the deadlines of <threads.h> do. */
int timespec_get(struct timespec *out, int base);
time_t time(time_t *out);
clock_t clock(void);
