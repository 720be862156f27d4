/*
 * curve_clones.c - clones against the size of what they copy, the length of the chain
 * they stand at the end of, and the number of their siblings.
 */
#include <zircon/process.h>
#include <zircon/syscalls.h>

#include "bench/curves.h"

#define SAMPLES     11
#define GIB         ((uint64_t)1 << 30)
#define LEAF        ((uint64_t)64 * PAGE) /* what one node of a page map covers */
#define READ_OFFSET (SAMPLES * LEAF)
#define SPARE       ((int64_t)MIB(96))
#define RELATIVES   100000

static uint8_t buffer[PAGE] __attribute__((aligned(PAGE)));
static zx_handle_t relatives[RELATIVES];

static int64_t cost_of_close(zx_handle_t vmo, size_t size) {
    samples_begin(SAMPLES);
    while (samples_wanted()) {
        zx_handle_t clone = snapshot(vmo, size);
        int64_t start = ticks();
        CHECK(zx_handle_close(clone));
        sample_add(ticks() - start);
    }
    return samples_median(1);
}

static int64_t cost_of_clone(zx_handle_t vmo, size_t size) {
    samples_begin(SAMPLES);
    while (samples_wanted()) {
        int64_t start = ticks();
        zx_handle_t clone = snapshot(vmo, size);
        sample_add(ticks() - start);
        CHECK(zx_handle_close(clone));
    }
    return samples_median(1);
}

static int64_t cost_of_read(zx_handle_t vmo) {
    return COST(SAMPLES, 8, CHECK(zx_vmo_read(vmo, buffer, READ_OFFSET, PAGE)));
}

/*
 * Writes, each of one whole page in a leaf of its own, that nobody wrote to since the
 * clone: the page, its leaf and the first time the root are copied.
 */
static int64_t cost_of_first_write(zx_handle_t vmo, uint64_t offset) {
    samples_begin(SAMPLES);
    while (samples_wanted()) {
        int64_t start = ticks();
        CHECK(zx_vmo_write(vmo, buffer, offset, PAGE));
        sample_add(ticks() - start);
        offset += LEAF;
    }
    return samples_median(1);
}

/* ---- Size ---- */

/* The first and the last page and one in every 2 MiB between them. */
static void commit_sparsely(zx_handle_t vmo, uint64_t size) {
    for (uint64_t offset = 0; offset < size; offset += MIB(2))
        CHECK(zx_vmo_write(vmo, buffer, offset, PAGE));
    CHECK(zx_vmo_write(vmo, buffer, size - PAGE, PAGE));
}

/* All pages are writable in the mapping before each sample. */
static int64_t cost_of_clone_mapped(zx_handle_t vmo, uint64_t size, size_t stride) {
    uintptr_t address = map_whole(vmo, size);
    samples_begin(3);
    while (samples_wanted()) {
        touch_pages(address, size, stride);
        int64_t start = ticks();
        CHECK(zx_handle_close(snapshot(vmo, size)));
        sample_add(ticks() - start);
    }
    unmap(address, size);
    return samples_median(1);
}

static int64_t heap_of_clone(zx_handle_t vmo, uint64_t size) {
    int64_t before = heap_in_use();
    zx_handle_t clone = snapshot(vmo, size);
    int64_t after = heap_in_use();
    CHECK(zx_handle_close(clone));
    return after - before;
}

static void measure_size(uint64_t size) {
    bool dense = (int64_t)size < memory_free() - SPARE;
    zx_handle_t vmo = dense ? vmo_committed(size) : vmo_new(size);
    if (!dense)
        commit_sparsely(vmo, size);
    point("committed", size, dense);
    point("clone", size, cost_of_clone(vmo, size));
    point("close", size, cost_of_close(vmo, size));
    point("clone_close_mapped", size, cost_of_clone_mapped(vmo, size, dense ? 1 : 512));
    point("kernel_bytes", size, heap_of_clone(vmo, size));
    CHECK(zx_handle_close(vmo));
}

CURVE(size) {
    static const uint64_t sizes[] = {PAGE, MIB(16), 4 * GIB, 16 * PAGE, MIB(1), MIB(256), GIB};
    unsigned count = curves_short() ? 3 : sizeof sizes / sizeof sizes[0];
    for (unsigned i = 0; i < count; i++)
        measure_size(sizes[i]);
}

