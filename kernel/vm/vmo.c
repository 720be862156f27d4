/*
 * vmo.c - making and ending memory objects, their size, their views.
 */
#include "vm/vmo.h"

#include "arch/mmu.h"
#include "lib/string.h"
#include "vm/aspace.h"
#include "vm/kheap.h"
#include "vm/pmm.h"
#include "vm/registry.h"
#include "vm/vmo_content.h"
#include "vm/vmo_internal.h"

/* ---- Life ---- */

status_t vmo_alloc(uint64_t size, enum vmo_kind kind, struct vmo **out_vmo) {
    uint64_t rounded;
    if (!page_round_up_checked(size, &rounded) || rounded > VMO_SIZE_MAX)
        return ERR_OUT_OF_RANGE;
    struct vmo *vmo = kheap_zalloc(sizeof(*vmo));
    if (!vmo)
        return ERR_NO_MEMORY;
    waitable_init(&vmo->base, &vmo_ops, VMO_SIGNAL_ZERO_CHILDREN);
    mutex_init(&vmo->lock, kind == VMO_PAGER ? RANK_VMO_LENDER : RANK_VMO, "vmo");
    vmo->kind = kind;
    vmo->special = kind != VMO_ANONYMOUS;
    vmo->size = rounded;
    vmo->content_size = size;
    page_map_init(&vmo->map);
    list_init(&vmo->views);
    list_init(&vmo->children);
    registry_add_vmo(vmo);
    *out_vmo = vmo;
    return OK;
}

status_t vmo_create(uint64_t size, bool resizable, struct vmo **out_vmo) {
    struct vmo *vmo;
    status_t status = vmo_alloc(size, VMO_ANONYMOUS, &vmo);
    if (status != OK)
        return status;
    vmo->resizable = resizable;
    *out_vmo = vmo;
    return OK;
}

/* Called when the last handle, mapping and other reference is gone. */
void vmo_destroy(struct waitable *object) {
    struct vmo *vmo = vmo_from(object);
    DEBUG_ASSERT(list_is_empty(&vmo->views));
    struct vmo *shown = vmo->shown;
    registry_remove_vmo(vmo);
    if (unlikely(vmo->kind != VMO_ANONYMOUS))
        vmo_destroy_special(vmo);
    vmo_family_leave(vmo);
    page_map_destroy(&vmo->map);
    kheap_free_sized(vmo, sizeof(*vmo));
    if (shown)
        vmo_unref(shown);
}

/* ---- Aliases ---- */

static status_t alias_create(struct vmo *parent, uint64_t offset, uint64_t size,
                             struct vmo **out_alias) {
    AUTO(vmo) alias = NULL;
    status_t status = vmo_create(size, false, &alias);
    if (status == OK)
        status = vmo_family_ensure(parent);
    if (status != OK)
        return status;
    alias->parent_koid = parent->base.koid;
    alias->special = parent->special;
    alias->cache_policy = parent->cache_policy; /* which cannot change while it has a child */
    alias->shown = vmo_pages_of(parent);
    alias->shown_offset = parent->shown_offset + offset;
    vmo_ref(alias->shown);
    vmo_family_join(parent, alias);
    *out_alias = TAKE(alias);
    return OK;
}

status_t vmo_create_slice(struct vmo *parent, uint64_t offset, uint64_t size,
                          struct vmo **out_child) {
    uint64_t rounded;
    if (!page_round_up_checked(size, &rounded))
        return ERR_OUT_OF_RANGE;
    if (!range_within(offset, rounded, vmo_size(parent)))
        return ERR_INVALID_ARGS;
    const struct vmo *pages = vmo_pages_of(parent);
    if (pages->resizable || parent->kind == VMO_DISCARDABLE)
        return ERR_NOT_SUPPORTED;
    if (parent->cache_policy && pages->kind != VMO_CONTIGUOUS && pages->kind != VMO_PHYSICAL)
        return ERR_BAD_STATE;
    struct vmo *slice;
    status_t status = alias_create(parent, offset, size, &slice);
    if (status != OK)
        return status;
    slice->is_slice = true;
    *out_child = slice;
    return OK;
}

