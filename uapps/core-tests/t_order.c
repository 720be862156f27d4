/*
 * t_order.c - where two errors apply, the answer is the one that docs/SYSCALLS.md lists
 * first.
 */
#include <jacinth/utest.h>

#include "core-tests/support.h"

#define BAD          ((zx_handle_t)ZX_HANDLE_INVALID)
#define NO_MEMORY_AT ((void *)8) /* nothing is mapped there */

TEST(errors_of_waits_come_in_order) {
    zx_handle_t event, port, out;
    REQUIRE_OK(zx_event_create(0, &event));
    REQUIRE_OK(zx_port_create(0, &port));
    zx_handle_t deaf = copy_without(event, ZX_RIGHT_WAIT);
    EXPECT_EQ(ZX_ERR_OUT_OF_RANGE, zx_object_wait_many(NULL, 65, 0));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_object_wait_many(NULL, 1, 0));
    EXPECT_EQ(ZX_ERR_WRONG_TYPE, zx_object_wait_async(BAD, event, 0, 1, 9));
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED, zx_object_wait_async(deaf, port, 0, 1, 9));
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED, zx_object_wait_async(port, port, 0, 1, 9));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_object_wait_async(event, port, 0, 1, 9));
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED, zx_port_cancel(port, deaf, 0));
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED, zx_object_signal_peer(event, 1, 0)); /* and has no peer */
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_timer_create(9, ZX_CLOCK_UTC, &out));
    EXPECT_EQ(ZX_ERR_OUT_OF_RANGE, zx_timer_set(BAD, 0, -1));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_clock_create(ZX_CLOCK_ARGS_VERSION(2), NULL, &out));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_clock_update(BAD, ZX_CLOCK_ARGS_VERSION(1), NULL));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_clock_get_details(BAD, 0, NULL));
    close_handle(deaf);
    close_handle(event);
    close_handle(port);
}

TEST(errors_of_properties_and_information_come_in_order) {
    zx_handle_t vmo = make_vmo(1), event, blind = copy_without(vmo, ZX_RIGHT_GET_PROPERTY);
    char byte = 0;
    REQUIRE_OK(zx_event_create(0, &event));
    zx_handle_t hidden = copy_without(event, ZX_RIGHT_INSPECT);
    EXPECT_EQ(ZX_ERR_NOT_SUPPORTED, zx_object_get_info(BAD, 999, NULL, 0, NULL, NULL));
    EXPECT_EQ(ZX_ERR_WRONG_TYPE, zx_object_get_info(hidden, ZX_INFO_TIMER, NULL, 0, NULL, NULL));
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED,
              zx_object_get_info(hidden, ZX_INFO_HANDLE_COUNT, NULL, 0, NULL, NULL));
    EXPECT_EQ(ZX_ERR_BUFFER_TOO_SMALL,
              zx_object_get_info(event, ZX_INFO_HANDLE_COUNT, NULL, 0, NULL, NULL));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_object_get_property(BAD, 999, NULL, 0));
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED, zx_object_get_property(blind, 999, &byte, 0));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_object_get_property(vmo, 999, &byte, 0));
    EXPECT_EQ(ZX_ERR_BUFFER_TOO_SMALL,
              zx_object_get_property(vmo, ZX_PROP_SOCKET_RX_THRESHOLD, &byte, 1));
    EXPECT_EQ(ZX_ERR_WRONG_TYPE,
              zx_object_get_property(vmo, ZX_PROP_SOCKET_RX_THRESHOLD, NO_MEMORY_AT, 8));
    EXPECT_EQ(ZX_ERR_WRONG_TYPE,
              zx_object_set_property(vmo, ZX_PROP_JOB_KILL_ON_OOM, NO_MEMORY_AT, 8));
    close_handle(hidden);
    close_handle(blind);
    close_handle(event);
    close_handle(vmo);
}

