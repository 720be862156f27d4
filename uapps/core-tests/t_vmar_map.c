/*
 * t_vmar_map.c - mappings in address regions: map, unmap, overwrite, protect.
 */
#include <jacinth/utest.h>

#include "core-tests/place.h"

/* --- map --- */

TEST(vmar_map_checks_its_arguments_in_order) {
    struct place place = usual_place();
    zx_handle_t vmo = numbered(2), unmappable = copy_without(vmo, ZX_RIGHT_MAP);
    zx_handle_t resizable = make_resizable_vmo(2);
    static const struct {
        zx_vm_option_t options;
        size_t offset;
        uint64_t vmo_offset;
        size_t length;
        zx_status_t status;
    } rows[] = {
        {ZX_VM_PERM_WRITE, 0, 0, 4096, ZX_ERR_INVALID_ARGS},
        {ZX_VM_PERM_EXECUTE, 0, 0, 4096, ZX_ERR_INVALID_ARGS},
        {ZX_VM_PERM_READ | ZX_VM_CAN_MAP_READ, 0, 0, 4096, ZX_ERR_INVALID_ARGS},
        {ZX_VM_PERM_READ | ZX_VM_CAN_MAP_SPECIFIC, 0, 0, 4096, ZX_ERR_INVALID_ARGS},
        {ZX_VM_PERM_READ | ZX_VM_COMPACT, 0, 0, 4096, ZX_ERR_INVALID_ARGS},
        {ZX_VM_PERM_READ | 1u << 16, 0, 0, 4096, ZX_ERR_INVALID_ARGS},
        {ZX_VM_MAP_RANGE | ZX_VM_SPECIFIC_OVERWRITE, 0, 0, 4096, ZX_ERR_INVALID_ARGS},
        {ZX_VM_PERM_READ | ZX_VM_PERM_EXECUTE, 0, 0, 4096, ZX_ERR_ACCESS_DENIED},
        {ZX_VM_PERM_READ, 0, 4096, 2 * 4096, ZX_ERR_BUFFER_TOO_SMALL},
        {ZX_VM_PERM_READ, 0, 2 * 4096, 1, ZX_ERR_BUFFER_TOO_SMALL},
        {ZX_VM_PERM_READ | ZX_VM_ALLOW_FAULTS, 0, 1, 4096, ZX_ERR_INVALID_ARGS},
        {ZX_VM_PERM_READ | ZX_VM_ALLOW_FAULTS, 0, UINT64_MAX - 4095, 8192, ZX_ERR_INVALID_ARGS},
        {ZX_VM_PERM_READ | ZX_VM_ALLOW_FAULTS, 0, 0, SIZE_MAX, ZX_ERR_INVALID_ARGS},
        {ZX_VM_PERM_READ, 0, 0, 0, ZX_ERR_INVALID_ARGS},
        {ZX_VM_PERM_READ, 4096, 0, 4096, ZX_ERR_INVALID_ARGS},
        {ZX_VM_PERM_READ | ZX_VM_SPECIFIC, 1, 0, 4096, ZX_ERR_INVALID_ARGS},
        {ZX_VM_PERM_READ | ZX_VM_SPECIFIC, 16 * 4096, 0, 4096, ZX_ERR_INVALID_ARGS},
        {ZX_VM_PERM_READ | ZX_VM_SPECIFIC | ZX_VM_OFFSET_IS_UPPER_LIMIT, 0, 0, 4096,
         ZX_ERR_INVALID_ARGS},
        {ZX_VM_PERM_READ | ZX_VM_ALLOW_FAULTS, 0, 0, 17 * 4096, ZX_ERR_INVALID_ARGS},
        {ZX_VM_PERM_READ | ZX_VM_SPECIFIC | 13u << ZX_VM_ALIGN_BASE, 3, 0, 4096,
         ZX_ERR_INVALID_ARGS},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        zx_vaddr_t got;
        zx_status_t status = zx_vmar_map(place.vmar, rows[i].options, rows[i].offset, vmo,
                                         rows[i].vmo_offset, rows[i].length, &got);
        if (status != rows[i].status)
            utest_fail(__FILE__, __LINE__, "row %zu is %d, not %d", i, status, rows[i].status);
    }
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED, map_in(place, ZX_VM_PERM_WRITE, 0, unmappable, 0, 1));
    EXPECT_EQ(ZX_ERR_NOT_SUPPORTED, map_in(place, ZX_VM_PERM_READ | ZX_VM_REQUIRE_NON_RESIZABLE,
                                           0, resizable, 0, 1));
    EXPECT_OK(map_in(place, ZX_VM_PERM_READ, 0, resizable, 0, 1));
    EXPECT_EQ(1, vmo_info_of(resizable).num_mappings);
    EXPECT_EQ(0, vmo_info_of(vmo).num_mappings);
    drop_place(place);
    EXPECT_EQ(0, vmo_info_of(resizable).num_mappings);
    close_handle(unmappable);
    close_handle(resizable);
    close_handle(vmo);
}

