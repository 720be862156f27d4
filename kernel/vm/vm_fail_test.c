/*
 * vm_fail_test.c - each operation on objects and regions, with each of its allocations
 * failing in turn.
 *
 * A scene is built anew for each attempt: an object of more than one leaf, a clone that
 * shares most of it, and a region that maps the clone twice. A call that finds no memory
 * must leave a picture equal to the one before: sizes, contents, charges, children, what
 * is mapped, the machine's pages and nodes. Those that work page by page (COMMIT, ZERO)
 * may have done a part: then each page is as before or as after, and doing it again
 * with memory ends as if nothing had happened.
 */
#include "lib/ktest.h"
#include "lib/string.h"
#include "vm/fault.h"
#include "vm/pmm.h"
#include "vm/test_space.h"

#define PAGES  70
#define MAPPED 24 /* pages of the region */
#define LIMIT  400 /* more allocations than any of these makes */

static struct scene {
    struct vmo *parent, *clone, *child; /* child: what an operation makes */
    struct aspace *space;
    struct region *region, *made;
    vaddr_t base;
} scene;

struct picture {
    uint64_t size[2], content_size[2], committed[2], children[2];
    uint64_t word[2][PAGES];
    bool readable[MAPPED], writable[MAPPED];
    uint64_t mappings, pages;
};

/* ---- The scene ---- */

static status_t write_word(struct vmo *vmo, uint64_t page, uint64_t word) {
    return vmo_write_kernel(vmo, page * PAGE_SIZE, &word, sizeof(word));
}

static status_t map_clone(uint64_t at, uint64_t page, uint64_t count, uint32_t options) {
    vaddr_t address;
    return vmar_map(scene.region, options | ZX_VM_SPECIFIC | ZX_VM_ALLOW_FAULTS, at * PAGE_SIZE,
                    scene.clone, page * PAGE_SIZE, count * PAGE_SIZE, PERM_MASK, &address);
}

static status_t scene_objects(void) {
    status_t status = vmo_create(PAGES * PAGE_SIZE, true, &scene.parent);
    for (uint64_t page = 0; status == OK && page < PAGES; page++)
        if (page % 5 != 4)
            status = write_word(scene.parent, page, page + 1);
    if (status == OK)
        status = vmo_create_snapshot(scene.parent, SNAPSHOT_FULL, 0, PAGES * PAGE_SIZE, true, &scene.clone);
    for (uint64_t page = 0; status == OK && page < PAGES; page += 9)
        status = write_word(scene.clone, page, 1000 + page);
    return status;
}

static status_t scene_region(void) {
    status_t status = aspace_create(&scene.space);
    if (status != OK)
        return status;
    AUTO(region) root = aspace_root(scene.space);
    status = vmar_allocate(root, ZX_VM_CAN_MAP_READ | ZX_VM_CAN_MAP_WRITE | ZX_VM_CAN_MAP_SPECIFIC,
                           0, MAPPED * PAGE_SIZE, &scene.region);
    if (status != OK)
        return status;
    scene.base = scene.region->start;
    status = map_clone(2, 0, 8, ZX_VM_PERM_READ | ZX_VM_PERM_WRITE);
    return status == OK ? map_clone(12, 60, 8, ZX_VM_PERM_READ) : status;
}

static bool scene_make(void) {
    memset(&scene, 0, sizeof(scene));
    bool made = scene_objects() == OK && scene_region() == OK;
    if (made)
        test_space_enter(scene.space);
    return made;
}

static void scene_end(void) {
    if (scene.made)
        region_unref(scene.made);
    if (scene.region)
        region_unref(scene.region);
    test_space_end(scene.space);
    if (scene.child)
        vmo_unref(scene.child);
    if (scene.clone)
        vmo_unref(scene.clone);
    if (scene.parent)
        vmo_unref(scene.parent);
}

