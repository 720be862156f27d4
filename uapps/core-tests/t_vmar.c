/*
 * t_vmar.c - address regions: allocate, destroy, and what nobody may do to the vDSO's.
 * t_vmar_list.c has the checklist.
 */
#include <jacinth/utest.h>

#include "core-tests/place.h"

/* --- allocate --- */

TEST(vmar_info_tells_base_and_length) {
    struct place place = usual_place();
    zx_info_vmar_t info;
    REQUIRE_OK(zx_object_get_info(place.vmar, ZX_INFO_VMAR, &info, sizeof info, NULL, NULL));
    EXPECT_EQ(place.base, info.base);
    EXPECT_EQ(SIXTEEN, info.len);
    EXPECT_EQ(0x801f & ~0x1c, ZX_DEFAULT_VMAR_RIGHTS);
    EXPECT_EQ(ZX_DEFAULT_VMAR_RIGHTS | ZX_RIGHTS_IO | ZX_RIGHT_EXECUTE, rights_of(place.vmar));
    drop_place(place);
    REQUIRE_OK(zx_object_get_info(zx_vmar_root_self(), ZX_INFO_VMAR, &info, sizeof info, NULL,
                                  NULL));
    EXPECT_EQ(0x200000, info.base);
    EXPECT_EQ(0x7ffffffff000, info.base + info.len);
}

TEST(vmar_allocate_refuses_forbidden_options_and_sizes) {
    static const zx_vm_option_t forbidden[] = {
        ZX_VM_PERM_READ, ZX_VM_PERM_WRITE, ZX_VM_PERM_EXECUTE, ZX_VM_SPECIFIC_OVERWRITE,
        ZX_VM_MAP_RANGE, ZX_VM_REQUIRE_NON_RESIZABLE, ZX_VM_ALLOW_FAULTS, 1u << 15, 1u << 23,
        1u << ZX_VM_ALIGN_BASE, 9u << ZX_VM_ALIGN_BASE, 33u << ZX_VM_ALIGN_BASE,
        255u << ZX_VM_ALIGN_BASE};
    struct place place = usual_place();
    zx_handle_t child = 0;
    zx_vaddr_t address;
    for (size_t i = 0; i < sizeof forbidden / sizeof forbidden[0]; i++) {
        if (zx_vmar_allocate(place.vmar, forbidden[i], 0, PAGE, &child, &address) !=
            ZX_ERR_INVALID_ARGS)
            utest_fail(__FILE__, __LINE__, "option %#x was taken", forbidden[i]);
    }
    static const struct {
        zx_vm_option_t options;
        size_t offset, size;
        zx_status_t status;
    } rows[] = {
        {0, 0, 0, ZX_ERR_INVALID_ARGS},
        {0, 0, 4095, ZX_ERR_INVALID_ARGS},
        {0, 0, 17 * 4096, ZX_ERR_INVALID_ARGS},
        {0, 0, SIZE_MAX - 4095, ZX_ERR_INVALID_ARGS},
        {0, 4096, 4096, ZX_ERR_INVALID_ARGS},
        {ZX_VM_SPECIFIC, 1, 4096, ZX_ERR_INVALID_ARGS},
        {ZX_VM_SPECIFIC, 15 * 4096, 2 * 4096, ZX_ERR_INVALID_ARGS},
        {ZX_VM_SPECIFIC, 16 * 4096, 4096, ZX_ERR_INVALID_ARGS},
        {ZX_VM_SPECIFIC, SIZE_MAX - 4095, 4096, ZX_ERR_INVALID_ARGS},
        {ZX_VM_SPECIFIC | ZX_VM_OFFSET_IS_UPPER_LIMIT, 0, 4096, ZX_ERR_INVALID_ARGS},
        {ZX_VM_OFFSET_IS_UPPER_LIMIT, 17 * 4096, 4096, ZX_ERR_INVALID_ARGS},
        {ZX_VM_OFFSET_IS_UPPER_LIMIT, 4096, 2 * 4096, ZX_ERR_INVALID_ARGS},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        zx_status_t got = zx_vmar_allocate(place.vmar, rows[i].options, rows[i].offset,
                                           rows[i].size, &child, &address);
        if (got != rows[i].status)
            utest_fail(__FILE__, __LINE__, "row %zu is %d, not %d", i, got, rows[i].status);
    }
    drop_place(place);
}

