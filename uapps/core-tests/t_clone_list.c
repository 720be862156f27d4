/*
 * t_clone_list.c - the checklist for clones of ZX-ABI.md section 4.10, line by line.
 *
 * Each line names its tests; tests/lint/checklists.py finds each of them. Those that are
 * not here are in t_vmo_clone.c, t_vmo_alias.c and t_fault.c; those with a dot are the
 * kernel's own (KTEST).
 *
 * CHECKLIST 4.10
 *   clone of clone both directions: clone_of_a_clone_is_separate_in_both_directions
 *   parent write after clone: clone_keeps_what_the_parent_overwrites
 *   child write after clone: clone_writes_do_not_reach_the_parent
 *   write in both: clone_and_parent_may_both_write_a_page
 *   closing orders of 3: three_generations_may_be_closed_in_every_order
 *   closing orders of 4: clones_may_be_closed_in_every_order
 *   unaligned offset: clone_at_an_unaligned_offset_is_refused
 *   size 0: clone_of_size_zero_is_empty
 *   window past end: clone_that_passes_the_parents_end_shows_zeros_there
 *   window entirely past end: clone_wholly_past_the_parents_end_is_all_zeros
 *   grow/shrink of parent and child before and after writes:
 *       resizing_one_side_before_or_after_writes_leaves_the_other_alone
 *   shrink-then-grow zeros: what_was_cut_off_is_zero_when_it_grows_again
 *   parent mapping written after clone: parents_writable_view_forks_after_the_clone
 *   child mapping read before parent write: childs_view_does_not_stay_on_a_replaced_page
 *   read-only parent handle: clone_of_a_read_only_handle_may_be_written
 *   slice write-through: a_slice_and_its_parent_show_the_same_bytes
 *   slice of slice: a_slice_of_a_slice_adds_the_offsets
 *   slice of resizable: slice_of_a_resizable_object_is_refused
 *   slice past end: slice_past_the_end_is_refused
 *   clone of slice: clone_of_a_slice_is_refused
 *   clone of physical: vmo.a_physical_object_is_not_cloned_but_sliced
 *   clone of contiguous: vmo.a_contiguous_object_is_not_cloned_or_decommitted_but_sliced
 *   pinned parent: vmo.a_pinned_object_is_not_cloned_cut_or_decommitted,
 *       vmo.a_slice_of_a_pinned_object_is_fine
 *   uncached parent: vmo.an_uncached_object_is_not_cloned
 *   decommit refusals and recovery: decommit_is_refused_while_there_are_relatives
 *   ZERO_CHILDREN on each path: zero_children_follows_every_kind_of_child_and_every_end
 *   info fields: info_of_a_clone_names_its_parent
 *   attribution sums: charges_of_a_family_sum_up_to_its_pages
 *   out-of-memory in the middle of a fork: vmo.P53_a_fork_without_memory_changes_nothing
 *   10^4-deep chain teardown: chain_of_10000_living_clones_is_torn_down_from_both_ends
 *   concurrent forks on one page: faults_of_several_threads_on_one_shared_page_lose_no_write
 * END
 */
#include <jacinth/utest.h>
#include <string.h>

#include "core-tests/support.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static zx_handle_t filled(size_t pages) {
    zx_handle_t vmo = make_resizable_vmo(pages);
    for (size_t i = 0; i < pages; i++)
        put(vmo, i, (uint8_t)(i + 1));
    return vmo;
}

static zx_handle_t child_of(zx_handle_t vmo, uint32_t options, uint64_t offset, uint64_t size) {
    zx_handle_t child = ZX_HANDLE_INVALID;
    EXPECT_OK(zx_vmo_create_child(vmo, options, offset, size, &child));
    return child;
}

static zx_status_t refused(zx_handle_t vmo, uint32_t options, uint64_t offset, uint64_t size) {
    zx_handle_t child = ZX_HANDLE_INVALID;
    zx_status_t status = zx_vmo_create_child(vmo, options, offset, size, &child);
    EXPECT_EQ(ZX_HANDLE_INVALID, child);
    return status;
}

/* ---- Writes ---- */