static void picture_object(struct picture *picture, unsigned i, struct vmo *vmo) {
    struct vmo_info info = vmo_info(vmo);
    picture->size[i] = info.size;
    picture->content_size[i] = info.content_size;
    picture->committed[i] = info.committed_bytes;
    picture->children[i] = info.child_count;
    picture->mappings += info.mapping_count;
    for (uint64_t page = 0; page < info.size / PAGE_SIZE && page < PAGES; page++)
        EXPECT_EQ(OK, vmo_read_kernel(vmo, page * PAGE_SIZE, &picture->word[i][page],
                                      sizeof(uint64_t)));
}

/* What the mappings allow; asked without touching anything. */
static void picture_region(struct picture *picture) {
    MUTEX_GUARD(&scene.space->lock);
    for (uint64_t page = 0; page < MAPPED; page++) {
        struct region *mapping = aspace_find_locked(scene.space, scene.base + page * PAGE_SIZE);
        picture->readable[page] = mapping && (mapping->perm & ZX_VM_PERM_READ);
        picture->writable[page] = mapping && (mapping->perm & ZX_VM_PERM_WRITE);
    }
}

static void picture_take(struct picture *picture) {
    memset(picture, 0, sizeof(*picture));
    picture_object(picture, 0, scene.parent);
    picture_object(picture, 1, scene.clone);
    picture_region(picture);
    picture->pages = pmm_stats().pages[PAGE_VMO];
}

/* ---- The operations; each tells its status ---- */

static status_t make_object(void) { return vmo_create(PAGE_SIZE, false, &scene.child); }
static status_t clone_whole(void) {
    return vmo_create_snapshot(scene.clone, SNAPSHOT_FULL, 0, PAGES * PAGE_SIZE, false, &scene.child);
}
static status_t clone_window(void) {
    return vmo_create_snapshot(scene.clone, SNAPSHOT_FULL, 3 * PAGE_SIZE, (PAGES - 6) * PAGE_SIZE, false,
                               &scene.child);
}
static status_t refer(void) { return vmo_create_reference(scene.parent, true, &scene.child); }
static status_t write_shared(void) { return write_word(scene.clone, 66, 5); }
static status_t write_absent(void) { return write_word(scene.clone, 4, 5); }
static status_t write_parent(void) { return write_word(scene.parent, 1, 5); }
static status_t commit_clone(void) { return vmo_commit(scene.clone, PAGE_SIZE, 5 * PAGE_SIZE); }
static status_t zero_shared(void) {
    return vmo_zero(scene.clone, PAGE_SIZE + 8, (PAGES - 3) * PAGE_SIZE);
}
static status_t zero_inside(void) { return vmo_zero(scene.clone, 66 * PAGE_SIZE + 8, 8); }
static status_t shrink(void) { return vmo_set_size(scene.clone, 62 * PAGE_SIZE + 100); }
static status_t shrink_parent(void) { return vmo_set_size(scene.parent, 3 * PAGE_SIZE); }
static status_t grow(void) { return vmo_set_size(scene.clone, 2 * PAGES * PAGE_SIZE); }
static status_t cut_content(void) {
    return vmo_set_content_size(scene.clone, 66 * PAGE_SIZE + 100);
}
static status_t allocate(void) {
    return vmar_allocate(scene.region, ZX_VM_SPECIFIC | ZX_VM_CAN_MAP_READ, 0, PAGE_SIZE,
                         &scene.made);
}
static status_t map(void) { return map_clone(20, 3, 4, ZX_VM_PERM_READ); }
static status_t map_range(void) { return map_clone(20, 0, 4, ZX_VM_PERM_READ | ZX_VM_MAP_RANGE); }
static status_t overwrite(void) {
    vaddr_t address;
    return vmar_map(scene.region, ZX_VM_PERM_READ | ZX_VM_SPECIFIC_OVERWRITE, 4 * PAGE_SIZE,
                    scene.parent, 0, 2 * PAGE_SIZE, PERM_MASK, &address);
}
static status_t unmap_middle(void) {
    return vmar_unmap(scene.region, scene.base + 5 * PAGE_SIZE, 2 * PAGE_SIZE);
}
static status_t protect_middle(void) {
    return vmar_protect(scene.region, ZX_VM_PERM_READ, scene.base + 5 * PAGE_SIZE, 2 * PAGE_SIZE);
}
static status_t commit_mapped(void) {
    return vmar_op_range(scene.region, ZX_VMAR_OP_COMMIT, scene.base + 3 * PAGE_SIZE,
                         4 * PAGE_SIZE);
}
static status_t fault_write(void) {
    return aspace_fault(scene.space, scene.base + 3 * PAGE_SIZE, FAULT_WRITE);
}
static status_t fault_read(void) {
    return aspace_fault(scene.space, scene.base + 13 * PAGE_SIZE, FAULT_READ);
}

