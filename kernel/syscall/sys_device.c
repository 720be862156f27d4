/*
 * sys_device.c - device memory, and memory that devices reach (ZX-ABI.md sections 3.4, 3.15).
 */
#include <zircon/syscalls/iommu.h>

#include "object/bti.h"
#include "object/resource.h"
#include "syscall/sys_resource.h"
#include "syscall/sys_util.h"
#include "vm/aspace.h"
#include "vm/kheap.h"

status_t sys_vmo_create_physical(uint32_t resource, uint64_t address, uint64_t size,
                                 struct user_out out) {
    struct vmo *vmo;

    status_t status = sys_check_resource_range(resource, ZX_RSRC_KIND_MMIO, address, size);
    if (status == OK)
        status = vmo_create_physical(paddr(address), size, &vmo);
    return status != OK ? status : sys_publish_new(out, &vmo->base);
}

status_t sys_vmo_create_contiguous(uint32_t bti, uint64_t size, uint32_t alignment_log2,
                                   struct user_out out) {
    AUTO(waitable) object = NULL;
    struct vmo *vmo;

    if (size == 0 || (alignment_log2 != 0 && alignment_log2 < PAGE_SHIFT) || alignment_log2 >= 64)
        return ERR_INVALID_ARGS;
    status_t status = sys_lookup(bti, ZX_OBJ_TYPE_BTI, ZX_RIGHT_MAP, &object);
    if (status == OK)
        status = vmo_create_contiguous(size, alignment_log2, 0, &vmo);
    return status != OK ? status : sys_publish_new(out, &vmo->base);
}

/* ---- Ports ---- */

status_t sys_ioports_request(uint32_t resource, uint32_t io_addr, uint32_t len) {
    uint16_t first = (uint16_t)io_addr; /* nothing says what the register has above */

    status_t status = sys_check_resource_range(resource, ZX_RSRC_KIND_IOPORT, first, len);
    if (status != OK)
        return status;
    if (!range_within(first, len, IO_PORTS))
        return ERR_OUT_OF_RANGE;
    return aspace_allow_io(process_current()->aspace, first, len);
}

/* ---- Devices ---- */

static status_t check_iommu(uint32_t type, struct user_in desc, uint64_t desc_size) {
    zx_iommu_desc_dummy_t dummy;

    if (desc_size > ZX_IOMMU_MAX_DESC_LEN)
        return ERR_INVALID_ARGS;
    if (type != ZX_IOMMU_TYPE_DUMMY)
        return ERR_NOT_SUPPORTED;
    return desc_size < sizeof(dummy) ? ERR_INVALID_ARGS
                                     : user_copy_in(&dummy, desc, sizeof(dummy));
}

status_t sys_iommu_create(uint32_t resource, uint32_t type, struct user_in desc,
                          uint64_t desc_size, struct user_out out) {
    struct waitable *iommu;

    status_t status = sys_check_resource(resource, ZX_RSRC_KIND_ROOT);
    if (status == OK)
        status = check_iommu(type, desc, desc_size);
    if (status == OK)
        status = iommu_create(&iommu);
    return status != OK ? status : sys_publish_new(out, iommu);
}

status_t sys_bti_create(uint32_t iommu, uint32_t options, uint64_t bti_id, struct user_out out) {
    AUTO(waitable) object = NULL;
    struct bti *bti;

    if (options != 0)
        return ERR_INVALID_ARGS;
    status_t status = sys_lookup(iommu, ZX_OBJ_TYPE_IOMMU, 0, &object);
    if (status == OK)
        status = bti_create(object, bti_id, &bti);
    return status != OK ? status : sys_publish_new(out, &bti->base);
}

status_t sys_bti_release_quarantine(uint32_t handle) {
    AUTO(waitable) object = NULL;

    status_t status = sys_lookup(handle, ZX_OBJ_TYPE_BTI, ZX_RIGHT_WRITE, &object);
    if (status == OK)
        bti_release_quarantine(bti_from(object));
    return status;
}

/* ---- Pinning ---- */

#define PERMS       (ZX_BTI_PERM_READ | ZX_BTI_PERM_WRITE | ZX_BTI_PERM_EXECUTE)
#define PIN_OPTIONS (PERMS | ZX_BTI_COMPRESS | ZX_BTI_CONTIGUOUS)
#define PIN_AT_ONCE (PAGE_SIZE / sizeof(paddr_t))

/* What a device may do, the handle must allow. */
static rights_t pin_rights(uint32_t options) {
    return (options & (ZX_BTI_PERM_READ | ZX_BTI_PERM_EXECUTE) ? ZX_RIGHT_READ : 0) |
           (options & ZX_BTI_PERM_WRITE ? ZX_RIGHT_WRITE : 0);
}

