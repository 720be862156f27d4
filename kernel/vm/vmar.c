/*
 * vmar.c - allocate, map, unmap, protect, destroy (ZX-ABI.md sections 3.5 and 5).
 *
 * Each operation checks everything and takes all the memory it can need before it
 * changes anything: a range operation splits at most two mappings, so it brings
 * two spare regions.
 */
#include "vm/kheap.h"
#include "vm/region_internal.h"

#define CAN_MAP_RWX (ZX_VM_CAN_MAP_READ | ZX_VM_CAN_MAP_WRITE | ZX_VM_CAN_MAP_EXECUTE)
#define ALIGN_BITS  ((uint32_t)0xff << ZX_VM_ALIGN_BASE)

#define ALLOCATE_OPTIONS                                                                           \
    (ZX_VM_COMPACT | ZX_VM_SPECIFIC | ZX_VM_CAN_MAP_SPECIFIC | CAN_MAP_RWX |                       \
     ZX_VM_OFFSET_IS_UPPER_LIMIT | ALIGN_BITS)
#define MAP_OPTIONS                                                                                \
    (PERM_MASK | ZX_VM_SPECIFIC | ZX_VM_SPECIFIC_OVERWRITE | ZX_VM_OFFSET_IS_UPPER_LIMIT |         \
     ALIGN_BITS | ZX_VM_MAP_RANGE | ZX_VM_REQUIRE_NON_RESIZABLE | ZX_VM_ALLOW_FAULTS)

/* ZX_VM_CAN_MAP_READ... as PERM bits: they lie seven bits higher. */
static uint32_t can_map_as_perm(uint32_t options) { return (options & CAN_MAP_RWX) >> 7; }

/* ---- allocate ---- */

static status_t allocate_locked(struct region *vmar, uint32_t options, uint64_t offset,
                                uint64_t size, struct region *child)
    REQUIRES(vmar->aspace->lock) {
    vaddr_t start;
    if (!vmar->alive)
        return ERR_BAD_STATE;
    if (size == 0)
        return ERR_INVALID_ARGS;
    if (can_map_as_perm(options) & ~vmar->possible)
        return ERR_ACCESS_DENIED;
    status_t status = region_place_locked(vmar, options, offset, size, &start);
    if (status == OK)
        region_insert_locked(vmar, child, start, size);
    return status;
}

static status_t allocate(struct region *vmar, uint32_t options, uint64_t offset, uint64_t size,
                         struct region *child) {
    MUTEX_GUARD(&vmar->aspace->lock);
    return allocate_locked(vmar, options, offset, size, child);
}

status_t vmar_allocate(struct region *vmar, uint32_t options, uint64_t offset, uint64_t size,
                       struct region **out_child) {
    unsigned align_log2;
    if ((options & ~ALLOCATE_OPTIONS) || !region_alignment(options, &align_log2) ||
        !is_page_aligned(size))
        return ERR_INVALID_ARGS;
    AUTO(region) child = region_alloc(vmar->aspace, REGION_VMAR);
    if (!child)
        return ERR_NO_MEMORY;
    child->possible = can_map_as_perm(options);
    child->can_map_specific = options & ZX_VM_CAN_MAP_SPECIFIC;
    /* One for the tree, one for the caller: another thread may destroy it at once. */
    region_ref(child);
    status_t status = allocate(vmar, options, offset, size, child);
    if (status != OK) {
        region_unref(child);
        return status;
    }
    *out_child = TAKE(child);
    return OK;
}

/* ---- What a range operation needs ---- */

struct spares {
    struct region *regions[2];
};

static status_t spares_fill(struct aspace *aspace, struct spares *spares) {
    *spares = (struct spares){{NULL, NULL}};
    for (unsigned i = 0; i < 2; i++) {
        spares->regions[i] = region_alloc(aspace, REGION_MAPPING);
        if (!spares->regions[i])
            return ERR_NO_MEMORY;
    }
    return OK;
}

static void spares_release(struct spares *spares) {
    for (unsigned i = 0; i < 2; i++)
        if (spares->regions[i])
            region_unref(spares->regions[i]);
}

static struct region **spares_next(struct spares *spares) {
    return &spares->regions[spares->regions[0] ? 0 : 1];
}

