/*
 * frame_audit.c - compares a page table with the owners in the page records (P02).
 *
 * Debug kernels do this to each process at its end, so every test that runs a program
 * has it done; tests call it by themselves.
 */
#include "vm/frame_audit.h"

#include "lib/log.h"
#include "vm/pmm.h"

struct audit {
    uint64_t bad;
};

static void audit_table(void *context, paddr_t table) {
    struct audit *audit = context;
    const struct page *page = page_find(table);
    if (page && page->state == PAGE_TABLE)
        return;
    log_error("audit: table %#lx is in state %d", table.value, page ? page->state : -1);
    audit->bad++;
}

static bool is_for_users(paddr_t address) {
    const struct page *page = page_find(address);
    if (!page)
        return phys_is_device(address, PAGE_SIZE);
    return page->state == PAGE_VMO || page_is_zero(page);
}

static void audit_entries_locked(struct aspace *aspace, struct audit *audit)
    REQUIRES(aspace->mmu_lock) {
    vaddr_t va;
    paddr_t frame;
    unsigned prot;
    for (vaddr_t at = 0; mmu_next(&aspace->mmu, at, USER_TOP, &va, &frame, &prot);
         at = va + PAGE_SIZE) {
        if (is_for_users(frame))
            continue;
        log_error("audit: %#lx shows frame %#lx, which is nobody's to see", va, frame.value);
        audit->bad++;
    }
}

uint64_t frame_audit(struct aspace *aspace) {
    struct audit audit = {0};
    MUTEX_GUARD(&aspace->lock);
    mutex_lock(&aspace->mmu_lock);
    mmu_for_each_table(&aspace->mmu, audit_table, &audit);
    audit_entries_locked(aspace, &audit);
    mutex_unlock(&aspace->mmu_lock);
    return audit.bad;
}
