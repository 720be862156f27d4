/*
 * vmar_race_test.c - regions that one thread makes while another destroys their parent.
 */
#include "lib/ktest.h"
#include "vm/pmm.h"
#include "vm/test_crew.h"
#include "vm/test_space.h"

#define ROUNDS  150
#define MAKERS  3
#define CAN_ALL (ZX_VM_CAN_MAP_READ | ZX_VM_CAN_MAP_WRITE | ZX_VM_CAN_MAP_SPECIFIC)

static struct crew crew;
static struct region *parent;
static struct vmo *vmo;

static void make_region(void) {
    AUTO(region) child = NULL;
    status_t status = vmar_allocate(parent, CAN_ALL, 0, PAGE_SIZE, &child);

    EXPECT(status == OK || status == ERR_BAD_STATE);
    if (status != OK)
        return;
    EXPECT_EQ(PAGE_SIZE, child->size);
    status = vmar_destroy(child);
    EXPECT(status == OK || status == ERR_BAD_STATE);
}

static void make_mapping(void) {
    vaddr_t address = 0;
    status_t status = vmar_map(parent, ZX_VM_PERM_READ, 0, vmo, 0, PAGE_SIZE, PERM_MASK, &address);

    EXPECT(status == OK || status == ERR_BAD_STATE);
    EXPECT(status != OK || range_within(address - parent->start, PAGE_SIZE, parent->size));
}

static void make_or_destroy(void *context, unsigned index) {
    for (unsigned i = 0; index < MAKERS && i < 8; i++) {
        make_region();
        make_mapping();
    }
    if (index == MAKERS)
        EXPECT_EQ(OK, vmar_destroy(parent));
}

static bool round_begin(struct aspace *space) {
    AUTO(region) root = aspace_root(space);

    return vmar_allocate(root, CAN_ALL, 0, 256 * PAGE_SIZE, &parent) == OK;
}

KTEST(vmar, what_is_made_while_the_parent_is_destroyed_is_whole_or_refused) {
    struct aspace *space = NULL;

    vmo = NULL;
    EXPECT_EQ(OK, vmo_create(PAGE_SIZE, false, &vmo));
    EXPECT_EQ(OK, aspace_create(&space));
    for (unsigned i = 0; vmo && space && i < ROUNDS && round_begin(space); i++) {
        EXPECT(crew_run(&crew, MAKERS + 1, make_or_destroy, NULL));
        region_unref(parent);
    }
    /*
     * Nothing is left in the space. (How many table pages there are in all says nothing: the
     * stacks of the crews may have needed new ones of the kernel's.)
     */
    if (space) {
        vaddr_t va;
        paddr_t address;
        unsigned prot;
        EXPECT(!mmu_next(&space->mmu, 0, USER_TOP, &va, &address, &prot));
        EXPECT_EQ(1, space->mmu.table_pages);
    }
    test_space_end(space);
    if (vmo)
        vmo_unref(vmo);
}

/* ---- Splitting and joining ---- */

static uint64_t mappings_of(struct aspace *space) {
    MUTEX_GUARD(&space->lock);
    return space->mapping_count;
}

static void protect_parts(struct aspace *space, vaddr_t at, uint32_t perm, unsigned first,
                          unsigned count) {
    AUTO(region) root = aspace_root(space);
    EXPECT_EQ(OK, vmar_protect(root, perm, at + first * PAGE_SIZE, count * PAGE_SIZE));
}

KTEST(vmar, protecting_to_and_fro_leaves_one_mapping) {
    const uint32_t both = ZX_VM_PERM_READ | ZX_VM_PERM_WRITE;
    struct aspace *space = NULL;
    vaddr_t at = 0;
    uint64_t value = 0;

    vmo = NULL;
    if (vmo_create(16 * PAGE_SIZE, false, &vmo) != OK || aspace_create(&space) != OK ||
        test_space_map(space, vmo, 0, 16 * PAGE_SIZE, both, &at) != OK) {
        EXPECT(!"no memory");
        test_space_end(space);
        if (vmo)
            vmo_unref(vmo);
        return;
    }
    test_space_enter(space);
    for (unsigned i = 0; i < 16; i++)
        EXPECT(test_space_store(at + i * PAGE_SIZE, i + 1));
    for (unsigned i = 1; i < 15; i += 2)
        protect_parts(space, at, ZX_VM_PERM_READ, i, 1);
    EXPECT_EQ(15, mappings_of(space));
    EXPECT(!test_space_store(at + PAGE_SIZE, 9));
    for (unsigned i = 1; i < 15; i += 2)
        protect_parts(space, at, both, i, 1);
    EXPECT_EQ(1, mappings_of(space));
    protect_parts(space, at, ZX_VM_PERM_READ, 0, 8);
    protect_parts(space, at, ZX_VM_PERM_READ, 8, 8);
    EXPECT_EQ(1, mappings_of(space));
    protect_parts(space, at, both, 4, 8);
    EXPECT_EQ(3, mappings_of(space));
    protect_parts(space, at, both, 0, 16);
    EXPECT_EQ(1, mappings_of(space));
    for (unsigned i = 0; i < 16; i++) {
        EXPECT(test_space_load(at + i * PAGE_SIZE, &value) && value == i + 1);
        EXPECT(test_space_store(at + i * PAGE_SIZE, 100 + i));
    }
    EXPECT_EQ(OK, test_space_unmap(space, at + 4 * PAGE_SIZE, PAGE_SIZE));
    EXPECT_EQ(2, mappings_of(space));
    test_space_enter(NULL);
    test_space_end(space);
    vmo_unref(vmo);
}
