/*
 * t_bti.c - memory that devices reach: IOMMUs, BTIs, pinning, quarantine, contiguous
 * memory. All of it begins with the root resource; without it there is nothing to test.
 */
#include <jacinth/utest.h>
#include <string.h>

#include "core-tests/support.h"

static const zx_iommu_desc_dummy_t dummy;

struct device {
    zx_handle_t iommu, bti;
};
static bool make_device(struct device *out) {
    *out = (struct device){0};
    if (root_resource() == ZX_HANDLE_INVALID)
        return false;
    EXPECT_OK(zx_iommu_create(root_resource(), ZX_IOMMU_TYPE_DUMMY, &dummy, sizeof dummy,
                              &out->iommu));
    EXPECT_OK(zx_bti_create(out->iommu, 0, 7, &out->bti));
    return out->bti != ZX_HANDLE_INVALID;
}
static void close_device(const struct device *device) {
    close_handle(device->iommu);
    close_handle(device->bti);
}

static void expect_counts(zx_handle_t bti, uint64_t pmts, uint64_t quarantine) {
    zx_info_bti_t info = {0};
    EXPECT_OK(zx_object_get_info(bti, ZX_INFO_BTI, &info, sizeof info, NULL, NULL));
    EXPECT_EQ(PAGE, info.minimum_contiguity);
    EXPECT_EQ(UINT64_MAX, info.aspace_size);
    EXPECT_EQ(pmts, info.pmo_count);
    EXPECT_EQ(quarantine, info.quarantine_count);
}

TEST(iommu_and_bti_create_check_their_arguments) {
    zx_handle_t made = 3, root = root_resource(), range;
    struct device d;
    if (!make_device(&d))
        return;
    REQUIRE_OK(zx_resource_create(root, ZX_RSRC_KIND_MMIO, 0, PAGE, "", 0, &range));
    EXPECT_EQ(ZX_ERR_WRONG_TYPE, zx_iommu_create(range, ZX_IOMMU_TYPE_DUMMY, &dummy, 1, &made));
    close_handle(range);
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_iommu_create(root, 99, &dummy, 4097, &made));
    EXPECT_EQ(ZX_ERR_NOT_SUPPORTED, zx_iommu_create(root, ZX_IOMMU_TYPE_INTEL, &dummy, 1, &made));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_iommu_create(root, ZX_IOMMU_TYPE_DUMMY, &dummy, 0, &made));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_bti_create(ZX_HANDLE_INVALID, 1, 0, &made));
    EXPECT_EQ(3, made);
    EXPECT_EQ(ZX_DEFAULT_IOMMU_RIGHTS, rights_of(d.iommu));
    EXPECT_EQ(ZX_DEFAULT_BTI_RIGHTS, rights_of(d.bti));
    expect_counts(d.bti, 0, 0);
    close_device(&d);
}

/* --- pinning --- */

TEST(bti_pin_checks_in_the_documented_order) {
    zx_paddr_t at[4];
    zx_handle_t pmt = 3, vmo = make_vmo(4), weak = copy_without(vmo, ZX_RIGHT_MAP);
    zx_handle_t reader = copy_without(vmo, ZX_RIGHT_WRITE);
    zx_handle_t writer = copy_without(vmo, ZX_RIGHT_READ);
    const uint32_t rw = ZX_BTI_PERM_READ | ZX_BTI_PERM_WRITE;
    struct device d;
    if (make_device(&d)) {
        EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_bti_pin(d.bti, rw, 0, 1, PAGE, at, 1, &pmt));
        EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_bti_pin(d.bti, rw, 0, 0, 1, at, 1, &pmt));
        EXPECT_EQ(ZX_ERR_BAD_HANDLE, zx_bti_pin(d.bti, 0, 0, 0, 0, at, 0, &pmt));
        EXPECT_EQ(ZX_ERR_ACCESS_DENIED, zx_bti_pin(d.bti, 0, weak, 0, PAGE, at, 1, &pmt));
        EXPECT_EQ(ZX_ERR_ACCESS_DENIED, zx_bti_pin(d.bti, rw | 64, reader, 0, PAGE, at, 1, &pmt));
        EXPECT_EQ(ZX_ERR_ACCESS_DENIED,
                  zx_bti_pin(d.bti, ZX_BTI_PERM_EXECUTE, writer, 0, PAGE, at, 1, &pmt));
        EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_bti_pin(d.bti, 0, vmo, 0, PAGE, at, 1, &pmt));
        EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_bti_pin(d.bti, rw | 64, vmo, 0, PAGE, at, 1, &pmt));
        EXPECT_EQ(ZX_ERR_INVALID_ARGS,
                  zx_bti_pin(d.bti, rw | ZX_BTI_CONTIGUOUS, vmo, 0, PAGE, at, 1, &pmt));
        EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_bti_pin(d.bti, rw, vmo, 9 * PAGE, 0, at, 0, &pmt));
        EXPECT_EQ(ZX_ERR_OUT_OF_RANGE, zx_bti_pin(d.bti, rw, vmo, PAGE, 4 * PAGE, at, 9, &pmt));
        EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_bti_pin(d.bti, rw, vmo, 0, 4 * PAGE, at, 3, &pmt));
        EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_bti_pin(d.bti, rw, vmo, 0, 4 * PAGE, NULL, 4, &pmt));
        EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_bti_pin(d.bti, rw, vmo, 0, 4 * PAGE, at, 4, NULL));
        EXPECT_EQ(3, pmt);
        expect_counts(d.bti, 0, 0);
        close_device(&d);
    }
    /* What failed left nothing pinned. */
    EXPECT_OK(zx_vmo_op_range(vmo, ZX_VMO_OP_DECOMMIT, 0, 4 * PAGE, NULL, 0));
    close_handle(reader);
    close_handle(writer);
    close_handle(weak);
    close_handle(vmo);
}

