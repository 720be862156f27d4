/*
 * page_map_test.c - maps in lock step with plain lists of (index, page).
 *
 * The model knows which page each index of each map shows. From that follows
 * everything else: which pages are alive, which are exclusive, how many there
 * are. Random windows are cloned, written, cut and dropped, in a dense range of
 * indices and in a sparse one, also while allocations fail.
 */
#include "vm/page_map.h"

#include "lib/ktest.h"
#include "lib/string.h"
#include "vm/pmm.h"
#include "vm/test_crew.h"

#define MAPS  6
#define CELLS 96

struct cell {
    uint64_t index, id;
};
struct model {
    unsigned count;
    struct cell cells[CELLS]; /* by rising index */
};

static struct page_map maps[MAPS];
static struct model models[MAPS];
static uint64_t next_id, seed;

static uint64_t draw(uint64_t below) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (seed * 0x2545f4914f6cdd1d >> 20) % below;
}

/* ---- The model ---- */

static unsigned model_lower(const struct model *model, uint64_t index) {
    unsigned i = 0;

    while (i < model->count && model->cells[i].index < index)
        i++;
    return i;
}

static struct cell *model_find(struct model *model, uint64_t index) {
    unsigned i = model_lower(model, index);

    return i < model->count && model->cells[i].index == index ? &model->cells[i] : NULL;
}

static void model_put(struct model *model, uint64_t index, uint64_t id) {
    unsigned i = model_lower(model, index);

    if (i == model->count || model->cells[i].index != index) {
        memmove(&model->cells[i + 1], &model->cells[i],
                (model->count - i) * sizeof(model->cells[0]));
        model->count++;
    }
    model->cells[i] = (struct cell){index, id};
}

static void model_remove(struct model *model, uint64_t first, uint64_t last) {
    unsigned low = model_lower(model, first), high = low;

    while (high < model->count && model->cells[high].index <= last)
        high++;
    memmove(&model->cells[low], &model->cells[high],
            (model->count - high) * sizeof(model->cells[0]));
    model->count -= high - low;
}

static void model_clone(const struct model *source, uint64_t first, uint64_t count,
                        struct model *clone) {
    clone->count = 0;
    for (unsigned i = 0; i < source->count; i++) {
        uint64_t index = source->cells[i].index - first;
        if (source->cells[i].index >= first && index < count)
            clone->cells[clone->count++] = (struct cell){index, source->cells[i].id};
    }
}

/* In how many cells of all maps the page is seen. */
static unsigned model_holders(uint64_t id) {
    unsigned holders = 0;

    for (unsigned m = 0; m < MAPS; m++)
        for (unsigned i = 0; i < models[m].count; i++)
            holders += models[m].cells[i].id == id;
    return holders;
}

static uint64_t model_distinct_pages(void) {
    uint64_t pages = 0;

    for (unsigned m = 0; m < MAPS; m++) {
        for (unsigned i = 0; i < models[m].count; i++) {
            uint64_t id = models[m].cells[i].id;
            bool first = true;
            for (unsigned earlier = 0; earlier < m && first; earlier++)
                for (unsigned j = 0; j < models[earlier].count && first; j++)
                    first = models[earlier].cells[j].id != id;
            pages += first;
        }
    }
    return pages;
}

/* ---- The maps ---- */

static uint64_t page_id(const struct page *page) { return *(uint64_t *)page_contents(page); }

/* Nobody else is at work here, so a probe and the walks that it replaces agree to the node. */
static void expect_probe(unsigned m, uint64_t index, const struct page *page, bool exclusive) {
    struct map_probe probe;

    page_map_probe(&maps[m], index, &probe);
    EXPECT(probe.page == page && probe.exclusive == exclusive);
    EXPECT_EQ(page_map_plan_own(&maps[m], index), probe.needed);
}

