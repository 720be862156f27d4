/*
 * t_device.c - what drivers need: ranges of hardware, device memory, memory that devices
 * reach.
 *
 * The root resource is there only when this program is the first process; without it
 * there is nothing to test.
 */
#include <jacinth/utest.h>
#include <string.h>

#include "core-tests/support.h"

/* Where all machines of this kind have their HPET: a register there is never zero. */
#define HPET         0xfed00000u
#define FAR_FROM_RAM ((zx_paddr_t)1 << 36)

static zx_handle_t make_resource(uint32_t options, uint64_t base, size_t size) {
    zx_handle_t made = ZX_HANDLE_INVALID;
    EXPECT_OK(zx_resource_create(root_resource(), options, base, size, "test", 4, &made));
    return made;
}

/* --- resources --- */

TEST(resources_of_kinds_without_a_range_take_none) {
    static const uint32_t plain[] = {ZX_RSRC_KIND_HYPERVISOR, ZX_RSRC_KIND_ROOT,
                                     ZX_RSRC_KIND_VMEX};
    zx_handle_t root = root_resource(), made;
    for (size_t i = 0; root && i < sizeof plain / sizeof plain[0]; i++) {
        EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_resource_create(root, plain[i], 1, 0, "", 0, &made));
        EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_resource_create(root, plain[i], 0, 1, "", 0, &made));
        close_handle(make_resource(plain[i], 0, 0));
    }
}

TEST(resources_of_kinds_with_a_range_stay_inside_what_there_is) {
    static const struct {
        uint32_t kind;
        uint64_t end;
    } ranged[] = {
        {ZX_RSRC_KIND_MMIO, (uint64_t)1 << 52},
        {ZX_RSRC_KIND_IRQ, 256},
        {ZX_RSRC_KIND_IOPORT, 65536},
        {ZX_RSRC_KIND_SMC, (uint64_t)1 << 32},
    };
    zx_handle_t root = root_resource(), made;
    for (size_t i = 0; root && i < sizeof ranged / sizeof ranged[0]; i++) {
        uint32_t kind = ranged[i].kind;
        uint64_t end = ranged[i].end;
        EXPECT_EQ(ZX_ERR_NOT_FOUND, zx_resource_create(root, kind, end - 1, 2, "", 0, &made));
        EXPECT_EQ(ZX_ERR_NOT_FOUND, zx_resource_create(root, kind, end, 1, "", 0, &made));
        EXPECT_EQ(ZX_ERR_NOT_FOUND,
                  zx_resource_create(root, kind, UINT64_MAX, UINT64_MAX, "", 0, &made));
        EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_resource_create(root, kind, 1, 0, "", 0, &made));
        close_handle(make_resource(kind, end - 2, 2));
    }
}

TEST(an_exclusive_range_is_alone_among_its_kind_until_its_last_handle_is_closed) {
    const uint32_t exclusive = ZX_RSRC_KIND_IRQ | ZX_RSRC_FLAG_EXCLUSIVE;
    zx_handle_t root = root_resource(), made;
    zx_info_resource_t info;
    if (root == ZX_HANDLE_INVALID)
        return;
    zx_handle_t one = make_resource(ZX_RSRC_KIND_IRQ, 200, 10);
    zx_handle_t over = make_resource(ZX_RSRC_KIND_IRQ, 205, 10);
    EXPECT_EQ(ZX_ERR_NOT_FOUND, zx_resource_create(root, exclusive, 209, 1, "", 0, &made));
    zx_handle_t alone = make_resource(exclusive, 215, 5);
    EXPECT_EQ(ZX_ERR_NOT_FOUND,
              zx_resource_create(root, ZX_RSRC_KIND_IRQ, 200, 16, "", 0, &made));
    zx_handle_t other_kind = make_resource(ZX_RSRC_KIND_IOPORT, 215, 5);
    zx_handle_t second = copy_with(alone, ZX_RIGHT_SAME_RIGHTS);
    close_handle(alone);
    EXPECT_EQ(ZX_ERR_NOT_FOUND,
              zx_resource_create(root, ZX_RSRC_KIND_IRQ, 219, 1, "", 0, &made));
    REQUIRE_OK(zx_object_get_info(second, ZX_INFO_RESOURCE, &info, sizeof info, NULL, NULL));
    EXPECT_EQ(ZX_RSRC_KIND_IRQ, info.kind);
    EXPECT_EQ(ZX_RSRC_FLAG_EXCLUSIVE, info.flags);
    EXPECT_EQ(215, info.base);
    EXPECT_EQ(5, info.size);
    close_handle(second);
    close_handle(make_resource(exclusive, 219, 1));
    close_handle(one);
    close_handle(over);
    close_handle(other_kind);
}

/* --- device memory --- */

