/*
 * t_refused.c - what docs/SYSCALLS.md and the list in docs/ARCHITECTURE.md say is left out
 * answers as they say, and so does nonsense.
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
        32, 33, 34, 35, 36, 37, 38, 39, 40, /* VCPU to CLOCK_MAPPED_SIZE */
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
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_vmo_create(4096, 1 << 4, &one)); /* UNBOUNDED */
    EXPECT_EQ(ZX_ERR_INVALID_ARGS,
              zx_process_create(zx_job_default(), "one", 3, 1, &one, &vmo)); /* SHARED */

    REQUIRE_OK(zx_vmo_create(4096, 0, &vmo));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_vmo_create_child(vmo, 0, 0, 4096, &one));
    EXPECT_OK(zx_handle_close(vmo));
}

TEST(unknown_operations_are_refused) {
    zx_handle_t vmo;
    REQUIRE_OK(zx_vmo_create(4096, 0, &vmo));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_vmo_op_range(vmo, 5, 0, 4096, NULL, 0));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_vmo_op_range(vmo, 14, 0, 4096, NULL, 0)); /* PREFETCH */
    volatile uint8_t *at = map_vmo(vmo, READ_WRITE, 1);
    static const uint32_t ops[] = {5, 10 /* ZERO */, 14 /* PREFETCH */};
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++)
        EXPECT_EQ(ZX_ERR_INVALID_ARGS,
                  zx_vmar_op_range(zx_vmar_root_self(), ops[i], (zx_vaddr_t)at, PAGE, NULL, 0));
    unmap(at, 1);
    EXPECT_OK(zx_handle_close(vmo));
}

static zx_status_t go_to_s_state(uint8_t target) {
    const zx_system_powerctl_arg_t argument = {.acpi_transition_s_state = {.target_s_state = target}};
    return zx_system_powerctl(root_resource(), ZX_SYSTEM_POWERCTL_ACPI_TRANSITION_S_STATE, &argument);
}

TEST(what_power_control_leaves_out_is_not_supported) {
    static const zx_system_powerctl_arg_t argument;
    zx_handle_t root = root_resource();
    bool one = zx_system_get_num_cpus() == 1;
    if (root == ZX_HANDLE_INVALID)
        return;
    EXPECT_EQ(ZX_ERR_NOT_SUPPORTED,
              zx_system_powerctl(root, ZX_SYSTEM_POWERCTL_X86_SET_PKG_PL1, &argument));
    EXPECT_EQ(one ? ZX_OK : ZX_ERR_NOT_SUPPORTED,
              zx_system_powerctl(root, ZX_SYSTEM_POWERCTL_DISABLE_ALL_CPUS_BUT_PRIMARY, NULL));
    EXPECT_OK(zx_system_powerctl(root, ZX_SYSTEM_POWERCTL_ENABLE_ALL_CPUS, NULL));
    for (uint8_t state = 1; state < 5; state++)
        EXPECT_EQ(one ? ZX_ERR_NOT_SUPPORTED : ZX_ERR_BAD_STATE, go_to_s_state(state));
}

TEST(power_control_reads_its_argument_where_it_has_one) {
    static const uint32_t commands[] = {ZX_SYSTEM_POWERCTL_ACPI_TRANSITION_S_STATE,
                                        ZX_SYSTEM_POWERCTL_X86_SET_PKG_PL1};
    if (root_resource() == ZX_HANDLE_INVALID)
        return;
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        EXPECT_EQ(ZX_ERR_BAD_HANDLE, zx_system_powerctl(ZX_HANDLE_INVALID, commands[i], NULL));
        EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_system_powerctl(root_resource(), commands[i], NULL));
    }
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, go_to_s_state(0));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, go_to_s_state(6));
}
