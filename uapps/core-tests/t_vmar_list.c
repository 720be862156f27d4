/*
 * t_vmar_list.c - the checklist for VMARs of ZX-ABI.md section 5.11, line by line.
 *
 * Each line names its tests; tests/lint/checklists.py finds each of them. Those that are
 * not here are in t_vmar_edge.c, t_vmar.c, t_vmar_map.c and t_fault.c.
 *
 * Here are the calls on a range of pages, by what the range meets; most tests draw the region
 * as a line of text (scene.h).
 *
 * CHECKLIST 5.11
 *   allocate/map with every forbidden option bit: vmar_every_bit_outside_the_table_is_refused
 *   CAN_MAP subset violations: vmar_can_map_bits_only_shrink
 *   offset without SPECIFIC: vmar_offset_without_specific_is_refused
 *   SPECIFIC without CAN_MAP_SPECIFIC: vmar_specific_needs_can_map_specific
 *   misaligned offsets: vmar_misaligned_offsets_are_refused
 *   ranges that touch the last page: vmar_last_page_can_be_used
 *   address-space end overflow: vmar_ranges_past_the_end_of_the_address_space_are_refused
 *   allocate in full region: vmar_as_large_as_its_parent_leaves_no_room
 *   destroy then reuse: vmar_range_of_a_destroyed_region_is_free_again
 *   nested destroy: vmar_destroy_ends_all_below_and_frees_the_range
 *   unmap front: vmar_unmap_at_the_front
 *   unmap middle: vmar_unmap_in_the_middle
 *   unmap back: vmar_unmap_at_the_back
 *   unmap exact: vmar_unmap_exactly
 *   unmap across two mappings: vmar_unmap_across_two_mappings
 *   unmap across gap: vmar_unmap_across_a_gap
 *   unmap across full child: vmar_unmap_across_a_whole_child
 *   unmap across partial child: vmar_unmap_across_a_part_of_a_child
 *   overwrite same set: vmar_overwrite_front_middle_back_exact_two_and_gap,
 *       vmar_overwrite_across_a_child_is_refused
 *   protect same set: vmar_protect_front_middle_back_exact_and_two,
 *       vmar_protect_across_a_gap_or_a_child_is_refused
 *   protect rights limits: vmar_protect_stays_inside_the_rights_of_the_mapping
 *   read-only VMO handle, then protect to write: vmar_protect_of_a_read_only_object_to_write
 *   reduced VMAR handle: vmar_reduced_handle_bounds_what_may_be_asked
 *   map beyond VMO, shrink and grow under a mapping:
 *       vmar_mapping_past_the_end_needs_allow_faults_and_follows_the_size
 *   info maps order: vmar_maps_are_told_depth_first_in_order_of_address
 *   unmap under a concurrent reader: p19_a_buffer_that_is_unmapped_during_the_call_is_an_error_only
 *   sub-page lens: vmar_lengths_below_a_page_mean_the_page
 *   len = SIZE_MAX: vmar_length_of_size_max_is_refused
 *   unmap of own code in a child: vmar_unmap_of_ones_own_code_is_the_last_thing_one_does
 * END
 */
#include <jacinth/utest.h>

#include "core-tests/scene.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct row {
    const char *before;
    unsigned first, count;
    zx_status_t status;
    const char *after; /* NULL: as before */
};

static void unmap_rows(const struct row *rows, size_t count) {
    for (size_t i = 0; i < count; i++) {
        struct scene scene = scene_make(rows[i].before);
        EXPECT_SCENE(&scene, rows[i].before);
        EXPECT_EQ(rows[i].status, zx_vmar_unmap(scene.vmar, scene.base + rows[i].first * PAGE,
                                                rows[i].count * PAGE));
        EXPECT_SCENE(&scene, rows[i].after ? rows[i].after : rows[i].before);
        scene_end(&scene);
    }
}
#define UNMAP(...)                                                                                 \
    do {                                                                                           \
        static const struct row rows[] = {__VA_ARGS__};                                            \
        unmap_rows(rows, COUNT(rows));                                                             \
    } while (0)

/* ---- unmap ---- */