status_t vmo_create_reference(struct vmo *parent, bool resizable, struct vmo **out_child) {
    struct vmo *reference;
    enum vmo_kind kind = vmo_pages_of(parent)->kind;
    if (parent->is_slice || kind == VMO_CONTIGUOUS || kind == VMO_PHYSICAL ||
        kind == VMO_DISCARDABLE || (resizable && !parent->resizable))
        return ERR_NOT_SUPPORTED;
    if (parent->cache_policy)
        return ERR_BAD_STATE;
    status_t status = alias_create(parent, 0, 0, &reference);
    if (status != OK)
        return status;
    reference->resizable = resizable;
    *out_child = reference;
    return OK;
}

/* One frame of the loader's becomes page `index`. */
static status_t adopt_frame(struct vmo *vmo, uint64_t index, paddr_t frame) {
    MUTEX_GUARD(&vmo->lock);
    struct map_stash stash = MAP_STASH_INIT;
    status_t status = map_stash_fill(&stash, page_map_plan_own(&vmo->map, index));
    if (status != OK) {
        map_stash_release(&stash);
        return status;
    }
    struct page *page = page_of(frame);
    page_set_state(page, PAGE_LOADER, PAGE_VMO);
    atomic_store_explicit(&page->count, 1, memory_order_relaxed);
    page->mark = 0;
    page->pins = 0;
    page_map_store(&vmo->map, index, page, &stash);
    map_stash_release(&stash);
    return OK;
}

status_t vmo_create_from_loader(paddr_t base, uint64_t length, struct vmo **out_vmo) {
    AUTO(vmo) vmo = NULL;
    status_t status = vmo_create(length, false, &vmo);
    for (uint64_t at = 0; status == OK && at < length; at += PAGE_SIZE)
        status = adopt_frame(vmo, at >> PAGE_SHIFT, paddr(base.value + at));
    if (status != OK)
        return status;
    uint64_t tail = length & PAGE_MASK;
    if (tail)
        memset((char *)phys_to_virt(paddr(base.value + length - tail)) + tail, 0,
               PAGE_SIZE - tail);
    *out_vmo = TAKE(vmo);
    return OK;
}

uint64_t vmo_size_now(struct vmo *vmo) {
    MUTEX_GUARD(&vmo->lock);
    return vmo->size;
}

/* ---- Views ---- */

void vmo_view_add_locked(struct vmo *vmo, struct vmo_view *view) {
    list_add_tail(&vmo->views, &view->node);
    vmo->view_count++;
    if (unlikely(vmo->lender))
        vmo_lender_view_add(vmo->lender, view);
}

void vmo_view_remove_locked(struct vmo *vmo, struct vmo_view *view) {
    list_remove(&view->node);
    vmo->view_count--;
    if (unlikely(vmo->lender))
        list_remove(&view->lender_node);
}

/* The part of the page range that a view shows; false if none. */
bool vmo_view_overlap(const struct vmo_view *view, uint64_t view_offset, uint64_t first,
                      uint64_t count, vaddr_t *out_va, uint64_t *out_pages) {
    uint64_t view_first = view_offset >> PAGE_SHIFT;
    uint64_t view_end = view_first + (view->length >> PAGE_SHIFT);
    uint64_t from = MAX(first, view_first), to = MIN(first + count, view_end);
    if (from >= to)
        return false;
    *out_va = view->base + ((from - view_first) << PAGE_SHIFT);
    *out_pages = to - from;
    return true;
}

void vmo_view_hide(struct vmo_view *view, vaddr_t va, uint64_t pages, struct tlb_batch *batch) {
    MUTEX_GUARD(&view->aspace->mmu_lock);
    mmu_clear(&view->aspace->mmu, va, pages, batch);
}

static void view_make_read_only(struct vmo_view *view, vaddr_t va, uint64_t pages,
                                struct tlb_batch *batch) {
    MUTEX_GUARD(&view->aspace->mmu_lock);
    mmu_restrict(&view->aspace->mmu, va, pages, MMU_READ | MMU_EXECUTE | MMU_USER, batch);
}

void vmo_hide_locked(struct vmo *vmo, uint64_t first, uint64_t count) {
    struct tlb_batch batch;
    vaddr_t va;
    uint64_t pages;
    if (list_is_empty(&vmo->views) && !vmo->source)
        return;
    tlb_batch_init(&batch);
    if (unlikely(vmo->source))
        vmo_hide_from_borrowers_locked(vmo, first, count, &batch);
    list_for_each(node, &vmo->views) {
        struct vmo_view *view = list_entry(node, struct vmo_view, node);
        if (vmo_view_overlap(view, view->offset, first, count, &va, &pages))
            vmo_view_hide(view, va, pages, &batch);
    }
    if (!tlb_batch_is_empty(&batch))
        tlb_flush(&batch);
}

