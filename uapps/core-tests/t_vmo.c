/*
 * t_vmo.c - memory objects: create, size, read, write, commit, decommit, zero.
 */
#include <jacinth/utest.h>
#include <string.h>

#include "core-tests/support.h"

TEST(vmo_create_checks_options_then_size_then_pointer) {
    zx_handle_t vmo = 77;
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_vmo_create(PAGE, 1u << 8, &vmo));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_vmo_create(UINT64_MAX, 1u << 31, &vmo));
    EXPECT_EQ(ZX_ERR_OUT_OF_RANGE, zx_vmo_create(UINT64_MAX, 0, &vmo));
    EXPECT_EQ(ZX_ERR_OUT_OF_RANGE, zx_vmo_create(UINT64_MAX - PAGE + 2, 0, &vmo));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_vmo_create(PAGE, 0, NULL));
    EXPECT_EQ(77, vmo);
}

TEST(vmo_has_the_documented_rights_and_nothing_committed) {
    zx_handle_t vmo = make_vmo(3);
    zx_info_vmo_t info = vmo_info_of(vmo);
    EXPECT_EQ(ZX_DEFAULT_VMO_RIGHTS, rights_of(vmo));
    EXPECT_EQ(0xd0ef, rights_of(vmo));
    EXPECT_EQ(koid_of(vmo), info.koid);
    EXPECT_EQ(3 * PAGE, info.size_bytes);
    EXPECT_EQ(0, info.committed_bytes);
    EXPECT_EQ(0, info.parent_koid);
    EXPECT_EQ(0, info.num_children);
    EXPECT_EQ(0, info.num_mappings);
    EXPECT_EQ(ZX_INFO_VMO_TYPE_PAGED | ZX_INFO_VMO_VIA_HANDLE, info.flags);
    EXPECT_EQ(ZX_DEFAULT_VMO_RIGHTS, info.handle_rights);
    EXPECT_EQ(0, info.cache_policy);
    close_handle(vmo);
}

TEST(vmo_size_is_rounded_up_to_pages_and_may_be_zero) {
    static const uint64_t sizes[][2] = {
        {0, 0}, {1, PAGE}, {PAGE, PAGE}, {PAGE + 1, 2 * PAGE}, {123456, 31 * PAGE}};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        zx_handle_t vmo;
        uint64_t size = 1;
        REQUIRE_OK(zx_vmo_create(sizes[i][0], 0, &vmo));
        EXPECT_OK(zx_vmo_get_size(vmo, &size));
        EXPECT_EQ(sizes[i][1], size);
        close_handle(vmo);
    }
}

TEST(vmo_reads_zeros_and_commits_nothing_by_it) {
    static uint8_t bytes[3 * 4096];
    zx_handle_t vmo = make_vmo(3);
    memset(bytes, 0x55, sizeof bytes);
    EXPECT_OK(zx_vmo_read(vmo, bytes, 0, sizeof bytes));
    for (size_t i = 0; i < sizeof bytes; i++)
        REQUIRE(bytes[i] == 0);
    EXPECT_EQ(0, committed_pages(vmo));
    close_handle(vmo);
}

TEST(vmo_read_gives_what_vmo_write_wrote_across_pages) {
    static uint8_t out[8000], in[8000];
    zx_handle_t vmo = make_vmo(3);
    for (size_t i = 0; i < sizeof out; i++)
        out[i] = (uint8_t)(i * 7 + 1);
    EXPECT_OK(zx_vmo_write(vmo, out, 1000, sizeof out));
    EXPECT_OK(zx_vmo_read(vmo, in, 1000, sizeof in));
    EXPECT(memcmp(out, in, sizeof in) == 0);
    EXPECT_EQ(3, committed_pages(vmo));
    close_handle(vmo);
}