TEST(errors_of_pairs_come_in_order) {
    zx_handle_t a, b;
    uint32_t word;
    size_t actual;
    zx_channel_call_args_t args = {.wr_bytes = &word, .wr_num_bytes = 3};
    REQUIRE_OK(zx_channel_create(0, &a, &b));
    EXPECT_EQ(ZX_ERR_BAD_HANDLE, zx_channel_read(BAD, 8, NULL, NULL, 0, 0, NULL, NULL));
    EXPECT_EQ(ZX_ERR_NOT_SUPPORTED, zx_channel_read(a, 8, NULL, NULL, 0, 0, NULL, NULL));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_channel_write(BAD, 8, NULL, 99999, NULL, 0));
    EXPECT_EQ(ZX_ERR_BAD_HANDLE, zx_channel_write(BAD, 0, NULL, 99999, NULL, 0));
    EXPECT_EQ(ZX_ERR_OUT_OF_RANGE, zx_channel_write(a, 0, NULL, 99999, NULL, 0));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_channel_call(BAD, 0, 0, &args, &word, &word));
    args.wr_num_bytes = 99999;
    EXPECT_EQ(ZX_ERR_BAD_HANDLE, zx_channel_call(BAD, 0, 0, &args, &word, &word));
    close_handle(a);
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_channel_write(b, 0, NO_MEMORY_AT, 8, NULL, 0));
    EXPECT_EQ(ZX_ERR_PEER_CLOSED, zx_channel_write(b, 0, NULL, 0, NULL, 0));
    close_handle(b);
    REQUIRE_OK(zx_socket_create(0, &a, &b));
    EXPECT_OK(zx_socket_set_disposition(b, ZX_SOCKET_DISPOSITION_WRITE_DISABLED, 0));
    close_handle(a);
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_socket_write(BAD, 9, NULL, 1, &actual));
    EXPECT_EQ(ZX_ERR_BAD_HANDLE, zx_socket_write(BAD, 9, &word, 1, &actual));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_socket_write(b, 9, &word, 1, &actual));
    EXPECT_EQ(ZX_ERR_PEER_CLOSED, zx_socket_write(b, 0, &word, 1, &actual));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_socket_read(b, 1, &word, 1, &actual));
    close_handle(b);
    REQUIRE_OK(zx_fifo_create(2, 4, 0, &a, &b));
    close_handle(a);
    EXPECT_EQ(ZX_ERR_PEER_CLOSED, zx_fifo_write(b, 5, &word, 0, &actual));
    EXPECT_EQ(ZX_ERR_OUT_OF_RANGE, zx_fifo_read(b, 5, &word, 1, &actual));
    close_handle(b);
}

TEST(errors_of_streams_come_in_order) {
    zx_handle_t vmo = make_vmo(1), stream, reader = copy_without(vmo, ZX_RIGHT_WRITE);
    zx_iovec_t piece = {NULL, 0};
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_stream_create(8, BAD, 0, &stream));
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED, zx_stream_create(ZX_STREAM_MODE_WRITE, reader, 0, &stream));
    REQUIRE_OK(zx_stream_create(0, vmo, 0, &stream)); /* neither read nor written */
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_stream_readv(BAD, 1, &piece, 1, NULL));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_stream_readv(BAD, 0, NULL, 0, NULL));
    EXPECT_EQ(ZX_ERR_BAD_HANDLE, zx_stream_readv(BAD, 0, NO_MEMORY_AT, 9999, NULL));
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED, zx_stream_readv(stream, 0, NO_MEMORY_AT, 9999, NULL));
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED, zx_stream_seek(stream, 99, 0, NULL));
    close_handle(stream);
    close_handle(reader);
    close_handle(vmo);
}

