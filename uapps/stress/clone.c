/*
 * clone.c - stress-clone: clones under writers, and trees of clones under many threads.
 *
 * First half (P54): writers count in every page of one mapped object, while one thread
 * clones it without end. A clone is one moment of all pages: each writer goes through
 * the pages in order, so its counts in a clone may fall only once, by one, and a word
 * that all writers count in fits the sum of theirs. A clone is looked at twice, later,
 * and must not have changed; at the end no count is missing in the object.
 *
 * Second half: a forest. Every slot has an object, its mapping, and an array with the
 * value of each page, under a lock of its own; threads clone slots into slots, write,
 * zero, commit, resize and compare. So each slot is exact, while relatives change on
 * other processors.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <threads.h>
#include <zircon/process.h>
#include <zircon/syscalls.h>

#include "stress/stress.h"

static struct options options = {.seconds = 10};
static unsigned workers;
static uint64_t until_ms; /* the running half ends then */
static _Atomic bool stop;
static _Atomic uint64_t clones_made, writes_made, looks_made;

#define ALL_RIGHT (ZX_VM_PERM_READ | ZX_VM_PERM_WRITE)

/* ---- First half ---- */

#define PAGES       20
#define LANES       8          /* words of the writers, from the page's beginning */
#define COMMON      LANES      /* the word that all writers of mappings count in */
#define FOREIGN     (LANES + 1) /* only clones are written here */
#define WORDS       (LANES + 2)
#define CLONES_KEPT 4

static zx_handle_t shared;
static zx_vaddr_t shared_address;
static uint64_t rounds[LANES];

static _Atomic uint64_t *word_at(uint64_t page, unsigned word) {
    return (_Atomic uint64_t *)(shared_address + page * PAGE) + word;
}

/* One writer uses the calls instead of the mapping. */
static bool uses_calls(unsigned lane) { return lane == 0 && workers > 1; }

static void count_in_page(unsigned lane, uint64_t page, uint64_t round) {
    uint64_t value = 0, next = round + 1, offset = page * PAGE + lane * 8;
    if (uses_calls(lane)) {
        MUST(zx_vmo_read(shared, &value, offset, 8));
        MUST(zx_vmo_write(shared, &next, offset, 8));
    } else {
        atomic_fetch_add(word_at(page, COMMON), 1);
        value = atomic_fetch_add(word_at(page, lane), 1);
    }
    if (value != round)
        stress_fail("page %llu: lane %u has %llu, not %llu", (unsigned long long)page, lane,
                    (unsigned long long)value, (unsigned long long)round);
}

static void count_without_end(unsigned lane) {
    while (!stop) {
        for (uint64_t page = 0; page < PAGES; page++)
            count_in_page(lane, page, rounds[lane]);
        rounds[lane]++;
        writes_made += PAGES;
    }
}

struct picture {
    uint64_t words[PAGES][WORDS];
};

static void take_picture(zx_handle_t vmo, struct picture *out_picture) {
    for (uint64_t page = 0; page < PAGES; page++)
        MUST(zx_vmo_read(vmo, out_picture->words[page], page * PAGE,
                         sizeof out_picture->words[page]));
    looks_made++;
}

/* Each page by itself: between the two counts of a writer lies at most one. */
static void judge_common_word(const uint64_t words[WORDS], uint64_t page) {
    uint64_t sum = 0;
    for (unsigned lane = uses_calls(0); lane < workers; lane++)
        sum += words[lane];
    if (words[COMMON] < sum || words[COMMON] > sum + workers)
        stress_fail("page %llu of a clone: the common count is %llu, the sum %llu",
                    (unsigned long long)page, (unsigned long long)words[COMMON],
                    (unsigned long long)sum);
}

static void judge_picture(const struct picture *picture) {
    for (uint64_t page = 0; page < PAGES; page++) {
        judge_common_word(picture->words[page], page);
        for (unsigned lane = 0; lane < workers; lane++) {
            uint64_t first = picture->words[0][lane], here = picture->words[page][lane];
            uint64_t before = picture->words[page ? page - 1 : 0][lane];
            if (here > before || here + 1 < first)
                stress_fail("a clone is not one moment: lane %u has %llu, %llu, ... %llu", lane,
                            (unsigned long long)first, (unsigned long long)before,
                            (unsigned long long)here);
        }
        if (picture->words[page][FOREIGN])
            stress_fail("page %llu shows what was written to a clone", (unsigned long long)page);
    }
}

