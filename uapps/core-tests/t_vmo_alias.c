/*
 * t_vmo_alias.c - slices, references, the weaker snapshots, content size, hints
 * (ZX-ABI.md sections 4.1, 4.7, 4.8; ABI-MORE.md section S2).
 */
#include <jacinth/utest.h>
#include <string.h>
#include <zircon/process.h>
#include <zircon/syscalls.h>

#define PAGE ((uint64_t)ZX_PAGE_SIZE)

static uint8_t byte_at(zx_handle_t vmo, uint64_t offset) {
    uint8_t byte = 0xee;
    EXPECT_OK(zx_vmo_read(vmo, &byte, offset, 1));
    return byte;
}
static void set_byte(zx_handle_t vmo, uint64_t offset, uint8_t byte) {
    EXPECT_OK(zx_vmo_write(vmo, &byte, offset, 1));
}
static zx_info_vmo_t info_of(zx_handle_t vmo) {
    zx_info_vmo_t info = {0};
    EXPECT_OK(zx_object_get_info(vmo, ZX_INFO_VMO, &info, sizeof info, NULL, NULL));
    return info;
}
static zx_handle_t child_of(zx_handle_t vmo, uint32_t options, uint64_t offset, uint64_t size) {
    zx_handle_t child = ZX_HANDLE_INVALID;
    EXPECT_OK(zx_vmo_create_child(vmo, options, offset, size, &child));
    return child;
}

TEST(a_slice_and_its_parent_show_the_same_bytes) {
    zx_handle_t vmo;
    REQUIRE_OK(zx_vmo_create(4 * PAGE, 0, &vmo));
    set_byte(vmo, PAGE + 7, 'a');
    zx_handle_t slice = child_of(vmo, ZX_VMO_CHILD_SLICE, PAGE, 2 * PAGE);
    EXPECT_EQ('a', byte_at(slice, 7));
    set_byte(slice, PAGE, 'b');
    EXPECT_EQ('b', byte_at(vmo, 2 * PAGE));
    uint8_t byte = 0;
    EXPECT_EQ(ZX_ERR_OUT_OF_RANGE, zx_vmo_write(slice, &byte, 2 * PAGE, 1));
    EXPECT_EQ(ZX_ERR_UNAVAILABLE, zx_vmo_set_size(slice, PAGE));
    EXPECT_EQ(0, info_of(slice).committed_bytes);
    EXPECT_EQ(2 * PAGE, info_of(vmo).committed_bytes);
    EXPECT_EQ(1, info_of(vmo).num_children);
    EXPECT_EQ(0, info_of(slice).flags & ZX_INFO_VMO_IS_COW_CLONE);
    EXPECT_OK(zx_handle_close(vmo));
    EXPECT_EQ('a', byte_at(slice, 7)); /* the parent's last handle does not disturb it */
    EXPECT_OK(zx_handle_close(slice));
}

TEST(a_slice_of_a_slice_adds_the_offsets) {
    zx_handle_t vmo;
    REQUIRE_OK(zx_vmo_create(4 * PAGE, 0, &vmo));
    set_byte(vmo, 3 * PAGE, 'x');
    zx_handle_t outer = child_of(vmo, ZX_VMO_CHILD_SLICE, PAGE, 3 * PAGE);
    zx_handle_t inner = child_of(outer, ZX_VMO_CHILD_SLICE, 2 * PAGE, PAGE);
    EXPECT_EQ('x', byte_at(inner, 0));
    EXPECT_OK(zx_handle_close(outer));
    zx_signals_t signals;
    EXPECT_EQ(ZX_ERR_TIMED_OUT,
              zx_object_wait_one(vmo, ZX_VMO_ZERO_CHILDREN, 0, &signals)); /* the inner one lives */
    EXPECT_OK(zx_handle_close(inner));
    EXPECT_OK(zx_object_wait_one(vmo, ZX_VMO_ZERO_CHILDREN, ZX_TIME_INFINITE, &signals));
    EXPECT_OK(zx_handle_close(vmo));
}

