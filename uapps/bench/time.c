/*
 * time.c - entering the kernel, and the clock.
 */
#include <zircon/syscalls.h>

#include "bench/bench.h"

ROW(null_syscall) { MEASURE(64, (void)zx_handle_close(ZX_HANDLE_INVALID)); }

ROW(clock_get_vdso) { MEASURE(64, (void)zx_clock_get_monotonic()); }

ROW(clock_get_syscall) {
    zx_time_t now;
    MEASURE(64, CHECK(zx_clock_get(ZX_CLOCK_MONOTONIC, &now)));
}