static void expect_found(unsigned m, uint64_t index) {
    bool exclusive = false;
    struct page *page = page_map_find(&maps[m], index, &exclusive);
    struct cell *cell = model_find(&models[m], index);

    expect_probe(m, index, page, page && exclusive);

    if (!cell || !page) {
        EXPECT(!cell && !page);
        return;
    }
    EXPECT_EQ(cell->id, page_id(page));
    EXPECT_EQ(model_holders(cell->id) == 1, exclusive);
}

static void expect_same(unsigned m) {
    uint64_t index = 0, at;
    unsigned i = 0;

    for (struct page *page; (page = page_map_next(&maps[m], index, (uint64_t)1 << 36, &at));
         index = at + 1, i++) {
        REQUIRE(i < models[m].count);
        EXPECT_EQ(models[m].cells[i].index, at);
        EXPECT_EQ(models[m].cells[i].id, page_id(page));
    }
    EXPECT_EQ(models[m].count, i);
    EXPECT_EQ(models[m].count, page_map_pages(&maps[m]));
    page_map_check(&maps[m]);
}

static void store_probed(struct page_map *map, uint64_t index, struct map_probe *probe,
                         struct map_stash *stash, struct page *page) {
    if (probe->needed)
        page_map_store(map, index, page, stash);
    else if (probe->page)
        page_map_cursor_replace(&probe->cursor, probe->cursor.slot, page);
    else
        page_map_cursor_store(&probe->cursor, probe->cursor.slot, page);
}

/*
 * What the copy-on-write path does, without views. Others who hold some of the nodes
 * may let go of them meanwhile, so a plan made later may need less, never more.
 */
static status_t write_page(struct page_map *map, uint64_t index, uint64_t id) {
    struct map_stash stash = MAP_STASH_INIT;
    struct map_probe probe;
    bool exclusive = false;

    page_map_probe(map, index, &probe);
    struct page *page = page_map_find(map, index, &exclusive);
    EXPECT(page == probe.page && exclusive >= probe.exclusive);
    if (!page || !exclusive) {
        EXPECT(page_map_plan_own(map, index) <= probe.needed);
        status_t status = map_stash_fill(&stash, probe.needed);
        page = status == OK ? pmm_alloc(PAGE_VMO) : NULL;
        if (page) {
            atomic_store_explicit(&page->count, 1, memory_order_relaxed);
            page->mark = 0;
            store_probed(map, index, &probe, &stash, page);
        }
        map_stash_release(&stash);
    }
    if (page)
        *(uint64_t *)page_contents(page) = id;
    return page ? OK : ERR_NO_MEMORY;
}

static void step_write(unsigned m, uint64_t range) {
    uint64_t index = draw(range), id = ++next_id;

    if (models[m].count == CELLS && !model_find(&models[m], index))
        return;
    expect_found(m, index);
    if (draw(8) == 0)
        alloc_fail_set(1 + draw(4));
    status_t status = write_page(&maps[m], index, id);
    bool failed = alloc_fail_left() == 0;
    alloc_fail_set(0);
    EXPECT(status == OK || failed);
    if (status == OK)
        model_put(&models[m], index, id);
    expect_found(m, index);
}

static void step_clone(unsigned from, unsigned to, uint64_t range) {
    struct map_stash stash = MAP_STASH_INIT;
    uint64_t first = draw(range), count = draw(range);

    if (from == to)
        return;
    if (draw(4) == 0) { /* whole and aligned, as most clones are */
        first = 0;
        count = range;
    }
    page_map_destroy(&maps[to]);
    models[to].count = 0;
    status_t status = map_stash_fill(&stash, page_map_plan_clone(&maps[from], first, count));
    EXPECT_EQ(OK, status);
    if (status == OK) {
        page_map_clone(&maps[from], first, count, &stash, &maps[to]);
        model_clone(&models[from], first, count, &models[to]);
    }
    map_stash_release(&stash);
}

static void step_remove(unsigned m, uint64_t range) {
    struct map_stash stash = MAP_STASH_INIT;
    struct map_garbage garbage = MAP_GARBAGE_INIT;
    uint64_t first = draw(range), last = first + draw(range - first);

    status_t status = map_stash_fill(&stash, page_map_plan_remove(&maps[m], first, last));
    EXPECT_EQ(OK, status);
    if (status == OK) {
        page_map_remove(&maps[m], first, last, &stash, &garbage);
        model_remove(&models[m], first, last);
    }
    map_garbage_release(&garbage);
    map_stash_release(&stash);
}

