/*
 * time.c - seconds and nanoseconds since boot.
 */
#include <time.h>
#include <zircon/syscalls.h>

#define SECOND 1000000000L

int timespec_get(struct timespec *out, int base) {
    zx_time_t now = zx_clock_get_monotonic();
    if (base != TIME_UTC)
        return 0;
    *out = (struct timespec){.tv_sec = now / SECOND, .tv_nsec = now % SECOND};
    return base;
}

time_t time(time_t *out) {
    time_t seconds = zx_clock_get_monotonic() / SECOND;
    if (out)
        *out = seconds;
    return seconds;
}

clock_t clock(void) {
    zx_time_t used = 0;
    if (zx_clock_get(ZX_CLOCK_THREAD, &used) != ZX_OK)
        return -1;
    return used / (SECOND / CLOCKS_PER_SEC);
}
