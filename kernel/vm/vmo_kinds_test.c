/*
 * vmo_kinds_test.c - contiguous and physical objects, pins, markers, reclaiming.
 */
#include <zircon/types.h>

#include "lib/ktest.h"
#include "lib/string.h"
#include "vm/pmm.h"
#include "vm/reclaim.h"
#include "vm/test_space.h"

static uint64_t vmo_pages(void) { return pmm_stats().pages[PAGE_VMO]; }

static struct page *page_at(struct vmo *vmo, uint64_t index) {
    MUTEX_GUARD(&vmo->lock);
    return page_map_find(&vmo->map, index, NULL);
}

/* ---- Contiguous ---- */

static void expect_run(struct vmo *vmo, uint64_t pages) {
    uint64_t first = page_address(page_at(vmo, 0)).value, byte = 1;

    EXPECT_EQ(0, first & (MIB(1) - 1));
    for (uint64_t i = 0; i < pages; i++)
        EXPECT_EQ(first + i * PAGE_SIZE, page_address(page_at(vmo, i)).value);
    EXPECT_EQ(OK, vmo_write_kernel(vmo, 5, "x", 1));
    EXPECT_EQ(first, page_address(page_at(vmo, 0)).value);
    EXPECT_EQ(OK, vmo_zero(vmo, 0, pages * PAGE_SIZE));
    EXPECT_EQ(OK, vmo_read_kernel(vmo, 0, &byte, sizeof(byte)));
    EXPECT_EQ(0, byte);
    EXPECT_EQ(first, page_address(page_at(vmo, 0)).value);
}

KTEST(vmo_kinds, contiguous_memory_is_one_run_and_stays_so) {
    struct vmo *vmo, *child;
    uint64_t before = vmo_pages();

    REQUIRE(vmo_create_contiguous(MIB(1), 20, 0, &vmo) == OK);
    expect_run(vmo, MIB(1) / PAGE_SIZE);
    EXPECT_EQ(before + MIB(1) / PAGE_SIZE, vmo_pages());
    EXPECT_EQ(ERR_NOT_SUPPORTED, vmo_decommit(vmo, 0, PAGE_SIZE));
    EXPECT_EQ(ERR_UNAVAILABLE, vmo_set_size(vmo, PAGE_SIZE));
    EXPECT_EQ(ERR_INVALID_ARGS,
              vmo_create_snapshot(vmo, SNAPSHOT_FULL, 0, PAGE_SIZE, false, &child));
    EXPECT_EQ(ERR_NOT_SUPPORTED, vmo_create_reference(vmo, false, &child));
    bool sliced = vmo_create_slice(vmo, PAGE_SIZE, PAGE_SIZE, &child) == OK;
    EXPECT(sliced);
    vmo_unref(vmo); /* the slice keeps the run */
    EXPECT_EQ(before + MIB(1) / PAGE_SIZE, vmo_pages());
    if (sliced)
        vmo_unref(child);
    EXPECT_EQ(before, vmo_pages());
}

KTEST(vmo_kinds, contiguous_memory_that_is_not_to_be_had_changes_nothing) {
    struct vmo *vmo;
    uint64_t before = vmo_pages(), n = 0;
    bool failed = true;

    while (failed && ++n < 100) {
        alloc_fail_set(n);
        status_t status = vmo_create_contiguous(MIB(1), 0, 0, &vmo);
        failed = alloc_fail_left() == 0;
        alloc_fail_set(0);
        EXPECT_EQ(failed ? ERR_NO_MEMORY : OK, status);
        if (status == OK)
            vmo_unref(vmo);
        EXPECT_EQ(before, vmo_pages());
    }
    EXPECT(n > 3);
}

/* ---- Physical ---- */

static status_t populate(struct aspace *space, vaddr_t address) {
    MUTEX_GUARD(&space->lock);
    struct region *mapping = aspace_find_locked(space, address);

    mutex_assert_held(&mapping->aspace->lock);
    return mapping_populate_locked(mapping, address, address + PAGE_SIZE);
}