static struct kept {
    zx_handle_t vmo;
    struct picture picture;
    bool written; /* to, in the foreign word */
} kept[CLONES_KEPT];

/* Has it changed since? The clone's own writing is taken off. */
static void look_again(struct kept *clone) {
    static struct picture picture; /* one thread clones */
    take_picture(clone->vmo, &picture);
    for (uint64_t page = 0; page < PAGES; page++)
        if (clone->written && picture.words[page][FOREIGN] == page + 1)
            picture.words[page][FOREIGN] = 0;
    if (memcmp(&picture, &clone->picture, sizeof picture) != 0)
        stress_fail("a clone has changed");
}

static void write_foreign_words(struct kept *clone) {
    for (uint64_t page = 0; page < PAGES; page += 3) {
        uint64_t value = page + 1;
        MUST(zx_vmo_write(clone->vmo, &value, page * PAGE + FOREIGN * 8, 8));
    }
    clone->written = true;
}

static void clone_once(struct draws *draws) {
    struct kept *clone = &kept[clones_made % CLONES_KEPT];
    const struct kept *from = &kept[draw(draws, CLONES_KEPT)];
    bool again = from != clone && from->vmo && !from->written && draw(draws, 4) == 0;
    zx_handle_t fresh;
    MUST(zx_vmo_create_child(again ? from->vmo : shared, ZX_VMO_CHILD_SNAPSHOT, 0, PAGES * PAGE,
                             &fresh));
    if (clone->vmo) {
        look_again(clone);
        MUST(zx_handle_close(clone->vmo));
    }
    clone->vmo = fresh;
    clone->written = false;
    take_picture(fresh, &clone->picture);
    judge_picture(&clone->picture);
    if (again && memcmp(&clone->picture, &from->picture, sizeof clone->picture) != 0)
        stress_fail("a clone of a clone differs from it");
    if (draw(draws, 4) == 0)
        write_foreign_words(clone);
    clones_made++;
}

static void clone_without_end(void) {
    struct draws draws = {.seed = options.seed};
    while (stress_elapsed_ms() < until_ms)
        clone_once(&draws);
    stop = true;
    for (unsigned i = 0; i < CLONES_KEPT; i++)
        if (kept[i].vmo) {
            look_again(&kept[i]);
            MUST(zx_handle_close(kept[i].vmo));
        }
}

static void count_or_clone(unsigned index) {
    if (index < workers)
        count_without_end(index);
    else
        clone_without_end();
}

static void run_counts(uint64_t milliseconds) {
    static struct picture last;
    until_ms = stress_elapsed_ms() + milliseconds;
    stop = false;
    memset(kept, 0, sizeof kept);
    memset(rounds, 0, sizeof rounds);
    clones_made = writes_made = looks_made = 0;
    MUST(zx_vmo_create(PAGES * PAGE, 0, &shared));
    MUST(zx_vmar_map(zx_vmar_root_self(), ALL_RIGHT, 0, shared, 0, PAGES * PAGE, &shared_address));
    stress_run(workers + 1, count_or_clone);
    take_picture(shared, &last);
    for (uint64_t page = 0; page < PAGES; page++)
        for (unsigned lane = 0; lane < workers; lane++)
            if (last.words[page][lane] != rounds[lane])
                stress_fail("page %llu lost counts of lane %u: %llu, not %llu",
                            (unsigned long long)page, lane,
                            (unsigned long long)last.words[page][lane],
                            (unsigned long long)rounds[lane]);
    MUST(zx_vmar_unmap(zx_vmar_root_self(), shared_address, PAGES * PAGE));
    MUST(zx_handle_close(shared));
}

/* ---- Second half ---- */

#define SLOTS      20
#define SLOT_PAGES 90 /* more than one leaf of a page map */

static struct slot {
    mtx_t lock;
    zx_handle_t vmo;     /* ZX_HANDLE_INVALID: empty */
    zx_vaddr_t address;  /* 0: not mapped */
    uint64_t pages;
    uint64_t value[SLOT_PAGES]; /* first word of each page */
} slots[SLOTS];
static _Atomic uint64_t next_value = 1, deeds;