static const struct operation {
    const char *name;
    status_t (*run)(void);
    bool in_parts;  /* it may have done some pages */
    bool may_own;   /* a page may be the object's own already: the fault is finished next time */
} operations[] = {
    {"create", make_object, false, false},
    {"snapshot", clone_whole, false, false},
    {"snapshot of a window", clone_window, false, false},
    {"reference", refer, false, false},
    {"write to a shared page", write_shared, false, false},
    {"write to an absent page", write_absent, false, false},
    {"write to the parent's page", write_parent, false, false},
    {"commit", commit_clone, true, false},
    {"zero", zero_shared, true, false},
    {"zero inside a page", zero_inside, false, false},
    {"shrink", shrink, false, false},
    {"shrink the parent", shrink_parent, false, false},
    {"grow", grow, false, false},
    {"content size", cut_content, true, false},
    {"allocate", allocate, false, false},
    {"map", map, false, false},
    {"map range", map_range, false, false},
    {"overwrite", overwrite, false, false},
    {"unmap", unmap_middle, false, false},
    {"protect", protect_middle, false, false},
    {"commit mapped", commit_mapped, true, false},
    {"write fault", fault_write, false, true},
    {"read fault", fault_read, false, true},
};

/* ---- The judgement ---- */

static struct picture before, failed, after, again;

static void tell(const struct operation *operation, uint64_t n, const char *what) {
    ktest_fail(__FILE__, __LINE__, "%s, failure %llu: %s", operation->name, (unsigned long long)n,
               what);
}

static bool words_are_old_or_new(void) {
    for (unsigned i = 0; i < 2; i++)
        for (uint64_t page = 0; page < PAGES; page++) {
            uint64_t word = failed.word[i][page];
            if (word != before.word[i][page] && word != after.word[i][page])
                return false;
        }
    return true;
}

/* The counts of pages may differ where a part is done. */
static void forget_counts(struct picture *picture) {
    memset(picture->committed, 0, sizeof(picture->committed));
    picture->pages = 0;
}

static void judge_failure(const struct operation *operation, uint64_t n) {
    picture_take(&failed);
    if (operation->in_parts && !words_are_old_or_new())
        tell(operation, n, "a page is neither old nor new");
    static struct picture want;
    want = before;
    if (operation->in_parts)
        memcpy(want.word, failed.word, sizeof(want.word));
    if (operation->in_parts || operation->may_own) {
        forget_counts(&want);
        forget_counts(&failed);
    }
    if (memcmp(&want, &failed, sizeof(want)) != 0)
        tell(operation, n, "something has changed");
    if (operation->run() != OK)
        tell(operation, n, "it fails with memory as well");
    picture_take(&again);
    if (memcmp(&after, &again, sizeof(after)) != 0)
        tell(operation, n, "the second time ends differently");
}

/* One attempt whose allocation number `n` fails; false when there was none. */
static bool attempt(const struct operation *operation, uint64_t n) {
    if (!scene_make()) {
        tell(operation, n, "no scene");
        return false;
    }
    picture_take(&before);
    alloc_fail_set(n);
    status_t status = operation->run();
    bool reached = alloc_fail_left() == 0;
    alloc_fail_set(0);
    if (reached && status == ERR_NO_MEMORY)
        judge_failure(operation, n);
    else if (status != OK)
        tell(operation, n, "a wrong status");
    scene_end();
    return reached;
}

