/*
 * t_vmo_clone.c - snapshots: what each side sees, what it costs, who descends from
 * whom (the checklist of ZX-ABI.md section 4.10, as far as the calls exist).
 */
#include <jacinth/utest.h>
#include <string.h>

#include "core-tests/support.h"

/* Two pages, 1 and 2, as the tests begin. */
static zx_handle_t filled(size_t pages) {
    zx_handle_t vmo = make_vmo(pages);
    for (size_t i = 0; i < pages; i++)
        put(vmo, i, (uint8_t)(i + 1));
    return vmo;
}

TEST(clone_options_are_checked_in_order) {
    static const struct {
        uint32_t options;
        uint64_t offset, size;
        zx_status_t status;
    } rows[] = {
        {0, 0, 4096, ZX_ERR_INVALID_ARGS},
        {ZX_VMO_CHILD_RESIZABLE, 0, 4096, ZX_ERR_INVALID_ARGS},
        {ZX_VMO_CHILD_SNAPSHOT | 1u << 30, 0, 4096, ZX_ERR_INVALID_ARGS},
        {ZX_VMO_CHILD_SNAPSHOT | ZX_VMO_CHILD_SLICE, 0, 4096, ZX_ERR_INVALID_ARGS},
        {ZX_VMO_CHILD_SNAPSHOT | ZX_VMO_CHILD_SNAPSHOT_AT_LEAST_ON_WRITE, 0, 4096,
         ZX_ERR_INVALID_ARGS},
        {ZX_VMO_CHILD_SLICE | ZX_VMO_CHILD_RESIZABLE, 0, 4096, ZX_ERR_INVALID_ARGS},
        {ZX_VMO_CHILD_SNAPSHOT | ZX_VMO_CHILD_NO_WRITE | ZX_VMO_CHILD_RESIZABLE, 0, 4096,
         ZX_ERR_INVALID_ARGS},
        {ZX_VMO_CHILD_SNAPSHOT, 1, 4096, ZX_ERR_INVALID_ARGS},
        {ZX_VMO_CHILD_SNAPSHOT, 4095, 4096, ZX_ERR_INVALID_ARGS},
        {ZX_VMO_CHILD_SNAPSHOT, 0, UINT64_MAX, ZX_ERR_OUT_OF_RANGE},
    };
    zx_handle_t parent = filled(2), child = 5;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        zx_status_t got = zx_vmo_create_child(parent, rows[i].options, rows[i].offset,
                                              rows[i].size, &child);
        if (got != rows[i].status)
            utest_fail(__FILE__, __LINE__, "row %zu is %d, not %d", i, got, rows[i].status);
    }
    EXPECT_EQ(5, child);
    EXPECT_EQ(0, vmo_info_of(parent).num_children);
    close_handle(parent);
}

TEST(clone_rights_follow_the_parents_handle) {
    zx_handle_t parent = filled(1), child;
    zx_handle_t weak = copy_with(parent, ZX_RIGHT_READ | ZX_RIGHT_DUPLICATE);
    REQUIRE_OK(zx_vmo_create_child(weak, ZX_VMO_CHILD_SNAPSHOT, 0, PAGE, &child));
    EXPECT_EQ(ZX_RIGHT_READ | ZX_RIGHT_DUPLICATE | ZX_RIGHTS_PROPERTY | ZX_RIGHT_WRITE,
              rights_of(child));
    close_handle(child);
    REQUIRE_OK(zx_vmo_create_child(parent, ZX_VMO_CHILD_SNAPSHOT | ZX_VMO_CHILD_NO_WRITE, 0, PAGE,
                                   &child));
    EXPECT_EQ(ZX_DEFAULT_VMO_RIGHTS & ~ZX_RIGHT_WRITE, rights_of(child));
    EXPECT_EQ(1, get(child, 0));
    close_handle(child);
    zx_handle_t executable;
    REQUIRE_OK(zx_vmo_replace_as_executable(parent, ZX_HANDLE_INVALID, &executable));
    child = make_snapshot(executable, 1);
    EXPECT_EQ(ZX_DEFAULT_VMO_RIGHTS, rights_of(child));
    close_handle(child);
    close_handle(weak);
    close_handle(executable);
}

