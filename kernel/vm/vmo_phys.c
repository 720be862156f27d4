/*
 * vmo_phys.c - contiguous memory, device memory, and how caches treat either.
 *
 * A contiguous object owns a run of frames from its first moment to its last. A
 * physical object has no pages at all: its mappings show device memory, which has no
 * page records. The two never meet, because device memory is what the kernel does not
 * map as RAM.
 */
#include <zircon/types.h>

#include "vm/pmm.h"
#include "vm/vmo_internal.h"

/* One frame of a run becomes page `index`; its count is the slot's. */
static status_t adopt_page(struct vmo *vmo, uint64_t index, struct page *page) {
    MUTEX_GUARD(&vmo->lock);
    struct map_stash stash = MAP_STASH_INIT;
    status_t status = map_stash_fill(&stash, page_map_plan_own(&vmo->map, index));
    if (status == OK) {
        atomic_store_explicit(&page->count, 1, memory_order_relaxed);
        page->mark = 0;
        page->pins = 0;
        arch_zero_page(page_contents(page));
        page_map_store(&vmo->map, index, page, &stash);
    }
    map_stash_release(&stash);
    return status;
}

static status_t fill_contiguous(struct vmo *vmo, unsigned align_log2, uint64_t limit) {
    uint64_t count = vmo->size >> PAGE_SHIFT, done = 0;
    struct page *run = pmm_alloc_run(count, align_log2, limit, PAGE_VMO);
    status_t status = run ? OK : ERR_NO_MEMORY;
    while (done < count && status == OK) {
        status = adopt_page(vmo, done, &run[done]);
        done += status == OK;
    }
    if (run && status != OK)
        pmm_free_run(&run[done], count - done, PAGE_VMO);
    return status;
}

status_t vmo_create_contiguous(uint64_t size, unsigned align_log2, uint64_t limit,
                               struct vmo **out_vmo) {
    AUTO(vmo) vmo = NULL;
    status_t status = vmo_alloc(size, VMO_CONTIGUOUS, &vmo);
    if (status == OK)
        status = fill_contiguous(vmo, MAX(align_log2, (unsigned)PAGE_SHIFT), limit);
    if (status == OK)
        *out_vmo = TAKE(vmo);
    return status;
}

status_t vmo_create_physical(paddr_t base, uint64_t size, struct vmo **out_vmo) {
    struct vmo *vmo;
    uint64_t rounded;
    if (!is_page_aligned(base.value) || size == 0 || !page_round_up_checked(size, &rounded))
        return ERR_INVALID_ARGS;
    if (!phys_is_device(base, rounded))
        return ERR_OUT_OF_RANGE;
    status_t status = vmo_alloc(size, VMO_PHYSICAL, &vmo);
    if (status != OK)
        return status;
    vmo->physical = base;
    vmo->cache_policy = ZX_CACHE_POLICY_UNCACHED;
    *out_vmo = vmo;
    return OK;
}

/* What caches hold of it reaches memory, so that who maps it uncached sees it. */
static void flush_pages_locked(struct vmo *vmo) REQUIRES(vmo->lock) {
    struct page *page;
    for (uint64_t at = 0; (page = page_map_next(&vmo->map, at, VMO_SIZE_MAX >> PAGE_SHIFT, &at));
         at++)
        arch_flush_page(page_contents(page));
}

static status_t set_policy_locked(struct vmo *vmo, uint32_t policy) REQUIRES(vmo->lock) {
    bool has_pages = page_map_pages(&vmo->map) > 0;
    if (!list_is_empty(&vmo->views) || vmo->pins || vmo->kind == VMO_PAGER ||
        (vmo->kind != VMO_PHYSICAL && vmo->cache_policy && has_pages))
        return ERR_BAD_STATE;
    flush_pages_locked(vmo);
    vmo->cache_policy = policy;
    vmo->special = policy || vmo->kind != VMO_ANONYMOUS;
    return OK;
}

status_t vmo_set_cache_policy(struct vmo *vmo, uint32_t policy) {
    if (vmo->parent_koid || vmo_family_child_count(vmo))
        return ERR_BAD_STATE;
    MUTEX_GUARD(&vmo->lock);
    return set_policy_locked(vmo, policy);
}
