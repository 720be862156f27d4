/*
 * vmo_share_test.c - a clone takes write permission away before it shares (P54).
 *
 * Two threads count in words of the same pages, each through a view of its own; two
 * others write to other words of these pages by offset, which owns a shared page at
 * once; and one clones without end. A clone that shared first, and took permission away
 * later, would have an owner copy a page into which somebody still counts: a count is
 * lost. (With one writer per page nobody copies in between, and nothing is seen.)
 */
#include "lib/ktest.h"
#include "sched/sched.h"
#include "vm/pmm.h"
#include "vm/test_crew.h"
#include "vm/test_cut.h"
#include "vm/test_space.h"

#define PAGES    2
#define COUNTERS 2 /* threads, each with a view in a space of its own */
#define OWNERS   2 /* threads that write by offset */
#define WORDS    (COUNTERS + OWNERS)
#define CLONES   500

static struct crew crew;
static struct vmo *shared;
static struct aspace *spaces[COUNTERS];
static vaddr_t bases[COUNTERS];
static _Atomic bool stop;
static uint64_t rounds_done[WORDS];

static bool count_in(unsigned index, uint64_t page, uint64_t round) {
    vaddr_t at = bases[index] + page * PAGE_SIZE + index * sizeof(uint64_t);
    uint64_t value = 0;
    if (test_space_load(at, &value) && value == round && test_space_store(at, round + 1))
        return true;
    ktest_fail(__FILE__, __LINE__, "page %llu lost the count of %llu: %llu",
               (unsigned long long)page, (unsigned long long)round, (unsigned long long)value);
    return false;
}

/* Mostly on its CPU, so that nothing but a flush makes it forget a translation. */
static void count_on(unsigned index) {
    uint64_t round = 0;
    bool good = true;
    test_space_enter(spaces[index]);
    for (; !stop && good; round += good) {
        for (uint64_t page = 0; page < PAGES && good; page++)
            good = count_in(index, page, round);
        if (round % 64 == 0 || cpu_count() < WORDS)
            sched_yield();
    }
    stop = stop || !good;
    rounds_done[index] = round;
    test_space_enter(NULL);
}

static void own_on(unsigned index) {
    uint64_t round = 0;
    for (; !stop; round++) {
        uint64_t next = round + 1;
        for (uint64_t page = 0; page < PAGES; page++)
            EXPECT_EQ(OK, vmo_write_kernel(shared, page * PAGE_SIZE + index * sizeof(next), &next,
                                           sizeof(next)));
        sched_yield();
    }
    rounds_done[index] = round;
}

static void work(void *context, unsigned index) {
    if (index < COUNTERS) {
        count_on(index);
        return;
    }
    if (index < WORDS) {
        own_on(index);
        return;
    }
    for (unsigned i = 0; i < CLONES && !stop; i++)
        cut_check_clone(shared, PAGES, WORDS);
    stop = true;
}

static bool begin(void) {
    bool good;
    shared = NULL;
    good = vmo_create(PAGES * PAGE_SIZE, false, &shared) == OK;
    for (unsigned i = 0; i < COUNTERS; i++) {
        spaces[i] = NULL;
        good = good && aspace_create(&spaces[i]) == OK &&
               test_space_map(spaces[i], shared, 0, PAGES * PAGE_SIZE,
                              ZX_VM_PERM_READ | ZX_VM_PERM_WRITE, &bases[i]) == OK;
    }
    return good;
}

static void run(void) {
    struct cut last = {.pages = PAGES, .words = WORDS};
    bool complete = crew_start(&crew, WORDS + 1, work, NULL);
    EXPECT(complete);
    if (!complete)
        stop = true;
    crew_wait(&crew);
    EXPECT(cut_take(shared, &last));
    for (unsigned word = 0; word < WORDS; word++)
        for (uint64_t page = 0; page < PAGES && complete; page++)
            EXPECT_EQ(rounds_done[word], last.word[page][word]);
}

KTEST(vmo, P54_a_clone_takes_permission_before_it_shares) {
    uint64_t pages = pmm_stats().pages[PAGE_VMO];
    bool begun = begin();
    EXPECT(begun);
    stop = !begun;
    if (begun)
        run();
    for (unsigned i = 0; i < COUNTERS; i++)
        test_space_end(spaces[i]);
    if (shared)
        vmo_unref(shared);
    EXPECT_EQ(pages, pmm_stats().pages[PAGE_VMO]);
}
