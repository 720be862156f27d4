/*
 * kheap_test.c - P04: random blocks with a pattern in each, and the heap's own check.
 */
#include "vm/kheap.h"

#include "lib/ktest.h"
#include "lib/string.h"
#include "vm/pmm.h"
#include "vm/test_crew.h"

#define BLOCKS 200

struct filled {
    unsigned char *block;
    size_t size;
    unsigned char pattern;
};

static uint64_t draw(uint64_t *seed, uint64_t below) {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return (*seed * 0x2545f4914f6cdd1d >> 20) % below;
}

static size_t draw_size(uint64_t *seed) {
    switch (draw(seed, 8)) {
    case 0: return 1 + draw(seed, 60000);
    case 1: return 1 + draw(seed, 4096);
    default: return 1 + draw(seed, 300);
    }
}

static void take(struct filled *filled, uint64_t *seed) {
    size_t size = draw_size(seed);
    bool zeroed = draw(seed, 2);
    unsigned char *block = zeroed ? kheap_zalloc(size) : kheap_alloc(size);

    if (!block)
        return;
    EXPECT_EQ(0, (uintptr_t)block % 16);
    for (size_t i = 0; zeroed && i < size; i++)
        EXPECT_EQ(0, block[i]);
    *filled = (struct filled){block, size, (unsigned char)draw(seed, 256)};
    memset(block, filled->pattern, size);
}

static void give(struct filled *filled) {
    for (size_t i = 0; i < filled->size; i++) {
        if (filled->block[i] == filled->pattern)
            continue;
        ktest_fail(__FILE__, __LINE__, "byte %zu of a block of %zu was overwritten", i,
                   filled->size);
        break;
    }
    kheap_free(filled->block);
    filled->block = NULL;
}

static void run_random(struct filled *blocks, uint64_t seed, unsigned steps, bool check) {
    memset(blocks, 0, BLOCKS * sizeof(*blocks));
    for (unsigned i = 0; i < steps; i++) {
        struct filled *filled = &blocks[draw(&seed, BLOCKS)];
        if (filled->block)
            give(filled);
        else
            take(filled, &seed);
        if (check && i % 128 == 0)
            kheap_check();
    }
    for (unsigned i = 0; i < BLOCKS; i++)
        if (blocks[i].block)
            give(&blocks[i]);
}

static struct filled blocks[BLOCKS], crew_blocks[4][BLOCKS];

KTEST(kheap, P04_random_blocks_keep_their_bytes) {
    struct kheap_stats before = kheap_stats();

    run_random(blocks, 0x9e3779b97f4a7c15, 20000, true);
    struct kheap_stats after = kheap_stats();
    EXPECT_EQ(before.blocks_used, after.blocks_used);
    EXPECT_EQ(before.bytes_used, after.bytes_used);
    kheap_check();
}

static void crew_work(void *context, unsigned index) {
    run_random(crew_blocks[index], index + 1, 4000, false);
}

KTEST(kheap, P04_several_threads_share_the_heap) {
    static struct crew crew;

    EXPECT(crew_run(&crew, 4, crew_work, NULL));
    kheap_check();
}

KTEST_QUICK(kheap, limits_are_refused_and_null_may_be_freed) {
    EXPECT(!kheap_alloc(KHEAP_MAX + 1));
    EXPECT(!kheap_alloc(SIZE_MAX));
    kheap_free(NULL);
    void *largest = kheap_alloc(KHEAP_MAX);
    EXPECT(largest);
    kheap_free(largest);
    void *nothing = kheap_alloc(0);
    EXPECT(nothing);
    kheap_free(nothing);
}

KTEST(kheap, memory_goes_back_to_the_page_allocator) {
    static void *many[1000];

    kheap_trim();
    uint64_t before = pmm_stats().pages[PAGE_HEAP];
    for (unsigned i = 0; i < ARRAY_SIZE(many); i++)
        many[i] = kheap_alloc(1000);
    EXPECT(pmm_stats().pages[PAGE_HEAP] > before + 200);
    for (unsigned i = 0; i < ARRAY_SIZE(many); i++)
        kheap_free(many[i]);
    kheap_trim();
    EXPECT(pmm_stats().pages[PAGE_HEAP] <= before + 16);
}
