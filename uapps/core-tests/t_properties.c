/*
 * t_properties.c - properties that a program can see and no other file is about: P16,
 * P28, P32, P39 (the faults that kernels of this kind have had).
 */
#include <jacinth/launch.h>
#include <jacinth/utest.h>
#include <string.h>
#include <zircon/process.h>
#include <zircon/processargs.h>
#include <zircon/syscalls.h>

#define PAGE ((uint64_t)ZX_PAGE_SIZE)
#define READ_WRITE (ZX_VM_PERM_READ | ZX_VM_PERM_WRITE)

TEST(P16_a_mapping_goes_into_the_named_process_and_nowhere_else) {
    zx_handle_t process, vmar, vmo;
    zx_vaddr_t address;
    char byte = 0;
    size_t actual = 0;
    REQUIRE_OK(zx_process_create(zx_job_default(), "other", 5, 0, &process, &vmar));
    REQUIRE_OK(zx_vmo_create(PAGE, 0, &vmo));
    REQUIRE_OK(zx_vmo_write(vmo, "x", 0, 1));
    REQUIRE_OK(zx_vmar_map(vmar, READ_WRITE, 0, vmo, 0, PAGE, &address));
    EXPECT_OK(zx_process_read_memory(process, address, &byte, 1, &actual));
    EXPECT_EQ('x', byte);
    EXPECT_EQ(ZX_ERR_NO_MEMORY,
              zx_process_read_memory(zx_process_self(), address, &byte, 1, &actual));
    /* Nor does a pointer of ours to that place work. */
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_vmo_read(vmo, (void *)address, 0, 1));
    EXPECT_OK(zx_handle_close(vmo));
    EXPECT_OK(zx_handle_close(vmar));
    EXPECT_OK(zx_handle_close(process));
}

static int in_data = 42;
static int in_bss[2000];
static const int in_rodata = 43;

static zx_handle_t start_echo(zx_handle_t *out_input) {
    const char *const argv[] = {"/boot/core-tests", "--echo", NULL};
    zx_handle_t theirs, process = ZX_HANDLE_INVALID;
    char error[128] = "";
    EXPECT_OK(zx_socket_create(ZX_SOCKET_STREAM, out_input, &theirs));
    const struct jx_launch_handle handles[] = {{PA_HND(PA_FD, 0), theirs}};
    const struct jx_launch launch = {.argv = argv, .handles = handles, .handle_count = 1};
    EXPECT_OK(jx_launch(&launch, &process, error, sizeof error));
    return process;
}

TEST(P28_data_and_bss_are_written_and_no_page_is_written_and_run) {
    EXPECT_EQ(42, in_data);
    for (size_t i = 0; i < 2000; i++)
        EXPECT_EQ(0, in_bss[i]);
    in_data = in_bss[1999] = in_rodata;
    EXPECT_EQ(43, in_data);
    in_data = 42;
    in_bss[1999] = 0;

    static zx_info_maps_t maps[128];
    zx_handle_t input, process = start_echo(&input);
    size_t actual = 0, avail = 0, runs = 0, writes = 0;
    int64_t code;
    EXPECT_OK(zx_object_get_info(process, ZX_INFO_PROCESS_MAPS, maps, sizeof maps, &actual, &avail));
    EXPECT_EQ(avail, actual);
    for (size_t i = 0; i < actual; i++) {
        uint32_t flags = maps[i].type == ZX_INFO_MAPS_TYPE_MAPPING ? maps[i].u.mapping.mmu_flags : 0;
        runs += (flags & ZX_VM_PERM_EXECUTE) != 0;
        writes += (flags & ZX_VM_PERM_WRITE) != 0;
        EXPECT(!((flags & ZX_VM_PERM_WRITE) && (flags & ZX_VM_PERM_EXECUTE)));
    }
    EXPECT(runs >= 2 && writes >= 2);
    EXPECT_OK(zx_handle_close(input));
    EXPECT_OK(jx_wait(process, &code));
}