/* Does the range take the start of the vDSO's code away? */
static bool hits_vdso_locked(struct aspace *aspace, vaddr_t start, vaddr_t end)
    REQUIRES(aspace->lock) {
    return aspace->vdso_code && start <= aspace->vdso_code && aspace->vdso_code < end;
}

/* Would removing [start, end), with `first` in it, cut a child VMAR, or touch what must stay? */
static status_t check_removal_locked(struct region *vmar, struct region *first, vaddr_t start,
                                     vaddr_t end, bool vmars_allowed)
    REQUIRES(vmar->aspace->lock) {
    for (struct region *child = first; child; child = region_next_overlap_locked(child, end)) {
        bool inside = child->start >= start && region_end(child) <= end;
        if (child->kind == REGION_VMAR && (!vmars_allowed || !inside))
            return ERR_INVALID_ARGS;
    }
    return hits_vdso_locked(vmar->aspace, start, end) ? ERR_ACCESS_DENIED : OK;
}

static void remove_range_locked(struct region *vmar, struct region *first, vaddr_t start,
                                vaddr_t end, struct spares *spares, struct list *dead)
    REQUIRES(vmar->aspace->lock) {
    struct region *child = first;
    while (child) {
        vaddr_t from = MAX(start, child->start), to = MIN(end, region_end(child));
        mutex_assert_held(&child->aspace->lock);
        if (child->kind == REGION_VMAR)
            vmar_destroy_locked(child, dead);
        else
            mapping_cut_locked(child, from, to, spares_next(spares), dead);
        child = to < end ? region_first_overlap_locked(vmar, to, end) : NULL;
    }
}

/* The checks on an absolute range that unmap and protect share. */
static status_t check_range_locked(struct region *vmar, vaddr_t address, uint64_t length)
    REQUIRES(vmar->aspace->lock) {
    if (!vmar->alive)
        return ERR_BAD_STATE;
    if (address < vmar->start || !range_within(address - vmar->start, length, vmar->size))
        return ERR_INVALID_ARGS;
    return OK;
}

/* ---- map ---- */

/* ZX-ABI.md section 5.3 (9) for executable views of the vDSO. */
static status_t check_vdso_locked(struct aspace *aspace, struct vmo *vmo, uint32_t options,
                                  uint64_t vmo_offset, uint64_t length) REQUIRES(aspace->lock) {
    if (!vmo->vdso_code_length || !(options & ZX_VM_PERM_EXECUTE))
        return OK;
    if (aspace->vdso_code || vmo_offset != vmo->vdso_code_offset ||
        length != vmo->vdso_code_length)
        return ERR_ACCESS_DENIED;
    return OK;
}

struct map_request {
    uint32_t options;
    uint64_t offset;
    struct vmo *vmo;
    uint64_t vmo_offset, length;
    vaddr_t start; /* where it went */
};

/* Take away what lies where the mapping is to go. Nothing fails after this. */
static status_t overwrite_locked(struct region *vmar, const struct map_request *r, vaddr_t start,
                                 struct spares *spares, struct list *dead)
    REQUIRES(vmar->aspace->lock) {
    vaddr_t end = start + r->length;
    struct region *first = region_first_overlap_locked(vmar, start, end);
    status_t status = check_removal_locked(vmar, first, start, end, false);
    if (status == OK)
        status = check_vdso_locked(vmar->aspace, r->vmo, r->options, r->vmo_offset, r->length);
    if (status == OK)
        remove_range_locked(vmar, first, start, end, spares, dead);
    return status;
}

static void note_vdso_locked(struct aspace *aspace, const struct map_request *r, vaddr_t start)
    REQUIRES(aspace->lock) {
    aspace->vdso_code = start;
    aspace->vdso_code_end = start + r->length;
    aspace->vdso_base = start - r->vmo_offset;
}

/* Most requests leave the place to the kernel, and say nothing else about it. */
static status_t place_locked(struct region *vmar, const struct map_request *r, vaddr_t *out_start)
    REQUIRES(vmar->aspace->lock) {
    if (likely(!(r->options & ~PERM_MASK) && r->offset == 0 && r->length <= vmar->size))
        return region_place_anywhere_locked(vmar, vmar->size, r->length, PAGE_SIZE, out_start);
    return region_place_locked(vmar, r->options, r->offset, r->length, out_start);
}