TEST(vmar_unmap_at_the_front) {
    UNMAP({".aaaa.", 1, 2, ZX_OK, "...aa."}, {".aaaa.", 0, 3, ZX_OK, "...aa."});
}
TEST(vmar_unmap_in_the_middle) { UNMAP({".aaaa.", 2, 2, ZX_OK, ".a..a."}); }
TEST(vmar_unmap_at_the_back) {
    UNMAP({".aaaa.", 3, 2, ZX_OK, ".aa..."}, {".aaaa.", 3, 3, ZX_OK, ".aa..."});
}
TEST(vmar_unmap_exactly) {
    UNMAP({".aaaa.", 1, 4, ZX_OK, "......"}, {".aaaa.", 0, 6, ZX_OK, "......"},
          {"......", 0, 6, ZX_OK, NULL}, {".aaaa.", 5, 1, ZX_OK, NULL});
}
TEST(vmar_unmap_across_two_mappings) {
    UNMAP({"aaabbb", 2, 2, ZX_OK, "aa..bb"}, {"aabbcc", 1, 4, ZX_OK, "a....c"});
}
TEST(vmar_unmap_across_a_gap) {
    UNMAP({"aa..bb", 1, 4, ZX_OK, "a....b"}, {"aa..bb", 0, 3, ZX_OK, "....bb"});
}
TEST(vmar_unmap_across_a_whole_child) {
    UNMAP({"aaCC_bb", 1, 5, ZX_OK, "a.....b"}, {"..CC..", 2, 2, ZX_OK, "......"},
          {"A.BB.C", 0, 6, ZX_OK, "......"});
    struct scene scene = scene_make("aCCa");
    EXPECT_OK(zx_vmar_unmap(scene.vmar, scene.base, 4 * PAGE));
    EXPECT_EQ(ZX_ERR_BAD_STATE, zx_vmar_destroy(scene.child[0]));
    scene_end(&scene);
}
TEST(vmar_unmap_across_a_part_of_a_child) {
    UNMAP({"aaCCCbb", 0, 3, ZX_ERR_INVALID_ARGS, NULL}, {"aaCCCbb", 4, 3, ZX_ERR_INVALID_ARGS, NULL},
          {"aaCCCbb", 3, 1, ZX_ERR_INVALID_ARGS, NULL}, {"aa___bb", 1, 2, ZX_ERR_INVALID_ARGS, NULL},
          {"aBBaCCa", 0, 5, ZX_ERR_INVALID_ARGS, NULL});
    struct scene scene = scene_make("aCCCa"); /* on the child itself it goes */
    EXPECT_OK(zx_vmar_unmap(scene.child[0], scene.base + 2 * PAGE, PAGE));
    EXPECT_SCENE(&scene, "aC_Ca");
    scene_end(&scene);
}

/* ---- overwrite ---- */

static void overwrite_rows(const struct row *rows, size_t count) {
    for (size_t i = 0; i < count; i++) {
        struct scene scene = scene_make(rows[i].before);
        zx_vaddr_t address = 0;
        EXPECT_EQ(rows[i].status,
                  zx_vmar_map(scene.vmar, READ_WRITE | ZX_VM_SPECIFIC_OVERWRITE,
                              rows[i].first * PAGE, scene.object[scene_object_of('f')],
                              rows[i].first * PAGE, rows[i].count * PAGE, &address));
        EXPECT_SCENE(&scene, rows[i].after ? rows[i].after : rows[i].before);
        scene_end(&scene);
    }
}

TEST(vmar_overwrite_front_middle_back_exact_two_and_gap) {
    static const struct row rows[] = {
        {".aaaa.", 1, 2, ZX_OK, ".ffaa."}, {".aaaa.", 2, 2, ZX_OK, ".affa."},
        {".aaaa.", 3, 2, ZX_OK, ".aaff."}, {".aaaa.", 1, 4, ZX_OK, ".ffff."},
        {"aaabbb", 2, 2, ZX_OK, "aaffbb"}, {"aa..bb", 1, 4, ZX_OK, "affffb"},
        {"......", 0, 6, ZX_OK, "ffffff"},
    };
    overwrite_rows(rows, COUNT(rows));
}

TEST(vmar_overwrite_across_a_child_is_refused) {
    static const struct row rows[] = {
        {"aaCCbb", 0, 6, ZX_ERR_INVALID_ARGS, NULL}, {"aaCCbb", 1, 2, ZX_ERR_INVALID_ARGS, NULL},
        {"aaCCbb", 2, 2, ZX_ERR_INVALID_ARGS, NULL}, {"aa__bb", 3, 2, ZX_ERR_INVALID_ARGS, NULL},
    };
    overwrite_rows(rows, COUNT(rows));
}

/* ---- protect ---- */

/* Pages whose letter in `after` is 'r' can be read only; the others are as they were. */
static void protect_rows(const struct row *rows, size_t count) {
    for (size_t i = 0; i < count; i++) {
        struct scene scene = scene_make(rows[i].before);
        EXPECT_EQ(rows[i].status,
                  zx_vmar_protect(scene.vmar, ZX_VM_PERM_READ, scene.base + rows[i].first * PAGE,
                                  rows[i].count * PAGE));
        EXPECT_SCENE(&scene, rows[i].before);
        for (size_t page = 0; rows[i].before[page]; page++) {
            bool want = scene_letter_is_shown(rows[i].before[page]) &&
                        !(rows[i].after && rows[i].after[page] == 'r');
            if (can_write(scene.base + page * PAGE) != want)
                utest_fail(__FILE__, __LINE__, "row %zu, page %zu: writing is wrong", i, page);
        }
        scene_end(&scene);
    }
}

