/*
 * t_vmar_edge.c - address regions: arguments at the edge of what is allowed, and behind it
 * (more of the checklist in t_vmar_list.c).
 */
#include <jacinth/utest.h>

#include "core-tests/scene.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

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
    zx_vaddr_t last = scene.base + (SCENE_PAGES - 1) * PAGE, address;
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
    scene_map_run(&scene, scene.vmar, PAGE, "abbb", 1, 3);
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