/* Two pages that are no RAM: on the host RAM may lie where machines have this timer. */
static paddr_t device_pages(void) {
    paddr_t timer = paddr(0xfed00000);

    return phys_is_device(timer, 2 * PAGE_SIZE) ? timer : paddr((uint64_t)1 << 36);
}

KTEST(vmo_kinds, device_memory_is_mapped_uncached_and_ram_is_refused) {
    struct vmo *vmo, *slice;
    struct aspace *space;
    vaddr_t address;
    paddr_t seen;
    unsigned prot = 0;
    paddr_t device = device_pages();

    EXPECT_EQ(ERR_INVALID_ARGS, vmo_create_physical(paddr(0xfed00010), PAGE_SIZE, &vmo));
    EXPECT_EQ(ERR_INVALID_ARGS, vmo_create_physical(device, 0, &vmo));
    EXPECT_EQ(ERR_OUT_OF_RANGE, vmo_create_physical(page_address(pmm_zero_page()), 1, &vmo));
    EXPECT_EQ(ERR_OUT_OF_RANGE, vmo_create_physical(paddr((uint64_t)1 << 60), PAGE_SIZE, &vmo));
    REQUIRE(vmo_create_physical(device, 2 * PAGE_SIZE, &vmo) == OK);
    EXPECT_EQ(ERR_NOT_SUPPORTED, vmo_commit(vmo, 0, PAGE_SIZE));
    EXPECT_EQ(ERR_NOT_SUPPORTED, vmo_read_kernel(vmo, 0, &seen, 8));
    slice = NULL;
    space = NULL;
    if (vmo_create_slice(vmo, PAGE_SIZE, PAGE_SIZE, &slice) != OK || aspace_create(&space) != OK ||
        test_space_map(space, slice, 0, PAGE_SIZE, ZX_VM_PERM_READ | ZX_VM_PERM_WRITE,
                       &address) != OK) {
        EXPECT(!"no memory");
        test_space_end(space);
        if (slice)
            vmo_unref(slice);
        vmo_unref(vmo);
        return;
    }
    EXPECT_EQ(OK, populate(space, address));
    mutex_lock(&space->mmu_lock);
    EXPECT(mmu_query(&space->mmu, address, &seen, &prot));
    mutex_unlock(&space->mmu_lock);
    EXPECT_EQ(device.value + PAGE_SIZE, seen.value);
    EXPECT_EQ(MMU_READ | MMU_WRITE | MMU_USER | MMU_UNCACHED, prot);
    EXPECT_EQ(ERR_BAD_STATE, vmo_set_cache_policy(vmo, ZX_CACHE_POLICY_WRITE_COMBINING));
    test_space_end(space);
    vmo_unref(slice);
    EXPECT_EQ(OK, vmo_set_cache_policy(vmo, ZX_CACHE_POLICY_WRITE_COMBINING));
    vmo_unref(vmo);
}

/* Whatever the range: what can't be read at all has no range that would be right. */
static void expect_refused(struct vmo *vmo, status_t why) {
    static const uint64_t offsets[] = {0, PAGE_SIZE, MIB(1)};
    char byte = 0;

    for (unsigned i = 0; i < ARRAY_SIZE(offsets); i++) {
        EXPECT_EQ(why, vmo_read_kernel(vmo, offsets[i], &byte, 1));
        EXPECT_EQ(why, vmo_write_kernel(vmo, offsets[i], &byte, 0));
        EXPECT_EQ(why, vmo_zero(vmo, offsets[i], 1));
    }
}

/* A slice of a slice, and what they refuse. Takes the reference. */
static void expect_slices_refuse(struct vmo *vmo, status_t why) {
    struct vmo *slice, *inner;

    expect_refused(vmo, why);
    status_t status = vmo_create_slice(vmo, 0, PAGE_SIZE, &slice);
    vmo_unref(vmo);
    REQUIRE(status == OK);
    expect_refused(slice, why);
    status = vmo_create_slice(slice, 0, PAGE_SIZE, &inner);
    EXPECT_EQ(OK, status);
    if (status == OK) {
        expect_refused(inner, why);
        EXPECT_EQ(ERR_BAD_STATE, vmo_set_cache_policy(inner, ZX_CACHE_POLICY_CACHED));
        vmo_unref(inner);
    }
    vmo_unref(slice);
}

