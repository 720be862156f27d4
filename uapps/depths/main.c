/*
 * main.c - depths: a hundred thousand generations, siblings and mappings, at flat cost.
 *
 * Cost is the shortest of many small batches, early against late: what grew with the
 * number of those before would be a hundred times as long. Memory is what the kernel's
 * heap and the memory objects hold, by the machine's own count.
 */
#include <jacinth/utest.h>
#include <stdlib.h>
#include <zircon/syscalls.h>

#include "core-tests/support.h"

#define MANY  100000
#define BATCH 100
#define SLACK 10 /* times: no clock of a busy machine is wrong by that in every batch */

/* ---- Measuring ---- */

struct usage {
    uint64_t heap, vmo;
};

static struct usage usage_now(void) {
    zx_info_kmem_stats_t stats = {0};
    EXPECT_OK(zx_object_get_info(root_resource(), ZX_INFO_KMEM_STATS, &stats, sizeof stats, NULL,
                                 NULL));
    return (struct usage){stats.total_heap_bytes - stats.free_heap_bytes, stats.vmo_bytes};
}

/* The shortest batch of the first tenth and of the last tenth of MANY. */
struct pace {
    zx_ticks_t begun, early, late;
};

static void pace_step(struct pace *pace, unsigned i) {
    zx_ticks_t now = zx_ticks_get();
    if (i % BATCH == 0 && i > 0) {
        zx_ticks_t *best = i < MANY / 10 ? &pace->early : i > MANY / 10 * 9 ? &pace->late : NULL;
        if (best && (*best == 0 || now - pace->begun < *best))
            *best = now - pace->begun;
    }
    if (i % BATCH == 0)
        pace->begun = now;
}

static void expect_flat(const char *what, const struct pace *pace) {
    if (pace->late > SLACK * pace->early)
        utest_fail(__FILE__, __LINE__, "%s: a batch takes %ld ticks at first, %ld at the end", what,
                   (long)pace->early, (long)pace->late);
}

static void expect_memory(const char *what, struct usage before, uint64_t heap, uint64_t vmo) {
    struct usage now = usage_now();
    if (now.heap > before.heap + heap || now.vmo > before.vmo + vmo)
        utest_fail(__FILE__, __LINE__, "%s: the heap has %ld bytes more, objects %ld", what,
                   (long)(now.heap - before.heap), (long)(now.vmo - before.vmo));
}

/* ---- Forwards: clone, write, drop the parent ---- */

TEST(generations_100000_forwards_are_flat) {
    enum { PAGES = 16 };
    zx_handle_t vmo = make_vmo(PAGES);
    struct pace pace = {0};
    struct usage before = usage_now();
    for (unsigned i = 0; i < MANY; i++) {
        pace_step(&pace, i);
        zx_handle_t next = make_snapshot(vmo, PAGES);
        put(next, i % PAGES, (uint8_t)(i / PAGES));
        close_handle(vmo);
        vmo = next;
    }
    for (unsigned page = 0; page < PAGES; page++)
        EXPECT_EQ((uint8_t)((MANY - PAGES + page) / PAGES), get(vmo, page));
    EXPECT_EQ(PAGES, committed_pages(vmo));
    EXPECT_EQ(0, vmo_info_of(vmo).num_children);
    expect_flat("generations", &pace);
    expect_memory("generations", before, 64 * 1024, PAGES * PAGE);
    close_handle(vmo);
}

/* Each clone sees one page further than its parent: keys must not run away. */
TEST(generations_100000_that_shift_their_window_are_flat) {
    zx_handle_t vmo = make_vmo(4);
    struct pace pace = {0};
    struct usage before = usage_now();
    for (unsigned i = 0; i < MANY; i++) {
        zx_handle_t next;
        pace_step(&pace, i);
        REQUIRE_OK(zx_vmo_create_child(vmo, ZX_VMO_CHILD_SNAPSHOT, PAGE, 4 * PAGE, &next));
        put(next, 3, (uint8_t)i);
        close_handle(vmo);
        vmo = next;
    }
    for (unsigned page = 0; page < 4; page++)
        EXPECT_EQ((uint8_t)(MANY - 4 + page), get(vmo, page));
    EXPECT_EQ(4, committed_pages(vmo));
    expect_flat("shifting generations", &pace);
    expect_memory("shifting generations", before, 64 * 1024, 4 * PAGE);
    close_handle(vmo);
}