static void step(uint64_t range) {
    unsigned m = (unsigned)draw(MAPS);

    switch (draw(16)) {
    case 0:
    case 1: step_clone(m, (unsigned)draw(MAPS), range); break;
    case 2: step_remove(m, range); break;
    case 3: expect_found(m, draw(range)); break;
    default: step_write(m, range); break;
    }
}

static void check_all(uint64_t pages_before) {
    for (unsigned m = 0; m < MAPS; m++)
        expect_same(m);
    EXPECT_EQ(model_distinct_pages(), pmm_stats().pages[PAGE_VMO] - pages_before);
}

static void run_lock_step(unsigned steps, uint64_t range, uint64_t start) {
    uint64_t pages_before = pmm_stats().pages[PAGE_VMO], nodes_before = map_nodes_alive();

    seed = start;
    memset(models, 0, sizeof(models));
    for (unsigned m = 0; m < MAPS; m++)
        page_map_init(&maps[m]);
    for (unsigned i = 0; i < steps; i++) {
        step(range);
        if (i % 64 == 0)
            check_all(pages_before);
    }
    for (unsigned m = 0; m < MAPS; m++) {
        page_map_destroy(&maps[m]);
        models[m].count = 0;
        check_all(pages_before);
    }
    EXPECT_EQ(nodes_before, map_nodes_alive());
}

KTEST(page_map, dense_maps_agree_with_the_model) {
    for (uint64_t start = 1; start <= 4; start++)
        run_lock_step(3000, 150, start * 0x9e3779b97f4a7c15);
}

KTEST(page_map, sparse_maps_agree_with_the_model) {
    for (uint64_t start = 1; start <= 4; start++)
        run_lock_step(3000, (uint64_t)1 << (4 + 8 * start), start * 0xd1b54a32d192ed03);
}

KTEST_QUICK(page_map, a_short_walk_agrees_with_the_model) { run_lock_step(200, 150, 42); }

static status_t clone_window(const struct page_map *map, uint64_t first, uint64_t count,
                             struct page_map *clone) {
    struct map_stash stash = MAP_STASH_INIT;
    status_t status = map_stash_fill(&stash, page_map_plan_clone(map, first, count));

    page_map_init(clone);
    if (status == OK)
        page_map_clone(map, first, count, &stash, clone);
    map_stash_release(&stash);
    return status;
}

static status_t fill(struct page_map *map, uint64_t count) {
    status_t status = OK;

    for (uint64_t i = 0; i < count && status == OK; i++)
        status = write_page(map, i, i);
    return status;
}

static void expect_cheap_clone(struct page_map *parent, struct page_map *clone) {
    uint64_t pages = pmm_stats().pages[PAGE_VMO], nodes = map_nodes_alive();

    EXPECT(page_map_plan_clone(parent, 0, 4096) <= 2 * MAP_HEIGHT_MAX);
    REQUIRE(clone_window(parent, 0, 4096, clone) == OK);
    EXPECT_EQ(pages, pmm_stats().pages[PAGE_VMO]);
    EXPECT_EQ(nodes, map_nodes_alive());
    REQUIRE(write_page(parent, 1, 7001) == OK);
    REQUIRE(write_page(clone, 2, 7002) == OK);
    EXPECT_EQ(pages + 2, pmm_stats().pages[PAGE_VMO]);
    EXPECT_EQ(1, page_id(page_map_find(clone, 1, NULL)));
    EXPECT_EQ(2, page_id(page_map_find(parent, 2, NULL)));
}

KTEST_QUICK(page_map, P40_a_clone_costs_the_same_for_any_number_of_pages) {
    struct page_map parent, clone;

    page_map_init(&parent);
    page_map_init(&clone);
    status_t status = fill(&parent, 1000);
    EXPECT_EQ(OK, status);
    if (status == OK)
        expect_cheap_clone(&parent, &clone);
    page_map_destroy(&parent);
    page_map_destroy(&clone);
}

