/*
 * call_arguments.c - how to make each call of syscalls.def so that it works; see
 * call_arguments.h.
 */
#include "core-tests/call_arguments.h"

#include <jacinth/trace.h>
#include <jacinth/utest.h>
#include <string.h>

#include "core-tests/call_objects.h"
#include "core-tests/calls.h"

static zx_handle_t handle_list[2];
static zx_channel_call_args_t call_args;
static zx_iovec_t vector[1];

#define PREPARE(name) void prepare_##name(uint64_t *a)
#define NOTHING_TO_DO(name)                                                                        \
    PREPARE(name) {}

PREPARE(handle_close) { a[0] = some_event(); }
PREPARE(handle_close_many) {
    handle_list[0] = some_event();
    memcpy(call_buffers[0], handle_list, 4);
    a[1] = 1;
}
PREPARE(handle_duplicate) {
    a[0] = some_event();
    a[1] = ZX_RIGHT_SAME_RIGHTS;
}
PREPARE(handle_replace) { prepare_handle_duplicate(a); }
PREPARE(object_wait_one) {
    a[0] = some_event();
    EXPECT_OK(zx_object_signal((zx_handle_t)a[0], 0, ZX_EVENT_SIGNALED));
    a[1] = ZX_EVENT_SIGNALED;
}
PREPARE(object_wait_many) {
    zx_wait_item_t item = {some_event(), ZX_EVENT_SIGNALED, 0};
    EXPECT_OK(zx_object_signal(item.handle, 0, ZX_EVENT_SIGNALED));
    memcpy(call_buffers[0], &item, sizeof item);
    a[1] = 1;
}
PREPARE(object_wait_async) {
    a[0] = some_event();
    a[1] = some_port();
    a[3] = ZX_EVENT_SIGNALED;
}
PREPARE(object_signal) { a[0] = some_event(); }
PREPARE(object_signal_peer) { a[0] = channel_with_message(false); }
PREPARE(object_get_info) {
    a[0] = some_event();
    a[1] = ZX_INFO_HANDLE_BASIC;
    a[3] = sizeof(zx_info_handle_basic_t);
}
PREPARE(object_get_child) {
    zx_handle_t process = 0, vmar = 0;
    EXPECT_OK(zx_process_create(zx_job_default(), "p", 1, 0, &process, &vmar));
    keep(process);
    keep(vmar);
    a[0] = zx_job_default();
    a[1] = koid_of(process);
    a[2] = ZX_RIGHT_SAME_RIGHTS;
}
PREPARE(object_get_property) {
    a[0] = some_vmo();
    a[1] = ZX_PROP_NAME;
    a[3] = ZX_MAX_NAME_LEN;
}
PREPARE(object_set_property) {
    prepare_object_get_property(a);
    strcpy(call_buffers[2], "name");
}
NOTHING_TO_DO(clock_get)
PREPARE(clock_create) { a[0] = ZX_CLOCK_ARGS_VERSION(1); }
PREPARE(clock_read) { a[0] = some_clock(); }
PREPARE(clock_get_details) {
    a[0] = some_clock();
    a[1] = ZX_CLOCK_ARGS_VERSION(1);
}
PREPARE(clock_update) {
    a[0] = some_clock();
    a[1] = ZX_CLOCK_ARGS_VERSION(1) | ZX_CLOCK_UPDATE_OPTION_VALUE_VALID;
}
NOTHING_TO_DO(nanosleep)
NOTHING_TO_DO(timer_create)
PREPARE(timer_set) {
    zx_handle_t timer = 0;
    EXPECT_OK(zx_timer_create(0, ZX_CLOCK_MONOTONIC, &timer));
    a[0] = keep(timer);
}
PREPARE(timer_cancel) { prepare_timer_set(a); }
NOTHING_TO_DO(event_create)
NOTHING_TO_DO(eventpair_create)
NOTHING_TO_DO(channel_create)
PREPARE(channel_read) {
    a[0] = channel_with_message(true);
    a[4] = 64;
    a[5] = 4;
}
PREPARE(channel_read_etc) { prepare_channel_read(a); }
PREPARE(channel_write) {
    a[0] = channel_with_message(false);
    handle_list[0] = some_event();
    memcpy(call_buffers[4], handle_list, 4);
    a[3] = 16;
    a[5] = 1;
}
PREPARE(channel_write_etc) {
    const zx_handle_disposition_t move = {ZX_HANDLE_OP_MOVE, some_event(), ZX_OBJ_TYPE_NONE,
                                          ZX_RIGHT_SAME_RIGHTS, ZX_OK};
    a[0] = channel_with_message(false);
    memcpy(call_buffers[4], &move, sizeof move);
    a[3] = 16;
    a[5] = 1;
}
/* The answer is there before the question: number 0x80000001 is the first that a channel uses. */
PREPARE(channel_call) {
    a[0] = channel_with_message(false);
    call_args = (zx_channel_call_args_t){.wr_bytes = call_buffers[6],
                                         .wr_num_bytes = 16,
                                         .rd_bytes = call_buffers[7],
                                         .rd_num_bytes = 64};
    memcpy(call_buffers[3], &call_args, sizeof call_args);
}
/* Without handles the two structures are alike. */
PREPARE(channel_call_etc) { prepare_channel_call(a); }
NOTHING_TO_DO(socket_create)
PREPARE(socket_read) {
    a[0] = socket_with_bytes();
    a[3] = 8;
}
PREPARE(socket_write) { prepare_socket_read(a); }
PREPARE(socket_set_disposition) { a[0] = socket_with_bytes(); }
PREPARE(fifo_create) {
    a[0] = 2;
    a[1] = 8;
}
PREPARE(fifo_read) {
    a[0] = fifo_with_elements();
    a[1] = 8;
    a[3] = 1;
}
PREPARE(fifo_write) { prepare_fifo_read(a); }
PREPARE(stream_create) { a[1] = some_vmo(); }
PREPARE(stream_readv) {
    a[0] = some_stream();
    vector[0] = (zx_iovec_t){call_buffers[7], 16};
    memcpy(call_buffers[2], vector, sizeof vector);
    a[3] = 1;
}
PREPARE(stream_readv_at) {
    prepare_stream_readv(a);
    memcpy(call_buffers[3], vector, sizeof vector);
    a[2] = 0;
    a[3] = (uint64_t)call_buffers[3];
    a[4] = 1;
}
PREPARE(stream_writev) { prepare_stream_readv(a); }
PREPARE(stream_writev_at) { prepare_stream_readv_at(a); }
PREPARE(stream_seek) { a[0] = some_stream(); }
NOTHING_TO_DO(port_create)
PREPARE(port_queue) { a[0] = some_port(); }
PREPARE(port_wait) {
    zx_port_packet_t packet = {.key = 1};
    a[0] = some_port();
    EXPECT_OK(zx_port_queue((zx_handle_t)a[0], &packet));
}
PREPARE(port_cancel) {
    a[0] = some_port();
    a[1] = some_event();
}
PREPARE(process_create) {
    a[0] = zx_job_default();
    a[2] = 4;
}
PREPARE(process_start) { a[0] = some_event(); }
static uint64_t remote_word;
PREPARE(process_read_memory) {
    a[0] = zx_process_self();
    a[1] = (uint64_t)&remote_word;
    a[3] = 8;
}
PREPARE(process_write_memory) { prepare_process_read_memory(a); }
PREPARE(thread_create) {
    a[0] = zx_process_self();
    a[2] = 4;
}
PREPARE(thread_start) { a[0] = some_event(); }
PREPARE(task_kill) { a[0] = some_event(); }
PREPARE(job_create) { a[0] = zx_job_default(); }
PREPARE(task_suspend) { a[0] = idle_process(); }
PREPARE(task_create_exception_channel) { a[0] = idle_process(); }
PREPARE(thread_read_state) {
    a[0] = stopped_thread();
    a[3] = sizeof(zx_thread_state_general_regs_t);
}
PREPARE(thread_write_state) { prepare_thread_read_state(a); }
PREPARE(exception_get_thread) { a[0] = faulting_thread(); }
PREPARE(exception_get_process) { a[0] = faulting_thread(); }
PREPARE(job_set_critical) {
    zx_handle_t job = 0, process = 0, vmar = 0;
    EXPECT_OK(zx_job_create(zx_job_default(), 0, &job));
    EXPECT_OK(zx_process_create(job, "p", 1, 0, &process, &vmar));
    keep(vmar);
    a[0] = keep(job);
    a[2] = keep(process);
}
PREPARE(job_set_policy) {
    zx_handle_t job = 0;
    EXPECT_OK(zx_job_create(zx_job_default(), 0, &job));
    a[0] = keep(job);
    a[4] = 1;
}
NOTHING_TO_DO(thread_legacy_yield)
PREPARE(profile_create) {
    const zx_profile_info_t info = {.flags = ZX_PROFILE_INFO_FLAG_CPU_MASK};
    a[0] = zx_job_default();
    memcpy(call_buffers[2], &info, sizeof info);
}
PREPARE(object_set_profile) {
    a[0] = zx_thread_self();
    a[1] = some_profile();
}
PREPARE(vmo_create) { a[0] = PAGE; }
PREPARE(vmo_read) {
    a[0] = some_vmo();
    a[3] = 8;
}
PREPARE(vmo_write) { prepare_vmo_read(a); }
PREPARE(vmo_get_size) { a[0] = some_vmo(); }
PREPARE(vmo_set_size) { a[0] = some_vmo(); }
PREPARE(vmo_op_range) {
    a[0] = some_vmo();
    a[1] = ZX_VMO_OP_ZERO;
    a[3] = PAGE;
}
PREPARE(vmo_create_child) {
    a[0] = some_vmo();
    a[1] = ZX_VMO_CHILD_SNAPSHOT;
    a[3] = PAGE;
}
PREPARE(vmo_replace_as_executable) { a[0] = some_vmo(); }
PREPARE(vmo_set_cache_policy) { a[0] = some_vmo(); }
NOTHING_TO_DO(pager_create)
PREPARE(pager_create_vmo) {
    a[0] = some_pager();
    a[2] = some_port();
    a[4] = PAGE;
}
PREPARE(pager_detach_vmo) { pager_scene(&a[0], &a[1]); }
PREPARE(pager_supply_pages) {
    pager_scene(&a[0], &a[1]);
    a[3] = PAGE;
    a[4] = some_vmo();
}
PREPARE(pager_op_range) {
    pager_scene(&a[0], &a[2]);
    a[1] = ZX_PAGER_OP_WRITEBACK_END;
    a[4] = PAGE;
}
PREPARE(pager_query_dirty_ranges) {
    zx_handle_t made_vmo = 0;
    a[0] = some_pager();
    EXPECT_OK(zx_pager_create_vmo((zx_handle_t)a[0], ZX_VMO_RESIZABLE, some_port(), 0, 0,
                                  &made_vmo));
    a[1] = keep(made_vmo);
    EXPECT_OK(zx_vmo_set_size(made_vmo, PAGE)); /* zeros that grew are dirty */
    a[3] = PAGE;
    a[5] = 4 * sizeof(zx_vmo_dirty_range_t);
}
PREPARE(pager_query_vmo_stats) {
    pager_scene(&a[0], &a[1]);
    a[4] = sizeof(zx_pager_vmo_stats_t);
}
PREPARE(vmar_allocate) {
    a[0] = some_region();
    a[3] = PAGE;
}
PREPARE(vmar_map) {
    a[0] = some_region();
    a[1] = ZX_VM_PERM_READ;
    a[3] = some_vmo();
    a[5] = PAGE;
}
PREPARE(vmar_unmap) { a[0] = dead_region(); }
PREPARE(vmar_protect) { a[0] = dead_region(); }
PREPARE(vmar_destroy) { a[0] = dead_region(); }
PREPARE(vmar_op_range) {
    a[0] = dead_region();
    a[1] = ZX_VMAR_OP_COMMIT;
    a[2] = PAGE;
    a[3] = PAGE;
    a[4] = 0; /* takes no buffer */
}
PREPARE(futex_wait) { memset(call_buffers[0], 0, 8); }
NOTHING_TO_DO(futex_wake)
NOTHING_TO_DO(futex_wake_single_owner)
NOTHING_TO_DO(futex_requeue)
NOTHING_TO_DO(futex_requeue_single_owner)
NOTHING_TO_DO(futex_get_owner)
PREPARE(cprng_add_entropy) { a[1] = 64; }
PREPARE(debug_read) { a[0] = some_event(); }
PREPARE(debug_send_command) {
    a[0] = root_resource();
    memcpy(call_buffers[1], "help", 4);
    a[2] = 4;
}
PREPARE(debug_write) { a[1] = 0; }
PREPARE(debuglog_create) { a[0] = root_resource(); }
PREPARE(debuglog_read) {
    zx_handle_t log = 0;
    EXPECT_OK(zx_debuglog_create(root_resource(), ZX_LOG_FLAG_READABLE, &log));
    a[0] = keep(log);
    a[3] = ZX_LOG_RECORD_MAX;
}
PREPARE(ktrace_control) {
    a[0] = root_resource();
    a[1] = KTRACE_ACTION_STOP;
}
PREPARE(ktrace_read) {
    a[0] = root_resource();
    a[3] = sizeof(jx_trace_record_t);
}
PREPARE(ktrace_write) { a[0] = root_resource(); }
PREPARE(debuglog_write) {
    prepare_debuglog_read(a);
    a[3] = 4;
    memcpy(call_buffers[2], "test", 4);
}
PREPARE(resource_create) {
    a[0] = root_resource();
    a[1] = ZX_RSRC_KIND_ROOT;
    a[5] = 4;
}
PREPARE(interrupt_create) { a[2] = ZX_INTERRUPT_VIRTUAL; }
PREPARE(interrupt_bind) {
    a[0] = some_interrupt();
    a[1] = interrupt_port();
}
PREPARE(interrupt_wait) {
    a[0] = some_interrupt();
    EXPECT_OK(zx_interrupt_trigger((zx_handle_t)a[0], 0, 1));
}
PREPARE(interrupt_ack) {
    a[0] = some_interrupt();
    EXPECT_OK(zx_interrupt_bind((zx_handle_t)a[0], interrupt_port(), 0, ZX_INTERRUPT_BIND));
}
PREPARE(interrupt_destroy) { a[0] = some_interrupt(); }
PREPARE(interrupt_trigger) { a[0] = some_interrupt(); }
PREPARE(iommu_create) {
    a[0] = root_resource();
    a[3] = sizeof(zx_iommu_desc_dummy_t);
}
PREPARE(bti_create) { a[0] = some_iommu(); }
PREPARE(bti_pin) {
    a[0] = some_device();
    a[1] = ZX_BTI_PERM_READ;
    a[2] = some_vmo();
    a[4] = PAGE;
    a[6] = 1;
}
PREPARE(bti_release_quarantine) { a[0] = some_device(); }
PREPARE(pmt_unpin) {
    zx_paddr_t address;
    zx_handle_t handle = 0;
    EXPECT_OK(zx_bti_pin(some_device(), ZX_BTI_PERM_READ, some_vmo(), 0, PAGE, &address, 1,
                         &handle));
    a[0] = keep(handle);
}
PREPARE(vmo_create_contiguous) {
    a[0] = some_device();
    a[1] = PAGE;
}
PREPARE(vmo_create_physical) {
    a[0] = root_resource();
    a[1] = 0xfed00000;
    a[2] = PAGE;
}
PREPARE(ioports_request) { a[0] = root_resource(); }
PREPARE(msi_allocate) {
    a[0] = root_resource();
    a[1] = 1;
}
/* Memory that looks like the capability of a device. */
PREPARE(msi_create) {
    static const uint8_t capability[24] = {5};
    zx_handle_t msi = 0, memory = 0;
    EXPECT_OK(zx_msi_allocate(root_resource(), 1, &msi));
    EXPECT_OK(zx_vmo_create_contiguous(some_device(), PAGE, 0, &memory));
    EXPECT_OK(zx_vmo_write(memory, capability, 0, sizeof capability));
    EXPECT_OK(zx_vmo_set_cache_policy(memory, ZX_CACHE_POLICY_UNCACHED_DEVICE));
    a[0] = keep(msi);
    a[3] = keep(memory);
}
PREPARE(system_get_event) {
    a[0] = zx_job_default();
    a[1] = ZX_SYSTEM_EVENT_OUT_OF_MEMORY;
}
PREPARE(system_powerctl) { a[0] = root_resource(); }
