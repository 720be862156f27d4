/*
 * t_vmar_list.c - the checklist for VMARs of ZX-ABI.md section 5.11, line by line.
 *
 * Each line names its tests; tests/lint/checklists.py finds each of them. Those that are
 * not here are in t_vmar.c and t_fault.c.
 *
 * Most tests draw a region as a line of text, a letter for each page: '.' shows nothing,
 * 'a' to 'f' are mappings of objects of that name (at the same page of the object), 'A'
 * to 'F' the same inside a child region, '_' a page of a child region that shows nothing;
 * neighbouring pages of child regions belong to one child.
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
#include <string.h>

#include "core-tests/support.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define CAN_MAP      (ZX_VM_CAN_MAP_READ | ZX_VM_CAN_MAP_WRITE | ZX_VM_CAN_MAP_EXECUTE)
#define PAGES        12
#define OBJECTS      6

/* ---- Scenes ---- */

struct scene {
    zx_handle_t vmar, child[PAGES], object[OBJECTS];
    zx_vaddr_t base;
    unsigned children;
};

static bool is_child(char letter) { return letter == '_' || (letter >= 'A' && letter <= 'F'); }
static bool is_shown(char letter) { return letter != '.' && letter != '_'; }
static unsigned object_of(char letter) { return (unsigned)((letter | 0x20) - 'a'); }

static void map_run(struct scene *scene, zx_handle_t vmar, uint64_t at, const char *text,
                    size_t first, size_t count) {
    zx_vaddr_t address;
    EXPECT_OK(zx_vmar_map(vmar, READ_WRITE | ZX_VM_SPECIFIC, at,
                          scene->object[object_of(text[first])], first * PAGE, count * PAGE,
                          &address));
    EXPECT_EQ(scene->base + first * PAGE, address);
}

/* The mappings in [from, to) of the text: one for each run of a letter. */
static void map_runs(struct scene *scene, zx_handle_t vmar, size_t vmar_first, const char *text,
                     size_t from, size_t to) {
    for (size_t i = from, end; i < to; i = end) {
        for (end = i + 1; end < to && text[end] == text[i]; end++) {}
        if (is_shown(text[i]) && is_child(text[i]) == (vmar != scene->vmar))
            map_run(scene, vmar, (i - vmar_first) * PAGE, text, i, end - i);
    }
}

static void make_child(struct scene *scene, const char *text, size_t from, size_t to) {
    zx_vaddr_t address;
    zx_handle_t *child = &scene->child[scene->children++];
    EXPECT_OK(zx_vmar_allocate(scene->vmar, CAN_MAP | ZX_VM_SPECIFIC | ZX_VM_CAN_MAP_SPECIFIC,
                               from * PAGE, (to - from) * PAGE, child, &address));
    map_runs(scene, *child, from, text, from, to);
}

static struct scene scene_make_in(zx_handle_t root, const char *text) {
    struct scene scene = {0};
    size_t length = strlen(text);
    EXPECT_OK(zx_vmar_allocate(root, CAN_MAP | ZX_VM_CAN_MAP_SPECIFIC, 0,
                               PAGES * PAGE, &scene.vmar, &scene.base));
    for (unsigned i = 0; i < OBJECTS; i++) {
        scene.object[i] = make_vmo(PAGES);
        for (size_t page = 0; page < PAGES; page++)
            put(scene.object[i], page, (uint8_t)(16 * i + page + 1));
    }
    for (size_t i = 0, end; i < length; i = end) {
        bool child = is_child(text[i]);
        for (end = i + 1; end < length && is_child(text[end]) == child; end++) {}
        if (child)
            make_child(&scene, text, i, end);
        else
            map_runs(&scene, scene.vmar, 0, text, i, end);
    }
    return scene;
}

static struct scene scene_make(const char *text) {
    return scene_make_in(zx_vmar_root_self(), text);
}

static void scene_end(struct scene *scene) {
    EXPECT_OK(zx_vmar_destroy(scene->vmar));
    close_handle(scene->vmar);
    for (unsigned i = 0; i < scene->children; i++)
        close_handle(scene->child[i]);
    for (unsigned i = 0; i < OBJECTS; i++)
        close_handle(scene->object[i]);
}