TEST(clone_keeps_what_the_parent_overwrites) {
    zx_handle_t parent = filled(2), clone = make_snapshot(parent, 2);
    put(parent, 0, 50);
    EXPECT_EQ(1, get(clone, 0));
    EXPECT_EQ(2, get(clone, 1));
    EXPECT_EQ(50, get(parent, 0));
    close_handle(parent);
    EXPECT_EQ(1, get(clone, 0));
    close_handle(clone);
}

TEST(clone_writes_do_not_reach_the_parent) {
    zx_handle_t parent = filled(2), clone = make_snapshot(parent, 2);
    put(clone, 0, 60);
    EXPECT_EQ(1, get(parent, 0));
    EXPECT_EQ(60, get(clone, 0));
    EXPECT_EQ(2, get(clone, 1));
    close_handle(clone);
    EXPECT_EQ(1, get(parent, 0));
    close_handle(parent);
}

TEST(clone_and_parent_may_both_write_a_page) {
    for (unsigned parent_first = 0; parent_first < 2; parent_first++) {
        zx_handle_t parent = filled(1), clone = make_snapshot(parent, 1);
        put(parent_first ? parent : clone, 0, 70);
        put(parent_first ? clone : parent, 0, 71);
        EXPECT_EQ(parent_first ? 70 : 71, get(parent, 0));
        EXPECT_EQ(parent_first ? 71 : 70, get(clone, 0));
        EXPECT_EQ(2, committed_pages(parent) + committed_pages(clone));
        close_handle(parent);
        close_handle(clone);
    }
}

/* ---- Closing ---- */

static void close_three(const unsigned order[3], bool chain) {
    zx_handle_t vmo[3];
    bool open[3] = {true, true, true};
    vmo[0] = filled(3);
    vmo[1] = make_snapshot(vmo[0], 3);
    put(vmo[1], 1, 51);
    vmo[2] = make_snapshot(vmo[chain ? 1 : 0], 3);
    put(vmo[2], 2, 62);
    const uint8_t want[3][3] = {{1, 2, 3}, {1, 51, 3}, {1, chain ? 51 : 2, 62}};
    for (unsigned i = 0; i < 3; i++) {
        close_handle(vmo[order[i]]);
        open[order[i]] = false;
        for (unsigned left = 0; left < 3; left++)
            for (unsigned page = 0; open[left] && page < 3; page++)
                EXPECT_EQ(want[left][page], get(vmo[left], page));
    }
}