TEST(vmar_protect_front_middle_back_exact_and_two) {
    static const struct row rows[] = {
        {".aaaa.", 1, 2, ZX_OK, ".rraa."}, {".aaaa.", 2, 2, ZX_OK, ".arra."},
        {".aaaa.", 3, 2, ZX_OK, ".aarr."}, {".aaaa.", 1, 4, ZX_OK, ".rrrr."},
        {"aaabbb", 2, 2, ZX_OK, "aarrbb"}, {"aabbcc", 1, 4, ZX_OK, "arrrrc"},
    };
    protect_rows(rows, COUNT(rows));
}

TEST(vmar_protect_across_a_gap_or_a_child_is_refused) {
    static const struct row rows[] = {
        {"aa..bb", 1, 4, ZX_ERR_NOT_FOUND, NULL},    {".aaaa.", 0, 3, ZX_ERR_NOT_FOUND, NULL},
        {".aaaa.", 3, 3, ZX_ERR_NOT_FOUND, NULL},    {"......", 0, 2, ZX_ERR_NOT_FOUND, NULL},
        {"aaCCbb", 0, 6, ZX_ERR_INVALID_ARGS, NULL}, {"aaCCbb", 2, 2, ZX_ERR_INVALID_ARGS, NULL},
        {"aa__bb", 1, 2, ZX_ERR_INVALID_ARGS, NULL}, {"aa.Cbb", 1, 4, ZX_ERR_NOT_FOUND, NULL},
    };
    protect_rows(rows, COUNT(rows));
}

TEST(vmar_protect_stays_inside_the_rights_of_the_mapping) {
    static const zx_vm_option_t perms[] = {0, ZX_VM_PERM_READ, READ_WRITE,
                                           ZX_VM_PERM_READ | ZX_VM_PERM_EXECUTE};
    zx_handle_t vmo = make_vmo(1), region;
    zx_vaddr_t base, address;
    /* EXECUTE is not the object's to give; WRITE not the region's, if it may not map so. */
    for (unsigned can_write_there = 0; can_write_there < 2; can_write_there++) {
        REQUIRE_OK(zx_vmar_allocate(zx_vmar_root_self(),
                                    ZX_VM_CAN_MAP_READ | ZX_VM_CAN_MAP_EXECUTE |
                                        (can_write_there ? ZX_VM_CAN_MAP_WRITE : 0),
                                    0, 2 * PAGE, &region, &base));
        REQUIRE_OK(zx_vmar_map(region, ZX_VM_PERM_READ, 0, vmo, 0, PAGE, &address));
        for (unsigned i = 0; i < COUNT(perms); i++) {
            bool may = !(perms[i] & ZX_VM_PERM_EXECUTE) &&
                       (can_write_there || !(perms[i] & ZX_VM_PERM_WRITE));
            EXPECT_EQ(may ? ZX_OK : ZX_ERR_ACCESS_DENIED,
                      zx_vmar_protect(region, perms[i], address, PAGE));
        }
        EXPECT_OK(zx_vmar_destroy(region));
        close_handle(region);
    }
    close_handle(vmo);
}

TEST(vmar_protect_of_a_read_only_object_to_write) {
    struct scene scene = scene_make("aa");
    zx_handle_t weak = copy_without(scene.object[0], ZX_RIGHT_WRITE);
    zx_vaddr_t address;
    REQUIRE_OK(zx_vmar_map(scene.vmar, ZX_VM_PERM_READ | ZX_VM_SPECIFIC, 2 * PAGE, weak, 2 * PAGE,
                           PAGE, &address));
    close_handle(weak);
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED, zx_vmar_protect(scene.vmar, READ_WRITE, address, PAGE));
    /* Also as the last of several, and then none of them changes. */
    EXPECT_OK(zx_vmar_protect(scene.vmar, ZX_VM_PERM_READ, scene.base, 2 * PAGE));
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED, zx_vmar_protect(scene.vmar, READ_WRITE, scene.base, 3 * PAGE));
    for (unsigned page = 0; page < 3; page++)
        EXPECT(!can_write(scene.base + page * PAGE));
    EXPECT_OK(zx_vmar_protect(scene.vmar, 0, address, PAGE));
    EXPECT(!can_read(address));
    EXPECT_OK(zx_vmar_protect(scene.vmar, ZX_VM_PERM_READ, address, PAGE));
    EXPECT(can_read(address));
    scene_end(&scene);
}