static zx_handle_t scratch(void) {
    static zx_handle_t vmo;
    if (vmo == ZX_HANDLE_INVALID)
        vmo = make_vmo(1);
    return vmo;
}
static bool can_read(zx_vaddr_t address) {
    return zx_vmo_write(scratch(), (const void *)address, 0, 1) == ZX_OK;
}
/* Writes what is there already: the scratch byte was just read from it. */
static bool can_write(zx_vaddr_t address) {
    return can_read(address) && zx_vmo_read(scratch(), (void *)address, 0, 1) == ZX_OK;
}

/* Each page shows what the text says, from the same page of its object. */
static void expect_scene(const struct scene *scene, const char *text, int line) {
    for (size_t i = 0; text[i]; i++) {
        zx_vaddr_t address = scene->base + i * PAGE;
        bool there = can_read(address);
        uint8_t byte = there ? *(volatile uint8_t *)address : 0;
        uint8_t want = is_shown(text[i]) ? (uint8_t)(16 * object_of(text[i]) + i + 1) : 0;
        if (there != is_shown(text[i]) || byte != want)
            utest_fail(__FILE__, line, "'%s', page %zu shows %u, not %u", text, i, byte, want);
    }
}
#define EXPECT_SCENE(scene, text) expect_scene(scene, text, __LINE__)

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
                              rows[i].first * PAGE, scene.object[object_of('f')],
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
            bool want = is_shown(rows[i].before[page]) &&
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

/* ---- Options and places ---- */

TEST(vmar_every_bit_outside_the_table_is_refused) {
    const uint32_t perms = READ_WRITE | ZX_VM_PERM_EXECUTE, align = (uint32_t)0xff << 24;
    const uint32_t place = ZX_VM_SPECIFIC | ZX_VM_OFFSET_IS_UPPER_LIMIT | align;
    const uint32_t for_allocate = ZX_VM_COMPACT | ZX_VM_CAN_MAP_SPECIFIC | CAN_MAP | place;
    const uint32_t for_map = perms | ZX_VM_SPECIFIC_OVERWRITE | ZX_VM_MAP_RANGE | place |
                             ZX_VM_REQUIRE_NON_RESIZABLE | ZX_VM_ALLOW_FAULTS;
    struct scene scene = scene_make("aa");
    zx_handle_t child = ZX_HANDLE_INVALID;
    zx_vaddr_t address;
    for (unsigned bit = 0; bit < 32; bit++) {
        uint32_t one = 1u << bit;
        if (!(one & for_allocate))
            EXPECT_EQ(ZX_ERR_INVALID_ARGS,
                      zx_vmar_allocate(scene.vmar, ZX_VM_CAN_MAP_READ | one, 0, PAGE, &child,
                                       &address));
        if (!(one & for_map))
            EXPECT_EQ(ZX_ERR_INVALID_ARGS,
                      zx_vmar_map(scene.vmar, ZX_VM_PERM_READ | one, 0, scene.object[1], 0, PAGE,
                                  &address));
        if (!(one & perms))
            EXPECT_EQ(ZX_ERR_INVALID_ARGS,
                      zx_vmar_protect(scene.vmar, ZX_VM_PERM_READ | one, scene.base, PAGE));
    }
    EXPECT_EQ(ZX_HANDLE_INVALID, child);
    EXPECT_EQ(0, vmo_info_of(scene.object[1]).num_mappings);
    scene_end(&scene);
}

/* The status of both calls that place something. */
static void expect_placed(const struct scene *scene, zx_handle_t vmar, zx_vm_option_t options,
                          uint64_t offset, zx_status_t status) {
    zx_handle_t child = ZX_HANDLE_INVALID;
    zx_vaddr_t address;
    EXPECT_EQ(status, zx_vmar_allocate(vmar, ZX_VM_CAN_MAP_READ | options, offset, PAGE, &child,
                                       &address));
    EXPECT_EQ(status, zx_vmar_map(vmar, ZX_VM_PERM_READ | options, offset, scene->object[1], 0,
                                  PAGE, &address));
}