TEST(what_cannot_be_a_slice_is_refused) {
    zx_handle_t fixed, resizable, slice, none;
    REQUIRE_OK(zx_vmo_create(2 * PAGE, 0, &fixed));
    REQUIRE_OK(zx_vmo_create(2 * PAGE, ZX_VMO_RESIZABLE, &resizable));
    const uint32_t kind = ZX_VMO_CHILD_SLICE;
    EXPECT_EQ(ZX_ERR_NOT_SUPPORTED, zx_vmo_create_child(resizable, kind, 0, PAGE, &none));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_vmo_create_child(fixed, kind, PAGE, 2 * PAGE, &none));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_vmo_create_child(fixed, kind, 1, PAGE, &none));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS,
              zx_vmo_create_child(fixed, kind | ZX_VMO_CHILD_RESIZABLE, 0, PAGE, &none));
    slice = child_of(fixed, kind, 2 * PAGE, 0); /* empty, at the very end */
    EXPECT_EQ(ZX_ERR_NOT_SUPPORTED, zx_vmo_create_child(slice, ZX_VMO_CHILD_SNAPSHOT, 0, 0, &none));
    EXPECT_OK(zx_handle_close(slice));
    EXPECT_OK(zx_handle_close(fixed));
    EXPECT_OK(zx_handle_close(resizable));
}

TEST(a_mapped_slice_shows_writes_and_ends_at_its_end) {
    zx_handle_t vmo;
    zx_vaddr_t address;
    REQUIRE_OK(zx_vmo_create(4 * PAGE, 0, &vmo));
    zx_handle_t slice = child_of(vmo, ZX_VMO_CHILD_SLICE, PAGE, PAGE);
    const zx_vm_option_t perm = ZX_VM_PERM_READ | ZX_VM_PERM_WRITE;
    EXPECT_EQ(ZX_ERR_BUFFER_TOO_SMALL,
              zx_vmar_map(zx_vmar_root_self(), perm, 0, slice, 0, 2 * PAGE, &address));
    REQUIRE_OK(zx_vmar_map(zx_vmar_root_self(), perm, 0, slice, 0, PAGE, &address));
    *(volatile uint8_t *)address = 'm';
    EXPECT_EQ('m', byte_at(vmo, PAGE));
    set_byte(vmo, PAGE + 1, 'n');
    EXPECT_EQ('n', ((volatile uint8_t *)address)[1]);
    EXPECT_EQ(1, info_of(slice).num_mappings);
    EXPECT_EQ(0, info_of(vmo).num_mappings);
    /* A snapshot of the parent takes write permission from the slice's mapping as well. */
    zx_handle_t snapshot = child_of(vmo, ZX_VMO_CHILD_SNAPSHOT, 0, 4 * PAGE);
    *(volatile uint8_t *)address = 'z';
    EXPECT_EQ('m', byte_at(snapshot, PAGE));
    EXPECT_EQ('z', byte_at(vmo, PAGE));
    EXPECT_OK(zx_vmar_unmap(zx_vmar_root_self(), address, PAGE));
    EXPECT_OK(zx_handle_close(snapshot));
    EXPECT_OK(zx_handle_close(slice));
    EXPECT_OK(zx_handle_close(vmo));
}

TEST(range_operations_on_a_slice_go_to_the_parent) {
    zx_handle_t vmo;
    REQUIRE_OK(zx_vmo_create(4 * PAGE, 0, &vmo));
    zx_handle_t slice = child_of(vmo, ZX_VMO_CHILD_SLICE, 2 * PAGE, 2 * PAGE);
    EXPECT_OK(zx_vmo_op_range(slice, ZX_VMO_OP_COMMIT, 0, 2 * PAGE, NULL, 0));
    EXPECT_EQ(2 * PAGE, info_of(vmo).committed_bytes);
    set_byte(vmo, 2 * PAGE, 'q');
    EXPECT_OK(zx_vmo_op_range(slice, ZX_VMO_OP_ZERO, 0, 1, NULL, 0));
    EXPECT_EQ(0, byte_at(vmo, 2 * PAGE));
    EXPECT_OK(zx_vmo_op_range(slice, ZX_VMO_OP_DECOMMIT, 0, PAGE, NULL, 0));
    EXPECT_EQ(PAGE, info_of(vmo).committed_bytes);
    EXPECT_OK(zx_handle_close(slice));
    EXPECT_OK(zx_handle_close(vmo));
}