/* `spares` and `dead` are for what is overwritten; NULL if nothing is to be. */
ALWAYS_INLINE status_t map_locked(struct region *vmar, struct map_request *r,
                                  struct region *mapping, struct spares *spares,
                                  struct list *dead) REQUIRES(vmar->aspace->lock) {
    struct aspace *aspace = vmar->aspace;
    vaddr_t start;
    mutex_assert_held(&aspace->lock);
    mutex_assert_held(&mapping->aspace->lock);
    if (!vmar->alive)
        return ERR_BAD_STATE;
    if (r->length == 0)
        return ERR_INVALID_ARGS;
    status_t status = place_locked(vmar, r, &start);
    if (status == OK)
        status = spares ? overwrite_locked(vmar, r, start, spares, dead)
                        : check_vdso_locked(aspace, r->vmo, r->options, r->vmo_offset, r->length);
    if (status != OK)
        return status;
    r->start = start;
    if (unlikely(r->vmo->vdso_code_length && (r->options & ZX_VM_PERM_EXECUTE)))
        note_vdso_locked(aspace, r, start);
    region_insert_locked(vmar, mapping, start, r->length);
    mapping_show_locked(mapping, r->vmo_offset);
    if (likely(!(r->options & ZX_VM_MAP_RANGE)))
        return OK;
    status = mapping_populate_locked(mapping, start, start + r->length);
    if (status != OK)
        mapping_take_locked(mapping);
    return status;
}

static status_t map_in_place(struct region *vmar, struct map_request *r,
                             struct region *mapping) {
    MUTEX_GUARD(&vmar->aspace->lock);
    return map_locked(vmar, r, mapping, NULL, NULL);
}

static status_t map_with_spares(struct region *vmar, struct map_request *r,
                                struct region *mapping, struct spares *spares,
                                struct list *dead) {
    MUTEX_GUARD(&vmar->aspace->lock);
    return map_locked(vmar, r, mapping, spares, dead);
}

static status_t NOINLINE map_over(struct region *vmar, struct map_request *r,
                                  struct region *mapping) {
    struct spares spares;
    struct list dead;
    list_init(&dead);
    status_t status = spares_fill(vmar->aspace, &spares);
    if (status == OK)
        status = map_with_spares(vmar, r, mapping, &spares, &dead);
    regions_release(&dead);
    spares_release(&spares);
    return status;
}

/* What some options ask for; before and after the check of the permissions. */
static bool options_clash(uint32_t options) {
    return ((options & ZX_VM_MAP_RANGE) && (options & ZX_VM_SPECIFIC_OVERWRITE)) ||
           (options & CAN_MAP_RWX);
}
static status_t check_map_options(const struct map_request *r) {
    unsigned align_log2;
    if ((r->options & ~MAP_OPTIONS) || !region_alignment(r->options, &align_log2))
        return ERR_INVALID_ARGS;
    if ((r->options & ZX_VM_REQUIRE_NON_RESIZABLE) && r->vmo->resizable)
        return ERR_NOT_SUPPORTED;
    return OK;
}

/* The checks before the region lock, in the documented order. */
static status_t check_map(const struct region *vmar, const struct map_request *r,
                          uint32_t possible) {
    uint32_t perm = r->options & PERM_MASK, others = r->options & ~PERM_MASK;
    uint64_t end, rounded;
    if ((perm & (ZX_VM_PERM_WRITE | ZX_VM_PERM_EXECUTE)) && !(perm & ZX_VM_PERM_READ))
        return ERR_INVALID_ARGS;
    if (others && options_clash(others))
        return ERR_INVALID_ARGS;
    if (perm & ~possible)
        return ERR_ACCESS_DENIED;
    status_t status = others ? check_map_options(r) : OK;
    if (status != OK)
        return status;
    if (unlikely(r->vmo->kind == VMO_DISCARDABLE) && !(others & ZX_VM_ALLOW_FAULTS))
        return ERR_NOT_SUPPORTED;
    bool rounds = page_round_up_checked(r->length, &rounded);
    bool fits = rounds && !__builtin_add_overflow(r->vmo_offset, rounded, &end);
    if (fits && !(others & ZX_VM_ALLOW_FAULTS) && end > vmo_size(r->vmo))
        return ERR_BUFFER_TOO_SMALL;
    if (perm & ~vmar->possible)
        return ERR_ACCESS_DENIED;
    return fits && is_page_aligned(r->vmo_offset) ? OK : ERR_INVALID_ARGS;
}

