/*
 * vmar_op.c - operations on what is mapped in a range.
 *
 * The address space is locked only to find the next mapping (and to populate it);
 * committing and decommitting happen on the VMO alone, so nobody waits behind them.
 */
#include "vm/region_internal.h"

/* The part of one mapping that an operation is for; the VMO is referenced. */
struct op_part {
    struct vmo *vmo;
    uint64_t offset;
    vaddr_t end;
};

static bool changes_pages(uint32_t op) {
    return op == ZX_VMAR_OP_COMMIT || op == ZX_VMAR_OP_DECOMMIT;
}

/* The mapping at `at`, which may lie in child VMARs unless pages are changed. */
static status_t find_part_locked(struct region *vmar, uint32_t op, vaddr_t at,
                                 struct region **out_mapping) REQUIRES(vmar->aspace->lock) {
    struct region *child = region_first_overlap_locked(vmar, at, at + PAGE_SIZE);
    if (child && child->kind == REGION_VMAR && changes_pages(op))
        return ERR_INVALID_ARGS;
    mutex_assert_held(&vmar->aspace->lock);
    while (child && child->kind == REGION_VMAR) {
        mutex_assert_held(&child->aspace->lock);
        child = region_first_overlap_locked(child, at, at + PAGE_SIZE);
    }
    if (!child)
        return ERR_BAD_STATE;
    if (changes_pages(op) && !(child->perm & ZX_VM_PERM_WRITE))
        return ERR_ACCESS_DENIED;
    *out_mapping = child;
    return OK;
}

static status_t next_part(struct region *vmar, uint32_t op, vaddr_t at, vaddr_t end,
                          struct op_part *out_part) {
    MUTEX_GUARD(&vmar->aspace->lock);
    struct region *mapping;
    if (!vmar->alive)
        return ERR_BAD_STATE;
    status_t status = find_part_locked(vmar, op, at, &mapping);
    if (status != OK)
        return status;
    mutex_assert_held(&mapping->aspace->lock);
    out_part->end = MIN(end, region_end(mapping));
    if (op == ZX_VMAR_OP_MAP_RANGE)
        status = mapping_populate_locked(mapping, at, out_part->end);
    if (status != OK)
        return status;
    vmo_ref(mapping->vmo);
    out_part->vmo = mapping->vmo;
    out_part->offset = mapping->view.offset - mapping->vmo->shown_offset + (at - mapping->start);
    return OK;
}

static status_t act(uint32_t op, struct vmo *vmo, uint64_t offset, uint64_t length) {
    if (op == ZX_VMAR_OP_COMMIT)
        return vmo_commit(vmo, offset, length);
    return op == ZX_VMAR_OP_DECOMMIT ? vmo_decommit(vmo, offset, length) : OK;
}

status_t vmar_op_range(struct region *vmar, uint32_t op, vaddr_t address, uint64_t size) {
    uint64_t rounded;
    if (size == 0 || !is_page_aligned(address))
        return ERR_INVALID_ARGS;
    if (!page_round_up_checked(size, &rounded) || address < vmar->start ||
        !range_within(address - vmar->start, rounded, vmar->size))
        return ERR_OUT_OF_RANGE;
    status_t status = OK;
    for (vaddr_t at = address, end = address + rounded; at < end && status == OK;) {
        struct op_part part;
        status = next_part(vmar, op, at, end, &part);
        if (status != OK)
            return status;
        status = act(op, part.vmo, part.offset, part.end - at);
        vmo_unref(part.vmo);
        at = part.end;
    }
    return status;
}
