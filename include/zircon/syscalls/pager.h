/*
 * pager.h - what a pager says and is told (ABI-MORE.md section S1).
 */
#pragma once

#include <zircon/types.h>

/* zx_pager_op_range */
#define ZX_PAGER_OP_FAIL            ((uint32_t)1u)
#define ZX_PAGER_OP_DIRTY           ((uint32_t)2u)
#define ZX_PAGER_OP_WRITEBACK_BEGIN ((uint32_t)3u)
#define ZX_PAGER_OP_WRITEBACK_END   ((uint32_t)4u)

/* In a dirty range, and as the data of WRITEBACK_BEGIN: nothing but zeros. */
#define ZX_VMO_DIRTY_RANGE_IS_ZERO ((uint64_t)1u)

typedef struct zx_vmo_dirty_range {
    uint64_t offset;  /* bytes */
    uint64_t length;
    uint64_t options; /* ZX_VMO_DIRTY_RANGE_* */
} zx_vmo_dirty_range_t;
_Static_assert(sizeof(zx_vmo_dirty_range_t) == 24, "ABI");

/* zx_pager_query_vmo_stats */
#define ZX_PAGER_RESET_VMO_STATS    ((uint32_t)1u)
#define ZX_PAGER_VMO_STATS_MODIFIED ((uint32_t)1u)

typedef struct zx_pager_vmo_stats {
    uint32_t modified; /* ZX_PAGER_VMO_STATS_* */
} zx_pager_vmo_stats_t;
_Static_assert(sizeof(zx_pager_vmo_stats_t) == 4, "ABI");
