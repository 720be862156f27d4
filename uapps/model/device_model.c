/*
 * device_model.c - see vmo_model.h: device memory, and how caches treat objects.
 */
#include <zircon/syscalls.h>

#include "model/vmo_model.h"
#include "stress/stress.h"

#define DEVICE_BYTES (MODEL_DEVICE * PAGE)

/* The resource is for the device memory of this world, not more. */
zx_status_t model_create_physical(struct model *model, int slot, uint64_t offset, uint64_t size) {
    if (offset > DEVICE_BYTES || size > DEVICE_BYTES - offset)
        return ZX_ERR_OUT_OF_RANGE;
    if (offset % PAGE || size == 0)
        return ZX_ERR_INVALID_ARGS;
    struct model_vmo *vmo = model_begin_vmo(model, slot, size);
    vmo->is_physical = true;
    vmo->device_first = offset / PAGE;
    vmo->policy = ZX_CACHE_POLICY_UNCACHED;
    return ZX_OK;
}

static bool has_pages(const struct model_vmo *vmo) {
    for (uint64_t i = 0; i < vmo->pages; i++)
        if (vmo->cell[i].page)
            return true;
    return false;
}

zx_status_t model_set_cache_policy(struct model *model, int slot, uint32_t policy,
                                   bool is_mapped) {
    struct model_vmo *vmo = &model->vmo[slot];
    if (policy > ZX_CACHE_POLICY_MASK)
        return ZX_ERR_INVALID_ARGS;
    if (vmo->made_from || model_children(model, slot) || is_mapped || vmo->is_pager)
        return ZX_ERR_BAD_STATE;
    /* Device memory is always there; its pins keep nothing. */
    if (!vmo->is_physical && (vmo->pins || (vmo->policy && has_pages(vmo))))
        return ZX_ERR_BAD_STATE;
    vmo->policy = policy;
    return ZX_OK;
}

zx_status_t model_refuses(const struct model *model, int slot) {
    const struct model_vmo *vmo = model_pages_of(model, slot);
    if (vmo->is_physical)
        return ZX_ERR_NOT_SUPPORTED;
    return vmo->policy == ZX_CACHE_POLICY_CACHED ? ZX_OK : ZX_ERR_BAD_STATE;
}
