/*
 * lockstep_machine.c - accesses of a program to its own memory.
 */
#include "model/lockstep.h"

#include <zircon/syscalls.h>
#include <zircon/syscalls/iommu.h>

bool lockstep_load(uintptr_t address, void *bytes, size_t length) {
    for (size_t i = 0; i < length; i++)
        ((uint8_t *)bytes)[i] = ((const volatile uint8_t *)address)[i];
    return true;
}

bool lockstep_store(uintptr_t address, const void *bytes, size_t length) {
    for (size_t i = 0; i < length; i++)
        ((volatile uint8_t *)address)[i] = ((const uint8_t *)bytes)[i];
    return true;
}

/* A program has no say in what the kernel allocates. */
bool lockstep_fail_next_call(void (*judge)(bool partly)) { return false; }
bool lockstep_has_failures(void) { return false; }
bool lockstep_reclaim(void) { return false; }

zx_handle_t lockstep_bti(void) {
    static const zx_iommu_desc_dummy_t dummy;
    zx_handle_t iommu, bti = ZX_HANDLE_INVALID;
    if (zx_iommu_create(stress_root_resource(), ZX_IOMMU_TYPE_DUMMY, &dummy, sizeof dummy,
                        &iommu) != ZX_OK)
        return ZX_HANDLE_INVALID;
    MUST(zx_bti_create(iommu, 0, 0, &bti));
    MUST(zx_handle_close(iommu));
    return bti;
}