TEST(pinned_pages_stay_until_the_last_unpin) {
    zx_paddr_t at[4], again[2];
    zx_handle_t one = 0, two = 0, child, vmo = make_resizable_vmo(4);
    struct device d;
    if (!make_device(&d))
        return;
    EXPECT_OK(zx_bti_pin(d.bti, ZX_BTI_PERM_WRITE, vmo, 0, 4 * PAGE, at, 4, &one));
    EXPECT_OK(zx_bti_pin(d.bti, ZX_BTI_PERM_READ | ZX_BTI_COMPRESS, vmo, PAGE, 2 * PAGE, again, 2,
                         &two));
    EXPECT_EQ(0, memcmp(&at[1], again, sizeof again));
    for (int i = 0; i < 4; i++)
        EXPECT(at[i] != 0 && at[i] % PAGE == 0);
    EXPECT_EQ(ZX_DEFAULT_PMT_RIGHTS, rights_of(one));
    EXPECT_EQ(4, committed_pages(vmo));
    expect_counts(d.bti, 2, 0);
    EXPECT_OK(zx_pmt_unpin(one));
    EXPECT_EQ(ZX_ERR_BAD_STATE, zx_vmo_op_range(vmo, ZX_VMO_OP_DECOMMIT, PAGE, PAGE, NULL, 0));
    EXPECT_EQ(ZX_ERR_BAD_STATE, zx_vmo_set_size(vmo, 2 * PAGE));
    EXPECT_EQ(ZX_ERR_BAD_STATE,
              zx_vmo_create_child(vmo, ZX_VMO_CHILD_SNAPSHOT, 0, PAGE, &child));
    EXPECT_OK(zx_pmt_unpin(two));
    EXPECT_EQ(ZX_ERR_BAD_HANDLE, zx_pmt_unpin(two));
    EXPECT_OK(zx_vmo_set_size(vmo, 0));
    expect_counts(d.bti, 0, 0);
    close_handle(vmo);
    close_device(&d);
}

TEST(pmt_unpin_consumes_what_is_no_pinned_memory) {
    zx_handle_t event;
    REQUIRE_OK(zx_event_create(0, &event));
    EXPECT_EQ(ZX_ERR_WRONG_TYPE, zx_pmt_unpin(event));
    EXPECT_EQ(ZX_ERR_BAD_HANDLE, zx_pmt_unpin(event));
}

#define MANY 700 /* more than the kernel tells at once */
TEST(bti_pin_tells_all_addresses_of_many_pages) {
    static zx_paddr_t at[MANY], again[MANY];
    zx_handle_t one = 0, two = 0, vmo = make_vmo(MANY);
    struct device d;
    if (!make_device(&d))
        return;
    EXPECT_OK(zx_bti_pin(d.bti, ZX_BTI_PERM_READ, vmo, 0, MANY * PAGE, at, MANY, &one));
    for (size_t i = 0; i < MANY; i += 100) {
        EXPECT_OK(zx_bti_pin(d.bti, ZX_BTI_PERM_READ, vmo, i * PAGE, PAGE, again, 1, &two));
        EXPECT_EQ(at[i], again[0]);
        EXPECT_OK(zx_pmt_unpin(two));
    }
    EXPECT_OK(zx_pmt_unpin(one));
    close_handle(vmo);
    close_device(&d);
}

/* --- contiguous memory --- */

