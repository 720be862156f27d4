/*
 * vmo_model_test.c - memory objects, their snapshots and their views in lock step
 * with plain arrays of one value per page.
 *
 * Two address spaces show random windows of random objects. Every path that can
 * change or show a byte is taken: kernel read and write, user load and store
 * through any view, clone, resize, zero, commit, protect, unmap, close, also while
 * an allocation fails, which must change nothing.
 */
#include "lib/ktest.h"
#include "lib/string.h"
#include "vm/kheap.h"
#include "vm/pmm.h"
#include "vm/test_space.h"

#define PAGES   16 /* of the largest object */
#define OBJECTS 8
#define VIEWS   12
#define SPACES 2

struct object {
    struct vmo *vmo; /* NULL: free */
    uint64_t pages;
    uint64_t value[PAGES];
};
struct view {
    struct object *object; /* NULL: free */
    unsigned space;
    vaddr_t address;
    uint64_t first, pages; /* of the object */
    bool writable;
};

static struct object objects[OBJECTS];
static struct view views[VIEWS];
static struct aspace *spaces[SPACES];
static uint64_t seed, next_value;
static bool failing; /* an allocation of the running step may fail */

static uint64_t draw(uint64_t below) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (seed * 0x2545f4914f6cdd1d >> 20) % below;
}

/* The step's status: OK, or no memory while that was asked for. */
static bool went_well(status_t status) {
    bool failed = failing && alloc_fail_left() == 0;

    EXPECT(status == OK || (status == ERR_NO_MEMORY && failed));
    return status == OK;
}

static struct object *any_object(void) {
    struct object *object = &objects[draw(OBJECTS)];

    return object->vmo ? object : NULL;
}

static struct object *free_object(void) {
    for (unsigned i = 0; i < OBJECTS; i++)
        if (!objects[i].vmo)
            return &objects[i];
    return NULL;
}

static struct view *view_of(const struct object *object) {
    for (unsigned i = 0; i < VIEWS; i++)
        if (views[i].object == object)
            return &views[i];
    return NULL;
}

/* ---- Steps on objects ---- */

static void step_create(void) {
    struct object *object = free_object();
    uint64_t pages = draw(4) ? PAGES / 2 + draw(PAGES / 2 + 1) : draw(PAGES + 1);

    if (!object || !went_well(vmo_create(pages * PAGE_SIZE, true, &object->vmo)))
        return;
    object->pages = pages;
    memset(object->value, 0, sizeof(object->value));
}

static void step_clone(void) {
    struct object *parent = any_object(), *child = free_object();
    uint64_t first = draw(PAGES), pages = draw(PAGES + 1);

    if (!parent || !child)
        return;
    if (draw(2)) {
        first = 0;
        pages = parent->pages;
    }
    if (!went_well(vmo_create_snapshot(parent->vmo, SNAPSHOT_FULL, first * PAGE_SIZE, pages * PAGE_SIZE, true,
                                       &child->vmo)))
        return;
    child->pages = pages;
    memset(child->value, 0, sizeof(child->value));
    for (uint64_t i = 0; i < pages && first + i < parent->pages; i++)
        child->value[i] = parent->value[first + i];
}

static void step_close(void) {
    struct object *object = any_object();

    if (!object)
        return;
    for (struct view *view; (view = view_of(object)); view->object = NULL)
        if (!went_well(test_space_unmap(spaces[view->space], view->address,
                                        view->pages * PAGE_SIZE)))
            return;
    vmo_unref(object->vmo);
    object->vmo = NULL;
}

static void step_resize(void) {
    struct object *object = any_object();
    uint64_t pages = draw(3) ? PAGES : draw(PAGES + 1);

    if (!object || draw(2) || !went_well(vmo_set_size(object->vmo, pages * PAGE_SIZE)))
        return;
    for (uint64_t i = pages; i < object->pages; i++)
        object->value[i] = 0;
    object->pages = pages;
}

static void step_zero_or_commit(void) {
    struct object *object = any_object();
    uint64_t first = draw(PAGES), pages = 1 + draw(PAGES);

    if (!object || first >= object->pages)
        return;
    if (draw(2)) {
        (void)went_well(vmo_commit(object->vmo, first * PAGE_SIZE, pages * PAGE_SIZE));
        return;
    }
    if (!went_well(vmo_zero(object->vmo, first * PAGE_SIZE, pages * PAGE_SIZE)))
        return;
    for (uint64_t i = first; i < first + pages && i < object->pages; i++)
        object->value[i] = 0;
}

static void step_write(void) {
    struct object *object = any_object();
    uint64_t index = draw(PAGES), value = ++next_value;

    if (!object)
        return;
    status_t status = vmo_write_kernel(object->vmo, index * PAGE_SIZE, &value, sizeof(value));
    if (index >= object->pages)
        EXPECT_EQ(ERR_OUT_OF_RANGE, status);
    else if (went_well(status))
        object->value[index] = value;
}

static void expect_reads(struct object *object, uint64_t index) {
    uint64_t value = 0;
    status_t status = vmo_read_kernel(object->vmo, index * PAGE_SIZE, &value, sizeof(value));

    EXPECT_EQ(index < object->pages ? OK : ERR_OUT_OF_RANGE, status);
    if (status == OK)
        EXPECT_EQ(object->value[index], value);
}

/* ---- Steps on views ---- */