TEST(clone_takes_its_name_from_a_handle_that_may_read_it) {
    zx_handle_t parent = filled(1), child;
    char name[ZX_MAX_NAME_LEN];
    EXPECT_OK(zx_object_set_property(parent, ZX_PROP_NAME, "origin", 6));
    child = make_snapshot(parent, 1);
    EXPECT_OK(zx_object_get_property(child, ZX_PROP_NAME, name, sizeof name));
    EXPECT_STR("origin", name);
    close_handle(child);
    zx_handle_t weak = copy_without(parent, ZX_RIGHT_GET_PROPERTY);
    child = make_snapshot(weak, 1);
    EXPECT_OK(zx_object_get_property(child, ZX_PROP_NAME, name, sizeof name));
    EXPECT_STR("", name);
    close_handle(child);
    close_handle(weak);
    close_handle(parent);
}

TEST(clone_and_parent_do_not_see_each_others_writes) {
    zx_handle_t parent = filled(2), child = make_snapshot(parent, 2);
    put(parent, 0, 10);
    EXPECT_EQ(1, get(child, 0));
    put(child, 1, 20);
    EXPECT_EQ(2, get(parent, 1));
    put(parent, 1, 30);
    EXPECT_EQ(20, get(child, 1));
    put(child, 0, 40);
    EXPECT_EQ(10, get(parent, 0));
    EXPECT_EQ(40, get(child, 0));
    close_handle(parent);
    EXPECT_EQ(40, get(child, 0));
    EXPECT_EQ(20, get(child, 1));
    close_handle(child);
}

TEST(clone_of_a_clone_is_separate_in_both_directions) {
    zx_handle_t a = filled(2), b = make_snapshot(a, 2);
    put(b, 0, 11);
    zx_handle_t c = make_snapshot(b, 2);
    put(a, 1, 90);
    put(b, 1, 91);
    put(c, 0, 92);
    EXPECT_EQ(1, get(a, 0));
    EXPECT_EQ(90, get(a, 1));
    EXPECT_EQ(11, get(b, 0));
    EXPECT_EQ(91, get(b, 1));
    EXPECT_EQ(92, get(c, 0));
    EXPECT_EQ(2, get(c, 1));
    close_handle(b);
    EXPECT_EQ(2, get(c, 1));
    EXPECT_EQ(1, get(a, 0));
    close_handle(a);
    EXPECT_EQ(92, get(c, 0));
    EXPECT_EQ(2, get(c, 1));
    close_handle(c);
}

/* Closes four VMOs in the order that `order` numbers; those left keep their bytes. */
static void close_in_order(unsigned order) {
    zx_handle_t vmo[4];
    bool open[4] = {true, true, true, true};
    vmo[0] = filled(2);
    vmo[1] = make_snapshot(vmo[0], 2);
    put(vmo[1], 0, 51);
    vmo[2] = make_snapshot(vmo[1], 2);
    put(vmo[2], 1, 62);
    vmo[3] = make_snapshot(vmo[0], 2);
    static const uint8_t want[4][2] = {{1, 2}, {51, 2}, {51, 62}, {1, 2}};
    for (unsigned left = 4; left > 0; left--) {
        unsigned which = order % left;
        order /= left;
        for (unsigned i = 0, seen = 0; i < 4; i++) {
            if (open[i] && seen++ == which) {
                open[i] = false;
                close_handle(vmo[i]);
                break;
            }
        }
        for (unsigned i = 0; i < 4; i++) {
            if (open[i]) {
                EXPECT_EQ(want[i][0], get(vmo[i], 0));
                EXPECT_EQ(want[i][1], get(vmo[i], 1));
            }
        }
    }
}

TEST(clones_may_be_closed_in_every_order) {
    for (unsigned order = 0; order < 24; order++)
        close_in_order(order);
}

/* --- windows and sizes --- */

TEST(clone_shows_a_window_and_zeros_outside_the_parent) {
    zx_handle_t parent = filled(4), child;
    REQUIRE_OK(
        zx_vmo_create_child(parent, ZX_VMO_CHILD_SNAPSHOT, 2 * PAGE, 4 * PAGE - 5, &child));
    EXPECT_EQ(4 * PAGE, vmo_info_of(child).size_bytes);
    EXPECT_EQ(3, get(child, 0));
    EXPECT_EQ(4, get(child, 1));
    EXPECT_EQ(0, get(child, 2));
    put(child, 3, 77);
    EXPECT_EQ(77, get(child, 3));
    put(child, 0, 78);
    EXPECT_EQ(3, get(parent, 2));
    close_handle(child);
    REQUIRE_OK(zx_vmo_create_child(parent, ZX_VMO_CHILD_SNAPSHOT, 100 * PAGE, PAGE, &child));
    EXPECT_EQ(0, get(child, 0));
    close_handle(child);
    REQUIRE_OK(zx_vmo_create_child(parent, ZX_VMO_CHILD_SNAPSHOT, 0, 0, &child));
    EXPECT_EQ(0, vmo_info_of(child).size_bytes);
    close_handle(child);
    close_handle(parent);
}

