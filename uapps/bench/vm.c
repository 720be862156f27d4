/*
 * vm.c - mapping, faults, reading and writing. The rows that are counted per page work
 * on all of 16 MiB in each sample, so that page tables and fault-around are in the figure.
 */
#include <zircon/process.h>
#include <zircon/syscalls.h>

#include "bench/bench.h"

#define BIG_SAMPLES 5

#define READ_WRITE (ZX_VM_PERM_READ | ZX_VM_PERM_WRITE)

ROW(map_unmap_1page) {
    zx_handle_t vmo = vmo_committed(PAGE), root = zx_vmar_root_self();
    zx_vaddr_t address;
    MEASURE(32, CHECK(zx_vmar_map(root, READ_WRITE, 0, vmo, 0, PAGE, &address));
            CHECK(zx_vmar_unmap(root, address, PAGE)));
    CHECK(zx_handle_close(vmo));
}

ROW(map_touch_unmap_1page) {
    zx_handle_t vmo = vmo_committed(PAGE), root = zx_vmar_root_self();
    zx_vaddr_t address;
    MEASURE(32, CHECK(zx_vmar_map(root, READ_WRITE, 0, vmo, 0, PAGE, &address));
            *(volatile uint8_t *)address = 1; CHECK(zx_vmar_unmap(root, address, PAGE)));
    CHECK(zx_handle_close(vmo));
}

static uint8_t buffer[PAGE] __attribute__((aligned(PAGE)));

ROW(vmo_read_4k) {
    zx_handle_t vmo = vmo_committed(PAGE);
    MEASURE(32, CHECK(zx_vmo_read(vmo, buffer, 0, PAGE)));
    CHECK(zx_handle_close(vmo));
}

ROW(vmo_write_4k) {
    zx_handle_t vmo = vmo_committed(PAGE);
    MEASURE(32, CHECK(zx_vmo_write(vmo, buffer, 0, PAGE)));
    CHECK(zx_handle_close(vmo));
}

/* Ticks of a first write to each page of 16 MiB; and of the unmapping after it. */
static int64_t touch_all(zx_handle_t vmo, int64_t *out_unmap) {
    uintptr_t address = map_whole(vmo, BIG);
    int64_t begin = ticks();
    touch_pages(address, BIG, 1);
    int64_t end = ticks();
    unmap(address, BIG);
    *out_unmap = ticks() - end;
    CHECK(zx_handle_close(vmo));
    return end - begin;
}

/* The row's figure is that of touching, or of unmapping, per page. */
static void measure_touch(zx_handle_t (*make)(size_t size), bool unmapping) {
    int64_t touched, unmapped;
    (void)touch_all(make(BIG), &unmapped);
    samples_begin(BIG_SAMPLES);
    while (samples_wanted()) {
        touched = touch_all(make(BIG), &unmapped);
        sample_add(unmapping ? unmapped : touched);
    }
    row_result(samples_median(BIG_PAGES));
}

ROW(fault_touch) { measure_touch(vmo_new, false); }
ROW(fault_committed) { measure_touch(vmo_committed, false); }
ROW(unmap_committed) { measure_touch(vmo_committed, true); }

ROW(commit) {
    samples_begin(BIG_SAMPLES);
    while (samples_wanted()) {
        zx_handle_t vmo = vmo_new(BIG);
        int64_t start = ticks();
        CHECK(zx_vmo_op_range(vmo, ZX_VMO_OP_COMMIT, 0, BIG, NULL, 0));
        sample_add(ticks() - start);
        CHECK(zx_handle_close(vmo));
    }
    row_result(samples_median(BIG_PAGES));
}