TEST(P32_a_pointer_into_a_hole_between_mappings_is_refused) {
    zx_handle_t region, vmo;
    zx_vaddr_t base, address;
    REQUIRE_OK(zx_vmar_allocate(zx_vmar_root_self(),
                                ZX_VM_CAN_MAP_READ | ZX_VM_CAN_MAP_WRITE | ZX_VM_CAN_MAP_SPECIFIC,
                                0, 3 * PAGE, &region, &base));
    REQUIRE_OK(zx_vmo_create(2 * PAGE, 0, &vmo));
    REQUIRE_OK(zx_vmar_map(region, READ_WRITE | ZX_VM_SPECIFIC, 0, vmo, 0, PAGE, &address));
    REQUIRE_OK(
        zx_vmar_map(region, READ_WRITE | ZX_VM_SPECIFIC, 2 * PAGE, vmo, PAGE, PAGE, &address));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_vmo_read(vmo, (void *)(base + PAGE), 0, 8));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_vmo_read(vmo, (void *)(base + PAGE - 4), 0, 8));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_vmo_write(vmo, (void *)(base + 2 * PAGE - 4), 0, 8));
    EXPECT_OK(zx_vmo_read(vmo, (void *)(base + 2 * PAGE), 0, 8));
    EXPECT_OK(zx_vmar_destroy(region));
    EXPECT_OK(zx_handle_close(region));
    EXPECT_OK(zx_handle_close(vmo));
}

#define RIGHTS(R)                                                                                  \
    R(DUPLICATE) R(TRANSFER) R(READ) R(WRITE) R(EXECUTE) R(MAP) R(GET_PROPERTY) R(SET_PROPERTY)    \
    R(ENUMERATE) R(DESTROY) R(SET_POLICY) R(GET_POLICY) R(SIGNAL) R(SIGNAL_PEER) R(WAIT)           \
    R(INSPECT) R(MANAGE_JOB) R(MANAGE_PROCESS) R(MANAGE_THREAD) R(APPLY_PROFILE) R(MANAGE_SOCKET)
#define COUNT(name) +1
#define UNION(name) | ZX_RIGHT_##name
#define ONE_BIT(name) _Static_assert(__builtin_popcount(ZX_RIGHT_##name) == 1, #name);
RIGHTS(ONE_BIT)
_Static_assert(__builtin_popcount(0u RIGHTS(UNION)) == 0 RIGHTS(COUNT), "rights are distinct (P39)");

static void expect_rights(zx_handle_t handle, zx_rights_t rights) {
    zx_info_handle_basic_t info = {0};
    EXPECT_OK(zx_object_get_info(handle, ZX_INFO_HANDLE_BASIC, &info, sizeof info, NULL, NULL));
    EXPECT_EQ(rights, info.rights);
    EXPECT_OK(zx_handle_close(handle));
}

TEST(P39_new_objects_have_the_documented_rights) {
    zx_handle_t a, b;
    REQUIRE_OK(zx_event_create(0, &a));
    expect_rights(a, ZX_DEFAULT_EVENT_RIGHTS);
    REQUIRE_OK(zx_eventpair_create(0, &a, &b));
    expect_rights(a, ZX_DEFAULT_EVENTPAIR_RIGHTS);
    expect_rights(b, ZX_DEFAULT_EVENTPAIR_RIGHTS);
    REQUIRE_OK(zx_channel_create(0, &a, &b));
    expect_rights(a, ZX_DEFAULT_CHANNEL_RIGHTS);
    expect_rights(b, ZX_DEFAULT_CHANNEL_RIGHTS);
    REQUIRE_OK(zx_socket_create(0, &a, &b));
    expect_rights(a, ZX_DEFAULT_SOCKET_RIGHTS);
    expect_rights(b, ZX_DEFAULT_SOCKET_RIGHTS);
    REQUIRE_OK(zx_fifo_create(1, 1, 0, &a, &b));
    expect_rights(a, ZX_DEFAULT_FIFO_RIGHTS);
    expect_rights(b, ZX_DEFAULT_FIFO_RIGHTS);
    REQUIRE_OK(zx_port_create(0, &a));
    expect_rights(a, ZX_DEFAULT_PORT_RIGHTS);
    REQUIRE_OK(zx_timer_create(0, ZX_CLOCK_MONOTONIC, &a));
    expect_rights(a, ZX_DEFAULT_TIMER_RIGHTS);
    REQUIRE_OK(zx_vmo_create(0, 0, &a));
    expect_rights(a, ZX_DEFAULT_VMO_RIGHTS);
    REQUIRE_OK(zx_job_create(zx_job_default(), 0, &a));
    expect_rights(a, ZX_DEFAULT_JOB_RIGHTS);
    REQUIRE_OK(zx_process_create(zx_job_default(), "p", 1, 0, &a, &b));
    zx_handle_t thread;
    REQUIRE_OK(zx_thread_create(a, "t", 1, 0, &thread));
    expect_rights(thread, ZX_DEFAULT_THREAD_RIGHTS);
    expect_rights(b, 0x8003 | ZX_RIGHT_READ | ZX_RIGHT_WRITE | ZX_RIGHT_EXECUTE);
    expect_rights(a, ZX_DEFAULT_PROCESS_RIGHTS);
}