TEST(clone_window_never_grows) {
    zx_handle_t parent = make_resizable_vmo(2), child;
    put(parent, 0, 1);
    put(parent, 1, 2);
    REQUIRE_OK(zx_vmo_create_child(parent, ZX_VMO_CHILD_SNAPSHOT | ZX_VMO_CHILD_RESIZABLE, 0,
                                   PAGE, &child));
    EXPECT_OK(zx_vmo_set_size(child, 3 * PAGE));
    EXPECT_EQ(1, get(child, 0));
    EXPECT_EQ(0, get(child, 1));
    EXPECT_OK(zx_vmo_set_size(parent, 3 * PAGE));
    put(parent, 2, 3);
    EXPECT_EQ(0, get(child, 2));
    EXPECT_OK(zx_vmo_set_size(child, 0));
    EXPECT_OK(zx_vmo_set_size(child, PAGE));
    EXPECT_EQ(0, get(child, 0));
    close_handle(child);
    close_handle(parent);
}

TEST(clone_keeps_its_pages_when_the_parent_shrinks) {
    zx_handle_t parent = make_resizable_vmo(2), child;
    put(parent, 0, 1);
    put(parent, 1, 2);
    child = make_snapshot(parent, 2);
    EXPECT_EQ(2, committed_pages(parent));
    EXPECT_EQ(0, committed_pages(child));
    EXPECT_OK(zx_vmo_set_size(parent, 0));
    EXPECT_EQ(0, committed_pages(parent));
    EXPECT_EQ(2, committed_pages(child));
    EXPECT_EQ(1, get(child, 0));
    EXPECT_EQ(2, get(child, 1));
    EXPECT_OK(zx_vmo_set_size(parent, 2 * PAGE));
    EXPECT_EQ(0, get(parent, 1));
    EXPECT_EQ(ZX_ERR_UNAVAILABLE, zx_vmo_set_size(child, PAGE));
    close_handle(parent);
    close_handle(child);
}

/* --- attribution --- */

TEST(clone_costs_nothing_until_one_side_writes) {
    zx_handle_t parent = filled(2), child = make_snapshot(parent, 2);
    EXPECT_EQ(2, committed_pages(parent));
    EXPECT_EQ(0, committed_pages(child));
    put(child, 0, 9);
    EXPECT_EQ(2, committed_pages(parent));
    EXPECT_EQ(1, committed_pages(child));
    put(parent, 0, 8);
    EXPECT_EQ(2, committed_pages(parent));
    EXPECT_EQ(1, committed_pages(child));
    put(parent, 1, 8);
    EXPECT_EQ(2, committed_pages(parent));
    EXPECT_EQ(2, committed_pages(child));
    close_handle(parent);
    EXPECT_EQ(2, committed_pages(child));
    close_handle(child);
}

TEST(clones_of_a_closed_parent_pay_for_what_they_show) {
    zx_handle_t parent = filled(2), first, second;
    REQUIRE_OK(zx_vmo_create_child(parent, ZX_VMO_CHILD_SNAPSHOT, 0, PAGE, &first));
    REQUIRE_OK(zx_vmo_create_child(parent, ZX_VMO_CHILD_SNAPSHOT, PAGE, PAGE, &second));
    EXPECT_EQ(2, committed_pages(parent));
    close_handle(parent);
    EXPECT_EQ(1, committed_pages(first));
    EXPECT_EQ(1, committed_pages(second));
    close_handle(first);
    EXPECT_EQ(2, get(second, 0));
    close_handle(second);
}

TEST(clone_write_of_an_absent_page_commits_it_in_the_writer_only) {
    zx_handle_t parent = make_vmo(2), child = make_snapshot(parent, 2);
    put(child, 0, 1);
    EXPECT_EQ(0, committed_pages(parent));
    EXPECT_EQ(1, committed_pages(child));
    put(parent, 1, 1);
    EXPECT_EQ(1, committed_pages(parent));
    EXPECT_EQ(1, committed_pages(child));
    EXPECT_EQ(0, get(parent, 0));
    EXPECT_EQ(0, get(child, 1));
    close_handle(parent);
    close_handle(child);
}