TEST(vmo_transfers_stay_inside_the_object) {
    static const struct {
        uint64_t offset, length;
        zx_status_t status;
    } rows[] = {
        {0, 2 * 4096, ZX_OK},
        {2 * 4096, 0, ZX_OK},
        {2 * 4096 + 1, 0, ZX_ERR_OUT_OF_RANGE},
        {2 * 4096 - 1, 1, ZX_OK},
        {2 * 4096 - 1, 2, ZX_ERR_OUT_OF_RANGE},
        {0, 2 * 4096 + 1, ZX_ERR_OUT_OF_RANGE},
        {UINT64_MAX, 1, ZX_ERR_OUT_OF_RANGE},
        {UINT64_MAX, 0, ZX_ERR_OUT_OF_RANGE},
        {4096, UINT64_MAX - 100, ZX_ERR_OUT_OF_RANGE},
        {UINT64_MAX - 4095, 4096, ZX_ERR_OUT_OF_RANGE},
    };
    static uint8_t bytes[2 * 4096 + 8];
    zx_handle_t vmo = make_vmo(2);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        memset(bytes, 0x77, sizeof bytes);
        zx_status_t got = zx_vmo_read(vmo, bytes, rows[i].offset, rows[i].length);
        if (got != rows[i].status)
            utest_fail(__FILE__, __LINE__, "read %zu: %d, not %d", i, got, rows[i].status);
        EXPECT(rows[i].status == ZX_OK || bytes[0] == 0x77);
        got = zx_vmo_write(vmo, bytes, rows[i].offset, rows[i].length);
        if (got != rows[i].status)
            utest_fail(__FILE__, __LINE__, "write %zu: %d, not %d", i, got, rows[i].status);
    }
    close_handle(vmo);
}

TEST(vmo_read_and_write_need_their_rights) {
    uint8_t byte = 1;
    zx_handle_t vmo = make_vmo(1);
    zx_handle_t blind = copy_without(vmo, ZX_RIGHT_READ), mute = copy_without(vmo, ZX_RIGHT_WRITE);
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED, zx_vmo_read(blind, &byte, 0, 1));
    EXPECT_OK(zx_vmo_write(blind, &byte, 0, 1));
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED, zx_vmo_write(mute, &byte, 0, 1));
    EXPECT_OK(zx_vmo_read(mute, &byte, 0, 1));
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED, zx_vmo_op_range(mute, ZX_VMO_OP_ZERO, 0, 1, NULL, 0));
    close_handle(blind);
    close_handle(mute);
    close_handle(vmo);
}

TEST(vmo_copy_between_two_views_of_one_object_works) {
    zx_handle_t vmo = make_vmo(2);
    volatile uint8_t *view = map_vmo(vmo, READ_WRITE, 2);
    view[10] = 42;
    EXPECT_OK(zx_vmo_write(vmo, (const void *)(uintptr_t)view, PAGE, PAGE));
    EXPECT_EQ(42, view[PAGE + 10]);
    view[PAGE + 10] = 43;
    EXPECT_OK(zx_vmo_read(vmo, (void *)(uintptr_t)view, PAGE, PAGE));
    EXPECT_EQ(43, view[10]);
    unmap(view, 2);
    close_handle(vmo);
}

TEST(vmo_buffer_that_runs_over_the_end_of_user_space_is_bad) {
    zx_handle_t vmo = make_vmo(2), top = make_vmo(1);
    zx_info_vmar_t root;
    zx_vaddr_t address;
    REQUIRE_OK(zx_object_get_info(zx_vmar_root_self(), ZX_INFO_VMAR, &root, sizeof root, NULL,
                                  NULL));
    REQUIRE_OK(zx_vmar_map(zx_vmar_root_self(), READ_WRITE | ZX_VM_SPECIFIC, root.len - PAGE, top,
                           0, PAGE, &address));
    static const size_t lengths[] = {17, 4096, 8192};
    for (size_t i = 0; i < 3; i++) {
        void *buffer = (void *)(address + PAGE - 16);
        EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_vmo_read(vmo, buffer, 0, lengths[i]));
        EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_vmo_write(vmo, buffer, 0, lengths[i]));
    }
    EXPECT_OK(zx_vmo_read(vmo, (void *)(address + PAGE - 16), 0, 16));
    unmap((void *)address, 1);
    close_handle(top);
    close_handle(vmo);
}

