/*
 * vmo_crowd_test.c - one family of memory objects, used by eight threads at once.
 *
 * Three threads count in the pages of the first object through a mapping, several to
 * a page, while others clone it without end, clone the clones, write, cut, fill and
 * ask. Each clone is a consistent picture of each page and never changes afterwards;
 * no count is lost; and at rest the members' charges are all the pages that there are
 * (P53, P54). Under TSan this is the proof of the memory orders of page_map.c; on the
 * host each CPU has a private translation cache, so a missing flush is seen as well.
 */
#include "lib/ktest.h"
#include "lib/string.h"
#include "sched/sched.h"
#include "vm/pmm.h"
#include "vm/test_crew.h"
#include "vm/test_space.h"

#define PAGES    70 /* more than one leaf */
#define COUNTED  6  /* pages, from the first on */
#define COUNTERS 3  /* threads */
#define THREADS  8
#define MEMBERS  10
#define CLONES   600 /* of the first object; then all stop */
#define STAMP_AT 256 /* in a page: words that are all equal */
#define STAMP    32

static struct crew crew;
static struct vmo *first;
static struct aspace *space;
static vaddr_t base;
static _Atomic bool stop;
static uint64_t counted[COUNTERS];

static struct mutex members_lock;
static struct vmo *members[MEMBERS]; /* under members_lock; NULL: none yet */

/* ---- The members ---- */

/* Any of them, referenced; the first object if there is none at that place. */
static struct vmo *member_get(uint64_t draw) {
    MUTEX_GUARD(&members_lock);
    struct vmo *vmo = members[draw % MEMBERS];
    vmo = vmo ? vmo : first;
    vmo_ref(vmo);
    return vmo;
}

static struct vmo *member_swap(uint64_t draw, struct vmo *vmo) {
    MUTEX_GUARD(&members_lock);
    struct vmo *old = members[draw % MEMBERS];
    members[draw % MEMBERS] = vmo;
    return old;
}

/* The member takes the caller's reference; whom it replaces ends here, or with its last user. */
static void member_put(uint64_t draw, struct vmo *vmo) {
    struct vmo *old = member_swap(draw, vmo);
    if (old)
        vmo_unref(old);
}

static uint64_t draw(uint64_t *seed) {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed * 0x2545f4914f6cdd1d >> 20;
}

/* ---- What a page shows ---- */

struct stamp {
    uint64_t word[STAMP];
};

/* A stamp is written whole, under the object's lock: nobody sees a part of one. */
static bool stamp_read(struct vmo *vmo, uint64_t page, struct stamp *out_stamp) {
    if (vmo_read_kernel(vmo, page * PAGE_SIZE + STAMP_AT, out_stamp, sizeof(*out_stamp)) != OK)
        return false; /* it has shrunk */
    for (unsigned i = 1; i < STAMP; i++)
        if (out_stamp->word[i] != out_stamp->word[0]) {
            ktest_fail(__FILE__, __LINE__, "half of a stamp in page %llu",
                       (unsigned long long)page);
            return false;
        }
    return true;
}

static void stamp_write(struct vmo *vmo, uint64_t page, uint64_t value) {
    struct stamp stamp;
    for (unsigned i = 0; i < STAMP; i++)
        stamp.word[i] = value;
    status_t status = vmo_write_kernel(vmo, page * PAGE_SIZE + STAMP_AT, &stamp, sizeof(stamp));
    EXPECT(status == OK || status == ERR_OUT_OF_RANGE);
}

static uint64_t sum_of(struct vmo *vmo) {
    uint64_t words[16];
    uint64_t sum = 0;
    for (uint64_t page = 0; page < PAGES; page++) {
        struct stamp stamp;
        if (vmo_read_kernel(vmo, page * PAGE_SIZE, words, sizeof(words)) != OK)
            break;
        for (unsigned i = 0; i < 16; i++)
            sum = sum * 31 + words[i];
        if (stamp_read(vmo, page, &stamp))
            sum = sum * 31 + stamp.word[0];
    }
    return sum;
}

/* ---- The eight ---- */