void vmo_hide_page_locked(struct vmo *vmo, uint64_t index) {
    struct tlb_batch batch;
    tlb_batch_init(&batch);
    list_for_each(node, &vmo->views) {
        struct vmo_view *view = list_entry(node, struct vmo_view, node);
        uint64_t in_view = (index << PAGE_SHIFT) - view->offset;
        if (in_view < view->length)
            vmo_view_hide(view, view->base + in_view, 1, &batch);
    }
    if (!tlb_batch_is_empty(&batch))
        tlb_flush(&batch);
}

void vmo_make_read_only_locked(struct vmo *vmo, uint64_t first, uint64_t count) {
    struct tlb_batch batch;
    vaddr_t va;
    uint64_t pages;
    tlb_batch_init(&batch);
    list_for_each(node, &vmo->views) {
        struct vmo_view *view = list_entry(node, struct vmo_view, node);
        if (vmo_view_overlap(view, view->offset, first, count, &va, &pages))
            view_make_read_only(view, va, pages, &batch);
    }
    if (!tlb_batch_is_empty(&batch))
        tlb_flush(&batch);
}

/* ---- Size ---- */

/*
 * The page that holds the end of the content must be zeroed behind it: a page of our
 * own for it. NULL: there is nothing behind it but zeros (or what a pager will bring).
 */
static status_t own_tail_locked(struct vmo *vmo, uint64_t content_size, struct page **out_tail)
    REQUIRES(vmo->lock) {
    *out_tail = NULL;
    if (!(content_size & PAGE_MASK) || !vmo_has_content_locked(vmo, content_size >> PAGE_SHIFT))
        return OK;
    return vmo_own_page_locked(vmo, content_size >> PAGE_SHIFT, out_tail, NULL);
}

/*
 * All that can fail comes first: nodes for the cut, the page for the tail, nodes for what
 * a pager need not be asked for. The tail comes after the cut's nodes, because without
 * memory nobody may have got a page; owning it makes the cut need fewer, never more.
 */
static status_t resize_locked(struct vmo *vmo, uint64_t rounded, uint64_t content_size,
                              struct page **out_tail, struct map_garbage *garbage)
    REQUIRES(vmo->lock) {
    struct map_stash stash = MAP_STASH_INIT;
    uint64_t old_pages = vmo->size >> PAGE_SHIFT, pages = rounded >> PAGE_SHIFT;
    status_t status = OK;
    if (pages < old_pages)
        status = map_stash_fill(&stash, page_map_plan_remove(&vmo->map, pages, old_pages - 1));
    if (status == OK)
        status = own_tail_locked(vmo, content_size, out_tail);
    if (status == OK && pages > old_pages && vmo->kind == VMO_PAGER)
        status = map_stash_fill(&stash, page_map_plan_zero(&vmo->map, old_pages, pages - 1));
    if (status != OK) {
        map_stash_release(&stash);
        return status;
    }
    vmo->size = rounded;
    if (unlikely(vmo->kind == VMO_PAGER || vmo->kind == VMO_LAZY))
        vmo_resize_special_locked(vmo, old_pages, pages, &stash, garbage);
    if (pages < old_pages) {
        vmo_hide_locked(vmo, pages, old_pages - pages);
        page_map_remove(&vmo->map, pages, old_pages - 1, &stash, garbage);
    }
    map_stash_release(&stash);
    return OK;
}

static status_t set_size_locked(struct vmo *vmo, uint64_t rounded, uint64_t content_size,
                                struct map_garbage *garbage) REQUIRES(vmo->lock) {
    uint64_t old_pages = vmo->size >> PAGE_SHIFT, pages = rounded >> PAGE_SHIFT;
    struct page *tail = NULL;
    if (pages < old_pages && vmo_is_pinned_locked(vmo, pages, old_pages - 1))
        return ERR_BAD_STATE;
    status_t status = resize_locked(vmo, rounded, content_size, &tail, garbage);
    if (status != OK)
        return status;
    vmo->content_size = content_size;
    if (tail)
        memset((char *)page_contents(tail) + (content_size & PAGE_MASK), 0,
               PAGE_SIZE - (content_size & PAGE_MASK));
    return OK;
}

static status_t set_size(struct vmo *vmo, uint64_t rounded, uint64_t content_size,
                         struct map_garbage *garbage) {
    MUTEX_GUARD(&vmo->lock);
    return set_size_locked(vmo, rounded, content_size, garbage);
}

