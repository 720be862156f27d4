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
