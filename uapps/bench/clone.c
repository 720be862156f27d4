/*
 * clone.c - snapshots, and the writes that end their sharing.
 */
#include <zircon/process.h>
#include <zircon/syscalls.h>

#include "bench/bench.h"

#define BIG_SAMPLES   5
#define SPARSE_STRIDE 64
#define GIBIBYTE      MIB(1024)

ROW(vmo_clone_16MiB) {
    zx_handle_t vmo = vmo_committed(BIG);
    MEASURE(16, CHECK(zx_handle_close(snapshot(vmo, BIG))));
    CHECK(zx_handle_close(vmo));
}

/* All pages are writable in the mapping again before each sample. */
ROW_ALONE(vmo_clone_1GiB_mapped) {
    zx_handle_t vmo = vmo_committed(GIBIBYTE);
    uintptr_t address = map_whole(vmo, GIBIBYTE);
    samples_begin(3);
    while (samples_wanted()) {
        touch_pages(address, GIBIBYTE, 1);
        int64_t start = ticks();
        CHECK(zx_handle_close(snapshot(vmo, GIBIBYTE)));
        sample_add(ticks() - start);
    }
    row_result(samples_median(1));
    unmap(address, GIBIBYTE);
    CHECK(zx_handle_close(vmo));
}

/* One sample: writes to every `stride`th page, while a clone shares them or after it has gone. */
static int64_t write_cloned(zx_handle_t vmo, uintptr_t address, size_t stride, bool shared) {
    touch_pages(address, BIG, 1);
    zx_handle_t clone = snapshot(vmo, BIG);
    if (!shared)
        CHECK(zx_handle_close(clone));
    int64_t start = ticks();
    touch_pages(address, BIG, stride);
    int64_t end = ticks();
    if (shared)
        CHECK(zx_handle_close(clone));
    return end - start;
}

static void measure_cow(size_t stride, bool shared) {
    zx_handle_t vmo = vmo_committed(BIG);
    uintptr_t address = map_whole(vmo, BIG);
    (void)write_cloned(vmo, address, stride, shared);
    samples_begin(BIG_SAMPLES);
    while (samples_wanted())
        sample_add(write_cloned(vmo, address, stride, shared));
    row_result(samples_median((int64_t)(BIG_PAGES / stride)));
    unmap(address, BIG);
    CHECK(zx_handle_close(vmo));
}

ROW(cow_write) { measure_cow(1, true); }
ROW(cow_write_sparse) { measure_cow(SPARSE_STRIDE, true); }
ROW(cow_reuse) { measure_cow(1, false); }