status_t vmo_set_size(struct vmo *named, uint64_t size) {
    struct vmo *vmo = vmo_pages_of(named);
    struct map_garbage garbage = MAP_GARBAGE_INIT;
    uint64_t rounded;
    if (!named->resizable)
        return ERR_UNAVAILABLE;
    if (!page_round_up_checked(size, &rounded) || rounded > VMO_SIZE_MAX)
        return ERR_OUT_OF_RANGE;
    status_t status = set_size(vmo, rounded, size, &garbage);
    while (status == ERR_INTERNAL_PAGER) {
        status = vmo_await(vmo, size >> PAGE_SHIFT, 1, true);
        if (status == OK)
            status = set_size(vmo, rounded, size, &garbage);
    }
    map_garbage_release(&garbage);
    vmo_tell_pager(vmo);
    return status;
}

static status_t grow(struct vmo *vmo, uint64_t rounded, struct map_garbage *garbage) {
    struct page *none;
    MUTEX_GUARD(&vmo->lock);
    return rounded > vmo->size ? resize_locked(vmo, rounded, 0, &none, garbage) : OK;
}

status_t vmo_grow(struct vmo *named, uint64_t end) {
    struct map_garbage garbage = MAP_GARBAGE_INIT;
    uint64_t rounded;
    if (!page_round_up_checked(end, &rounded) || rounded > VMO_SIZE_MAX)
        return ERR_OUT_OF_RANGE;
    if (!named->resizable)
        return ERR_UNAVAILABLE;
    status_t status = grow(vmo_pages_of(named), rounded, &garbage);
    map_garbage_release(&garbage);
    return status;
}

/* ---- Telling about it ---- */

/* The views that `named` was mapped for, and the distinct address spaces among them. */
static void count_views_locked(struct vmo *vmo, const struct vmo *named, struct vmo_info *info)
    REQUIRES(vmo->lock) {
    list_for_each(node, &vmo->views) {
        struct vmo_view *view = list_entry(node, struct vmo_view, node);
        bool seen = false;
        if (view->named != named)
            continue;
        for (struct list_node *earlier = vmo->views.head.next; earlier != node && !seen;
             earlier = earlier->next) {
            struct vmo_view *other = list_entry(earlier, struct vmo_view, node);
            seen = other->named == named && other->aspace == view->aspace;
        }
        info->mapping_count++;
        info->share_count += !seen;
    }
}

static void info_of_pages(struct vmo *vmo, const struct vmo *named, struct vmo_info *info) {
    MUTEX_GUARD(&vmo->lock);
    uint64_t leaves = (page_map_pages(&vmo->map) + MAP_FANOUT - 1) / MAP_FANOUT;
    info->size = named->is_slice ? named->size : vmo->size;
    info->losses = named == vmo ? vmo->losses : 0;
    info->content_size = named->is_slice ? named->content_size : vmo->content_size;
    count_views_locked(vmo, named, info);
    if (named != vmo)
        return; /* an alias costs nothing but itself */
    info->committed_bytes = page_map_pages(&vmo->map) << PAGE_SHIFT;
    info->populated_bytes = info->committed_bytes;
    info->metadata_bytes += leaves * sizeof(struct map_node);
}

struct vmo_info vmo_info(struct vmo *vmo) {
    struct vmo_info info = {
        .parent_koid = vmo->parent_koid,
        .metadata_bytes = sizeof(*vmo),
        .resizable = vmo->resizable,
        .is_cow_clone = vmo->is_cow_clone,
        .immutable = vmo->is_fixed,
        .kind = vmo_pages_of(vmo)->kind,
        .cache_policy = vmo->cache_policy,
    };
    info_of_pages(vmo_pages_of(vmo), vmo, &info);
    if (!vmo->shown && atomic_load(&vmo->family))
        info.committed_bytes = vmo_family_committed_pages(vmo) << PAGE_SHIFT;
    info.child_count = vmo_family_child_count(vmo);
    return info;
}

struct map_share vmo_share(struct vmo *named, uint64_t offset, uint64_t length) {
    struct vmo *vmo = vmo_pages_of(named);
    uint64_t first = (offset + named->shown_offset) >> PAGE_SHIFT;
    MUTEX_GUARD(&vmo->lock);
    return length ? page_map_share(&vmo->map, first, first + ((length - 1) >> PAGE_SHIFT))
                  : (struct map_share){};
}