static void count_on(unsigned index) {
    uint64_t round = 0;
    test_space_enter(space);
    for (; !stop; round++) {
        for (uint64_t page = 0; page < COUNTED; page++) {
            vaddr_t at = base + page * PAGE_SIZE + index * sizeof(uint64_t);
            uint64_t value = 0;
            bool good = test_space_load(at, &value) && value == round &&
                        test_space_store(at, round + 1);
            if (!good)
                ktest_fail(__FILE__, __LINE__, "a count of %llu is lost: %llu",
                           (unsigned long long)round, (unsigned long long)value);
            stop = stop || !good;
        }
        sched_yield();
    }
    counted[index] = round;
    test_space_enter(NULL);
}

static void clone_first(uint64_t *seed) {
    for (unsigned i = 0; i < CLONES && !stop; i++) {
        struct vmo *clone;
        if (vmo_create_snapshot(first, SNAPSHOT_FULL, 0, PAGES * PAGE_SIZE, true, &clone) == OK)
            member_put(draw(seed), clone);
        sched_yield();
    }
    stop = true;
}

/* A window of a member; the clone is looked at twice, and becomes a member itself. */
static void clone_member(uint64_t *seed) {
    AUTO(vmo) parent = member_get(draw(seed));
    uint64_t from = draw(seed) % 4, pages = PAGES - draw(seed) % 8;
    struct vmo *clone;
    if (vmo_create_snapshot(parent, SNAPSHOT_FULL, from * PAGE_SIZE, pages * PAGE_SIZE, true, &clone) != OK)
        return;
    uint64_t before = sum_of(clone);
    sched_yield();
    EXPECT_EQ(before, sum_of(clone));
    member_put(draw(seed), clone);
}

/* A clone's counts are nobody's: who shows them in the first object's mapping is wrong. */
static void write_member(uint64_t *seed) {
    AUTO(vmo) vmo = member_get(draw(seed));
    uint64_t page = draw(seed) % PAGES, none = ~draw(seed);
    stamp_write(vmo, page, draw(seed));
    page %= COUNTED;
    for (unsigned index = 0; vmo != first && index < COUNTERS; index++) {
        status_t status = vmo_write_kernel(vmo, page * PAGE_SIZE + index * sizeof(none), &none,
                                           sizeof(none));
        EXPECT(status == OK || status == ERR_OUT_OF_RANGE);
    }
}

static void change_member(uint64_t *seed) {
    AUTO(vmo) vmo = member_get(draw(seed));
    uint64_t page = COUNTED + draw(seed) % (PAGES - COUNTED), count = draw(seed) % 5;
    status_t status = OK;
    switch (draw(seed) % 4) {
    case 0:
        if (vmo != first)
            status = vmo_set_size(vmo, (draw(seed) % 2 ? PAGES : page) * PAGE_SIZE);
        break;
    case 1:
        status = vmo_zero(vmo, page * PAGE_SIZE, count * PAGE_SIZE);
        break;
    case 2:
        status = vmo_commit(vmo, page * PAGE_SIZE, count * PAGE_SIZE);
        break;
    default: {
        status_t refused = vmo_decommit(vmo, page * PAGE_SIZE, count * PAGE_SIZE);
        EXPECT(refused == OK || refused == ERR_NOT_SUPPORTED || refused == ERR_OUT_OF_RANGE);
    }
    }
    EXPECT(status == OK || status == ERR_OUT_OF_RANGE);
}

static void ask_member(uint64_t *seed) {
    AUTO(vmo) vmo = member_get(draw(seed));
    struct stamp stamp;
    struct vmo_info info = vmo_info(vmo);
    EXPECT(info.committed_bytes <= PAGES * PAGE_SIZE);
    (void)stamp_read(vmo, draw(seed) % PAGES, &stamp);
}

static void crowd_work(void *context, unsigned index) {
    static void (*const works[])(uint64_t *seed) = {clone_member, write_member, change_member,
                                                    ask_member};
    uint64_t seed = 0x9e3779b97f4a7c15 * (index + 1);
    if (index < COUNTERS) {
        count_on(index);
        return;
    }
    if (index == COUNTERS) {
        clone_first(&seed);
        return;
    }
    while (!stop) {
        works[index - COUNTERS - 1](&seed);
        sched_yield();
    }
}

/* ---- At rest ---- */

static void expect_counts(void) {
    for (unsigned index = 0; index < COUNTERS; index++)
        for (uint64_t page = 0; page < COUNTED; page++) {
            uint64_t value = 0;
            EXPECT_EQ(OK, vmo_read_kernel(first, page * PAGE_SIZE + index * sizeof(value), &value,
                                          sizeof(value)));
            EXPECT_EQ(counted[index], value);
        }
}