/* ---- Generations and siblings ---- */

static void measure_lengths(void (*measure)(uint64_t length)) {
    for (uint64_t length = 1; length <= RELATIVES; length *= curves_short() ? 100 : 10)
        measure(length);
}

/* What the last of a family can do. */
static void measure_member(zx_handle_t vmo, uint64_t length) {
    point("clone", length, cost_of_clone(vmo, BIG));
    point("close", length, cost_of_close(vmo, BIG));
    point("read", length, cost_of_read(vmo));
    point("write", length, cost_of_first_write(vmo, 0));
}

/* Clone, drop the parent, and again; each generation writes a page of its own. */
static void measure_generations(uint64_t length) {
    int64_t before = heap_in_use();
    zx_handle_t vmo = vmo_committed(BIG);
    for (uint64_t i = 0; i < length; i++) {
        zx_handle_t clone = snapshot(vmo, BIG);
        CHECK(zx_vmo_write(clone, buffer, i * PAGE % BIG, 8));
        CHECK(zx_handle_close(vmo));
        vmo = clone;
    }
    int64_t held = heap_in_use() - before;
    zx_handle_t sharer = snapshot(vmo, BIG); /* so that each first write must copy */
    measure_member(vmo, length);
    point("kernel_bytes", length, held);
    CHECK(zx_handle_close(sharer));
    CHECK(zx_handle_close(vmo));
    point("kernel_bytes_left", length, heap_in_use() - before);
}

CURVE(generations) {
    CHECK(zx_handle_close(vmo_committed(BIG)));
    measure_lengths(measure_generations);
}

/* A handle table keeps the room it once needed: it gets it here, outside of all figures. */
static void widen_handle_table(void) {
    relatives[0] = event_new();
    for (uint64_t i = 1; i < RELATIVES; i++)
        relatives[i] = duplicate(relatives[0]);
    CHECK(zx_handle_close_many(relatives, RELATIVES));
}

/* Clones number 0 to `length` - 1, each of what `parent` says; all stay. */
static void measure_relatives(uint64_t length,
                              zx_handle_t (*parent)(zx_handle_t first, uint64_t i)) {
    int64_t at_first = heap_in_use();
    zx_handle_t first = vmo_committed(BIG);
    int64_t before = heap_in_use();
    for (uint64_t i = 0; i < length; i++)
        relatives[i] = snapshot(parent(first, i), BIG);
    point("kernel_bytes", length, (heap_in_use() - before) / (int64_t)length);
    measure_member(relatives[length - 1], length);
    point("parent_write", length, cost_of_first_write(first, 2 * SAMPLES * LEAF));
    CHECK(zx_handle_close_many(relatives, length));
    CHECK(zx_handle_close(first));
    point("kernel_bytes_left", length, heap_in_use() - at_first);
}

static zx_handle_t same_parent(zx_handle_t first, uint64_t i) { return first; }
static void measure_siblings(uint64_t length) { measure_relatives(length, same_parent); }

CURVE(siblings) {
    widen_handle_table();
    measure_lengths(measure_siblings);
}

static zx_handle_t last_one(zx_handle_t first, uint64_t i) { return i ? relatives[i - 1] : first; }
static void measure_depth(uint64_t length) { measure_relatives(length, last_one); }

CURVE(depth) {
    widen_handle_table();
    measure_lengths(measure_depth);
}

/* ---- Memory ---- */

/* Bytes of page map for each page, when all are there and when they are far apart. */
CURVE(memory) {
    int64_t before = heap_in_use();
    zx_handle_t vmo = vmo_committed(MIB(256));
    point("bytes_for_1000_pages", MIB(256),
          (heap_in_use() - before) * 1000 / (int64_t)(MIB(256) / PAGE));
    CHECK(zx_handle_close(vmo));
    before = heap_in_use();
    vmo = vmo_new((size_t)1 << 47);
    CHECK(zx_vmo_write(vmo, buffer, ((size_t)1 << 47) - PAGE, PAGE));
    point("bytes_for_a_page_alone", PAGE, heap_in_use() - before);
    CHECK(zx_handle_close(vmo));
}