TEST(three_generations_may_be_closed_in_every_order) {
    static const unsigned orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                         {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    for (unsigned i = 0; i < COUNT(orders); i++) {
        close_three(orders[i], true);
        close_three(orders[i], false);
    }
}

/* ---- Windows ---- */

TEST(clone_at_an_unaligned_offset_is_refused) {
    static const uint32_t types[] = {
        ZX_VMO_CHILD_SNAPSHOT, ZX_VMO_CHILD_SNAPSHOT_AT_LEAST_ON_WRITE,
        ZX_VMO_CHILD_SNAPSHOT_MODIFIED, ZX_VMO_CHILD_SLICE, ZX_VMO_CHILD_REFERENCE};
    static const uint64_t offsets[] = {1, 8, PAGE - 1, PAGE + 1, ((uint64_t)1 << 63) + 1,
                                       UINT64_MAX};
    zx_handle_t parent = make_vmo(3);
    for (unsigned i = 0; i < COUNT(types); i++)
        for (unsigned k = 0; k < COUNT(offsets); k++)
            EXPECT_EQ(ZX_ERR_INVALID_ARGS, refused(parent, types[i], offsets[k], PAGE));
    EXPECT_EQ(0, vmo_info_of(parent).num_children);
    close_handle(parent);
}

TEST(clone_of_size_zero_is_empty) {
    zx_handle_t parent = filled(2);
    for (uint64_t offset = 0; offset <= 3 * PAGE; offset += PAGE) {
        zx_handle_t clone = child_of(parent, ZX_VMO_CHILD_SNAPSHOT, offset, 0);
        uint8_t byte = 0;
        EXPECT_EQ(0, vmo_info_of(clone).size_bytes);
        EXPECT_OK(zx_vmo_read(clone, &byte, 0, 0));
        EXPECT_EQ(ZX_ERR_OUT_OF_RANGE, zx_vmo_read(clone, &byte, 0, 1));
        EXPECT_EQ(1, vmo_info_of(parent).num_children);
        close_handle(clone);
    }
    zx_handle_t clone = child_of(parent, ZX_VMO_CHILD_SNAPSHOT | ZX_VMO_CHILD_RESIZABLE, 0, 0);
    EXPECT_OK(zx_vmo_set_size(clone, PAGE));
    EXPECT_EQ(0, get(clone, 0)); /* the window was empty, and stays so */
    close_handle(clone);
    close_handle(parent);
}

TEST(clone_that_passes_the_parents_end_shows_zeros_there) {
    zx_handle_t parent = filled(3), clone = child_of(parent, ZX_VMO_CHILD_SNAPSHOT, PAGE, 4 * PAGE);
    EXPECT_EQ(2, get(clone, 0));
    EXPECT_EQ(3, get(clone, 1));
    EXPECT_EQ(0, get(clone, 2));
    EXPECT_EQ(0, get(clone, 3));
    put(clone, 3, 9);
    EXPECT_EQ(1, committed_pages(clone));
    EXPECT_OK(zx_vmo_set_size(parent, 5 * PAGE));
    put(parent, 3, 8);
    EXPECT_EQ(0, get(clone, 2));
    EXPECT_EQ(9, get(clone, 3));
    close_handle(clone);
    close_handle(parent);
}

TEST(clone_wholly_past_the_parents_end_is_all_zeros) {
    zx_handle_t parent = filled(2);
    static const uint64_t offsets[] = {2 * PAGE, 3 * PAGE, (uint64_t)1 << 40};
    for (unsigned i = 0; i < COUNT(offsets); i++) {
        zx_handle_t clone = child_of(parent, ZX_VMO_CHILD_SNAPSHOT, offsets[i], 2 * PAGE);
        EXPECT_EQ(0, get(clone, 0));
        put(clone, 1, 5);
        EXPECT_EQ(1, committed_pages(clone));
        EXPECT_EQ(2, committed_pages(parent));
        close_handle(clone);
    }
    EXPECT_EQ(ZX_ERR_INVALID_ARGS,
              refused(parent, ZX_VMO_CHILD_SNAPSHOT, UINT64_MAX - PAGE + 1, 2 * PAGE));
    EXPECT_EQ(ZX_ERR_OUT_OF_RANGE,
              refused(parent, ZX_VMO_CHILD_SNAPSHOT, (uint64_t)1 << 63, 2 * PAGE));
    close_handle(parent);
}

/* ---- Sizes ---- */

/* What the bytes of two objects should be; plain arrays. */
struct side {
    zx_handle_t vmo;
    size_t pages;
    uint8_t byte[6];
};

static void side_resize(struct side *side, size_t pages) {
    EXPECT_OK(zx_vmo_set_size(side->vmo, pages * PAGE));
    for (size_t i = pages; i < side->pages; i++)
        side->byte[i] = 0;
    side->pages = pages;
}

static void side_write(struct side *side, uint8_t first) {
    for (size_t i = 0; i < side->pages; i += 2) {
        side->byte[i] = (uint8_t)(first + i);
        put(side->vmo, i, side->byte[i]);
    }
}

static void side_expect(const struct side *side) {
    EXPECT_EQ(side->pages * PAGE, vmo_info_of(side->vmo).size_bytes);
    for (size_t i = 0; i < side->pages; i++)
        EXPECT_EQ(side->byte[i], get(side->vmo, i));
}

/* One of two sides is resized, before or after that many writes on one or the other. */
static void resize_case(bool resize_parent, bool write_parent, bool before, size_t pages) {
    struct side parent = {filled(4), 4, {1, 2, 3, 4}}, clone = {0, 4, {1, 2, 3, 4}};
    clone.vmo = child_of(parent.vmo, ZX_VMO_CHILD_SNAPSHOT | ZX_VMO_CHILD_RESIZABLE, 0, 4 * PAGE);
    struct side *resized = resize_parent ? &parent : &clone;
    struct side *written = write_parent ? &parent : &clone;
    if (before)
        side_resize(resized, pages);
    side_write(written, 100);
    if (!before)
        side_resize(resized, pages);
    side_expect(&parent);
    side_expect(&clone);
    side_resize(resized, 6);
    side_expect(&parent);
    side_expect(&clone);
    close_handle(parent.vmo);
    side_expect(&clone);
    close_handle(clone.vmo);
}

TEST(resizing_one_side_before_or_after_writes_leaves_the_other_alone) {
    static const size_t sizes[] = {0, 1, 3, 4, 6};
    for (unsigned i = 0; i < COUNT(sizes); i++)
        for (unsigned which = 0; which < 8; which++)
            resize_case(which & 1, which & 2, which & 4, sizes[i]);
}

TEST(what_was_cut_off_is_zero_when_it_grows_again) {
    zx_handle_t parent = filled(3);
    zx_handle_t clone = child_of(parent, ZX_VMO_CHILD_SNAPSHOT | ZX_VMO_CHILD_RESIZABLE, 0,
                                 3 * PAGE);
    EXPECT_OK(zx_vmo_set_size(clone, PAGE));
    EXPECT_OK(zx_vmo_set_size(clone, 3 * PAGE));
    EXPECT_EQ(1, get(clone, 0));
    EXPECT_EQ(0, get(clone, 1));
    EXPECT_EQ(0, get(clone, 2));
    EXPECT_EQ(2, get(parent, 1));
    EXPECT_OK(zx_vmo_set_size(parent, 0));
    EXPECT_OK(zx_vmo_set_size(parent, 3 * PAGE));
    for (unsigned page = 0; page < 3; page++)
        EXPECT_EQ(0, get(parent, page));
    EXPECT_EQ(1, get(clone, 0));
    EXPECT_EQ(0, committed_pages(parent));
    EXPECT_EQ(1, committed_pages(clone));
    close_handle(clone);
    close_handle(parent);
}

/* ---- Rights, slices ---- */

TEST(clone_of_a_read_only_handle_may_be_written) {
    zx_handle_t parent = filled(1), weak = copy_without(parent, ZX_RIGHT_WRITE);
    zx_handle_t clone = child_of(weak, ZX_VMO_CHILD_SNAPSHOT, 0, PAGE);
    EXPECT(rights_of(clone) & ZX_RIGHT_WRITE);
    put(clone, 0, 9);
    EXPECT_EQ(1, get(parent, 0));
    zx_handle_t slice = ZX_HANDLE_INVALID;
    zx_handle_t fixed = make_vmo(1), fixed_weak = copy_without(fixed, ZX_RIGHT_WRITE);
    REQUIRE_OK(zx_vmo_create_child(fixed_weak, ZX_VMO_CHILD_SLICE, 0, PAGE, &slice));
    EXPECT_EQ(0, rights_of(slice) & ZX_RIGHT_WRITE);
    close_handle(slice);
    close_handle(fixed_weak);
    close_handle(fixed);
    close_handle(clone);
    close_handle(weak);
    close_handle(parent);
}

TEST(slice_of_a_resizable_object_is_refused) {
    zx_handle_t parent = filled(2);
    EXPECT_EQ(ZX_ERR_NOT_SUPPORTED, refused(parent, ZX_VMO_CHILD_SLICE, 0, PAGE));
    EXPECT_EQ(ZX_ERR_NOT_SUPPORTED, refused(parent, ZX_VMO_CHILD_SLICE, 2 * PAGE, 0));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, refused(parent, ZX_VMO_CHILD_SLICE, 0, 3 * PAGE));
    close_handle(parent);
}