TEST(vmar_can_map_bits_only_shrink) {
    struct place place = make_place(ZX_VM_CAN_MAP_READ, SIXTEEN);
    zx_handle_t child;
    zx_vaddr_t address;
    EXPECT_EQ(ZX_DEFAULT_VMAR_RIGHTS | ZX_RIGHT_READ, rights_of(place.vmar));
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED,
              zx_vmar_allocate(place.vmar, ZX_VM_CAN_MAP_WRITE, 0, PAGE, &child, &address));
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED, zx_vmar_allocate(place.vmar, ZX_VM_SPECIFIC, 0, PAGE, &child,
                                                     &address));
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED,
              zx_vmar_allocate(place.vmar, ZX_VM_OFFSET_IS_UPPER_LIMIT, SIXTEEN, PAGE, &child,
                               &address));
    REQUIRE_OK(zx_vmar_allocate(place.vmar, ZX_VM_CAN_MAP_READ | ZX_VM_CAN_MAP_SPECIFIC, 0, PAGE,
                                &child, &address));
    close_handle(child);
    zx_handle_t vmo = make_vmo(1);
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED, map_in(place, READ_WRITE, 0, vmo, 0, 1));
    EXPECT_OK(map_in(place, ZX_VM_PERM_READ, 0, vmo, 0, 1));
    close_handle(vmo);
    drop_place(place);
}

TEST(vmar_as_large_as_its_parent_leaves_no_room) {
    struct place place = usual_place();
    zx_handle_t child, other;
    zx_vaddr_t address;
    REQUIRE_OK(zx_vmar_allocate(place.vmar, CAN_MAP, 0, SIXTEEN, &child, &address));
    EXPECT_EQ(place.base, address);
    EXPECT_EQ(ZX_ERR_NO_MEMORY, zx_vmar_allocate(place.vmar, 0, 0, PAGE, &other, &address));
    EXPECT_EQ(ZX_ERR_NO_MEMORY,
              zx_vmar_allocate(place.vmar, ZX_VM_SPECIFIC, PAGE, PAGE, &other, &address));
    EXPECT_OK(zx_vmar_destroy(child));
    EXPECT_OK(zx_vmar_allocate(place.vmar, ZX_VM_SPECIFIC, PAGE, PAGE, &other, &address));
    close_handle(child);
    close_handle(other);
    drop_place(place);
}

TEST(vmar_alignment_holds_for_the_address) {
    zx_handle_t child;
    zx_vaddr_t address;
    for (unsigned log2 = 12; log2 <= 30; log2 += 3) {
        REQUIRE_OK(zx_vmar_allocate(zx_vmar_root_self(), log2 << ZX_VM_ALIGN_BASE, 0, PAGE,
                                    &child, &address));
        EXPECT_EQ(0, address & (((uint64_t)1 << log2) - 1));
        EXPECT_OK(zx_vmar_destroy(child));
        close_handle(child);
    }
}

TEST(vmar_upper_limit_bounds_the_child) {
    struct place place = usual_place();
    zx_handle_t child;
    zx_vaddr_t address;
    for (size_t pages = 1; pages <= 3; pages++) {
        REQUIRE_OK(zx_vmar_allocate(place.vmar, ZX_VM_OFFSET_IS_UPPER_LIMIT, 3 * PAGE, PAGE,
                                    &child, &address));
        EXPECT(address + PAGE <= place.base + 3 * PAGE);
        close_handle(child);
    }
    EXPECT_EQ(ZX_ERR_NO_MEMORY, zx_vmar_allocate(place.vmar, ZX_VM_OFFSET_IS_UPPER_LIMIT,
                                                 3 * PAGE, PAGE, &child, &address));
    drop_place(place);
}

/* --- destroy --- */