TEST(errors_of_memory_objects_come_in_order) {
    zx_handle_t vmo = make_vmo(2), resizable = make_resizable_vmo(1), out, clone;
    zx_handle_t weak = copy_with(vmo, 0);
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_vmo_create(UINT64_MAX, 1, &out));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS,
              zx_vmo_create_child(BAD, ZX_VMO_CHILD_NO_WRITE | ZX_VMO_CHILD_RESIZABLE, 0, 0, &out));
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED, zx_vmo_create_child(weak, 0, 1, 0, &out));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS,
              zx_vmo_create_child(vmo, ZX_VMO_CHILD_SNAPSHOT, 1, UINT64_MAX, &out));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS,
              zx_vmo_create_child(resizable, ZX_VMO_CHILD_SLICE, 0, 2 * PAGE, &out));
    EXPECT_EQ(ZX_ERR_NOT_SUPPORTED,
              zx_vmo_create_child(resizable, ZX_VMO_CHILD_SLICE, 0, PAGE, &out));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_vmo_create_child(vmo, ZX_VMO_CHILD_SNAPSHOT,
                                                       UINT64_MAX - PAGE + 1, 2 * PAGE, &out));
    EXPECT_EQ(ZX_ERR_OUT_OF_RANGE,
              zx_vmo_create_child(vmo, ZX_VMO_CHILD_SNAPSHOT, (uint64_t)1 << 48, PAGE, &out));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_vmo_op_range(weak, 99, 0, 0, NULL, 0));
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED,
              zx_vmo_op_range(weak, ZX_VMO_OP_DECOMMIT, 1, UINT64_MAX, NULL, 0));
    EXPECT_EQ(ZX_ERR_OUT_OF_RANGE,
              zx_vmo_op_range(vmo, ZX_VMO_OP_DECOMMIT, 1, UINT64_MAX, NULL, 0));
    clone = make_snapshot(vmo, 1);
    EXPECT_EQ(ZX_ERR_NOT_SUPPORTED, zx_vmo_op_range(vmo, ZX_VMO_OP_DECOMMIT, 1, PAGE, NULL, 0));
    EXPECT_EQ(ZX_ERR_NOT_SUPPORTED, zx_vmo_op_range(vmo, ZX_VMO_OP_LOCK, 9, 9, NULL, 0));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_vmo_set_cache_policy(BAD, 4));
    EXPECT_EQ(ZX_ERR_UNAVAILABLE, zx_vmo_set_size(vmo, UINT64_MAX));
    EXPECT_EQ(ZX_ERR_OUT_OF_RANGE, zx_vmo_read(vmo, (void *)-PAGE, 2 * PAGE, 1));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_vmo_read(vmo, (void *)-PAGE, 0, 1));
    close_handle(clone);
    close_handle(weak);
    close_handle(resizable);
    close_handle(vmo);
}

TEST(errors_of_regions_come_in_order) {
    zx_handle_t root = zx_vmar_root_self(), vmo = make_vmo(1), region, fixed;
    zx_handle_t unmappable = copy_without(vmo, ZX_RIGHT_MAP);
    zx_handle_t reader = copy_without(vmo, ZX_RIGHT_WRITE);
    zx_vaddr_t base, at;
    const uint32_t can_map = ZX_VM_CAN_MAP_READ | ZX_VM_CAN_MAP_WRITE;
    REQUIRE_OK(zx_vmar_allocate(root, can_map, 0, 4 * PAGE, &region, &base));
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED,
              zx_vmar_allocate(region, ZX_VM_CAN_MAP_EXECUTE | ZX_VM_PERM_READ, 0, 1, &fixed, &at));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_vmar_allocate(region, 0, 1, PAGE, &fixed, &at));
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED,
              zx_vmar_allocate(region, ZX_VM_SPECIFIC, 99 * PAGE, PAGE, &fixed, &at));
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED,
              zx_vmar_map(region, ZX_VM_PERM_WRITE, 0, unmappable, 0, PAGE, &at));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_vmar_map(region, ZX_VM_PERM_WRITE, 0, reader, 0, PAGE, &at));
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED,
              zx_vmar_map(region, READ_WRITE | 0x80000, 0, reader, 0, PAGE, &at));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_vmar_map(region, 0x80000, 0, vmo, 0, 9 * PAGE, &at));
    EXPECT_EQ(ZX_ERR_BUFFER_TOO_SMALL, zx_vmar_map(region, READ_WRITE, 0, vmo, 1, 9 * PAGE, &at));
    EXPECT_OK(zx_vmar_destroy(region));
    EXPECT_EQ(ZX_ERR_BUFFER_TOO_SMALL, zx_vmar_map(region, READ_WRITE, 0, vmo, 1, 1, &at));
    EXPECT_EQ(ZX_ERR_BAD_STATE, zx_vmar_map(region, READ_WRITE, 0, vmo, 0, 0, &at));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_vmar_unmap(region, 1, PAGE));
    EXPECT_EQ(ZX_ERR_BAD_STATE, zx_vmar_unmap(region, 0, PAGE));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS,
              zx_vmar_op_range(region, ZX_VMAR_OP_COMMIT, base, 0, NULL, 0));
    EXPECT_EQ(ZX_ERR_OUT_OF_RANGE,
              zx_vmar_op_range(region, ZX_VMAR_OP_COMMIT, 0, PAGE, NULL, 0));
    EXPECT_EQ(ZX_ERR_BAD_STATE,
              zx_vmar_op_range(region, ZX_VMAR_OP_COMMIT, base, PAGE, NULL, 0));
    close_handle(region);
    close_handle(reader);
    close_handle(unmappable);
    close_handle(vmo);
}