status_t vmar_map(struct region *vmar, uint32_t options, uint64_t offset, struct vmo *vmo,
                  uint64_t vmo_offset, uint64_t length, uint32_t possible, vaddr_t *out_address) {
    struct map_request request = {options, offset, vmo, vmo_offset, length, 0};
    status_t status = check_map(vmar, &request, possible);
    if (status != OK)
        return status;
    request.length = round_up(length, PAGE_SIZE);
    struct region *mapping = region_alloc(vmar->aspace, REGION_MAPPING);
    if (!mapping)
        return ERR_NO_MEMORY;
    mapping->possible = possible & vmar->possible;
    mapping->perm = options & PERM_MASK;
    mapping_set_vmo(mapping, vmo);
    status = options & ZX_VM_SPECIFIC_OVERWRITE ? map_over(vmar, &request, mapping)
                                                : map_in_place(vmar, &request, mapping);
    if (status == OK)
        *out_address = request.start; /* the mapping is the tree's now, or gone already */
    else
        region_unref(mapping);
    return status;
}

/* ---- unmap ---- */

/* Only one mapping that spans more than the whole range on both sides is split. */
static bool needs_split(const struct region *first, vaddr_t start, vaddr_t end) {
    return first && first->kind == REGION_MAPPING && first->start < start &&
           region_end(first) > end;
}

/* ERR_INTERNAL_RETRY: come again with spares. */
static status_t unmap(struct region *vmar, vaddr_t address, uint64_t length,
                      struct spares *spares, struct list *dead) {
    MUTEX_GUARD(&vmar->aspace->lock);
    vaddr_t end = address + length;
    status_t status = check_range_locked(vmar, address, length);
    if (status != OK)
        return status;
    struct region *first = region_first_overlap_locked(vmar, address, end);
    status = check_removal_locked(vmar, first, address, end, true);
    if (status != OK)
        return status;
    if (!spares->regions[0] && needs_split(first, address, end))
        return ERR_INTERNAL_RETRY;
    remove_range_locked(vmar, first, address, end, spares, dead);
    return OK;
}

static status_t NOINLINE unmap_range(struct region *vmar, vaddr_t address, uint64_t length) {
    struct spares spares = {{NULL, NULL}};
    struct list dead;
    list_init(&dead);
    status_t status = unmap(vmar, address, length, &spares, &dead);
    if (status == ERR_INTERNAL_RETRY) {
        status = spares_fill(vmar->aspace, &spares);
        if (status == OK)
            status = unmap(vmar, address, length, &spares, &dead);
    }
    spares_release(&spares);
    regions_release(&dead);
    return status;
}

/* The usual case, one whole mapping: it is out of the tree then, and the caller's. Else NULL. */
static struct region *take_whole_mapping(struct region *vmar, vaddr_t address, uint64_t length) {
    MUTEX_GUARD(&vmar->aspace->lock);
    if (!vmar->alive)
        return NULL;
    struct region *mapping = region_first_overlap_locked(vmar, address, address + length);
    if (!mapping || mapping->kind != REGION_MAPPING || mapping->start != address ||
        mapping->size != length || hits_vdso_locked(vmar->aspace, address, address + length))
        return NULL;
    mutex_assert_held(&mapping->aspace->lock);
    mapping_take_locked(mapping);
    return mapping;
}

status_t vmar_unmap(struct region *vmar, vaddr_t address, uint64_t length) {
    uint64_t rounded;
    if (!is_page_aligned(address) || length == 0 || !page_round_up_checked(length, &rounded) ||
        address + rounded < address)
        return ERR_INVALID_ARGS;
    struct region *mapping = take_whole_mapping(vmar, address, rounded);
    if (unlikely(!mapping))
        return unmap_range(vmar, address, rounded);
    region_unref(mapping);
    return OK;
}

/* ---- protect ---- */

/* Every page of the range lies in a mapping that may have the permission. */
static status_t check_protect_locked(struct region *vmar, uint32_t perm, vaddr_t start,
                                     vaddr_t end) REQUIRES(vmar->aspace->lock) {
    vaddr_t at = start;
    for (struct region *child = region_first_overlap_locked(vmar, start, end); child;
         child = region_next_overlap_locked(child, end)) {
        if (child->start > at)
            return ERR_NOT_FOUND;
        if (child->kind == REGION_VMAR)
            return ERR_INVALID_ARGS;
        if (perm & ~child->possible)
            return ERR_ACCESS_DENIED;
        if (vmar->aspace->vdso_code && child->start == vmar->aspace->vdso_code)
            return ERR_ACCESS_DENIED;
        at = region_end(child);
    }
    return at < end ? ERR_NOT_FOUND : OK;
}

