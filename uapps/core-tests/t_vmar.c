/*
 * t_vmar.c - address regions: allocate, map, unmap, protect, destroy (the checklist of
 * ZX-ABI.md section 5.11). Each test works in a region of its own, so that nothing
 * depends on what else this program has mapped.
 */
#include <jacinth/utest.h>

#include "core-tests/support.h"

#define CAN_MAP (ZX_VM_CAN_MAP_READ | ZX_VM_CAN_MAP_WRITE | ZX_VM_CAN_MAP_EXECUTE)
#define SIXTEEN (16 * PAGE)

struct place {
    zx_handle_t vmar;
    uintptr_t base;
};

static struct place make_place(zx_vm_option_t options, size_t size) {
    struct place place = {0};
    EXPECT_OK(zx_vmar_allocate(zx_vmar_root_self(), options, 0, size, &place.vmar, &place.base));
    return place;
}

static struct place usual_place(void) {
    return make_place(CAN_MAP | ZX_VM_CAN_MAP_SPECIFIC, SIXTEEN);
}

static void drop_place(struct place place) {
    EXPECT_OK(zx_vmar_destroy(place.vmar));
    close_handle(place.vmar);
}

/* Map `pages` of a VMO at a page of the place; the status. */
static zx_status_t map_in(struct place place, zx_vm_option_t options, size_t page,
                          zx_handle_t vmo, size_t vmo_page, size_t pages) {
    zx_vaddr_t got = 0;
    zx_status_t status = zx_vmar_map(place.vmar, options, page * PAGE, vmo, vmo_page * PAGE,
                                     pages * PAGE, &got);
    if (status == ZX_OK && (options & (ZX_VM_SPECIFIC | ZX_VM_SPECIFIC_OVERWRITE)))
        EXPECT_EQ(place.base + page * PAGE, got);
    return status;
}

static volatile uint8_t *byte_of(struct place place, size_t page) {
    return (volatile uint8_t *)(place.base + page * PAGE);
}

/* Can a page be read? Asked of the kernel, which copies from it. */
static bool can_read(struct place place, size_t page) {
    static zx_handle_t target;
    if (target == ZX_HANDLE_INVALID)
        target = make_vmo(1);
    return zx_vmo_write(target, (const void *)byte_of(place, page), 0, 1) == ZX_OK;
}
static bool can_write(struct place place, size_t page) {
    static zx_handle_t source;
    if (source == ZX_HANDLE_INVALID)
        source = make_vmo(1);
    return zx_vmo_read(source, (void *)(uintptr_t)byte_of(place, page), 0, 1) == ZX_OK;
}

/* A VMO whose page i begins with i + 1. */
static zx_handle_t numbered(size_t pages) {
    zx_handle_t vmo = make_vmo(pages);
    for (size_t i = 0; i < pages; i++)
        put(vmo, i, (uint8_t)(i + 1));
    return vmo;
}

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
    EXPECT(!can_read(place, 2));
    EXPECT(!can_read(place, 5));
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
    EXPECT(!can_read(place, 0));
    EXPECT_OK(zx_vmar_protect(place.vmar, READ_WRITE, place.base, PAGE));
    *byte_of(place, 0) = 2;
    EXPECT_EQ(2, get(vmo, 0));
    EXPECT_OK(zx_vmar_protect(place.vmar, 0, place.base, PAGE));
    EXPECT(!can_read(place, 0));
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
    EXPECT(!can_read(place, 2));
    EXPECT_OK(zx_vmo_set_size(vmo, PAGE));
    EXPECT(!can_read(place, 1));
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
        EXPECT_EQ(there[i], can_read(place, i));
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
    EXPECT(!can_read(place, 0));
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
    EXPECT(!can_write(place, 1));
    EXPECT(!can_write(place, 2));
    EXPECT_OK(zx_vmar_protect(place.vmar, READ_WRITE, base + PAGE, 2 * PAGE));
    EXPECT(can_write(place, 1));
    EXPECT(can_write(place, 2));
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
    EXPECT(can_write(place, 0));
    EXPECT(!can_write(place, 1));
    EXPECT(!can_write(place, 2));
    EXPECT(can_write(place, 3));
    EXPECT_EQ(21, *byte_of(place, 1));
    EXPECT_EQ(22, *byte_of(place, 2));
    EXPECT_OK(zx_vmar_protect(place.vmar, READ_WRITE, place.base, 4 * PAGE));
    EXPECT(can_write(place, 2));
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
    EXPECT(!can_read(place, 0));
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
