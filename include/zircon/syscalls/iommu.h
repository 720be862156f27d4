/*
 * iommu.h - what zx_iommu_create is told about the hardware.
 */
#pragma once

#include <zircon/types.h>

#define ZX_IOMMU_TYPE_DUMMY   0u /* none: devices use physical addresses */
#define ZX_IOMMU_TYPE_INTEL   1u
#define ZX_IOMMU_MAX_DESC_LEN 4096u

typedef struct zx_iommu_desc_dummy {
    uint8_t reserved;
} zx_iommu_desc_dummy_t;
_Static_assert(sizeof(zx_iommu_desc_dummy_t) == 1, "ABI");