TEST(a_reference_follows_its_parent) {
    zx_handle_t vmo, none;
    uint64_t size;
    REQUIRE_OK(zx_vmo_create(PAGE, ZX_VMO_RESIZABLE, &vmo));
    zx_handle_t reference = child_of(vmo, ZX_VMO_CHILD_REFERENCE, 0, 0);
    zx_handle_t growing = child_of(vmo, ZX_VMO_CHILD_REFERENCE | ZX_VMO_CHILD_RESIZABLE, 0, 0);
    EXPECT_EQ(ZX_ERR_UNAVAILABLE, zx_vmo_set_size(reference, 2 * PAGE));
    EXPECT_OK(zx_vmo_set_size(growing, 3 * PAGE));
    EXPECT_OK(zx_vmo_get_size(reference, &size));
    EXPECT_EQ(3 * PAGE, size);
    set_byte(reference, 2 * PAGE, 'r');
    EXPECT_EQ('r', byte_at(vmo, 2 * PAGE));
    EXPECT_EQ(0, info_of(reference).committed_bytes);
    EXPECT_EQ(ZX_ERR_INVALID_ARGS,
              zx_vmo_create_child(vmo, ZX_VMO_CHILD_REFERENCE, 0, PAGE, &none));
    /* A snapshot of the reference is one of the memory; its parent is the reference. */
    zx_handle_t snapshot = child_of(reference, ZX_VMO_CHILD_SNAPSHOT, 2 * PAGE, PAGE);
    set_byte(vmo, 2 * PAGE, 's');
    EXPECT_EQ('r', byte_at(snapshot, 0));
    EXPECT_EQ(info_of(reference).koid, info_of(snapshot).parent_koid);
    EXPECT_OK(zx_handle_close(vmo));
    EXPECT_EQ('s', byte_at(reference, 2 * PAGE));
    EXPECT_OK(zx_handle_close(snapshot));
    EXPECT_OK(zx_handle_close(growing));
    EXPECT_OK(zx_handle_close(reference));
}

TEST(the_weaker_snapshots_are_full_ones_on_anonymous_memory) {
    const uint32_t kinds[] = {ZX_VMO_CHILD_SNAPSHOT_AT_LEAST_ON_WRITE,
                              ZX_VMO_CHILD_SNAPSHOT_MODIFIED};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        zx_handle_t vmo;
        REQUIRE_OK(zx_vmo_create(PAGE, 0, &vmo));
        set_byte(vmo, 0, '1');
        zx_handle_t child = child_of(vmo, kinds[i], 0, PAGE);
        set_byte(vmo, 0, '2');
        EXPECT_EQ('1', byte_at(child, 0));
        EXPECT(info_of(child).flags & ZX_INFO_VMO_IS_COW_CLONE);
        EXPECT_OK(zx_handle_close(vmo));
        EXPECT_OK(zx_handle_close(child));
    }
}

TEST(content_size_is_a_number_that_zeroes_what_it_cuts_off) {
    zx_handle_t vmo;
    uint64_t content = 0, size = 0;
    REQUIRE_OK(zx_vmo_create(100, 0, &vmo));
    EXPECT_OK(zx_object_get_property(vmo, ZX_PROP_VMO_CONTENT_SIZE, &content, sizeof content));
    EXPECT_EQ(100, content);
    set_byte(vmo, 10, 'k');
    set_byte(vmo, 20, 'l');
    content = 15;
    EXPECT_OK(zx_object_set_property(vmo, ZX_PROP_VMO_CONTENT_SIZE, &content, sizeof content));
    EXPECT_EQ('k', byte_at(vmo, 10));
    EXPECT_EQ(0, byte_at(vmo, 20));
    EXPECT_OK(zx_vmo_get_size(vmo, &size));
    EXPECT_EQ(PAGE, size);
    EXPECT_EQ(ZX_ERR_BUFFER_TOO_SMALL,
              zx_object_get_property(vmo, ZX_PROP_VMO_CONTENT_SIZE, &content, 4));
    EXPECT_OK(zx_handle_close(vmo));
}

TEST(the_content_size_is_not_for_those_who_may_not_write) {
    zx_handle_t vmo;
    uint64_t content = 0;
    REQUIRE_OK(zx_vmo_create(PAGE, 0, &vmo));
    set_byte(vmo, 0, 'w');
    zx_handle_t view = child_of(vmo, ZX_VMO_CHILD_SLICE | ZX_VMO_CHILD_NO_WRITE, 0, PAGE);
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED,
              zx_object_set_property(view, ZX_PROP_VMO_CONTENT_SIZE, &content, sizeof content));
    EXPECT_EQ('w', byte_at(vmo, 0));
    EXPECT_OK(zx_handle_close(view));
    EXPECT_OK(zx_handle_close(vmo));
}

TEST(a_window_that_is_too_far_off_gets_the_error_of_its_kind) {
    const uint64_t far = (uint64_t)0 - PAGE;
    zx_handle_t vmo, none;
    REQUIRE_OK(zx_vmo_create(2 * PAGE, 0, &vmo));
    zx_handle_t slice = child_of(vmo, ZX_VMO_CHILD_SLICE, 0, PAGE);
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, /* ABI-MORE.md section S8 */
              zx_vmo_create_child(vmo, ZX_VMO_CHILD_SNAPSHOT, far, 2 * PAGE, &none));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS,
              zx_vmo_create_child(vmo, ZX_VMO_CHILD_SLICE, far, PAGE, &none));
    EXPECT_EQ(ZX_ERR_NOT_SUPPORTED,
              zx_vmo_create_child(slice, ZX_VMO_CHILD_SNAPSHOT, far, 2 * PAGE, &none));
    EXPECT_OK(zx_handle_close(slice));
    EXPECT_OK(zx_handle_close(vmo));
}