TEST(slice_past_the_end_is_refused) {
    static const struct {
        uint64_t offset, size;
        zx_status_t status;
    } rows[] = {
        {0, 3 * PAGE, ZX_ERR_INVALID_ARGS},
        {0, 2 * PAGE + 1, ZX_ERR_INVALID_ARGS},
        {PAGE, 2 * PAGE, ZX_ERR_INVALID_ARGS},
        {3 * PAGE, 0, ZX_ERR_INVALID_ARGS},
        {(uint64_t)1 << 63, PAGE, ZX_ERR_INVALID_ARGS},
        {UINT64_MAX - PAGE + 1, PAGE, ZX_ERR_INVALID_ARGS},
        {0, UINT64_MAX, ZX_ERR_OUT_OF_RANGE},
    };
    zx_handle_t parent = make_vmo(2);
    for (unsigned i = 0; i < COUNT(rows); i++)
        EXPECT_EQ(rows[i].status, refused(parent, ZX_VMO_CHILD_SLICE, rows[i].offset,
                                          rows[i].size));
    close_handle(child_of(parent, ZX_VMO_CHILD_SLICE, 2 * PAGE, 0));
    close_handle(child_of(parent, ZX_VMO_CHILD_SLICE, PAGE, PAGE));
    close_handle(parent);
}

