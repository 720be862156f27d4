/*
 * memory_audit_test.c - the audit finds nothing when nothing is wrong, and each planted
 * fault as what it is.
 */
#include "vm/memory_audit.h"

#include "lib/ktest.h"
#include "lib/log.h"
#include "vm/aspace.h"
#include "vm/audit_plant.h"
#include "vm/test_space.h"

static void expect_clean(const char *when) {
    struct memory_audit audit = memory_audit();
    if (audit.differences)
        ktest_fail(__FILE__, __LINE__, "%s: %lu differences", when, audit.differences);
}

KTEST(audit, nothing_is_found_when_nothing_is_wrong) {
    expect_clean("before");
}

/* A family with shared and own pages, mapped, written and cut. */
KTEST(audit, nothing_is_found_in_a_family_at_work) {
    struct vmo *vmo = NULL, *clone = NULL, *second = NULL;
    struct aspace *space = NULL;
    vaddr_t at = 0, clone_at = 0;
    status_t status = vmo_create(200 * PAGE_SIZE, true, &vmo);
    if (status == OK)
        status = vmo_commit(vmo, 0, 150 * PAGE_SIZE);
    if (status == OK)
        status = vmo_create_snapshot(vmo, SNAPSHOT_FULL, 10 * PAGE_SIZE, 100 * PAGE_SIZE, false, &clone);
    if (status == OK)
        status = vmo_create_snapshot(clone, SNAPSHOT_FULL, 0, 70 * PAGE_SIZE, false, &second);
    if (status == OK)
        status = aspace_create(&space);
    if (status == OK)
        status = test_space_map(space, vmo, 0, 150 * PAGE_SIZE, PERM_MASK, &at);
    if (status == OK)
        status = test_space_map(space, clone, 0, 100 * PAGE_SIZE,
                                ZX_VM_PERM_READ | ZX_VM_PERM_WRITE, &clone_at);
    if (status == OK) {
        test_space_enter(space);
        for (unsigned i = 0; i < 100; i += 3)
            EXPECT(test_space_store(clone_at + i * PAGE_SIZE, i));
        for (unsigned i = 0; i < 150; i += 5)
            EXPECT(test_space_store(at + i * PAGE_SIZE, i));
        test_space_enter(NULL);
        expect_clean("written");
        EXPECT_EQ(OK, vmo_set_size(vmo, 90 * PAGE_SIZE));
        EXPECT_EQ(OK, test_space_unmap(space, clone_at + 8 * PAGE_SIZE, 16 * PAGE_SIZE));
        expect_clean("cut");
    } else {
        EXPECT(!"no memory");
    }
    if (space)
        test_space_end(space);
    struct vmo *all[] = {second, vmo, clone};
    for (unsigned i = 0; i < ARRAY_SIZE(all); i++)
        if (all[i])
            vmo_unref(all[i]);
    expect_clean("after");
}

static void try_plant(unsigned number) {
    const struct audit_plant *plant = audit_plant_get(number);
    status_t status = audit_plant(number);
    if (status != OK) {
        ktest_fail(__FILE__, __LINE__, "planting %s: %d", plant->what, status);
        return;
    }
    struct memory_audit audit = memory_audit();
    if (!(audit.kinds >> plant->kind & 1))
        ktest_fail(__FILE__, __LINE__, "%s was not found (%lu differences)", plant->what,
                   audit.differences);
    audit_unplant();
    expect_clean(plant->what);
}

KTEST(audit, every_planted_fault_is_found_and_named) {
    uint64_t kinds = 0;
    for (unsigned number = 1; audit_plant_get(number); number++) {
        kinds |= 1ull << audit_plant_get(number)->kind;
        try_plant(number);
    }
    if (audit_plant_get(1)) /* there is a plant for each kind; release kernels have none */
        EXPECT_EQ((1ull << AUDIT_KINDS) - 1, kinds);
}
