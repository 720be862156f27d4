/*
 * t_discardable.c - memory that may be lost while nobody locks it; cache policy.
 */
#include <jacinth/utest.h>
#include <zircon/syscalls.h>

#include "core-tests/support.h"

static zx_handle_t make_discardable(size_t pages) {
    zx_handle_t vmo = ZX_HANDLE_INVALID;
    EXPECT_OK(zx_vmo_create(pages * PAGE, ZX_VMO_DISCARDABLE, &vmo));
    return vmo;
}

static zx_status_t op(zx_handle_t vmo, uint32_t what, size_t pages, zx_vmo_lock_state_t *state) {
    return zx_vmo_op_range(vmo, what, 0, pages * PAGE, state, state ? sizeof *state : 0);
}

TEST(discardable_locks_nest_and_belong_to_the_object) {
    zx_handle_t vmo = make_discardable(4), plain = make_vmo(4), child;
    zx_vmo_lock_state_t state = {0};
    put(vmo, 1, 7);
    EXPECT_EQ(ZX_ERR_BAD_STATE, op(vmo, ZX_VMO_OP_UNLOCK, 4, NULL));
    EXPECT_OK(op(vmo, ZX_VMO_OP_LOCK, 4, &state));
    EXPECT_EQ(0, state.discarded_size);
    EXPECT_EQ(4 * PAGE, state.size);
    EXPECT_OK(op(vmo, ZX_VMO_OP_TRY_LOCK, 4, NULL));
    EXPECT_OK(op(vmo, ZX_VMO_OP_UNLOCK, 4, NULL));
    EXPECT_OK(op(vmo, ZX_VMO_OP_UNLOCK, 4, NULL));
    EXPECT_EQ(ZX_ERR_BAD_STATE, op(vmo, ZX_VMO_OP_UNLOCK, 4, NULL));
    EXPECT_EQ(7, get(vmo, 1)); /* unlocked, and still there */
    EXPECT_EQ(ZX_ERR_OUT_OF_RANGE, op(vmo, ZX_VMO_OP_LOCK, 3, &state));
    EXPECT_EQ(ZX_ERR_OUT_OF_RANGE,
              zx_vmo_op_range(vmo, ZX_VMO_OP_LOCK, PAGE, 3 * PAGE, &state, sizeof state));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_vmo_op_range(vmo, ZX_VMO_OP_LOCK, 0, 4 * PAGE, &state, 31));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, op(vmo, ZX_VMO_OP_LOCK, 4, (zx_vmo_lock_state_t *)8));
    EXPECT_EQ(ZX_ERR_BAD_STATE, op(vmo, ZX_VMO_OP_UNLOCK, 4, NULL)); /* both were taken back */
    EXPECT_EQ(ZX_ERR_NOT_SUPPORTED, op(plain, ZX_VMO_OP_LOCK, 4, &state));
    EXPECT_EQ(ZX_ERR_NOT_SUPPORTED,
              zx_vmo_create_child(vmo, ZX_VMO_CHILD_SNAPSHOT, 0, PAGE, &child));
    EXPECT_EQ(ZX_ERR_NOT_SUPPORTED, zx_vmo_create_child(vmo, 0x8000, 1, PAGE, &child));
    EXPECT(vmo_info_of(vmo).flags & ZX_INFO_VMO_DISCARDABLE);
    zx_vaddr_t address;
    EXPECT_EQ(ZX_ERR_NOT_SUPPORTED, zx_vmar_map(zx_vmar_root_self(), ZX_VM_PERM_READ, 0, vmo, 0,
                                                PAGE, &address));
    close_handle(vmo);
    close_handle(plain);
}

/* How often the kernel took pages of its own accord. */
static uint64_t losses(zx_handle_t vmo) {
    zx_info_vmo_v2_t info = {0};
    EXPECT_OK(zx_object_get_info(vmo, ZX_INFO_VMO_V2, &info, sizeof info, NULL, NULL));
    return info.committed_change_events;
}

