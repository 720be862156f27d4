/*
 * t_refused.c - what docs/SYSCALLS.md says is not there yet answers NOT_SUPPORTED, and
 * nonsense does not: it is the caller's mistake.
 */
#include <jacinth/utest.h>
#include <zircon/process.h>
#include <zircon/processargs.h>
#include <zircon/syscalls.h>

#include "core-tests/support.h"

static char scratch[256];

TEST(topics_of_later_kernels_are_not_supported) {
    static const uint32_t topics[] = {
        ZX_INFO_GUEST_STATS,
        ZX_INFO_NONE, 5,
        99, 0xffffffff,
    };
    for (size_t i = 0; i < sizeof topics / sizeof topics[0]; i++)
        EXPECT_EQ(ZX_ERR_NOT_SUPPORTED, zx_object_get_info(zx_process_self(), topics[i], scratch,
                                                           sizeof scratch, NULL, NULL));
}

TEST(properties_of_later_kernels_are_not_supported) {
    zx_handle_t self = zx_process_self();
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_object_get_property(self, 77, scratch, sizeof scratch));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_object_set_property(self, 77, scratch, sizeof scratch));
}

TEST(kinds_of_objects_of_later_kernels_are_not_supported) {
    zx_handle_t one, vmo;
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_port_create(8, &one));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_vmo_create(4096, 1, &one));

    REQUIRE_OK(zx_vmo_create(4096, 0, &vmo));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_vmo_create_child(vmo, 0, 0, 4096, &one));
    EXPECT_OK(zx_handle_close(vmo));
}

TEST(unknown_operations_are_refused) {
    zx_handle_t vmo;
    REQUIRE_OK(zx_vmo_create(4096, 0, &vmo));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_vmo_op_range(vmo, 5, 0, 4096, NULL, 0));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_vmo_op_range(vmo, 14, 0, 4096, NULL, 0));
    EXPECT_OK(zx_handle_close(vmo));
}