TEST(errors_of_pagers_come_in_order) {
    zx_handle_t pager, port, vmo, stranger = make_vmo(1);
    REQUIRE_OK(zx_pager_create(0, &pager));
    REQUIRE_OK(zx_port_create(0, &port));
    REQUIRE_OK(zx_pager_create_vmo(pager, 0, port, 0, PAGE, &vmo));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_pager_supply_pages(BAD, BAD, 1, 0, BAD, 0));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_pager_supply_pages(pager, stranger, 0, 0, BAD, 0));
    EXPECT_EQ(ZX_ERR_BAD_HANDLE, zx_pager_supply_pages(pager, vmo, 9 * PAGE, PAGE, BAD, 0));
    EXPECT_EQ(ZX_ERR_OUT_OF_RANGE,
              zx_pager_supply_pages(pager, vmo, 9 * PAGE, PAGE, stranger, PAGE));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_pager_op_range(pager, 99, stranger, 0, 0, 1));
    EXPECT_EQ(ZX_ERR_NOT_SUPPORTED, zx_pager_op_range(pager, 99, vmo, 0, 0, 1));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_pager_op_range(pager, ZX_PAGER_OP_DIRTY, vmo, 0, 0, 1));
    EXPECT_EQ(ZX_ERR_NOT_SUPPORTED,
              zx_pager_op_range(pager, ZX_PAGER_OP_DIRTY, vmo, 9 * PAGE, PAGE, 0));
    EXPECT_EQ(ZX_ERR_BUFFER_TOO_SMALL, zx_pager_query_vmo_stats(pager, vmo, 99, NULL, 3));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_pager_query_vmo_stats(pager, vmo, 99, NULL, 4));
    close_handle(stranger);
    close_handle(vmo);
    close_handle(port);
    close_handle(pager);
}

TEST(errors_of_tasks_and_the_system_come_in_order) {
    zx_handle_t out, job, self = zx_process_self();
    zx_futex_t word = 1;
    char byte;
    REQUIRE_OK(zx_job_create(zx_job_default(), 0, &job));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_process_create(BAD, NULL, 1, 1, &out, &out));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_process_create(BAD, NULL, 1, 0, &out, &out));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_process_read_memory(BAD, 0, &byte, 0, NULL));
    EXPECT_EQ(ZX_ERR_BAD_HANDLE, zx_process_read_memory(BAD, 0, &byte, 1, NULL));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_thread_read_state(zx_thread_self(), 99, &byte, 0));
    EXPECT_EQ(ZX_ERR_BUFFER_TOO_SMALL, zx_thread_read_state(zx_thread_self(), 0, &byte, 0));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_job_set_policy(BAD, 9, 99, NULL, 0));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_profile_create(BAD, 1, NULL, &out));
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED, zx_profile_create(job, 0, NULL, &out));
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED, zx_object_get_child(self, 0, ZX_RIGHT_SET_POLICY, &out));
    EXPECT_EQ(ZX_ERR_BAD_STATE, zx_futex_wait(&word, 2, 7, 0));
    EXPECT_EQ(ZX_ERR_BAD_HANDLE, zx_futex_wait(&word, 1, 7, 0));
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED, zx_system_get_event(job, 99, &out));
    EXPECT_EQ(ZX_ERR_BAD_HANDLE, zx_system_powerctl(BAD, 99, NULL));
    EXPECT_EQ(ZX_ERR_OUT_OF_RANGE, zx_debuglog_write(BAD, ~0u, &byte, 217));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_debuglog_read(BAD, 1, &byte, 1));
    EXPECT_EQ(ZX_ERR_BAD_HANDLE, zx_debuglog_create(BAD, 1, &out));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_interrupt_bind(BAD, BAD, 0, 2));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_bti_create(BAD, 1, 0, &out));
    close_handle(job);
}