/* Commit pages until there are none, and give them all back. */
static void squeeze(void) {
    zx_handle_t big = make_vmo((size_t)1 << 22);
    zx_status_t status = ZX_OK;
    for (uint64_t at = 0; status == ZX_OK && at < (uint64_t)1 << 34; at += 64 * PAGE)
        status = zx_vmo_op_range(big, ZX_VMO_OP_COMMIT, at, 64 * PAGE, NULL, 0);
    EXPECT_EQ(ZX_ERR_NO_MEMORY, status);
    close_handle(big);
}

TEST(discardable_memory_goes_before_a_commit_is_refused_and_a_locked_one_stays) {
    zx_handle_t loose = make_discardable(256), held = make_discardable(256);
    zx_vmo_lock_state_t state = {0};
    uint8_t byte = 1;
    EXPECT_OK(op(loose, ZX_VMO_OP_LOCK, 256, &state));
    EXPECT_OK(op(held, ZX_VMO_OP_LOCK, 256, &state));
    for (size_t i = 0; i < 256; i++) {
        put(loose, i, 1);
        put(held, i, 2);
    }
    EXPECT_OK(op(loose, ZX_VMO_OP_UNLOCK, 256, NULL));
    EXPECT_EQ(0, losses(loose));
    squeeze();
    EXPECT_EQ(0, committed_pages(loose));
    EXPECT_EQ(256, committed_pages(held));
    EXPECT_EQ(1, losses(loose));
    EXPECT_EQ(0, losses(held));
    EXPECT_EQ(ZX_ERR_NOT_FOUND, zx_vmo_read(loose, &byte, 0, 1));
    EXPECT_EQ(ZX_ERR_NOT_FOUND, zx_vmo_write(loose, &byte, 0, 1));
    EXPECT_EQ(ZX_ERR_UNAVAILABLE, op(loose, ZX_VMO_OP_TRY_LOCK, 256, NULL));
    EXPECT_OK(op(loose, ZX_VMO_OP_LOCK, 256, &state));
    EXPECT_EQ(256 * PAGE, state.discarded_size);
    EXPECT_EQ(0, get(loose, 3));
    EXPECT_EQ(2, get(held, 3));
    close_handle(loose);
    close_handle(held);
}

TEST(cache_policy_is_for_objects_nobody_maps_or_shares) {
    zx_handle_t vmo = make_vmo(2), child;
    uint8_t byte = 0;
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_vmo_set_cache_policy(ZX_HANDLE_INVALID, 4));
    put(vmo, 0, 5);
    volatile uint8_t *view = map_vmo(vmo, READ_WRITE, 2);
    EXPECT_EQ(ZX_ERR_BAD_STATE, zx_vmo_set_cache_policy(vmo, ZX_CACHE_POLICY_UNCACHED));
    unmap(view, 2);
    child = make_snapshot(vmo, 2);
    EXPECT_EQ(ZX_ERR_BAD_STATE, zx_vmo_set_cache_policy(vmo, ZX_CACHE_POLICY_UNCACHED));
    EXPECT_EQ(ZX_ERR_BAD_STATE, zx_vmo_set_cache_policy(child, ZX_CACHE_POLICY_UNCACHED));
    close_handle(child);
    EXPECT_OK(zx_vmo_set_cache_policy(vmo, ZX_CACHE_POLICY_UNCACHED));
    EXPECT_EQ(ZX_CACHE_POLICY_UNCACHED, vmo_info_of(vmo).cache_policy);
    EXPECT_EQ(ZX_ERR_BAD_STATE, zx_vmo_read(vmo, &byte, 0, 1));
    EXPECT_EQ(ZX_ERR_BAD_STATE,
              zx_vmo_create_child(vmo, ZX_VMO_CHILD_SNAPSHOT, 0, PAGE, &child));
    EXPECT_EQ(ZX_ERR_BAD_STATE, zx_vmo_set_cache_policy(vmo, ZX_CACHE_POLICY_CACHED));
    view = map_vmo(vmo, READ_WRITE, 2);
    EXPECT_EQ(5, view[0]);
    EXPECT_EQ(0, view[PAGE]);
    view[PAGE] = 6;
    EXPECT_EQ(6, view[PAGE]);
    unmap(view, 2);
    close_handle(vmo);
}
