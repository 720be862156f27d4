/*
 * region.c - one region: making it, putting it into the tree, cutting mappings.
 *
 * A mapping's view lies on its VMO's list under the VMO's lock; entries of the
 * page table go away and are flushed under that lock too, before the view or the
 * VMO reference goes.
 */
#include "lib/string.h"
#include "vm/kheap.h"
#include "vm/region_internal.h"

struct region *region_alloc(struct aspace *aspace, enum region_kind kind) {
    struct region *region = kheap_zalloc(sizeof(*region));
    if (!region)
        return NULL;
    waitable_init(&region->base, &region_ops, 0);
    region->kind = kind;
    region->aspace = aspace;
    aspace_ref(aspace);
    tree_init(&region->children);
    return region;
}

void regions_release(struct list *dead) {
    while (!list_is_empty(dead)) {
        struct region *region = list_entry(dead->head.next, struct region, dead_node);
        list_remove(&region->dead_node);
        region_unref(region);
    }
}

void region_insert_locked(struct region *parent, struct region *region, vaddr_t start,
                          uint64_t size) {
    region->parent = parent;
    region->alive = true;
    region->start = start;
    region->size = size;
    region->node.key = start;
    tree_insert(&parent->children, &region->node);
    region->aspace->mapping_count += region->kind == REGION_MAPPING;
    if (region->kind == REGION_MAPPING)
        region->aspace->recent = region;
}

static void region_leave_locked(struct region *region) REQUIRES(region->aspace->lock) {
    if (region->parent)
        tree_remove(&region->parent->children, &region->node);
    region->parent = NULL;
    region->alive = false;
    if (region->aspace->recent == region)
        region->aspace->recent = NULL;
    region->aspace->mapping_count -= region->kind == REGION_MAPPING;
}

struct region *region_first_overlap_locked(struct region *vmar, vaddr_t start, vaddr_t end) {
    if (start >= end) /* what is left of a range when its last part was cut */
        return NULL;
    struct region *recent = vmar->aspace->recent;
    if (recent && recent->parent == vmar && start - recent->start < recent->size)
        return recent;
    struct tree_node *node = tree_find_le(&vmar->children, start);
    if (node && region_end(tree_entry(node, struct region, node)) > start)
        return tree_entry(node, struct region, node);
    node = node ? tree_next(node) : tree_first(&vmar->children);
    return node && node->key < end ? tree_entry(node, struct region, node) : NULL;
}

struct region *region_next_overlap_locked(struct region *child, vaddr_t end) {
    if (region_end(child) >= end)
        return NULL;
    struct tree_node *node = tree_next(&child->node);
    return node && node->key < end ? tree_entry(node, struct region, node) : NULL;
}

/* ---- Mappings ---- */

static void mmu_clear_range(struct aspace *aspace, vaddr_t start, uint64_t size,
                            struct tlb_batch *batch) {
    MUTEX_GUARD(&aspace->mmu_lock);
    mmu_clear(&aspace->mmu, start, size >> PAGE_SHIFT, batch);
}

static void NOINLINE clear_and_flush(struct aspace *aspace, vaddr_t start, uint64_t size) {
    struct tlb_batch batch;
    tlb_batch_init(&batch);
    mmu_clear_range(aspace, start, size, &batch);
    if (!tlb_batch_is_empty(&batch))
        tlb_flush(&batch);
}

/* Under the VMO's lock, so that nothing comes back. */
static void hide(struct region *mapping, vaddr_t start, uint64_t size) {
    if (mapping->touched)
        clear_and_flush(mapping->aspace, start, size);
}

void mapping_show_locked(struct region *mapping, uint64_t vmo_offset) {
    struct vmo *pages = mapping->pages;
    MUTEX_GUARD(&pages->lock);
    struct vmo *lender = vmo_lender_lock(pages);
    struct vmo_view *view = &mapping->view; /* all zero until now */
    view->aspace = mapping->aspace;
    view->named = mapping->vmo;
    view->base = mapping->start;
    view->offset = vmo_offset + mapping->vmo->shown_offset;
    view->length = mapping->size;
    vmo_view_add_locked(pages, &mapping->view);
    vmo_lender_unlock(lender);
}

void mapping_set_vmo(struct region *mapping, struct vmo *vmo) {
    mapping->vmo = vmo;
    mapping->pages = vmo_pages_of(vmo);
    mapping->limit = vmo->is_slice ? vmo->shown_offset + vmo->size : UINT64_MAX;
    static const unsigned prot_of_policy[] = {0, MMU_UNCACHED, MMU_UNCACHED, MMU_WRITE_COMBINING};
    mapping->cache_prot = prot_of_policy[mapping->pages->cache_policy];
    vmo_ref(vmo);
}

