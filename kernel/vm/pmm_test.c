/*
 * pmm_test.c - P03: every page that is said to be free comes out once, and goes
 * back; random runs against a map of what is out.
 */
#include "vm/pmm.h"
#include "vm/reclaim.h"

#include "arch/mmu.h"
#include "lib/ktest.h"
#include "lib/string.h"
#include "vm/kheap.h"

static uint64_t seed;

static uint64_t draw(uint64_t below) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (seed * 0x2545f4914f6cdd1d >> 20) % below;
}

static void stamp(struct page *page, uint64_t value) {
    uint64_t *words = page_contents(page);

    words[0] = words[PAGE_SIZE / 8 - 1] = value;
}

static bool has_stamp(struct page *page, uint64_t value) {
    const uint64_t *words = page_contents(page);

    return words[0] == value && words[PAGE_SIZE / 8 - 1] == value;
}

/* Free, or with those who give pages back when memory runs short, as it does here. */
static uint64_t free_or_loose(void) {
    struct pmm_stats stats = pmm_stats();

    return stats.pages[PAGE_FREE] + stats.pages[PAGE_HEAP] + stats.pages[PAGE_STACK] +
           stats.pages[PAGE_TABLE];
}

/*
 * Pages are chained through their second word, so the test needs no memory of its
 * own; the first word is a stamp, by which a page that came out twice is seen.
 */
KTEST(pmm, P03_all_free_pages_come_out_once_and_go_back) {
    while (reclaim_memory())
        ; /* or the watcher of memory does it while the pages come out */
    uint64_t loose = free_or_loose(), reported = pmm_free_pages(), count = 0, back = 0;
    struct page *chain = NULL, *page;

    while ((page = pmm_alloc(PAGE_HEAP))) {
        stamp(page, ++count);
        ((struct page **)page_contents(page))[1] = chain;
        chain = page;
    }
    /* Other CPUs keep a few in their caches. */
    EXPECT(count + 64 * 64 >= reported && count <= loose);
    for (uint64_t expected = count; chain; expected--) {
        struct page *next = ((struct page **)page_contents(chain))[1];
        EXPECT(has_stamp(chain, expected));
        pmm_free(chain, PAGE_HEAP);
        chain = next;
        back++;
    }
    EXPECT_EQ(count, back);
    EXPECT_EQ(loose, free_or_loose());
}

#define RUNS 128
static struct run {
    struct page *first;
    size_t count;
    uint64_t value;
} runs[RUNS];

static void run_take(struct run *run) {
    size_t count = 1 + draw(draw(4) ? 4 : 200);
    unsigned align = PAGE_SHIFT + (unsigned)draw(5);
    uint64_t limit = draw(2) ? GIB(4) : 0;
    struct page *first = count == 1 && draw(2) ? pmm_alloc(PAGE_HEAP)
                                               : pmm_alloc_run(count, align, limit, PAGE_HEAP);

    if (!first)
        return;
    *run = (struct run){first, count, ++seed};
    for (size_t i = 0; i < count; i++) {
        EXPECT_EQ(page_address(first).value + i * PAGE_SIZE, page_address(first + i).value);
        EXPECT_EQ(PAGE_HEAP, first[i].state);
        stamp(first + i, run->value + i);
    }
    if (limit)
        EXPECT(page_address(first).value + count * PAGE_SIZE <= limit);
}

static void run_give(struct run *run) {
    for (size_t i = 0; i < run->count; i++)
        EXPECT(has_stamp(run->first + i, run->value + i));
    if (run->count == 1)
        pmm_free(run->first, PAGE_HEAP);
    else
        pmm_free_run(run->first, run->count, PAGE_HEAP);
    run->first = NULL;
}

KTEST(pmm, P03_random_runs_never_overlap) {
    uint64_t before = pmm_free_pages();

    seed = 0x9e3779b97f4a7c15;
    memset(runs, 0, sizeof(runs));
    for (unsigned i = 0; i < 20000; i++) {
        struct run *run = &runs[draw(RUNS)];
        if (run->first)
            run_give(run);
        else
            run_take(run);
    }
    for (unsigned i = 0; i < RUNS; i++)
        if (runs[i].first)
            run_give(&runs[i]);
    EXPECT_EQ(before, pmm_free_pages());
}

KTEST_QUICK(pmm, a_run_is_aligned_and_below_its_limit) {
    struct page *run = pmm_alloc_run(3, 16, GIB(4), PAGE_HEAP);

    REQUIRE(run);
    EXPECT_EQ(0, page_address(run).value % 65536);
    EXPECT(page_address(run).value < GIB(4));
    pmm_free_run(run, 3, PAGE_HEAP);
    EXPECT(!pmm_alloc_run(0, 12, 0, PAGE_HEAP));
    EXPECT(!pmm_alloc_run(1025, 12, 0, PAGE_HEAP));
    EXPECT(!pmm_alloc_run(1, 12, 4096, PAGE_HEAP));
}

KTEST_QUICK(pmm, a_page_of_the_same_run_is_not_taken_for_a_free_buddy) {
    uint64_t before = pmm_free_pages();
    struct page *run = pmm_alloc_run(7, PAGE_SHIFT + 3, 0, PAGE_HEAP);

    REQUIRE(run);
    run[4].mark = 1; /* as an owner leaves it: it lies where free blocks have their link */
    run[4].order = 2;
    pmm_free_run(run, 7, PAGE_HEAP);
    EXPECT_EQ(before, pmm_free_pages());
}

KTEST_QUICK(pmm, zeroed_pages_are_zero) {
    for (unsigned i = 0; i < 8; i++) {
        struct page *page = pmm_alloc(PAGE_HEAP);
        REQUIRE(page);
        memset(page_contents(page), 0xff, PAGE_SIZE);
        pmm_free(page, PAGE_HEAP);
        page = pmm_alloc_zeroed(PAGE_HEAP);
        REQUIRE(page);
        const uint64_t *words = page_contents(page);
        for (size_t word = 0; word < PAGE_SIZE / 8; word++)
            EXPECT_EQ(0, words[word]);
        pmm_free(page, PAGE_HEAP);
    }
}

KTEST_QUICK(pmm, the_nth_allocation_fails_once_when_asked) {
    alloc_fail_set(2);
    struct page *first = pmm_alloc(PAGE_HEAP), *second = pmm_alloc(PAGE_HEAP);
    struct page *third = pmm_alloc(PAGE_HEAP);
    EXPECT_EQ(0, alloc_fail_left());
    EXPECT(first && !second && third);
    if (first)
        pmm_free(first, PAGE_HEAP);
    if (third)
        pmm_free(third, PAGE_HEAP);
}

static void count_if_free(void *context, struct page *page) {
    *(uint64_t *)context += page->state == PAGE_FREE || page->state == PAGE_CACHED;
}

KTEST(pmm, the_records_agree_with_the_counts) {
    uint64_t free = 0;

    pmm_for_each(count_if_free, &free);
    EXPECT_EQ(pmm_free_pages(), free);
    EXPECT(page_find(paddr(0xfffffffff000)) == NULL);
}