static void learn_what_is_after(const struct operation *operation) {
    memset(&after, 0, sizeof(after));
    if (scene_make()) {
        EXPECT_EQ(OK, operation->run());
        picture_take(&after);
    }
    scene_end();
}

static void run_operation(const struct operation *operation) {
    uint64_t pages = pmm_stats().pages[PAGE_VMO], tables = pmm_stats().pages[PAGE_TABLE];
    uint64_t nodes = map_nodes_alive(), n = 1;
    learn_what_is_after(operation);
    while (n < LIMIT && attempt(operation, n))
        n++;
    EXPECT(n < LIMIT);
    EXPECT_EQ(pages, pmm_stats().pages[PAGE_VMO]);
    EXPECT_EQ(tables, pmm_stats().pages[PAGE_TABLE]);
    EXPECT_EQ(nodes, map_nodes_alive());
}

KTEST(vm, P53_each_operation_without_memory_changes_nothing) {
    for (unsigned i = 0; i < ARRAY_SIZE(operations); i++)
        run_operation(&operations[i]);
}

/* The line of the checklist by itself: the fork of a page, through the kernel and by a fault. */
KTEST_QUICK(vmo, P53_a_fork_without_memory_changes_nothing) {
    static const struct operation forks[] = {
        {"write to a shared page", write_shared, false, false},
        {"write fault", fault_write, false, true},
    };
    for (unsigned i = 0; i < ARRAY_SIZE(forks); i++)
        run_operation(&forks[i]);
}

/* ---- Pinned ---- */

KTEST_QUICK(vmo, a_pinned_object_is_not_cloned_cut_or_decommitted) {
    struct vmo *vmo = NULL, *child = NULL;
    paddr_t frames[4], again[4];
    EXPECT_EQ(OK, vmo_create(5 * PAGE_SIZE, true, &vmo));
    REQUIRE(vmo);
    if (vmo_pin(vmo, 0, 4 * PAGE_SIZE, true, frames) != OK) {
        EXPECT(!"pinned");
        vmo_unref(vmo);
        return;
    }
    EXPECT_EQ(4 * PAGE_SIZE, vmo_info(vmo).committed_bytes);
    EXPECT_EQ(ERR_BAD_STATE,
              vmo_create_snapshot(vmo, SNAPSHOT_FULL, 0, PAGE_SIZE, false, &child));
    EXPECT_EQ(ERR_BAD_STATE, vmo_decommit(vmo, 0, PAGE_SIZE));
    EXPECT_EQ(ERR_BAD_STATE, vmo_set_size(vmo, PAGE_SIZE));
    EXPECT_EQ(OK, vmo_set_size(vmo, 6 * PAGE_SIZE)); /* growing is fine */
    EXPECT_EQ(OK, write_word(vmo, 0, 7));
    EXPECT_EQ(OK, vmo_zero(vmo, 0, PAGE_SIZE));
    bool twice = vmo_pin(vmo, 0, 4 * PAGE_SIZE, true, again) == OK;
    EXPECT(twice && memcmp(frames, again, sizeof(frames)) == 0); /* the same frames */
    EXPECT_EQ(4 * PAGE_SIZE, vmo_info(vmo).committed_bytes);
    if (twice)
        vmo_unpin(vmo, 0, 4 * PAGE_SIZE);
    EXPECT_EQ(ERR_BAD_STATE, vmo_set_size(vmo, PAGE_SIZE));
    vmo_unpin(vmo, 0, 4 * PAGE_SIZE);
    EXPECT_EQ(OK, vmo_create_snapshot(vmo, SNAPSHOT_FULL, 0, PAGE_SIZE, false, &child));
    if (child)
        vmo_unref(child);
    EXPECT_EQ(OK, vmo_decommit(vmo, 0, PAGE_SIZE));
    EXPECT_EQ(OK, vmo_set_size(vmo, PAGE_SIZE));
    vmo_unref(vmo);
}