static void step_map(void) {
    struct object *object = any_object();
    struct view *view = &views[draw(VIEWS)];
    uint64_t first = draw(PAGES), pages = 1 + draw(PAGES);
    unsigned space = (unsigned)draw(SPACES);
    vaddr_t address = 0;

    if (view->object || !object)
        return;
    if (draw(2)) { /* all of it */
        first = 0;
        pages = MAX(object->pages, (uint64_t)1);
    }
    bool writable = draw(4) != 0;
    uint32_t perm = ZX_VM_PERM_READ | (writable ? ZX_VM_PERM_WRITE : 0);
    if (went_well(test_space_map(spaces[space], object->vmo, first * PAGE_SIZE, pages * PAGE_SIZE,
                                 perm, &address)))
        *view = (struct view){object, space, address, first, pages, writable};
}

/* All of a view, or one end of it. */
static void step_unmap(void) {
    struct view *view = &views[draw(VIEWS)];

    if (!view->object)
        return;
    uint64_t cut = draw(3) ? view->pages : 1 + draw(view->pages);
    bool front = draw(2);
    vaddr_t at = view->address + (front ? 0 : view->pages - cut) * PAGE_SIZE;
    if (!went_well(test_space_unmap(spaces[view->space], at, cut * PAGE_SIZE)))
        return;
    view->pages -= cut;
    if (front) {
        view->address += cut * PAGE_SIZE;
        view->first += cut;
    }
    if (view->pages == 0)
        view->object = NULL;
}

static void step_protect(void) {
    struct view *view = &views[draw(VIEWS)];
    bool writable = draw(2);

    if (!view->object)
        return;
    AUTO(region) root = aspace_root(spaces[view->space]);
    uint32_t perm = ZX_VM_PERM_READ | (writable ? ZX_VM_PERM_WRITE : 0);
    if (went_well(vmar_protect(root, perm, view->address, view->pages * PAGE_SIZE)))
        view->writable = writable;
}

static void store_at(struct view *view, uint64_t page) {
    uint64_t index = view->first + page, value = ++next_value;
    bool stored = test_space_store(view->address + page * PAGE_SIZE, value);
    bool may = view->writable && index < view->object->pages;

    EXPECT(stored == may || (!stored && failing && alloc_fail_left() == 0));
    if (stored && may)
        view->object->value[index] = value;
}

static void step_store(void) {
    struct view *view = &views[draw(VIEWS)];

    if (!view->object)
        return;
    uint64_t page = draw(view->pages), count = 1 + draw(4);
    test_space_enter(spaces[view->space]);
    for (; page < view->pages && count > 0; page++, count--)
        store_at(view, page);
}

static void expect_shows(struct view *view, uint64_t page) {
    uint64_t value = 0, index = view->first + page;

    test_space_enter(spaces[view->space]);
    bool loaded = test_space_load(view->address + page * PAGE_SIZE, &value);
    bool may = index < view->object->pages;
    EXPECT(loaded == may || (!loaded && failing && alloc_fail_left() == 0));
    if (loaded && may && view->object->value[index] != value)
        ktest_fail(__FILE__, __LINE__, "a view in space %u shows %llu, not %llu, of page %llu",
                   view->space, (unsigned long long)value,
                   (unsigned long long)view->object->value[index], (unsigned long long)index);
}

static void step_load(void) {
    struct view *view = &views[draw(VIEWS)];

    if (view->object)
        expect_shows(view, draw(view->pages));
}

/* ---- The walk ---- */

static void step(void) {
    static void (*const steps[])(void) = {
        step_create, step_clone, step_clone, step_close, step_resize,  step_zero_or_commit,
        step_write,  step_write, step_map,   step_map,   step_map,     step_unmap,
        step_store,  step_store, step_store, step_store, step_store,   step_store,
        step_load,   step_load,  step_load,  step_load,  step_protect,
    };

    failing = draw(10) == 0;
    if (failing)
        alloc_fail_set(1 + draw(8));
    steps[draw(ARRAY_SIZE(steps))]();
    if (failing)
        alloc_fail_set(0);
    failing = false;
}

static void check_all(void) {
    for (unsigned i = 0; i < OBJECTS; i++) {
        for (uint64_t page = 0; objects[i].vmo && page <= objects[i].pages; page++)
            expect_reads(&objects[i], page);
    }
    for (unsigned i = 0; i < VIEWS; i++) {
        for (uint64_t page = 0; views[i].object && page < views[i].pages; page++)
            expect_shows(&views[i], page);
    }
}

static bool begin(void) {
    memset(objects, 0, sizeof(objects));
    memset(views, 0, sizeof(views));
    memset(spaces, 0, sizeof(spaces));
    for (unsigned i = 0; i < SPACES; i++)
        if (aspace_create(&spaces[i]) != OK)
            return false;
    return true;
}

static void end(void) {
    for (unsigned i = 0; i < SPACES; i++)
        test_space_end(spaces[i]);
    for (unsigned i = 0; i < OBJECTS; i++)
        if (objects[i].vmo)
            vmo_unref(objects[i].vmo);
}

static void run_lock_step(unsigned steps, uint64_t start) {
    uint64_t pages = pmm_stats().pages[PAGE_VMO], tables = pmm_stats().pages[PAGE_TABLE];

    seed = start;
    bool begun = begin();
    EXPECT(begun);
    for (unsigned i = 0; begun && i < steps; i++) {
        step();
        if (i % 32 == 0)
            check_all();
    }
    end();
    EXPECT_EQ(pages, pmm_stats().pages[PAGE_VMO]);
    EXPECT_EQ(tables, pmm_stats().pages[PAGE_TABLE]);
}

KTEST(vmo, P53_objects_and_views_agree_with_the_model) {
    for (uint64_t start = 1; start <= 6; start++)
        run_lock_step(4000, start * 0x9e3779b97f4a7c15);
}

KTEST_QUICK(vmo, a_short_walk_agrees_with_the_model) { run_lock_step(150, 4711); }