/* --- size --- */

TEST(vmo_set_size_needs_a_resizable_object) {
    zx_handle_t fixed = make_vmo(1), vmo = make_resizable_vmo(1);
    zx_handle_t mute = copy_without(vmo, ZX_RIGHT_WRITE);
    EXPECT_EQ(ZX_ERR_UNAVAILABLE, zx_vmo_set_size(fixed, PAGE));
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED, zx_vmo_set_size(mute, PAGE));
    EXPECT_EQ(ZX_ERR_OUT_OF_RANGE, zx_vmo_set_size(vmo, UINT64_MAX));
    EXPECT_EQ(ZX_ERR_OUT_OF_RANGE, zx_vmo_set_size(vmo, UINT64_MAX - PAGE));
    EXPECT_OK(zx_vmo_set_size(vmo, 5 * PAGE - 9));
    EXPECT_EQ(5 * PAGE, vmo_info_of(vmo).size_bytes);
    EXPECT_EQ(ZX_INFO_VMO_TYPE_PAGED | ZX_INFO_VMO_RESIZABLE | ZX_INFO_VMO_VIA_HANDLE,
              vmo_info_of(vmo).flags);
    close_handle(fixed);
    close_handle(vmo);
    close_handle(mute);
}

TEST(vmo_that_shrinks_and_grows_shows_zeros) {
    zx_handle_t vmo = make_resizable_vmo(4);
    for (size_t i = 0; i < 4; i++)
        put(vmo, i, 9);
    EXPECT_EQ(4, committed_pages(vmo));
    EXPECT_OK(zx_vmo_set_size(vmo, PAGE));
    EXPECT_EQ(1, committed_pages(vmo));
    EXPECT_OK(zx_vmo_set_size(vmo, 4 * PAGE));
    EXPECT_EQ(9, get(vmo, 0));
    for (size_t i = 1; i < 4; i++)
        EXPECT_EQ(0, get(vmo, i));
    EXPECT_EQ(1, committed_pages(vmo));
    close_handle(vmo);
}

TEST(vmo_set_size_zeroes_the_rest_of_the_last_page) {
    uint8_t bytes[4] = {1, 2, 3, 4}, got[4];
    zx_handle_t vmo = make_resizable_vmo(1);
    EXPECT_OK(zx_vmo_write(vmo, bytes, 100, 4));
    EXPECT_OK(zx_vmo_set_size(vmo, 102));
    EXPECT_OK(zx_vmo_read(vmo, got, 100, 4));
    EXPECT_EQ(1, got[0]);
    EXPECT_EQ(2, got[1]);
    EXPECT_EQ(0, got[2]);
    EXPECT_EQ(0, got[3]);
    close_handle(vmo);
}

/* --- ranges --- */

TEST(vmo_commit_takes_every_page_that_the_range_touches) {
    zx_handle_t vmo = make_vmo(8);
    EXPECT_OK(zx_vmo_op_range(vmo, ZX_VMO_OP_COMMIT, PAGE + 1, PAGE, NULL, 0));
    EXPECT_EQ(2, committed_pages(vmo));
    EXPECT_OK(zx_vmo_op_range(vmo, ZX_VMO_OP_COMMIT, 0, 8 * PAGE, NULL, 0));
    EXPECT_EQ(8, committed_pages(vmo));
    EXPECT_OK(zx_vmo_op_range(vmo, ZX_VMO_OP_COMMIT, 8 * PAGE, 0, NULL, 0));
    EXPECT_EQ(ZX_ERR_OUT_OF_RANGE,
              zx_vmo_op_range(vmo, ZX_VMO_OP_COMMIT, 8 * PAGE + 1, 0, NULL, 0));
    EXPECT_EQ(ZX_ERR_OUT_OF_RANGE,
              zx_vmo_op_range(vmo, ZX_VMO_OP_COMMIT, PAGE, UINT64_MAX - 7, NULL, 0));
    close_handle(vmo);
}