TEST(clone_of_a_slice_is_refused) {
    zx_handle_t parent = make_vmo(2), slice = child_of(parent, ZX_VMO_CHILD_SLICE, 0, PAGE);
    EXPECT_EQ(ZX_ERR_NOT_SUPPORTED, refused(slice, ZX_VMO_CHILD_SNAPSHOT, 0, PAGE));
    EXPECT_EQ(ZX_ERR_NOT_SUPPORTED,
              refused(slice, ZX_VMO_CHILD_SNAPSHOT_AT_LEAST_ON_WRITE, 0, PAGE));
    EXPECT_EQ(ZX_ERR_NOT_SUPPORTED, refused(slice, ZX_VMO_CHILD_SNAPSHOT_MODIFIED, 0, PAGE));
    EXPECT_EQ(ZX_ERR_NOT_SUPPORTED, refused(slice, ZX_VMO_CHILD_REFERENCE, 0, 0));
    close_handle(slice);
    close_handle(parent);
}

/* ---- Families ---- */

static bool has_no_children(zx_handle_t vmo) {
    zx_signals_t seen = 0;
    (void)zx_object_wait_one(vmo, 0, 0, &seen);
    return seen & ZX_VMO_ZERO_CHILDREN;
}

static void wait_for_no_children(zx_handle_t vmo) {
    EXPECT_OK(zx_object_wait_one(vmo, ZX_VMO_ZERO_CHILDREN, zx_deadline_after(ZX_SEC(10)), NULL));
    EXPECT_EQ(0, vmo_info_of(vmo).num_children);
}

/* The child's last handle, its last mapping, the process that has either, its own child. */
static void end_child(zx_handle_t parent, zx_handle_t child, unsigned way, bool can_clone) {
    zx_handle_t process, vmar, grandchild;
    zx_vaddr_t address;
    EXPECT(!has_no_children(parent));
    if (way == 1) {
        volatile uint8_t *view = map_vmo(child, ZX_VM_PERM_READ, 1);
        close_handle(child);
        EXPECT(!has_no_children(parent));
        unmap(view, 1);
    } else if (way == 2) {
        EXPECT_OK(zx_process_create(zx_job_default(), "holder", 6, 0, &process, &vmar));
        EXPECT_OK(zx_vmar_map(vmar, ZX_VM_PERM_READ, 0, child, 0, PAGE, &address));
        close_handle(child);
        EXPECT(!has_no_children(parent));
        EXPECT_OK(zx_task_kill(process));
        close_handle(process);
        close_handle(vmar);
    } else if (way == 3 && can_clone) {
        grandchild = make_snapshot(child, 1);
        close_handle(child);
        EXPECT(!has_no_children(parent));
        EXPECT_EQ(1, vmo_info_of(parent).num_children);
        close_handle(grandchild);
    } else {
        close_handle(child);
    }
    wait_for_no_children(parent);
}