/* ---- Outwards: siblings, all alive ---- */

static zx_handle_t *siblings;

/* Those that write pay a page and a path; the others, their records only. */
static void make_siblings(zx_handle_t parent, struct pace *pace) {
    for (unsigned i = 0; i < MANY; i++) {
        pace_step(pace, i);
        siblings[i] = make_snapshot(parent, 2);
        if (i % 1000 == 0)
            put(siblings[i], 1, (uint8_t)(i / 1000 + 1));
    }
}

static void check_siblings(zx_handle_t parent) {
    put(parent, 0, 77);
    for (unsigned i = 0; i < MANY; i += 500) {
        EXPECT_EQ(5, get(siblings[i], 0));
        EXPECT_EQ(i % 1000 == 0 ? (uint8_t)(i / 1000 + 1) : 0, get(siblings[i], 1));
    }
    EXPECT_EQ(MANY, vmo_info_of(parent).num_children);
}

TEST(siblings_100000_outwards_are_flat) {
    zx_handle_t parent = make_vmo(2);
    struct pace pace = {0}, closing = {0};
    siblings = malloc(MANY * sizeof siblings[0]);
    REQUIRE(siblings);
    for (unsigned i = 0; i < MANY; i++)
        siblings[i] = i; /* the pages are there before memory is counted */
    put(parent, 0, 5);
    struct usage before = usage_now();
    make_siblings(parent, &pace);
    expect_flat("making siblings", &pace);
    /* The object and its handle, with a debug kernel's red zones. */
    expect_memory("siblings", before, (uint64_t)MANY * 1536, (MANY / 1000 + 2) * PAGE);
    check_siblings(parent);
    for (unsigned i = 0; i < MANY; i++) {
        pace_step(&closing, i);
        close_handle(siblings[i]);
    }
    expect_flat("closing siblings", &closing);
    EXPECT_EQ(0, vmo_info_of(parent).num_children);
    EXPECT_EQ(1, committed_pages(parent));
    /* The table of handles stays as large as it was. */
    expect_memory("closed siblings", before, (uint64_t)MANY * 48, 2 * PAGE);
    free(siblings);
    close_handle(parent);
}

/* ---- Mappings ---- */

/* Every other page, so that no two merge. */
TEST(mappings_100000_are_made_found_and_unmapped_flat) {
    zx_handle_t vmo = make_vmo(1), region, scratch = make_vmo(1);
    zx_vaddr_t base, address;
    struct pace making = {0}, finding = {0};
    put(vmo, 0, 9);
    REQUIRE_OK(zx_vmar_allocate(zx_vmar_root_self(),
                                ZX_VM_CAN_MAP_READ | ZX_VM_CAN_MAP_SPECIFIC, 0,
                                2 * MANY * PAGE, &region, &base));
    for (unsigned i = 0; i < MANY; i++) {
        pace_step(&making, i);
        uint64_t at = (uint64_t)i * 7919 % MANY * 2; /* in no order */
        REQUIRE_OK(zx_vmar_map(region, ZX_VM_PERM_READ | ZX_VM_SPECIFIC, at * PAGE, vmo, 0, PAGE,
                               &address));
        EXPECT_EQ(base + at * PAGE, address);
    }
    expect_flat("making mappings", &making);
    EXPECT_EQ(MANY, vmo_info_of(vmo).num_mappings);
    for (unsigned i = 0; i < MANY; i++) { /* each is found, each gap is none */
        pace_step(&finding, i);
        uint64_t at = (uint64_t)i * 104729 % MANY * 2;
        EXPECT_OK(zx_vmar_op_range(region, ZX_VMAR_OP_DONT_NEED, base + at * PAGE, PAGE, NULL, 0));
        if (i % 100 == 0) {
            EXPECT_EQ(9, *(volatile uint8_t *)(base + at * PAGE));
            EXPECT_EQ(ZX_ERR_INVALID_ARGS,
                      zx_vmo_write(scratch, (const void *)(base + (at + 1) * PAGE), 0, 1));
        }
    }
    expect_flat("finding mappings", &finding);
    EXPECT_OK(zx_vmar_destroy(region));
    EXPECT_EQ(0, vmo_info_of(vmo).num_mappings);
    close_handle(region);
    close_handle(scratch);
    close_handle(vmo);
}

int main(int argc, char **argv) { return utest_main(argc, argv); }