static void view_drop(struct region *mapping) {
    struct vmo *pages = mapping->pages;
    MUTEX_GUARD(&pages->lock);
    struct vmo *lender = vmo_lender_lock(pages);
    hide(mapping, mapping->start, mapping->size);
    vmo_view_remove_locked(pages, &mapping->view);
    vmo_lender_unlock(lender);
}

void mapping_take_locked(struct region *mapping) {
    view_drop(mapping);
    region_leave_locked(mapping);
}

static void mapping_remove_locked(struct region *mapping, struct list *dead)
    REQUIRES(mapping->aspace->lock) {
    mapping_take_locked(mapping);
    list_add_tail(dead, &mapping->dead_node);
}

static void view_split(struct region *left, struct region *right, vaddr_t at) {
    struct vmo *pages = left->pages;
    MUTEX_GUARD(&pages->lock);
    struct vmo *lender = vmo_lender_lock(pages);
    left->view.length = at - left->start;
    right->view = (struct vmo_view){.aspace = left->aspace,
                                    .named = left->vmo,
                                    .base = at,
                                    .offset = left->view.offset + left->view.length,
                                    .length = region_end(left) - at};
    right->touched = left->touched;
    vmo_view_add_locked(pages, &right->view);
    vmo_lender_unlock(lender);
}

struct region *mapping_split_locked(struct region *mapping, vaddr_t at, struct region **spare) {
    struct region *right = *spare;
    *spare = NULL;
    right->possible = mapping->possible;
    right->perm = mapping->perm;
    mapping_set_vmo(right, mapping->vmo);
    view_split(mapping, right, at);
    mutex_assert_held(&mapping->parent->aspace->lock);
    region_insert_locked(mapping->parent, right, at, region_end(mapping) - at);
    mapping->size = at - mapping->start;
    return right;
}

/* Does `right`, which begins where `left` ends, show what would come next in `left`? */
static bool continues(const struct region *left, const struct region *right) {
    return left->kind == REGION_MAPPING && right->kind == REGION_MAPPING &&
           region_end(left) == right->start && left->vmo == right->vmo &&
           left->perm == right->perm && left->possible == right->possible &&
           left->view.offset + left->view.length == right->view.offset &&
           left->vmo->vdso_code_length == 0;
}

/* What the page table shows stays as it is. */
static void view_join(struct region *left, struct region *right) {
    struct vmo *pages = left->pages;
    MUTEX_GUARD(&pages->lock);
    struct vmo *lender = vmo_lender_lock(pages);
    vmo_view_remove_locked(pages, &right->view);
    left->view.length += right->view.length;
    left->touched = left->touched || right->touched;
    vmo_lender_unlock(lender);
}

struct region *mapping_merge_locked(struct region *mapping, struct list *dead) {
    struct tree_node *before = tree_prev(&mapping->node);
    struct region *left = before ? tree_entry(before, struct region, node) : NULL;
    if (!left || !continues(left, mapping))
        return mapping;
    view_join(left, mapping);
    region_leave_locked(mapping);
    list_add_tail(dead, &mapping->dead_node);
    left->size += mapping->size;
    return left;
}

/* The front or the back of a mapping goes. */
static void mapping_trim(struct region *mapping, vaddr_t start, vaddr_t end) {
    struct vmo *pages = mapping->pages;
    MUTEX_GUARD(&pages->lock);
    struct vmo *lender = vmo_lender_lock(pages);
    hide(mapping, start, end - start);
    mapping->view.length -= end - start;
    if (start == mapping->start) {
        mapping->view.base = end;
        mapping->view.offset += end - start;
    }
    vmo_lender_unlock(lender);
}

void mapping_cut_locked(struct region *mapping, vaddr_t start, vaddr_t end, struct region **spare,
                        struct list *dead) {
    bool front = start == mapping->start, back = end == region_end(mapping);
    if (front && back) {
        mapping_remove_locked(mapping, dead);
        return;
    }
    if (!front && !back) {
        mapping_split_locked(mapping, end, spare);
        back = true;
    }
    mapping_trim(mapping, start, end);
    mapping->size -= end - start;
    if (front) {
        tree_remove(&mapping->parent->children, &mapping->node);
        mapping->start = mapping->node.key = end;
        tree_insert(&mapping->parent->children, &mapping->node);
    }
}

/* ---- Destroying a tree ---- */

void vmar_destroy_locked(struct region *vmar, struct list *dead) {
    struct region *at = vmar;
    for (;;) {
        struct tree_node *first = tree_first(&at->children);
        if (first) {
            struct region *child = tree_entry(first, struct region, node);
            mutex_assert_held(&child->aspace->lock);
            if (child->kind == REGION_VMAR)
                at = child;
            else
                mapping_remove_locked(child, dead);
            continue;
        }
        struct region *parent = at->parent;
        mutex_assert_held(&at->aspace->lock);
        region_leave_locked(at);
        list_add_tail(dead, &at->dead_node);
        if (at == vmar)
            return;
        at = parent;
    }
}