TEST(zero_children_follows_every_kind_of_child_and_every_end) {
    static const uint32_t types[] = {
        ZX_VMO_CHILD_SNAPSHOT, ZX_VMO_CHILD_SNAPSHOT_AT_LEAST_ON_WRITE,
        ZX_VMO_CHILD_SNAPSHOT_MODIFIED, ZX_VMO_CHILD_SLICE, ZX_VMO_CHILD_REFERENCE};
    zx_handle_t parent = make_vmo(1);
    EXPECT(has_no_children(parent));
    for (unsigned i = 0; i < COUNT(types); i++)
        for (unsigned way = 0; way < 4; way++) {
            uint64_t size = types[i] == ZX_VMO_CHILD_REFERENCE ? 0 : PAGE;
            end_child(parent, child_of(parent, types[i], 0, size), way,
                      types[i] != ZX_VMO_CHILD_SLICE);
        }
    EXPECT(refused(parent, ZX_VMO_CHILD_SNAPSHOT, 1, PAGE) != ZX_OK);
    EXPECT(has_no_children(parent)); /* a refused child is none */
    close_handle(parent);
}

static size_t family_pages(const zx_handle_t *members, size_t count) {
    size_t pages = 0;
    for (size_t i = 0; i < count; i++) {
        size_t own = members[i] ? committed_pages(members[i]) : 0;
        if (own)
            EXPECT(own * PAGE <= vmo_info_of(members[i]).size_bytes);
        pages += own;
    }
    return pages;
}

/* Eight pages; each write of a shared page makes one more, each end frees those seen by none. */
TEST(charges_of_a_family_sum_up_to_its_pages) {
    zx_handle_t members[5] = {filled(8)};
    for (unsigned i = 1; i < 5; i++)
        members[i] = make_snapshot(members[i / 2], 8); /* 1 and 2... of 0, 1, 1, 2 */
    EXPECT_EQ(8, family_pages(members, 5));
    EXPECT_EQ(8, committed_pages(members[0]));
    for (unsigned i = 0; i < 5; i++) {
        put(members[i], i, 90);
        EXPECT_EQ(9 + i, family_pages(members, 5));
    }
    EXPECT_OK(zx_vmo_op_range(members[4], ZX_VMO_OP_COMMIT, 0, 8 * PAGE, NULL, 0));
    EXPECT_EQ(13 + 7, family_pages(members, 5));
    close_handle(members[4]); /* its eight were nobody else's */
    members[4] = ZX_HANDLE_INVALID;
    EXPECT_EQ(12, family_pages(members, 5));
    close_handle(members[0]); /* only the page that it wrote goes */
    members[0] = ZX_HANDLE_INVALID;
    EXPECT_EQ(11, family_pages(members, 5));
    EXPECT_EQ(8, committed_pages(members[1]));
    for (unsigned i = 1; i < 4; i++) {
        close_handle(members[i]);
        members[i] = ZX_HANDLE_INVALID;
        EXPECT_EQ(i == 1 ? 10 : i == 2 ? 8 : 0, family_pages(members, 5));
    }
}

/* ---- Depth ---- */

#define CHAIN 10000
static zx_handle_t chain[CHAIN];

static void chain_make(void) {
    chain[0] = filled(1);
    for (unsigned i = 1; i < CHAIN; i++) {
        chain[i] = make_snapshot(chain[i - 1], 1);
        if (i % 1000 == 0)
            put(chain[i], 0, (uint8_t)(i / 1000 + 10));
    }
}

static uint8_t chain_byte(unsigned i) { return i < 1000 ? 1 : (uint8_t)(i / 1000 + 10); }

TEST(chain_of_10000_living_clones_is_torn_down_from_both_ends) {
    chain_make();
    EXPECT_EQ(1, vmo_info_of(chain[0]).num_children);
    for (unsigned i = 0; i < CHAIN / 2; i++) { /* the oldest and the youngest, to the middle */
        if (i % 500 == 0) {
            EXPECT_EQ(chain_byte(i), get(chain[i], 0));
            EXPECT_EQ(chain_byte(CHAIN - 1 - i), get(chain[CHAIN - 1 - i], 0));
        }
        close_handle(chain[i]);
        close_handle(chain[CHAIN - 1 - i]);
    }
    chain_make();
    for (unsigned i = 0; i < CHAIN; i++) /* every other one first */
        close_handle(chain[i < CHAIN / 2 ? 2 * i : 2 * (i - CHAIN / 2) + 1]);
}