static unsigned mmu_prot_of(uint32_t perm) {
    return MMU_USER | (perm & ZX_VM_PERM_READ ? MMU_READ : 0) |
           (perm & ZX_VM_PERM_WRITE ? MMU_WRITE : 0) |
           (perm & ZX_VM_PERM_EXECUTE ? MMU_EXECUTE : 0);
}

static void restrict_table(struct region *mapping, uint32_t perm, struct tlb_batch *batch) {
    MUTEX_GUARD(&mapping->aspace->mmu_lock);
    mmu_restrict(&mapping->aspace->mmu, mapping->start, mapping->size >> PAGE_SHIFT,
                 mmu_prot_of(perm), batch);
}

/* What was lost goes at once and everywhere; what was won comes by faults. */
static void mapping_set_perm(struct region *mapping, uint32_t perm) {
    struct vmo *pages = mapping->pages;
    struct tlb_batch batch;
    tlb_batch_init(&batch);
    MUTEX_GUARD(&pages->lock);
    bool loses = mapping->perm & ~perm;
    mapping->perm = perm;
    if (!loses)
        return;
    restrict_table(mapping, perm, &batch);
    if (!tlb_batch_is_empty(&batch))
        tlb_flush(&batch);
}

/* Neighbours that have become alike are joined, so that protecting to and fro leaves one. */
static void protect_range_locked(struct region *vmar, uint32_t perm, vaddr_t start, vaddr_t end,
                                 struct spares *spares, struct list *dead)
    REQUIRES(vmar->aspace->lock) {
    for (struct region *child = region_first_overlap_locked(vmar, start, end); child;
         child = region_next_overlap_locked(child, end)) {
        mutex_assert_held(&child->aspace->lock);
        if (child->start < start)
            child = mapping_split_locked(child, start, spares_next(spares));
        mutex_assert_held(&child->aspace->lock);
        if (region_end(child) > end)
            mapping_split_locked(child, end, spares_next(spares));
        mapping_set_perm(child, perm);
        child = mapping_merge_locked(child, dead);
    }
    struct region *behind = region_first_overlap_locked(vmar, end, end + PAGE_SIZE);
    if (!behind)
        return;
    mutex_assert_held(&behind->aspace->lock);
    mapping_merge_locked(behind, dead);
}

static status_t protect(struct region *vmar, uint32_t perm, vaddr_t address, uint64_t length,
                        struct spares *spares, struct list *dead) {
    MUTEX_GUARD(&vmar->aspace->lock);
    status_t status = check_range_locked(vmar, address, length);
    if (status == OK)
        status = check_protect_locked(vmar, perm, address, address + length);
    if (status == OK)
        protect_range_locked(vmar, perm, address, address + length, spares, dead);
    return status;
}

status_t vmar_protect(struct region *vmar, uint32_t options, vaddr_t address, uint64_t length) {
    struct spares spares;
    struct list dead;
    uint64_t rounded;
    list_init(&dead);
    if ((options & ~PERM_MASK) || (options && !(options & ZX_VM_PERM_READ)) ||
        !is_page_aligned(address) || length == 0 || !page_round_up_checked(length, &rounded) ||
        address + rounded < address)
        return ERR_INVALID_ARGS;
    status_t status = spares_fill(vmar->aspace, &spares);
    if (status == OK)
        status = protect(vmar, options, address, rounded, &spares, &dead);
    spares_release(&spares);
    regions_release(&dead);
    return status;
}

/* ---- destroy ---- */

static status_t destroy(struct region *vmar, struct list *dead) {
    MUTEX_GUARD(&vmar->aspace->lock);
    if (!vmar->alive)
        return ERR_BAD_STATE;
    if (vmar == vmar->aspace->root)
        vmar->aspace->root = NULL;
    vmar_destroy_locked(vmar, dead);
    return OK;
}

status_t vmar_destroy(struct region *vmar) {
    struct list dead;
    list_init(&dead);
    status_t status = destroy(vmar, &dead);
    regions_release(&dead);
    return status;
}