TEST(commit_of_a_clone_gives_it_pages_of_its_own) {
    zx_handle_t parent = filled(2), child = make_snapshot(parent, 2);
    EXPECT_OK(zx_vmo_op_range(child, ZX_VMO_OP_COMMIT, 0, 2 * PAGE, NULL, 0));
    EXPECT_EQ(2, committed_pages(parent));
    EXPECT_EQ(2, committed_pages(child));
    EXPECT_EQ(1, get(child, 0));
    EXPECT_EQ(2, get(child, 1));
    close_handle(parent);
    close_handle(child);
}

TEST(zero_of_a_clone_does_not_show_the_parents_page) {
    zx_handle_t parent = filled(1), child = make_snapshot(parent, 1);
    EXPECT_OK(zx_vmo_op_range(child, ZX_VMO_OP_ZERO, 0, PAGE, NULL, 0));
    EXPECT_EQ(0, get(child, 0));
    EXPECT_EQ(1, get(parent, 0));
    EXPECT_EQ(1, committed_pages(parent));
    EXPECT_EQ(0, committed_pages(child));
    EXPECT_OK(zx_vmo_op_range(parent, ZX_VMO_OP_ZERO, 0, PAGE, NULL, 0));
    EXPECT_EQ(0, committed_pages(parent));
    EXPECT_EQ(0, committed_pages(child));
    close_handle(parent);
    close_handle(child);
}

TEST(zero_of_a_parents_page_hands_it_to_the_child) {
    zx_handle_t parent = filled(1), child = make_snapshot(parent, 1);
    EXPECT_OK(zx_vmo_op_range(parent, ZX_VMO_OP_ZERO, 0, PAGE, NULL, 0));
    EXPECT_EQ(0, get(parent, 0));
    EXPECT_EQ(1, get(child, 0));
    EXPECT_EQ(0, committed_pages(parent));
    EXPECT_EQ(1, committed_pages(child));
    close_handle(parent);
    close_handle(child);
}

TEST(zero_of_part_of_a_shared_page_forks_it_first) {
    uint8_t bytes[2] = {7, 8}, got[2];
    zx_handle_t parent = make_vmo(1);
    EXPECT_OK(zx_vmo_write(parent, bytes, 0, 2));
    zx_handle_t child = make_snapshot(parent, 1);
    EXPECT_OK(zx_vmo_op_range(child, ZX_VMO_OP_ZERO, 1, 1, NULL, 0));
    EXPECT_OK(zx_vmo_read(child, got, 0, 2));
    EXPECT_EQ(7, got[0]);
    EXPECT_EQ(0, got[1]);
    EXPECT_OK(zx_vmo_read(parent, got, 0, 2));
    EXPECT_EQ(8, got[1]);
    close_handle(parent);
    close_handle(child);
}

TEST(decommit_is_refused_while_there_are_relatives) {
    zx_handle_t parent = filled(1), child = make_snapshot(parent, 1);
    EXPECT_EQ(ZX_ERR_NOT_SUPPORTED,
              zx_vmo_op_range(parent, ZX_VMO_OP_DECOMMIT, 0, PAGE, NULL, 0));
    EXPECT_EQ(ZX_ERR_NOT_SUPPORTED, zx_vmo_op_range(child, ZX_VMO_OP_DECOMMIT, 0, PAGE, NULL, 0));
    close_handle(child);
    EXPECT_OK(zx_vmo_op_range(parent, ZX_VMO_OP_DECOMMIT, 0, PAGE, NULL, 0));
    EXPECT_EQ(0, get(parent, 0));
    close_handle(parent);
}

/* --- family --- */

static bool has_no_children(zx_handle_t vmo) {
    zx_signals_t seen = 0;
    (void)zx_object_wait_one(vmo, 0, 0, &seen);
    return seen & ZX_VMO_ZERO_CHILDREN;
}

TEST(zero_children_is_signalled_while_nobody_descends) {
    zx_handle_t parent = filled(1);
    EXPECT(has_no_children(parent));
    zx_handle_t a = make_snapshot(parent, 1), b = make_snapshot(parent, 1);
    EXPECT(!has_no_children(parent));
    EXPECT_EQ(2, vmo_info_of(parent).num_children);
    close_handle(a);
    EXPECT(!has_no_children(parent));
    EXPECT_EQ(1, vmo_info_of(parent).num_children);
    volatile uint8_t *view = map_vmo(b, ZX_VM_PERM_READ, 1);
    close_handle(b);
    EXPECT(!has_no_children(parent));
    unmap(view, 1);
    EXPECT_OK(zx_object_wait_one(parent, ZX_VMO_ZERO_CHILDREN, zx_deadline_after(ZX_SEC(5)), NULL));
    EXPECT_EQ(0, vmo_info_of(parent).num_children);
    close_handle(parent);
}