TEST(vmar_offset_without_specific_is_refused) {
    struct scene scene = scene_make(".");
    expect_placed(&scene, scene.vmar, 0, PAGE, ZX_ERR_INVALID_ARGS);
    expect_placed(&scene, scene.vmar, 0, 1, ZX_ERR_INVALID_ARGS);
    expect_placed(&scene, scene.vmar, ZX_VM_SPECIFIC | ZX_VM_OFFSET_IS_UPPER_LIMIT, PAGE,
                  ZX_ERR_INVALID_ARGS);
    scene_end(&scene);
}

TEST(vmar_specific_needs_can_map_specific) {
    struct scene scene = scene_make(".");
    zx_handle_t plain;
    zx_vaddr_t address;
    REQUIRE_OK(zx_vmar_allocate(scene.vmar, CAN_MAP, 0, 2 * PAGE, &plain, &address));
    expect_placed(&scene, plain, ZX_VM_SPECIFIC, 0, ZX_ERR_ACCESS_DENIED);
    expect_placed(&scene, plain, ZX_VM_OFFSET_IS_UPPER_LIMIT, PAGE, ZX_ERR_ACCESS_DENIED);
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED,
              zx_vmar_map(plain, ZX_VM_PERM_READ | ZX_VM_SPECIFIC_OVERWRITE, 0, scene.object[1], 0,
                          PAGE, &address));
    /* Alignment is looked at before, the bounds after. */
    expect_placed(&scene, plain, ZX_VM_SPECIFIC, 1, ZX_ERR_INVALID_ARGS);
    expect_placed(&scene, plain, ZX_VM_SPECIFIC, 64 * PAGE, ZX_ERR_ACCESS_DENIED);
    EXPECT_OK(zx_vmar_map(plain, ZX_VM_PERM_READ, 0, scene.object[1], 0, PAGE, &address));
    close_handle(plain);
    scene_end(&scene);
}

TEST(vmar_misaligned_offsets_are_refused) {
    static const uint64_t offsets[] = {1, 8, PAGE - 1, PAGE + 1, UINT64_MAX};
    struct scene scene = scene_make("a");
    zx_vaddr_t address;
    for (unsigned i = 0; i < COUNT(offsets); i++) {
        expect_placed(&scene, scene.vmar, ZX_VM_SPECIFIC, offsets[i], ZX_ERR_INVALID_ARGS);
        expect_placed(&scene, scene.vmar, ZX_VM_OFFSET_IS_UPPER_LIMIT, offsets[i],
                      ZX_ERR_INVALID_ARGS);
        EXPECT_EQ(ZX_ERR_INVALID_ARGS,
                  zx_vmar_map(scene.vmar, ZX_VM_PERM_READ | ZX_VM_ALLOW_FAULTS, 0, scene.object[1],
                              offsets[i], PAGE, &address));
        zx_vaddr_t at = scene.base + offsets[i];
        EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_vmar_unmap(scene.vmar, at, PAGE));
        EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_vmar_protect(scene.vmar, ZX_VM_PERM_READ, at, PAGE));
        EXPECT_EQ(ZX_ERR_INVALID_ARGS,
                  zx_vmar_op_range(scene.vmar, ZX_VMAR_OP_COMMIT, at, PAGE, NULL, 0));
    }
    EXPECT_SCENE(&scene, "a");
    scene_end(&scene);
}

/* ---- The ends ---- */