KTEST(vmo_kinds, slices_of_what_is_not_cached_can_be_made_and_refuse_the_same) {
    struct vmo *vmo;

    REQUIRE(vmo_create_physical(device_pages(), 2 * PAGE_SIZE, &vmo) == OK);
    EXPECT_EQ(OK, vmo_commit(vmo, PAGE_SIZE, 0)); /* as decommit of nothing */
    EXPECT_EQ(OK, vmo_decommit(vmo, PAGE_SIZE, 0));
    expect_slices_refuse(vmo, ERR_NOT_SUPPORTED);
    REQUIRE(vmo_create_contiguous(2 * PAGE_SIZE, 0, 0, &vmo) == OK);
    EXPECT_EQ(OK, vmo_set_cache_policy(vmo, ZX_CACHE_POLICY_UNCACHED));
    expect_slices_refuse(vmo, ERR_BAD_STATE);
}

/* ---- Pins ---- */

KTEST(vmo_kinds, pinned_pages_stay_and_are_the_objects_own) {
    struct vmo *vmo, *child;
    paddr_t addresses[4], again[4];

    REQUIRE(vmo_create(8 * PAGE_SIZE, true, &vmo) == OK);
    EXPECT_EQ(OK, vmo_write_kernel(vmo, 2 * PAGE_SIZE, "a", 1));
    child = NULL;
    status_t cloned = vmo_create_snapshot(vmo, SNAPSHOT_FULL, 0, 8 * PAGE_SIZE, false, &child);
    struct page *shared = page_at(vmo, 2);
    if (cloned != OK || vmo_pin(vmo, PAGE_SIZE, 4 * PAGE_SIZE, true, addresses) != OK) {
        EXPECT(!"no memory");
        if (child)
            vmo_unref(child);
        vmo_unref(vmo);
        return;
    }
    EXPECT(page_at(vmo, 2) != shared); /* the child has that */
    EXPECT_EQ(page_address(page_at(vmo, 2)).value, addresses[1].value);
    EXPECT_EQ(OK, vmo_pin(vmo, PAGE_SIZE, 4 * PAGE_SIZE, false, again));
    EXPECT_EQ(0, memcmp(addresses, again, sizeof(again)));
    vmo_unref(child);

    EXPECT_EQ(ERR_BAD_STATE, vmo_create_snapshot(vmo, SNAPSHOT_FULL, 0, PAGE_SIZE, false, &child));
    EXPECT_EQ(ERR_BAD_STATE, vmo_set_size(vmo, 4 * PAGE_SIZE));
    EXPECT_EQ(OK, vmo_set_size(vmo, 5 * PAGE_SIZE)); /* right behind them */
    EXPECT_EQ(ERR_BAD_STATE, vmo_decommit(vmo, 4 * PAGE_SIZE, PAGE_SIZE));
    EXPECT_EQ(OK, vmo_decommit(vmo, 0, PAGE_SIZE));
    EXPECT_EQ(OK, vmo_zero(vmo, 0, 5 * PAGE_SIZE));
    EXPECT_EQ(page_address(page_at(vmo, 2)).value, addresses[1].value);
    vmo_unpin(vmo, PAGE_SIZE, 4 * PAGE_SIZE);
    EXPECT_EQ(ERR_BAD_STATE, vmo_decommit(vmo, PAGE_SIZE, PAGE_SIZE));
    vmo_unpin(vmo, PAGE_SIZE, 4 * PAGE_SIZE);
    EXPECT_EQ(OK, vmo_decommit(vmo, PAGE_SIZE, PAGE_SIZE));
    EXPECT_EQ(OK, vmo_set_size(vmo, PAGE_SIZE));

    vmo_unref(vmo);
}