KTEST_QUICK(vmo, a_slice_of_a_pinned_object_is_fine) {
    struct vmo *vmo = NULL, *slice = NULL;
    paddr_t frame;
    EXPECT_EQ(OK, vmo_create(2 * PAGE_SIZE, false, &vmo));
    REQUIRE(vmo);
    bool pinned = vmo_pin(vmo, 0, PAGE_SIZE, true, &frame) == OK;
    EXPECT(pinned);
    EXPECT_EQ(OK, vmo_create_slice(vmo, 0, PAGE_SIZE, &slice));
    if (slice)
        vmo_unref(slice);
    if (pinned)
        vmo_unpin(vmo, 0, PAGE_SIZE);
    vmo_unref(vmo);
}

/* ---- Contiguous, physical, uncached parents ---- */

static void expect_refused(status_t want, struct vmo *parent) {
    for (enum snapshot_kind kind = SNAPSHOT_FULL; kind <= SNAPSHOT_MODIFIED; kind++) {
        struct vmo *child = NULL;
        EXPECT_EQ(want, vmo_create_snapshot(parent, kind, 0, PAGE_SIZE, false, &child));
        EXPECT(!child);
    }
}

KTEST_QUICK(vmo, a_contiguous_object_is_not_cloned_or_decommitted_but_sliced) {
    struct vmo *vmo = NULL, *slice = NULL;
    EXPECT_EQ(OK, vmo_create_contiguous(4 * PAGE_SIZE, PAGE_SHIFT, 0, &vmo));
    REQUIRE(vmo);
    expect_refused(ERR_INVALID_ARGS, vmo);
    EXPECT_EQ(ERR_NOT_SUPPORTED, vmo_decommit(vmo, 0, PAGE_SIZE));
    EXPECT_EQ(ERR_UNAVAILABLE, vmo_set_size(vmo, PAGE_SIZE));
    EXPECT_EQ(OK, write_word(vmo, 1, 9));
    EXPECT_EQ(OK, vmo_zero(vmo, PAGE_SIZE, PAGE_SIZE));
    EXPECT_EQ(4 * PAGE_SIZE, vmo_info(vmo).committed_bytes);
    EXPECT_EQ(OK, vmo_create_slice(vmo, PAGE_SIZE, PAGE_SIZE, &slice));
    vmo_unref(vmo); /* the slice keeps the whole run */
    if (slice)
        vmo_unref(slice);
}

KTEST_QUICK(vmo, a_physical_object_is_not_cloned_but_sliced) {
    struct vmo *vmo = NULL, *slice = NULL;
    EXPECT_EQ(OK, vmo_create_physical(paddr((uint64_t)1 << 39), 2 * PAGE_SIZE, &vmo));
    REQUIRE(vmo);
    expect_refused(ERR_NOT_SUPPORTED, vmo);
    EXPECT_EQ(OK, vmo_create_slice(vmo, PAGE_SIZE, PAGE_SIZE, &slice));
    if (slice)
        vmo_unref(slice);
    vmo_unref(vmo);
}

KTEST_QUICK(vmo, an_uncached_object_is_not_cloned) {
    struct vmo *vmo = NULL, *slice = NULL, *reference = NULL;
    EXPECT_EQ(OK, vmo_create(2 * PAGE_SIZE, false, &vmo));
    REQUIRE(vmo);
    EXPECT_EQ(OK, vmo_set_cache_policy(vmo, 1));
    expect_refused(ERR_BAD_STATE, vmo);
    EXPECT_EQ(ERR_BAD_STATE, vmo_create_slice(vmo, 0, PAGE_SIZE, &slice));
    EXPECT_EQ(ERR_BAD_STATE, vmo_create_reference(vmo, false, &reference));
    EXPECT_EQ(OK, vmo_set_cache_policy(vmo, 0));
    EXPECT(!slice && !reference);
    vmo_unref(vmo);
}
