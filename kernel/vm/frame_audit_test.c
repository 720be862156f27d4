/*
 * frame_audit_test.c - the audit finds nothing in a good space, and what is planted; and
 * work on a space does not load it.
 */
#include "vm/frame_audit.h"

#include "arch/cpu.h"
#include "lib/ktest.h"
#include "vm/pmm.h"
#include "vm/test_space.h"

#define FREE_PLACE ((vaddr_t)0x6000000000)

static status_t plant(struct aspace *space, struct page *page) {
    struct mmu_entry entry = {page_address(page), MMU_READ | MMU_WRITE | MMU_USER};
    MUTEX_GUARD(&space->mmu_lock);
    return mmu_install(&space->mmu, FREE_PLACE, &entry, 1);
}

static void uproot(struct aspace *space) {
    struct tlb_batch batch;
    tlb_batch_init(&batch);
    MUTEX_GUARD(&space->mmu_lock);
    mmu_clear(&space->mmu, FREE_PLACE, 1, &batch);
    tlb_flush(&batch);
}

/* A frame of the kernel's, shown to user code, is found; state by state. */
static void try_states(struct aspace *space) {
    static const enum page_state states[] = {PAGE_HEAP, PAGE_STACK, PAGE_TABLE, PAGE_WIRED};
    for (unsigned i = 0; i < ARRAY_SIZE(states); i++) {
        struct page *page = pmm_alloc(states[i]);
        if (!page || plant(space, page) != OK) {
            EXPECT(!"no memory");
        } else {
            EXPECT_EQ(1, frame_audit(space));
            uproot(space);
        }
        if (page)
            pmm_free(page, states[i]);
    }
}

KTEST(frame_audit, P02_user_code_sees_only_frames_of_memory_objects) {
    struct aspace *space = NULL;
    struct vmo *vmo = NULL;
    vaddr_t address;
    REQUIRE(aspace_create(&space) == OK);
    if (vmo_create(8 * PAGE_SIZE, false, &vmo) == OK &&
        test_space_map(space, vmo, 0, 8 * PAGE_SIZE, ZX_VM_PERM_READ | ZX_VM_PERM_WRITE,
                       &address) == OK) {
        test_space_enter(space);
        for (unsigned i = 0; i < 8; i++) {
            EXPECT(test_space_load(address + i * PAGE_SIZE, &(uint64_t){0}));
            EXPECT(i % 2 || test_space_store(address + i * PAGE_SIZE, i));
        }
        test_space_enter(NULL);
        EXPECT_EQ(0, frame_audit(space));
        try_states(space);
        EXPECT_EQ(0, frame_audit(space));
    } else {
        EXPECT(!"no memory");
    }
    test_space_end(space);
    if (vmo)
        vmo_unref(vmo);
}

/* ---- P17: what is done to a space does not load it ---- */

static uint64_t loads_here(unsigned *out_cpu) {
    irq_state_t state = irq_save();
    uint64_t loads = cpu_this()->counters.aspace_loads;
    *out_cpu = cpu_id();
    irq_restore(state);
    return loads;
}

/* As loading a program does: map, fill by offset, take away again. */
static void build_and_destroy_space(void) {
    struct aspace *space = NULL;
    struct vmo *vmo = NULL;
    vaddr_t address;
    if (aspace_create(&space) != OK)
        return;
    if (vmo_create(4 * PAGE_SIZE, false, &vmo) == OK) {
        EXPECT_EQ(OK, vmo_write_kernel(vmo, 100, "segment", 7));
        EXPECT_EQ(OK, test_space_map(space, vmo, 0, 4 * PAGE_SIZE, ZX_VM_PERM_READ, &address));
        EXPECT_EQ(OK, test_space_unmap(space, address, PAGE_SIZE));
        vmo_unref(vmo);
    }
    aspace_destroy(space);
    aspace_unref(space);
}

KTEST(frame_audit, P17_building_a_space_loads_none) {
    unsigned before_cpu, after_cpu, tries = 0;
    uint64_t before, after;
    do { /* until the thread stayed on one CPU, and nobody else came to it */
        before = loads_here(&before_cpu);
        build_and_destroy_space();
        after = loads_here(&after_cpu);
    } while ((before_cpu != after_cpu || before != after) && ++tries < 20);
    EXPECT_EQ(before, after);
}