KTEST(vmo_kinds, a_slice_pins_the_pages_of_its_parent) {
    struct vmo *parent, *slice = NULL;
    paddr_t address;

    REQUIRE(vmo_create_contiguous(4 * PAGE_SIZE, 0, 0, &parent) == OK);
    EXPECT_EQ(OK, vmo_create_slice(parent, PAGE_SIZE, 2 * PAGE_SIZE, &slice));
    if (slice) {
        EXPECT_EQ(ERR_OUT_OF_RANGE, vmo_pin(slice, PAGE_SIZE, 2 * PAGE_SIZE, true, &address));
        EXPECT_EQ(OK, vmo_pin(slice, PAGE_SIZE, PAGE_SIZE, true, &address));
        EXPECT_EQ(page_address(page_at(parent, 2)).value, address.value);
        vmo_unpin(slice, PAGE_SIZE, PAGE_SIZE);
        vmo_unref(slice);
    }
    vmo_unref(parent);
}

KTEST(vmo_kinds, a_pin_that_runs_out_of_memory_pins_nothing) {
    struct vmo *vmo;
    paddr_t addresses[4];
    bool failed = true;

    REQUIRE(vmo_create(4 * PAGE_SIZE, false, &vmo) == OK);
    for (uint64_t n = 1; failed && n < 50; n++) {
        alloc_fail_set(n);
        status_t status = vmo_pin(vmo, 0, 4 * PAGE_SIZE, true, addresses);
        failed = alloc_fail_left() == 0;
        alloc_fail_set(0);
        EXPECT_EQ(failed ? ERR_NO_MEMORY : OK, status);
        EXPECT_EQ(failed ? 0 : 4, vmo->pins);
    }
    vmo_unpin(vmo, 0, 4 * PAGE_SIZE);
    vmo_unref(vmo);
}

/* ---- Discarding ---- */

KTEST(vmo_kinds, the_first_unlocked_is_the_first_to_be_discarded) {
    struct vmo *vmos[3];
    bool lost;
    uint64_t before = vmo_pages();

    for (unsigned i = 0; i < 3; i++) {
        REQUIRE(vmo_create_discardable(4 * PAGE_SIZE, false, &vmos[i]) == OK);
        EXPECT_EQ(OK, vmo_commit(vmos[i], 0, 4 * PAGE_SIZE));
        EXPECT_EQ(OK, vmo_lock(vmos[i], 0, 4 * PAGE_SIZE, &lost));
    }
    EXPECT_EQ(OK, vmo_unlock(vmos[2], 0, 4 * PAGE_SIZE));
    EXPECT_EQ(OK, vmo_unlock(vmos[0], 0, 4 * PAGE_SIZE));
    EXPECT_EQ(4, vmo_reclaim());
    EXPECT_EQ(ERR_UNAVAILABLE, vmo_try_lock(vmos[2], 0, 4 * PAGE_SIZE));
    EXPECT_EQ(OK, vmo_try_lock(vmos[0], 0, 4 * PAGE_SIZE));
    EXPECT_EQ(0, vmo_reclaim()); /* the other two are locked */
    EXPECT_EQ(OK, vmo_lock(vmos[2], 0, 4 * PAGE_SIZE, &lost));
    EXPECT(lost);
    for (unsigned i = 0; i < 3; i++)
        vmo_unref(vmos[i]);
    EXPECT_EQ(before, vmo_pages());
}

/* ---- Markers ---- */

#define RANGE 5000
static struct page_map marked;
static uint8_t shown[RANGE]; /* 0 absent, 1 page, 2 + dirt: marker */

static void mark(uint64_t first, uint64_t last, enum page_dirt dirt) {
    struct map_stash stash = MAP_STASH_INIT;
    struct map_garbage garbage = MAP_GARBAGE_INIT;

    bool filled = map_stash_fill(&stash, page_map_plan_zero(&marked, first, last)) == OK;
    if (filled)
        page_map_zero(&marked, first, last, dirt, &stash, &garbage);
    map_garbage_release(&garbage);
    map_stash_release(&stash);
    REQUIRE(filled);
    memset(shown + first, 2 + (int)dirt, last - first + 1);
}

