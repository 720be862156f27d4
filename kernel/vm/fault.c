/*
 * fault.c - the page-fault walk, start to end.
 *
 *   trap.c -> upcall_page_fault -+-> aspace.c: which mapping            (aspace->lock)
 *                                +-> vmo_cow.c: a page, ours to write?  (vmo->lock)
 *                                |     hides what the views showed there, flushes
 *                                +-> mmu.c: install                     (mmu_lock)
 *
 * A second thread that faulted on the same page waits at the locks, finds the page
 * owned, and installs the same entry. If install finds no page for a table, the
 * VMO still owns its page and the next fault finishes the walk.
 *
 * Where a page must come from a pager, the walk ends, its locks are dropped, the
 * thread waits (vmo_pager.c), and the walk begins anew. Memory that ran out is first
 * sought in the places of reclaim.h.
 *
 * Fault-around: neighbours whose pages are present already are installed too, as
 * far as they lie in the same leaf of the page map and in the mapping; writable
 * where that needs no copy. A fresh page has no such neighbours worth looking for.
 */
#include "vm/fault.h"

#include "arch/trace.h"
#include "sched/kill_point.h"
#include "vm/pmm.h"
#include "vm/reclaim.h"

#define AROUND 32u /* pages; a power of two */

static uint32_t perm_needed(enum fault_access access) {
    switch (access) {
    case FAULT_READ:
        return ZX_VM_PERM_READ;
    case FAULT_WRITE:
        return ZX_VM_PERM_WRITE;
    case FAULT_EXECUTE:
        return ZX_VM_PERM_EXECUTE;
    }
    return PERM_MASK;
}

/* What a mapping allows, with writing only where the page is exclusively the VMO's. */
static unsigned entry_prot(const struct region *mapping, bool exclusive) {
    unsigned prot = MMU_USER | MMU_READ | mapping->cache_prot;
    if (mapping->perm & ZX_VM_PERM_EXECUTE)
        prot |= MMU_EXECUTE;
    if (exclusive && (mapping->perm & ZX_VM_PERM_WRITE))
        prot |= MMU_WRITE;
    return prot;
}

static status_t install(struct region *mapping, vaddr_t va, const struct mmu_entry *entries,
                        size_t count) {
    mapping->touched = true;
    MUTEX_GUARD(&mapping->aspace->mmu_lock);
    return mmu_install(&mapping->aspace->mmu, va, entries, count);
}

static status_t install_one(struct region *mapping, vaddr_t va, const struct page *page,
                            bool exclusive) {
    DEBUG_ASSERT(page->state == PAGE_VMO || page_is_zero(page));
    struct mmu_entry entry = {page_address(page), entry_prot(mapping, exclusive)};
    return install(mapping, va, &entry, 1);
}

/* The stretch of the VMO around `index` that may be installed with it. */
struct around {
    uint64_t first; /* index */
    unsigned count;
};

static struct around around_of(const struct region *mapping, uint64_t vmo_pages, uint64_t index) {
    vmo_pages = MIN(vmo_pages, mapping->limit >> PAGE_SHIFT);
    uint64_t view_first = mapping->view.offset >> PAGE_SHIFT;
    uint64_t view_end = MIN(view_first + (mapping->size >> PAGE_SHIFT), vmo_pages);
    uint64_t first = MAX(index & ~(uint64_t)(AROUND - 1), view_first);
    uint64_t end = MIN((index & ~(uint64_t)(AROUND - 1)) + AROUND, view_end);
    return (struct around){first, (unsigned)(end - first)};
}

