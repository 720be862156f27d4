/*
 * t_msi.c - messages of devices: allocation, and the capability in which they are masked.
 *
 * No device sends any here (uapps/edu has one that does); what the kernel reads and writes as
 * configuration space is memory. Without the root resource there is nothing to test.
 */
#include <jacinth/utest.h>
#include <string.h>
#include <zircon/syscalls/iommu.h>

#include "core-tests/support.h"

static zx_handle_t make_msi(uint32_t count) {
    zx_handle_t made = ZX_HANDLE_INVALID;
    EXPECT_OK(zx_msi_allocate(root_resource(), count, &made));
    return made;
}

static zx_info_msi_t info_of(zx_handle_t msi) {
    zx_info_msi_t info = {0};
    EXPECT_OK(zx_object_get_info(msi, ZX_INFO_MSI, &info, sizeof info, NULL, NULL));
    return info;
}

/* Configuration space with a capability at 64, as the device has it: uncached. */
static zx_handle_t make_space(uint32_t capability, uint32_t policy) {
    static const zx_iommu_desc_dummy_t dummy;
    zx_handle_t iommu = 0, bti = 0, space = 0;
    EXPECT_OK(zx_iommu_create(root_resource(), ZX_IOMMU_TYPE_DUMMY, &dummy, sizeof dummy, &iommu));
    EXPECT_OK(zx_bti_create(iommu, 0, 0, &bti));
    EXPECT_OK(zx_vmo_create_contiguous(bti, 2 * PAGE, 0, &space));
    EXPECT_OK(zx_vmo_write(space, &capability, 64, sizeof capability));
    EXPECT_OK(zx_vmo_set_cache_policy(space, policy));
    close_handle(bti);
    close_handle(iommu);
    return space;
}

TEST(msi_allocate_gives_powers_of_two) {
    zx_handle_t msi, none = 3;
    if (root_resource() == ZX_HANDLE_INVALID)
        return;
    for (uint32_t count = 0; count < 70; count++) {
        if (count == 0 || count > 32 || (count & (count - 1))) {
            EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_msi_allocate(root_resource(), count, &none));
            continue;
        }
        msi = make_msi(count);
        zx_info_msi_t info = info_of(msi);
        EXPECT_EQ(count, info.num_irq);
        EXPECT_EQ(0, info.base_irq_id % count);
        EXPECT_EQ(0, info.target_data % count); /* devices add to it */
        EXPECT_EQ(0xfee, info.target_addr >> 20);
        EXPECT_EQ(0, info.interrupt_count);
        EXPECT_EQ(ZX_DEFAULT_MSI_RIGHTS, rights_of(msi));
        close_handle(msi);
    }
    EXPECT_EQ(3, none);
}

TEST(msi_vectors_run_out_and_come_back) {
    zx_handle_t blocks[64], none;
    size_t count = 0;
    if (root_resource() == ZX_HANDLE_INVALID)
        return;
    zx_status_t status = ZX_OK;
    while (count < 64 && (status = zx_msi_allocate(root_resource(), 32, &blocks[count])) == ZX_OK)
        count++;
    EXPECT_EQ(ZX_ERR_NO_RESOURCES, status);
    EXPECT(count >= 4);
    EXPECT_EQ(ZX_ERR_NO_RESOURCES, zx_msi_allocate(root_resource(), 32, &none));
    while (count)
        close_handle(blocks[--count]);
    close_handle(make_msi(32));
}

TEST(msi_create_checks_options_place_and_message) {
    zx_handle_t out = 3, paged = 0;
    if (root_resource() == ZX_HANDLE_INVALID)
        return;
    zx_handle_t msi = make_msi(2);
    zx_handle_t space = make_space(0x05, ZX_CACHE_POLICY_UNCACHED_DEVICE);
    zx_handle_t cached = make_space(0x05, ZX_CACHE_POLICY_UNCACHED);
    zx_handle_t other = make_space(0x11, ZX_CACHE_POLICY_UNCACHED_DEVICE);
    paged = make_vmo(1);
    EXPECT_OK(zx_vmo_set_cache_policy(paged, ZX_CACHE_POLICY_UNCACHED_DEVICE));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_msi_create(msi, 2, 0, space, 64, &out));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_msi_create(msi, 0, 0, paged, 0, &out));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_msi_create(msi, 0, 0, cached, 64, &out));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_msi_create(msi, 0, 0, other, 64, &out));
    static const size_t bad[] = {66, PAGE - 20, 2 * PAGE, 2 * PAGE - 20, SIZE_MAX - 3, SIZE_MAX};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_msi_create(msi, 0, 0, space, bad[i], &out));
        EXPECT_EQ(ZX_ERR_INVALID_ARGS,
                  zx_msi_create(msi, ZX_MSI_MODE_MSI_X, 1, space, bad[i] | 2, &out));
    }
    EXPECT_EQ(ZX_ERR_INVALID_ARGS,
              zx_msi_create(msi, ZX_MSI_MODE_MSI_X, 1, space, 2 * PAGE - 16, &out));
    EXPECT_EQ(ZX_ERR_BAD_STATE, zx_msi_create(msi, 0, 2, space, 64, &out));
    EXPECT_EQ(ZX_ERR_BAD_STATE, zx_msi_create(msi, 0, UINT32_MAX, space, 64, &out));
    EXPECT_EQ(3, out);
    EXPECT_EQ(0, info_of(msi).interrupt_count); /* what failed holds no message */
    EXPECT_OK(zx_msi_create(msi, 0, 1, space, 64, &out));
    EXPECT_EQ(ZX_DEFAULT_INTERRUPT_RIGHTS, rights_of(out));
    EXPECT_EQ(1, info_of(msi).interrupt_count);
    EXPECT_EQ(ZX_ERR_ALREADY_BOUND, zx_msi_create(msi, 0, 1, space, 64, &paged));
    EXPECT_EQ(ZX_ERR_BAD_STATE, zx_interrupt_trigger(out, 0, 0));
    close_handle(out);
    EXPECT_EQ(0, info_of(msi).interrupt_count);
    close_handle(paged);
    close_handle(space);
    close_handle(cached);
    close_handle(other);
    close_handle(msi);
}

TEST(msi_masks_lie_in_the_capability_of_the_device) {
    static const struct {
        uint32_t control;
        unsigned word;
    } kinds[] = {{0x100, 3}, {0x180, 4}};
    zx_handle_t one, two;
    if (root_resource() == ZX_HANDLE_INVALID)
        return;
    for (size_t i = 0; i < 2; i++) {
        zx_handle_t msi = make_msi(4);
        zx_handle_t space =
            make_space(kinds[i].control << 16 | 0x05, ZX_CACHE_POLICY_UNCACHED_DEVICE);
        volatile uint8_t *bytes = map_vmo(space, READ_WRITE, 1);
        REQUIRE(bytes != NULL);
        volatile uint32_t *masks = (volatile uint32_t *)(bytes + 64) + kinds[i].word;
        *masks = 0xffffffff;
        EXPECT_OK(zx_msi_create(msi, 0, 0, space, 64, &one));
        EXPECT_OK(zx_msi_create(msi, 0, 3, space, 64, &two));
        EXPECT_EQ(0xfffffff6, *masks);
        EXPECT_OK(zx_interrupt_destroy(one));
        EXPECT_EQ(0xfffffff7, *masks);
        close_handle(msi); /* which the interrupts keep */
        close_handle(two);
        EXPECT_EQ(0xffffffff, *masks);
        close_handle(one);
        unmap(bytes, 1);
        close_handle(space);
    }
}