static void place(uint64_t index) {
    struct map_stash stash = MAP_STASH_INIT;
    struct page *page = pmm_alloc(PAGE_VMO);

    if (!page || map_stash_fill(&stash, page_map_plan_own(&marked, index)) != OK) {
        EXPECT(!"no memory");
        map_stash_release(&stash);
        if (page)
            pmm_free(page, PAGE_VMO);
        return;
    }
    atomic_store(&page->count, 1);
    page->mark = page->pins = 0;
    page->dirt = PAGE_DIRTY;
    page_map_store(&marked, index, page, &stash);
    map_stash_release(&stash);
    shown[index] = 1;
}

static void cut(uint64_t first, uint64_t last) {
    struct map_stash stash = MAP_STASH_INIT;
    struct map_garbage garbage = MAP_GARBAGE_INIT;

    bool filled = map_stash_fill(&stash, page_map_plan_remove(&marked, first, last)) == OK;
    if (filled)
        page_map_remove(&marked, first, last, &stash, &garbage);
    map_garbage_release(&garbage);
    map_stash_release(&stash);
    REQUIRE(filled);
    memset(shown + first, 0, last - first + 1);
}

static uint8_t kind_of(const struct page *page) {
    return !page ? 0 : !page_is_zero(page) ? 1 : (uint8_t)(2 + page->dirt);
}

static void expect_marked(void) {
    uint64_t pages = 0, covered = 0, expected = 0;
    struct map_run run;

    for (uint64_t i = 0; i < RANGE; i++) {
        EXPECT_EQ(shown[i], kind_of(page_map_find(&marked, i, NULL)));
        pages += shown[i] == 1;
        expected += shown[i] != 0;
    }
    EXPECT_EQ(pages, page_map_pages(&marked));
    for (uint64_t at = 0; page_map_next_run(&marked, at, RANGE - 1, &run);
         at = run.index + run.count) {
        for (uint64_t i = 0; i < run.count; i++)
            EXPECT_EQ(shown[run.index + i], kind_of(run.page));
        covered += run.count;
    }
    EXPECT_EQ(expected, covered);
    struct page *page;
    for (uint64_t at = 0, alike; at < RANGE; at += alike) {
        alike = page_map_alike(&marked, at, RANGE - 1, &page);
        REQUIRE(alike > 0 && alike <= RANGE - at);
        for (uint64_t i = 0; i < alike; i++)
            EXPECT_EQ(shown[at + i], kind_of(page));
    }
    page_map_check(&marked);
}

KTEST(vmo_kinds, markers_agree_with_an_array) {
    uint64_t seed = 5, before = vmo_pages(), nodes = map_nodes_alive();
    struct map_garbage garbage = MAP_GARBAGE_INIT;

    page_map_init(&marked);
    memset(shown, 0, sizeof(shown));
    for (unsigned step = 0; step < 300; step++) {
        seed = seed * 6364136223846793005 + 1442695040888963407;
        uint64_t first = (seed >> 33) % RANGE, last = first + (seed >> 13) % (RANGE - first);
        switch ((seed >> 8) % 4) {
        case 0: mark(first, last, (seed >> 5) % PAGE_DIRTS); break;
        case 1: cut(first, last); break;
        default: place(first); break;
        }
        if (step % 16 == 0)
            expect_marked();
    }
    page_map_remove_clean(&marked, &garbage);
    map_garbage_release(&garbage);
    for (uint64_t i = 0; i < RANGE; i++)
        if (shown[i] == 2 + PAGE_CLEAN)
            shown[i] = 0;
    expect_marked();
    page_map_destroy(&marked);
    EXPECT_EQ(before, vmo_pages());
    EXPECT_EQ(nodes, map_nodes_alive());
}