TEST(hints_and_cache_operations_refuse_only_nonsense) {
    zx_handle_t vmo;
    REQUIRE_OK(zx_vmo_create(PAGE, 0, &vmo));
    EXPECT_OK(zx_vmo_op_range(vmo, ZX_VMO_OP_DONT_NEED, 0, 99 * PAGE, NULL, 0));
    EXPECT_EQ(ZX_ERR_OUT_OF_RANGE,
              zx_vmo_op_range(vmo, ZX_VMO_OP_ALWAYS_NEED, PAGE, UINT64_MAX, NULL, 0));
    EXPECT_OK(zx_vmo_op_range(vmo, ZX_VMO_OP_CACHE_CLEAN, 0, PAGE, NULL, 0));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_vmo_op_range(vmo, ZX_VMO_OP_CACHE_SYNC, 0, 0, NULL, 0));
    EXPECT_EQ(ZX_ERR_OUT_OF_RANGE,
              zx_vmo_op_range(vmo, ZX_VMO_OP_CACHE_SYNC, 0, PAGE + 1, NULL, 0));
    EXPECT_OK(zx_handle_close(vmo));
}

TEST(a_range_of_mappings_is_committed_and_decommitted) {
    zx_handle_t vmo;
    zx_vaddr_t address;
    const zx_vm_option_t perm = ZX_VM_PERM_READ | ZX_VM_PERM_WRITE;
    zx_handle_t root = zx_vmar_root_self();
    REQUIRE_OK(zx_vmo_create(4 * PAGE, 0, &vmo));
    REQUIRE_OK(zx_vmar_map(root, perm, 0, vmo, 0, 4 * PAGE, &address));
    EXPECT_OK(zx_vmar_op_range(root, ZX_VMAR_OP_COMMIT, address + PAGE, 2 * PAGE, NULL, 0));
    EXPECT_EQ(2 * PAGE, info_of(vmo).committed_bytes);
    EXPECT_OK(zx_vmar_op_range(root, ZX_VMAR_OP_MAP_RANGE, address, 4 * PAGE, NULL, 0));
    EXPECT_OK(zx_vmar_op_range(root, ZX_VMAR_OP_DECOMMIT, address, 2 * PAGE, NULL, 0));
    EXPECT_EQ(PAGE, info_of(vmo).committed_bytes);
    EXPECT_OK(zx_vmar_protect(root, ZX_VM_PERM_READ, address, PAGE));
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED,
              zx_vmar_op_range(root, ZX_VMAR_OP_COMMIT, address, PAGE, NULL, 0));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_vmar_op_range(root, 99, address, PAGE, NULL, 0));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS,
              zx_vmar_op_range(root, ZX_VMAR_OP_COMMIT, address, 0, NULL, 0));
    EXPECT_OK(zx_vmar_unmap(root, address, 4 * PAGE));
    EXPECT_EQ(ZX_ERR_BAD_STATE,
              zx_vmar_op_range(root, ZX_VMAR_OP_MAP_RANGE, address, PAGE, NULL, 0));
    EXPECT_EQ(ZX_ERR_OUT_OF_RANGE,
              zx_vmar_op_range(root, ZX_VMAR_OP_MAP_RANGE, (zx_vaddr_t)1 << 60, PAGE, NULL, 0));
    EXPECT_OK(zx_handle_close(vmo));
}

TEST(map_range_maps_what_is_committed_and_commits_nothing) {
    zx_handle_t vmo;
    zx_vaddr_t address;
    REQUIRE_OK(zx_vmo_create(4 * PAGE, 0, &vmo));
    set_byte(vmo, 2 * PAGE, 'p');
    REQUIRE_OK(zx_vmar_map(zx_vmar_root_self(), ZX_VM_PERM_READ | ZX_VM_MAP_RANGE, 0, vmo, 0,
                           4 * PAGE, &address));
    EXPECT_EQ('p', ((volatile uint8_t *)address)[2 * PAGE]);
    EXPECT_EQ(PAGE, info_of(vmo).committed_bytes);
    EXPECT_OK(zx_vmar_unmap(zx_vmar_root_self(), address, 4 * PAGE));
    EXPECT_OK(zx_handle_close(vmo));
}