TEST(vmar_map_needs_rights_on_both_handles) {
    struct place place = usual_place();
    zx_handle_t vmo = numbered(1);
    zx_handle_t read_only = copy_without(vmo, ZX_RIGHT_WRITE);
    struct place weak = {copy_without(place.vmar, ZX_RIGHT_WRITE), place.base};
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED, map_in(place, READ_WRITE, 0, read_only, 0, 1));
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED, map_in(weak, READ_WRITE, 0, vmo, 0, 1));
    EXPECT_OK(map_in(weak, ZX_VM_PERM_READ | ZX_VM_SPECIFIC, 0, vmo, 0, 1));
    EXPECT_OK(map_in(place, ZX_VM_PERM_READ | ZX_VM_SPECIFIC, 1, read_only, 0, 1));
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED, zx_vmar_protect(place.vmar, READ_WRITE, place.base, PAGE));
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED,
              zx_vmar_protect(place.vmar, READ_WRITE, place.base + PAGE, PAGE));
    close_handle(weak.vmar);
    close_handle(read_only);
    close_handle(vmo);
    drop_place(place);
}

TEST(vmar_map_shows_the_pages_from_the_offset_on) {
    struct place place = usual_place();
    zx_handle_t vmo = numbered(4);
    EXPECT_OK(map_in(place, READ_WRITE | ZX_VM_SPECIFIC, 3, vmo, 2, 2));
    EXPECT_EQ(3, *byte_of(place, 3));
    EXPECT_EQ(4, *byte_of(place, 4));
    EXPECT(!place_can_read(place, 2));
    EXPECT(!place_can_read(place, 5));
    EXPECT_EQ(ZX_ERR_NO_MEMORY, map_in(place, ZX_VM_PERM_READ | ZX_VM_SPECIFIC, 4, vmo, 0, 1));
    *byte_of(place, 3) = 33;
    EXPECT_EQ(33, get(vmo, 2));
    close_handle(vmo);
    drop_place(place);
}

TEST(vmar_map_of_less_than_a_page_maps_the_page) {
    struct place place = usual_place();
    zx_handle_t vmo = numbered(1);
    zx_vaddr_t got;
    REQUIRE_OK(zx_vmar_map(place.vmar, ZX_VM_PERM_READ, 0, vmo, 0, 1, &got));
    EXPECT_EQ(1, *(volatile uint8_t *)got);
    EXPECT_OK(zx_vmar_unmap(place.vmar, got, 1));
    EXPECT_EQ(0, vmo_info_of(vmo).num_mappings);
    close_handle(vmo);
    drop_place(place);
}

TEST(vmar_map_range_shows_committed_pages_and_skips_holes) {
    struct place place = usual_place();
    zx_handle_t vmo = make_vmo(3);
    put(vmo, 1, 7);
    EXPECT_OK(map_in(place, READ_WRITE | ZX_VM_SPECIFIC | ZX_VM_MAP_RANGE, 0, vmo, 0, 3));
    EXPECT_EQ(1, committed_pages(vmo));
    EXPECT_EQ(0, *byte_of(place, 0));
    EXPECT_EQ(7, *byte_of(place, 1));
    close_handle(vmo);
    drop_place(place);
}

TEST(vmar_mapping_without_permissions_can_be_opened_later) {
    struct place place = usual_place();
    zx_handle_t vmo = numbered(1);
    EXPECT_OK(map_in(place, ZX_VM_SPECIFIC, 0, vmo, 0, 1));
    EXPECT(!place_can_read(place, 0));
    EXPECT_OK(zx_vmar_protect(place.vmar, READ_WRITE, place.base, PAGE));
    *byte_of(place, 0) = 2;
    EXPECT_EQ(2, get(vmo, 0));
    EXPECT_OK(zx_vmar_protect(place.vmar, 0, place.base, PAGE));
    EXPECT(!place_can_read(place, 0));
    close_handle(vmo);
    drop_place(place);
}