TEST(contiguous_memory_is_one_run_for_a_device) {
    zx_paddr_t at[8], first = 0;
    zx_handle_t vmo = 3, pmt = 0;
    uint64_t word = 1;
    struct device d;
    if (!make_device(&d))
        return;
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_vmo_create_contiguous(0, 0, 0, &vmo));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_vmo_create_contiguous(0, PAGE, 11, &vmo));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_vmo_create_contiguous(0, PAGE, 64, &vmo));
    EXPECT_EQ(ZX_ERR_NO_MEMORY, zx_vmo_create_contiguous(d.bti, PAGE, 63, &vmo));
    EXPECT_EQ(3, vmo);
    REQUIRE_OK(zx_vmo_create_contiguous(d.bti, 8 * PAGE - 5, 16, &vmo));
    EXPECT_EQ(8, committed_pages(vmo));
    EXPECT(vmo_info_of(vmo).flags & ZX_INFO_VMO_CONTIGUOUS);
    EXPECT_OK(zx_vmo_read(vmo, &word, 7 * PAGE, sizeof word));
    EXPECT_EQ(0, word);
    EXPECT_EQ(ZX_ERR_UNAVAILABLE, zx_vmo_set_size(vmo, PAGE));
    EXPECT_OK(zx_bti_pin(d.bti, ZX_BTI_PERM_READ, vmo, 0, 8 * PAGE, at, 8, &pmt));
    EXPECT_OK(zx_pmt_unpin(pmt));
    EXPECT_EQ(0, at[0] % (1 << 16));
    for (int i = 1; i < 8; i++)
        EXPECT_EQ(at[0] + i * PAGE, at[i]);
    EXPECT_EQ(ZX_ERR_INVALID_ARGS,
              zx_bti_pin(d.bti, ZX_BTI_PERM_READ | ZX_BTI_CONTIGUOUS | ZX_BTI_COMPRESS, vmo, 0,
                         PAGE, &first, 1, &pmt));
    EXPECT_OK(zx_bti_pin(d.bti, ZX_BTI_PERM_READ | ZX_BTI_CONTIGUOUS, vmo, PAGE, 7 * PAGE, &first,
                         1, &pmt));
    EXPECT_EQ(at[1], first);
    EXPECT_OK(zx_pmt_unpin(pmt));
    close_handle(vmo);
    close_device(&d);
}

/* --- quarantine --- */

#define FRAMES 16
static bool is_among(const zx_paddr_t *list, zx_paddr_t frame) {
    for (int i = 0; i < FRAMES; i++) {
        if (list[i] == frame)
            return true;
    }
    return false;
}

/* How many of `dropped` new memory gets, over several objects made and let go in turn. */
static unsigned handed_out(zx_handle_t bti, const zx_paddr_t *dropped) {
    static zx_paddr_t at[1024];
    unsigned found = 0;
    for (int round = 0; round < 4; round++) {
        zx_handle_t vmo = make_vmo(1024), pmt = 0;
        EXPECT_OK(zx_bti_pin(bti, ZX_BTI_PERM_WRITE, vmo, 0, 1024 * PAGE, at, 1024, &pmt));
        for (int i = 0; i < 1024; i++)
            found += is_among(dropped, at[i]);
        EXPECT_OK(zx_pmt_unpin(pmt));
        close_handle(vmo);
    }
    return found;
}

TEST(p56_dropped_pinned_memory_goes_to_nobody_until_its_quarantine_is_released) {
    zx_paddr_t at[FRAMES];
    zx_handle_t vmo = make_vmo(FRAMES), pmt = 0;
    struct device d;
    if (!make_device(&d))
        return;
    zx_handle_t weak = copy_without(d.bti, ZX_RIGHT_WRITE);
    REQUIRE_OK(zx_bti_pin(d.bti, ZX_BTI_PERM_WRITE, vmo, 0, FRAMES * PAGE, at, FRAMES, &pmt));
    close_handle(pmt);
    expect_counts(d.bti, 1, 1);
    EXPECT_EQ(ZX_ERR_BAD_STATE, zx_vmo_op_range(vmo, ZX_VMO_OP_DECOMMIT, 0, PAGE, NULL, 0));
    close_handle(vmo);
    EXPECT_EQ(0, handed_out(d.bti, at));
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED, zx_bti_release_quarantine(weak));
    expect_counts(d.bti, 1, 1);
    EXPECT_OK(zx_bti_release_quarantine(d.bti));
    expect_counts(d.bti, 0, 0);
    EXPECT(handed_out(d.bti, at) > 0); /* so the search above would have found them */
    EXPECT_OK(zx_bti_release_quarantine(d.bti));
    close_handle(weak);
    close_device(&d);
}

/* A driver that dies has not stopped its device; who comes after it can. */
TEST(p56_what_a_driver_left_in_quarantine_waits_for_the_next_one) {
    zx_paddr_t at[FRAMES];
    zx_handle_t vmo = make_vmo(FRAMES), pmt = 0;
    struct device first, second;
    if (!make_device(&first))
        return;
    REQUIRE_OK(zx_bti_pin(first.bti, ZX_BTI_PERM_WRITE, vmo, 0, FRAMES * PAGE, at, FRAMES, &pmt));
    close_device(&first);
    close_handle(vmo);
    close_handle(pmt);
    REQUIRE(make_device(&second));
    expect_counts(second.bti, 1, 1);
    EXPECT_EQ(0, handed_out(second.bti, at));
    EXPECT_OK(zx_bti_release_quarantine(second.bti));
    expect_counts(second.bti, 0, 0);
    EXPECT(handed_out(second.bti, at) > 0);
    close_device(&second);
}