TEST(physical_memory_objects_want_a_resource_that_contains_them) {
    zx_handle_t root = root_resource(), vmo = 3, mmio, irq;
    if (root == ZX_HANDLE_INVALID)
        return;
    irq = make_resource(ZX_RSRC_KIND_IRQ, 0, 8);
    mmio = make_resource(ZX_RSRC_KIND_MMIO, FAR_FROM_RAM + 0x10, PAGE);
    EXPECT_EQ(ZX_ERR_WRONG_TYPE, zx_vmo_create_physical(irq, 0, PAGE, &vmo));
    EXPECT_EQ(ZX_ERR_WRONG_TYPE, zx_vmo_create_physical(zx_process_self(), 0, PAGE, &vmo));
    /* Touched pages count, so it reaches to the end of the second. */
    EXPECT_EQ(ZX_ERR_OUT_OF_RANGE, zx_vmo_create_physical(mmio, FAR_FROM_RAM, 2 * PAGE + 1, &vmo));
    EXPECT_EQ(ZX_ERR_OUT_OF_RANGE, zx_vmo_create_physical(mmio, FAR_FROM_RAM - PAGE, PAGE, &vmo));
    EXPECT_EQ(ZX_ERR_OUT_OF_RANGE, zx_vmo_create_physical(mmio, FAR_FROM_RAM - 1, 2, &vmo));
    EXPECT_EQ(ZX_ERR_OUT_OF_RANGE, zx_vmo_create_physical(mmio, FAR_FROM_RAM, SIZE_MAX, &vmo));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_vmo_create_physical(mmio, FAR_FROM_RAM + 8, 8, &vmo));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_vmo_create_physical(mmio, FAR_FROM_RAM, 0, &vmo));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_vmo_create_physical(root, 8, PAGE, &vmo));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_vmo_create_physical(root, HPET, SIZE_MAX, &vmo));
    EXPECT_EQ(3, vmo);
    EXPECT_OK(zx_vmo_create_physical(mmio, FAR_FROM_RAM, 2 * PAGE, &vmo));
    EXPECT_EQ(ZX_DEFAULT_VMO_RIGHTS, rights_of(vmo));
    close_handle(vmo);
    close_handle(mmio);
    close_handle(irq);
}

TEST(ram_is_no_device_memory_even_for_the_root) {
    zx_handle_t vmo;
    if (root_resource() == ZX_HANDLE_INVALID)
        return;
    EXPECT_EQ(ZX_ERR_OUT_OF_RANGE,
              zx_vmo_create_physical(root_resource(), 16 << 20, PAGE, &vmo));
}

TEST(physical_memory_objects_only_map) {
    zx_handle_t vmo, other;
    uint32_t word;
    size_t size;
    if (root_resource() == ZX_HANDLE_INVALID)
        return;
    REQUIRE_OK(zx_vmo_create_physical(root_resource(), HPET, 100, &vmo));
    EXPECT_OK(zx_vmo_get_size(vmo, &size));
    EXPECT_EQ(PAGE, size);
    zx_info_vmo_t info = vmo_info_of(vmo);
    EXPECT_EQ(0, info.flags & (ZX_INFO_VMO_TYPE_PAGED | ZX_INFO_VMO_CONTIGUOUS));
    EXPECT_EQ(ZX_CACHE_POLICY_UNCACHED, info.cache_policy);
    EXPECT_EQ(0, info.committed_bytes);
    EXPECT_EQ(ZX_ERR_NOT_SUPPORTED, zx_vmo_read(vmo, &word, 0, 4));
    EXPECT_EQ(ZX_ERR_NOT_SUPPORTED, zx_vmo_write(vmo, &word, 0, 4));
    EXPECT_EQ(ZX_ERR_NOT_SUPPORTED, zx_vmo_op_range(vmo, ZX_VMO_OP_ZERO, 0, PAGE, NULL, 0));
    EXPECT_EQ(ZX_ERR_NOT_SUPPORTED, zx_vmo_op_range(vmo, ZX_VMO_OP_DECOMMIT, 0, PAGE, NULL, 0));
    EXPECT_EQ(ZX_ERR_UNAVAILABLE, zx_vmo_set_size(vmo, 2 * PAGE));
    EXPECT_EQ(ZX_ERR_NOT_SUPPORTED,
              zx_vmo_create_child(vmo, ZX_VMO_CHILD_SNAPSHOT, 0, PAGE, &other));
    EXPECT_OK(zx_vmo_create_child(vmo, ZX_VMO_CHILD_SLICE, 0, PAGE, &other));
    close_handle(other);
    close_handle(vmo);
}

TEST(p27_a_program_reads_a_device_through_an_uncached_mapping) {
    zx_handle_t vmo;
    if (root_resource() == ZX_HANDLE_INVALID)
        return;
    REQUIRE_OK(zx_vmo_create_physical(root_resource(), HPET, PAGE, &vmo));
    volatile uint8_t *registers = map_vmo(vmo, ZX_VM_PERM_READ, 1);
    REQUIRE(registers != NULL);
    /* Femtoseconds between two ticks: the specification allows 1 to 100 million. */
    uint32_t period = *(volatile uint32_t *)(registers + 4);
    EXPECT(period > 0 && period <= 100000000);
    EXPECT_EQ(ZX_ERR_BAD_STATE, zx_vmo_set_cache_policy(vmo, ZX_CACHE_POLICY_CACHED));
    unmap(registers, 1);
    EXPECT_OK(zx_vmo_set_cache_policy(vmo, ZX_CACHE_POLICY_UNCACHED_DEVICE));
    close_handle(vmo);
}
