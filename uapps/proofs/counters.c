/*
 * counters.c - reads the kernel's counters until they are at rest; see counters.h.
 */
#include "proofs/counters.h"

#include <jacinth/utest.h>
#include <string.h>

#include "core-tests/support.h"

static struct counters count_now(void) {
    zx_info_kmem_stats_t kmem = {0};
    EXPECT_OK(zx_object_get_info(root_resource(), ZX_INFO_KMEM_STATS, &kmem, sizeof kmem, NULL,
                                 NULL));
    return (struct counters){kmem.vmo_bytes, kmem.total_heap_bytes - kmem.free_heap_bytes,
                             kmem.mmu_overhead_bytes, kmem.other_bytes, own_handles()};
}

/* What core-tests that were killed had pinned for their devices, 0 and 7. */
static void release_quarantines(void) {
    static const zx_iommu_desc_dummy_t dummy;
    zx_handle_t iommu = ZX_HANDLE_INVALID, bti;
    EXPECT_OK(zx_iommu_create(root_resource(), ZX_IOMMU_TYPE_DUMMY, &dummy, sizeof dummy, &iommu));
    for (uint64_t id = 0; id <= 7; id++) {
        EXPECT_OK(zx_bti_create(iommu, 0, id, &bti));
        EXPECT_OK(zx_bti_release_quarantine(bti));
        close_handle(bti);
    }
    close_handle(iommu);
}

/* The dead are buried a moment after they die: wait until nothing changes any more. */
struct counters count_settled(void) {
    struct counters last = count_now();
    for (int quiet = 0, tries = 0; quiet < 5 && tries < 400; tries++) {
        (void)zx_nanosleep(zx_deadline_after(ZX_MSEC(2)));
        release_quarantines();
        struct counters now = count_now();
        quiet = memcmp(&now, &last, sizeof now) == 0 ? quiet + 1 : 0;
        last = now;
    }
    return last;
}

/* Nothing may grow. Tables and stacks (of 4 pages) of the dead are kept for the next ones. */
#define KEPT (64 * 4 * PAGE)
void expect_back(const char *what, struct counters before) {
    struct counters after = count_settled();
    if (after.vmo != before.vmo || after.heap != before.heap || after.handles != before.handles ||
        after.tables > before.tables + KEPT || after.stacks > before.stacks + KEPT)
        utest_fail(__FILE__, __LINE__,
                   "%s: pages %+ld, heap %+ld, handles %+ld, tables %+ld, stacks %+ld", what,
                   (long)(after.vmo - before.vmo), (long)(after.heap - before.heap),
                   (long)(after.handles - before.handles), (long)(after.tables - before.tables),
                   (long)(after.stacks - before.stacks));
}