TEST(vmar_last_page_can_be_used) {
    struct scene scene = scene_make("...........a"); /* of the region */
    EXPECT_SCENE(&scene, "...........a");
    zx_vaddr_t last = scene.base + (PAGES - 1) * PAGE, address;
    EXPECT_OK(zx_vmar_protect(scene.vmar, ZX_VM_PERM_READ, last, PAGE));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_vmar_protect(scene.vmar, ZX_VM_PERM_READ, last, 2 * PAGE));
    EXPECT_OK(zx_vmar_op_range(scene.vmar, ZX_VMAR_OP_MAP_RANGE, last, PAGE, NULL, 0));
    EXPECT_EQ(ZX_ERR_OUT_OF_RANGE,
              zx_vmar_op_range(scene.vmar, ZX_VMAR_OP_MAP_RANGE, last, 2 * PAGE, NULL, 0));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_vmar_unmap(scene.vmar, last, 2 * PAGE));
    EXPECT_OK(zx_vmar_unmap(scene.vmar, last, PAGE));
    EXPECT_SCENE(&scene, "............");
    /* Of the address space, in a process that has nothing there yet. */
    zx_handle_t process, root;
    zx_info_vmar_t info;
    REQUIRE_OK(zx_process_create(zx_job_default(), "last page", 9, 0, &process, &root));
    REQUIRE_OK(zx_object_get_info(root, ZX_INFO_VMAR, &info, sizeof info, NULL, NULL));
    EXPECT_OK(zx_vmar_map(root, ZX_VM_PERM_READ | ZX_VM_SPECIFIC, info.len - PAGE,
                          scene.object[1], 0, PAGE, &address));
    EXPECT_EQ(info.base + info.len - PAGE, address);
    uint8_t byte = 0;
    size_t actual = 0;
    EXPECT_OK(zx_process_read_memory(process, address, &byte, 1, &actual));
    EXPECT_EQ(17, byte);
    EXPECT_OK(zx_vmar_unmap(root, address, PAGE));
    EXPECT_OK(zx_task_kill(process));
    close_handle(process);
    close_handle(root);
    scene_end(&scene);
}

TEST(vmar_ranges_past_the_end_of_the_address_space_are_refused) {
    zx_handle_t root = zx_vmar_root_self(), vmo = make_vmo(2), child = ZX_HANDLE_INVALID;
    zx_info_vmar_t info;
    zx_vaddr_t address;
    REQUIRE_OK(zx_object_get_info(root, ZX_INFO_VMAR, &info, sizeof info, NULL, NULL));
    const struct { uint64_t offset, size; } rows[] = {
        {info.len - PAGE, 2 * PAGE},   {info.len, PAGE}, {UINT64_MAX - PAGE + 1, PAGE},
        {UINT64_MAX - PAGE + 1, 2 * PAGE}, {0, info.len + PAGE}, {PAGE, info.len},
        {(uint64_t)1 << 63, (uint64_t)1 << 63},
    };
    for (unsigned i = 0; i < COUNT(rows); i++) {
        EXPECT_EQ(ZX_ERR_INVALID_ARGS,
                  zx_vmar_allocate(root, ZX_VM_SPECIFIC, rows[i].offset, rows[i].size, &child,
                                   &address));
        EXPECT_EQ(ZX_ERR_INVALID_ARGS,
                  zx_vmar_map(root, ZX_VM_PERM_READ | ZX_VM_SPECIFIC | ZX_VM_ALLOW_FAULTS,
                              rows[i].offset, vmo, 0, rows[i].size, &address));
        uint64_t at = info.base + rows[i].offset;
        EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_vmar_unmap(root, at, rows[i].size));
        EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_vmar_protect(root, ZX_VM_PERM_READ, at, rows[i].size));
        EXPECT_EQ(ZX_ERR_OUT_OF_RANGE,
                  zx_vmar_op_range(root, ZX_VMAR_OP_DONT_NEED, at, rows[i].size, NULL, 0));
    }
    EXPECT_EQ(ZX_HANDLE_INVALID, child);
    EXPECT_EQ(0, vmo_info_of(vmo).num_mappings);
    close_handle(vmo);
}

