/*
 * test_space.c - kernel threads as guests of an address space.
 *
 * arch.mmu makes every later switch to this thread load the space; the first time
 * it is loaded by hand.
 */
#include "vm/test_space.h"

#include "sched/thread.h"

void test_space_enter(struct aspace *aspace) {
    struct thread *thread = thread_current();
    irq_state_t state = irq_save();

    thread->aspace = aspace;
    thread->arch.mmu = aspace ? &aspace->mmu : NULL;
    mmu_activate(thread->arch.mmu);
    irq_restore(state);
}

void test_space_end(struct aspace *aspace) {
    test_space_enter(NULL);
    if (!aspace)
        return;
    aspace_destroy(aspace);
    aspace_unref(aspace);
}

status_t test_space_map(struct aspace *aspace, struct vmo *vmo, uint64_t offset, uint64_t length,
                        uint32_t perm, vaddr_t *out_address) {
    AUTO(region) root = aspace_root(aspace);

    return vmar_map(root, perm | ZX_VM_ALLOW_FAULTS, 0, vmo, offset, length, PERM_MASK,
                    out_address);
}

status_t test_space_unmap(struct aspace *aspace, vaddr_t address, uint64_t length) {
    AUTO(region) root = aspace_root(aspace);

    return vmar_unmap(root, address, length);
}

bool test_space_load(vaddr_t address, uint64_t *out_value) {
    return user_copy_in(out_value, (struct user_in){address}, sizeof(*out_value)) == OK;
}

bool test_space_store(vaddr_t address, uint64_t value) {
    return user_copy_out((struct user_out){address}, &value, sizeof(value)) == OK;
}