static status_t check_pin(struct vmo *vmo, uint32_t options, uint64_t offset, uint64_t size,
                          uint64_t addrs_count) {
    enum vmo_kind kind = vmo_pages_of(vmo)->kind;
    bool is_run = kind == VMO_CONTIGUOUS || kind == VMO_PHYSICAL;

    if (!(options & PERMS) || (options & ~PIN_OPTIONS))
        return ERR_INVALID_ARGS;
    if ((options & ZX_BTI_CONTIGUOUS) && ((options & ZX_BTI_COMPRESS) || !is_run))
        return ERR_INVALID_ARGS;
    if (size == 0)
        return ERR_INVALID_ARGS;
    if (!range_within(offset, size, vmo_size(vmo)))
        return ERR_OUT_OF_RANGE;
    /* As BTI_MIN_CONTIGUITY is a page, COMPRESS makes nothing shorter. */
    uint64_t expected = options & ZX_BTI_CONTIGUOUS ? 1 : size / BTI_MIN_CONTIGUITY;
    return addrs_count == expected ? OK : ERR_INVALID_ARGS;
}

/* Pin in portions, and tell the user the addresses, or of a run the first. */
static status_t pin_all(struct pmt *pmt, uint32_t options, uint64_t size, paddr_t *addresses,
                        struct user_out addrs) {
    status_t status = OK;

    while (status == OK && pmt->length < size) {
        uint64_t done = pmt->length / PAGE_SIZE;
        uint64_t count = MIN(size / PAGE_SIZE - done, PIN_AT_ONCE);
        status = pmt_pin_more(pmt, count * PAGE_SIZE, options & ZX_BTI_PERM_WRITE, addresses);
        if (options & ZX_BTI_CONTIGUOUS)
            count = done == 0;
        if (status == OK && count)
            status = user_copy_out(user_out_at(addrs, done * sizeof(*addresses)), addresses,
                                   count * sizeof(*addresses));
    }
    return status;
}

static status_t pin(struct bti *bti, struct vmo *vmo, uint32_t options, uint64_t offset,
                    uint64_t size, struct user_out addrs, struct pmt **out_pmt) {
    paddr_t *addresses = kheap_alloc(PIN_AT_ONCE * sizeof(*addresses));
    if (!addresses)
        return ERR_NO_MEMORY;
    struct pmt *pmt;
    status_t status = pmt_create(bti, vmo, offset, &pmt);
    if (status == OK) {
        status = pin_all(pmt, options, size, addresses, addrs);
        if (status == OK)
            *out_pmt = pmt;
        else
            waitable_unref(&pmt->base);
    }
    kheap_free(addresses);
    return status;
}

/* Without its handle nobody could unpin: it never was. */
static status_t publish_pmt(struct user_out out, struct pmt *pmt) {
    struct handle_table *table = sys_table();
    uint32_t value;

    status_t status = handle_table_reserve(table, 1, &value);
    if (status == OK) {
        status = user_copy_out_u32(out, value);
        if (status == OK) {
            handle_table_publish(table, value,
                                 handle_adopt(&pmt->base, pmt->base.ops->default_rights));
            return OK;
        }
        handle_table_cancel(table, value);
    }
    waitable_unref(&pmt->base);
    return status;
}

status_t sys_bti_pin(uint32_t handle, uint32_t options, uint32_t vmo, uint64_t offset,
                     uint64_t size, struct user_out addrs, uint64_t addrs_count,
                     struct user_out pmt) {
    AUTO(waitable) bti = NULL;
    AUTO(waitable) object = NULL;
    struct pmt *made;
    rights_t rights;

    status_t status = sys_lookup(handle, ZX_OBJ_TYPE_BTI, ZX_RIGHT_MAP, &bti);
    if (status != OK)
        return status;
    if (!is_page_aligned(offset) || !is_page_aligned(size))
        return ERR_INVALID_ARGS;
    status = sys_lookup_rights(vmo, ZX_OBJ_TYPE_VMO, ZX_RIGHT_MAP, &object, &rights);
    if (status != OK)
        return status;
    if (!rights_are_subset(pin_rights(options), rights))
        return ERR_ACCESS_DENIED;
    status = check_pin(vmo_from(object), options, offset, size, addrs_count);
    if (status == OK)
        status = pin(bti_from(bti), vmo_from(object), options, offset, size, addrs, &made);
    return status != OK ? status : publish_pmt(pmt, made);
}

status_t sys_pmt_unpin(uint32_t handle) {
    struct handle taken;

    status_t status = handle_table_remove(sys_table(), handle, &taken);
    if (status != OK)
        return policy_lookup_failed(status);
    if (taken.object->ops->type == ZX_OBJ_TYPE_PMT)
        pmt_unpin(pmt_from(taken.object));
    else
        status = policy_lookup_failed(ERR_WRONG_TYPE);
    handle_release(&taken);
    return status;
}