TEST(zero_children_waits_for_the_clone_of_a_closed_clone) {
    zx_handle_t a = filled(1), b = make_snapshot(a, 1), c = make_snapshot(b, 1);
    close_handle(b);
    EXPECT(!has_no_children(a));
    close_handle(c);
    EXPECT_OK(zx_object_wait_one(a, ZX_VMO_ZERO_CHILDREN, zx_deadline_after(ZX_SEC(5)), NULL));
    close_handle(a);
}

TEST(info_of_a_clone_names_its_parent) {
    zx_handle_t parent = filled(1), child = make_snapshot(parent, 1);
    zx_koid_t koid = koid_of(parent);
    EXPECT_EQ(koid, vmo_info_of(child).parent_koid);
    EXPECT_EQ(ZX_INFO_VMO_TYPE_PAGED | ZX_INFO_VMO_IS_COW_CLONE | ZX_INFO_VMO_VIA_HANDLE,
              vmo_info_of(child).flags);
    close_handle(parent);
    EXPECT_EQ(koid, vmo_info_of(child).parent_koid);
    close_handle(child);
}

/* --- through mappings --- */

TEST(parents_writable_view_forks_after_the_clone) {
    zx_handle_t parent = make_vmo(2);
    volatile uint8_t *view = map_vmo(parent, READ_WRITE, 2);
    view[0] = 1;
    view[PAGE] = 2;
    zx_handle_t child = make_snapshot(parent, 2);
    view[0] = 10;
    EXPECT_EQ(1, get(child, 0));
    EXPECT_EQ(10, get(parent, 0));
    EXPECT_EQ(2, view[PAGE]);
    EXPECT_EQ(3, committed_pages(parent) + committed_pages(child));
    unmap(view, 2);
    close_handle(child);
    close_handle(parent);
}

TEST(childs_view_does_not_stay_on_a_replaced_page) {
    zx_handle_t parent = filled(1), child = make_snapshot(parent, 1);
    volatile uint8_t *reads = map_vmo(child, ZX_VM_PERM_READ, 1);
    volatile uint8_t *writes = map_vmo(child, READ_WRITE, 1);
    EXPECT_EQ(1, reads[0]);
    put(parent, 0, 5);
    EXPECT_EQ(1, reads[0]);
    writes[0] = 6;
    EXPECT_EQ(6, reads[0]);
    put(child, 0, 7);
    EXPECT_EQ(7, reads[0]);
    EXPECT_EQ(7, writes[0]);
    EXPECT_EQ(5, get(parent, 0));
    unmap(reads, 1);
    unmap(writes, 1);
    close_handle(parent);
    close_handle(child);
}

TEST(p40_clone_of_1000_pages_costs_no_pages_and_isolates_writes) {
    enum { PAGES = 1000 };
    zx_handle_t parent = make_vmo(PAGES);
    for (size_t i = 0; i < PAGES; i += 37)
        put(parent, i, (uint8_t)i);
    EXPECT_OK(zx_vmo_op_range(parent, ZX_VMO_OP_COMMIT, 0, PAGES * PAGE, NULL, 0));
    zx_handle_t child = make_snapshot(parent, PAGES);
    EXPECT_EQ(PAGES, committed_pages(parent) + committed_pages(child));
    put(parent, 37, 1);
    put(child, 74, 2);
    EXPECT_EQ(PAGES + 2, committed_pages(parent) + committed_pages(child));
    EXPECT_EQ(37, get(child, 37));
    EXPECT_EQ(74, get(parent, 74));
    EXPECT_EQ(1, get(parent, 37));
    EXPECT_EQ(2, get(child, 74));
    close_handle(parent);
    close_handle(child);
}

TEST(chain_of_10000_clones_is_torn_down) {
    zx_handle_t last = filled(1);
    for (unsigned i = 0; i < 10000; i++) {
        zx_handle_t next = make_snapshot(last, 1);
        if (i % 100 == 0)
            put(next, 0, (uint8_t)(i / 100));
        close_handle(last);
        last = next;
    }
    EXPECT_EQ(99, get(last, 0));
    EXPECT_EQ(1, committed_pages(last));
    close_handle(last);
}