static void expect_sum(uint64_t pages_before) {
    uint64_t sum = vmo_info(first).committed_bytes;
    for (unsigned i = 0; i < MEMBERS; i++)
        sum += members[i] ? vmo_info(members[i]).committed_bytes : 0;
    EXPECT_EQ(pmm_stats().pages[PAGE_VMO] - pages_before, sum / PAGE_SIZE);
}

static bool begin(void) {
    first = NULL;
    space = NULL;
    memset(members, 0, sizeof(members));
    mutex_init(&members_lock, RANK_PROCESS, "members");
    return vmo_create(PAGES * PAGE_SIZE, true, &first) == OK && aspace_create(&space) == OK &&
           test_space_map(space, first, 0, PAGES * PAGE_SIZE, ZX_VM_PERM_READ | ZX_VM_PERM_WRITE,
                          &base) == OK;
}

/* Without memory for all of them the one that tells the others to stop may be missing. */
static bool run_together(unsigned count, void (*work)(void *context, unsigned index)) {
    bool complete = crew_start(&crew, count, work, NULL);
    if (!complete)
        stop = true;
    crew_wait(&crew);
    return complete;
}

KTEST(vmo, P54_a_family_stands_eight_threads) {
    uint64_t pages = pmm_stats().pages[PAGE_VMO];
    bool begun = begin();
    EXPECT(begun);
    stop = !begun;
    if (begun) {
        EXPECT(run_together(THREADS, crowd_work));
        expect_counts();
        expect_sum(pages);
    }
    for (unsigned i = 0; i < MEMBERS; i++)
        member_put(i, NULL);
    test_space_end(space);
    if (first)
        vmo_unref(first);
    EXPECT_EQ(pages, pmm_stats().pages[PAGE_VMO]);
}

/* ---- A reader, an owner, and a clone that writes ---- */

#define FOREIGN ((uint64_t)1 << 63) /* what only clones write */
#define ROUNDS  60

/*
 * The owner's write lets go of the page that it shared, and makes the clone its only
 * owner, which then writes in place. A reader that still had a translation to that
 * page would see in the owner's mapping what the clone writes. He stays on his CPU,
 * so that nothing but the flush makes it forget.
 */
static void read_on(void) {
    uint64_t page = 0, value = 0;
    test_space_enter(space);
    for (; !stop; page = (page + 1) % COUNTED) {
        if (!test_space_load(base + page * PAGE_SIZE, &value) || value >= FOREIGN) {
            ktest_fail(__FILE__, __LINE__, "the clone's %#llx in the owner's mapping",
                       (unsigned long long)value);
            stop = true;
        }
        if (cpu_count() < 3)
            sched_yield();
    }
    test_space_enter(NULL);
}

static void own_on(void) {
    for (uint64_t round = 1; round < ROUNDS && !stop; round++) {
        struct vmo *clone;
        if (vmo_create_snapshot(first, SNAPSHOT_FULL, 0, PAGES * PAGE_SIZE, false, &clone) == OK)
            member_put(0, clone);
        for (uint64_t page = 0; page < COUNTED; page++)
            EXPECT_EQ(OK, vmo_write_kernel(first, page * PAGE_SIZE, &round, sizeof(round)));
        sched_yield();
    }
    stop = true;
}

static void write_clones(void) {
    for (uint64_t value = FOREIGN; !stop; value++) {
        AUTO(vmo) vmo = member_get(0);
        for (uint64_t page = 0; vmo != first && page < COUNTED; page++)
            EXPECT_EQ(OK, vmo_write_kernel(vmo, page * PAGE_SIZE, &value, sizeof(value)));
        if (cpu_count() < 3)
            sched_yield();
    }
}

static void three_work(void *context, unsigned index) {
    static void (*const works[])(void) = {read_on, own_on, write_clones};
    works[index]();
}

KTEST(vmo, P54_a_reader_never_sees_what_a_clone_writes) {
    bool begun = begin();
    EXPECT(begun);
    stop = !begun;
    if (begun)
        EXPECT(run_together(3, three_work));
    member_put(0, NULL);
    test_space_end(space);
    if (first)
        vmo_unref(first);
}