TEST(vmo_commit_across_many_tables_counts_right) {
    enum { PAGES = 1000 };
    zx_handle_t vmo = make_vmo(PAGES);
    put(vmo, 70, 5);
    EXPECT_OK(zx_vmo_op_range(vmo, ZX_VMO_OP_COMMIT, 10 * PAGE, 500 * PAGE, NULL, 0));
    EXPECT_EQ(500, committed_pages(vmo));
    EXPECT_EQ(5, get(vmo, 70));
    EXPECT_OK(zx_vmo_op_range(vmo, ZX_VMO_OP_DECOMMIT, 20 * PAGE, 480 * PAGE, NULL, 0));
    EXPECT_EQ(20, committed_pages(vmo));
    EXPECT_EQ(0, get(vmo, 70));
    close_handle(vmo);
}

TEST(vmo_decommit_wants_whole_pages) {
    zx_handle_t vmo = make_vmo(4);
    EXPECT_OK(zx_vmo_op_range(vmo, ZX_VMO_OP_COMMIT, 0, 4 * PAGE, NULL, 0));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_vmo_op_range(vmo, ZX_VMO_OP_DECOMMIT, 1, PAGE, NULL, 0));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_vmo_op_range(vmo, ZX_VMO_OP_DECOMMIT, 0, 5, NULL, 0));
    EXPECT_EQ(ZX_ERR_OUT_OF_RANGE,
              zx_vmo_op_range(vmo, ZX_VMO_OP_DECOMMIT, 5 * PAGE, PAGE, NULL, 0));
    EXPECT_OK(zx_vmo_op_range(vmo, ZX_VMO_OP_DECOMMIT, PAGE, 0, NULL, 0));
    EXPECT_EQ(4, committed_pages(vmo));
    EXPECT_OK(zx_vmo_op_range(vmo, ZX_VMO_OP_DECOMMIT, PAGE, 2 * PAGE, NULL, 0));
    EXPECT_EQ(2, committed_pages(vmo));
    close_handle(vmo);
}

TEST(vmo_zero_takes_any_range_and_frees_whole_pages) {
    uint8_t ones[8], got[8];
    memset(ones, 1, sizeof ones);
    zx_handle_t vmo = make_vmo(4);
    for (size_t i = 0; i < 4; i++)
        EXPECT_OK(zx_vmo_write(vmo, ones, i * PAGE, 8));
    EXPECT_OK(zx_vmo_op_range(vmo, ZX_VMO_OP_ZERO, 4, 2 * PAGE, NULL, 0));
    EXPECT_OK(zx_vmo_read(vmo, got, 0, 8));
    EXPECT_EQ(1, got[3]);
    EXPECT_EQ(0, got[4]);
    EXPECT_EQ(0, get(vmo, 1));
    EXPECT_OK(zx_vmo_read(vmo, got, 2 * PAGE, 8));
    EXPECT_EQ(0, got[3]);
    EXPECT_EQ(1, got[4]);
    EXPECT_EQ(3, committed_pages(vmo));
    EXPECT_OK(zx_vmo_op_range(vmo, ZX_VMO_OP_ZERO, 0, 4 * PAGE, NULL, 0));
    EXPECT_EQ(0, committed_pages(vmo));
    EXPECT_OK(zx_vmo_op_range(vmo, ZX_VMO_OP_ZERO, 4 * PAGE, 0, NULL, 0));
    EXPECT_EQ(ZX_ERR_OUT_OF_RANGE,
              zx_vmo_op_range(vmo, ZX_VMO_OP_ZERO, 4 * PAGE + 1, 0, NULL, 0));
    close_handle(vmo);
}