static void slot_empty(struct slot *slot) {
    if (slot->address)
        MUST(zx_vmar_unmap(zx_vmar_root_self(), slot->address, SLOT_PAGES * PAGE));
    if (slot->vmo)
        MUST(zx_handle_close(slot->vmo));
    slot->address = 0;
    slot->vmo = ZX_HANDLE_INVALID;
}

static void slot_map(struct slot *slot) {
    if (!slot->address)
        MUST(zx_vmar_map(zx_vmar_root_self(), ALL_RIGHT | ZX_VM_ALLOW_FAULTS, 0, slot->vmo, 0,
                         SLOT_PAGES * PAGE, &slot->address));
}

static uint64_t slot_read(struct slot *slot, uint64_t page, bool mapped) {
    uint64_t value = 0;
    if (mapped && slot->address)
        return *(volatile uint64_t *)(slot->address + page * PAGE);
    MUST(zx_vmo_read(slot->vmo, &value, page * PAGE, sizeof value));
    return value;
}

static void slot_write(struct slot *slot, uint64_t page, bool mapped) {
    uint64_t value = next_value++;
    if (mapped && slot->address)
        *(volatile uint64_t *)(slot->address + page * PAGE) = value;
    else
        MUST(zx_vmo_write(slot->vmo, &value, page * PAGE, sizeof value));
    slot->value[page] = value;
}

static void slot_look(struct slot *slot, uint64_t page, bool mapped) {
    uint64_t value = slot_read(slot, page, mapped);
    if (value != slot->value[page])
        stress_fail("slot %u, page %llu: %s shows %llu, not %llu", (unsigned)(slot - slots),
                    (unsigned long long)page, mapped && slot->address ? "a mapping" : "vmo_read",
                    (unsigned long long)value, (unsigned long long)slot->value[page]);
}

/* `to` becomes a clone of a window of `from`; both are locked. */
static void slot_clone(struct slot *from, struct slot *to, struct draws *draws) {
    uint64_t first = draw(draws, 2) ? 0 : draw(draws, SLOT_PAGES);
    slot_empty(to);
    to->pages = draw(draws, 2) ? from->pages : draw(draws, SLOT_PAGES + 1);
    MUST(zx_vmo_create_child(from->vmo, ZX_VMO_CHILD_SNAPSHOT | ZX_VMO_CHILD_RESIZABLE,
                             first * PAGE, to->pages * PAGE, &to->vmo));
    for (uint64_t i = 0; i < SLOT_PAGES; i++)
        to->value[i] = i < to->pages && first + i < from->pages ? from->value[first + i] : 0;
    clones_made++;
}

static void slot_create(struct slot *slot, struct draws *draws) {
    slot_empty(slot);
    slot->pages = 1 + draw(draws, SLOT_PAGES);
    MUST(zx_vmo_create(slot->pages * PAGE, ZX_VMO_RESIZABLE, &slot->vmo));
    memset(slot->value, 0, sizeof slot->value);
}

static void slot_resize(struct slot *slot, struct draws *draws) {
    uint64_t pages = draw(draws, SLOT_PAGES + 1);
    MUST(zx_vmo_set_size(slot->vmo, pages * PAGE));
    for (uint64_t i = pages; i < slot->pages; i++)
        slot->value[i] = 0;
    slot->pages = pages;
}

static void slot_zero(struct slot *slot, struct draws *draws) {
    uint64_t first = draw(draws, slot->pages), count = 1 + draw(draws, slot->pages - first);
    MUST(zx_vmo_op_range(slot->vmo, ZX_VMO_OP_ZERO, first * PAGE, count * PAGE, NULL, 0));
    memset(&slot->value[first], 0, count * sizeof slot->value[0]);
}

static void slot_commit(struct slot *slot, struct draws *draws) {
    uint64_t first = draw(draws, slot->pages), count = 1 + draw(draws, slot->pages - first);
    MUST(zx_vmo_op_range(slot->vmo, ZX_VMO_OP_COMMIT, first * PAGE, count * PAGE, NULL, 0));
}