TEST(vmar_range_of_a_destroyed_region_is_free_again) {
    struct scene scene = scene_make("aCCCa");
    zx_vaddr_t address;
    zx_handle_t again = ZX_HANDLE_INVALID;
    EXPECT_EQ(ZX_ERR_NO_MEMORY,
              zx_vmar_allocate(scene.vmar, ZX_VM_SPECIFIC, PAGE, PAGE, &again, &address));
    EXPECT_OK(zx_vmar_destroy(scene.child[0]));
    EXPECT_SCENE(&scene, "a...a");
    EXPECT_OK(zx_vmar_allocate(scene.vmar, ZX_VM_SPECIFIC, PAGE, 3 * PAGE, &again, &address));
    EXPECT_EQ(scene.base + PAGE, address);
    EXPECT_EQ(ZX_ERR_BAD_STATE, zx_vmar_destroy(scene.child[0]));
    EXPECT_OK(zx_vmar_destroy(again));
    close_handle(again);
    map_run(&scene, scene.vmar, PAGE, "abbb", 1, 3);
    EXPECT_SCENE(&scene, "abbba");
    scene_end(&scene);
}

/* ---- Handles, lengths, what is told ---- */

TEST(vmar_reduced_handle_bounds_what_may_be_asked) {
    struct scene scene = scene_make("a");
    zx_handle_t weak = copy_without(scene.vmar, ZX_RIGHT_WRITE), child = ZX_HANDLE_INVALID;
    zx_vaddr_t address;
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED,
              zx_vmar_allocate(weak, ZX_VM_CAN_MAP_WRITE, 0, PAGE, &child, &address));
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED, zx_vmar_map(weak, READ_WRITE, 0, scene.object[1], 0, PAGE,
                                                &address));
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED, zx_vmar_protect(weak, READ_WRITE, scene.base, PAGE));
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED,
              zx_vmar_op_range(weak, ZX_VMAR_OP_COMMIT, scene.base, PAGE, NULL, 0));
    EXPECT_OK(zx_vmar_protect(weak, ZX_VM_PERM_READ, scene.base, PAGE));
    EXPECT(!can_write(scene.base));
    /* What was mapped through the weak handle can't be opened through the strong one. */
    EXPECT_OK(zx_vmar_map(weak, ZX_VM_PERM_READ, 0, scene.object[1], 0, PAGE, &address));
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED, zx_vmar_protect(scene.vmar, READ_WRITE, address, PAGE));
    EXPECT_OK(zx_vmar_protect(scene.vmar, READ_WRITE, scene.base, PAGE));
    close_handle(weak);
    scene_end(&scene);
}

TEST(vmar_lengths_below_a_page_mean_the_page) {
    struct scene scene = scene_make("aaa");
    zx_vaddr_t address;
    EXPECT_OK(zx_vmar_protect(scene.vmar, ZX_VM_PERM_READ, scene.base, 1));
    EXPECT(!can_write(scene.base));
    EXPECT(can_write(scene.base + PAGE));
    EXPECT_OK(zx_vmar_unmap(scene.vmar, scene.base, PAGE + 1));
    EXPECT_SCENE(&scene, "..a");
    EXPECT_OK(zx_vmar_map(scene.vmar, ZX_VM_PERM_READ | ZX_VM_SPECIFIC, 0, scene.object[1], 0, 1,
                          &address));
    EXPECT_SCENE(&scene, "b.a");
    EXPECT(can_read(address + PAGE - 1));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_vmar_map(scene.vmar, ZX_VM_PERM_READ, 0, scene.object[1], 0,
                                               0, &address));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_vmar_unmap(scene.vmar, scene.base, 0));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_vmar_protect(scene.vmar, ZX_VM_PERM_READ, scene.base, 0));
    zx_handle_t child = ZX_HANDLE_INVALID;
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_vmar_allocate(scene.vmar, 0, 0, 1, &child, &address));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_vmar_allocate(scene.vmar, 0, 0, 0, &child, &address));
    scene_end(&scene);
}