TEST(vmar_destroy_ends_all_below_and_frees_the_range) {
    struct place place = usual_place();
    zx_handle_t vmo = numbered(1), child, grandchild, other;
    zx_vaddr_t address;
    REQUIRE_OK(zx_vmar_allocate(place.vmar, ZX_VM_SPECIFIC | ZX_VM_CAN_MAP_SPECIFIC | CAN_MAP,
                                0, 4 * PAGE, &child, &address));
    REQUIRE_OK(zx_vmar_allocate(child, CAN_MAP, 0, PAGE, &grandchild, &address));
    EXPECT_OK(zx_vmar_map(grandchild, ZX_VM_PERM_READ, 0, vmo, 0, PAGE, &address));
    EXPECT_OK(zx_vmar_destroy(child));
    EXPECT_EQ(0, vmo_info_of(vmo).num_mappings);
    zx_info_vmar_t info;
    EXPECT_EQ(ZX_ERR_BAD_STATE, zx_vmar_destroy(child));
    EXPECT_EQ(ZX_ERR_BAD_STATE, zx_vmar_destroy(grandchild));
    EXPECT_EQ(ZX_ERR_BAD_STATE, zx_vmar_allocate(child, 0, 0, PAGE, &other, &address));
    EXPECT_EQ(ZX_ERR_BAD_STATE, zx_vmar_map(grandchild, ZX_VM_PERM_READ, 0, vmo, 0, PAGE,
                                            &address));
    EXPECT_EQ(ZX_ERR_BAD_STATE, zx_vmar_unmap(child, place.base, PAGE));
    EXPECT_EQ(ZX_ERR_BAD_STATE, zx_vmar_protect(child, ZX_VM_PERM_READ, place.base, PAGE));
    EXPECT_OK(zx_object_get_info(child, ZX_INFO_VMAR, &info, sizeof info, NULL, NULL));
    EXPECT_EQ(place.base, info.base);
    EXPECT_OK(map_in(place, ZX_VM_PERM_READ | ZX_VM_SPECIFIC, 0, vmo, 0, 1));
    close_handle(child);
    close_handle(grandchild);
    close_handle(vmo);
    drop_place(place);
}

TEST(vmar_lives_without_its_handle) {
    struct place place = usual_place();
    zx_handle_t vmo = numbered(1);
    EXPECT_OK(map_in(place, ZX_VM_PERM_READ | ZX_VM_SPECIFIC, 0, vmo, 0, 1));
    close_handle(place.vmar);
    close_handle(vmo);
    EXPECT_EQ(1, *byte_of(place, 0));
    EXPECT_OK(zx_vmar_unmap(zx_vmar_root_self(), place.base, SIXTEEN));
    EXPECT(!place_can_read(place, 0));
}

TEST(vmar_with_thousands_of_mappings_is_searched_and_destroyed) {
    enum { COUNT = 3000 };
    struct place place = make_place(CAN_MAP | ZX_VM_CAN_MAP_SPECIFIC, 2 * COUNT * PAGE);
    zx_handle_t vmo = numbered(2);
    for (size_t i = 0; i < COUNT; i++)
        REQUIRE_OK(map_in(place, ZX_VM_PERM_READ | ZX_VM_SPECIFIC, i * 7 % COUNT * 2, vmo, i % 2,
                          1));
    EXPECT_EQ(COUNT, vmo_info_of(vmo).num_mappings);
    for (size_t i = 0; i < COUNT; i += 111)
        EXPECT_EQ(i % 2 + 1, *byte_of(place, i * 7 % COUNT * 2));
    drop_place(place);
    EXPECT_EQ(0, vmo_info_of(vmo).num_mappings);
    close_handle(vmo);
}

/* --- the vDSO --- */

TEST(vdso_code_is_not_unmapped_protected_or_overwritten) {
    uintptr_t base = 0, code;
    zx_vaddr_t got;
    zx_handle_t vmo = make_vmo(1);
    zx_info_vmar_t root;
    REQUIRE_OK(zx_object_get_property(zx_process_self(), ZX_PROP_PROCESS_VDSO_BASE_ADDRESS, &base,
                                      sizeof base));
    REQUIRE_OK(zx_object_get_info(zx_vmar_root_self(), ZX_INFO_VMAR, &root, sizeof root, NULL,
                                  NULL));
    code = base + 2 * PAGE;
    EXPECT(zx_vmar_unmap(zx_vmar_root_self(), code, PAGE) != ZX_OK);
    EXPECT(zx_vmar_protect(zx_vmar_root_self(), READ_WRITE, code, PAGE) != ZX_OK);
    EXPECT(zx_vmar_map(zx_vmar_root_self(), ZX_VM_PERM_READ | ZX_VM_SPECIFIC_OVERWRITE,
                       code - root.base, vmo, 0, PAGE, &got) != ZX_OK);
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED,
              zx_vmar_unmap(zx_vmar_root_self(), root.base, root.len));
    close_handle(vmo);
}