/* An alias shows what the slot shows, and is gone again. */
static void slot_alias(struct slot *slot) {
    zx_handle_t alias;
    uint64_t value = 0;
    MUST(zx_vmo_create_child(slot->vmo, ZX_VMO_CHILD_REFERENCE, 0, 0, &alias));
    MUST(zx_vmo_read(alias, &value, 0, sizeof value));
    if (value != slot->value[0])
        stress_fail("a reference shows %llu, not %llu", (unsigned long long)value,
                    (unsigned long long)slot->value[0]);
    MUST(zx_handle_close(alias));
}

static void deed_on_pages(struct slot *slot, struct draws *draws) {
    uint64_t page = draw(draws, slot->pages), count = 1 + draw(draws, 8);
    switch (draw(draws, 16)) {
    case 0:
        return slot_zero(slot, draws);
    case 1:
        return slot_commit(slot, draws);
    case 2:
        return slot_alias(slot);
    case 3 ... 8:
        for (; count-- && page < slot->pages; page++)
            slot_write(slot, page, draw(draws, 4));
        return;
    default:
        for (; count-- && page < slot->pages; page++)
            slot_look(slot, page, draw(draws, 4));
    }
}

static void deed_on_one(struct slot *slot, struct draws *draws) {
    if (!slot->vmo) {
        slot_create(slot, draws);
        return;
    }
    switch (draw(draws, 24)) {
    case 0:
        slot_empty(slot);
        return;
    case 1:
        slot_resize(slot, draws);
        return;
    case 2:
    case 3:
        slot_map(slot);
        return;
    default:
        if (slot->pages)
            deed_on_pages(slot, draws);
    }
}

/* Two locks are taken in the order of the slots. */
static void deed_on_two(unsigned from, unsigned to, struct draws *draws) {
    unsigned low = from < to ? from : to, high = from < to ? to : from;
    mtx_lock(&slots[low].lock);
    mtx_lock(&slots[high].lock);
    if (slots[from].vmo)
        slot_clone(&slots[from], &slots[to], draws);
    mtx_unlock(&slots[high].lock);
    mtx_unlock(&slots[low].lock);
}

static void tend_forest(unsigned index) {
    struct draws draws = {.seed = options.seed * 31 + index};
    while (stress_elapsed_ms() < until_ms) {
        unsigned slot = (unsigned)draw(&draws, SLOTS), other = (unsigned)draw(&draws, SLOTS);
        if (slot != other && draw(&draws, 6) == 0) {
            deed_on_two(slot, other, &draws);
        } else {
            mtx_lock(&slots[slot].lock);
            deed_on_one(&slots[slot], &draws);
            mtx_unlock(&slots[slot].lock);
        }
        deeds++;
    }
}

static void run_forest(uint64_t milliseconds) {
    until_ms = stress_elapsed_ms() + milliseconds;
    clones_made = deeds = 0;
    stress_run(workers, tend_forest);
    for (unsigned i = 0; i < SLOTS; i++) {
        for (uint64_t page = 0; slots[i].vmo && page < slots[i].pages; page++)
            slot_look(&slots[i], page, true);
        slot_empty(&slots[i]);
    }
}

static void run_halves(uint64_t milliseconds) {
    run_counts(milliseconds / 2);
    printf("stress-clone: %llu clones under %llu counts, %llu looks\n",
           (unsigned long long)clones_made, (unsigned long long)writes_made,
           (unsigned long long)looks_made);
    run_forest(milliseconds / 2);
    printf("stress-clone: %llu deeds in a forest, %llu clones\n", (unsigned long long)deeds,
           (unsigned long long)clones_made);
}

/* A short run comes first, so that all memory of this program itself is there. */
int main(int argc, char **argv) {
    options_read(&options, "stress-clone", argc, argv);
    workers = options_threads(&options);
    if (workers > LANES)
        workers = LANES;
    for (unsigned i = 0; i < SLOTS; i++)
        mtx_init(&slots[i].lock, mtx_plain);
    run_halves(400);
    uint64_t pages_before = machine_vmo_pages();
    run_halves(options.seconds * 1000);
    uint64_t pages = machine_vmo_pages();
    if (pages != pages_before)
        stress_fail("%lld pages are still there", (long long)(pages - pages_before));
    stress_audit();
    printf("stress-clone: done in %llu ms\n", (unsigned long long)stress_elapsed_ms());
    return 0;
}