TEST(vmar_length_of_size_max_is_refused) {
    struct scene scene = scene_make("aCa");
    static const uint64_t lengths[] = {SIZE_MAX, SIZE_MAX - PAGE, SIZE_MAX - PAGE + 1};
    zx_handle_t child = ZX_HANDLE_INVALID;
    zx_vaddr_t address;
    for (unsigned i = 0; i < COUNT(lengths); i++) {
        uint64_t length = lengths[i];
        EXPECT_EQ(ZX_ERR_INVALID_ARGS,
                  zx_vmar_allocate(scene.vmar, 0, 0, length, &child, &address));
        EXPECT_EQ(ZX_ERR_INVALID_ARGS,
                  zx_vmar_map(scene.vmar, ZX_VM_PERM_READ | ZX_VM_ALLOW_FAULTS, 0, scene.object[1],
                              0, length, &address));
        EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_vmar_unmap(scene.vmar, scene.base, length));
        EXPECT_EQ(ZX_ERR_INVALID_ARGS,
                  zx_vmar_protect(scene.vmar, ZX_VM_PERM_READ, scene.base, length));
        EXPECT_EQ(ZX_ERR_OUT_OF_RANGE, zx_vmar_op_range(scene.vmar, ZX_VMAR_OP_MAP_RANGE,
                                                        scene.base, length, NULL, 0));
    }
    EXPECT_SCENE(&scene, "aCa");
    scene_end(&scene);
}

static const struct { uint8_t page, pages, depth; bool mapping; } told[] = {
    {0, 12, 2, false}, {0, 2, 3, true}, {3, 4, 3, false}, {3, 1, 4, true},
    {4, 2, 4, true},   {7, 1, 3, true}, {9, 1, 3, false}, {11, 1, 3, true},
};

/* In a process that never runs: nothing else is in it. */
TEST(vmar_maps_are_told_depth_first_in_order_of_address) {
    static zx_info_maps_t maps[16];
    zx_handle_t process, root;
    size_t actual = 0, avail = 0;
    REQUIRE_OK(zx_process_create(zx_job_default(), "mapped", 6, 0, &process, &root));
    struct scene scene = scene_make_in(root, "aa.ABB_a._.a");
    REQUIRE_OK(zx_object_get_info(process, ZX_INFO_PROCESS_MAPS, maps, sizeof maps, &actual,
                                  &avail));
    REQUIRE_EQ(COUNT(told) + 2, actual);
    EXPECT_EQ(actual, avail);
    EXPECT_EQ(ZX_INFO_MAPS_TYPE_ASPACE, maps[0].type);
    EXPECT_EQ(0, maps[0].depth);
    EXPECT_EQ(ZX_INFO_MAPS_TYPE_VMAR, maps[1].type);
    EXPECT_EQ(1, maps[1].depth);
    for (size_t i = 0; i < COUNT(told); i++) {
        const zx_info_maps_t *entry = &maps[2 + i];
        EXPECT_EQ(scene.base + told[i].page * PAGE, entry->base);
        EXPECT_EQ(told[i].pages * PAGE, entry->size);
        EXPECT_EQ(told[i].depth, entry->depth);
        EXPECT_EQ(told[i].mapping ? ZX_INFO_MAPS_TYPE_MAPPING : ZX_INFO_MAPS_TYPE_VMAR,
                  entry->type);
    }
    scene_end(&scene);
    EXPECT_OK(zx_task_kill(process));
    close_handle(process);
    close_handle(root);
}

/* ---- One's own code ---- */

/* The call itself comes to its end in the kernel; the next instruction is not there. */
TEST(vmar_unmap_of_ones_own_code_is_the_last_thing_one_does) {
    struct child child;
    if (script_make(&child)) {
        zx_handle_t vmar = copy_with(child.vmar, rights_of(child.vmar));
        script_add(&child, 0, "zx_vmar_unmap", CHILD_HANDLE, CHILD_CODE, PAGE, 0);
        script_add(&child, 1, "zx_process_exit", 5, 0, 0, 0);
        EXPECT_OK(zx_process_start(child.process, child.thread, CHILD_CODE, CHILD_STACK, vmar,
                                   CHILD_DATA));
        EXPECT_EQ(ZX_TASK_RETCODE_EXCEPTION_KILL, child_wait(&child));
        EXPECT_EQ(0x5a5a5a5a, script_result(&child, 0));
    }
    child_end(&child);
}
