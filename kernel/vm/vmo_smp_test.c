/*
 * vmo_smp_test.c - writers, readers and cloners on several CPUs.
 *
 * On the host each CPU has a private translation cache that only a flush empties,
 * so what these tests look for is seen there within seconds.
 */
#include "lib/ktest.h"
#include "sched/sched.h"
#include "vm/pmm.h"
#include "vm/test_crew.h"
#include "vm/test_cut.h"
#include "vm/test_space.h"

#define PAGES   12
#define WRITERS 4
#define CLONES  120

static struct crew crew;
static struct vmo *shared;
static struct aspace *space;
static vaddr_t base;
static _Atomic bool stop;

static vaddr_t word_at(uint64_t page, unsigned writer) {
    return base + page * PAGE_SIZE + writer * sizeof(uint64_t);
}

/* Each writer counts in words of its own, one in each page. */
static uint64_t rounds_done[WRITERS];

static bool count_once(unsigned writer, uint64_t round) {
    for (uint64_t page = 0; page < PAGES; page++) {
        uint64_t value = 0;
        if (!test_space_load(word_at(page, writer), &value) || value != round) {
            ktest_fail(__FILE__, __LINE__, "page %llu lost writer %u's round %llu: %llu",
                       (unsigned long long)page, writer, (unsigned long long)round,
                       (unsigned long long)value);
            return false;
        }
        EXPECT(test_space_store(word_at(page, writer), round + 1));
    }
    return true;
}

static void write_on(unsigned writer) {
    uint64_t round = 0;

    test_space_enter(space);
    while (!stop && count_once(writer, round)) {
        round++;
        sched_yield();
    }
    rounds_done[writer] = round;
    test_space_enter(NULL);
}

static void writer_or_cloner(void *context, unsigned index) {
    if (index < WRITERS) {
        write_on(index);
        return;
    }
    for (unsigned i = 0; i < CLONES; i++)
        cut_check_clone(shared, PAGES, WRITERS);
    stop = true;
}

static void run_writers_and_cloner(void) {
    struct cut last = {.pages = PAGES, .words = WRITERS};

    stop = !crew_start(&crew, WRITERS + 1, writer_or_cloner, NULL);
    crew_wait(&crew);
    EXPECT(cut_take(shared, &last));
    for (unsigned writer = 0; writer < WRITERS; writer++)
        for (uint64_t page = 0; page < PAGES; page++)
            EXPECT_EQ(rounds_done[writer], last.word[page][writer]);
}

static bool shared_begin(void) {
    shared = NULL;
    space = NULL;
    return vmo_create(PAGES * PAGE_SIZE, true, &shared) == OK && aspace_create(&space) == OK &&
           test_space_map(space, shared, 0, PAGES * PAGE_SIZE, ZX_VM_PERM_READ | ZX_VM_PERM_WRITE,
                          &base) == OK;
}

static void shared_end(void) {
    test_space_end(space);
    if (shared)
        vmo_unref(shared);
}

KTEST(vmo, P54_nobody_writes_to_what_a_clone_sees) {
    uint64_t pages = pmm_stats().pages[PAGE_VMO];
    bool begun = shared_begin();

    EXPECT(begun);
    if (begun)
        run_writers_and_cloner();
    shared_end();
    EXPECT_EQ(pages, pmm_stats().pages[PAGE_VMO]);
}

/* ---- Two spaces, one object ---- */

static struct aspace *other_space;
static vaddr_t other_base;
static _Atomic uint64_t written;

/*
 * The writer makes pages present, shrinks them away and grows again; what it has
 * announced, the reader in the other space must see at once.
 */
static void writer_round(uint64_t round) {
    uint64_t page = round % PAGES;

    if (page == 0) {
        written = 0; /* nothing is promised while the object is cut */
        EXPECT_EQ(OK, vmo_set_size(shared, 0));
        EXPECT_EQ(OK, vmo_set_size(shared, PAGES * PAGE_SIZE));
    }
    if (round % 3 == 0)
        EXPECT_EQ(OK, vmo_write_kernel(shared, page * PAGE_SIZE, &round, sizeof(round)));
    else
        EXPECT(test_space_store(base + page * PAGE_SIZE, round));
    written = round;
}

/* What was announced and is not cut yet shows that round. */
static void reader_look(uint64_t salt) {
    uint64_t round = written, value = 0;
    bool loaded = test_space_load(other_base + round % PAGES * PAGE_SIZE, &value);

    uint64_t after = written;
    if (round && after && after / PAGES == round / PAGES && (!loaded || value != round))
        ktest_fail(__FILE__, __LINE__, "round %llu was announced, %llu is seen (%d; now %llu)",
                   (unsigned long long)round, (unsigned long long)value, loaded,
                   (unsigned long long)after);
    /* Maps zero pages ahead of the writer. */
    (void)test_space_load(other_base + (round + salt) % PAGES * PAGE_SIZE, &value);
}

static void write_or_read(void *context, unsigned index) {
    test_space_enter(index == 0 ? space : other_space);
    for (uint64_t round = 1; index == 0 && round < 600; round++) {
        writer_round(round);
        sched_yield();
    }
    if (index == 0)
        stop = true;
    for (uint64_t salt = 0; !stop; salt++) {
        reader_look(salt);
        sched_yield();
    }
    test_space_enter(NULL);
}

KTEST(vmo, P53_views_on_several_CPUs_agree) {
    uint64_t pages = pmm_stats().pages[PAGE_VMO];

    other_space = NULL;
    bool begun = shared_begin() && aspace_create(&other_space) == OK &&
                 test_space_map(other_space, shared, 0, PAGES * PAGE_SIZE, ZX_VM_PERM_READ,
                                &other_base) == OK;
    EXPECT(begun);
    stop = !begun;
    written = 0;
    if (begun) {
        EXPECT(crew_start(&crew, 3, write_or_read, NULL));
        crew_wait(&crew);
    }
    test_space_end(other_space);
    shared_end();
    EXPECT_EQ(pages, pmm_stats().pages[PAGE_VMO]);
}