/* The way of a program that snapshots itself again and again and lets the old one go. */
KTEST(page_map, clones_of_clones_stay_shallow) {
    struct page_map map, next;
    status_t status = OK;

    page_map_init(&map);
    for (unsigned generation = 0; generation < 2000 && status == OK; generation++) {
        status = write_page(&map, 5 + generation % 3, generation);
        if (status == OK)
            status = clone_window(&map, 1, 200, &next);
        if (status != OK)
            break;
        page_map_destroy(&map);
        map = next;
        EXPECT(map.root && (map.root->height + 1u) * MAP_BITS <= 18 && map.bias < 4096 * 64);
    }
    EXPECT_EQ(OK, status);
    page_map_destroy(&map);
}

KTEST(page_map, attribution_charges_each_page_once) {
    uint64_t pages_before = pmm_stats().pages[PAGE_VMO], charged = 0;

    seed = 77;
    memset(models, 0, sizeof(models));
    for (unsigned m = 0; m < MAPS; m++)
        page_map_init(&maps[m]);
    for (unsigned i = 0; i < 1500; i++)
        step(300);
    for (unsigned m = 0; m < MAPS; m++)
        charged += page_map_charge(&maps[m], 0x7000000000000000);
    EXPECT_EQ(model_distinct_pages(), charged);
    for (unsigned m = 0; m < MAPS; m++)
        page_map_destroy(&maps[m]);
    EXPECT_EQ(pages_before, pmm_stats().pages[PAGE_VMO]);
}

/* ---- Many CPUs ---- */

#define SHARED_PAGES 130
static struct mutex parent_lock;
static struct page_map shared_parent; /* under parent_lock */
static uint64_t stamps[4];            /* of each thread, for values that nobody repeats */

static status_t clone_parent(struct page_map *clone) {
    MUTEX_GUARD(&parent_lock);
    return clone_window(&shared_parent, 0, SHARED_PAGES, clone);
}

static status_t write_parent(uint64_t index, uint64_t id) {
    MUTEX_GUARD(&parent_lock);
    return write_page(&shared_parent, index, id);
}

static uint64_t sum_of(const struct page_map *map) {
    uint64_t sum = 0, index = 0, at;

    for (struct page *page; (page = page_map_next(map, index, SHARED_PAGES, &at)); index = at + 1)
        sum += page_id(page) * (at + 1);
    return sum;
}

/* A clone shows what it showed, whatever the parent and other clones write. */
static void clone_and_check(unsigned index, unsigned round) {
    struct page_map clone;

    REQUIRE(clone_parent(&clone) == OK);
    uint64_t before = sum_of(&clone), at = (round * 7 + index) % SHARED_PAGES;
    EXPECT_EQ(OK, write_parent((round * 13 + index) % SHARED_PAGES, ++stamps[index] * 4 + index));
    EXPECT_EQ(before, sum_of(&clone));
    struct page *page = page_map_find(&clone, at, NULL);
    uint64_t old = page ? page_id(page) : 0, mine = ++stamps[index] * 4 + index;
    if (write_page(&clone, at, mine) == OK)
        EXPECT_EQ(before + (mine - old) * (at + 1), sum_of(&clone));
    page_map_destroy(&clone);
}

static void clone_work(void *context, unsigned index) {
    for (unsigned round = 0; round < 150; round++)
        clone_and_check(index, round);
}

KTEST(page_map, P54_clones_on_several_CPUs_keep_what_they_show) {
    static struct crew crew;
    uint64_t pages = pmm_stats().pages[PAGE_VMO];

    mutex_init(&parent_lock, RANK_VMO, "parent");
    page_map_init(&shared_parent);
    EXPECT(crew_run(&crew, 4, clone_work, NULL));
    page_map_check(&shared_parent);
    page_map_destroy(&shared_parent);
    EXPECT_EQ(pages, pmm_stats().pages[PAGE_VMO]);
}