TEST(vmo_zero_of_part_of_an_absent_page_commits_nothing) {
    zx_handle_t vmo = make_vmo(2);
    EXPECT_OK(zx_vmo_op_range(vmo, ZX_VMO_OP_ZERO, 100, PAGE, NULL, 0));
    EXPECT_EQ(0, committed_pages(vmo));
    close_handle(vmo);
}

TEST(vmo_ops_that_are_unknown_or_to_come_are_told_apart) {
    static const uint32_t unknown[] = {0, 5, 14, 100, UINT32_MAX};
    static const uint32_t later[] = {ZX_VMO_OP_LOCK, ZX_VMO_OP_UNLOCK, ZX_VMO_OP_TRY_LOCK};
    zx_handle_t vmo = make_vmo(1);
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++)
        EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_vmo_op_range(vmo, unknown[i], 0, PAGE, NULL, 0));
    for (size_t i = 0; i < sizeof later / sizeof later[0]; i++)
        EXPECT_EQ(ZX_ERR_NOT_SUPPORTED, zx_vmo_op_range(vmo, later[i], 0, PAGE, NULL, 0));
    close_handle(vmo);
}

TEST(vmo_name_is_kept_and_cut_at_31_characters) {
    static const char longer[] = "a name that is much longer than it may be at all";
    char name[ZX_MAX_NAME_LEN];
    zx_handle_t vmo = make_vmo(1);
    EXPECT_OK(zx_object_set_property(vmo, ZX_PROP_NAME, longer, sizeof longer));
    EXPECT_OK(zx_object_get_property(vmo, ZX_PROP_NAME, name, sizeof name));
    EXPECT_STR("a name that is much longer than", name);
    EXPECT_STR("a name that is much longer than", vmo_info_of(vmo).name);
    EXPECT_EQ(ZX_ERR_BUFFER_TOO_SMALL, zx_object_get_property(vmo, ZX_PROP_NAME, name, 31));
    EXPECT_OK(zx_object_set_property(vmo, ZX_PROP_NAME, "", 0));
    EXPECT_OK(zx_object_get_property(vmo, ZX_PROP_NAME, name, sizeof name));
    EXPECT_STR("", name);
    close_handle(vmo);
}

/* --- executable --- */

TEST(vmo_replace_as_executable_adds_the_right_and_consumes_the_handle) {
    zx_handle_t vmo = make_vmo(1), executable = 0, event;
    EXPECT_EQ(ZX_ERR_BAD_HANDLE, zx_vmo_replace_as_executable(0x7fffffff, 0, &executable));
    REQUIRE_OK(zx_vmo_replace_as_executable(vmo, ZX_HANDLE_INVALID, &executable));
    EXPECT_EQ(ZX_DEFAULT_VMO_RIGHTS | ZX_RIGHT_EXECUTE, rights_of(executable));
    EXPECT_EQ(ZX_ERR_BAD_HANDLE, zx_handle_close(vmo));
    close_handle(executable);

    unsigned before = own_handles();
    REQUIRE_OK(zx_event_create(0, &event));
    vmo = make_vmo(1);
    EXPECT_EQ(ZX_ERR_WRONG_TYPE, zx_vmo_replace_as_executable(vmo, event, &executable));
    EXPECT_EQ(ZX_ERR_BAD_HANDLE, zx_vmo_replace_as_executable(event, 0, &executable));
    EXPECT_EQ(before, own_handles());
}

TEST(vmo_that_is_mapped_lives_without_handles) {
    zx_handle_t vmo = make_vmo(1);
    put(vmo, 0, 12);
    volatile uint8_t *view = map_vmo(vmo, READ_WRITE, 1);
    EXPECT_EQ(1, vmo_info_of(vmo).num_mappings);
    EXPECT_EQ(1, vmo_info_of(vmo).share_count);
    close_handle(vmo);
    EXPECT_EQ(12, view[0]);
    view[1] = 13;
    EXPECT_EQ(13, view[1]);
    unmap(view, 1);
}