TEST(vmar_mapping_past_the_end_needs_allow_faults_and_follows_the_size) {
    struct place place = usual_place();
    zx_handle_t vmo = make_resizable_vmo(2);
    put(vmo, 1, 8);
    EXPECT_EQ(ZX_ERR_BUFFER_TOO_SMALL, map_in(place, ZX_VM_PERM_READ, 0, vmo, 0, 4));
    EXPECT_OK(map_in(place, READ_WRITE | ZX_VM_SPECIFIC | ZX_VM_ALLOW_FAULTS, 0, vmo, 0, 4));
    EXPECT_EQ(8, *byte_of(place, 1));
    EXPECT(!place_can_read(place, 2));
    EXPECT_OK(zx_vmo_set_size(vmo, PAGE));
    EXPECT(!place_can_read(place, 1));
    EXPECT_OK(zx_vmo_set_size(vmo, 3 * PAGE));
    EXPECT_EQ(0, *byte_of(place, 1));
    *byte_of(place, 2) = 4;
    EXPECT_EQ(4, get(vmo, 2));
    close_handle(vmo);
    drop_place(place);
}

/* --- unmap --- */

TEST(vmar_unmap_splits_front_middle_and_back) {
    struct place place = usual_place();
    zx_handle_t vmo = numbered(8);
    EXPECT_OK(map_in(place, ZX_VM_PERM_READ | ZX_VM_SPECIFIC, 0, vmo, 0, 8));
    EXPECT_OK(zx_vmar_unmap(place.vmar, place.base, PAGE));
    EXPECT_OK(zx_vmar_unmap(place.vmar, place.base + 7 * PAGE, PAGE));
    EXPECT_OK(zx_vmar_unmap(place.vmar, place.base + 3 * PAGE, 2 * PAGE));
    static const bool there[] = {false, true, true, false, false, true, true, false};
    for (size_t i = 0; i < 8; i++) {
        EXPECT_EQ(there[i], place_can_read(place, i));
        if (there[i])
            EXPECT_EQ(i + 1, *byte_of(place, i));
    }
    EXPECT_EQ(2, vmo_info_of(vmo).num_mappings);
    EXPECT_OK(zx_vmar_unmap(place.vmar, place.base, SIXTEEN));
    EXPECT_EQ(0, vmo_info_of(vmo).num_mappings);
    EXPECT_OK(zx_vmar_unmap(place.vmar, place.base, SIXTEEN));
    close_handle(vmo);
    drop_place(place);
}

TEST(vmar_unmap_refuses_bad_ranges_and_changes_nothing) {
    struct place place = usual_place();
    zx_handle_t vmo = numbered(1), child;
    zx_vaddr_t address;
    EXPECT_OK(map_in(place, ZX_VM_PERM_READ | ZX_VM_SPECIFIC, 0, vmo, 0, 1));
    REQUIRE_OK(zx_vmar_allocate(place.vmar, ZX_VM_SPECIFIC | CAN_MAP, 2 * PAGE, 2 * PAGE, &child,
                                &address));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_vmar_unmap(place.vmar, place.base + 1, PAGE));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_vmar_unmap(place.vmar, place.base, 0));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_vmar_unmap(place.vmar, place.base, SIXTEEN + 1));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_vmar_unmap(place.vmar, place.base - PAGE, 2 * PAGE));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_vmar_unmap(place.vmar, place.base, SIZE_MAX));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_vmar_unmap(place.vmar, place.base, 3 * PAGE));
    EXPECT_EQ(1, *byte_of(place, 0));
    EXPECT_OK(zx_vmar_unmap(place.vmar, place.base, 4 * PAGE));
    EXPECT(!place_can_read(place, 0));
    EXPECT_EQ(ZX_ERR_BAD_STATE, zx_vmar_destroy(child));
    close_handle(child);
    close_handle(vmo);
    drop_place(place);
}

/* --- overwrite --- */

TEST(vmar_overwrite_replaces_and_keeps_the_rest) {
    struct place place = usual_place();
    zx_handle_t old = numbered(6), new = numbered(2);
    EXPECT_OK(map_in(place, ZX_VM_PERM_READ | ZX_VM_SPECIFIC, 1, old, 0, 6));
    EXPECT_EQ(2, *byte_of(place, 2));
    EXPECT_OK(map_in(place, ZX_VM_PERM_READ | ZX_VM_SPECIFIC_OVERWRITE, 3, new, 0, 2));
    static const uint8_t want[] = {1, 2, 1, 2, 5, 6};
    for (size_t i = 0; i < 6; i++)
        EXPECT_EQ(want[i], *byte_of(place, i + 1));
    EXPECT_OK(map_in(place, ZX_VM_PERM_READ | ZX_VM_SPECIFIC_OVERWRITE, 0, new, 0, 2));
    EXPECT_EQ(2, *byte_of(place, 1));
    close_handle(old);
    close_handle(new);
    drop_place(place);
}