/* Install the present pages from `index` on, up to `limit`, in one leaf. Returns how many it saw. */
static status_t install_stretch_locked(struct region *mapping, struct vmo *vmo, uint64_t index,
                                       uint64_t limit, unsigned *out_seen) REQUIRES(vmo->lock) {
    struct mmu_entry entries[AROUND];
    struct map_stretch stretch = page_map_stretch(&vmo->map, index, limit);
    *out_seen = stretch.count;
    if (!stretch.slots)
        return OK;
    for (unsigned i = 0; i < stretch.count; i++) {
        struct page *page = stretch.slots[i];
        entries[i].address = page ? page_address(page) : paddr(MMU_SKIP);
        bool exclusive = page && stretch.path_exclusive &&
                         atomic_load_explicit(&page->count, memory_order_acquire) == 1 &&
                         (vmo->kind != VMO_PAGER || page->dirt == PAGE_DIRTY);
        entries[i].prot = entry_prot(mapping, exclusive);
    }
    vaddr_t va = mapping->start + ((index << PAGE_SHIFT) - mapping->view.offset);
    return install(mapping, va, entries, stretch.count);
}

/* Neighbours are a courtesy: their failure is not the fault's. */
static void install_around_locked(struct region *mapping, struct vmo *vmo, uint64_t index)
    REQUIRES(vmo->lock) {
    struct around around = around_of(mapping, vmo->size >> PAGE_SHIFT, index);
    for (unsigned done = 0, seen; done < around.count; done += seen)
        if (install_stretch_locked(mapping, vmo, around.first + done, around.count - done,
                                   &seen) != OK)
            return;
}

/* Device memory is all there; it comes in the same stretches. */
static status_t fault_physical_locked(struct region *mapping, struct vmo *vmo, uint64_t index)
    REQUIRES(vmo->lock) {
    struct mmu_entry entries[AROUND];
    struct around around = around_of(mapping, vmo->size >> PAGE_SHIFT, index);
    for (unsigned i = 0; i < around.count; i++) {
        entries[i].address = paddr(vmo->physical.value + ((around.first + i) << PAGE_SHIFT));
        entries[i].prot = entry_prot(mapping, true);
    }
    return install(mapping, mapping->start + ((around.first << PAGE_SHIFT) - mapping->view.offset),
                   entries, around.count);
}

status_t mapping_populate_locked(struct region *mapping, vaddr_t start, vaddr_t end) {
    struct vmo *vmo = mapping->pages;
    MUTEX_GUARD(&vmo->lock);
    uint64_t vmo_end = MIN(vmo->size, mapping->limit) >> PAGE_SHIFT;
    uint64_t index = (mapping->view.offset + (start - mapping->start)) >> PAGE_SHIFT;
    uint64_t last = MIN(index + ((end - start) >> PAGE_SHIFT), vmo_end);
    if (!(mapping->perm & ZX_VM_PERM_READ))
        return OK;
    while (index < last && vmo->kind == VMO_PHYSICAL) {
        status_t status = fault_physical_locked(mapping, vmo, index);
        if (status != OK)
            return status;
        index = (index & ~(uint64_t)(AROUND - 1)) + AROUND;
    }
    for (unsigned seen; index < last && page_map_next(&vmo->map, index, last - 1, &index);
         index += seen) {
        status_t status = install_stretch_locked(mapping, vmo, index,
                                                 MIN(last - index, (uint64_t)AROUND), &seen);
        if (status != OK)
            return status;
    }
    return OK;
}

static status_t fault_write_locked(struct region *mapping, struct vmo *vmo, vaddr_t va,
                                   uint64_t index) REQUIRES(vmo->lock) {
    struct page *page;
    bool fresh;
    status_t status = vmo_own_page_locked(vmo, index, &page, &fresh);
    if (status != OK)
        return status;
    status = install_one(mapping, va, page, true);
    if (status == OK && !fresh)
        install_around_locked(mapping, vmo, index);
    return status;
}

static status_t fault_read_locked(struct region *mapping, struct vmo *vmo, vaddr_t va,
                                  uint64_t index) REQUIRES(vmo->lock) {
    struct vmo_look look;
    status_t status = vmo_look_locked(vmo, index, &look);
    if (status != OK)
        return status;
    status = install_one(mapping, va, look.page, look.exclusive);
    vmo_look_end(&look);
    if (status == OK && look.page != pmm_zero_page())
        install_around_locked(mapping, vmo, index);
    return status;
}