TEST(vmar_overwrite_does_not_touch_child_regions) {
    struct place place = usual_place();
    zx_handle_t vmo = numbered(4), child;
    zx_vaddr_t address;
    EXPECT_OK(map_in(place, ZX_VM_PERM_READ | ZX_VM_SPECIFIC, 0, vmo, 2, 1));
    REQUIRE_OK(
        zx_vmar_allocate(place.vmar, ZX_VM_SPECIFIC | CAN_MAP, PAGE, PAGE, &child, &address));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS,
              map_in(place, ZX_VM_PERM_READ | ZX_VM_SPECIFIC_OVERWRITE, 0, vmo, 0, 4));
    EXPECT_EQ(3, *byte_of(place, 0));
    EXPECT_OK(zx_vmar_destroy(child));
    close_handle(child);
    close_handle(vmo);
    drop_place(place);
}

/* --- protect --- */

TEST(vmar_protect_is_all_or_nothing) {
    struct place place = usual_place();
    zx_handle_t vmo = numbered(2), read_only = copy_without(vmo, ZX_RIGHT_WRITE), child;
    zx_vaddr_t address;
    EXPECT_EQ(ZX_ERR_NOT_FOUND, zx_vmar_protect(place.vmar, ZX_VM_PERM_READ, place.base, PAGE));
    EXPECT_OK(map_in(place, ZX_VM_PERM_READ | ZX_VM_SPECIFIC, 1, vmo, 0, 2));
    EXPECT_OK(map_in(place, ZX_VM_PERM_READ | ZX_VM_SPECIFIC, 3, read_only, 0, 1));
    REQUIRE_OK(
        zx_vmar_allocate(place.vmar, ZX_VM_SPECIFIC, 4 * PAGE, PAGE, &child, &address));
    uintptr_t base = place.base;
    EXPECT_EQ(ZX_ERR_NOT_FOUND, zx_vmar_protect(place.vmar, READ_WRITE, base, 2 * PAGE));
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED,
              zx_vmar_protect(place.vmar, READ_WRITE, base + PAGE, 3 * PAGE));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS,
              zx_vmar_protect(place.vmar, ZX_VM_PERM_READ, base + 3 * PAGE, 2 * PAGE));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS,
              zx_vmar_protect(place.vmar, ZX_VM_PERM_WRITE, base + PAGE, PAGE));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS,
              zx_vmar_protect(place.vmar, ZX_VM_PERM_READ | ZX_VM_SPECIFIC, base + PAGE, PAGE));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_vmar_protect(place.vmar, READ_WRITE, base + PAGE, 0));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_vmar_protect(place.vmar, READ_WRITE, base + 1, PAGE));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_vmar_protect(place.vmar, READ_WRITE, base - PAGE, PAGE));
    EXPECT(!place_can_write(place, 1));
    EXPECT(!place_can_write(place, 2));
    EXPECT_OK(zx_vmar_protect(place.vmar, READ_WRITE, base + PAGE, 2 * PAGE));
    EXPECT(place_can_write(place, 1));
    EXPECT(place_can_write(place, 2));
    close_handle(child);
    close_handle(read_only);
    close_handle(vmo);
    drop_place(place);
}

TEST(vmar_protect_splits_at_its_edges) {
    struct place place = usual_place();
    zx_handle_t vmo = numbered(4);
    EXPECT_OK(map_in(place, READ_WRITE | ZX_VM_SPECIFIC, 0, vmo, 0, 4));
    for (size_t i = 0; i < 4; i++)
        *byte_of(place, i) = (uint8_t)(20 + i);
    EXPECT_OK(zx_vmar_protect(place.vmar, ZX_VM_PERM_READ, place.base + PAGE, 2 * PAGE));
    EXPECT(place_can_write(place, 0));
    EXPECT(!place_can_write(place, 1));
    EXPECT(!place_can_write(place, 2));
    EXPECT(place_can_write(place, 3));
    EXPECT_EQ(21, *byte_of(place, 1));
    EXPECT_EQ(22, *byte_of(place, 2));
    EXPECT_OK(zx_vmar_protect(place.vmar, READ_WRITE, place.base, 4 * PAGE));
    EXPECT(place_can_write(place, 2));
    close_handle(vmo);
    drop_place(place);
}

TEST(vmar_protect_to_write_does_not_reach_a_shared_page) {
    struct place place = usual_place();
    zx_handle_t vmo = numbered(1);
    EXPECT_OK(map_in(place, ZX_VM_PERM_READ | ZX_VM_SPECIFIC, 0, vmo, 0, 1));
    EXPECT_EQ(1, *byte_of(place, 0));
    zx_handle_t child = make_snapshot(vmo, 1);
    EXPECT_OK(zx_vmar_protect(place.vmar, READ_WRITE, place.base, PAGE));
    *byte_of(place, 0) = 50;
    EXPECT_EQ(1, get(child, 0));
    EXPECT_EQ(50, get(vmo, 0));
    close_handle(child);
    close_handle(vmo);
    drop_place(place);
}