static status_t fault_in_vmo(struct region *mapping, vaddr_t va, enum fault_access access) {
    struct vmo *vmo = mapping->pages;
    MUTEX_GUARD(&vmo->lock);
    uint64_t offset = mapping->view.offset + (va - mapping->start);
    if (offset >= MIN(vmo->size, mapping->limit))
        return ERR_OUT_OF_RANGE;
    status_t status = access == FAULT_WRITE
                          ? fault_write_locked(mapping, vmo, va, offset >> PAGE_SHIFT)
                          : fault_read_locked(mapping, vmo, va, offset >> PAGE_SHIFT);
    if (unlikely(status == ERR_NOT_SUPPORTED)) /* it has no pages */
        return fault_physical_locked(mapping, vmo, offset >> PAGE_SHIFT);
    return status;
}

ALWAYS_INLINE status_t fault_once(struct aspace *aspace, vaddr_t address, enum fault_access access) {
    MUTEX_GUARD(&aspace->lock);
    struct region *mapping = aspace_find_locked(aspace, address);
    if (!mapping)
        return ERR_NOT_FOUND;
    if (perm_needed(access) & ~mapping->perm)
        return ERR_ACCESS_DENIED;
    return fault_in_vmo(mapping, round_down(address, PAGE_SIZE), access);
}

/* The pager has to act first: wait for it with no lock held; the whole walk comes after it. */
static status_t await_pager(struct aspace *aspace, vaddr_t address, enum fault_access access) {
    struct aspace_place place;
    if (aspace_resolve(aspace, address, &place) != OK)
        return OK; /* unmapped meanwhile, which the walk finds out */
    AUTO(vmo) vmo = place.vmo;
    return vmo_await(vmo, (place.offset + vmo->shown_offset) >> PAGE_SHIFT, 1,
                     access == FAULT_WRITE);
}

/* Walk (OK), or help where a walk has not gone well, and walk again. */
static NOINLINE status_t fault_again(struct aspace *aspace, vaddr_t address,
                                     enum fault_access access, status_t status) {
    do {
        if (status == ERR_INTERNAL_PAGER)
            status = await_pager(aspace, address, access);
        else if (status == ERR_NO_MEMORY && reclaim_memory())
            status = OK;
        if (status != OK)
            return status;
        status = fault_once(aspace, address, access);
    } while (status == ERR_INTERNAL_PAGER || status == ERR_NO_MEMORY);
    return status;
}

status_t aspace_fault(struct aspace *aspace, vaddr_t address, enum fault_access access) {
    return fault_again(aspace, address, access, OK);
}

static NOINLINE status_t fault_goes_badly(struct aspace *aspace, const struct fault *fault,
                                          status_t status) {
    status = fault_again(aspace, fault->address, fault->access, status);
    while (status == ERR_NO_MEMORY && upcall_out_of_memory())
        status = aspace_fault(aspace, fault->address, fault->access);
    return status;
}

status_t upcall_page_fault(const struct fault *fault) {
    struct aspace *aspace = thread_current()->aspace;
    if (!aspace)
        return ERR_NOT_FOUND;
    thread_current()->fault_begin = cpu_ticks();
    kill_point("fault", thread_current());
    status_t status = fault_once(aspace, fault->address, fault->access);
    if (unlikely(status != OK))
        status = fault_goes_badly(aspace, fault, status);
    kill_point("fault done", thread_current());
    struct thread *thread = thread_current();
    counter_add(&thread->fault_time, cpu_ticks() - thread->fault_begin);
    if (trace_is_on(KTRACE_GRP_VM))
        upcall_trace(JX_TRACE_FAULT, status != OK, fault->address, thread->fault_begin);
    return status;
}
