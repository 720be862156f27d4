/*
 * calls.c - how to make each call of syscalls.def so that it works; see calls.h.
 */
#include "core-tests/calls.h"

#include <jacinth/trace.h>
#include <jacinth/utest.h>
#include <string.h>

#include "core-tests/support.h"
#include "syscall/expand.h"

/* --- what prepare_ functions make --- */

#define MADE_MAX 12
static zx_handle_t made[MADE_MAX];
static int made_count;
_Alignas(4096) char call_buffers[8][4096];
static zx_handle_t handle_list[2];
static zx_channel_call_args_t call_args;
static zx_iovec_t vector[1];

static zx_handle_t keep(zx_handle_t handle) {
    made[made_count++] = handle;
    return handle;
}

static zx_handle_t event(void) {
    zx_handle_t handle = 0;
    EXPECT_OK(zx_event_create(0, &handle));
    return keep(handle);
}
static zx_handle_t vmo(void) { return keep(make_vmo(1)); }
static zx_handle_t port(void) {
    zx_handle_t handle = 0;
    EXPECT_OK(zx_port_create(0, &handle));
    return keep(handle);
}
/* Regions live without handles, so what is made in this one is ended with it. */
static zx_handle_t scene_region = ZX_HANDLE_INVALID;
static zx_handle_t region(void) {
    zx_vaddr_t address;
    EXPECT_OK(zx_vmar_allocate(zx_vmar_root_self(), ZX_VM_CAN_MAP_READ, 0, 4 * PAGE, &scene_region,
                               &address));
    return keep(scene_region);
}
static zx_handle_t dead_region(void) {
    zx_handle_t handle = region();
    EXPECT_OK(zx_vmar_destroy(handle));
    scene_region = ZX_HANDLE_INVALID;
    return handle;
}
static zx_handle_t channel_with_message(bool with_handle) {
    zx_handle_t one = 0, other = 0, inside = event();
    EXPECT_OK(zx_channel_create(0, &one, &other));
    EXPECT_OK(zx_channel_write(one, 0, "message", 8, &inside, with_handle));
    keep(one);
    return keep(other);
}
static zx_handle_t socket_with_bytes(void) {
    zx_handle_t one = 0, other = 0;
    EXPECT_OK(zx_socket_create(0, &one, &other));
    EXPECT_OK(zx_socket_write(one, 0, "12345678", 8, NULL));
    keep(one);
    return keep(other);
}

/* A child that stands still: suspended in its loop, or in an exception. */
static struct child scene_child;
CODE(loop_code, "1:\tpause\n\tjmp 1b");
CODE(fault_code, "ud2");
static zx_handle_t stopped_thread(void) {
    zx_handle_t token = 0;
    if (child_make(&scene_child, loop_code, loop_code_end) &&
        child_start(&scene_child, 0) == ZX_OK) {
        EXPECT_OK(zx_task_suspend(scene_child.process, &token));
        keep(token);
        EXPECT_OK(zx_object_wait_one(scene_child.thread, ZX_THREAD_SUSPENDED,
                                     zx_deadline_after(ZX_SEC(10)), NULL));
    }
    return scene_child.thread;
}
static zx_handle_t faulting_thread(void) {
    zx_exception_info_t info;
    zx_handle_t channel = 0, exception = 0;
    if (!child_make(&scene_child, fault_code, fault_code_end))
        return 0;
    EXPECT_OK(zx_task_create_exception_channel(scene_child.process, 0, &channel));
    keep(channel);
    EXPECT_OK(child_start(&scene_child, 0));
    EXPECT_OK(zx_object_wait_one(channel, ZX_CHANNEL_READABLE, zx_deadline_after(ZX_SEC(10)),
                                 NULL));
    EXPECT_OK(zx_channel_read(channel, 0, &info, &exception, sizeof info, 1, NULL, NULL));
    return keep(exception);
}
static zx_handle_t fifo_with_elements(void) {
    zx_handle_t one = 0, other = 0;
    EXPECT_OK(zx_fifo_create(16, 8, 0, &one, &other));
    EXPECT_OK(zx_fifo_write(one, 8, "elementsentire", 1, NULL));
    keep(one);
    return keep(other);
}

static zx_handle_t stream(void) {
    zx_handle_t handle = 0;
    EXPECT_OK(
        zx_stream_create(ZX_STREAM_MODE_READ | ZX_STREAM_MODE_WRITE, vmo(), 0, &handle));
    return keep(handle);
}

/* Pinned memory that is merely closed is in quarantine for ever. */
static void drop(zx_handle_t handle) {
    zx_info_handle_basic_t info = {0};
    EXPECT_OK(zx_object_get_info(handle, ZX_INFO_HANDLE_BASIC, &info, sizeof info, NULL, NULL));
    if (info.type == ZX_OBJ_TYPE_PMT)
        EXPECT_OK(zx_pmt_unpin(handle));
    else
        close_handle(handle);
}

void call_tidy(void) {
    if (scene_child.process != ZX_HANDLE_INVALID)
        child_end(&scene_child);
    if (scene_region != ZX_HANDLE_INVALID)
        EXPECT_OK(zx_vmar_destroy(scene_region));
    scene_region = ZX_HANDLE_INVALID;
    for (int i = 0; i < made_count; i++) {
        if (zx_object_get_info(made[i], ZX_INFO_HANDLE_VALID, NULL, 0, NULL, NULL) == ZX_OK)
            drop(made[i]);
    }
    made_count = 0;
}

/* Pointers are call_buffers already; a prepare_ function fills in the rest. */
#define PREPARE(name) static void prepare_##name(uint64_t *a)
#define NOTHING_TO_DO(name)                                                                        \
    PREPARE(name) {}

PREPARE(handle_close) { a[0] = event(); }
PREPARE(handle_close_many) {
    handle_list[0] = event();
    memcpy(call_buffers[0], handle_list, 4);
    a[1] = 1;
}
PREPARE(handle_duplicate) {
    a[0] = event();
    a[1] = ZX_RIGHT_SAME_RIGHTS;
}
PREPARE(handle_replace) { prepare_handle_duplicate(a); }
PREPARE(object_wait_one) {
    a[0] = event();
    EXPECT_OK(zx_object_signal((zx_handle_t)a[0], 0, ZX_EVENT_SIGNALED));
    a[1] = ZX_EVENT_SIGNALED;
}
PREPARE(object_wait_many) {
    zx_wait_item_t item = {event(), ZX_EVENT_SIGNALED, 0};
    EXPECT_OK(zx_object_signal(item.handle, 0, ZX_EVENT_SIGNALED));
    memcpy(call_buffers[0], &item, sizeof item);
    a[1] = 1;
}
PREPARE(object_wait_async) {
    a[0] = event();
    a[1] = port();
    a[3] = ZX_EVENT_SIGNALED;
}
PREPARE(object_signal) { a[0] = event(); }
PREPARE(object_signal_peer) { a[0] = channel_with_message(false); }
PREPARE(object_get_info) {
    a[0] = event();
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
    a[0] = vmo();
    a[1] = ZX_PROP_NAME;
    a[3] = ZX_MAX_NAME_LEN;
}
PREPARE(object_set_property) {
    prepare_object_get_property(a);
    strcpy(call_buffers[2], "name");
}
NOTHING_TO_DO(clock_get)
static zx_handle_t clock_object(void) {
    zx_handle_t handle = 0;
    EXPECT_OK(zx_clock_create(0, NULL, &handle));
    return keep(handle);
}
PREPARE(clock_create) { a[0] = ZX_CLOCK_ARGS_VERSION(1); }
PREPARE(clock_read) { a[0] = clock_object(); }
PREPARE(clock_get_details) {
    a[0] = clock_object();
    a[1] = ZX_CLOCK_ARGS_VERSION(1);
}
PREPARE(clock_update) {
    a[0] = clock_object();
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
    handle_list[0] = event();
    memcpy(call_buffers[4], handle_list, 4);
    a[3] = 16;
    a[5] = 1;
}
PREPARE(channel_write_etc) {
    const zx_handle_disposition_t move = {ZX_HANDLE_OP_MOVE, event(), ZX_OBJ_TYPE_NONE,
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
PREPARE(stream_create) { a[1] = vmo(); }
PREPARE(stream_readv) {
    a[0] = stream();
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
PREPARE(stream_seek) { a[0] = stream(); }
NOTHING_TO_DO(port_create)
PREPARE(port_queue) { a[0] = port(); }
PREPARE(port_wait) {
    zx_port_packet_t packet = {.key = 1};
    a[0] = port();
    EXPECT_OK(zx_port_queue((zx_handle_t)a[0], &packet));
}
PREPARE(port_cancel) {
    a[0] = port();
    a[1] = event();
}
PREPARE(process_create) {
    a[0] = zx_job_default();
    a[2] = 4;
}
PREPARE(process_start) { a[0] = event(); }
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
PREPARE(thread_start) { a[0] = event(); }
PREPARE(task_kill) { a[0] = event(); }
PREPARE(job_create) { a[0] = zx_job_default(); }
static zx_handle_t idle_process(void) {
    zx_handle_t process = 0, vmar = 0;
    EXPECT_OK(zx_process_create(zx_job_default(), "p", 1, 0, &process, &vmar));
    keep(vmar);
    return keep(process);
}
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
static zx_handle_t profile(void) {
    const zx_profile_info_t info = {.flags = ZX_PROFILE_INFO_FLAG_PRIORITY,
                                    .priority = ZX_PRIORITY_DEFAULT};
    zx_handle_t handle = 0;
    EXPECT_OK(zx_profile_create(zx_job_default(), 0, &info, &handle));
    return keep(handle);
}
PREPARE(profile_create) {
    const zx_profile_info_t info = {.flags = ZX_PROFILE_INFO_FLAG_CPU_MASK};
    a[0] = zx_job_default();
    memcpy(call_buffers[2], &info, sizeof info);
}
PREPARE(object_set_profile) {
    a[0] = zx_thread_self();
    a[1] = profile();
}
PREPARE(vmo_create) { a[0] = PAGE; }
PREPARE(vmo_read) {
    a[0] = vmo();
    a[3] = 8;
}
PREPARE(vmo_write) { prepare_vmo_read(a); }
PREPARE(vmo_get_size) { a[0] = vmo(); }
PREPARE(vmo_set_size) { a[0] = vmo(); }
PREPARE(vmo_op_range) {
    a[0] = vmo();
    a[1] = ZX_VMO_OP_ZERO;
    a[3] = PAGE;
}
PREPARE(vmo_create_child) {
    a[0] = vmo();
    a[1] = ZX_VMO_CHILD_SNAPSHOT;
    a[3] = PAGE;
}
PREPARE(vmo_replace_as_executable) { a[0] = vmo(); }
PREPARE(vmo_set_cache_policy) { a[0] = vmo(); }
static zx_handle_t pager(void) {
    zx_handle_t handle = 0;
    EXPECT_OK(zx_pager_create(0, &handle));
    return keep(handle);
}
static void pager_scene(uint64_t *pager_argument, uint64_t *vmo_argument) {
    zx_handle_t made_vmo = 0;
    *pager_argument = pager();
    EXPECT_OK(zx_pager_create_vmo((zx_handle_t)*pager_argument, 0, port(), 0, PAGE, &made_vmo));
    *vmo_argument = keep(made_vmo);
}
NOTHING_TO_DO(pager_create)
PREPARE(pager_create_vmo) {
    a[0] = pager();
    a[2] = port();
    a[4] = PAGE;
}
PREPARE(pager_detach_vmo) { pager_scene(&a[0], &a[1]); }
PREPARE(pager_supply_pages) {
    pager_scene(&a[0], &a[1]);
    a[3] = PAGE;
    a[4] = vmo();
}
PREPARE(pager_op_range) {
    pager_scene(&a[0], &a[2]);
    a[1] = ZX_PAGER_OP_WRITEBACK_END;
    a[4] = PAGE;
}
PREPARE(pager_query_dirty_ranges) {
    zx_handle_t made_vmo = 0;
    a[0] = pager();
    EXPECT_OK(zx_pager_create_vmo((zx_handle_t)a[0], ZX_VMO_RESIZABLE, port(), 0, 0, &made_vmo));
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
    a[0] = region();
    a[3] = PAGE;
}
PREPARE(vmar_map) {
    a[0] = region();
    a[1] = ZX_VM_PERM_READ;
    a[3] = vmo();
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
PREPARE(debug_read) { a[0] = event(); }
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
static zx_handle_t interrupt(void) {
    zx_handle_t handle = 0;
    EXPECT_OK(zx_interrupt_create(0, 0, ZX_INTERRUPT_VIRTUAL, &handle));
    return keep(handle);
}
static zx_handle_t interrupt_port(void) {
    zx_handle_t handle = 0;
    EXPECT_OK(zx_port_create(ZX_PORT_BIND_TO_INTERRUPT, &handle));
    return keep(handle);
}
PREPARE(interrupt_create) { a[2] = ZX_INTERRUPT_VIRTUAL; }
PREPARE(interrupt_bind) {
    a[0] = interrupt();
    a[1] = interrupt_port();
}
PREPARE(interrupt_wait) {
    a[0] = interrupt();
    EXPECT_OK(zx_interrupt_trigger((zx_handle_t)a[0], 0, 1));
}
PREPARE(interrupt_ack) {
    a[0] = interrupt();
    EXPECT_OK(zx_interrupt_bind((zx_handle_t)a[0], interrupt_port(), 0, ZX_INTERRUPT_BIND));
}
PREPARE(interrupt_destroy) { a[0] = interrupt(); }
PREPARE(interrupt_trigger) { a[0] = interrupt(); }
static zx_handle_t device(void) {
    static const zx_iommu_desc_dummy_t dummy;
    zx_handle_t handle = 0;
    EXPECT_OK(zx_iommu_create(root_resource(), ZX_IOMMU_TYPE_DUMMY, &dummy, 1, &handle));
    EXPECT_OK(zx_bti_create(keep(handle), 0, 0, &handle));
    return keep(handle);
}
PREPARE(iommu_create) {
    a[0] = root_resource();
    a[3] = sizeof(zx_iommu_desc_dummy_t);
}
PREPARE(bti_create) {
    device();
    a[0] = made[made_count - 2];
}
PREPARE(bti_pin) {
    a[0] = device();
    a[1] = ZX_BTI_PERM_READ;
    a[2] = vmo();
    a[4] = PAGE;
    a[6] = 1;
}
PREPARE(bti_release_quarantine) { a[0] = device(); }
PREPARE(pmt_unpin) {
    zx_paddr_t address;
    zx_handle_t handle = 0;
    EXPECT_OK(zx_bti_pin(device(), ZX_BTI_PERM_READ, vmo(), 0, PAGE, &address, 1, &handle));
    a[0] = keep(handle);
}
PREPARE(vmo_create_contiguous) {
    a[0] = device();
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
    EXPECT_OK(zx_vmo_create_contiguous(device(), PAGE, 0, &memory));
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

/* --- the table --- */

enum passed { none_passed, u32, i32, u64, i64, in, out };
static const enum passed passed_of[] = {
    [KIND_none] = none_passed,
#define KIND(name, passed, user) [KIND_##name] = passed,
#include "syscall/kinds.def"
#undef KIND
};

#define KIND_OF(i, kind, name) KIND_##kind
#define SYSCALL(name, text, needs, ...)                                                            \
    {#name, (void *)zx_##name, prepare_##name, {EACH_PAIR(KIND_OF, __VA_ARGS__)}},
#define SYSCALL_VOID(name, ...)
#define SYSCALL_INNER(name, ...)
#define VDSO_CALL(type, name, ...)

const struct call calls[] = {
#include "syscall/syscalls.def"
};
const size_t calls_count = sizeof calls / sizeof calls[0];

bool call_reads(const struct call *call, int i) { return passed_of[call->kinds[i]] == in; }
bool call_has_pointer(const struct call *call, int i) {
    return call->kinds[i] != KIND_none && passed_of[call->kinds[i]] >= in;
}

/* Those that cannot work without doing harm give the status that is the next best. */
zx_status_t call_expected(const struct call *call) {
    static const struct {
        const char *name;
        zx_status_t status;
    } others[] = {
        {"channel_call", ZX_ERR_TIMED_OUT},
        {"channel_call_etc", ZX_ERR_TIMED_OUT}, {"process_start", ZX_ERR_WRONG_TYPE},
        {"thread_start", ZX_ERR_WRONG_TYPE},  {"task_kill", ZX_ERR_ACCESS_DENIED},
        {"port_cancel", ZX_ERR_NOT_FOUND},    {"futex_wait", ZX_ERR_TIMED_OUT},
        {"debug_read", ZX_ERR_WRONG_TYPE},    {"vmo_set_size", ZX_ERR_UNAVAILABLE},
        {"vmar_unmap", ZX_ERR_INVALID_ARGS},  {"vmar_protect", ZX_ERR_INVALID_ARGS},
        {"vmar_destroy", ZX_ERR_BAD_STATE},   {"vmar_op_range", ZX_ERR_ACCESS_DENIED},
         {"system_powerctl", ZX_ERR_INVALID_ARGS},
    };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        if (strcmp(others[i].name, call->name) == 0)
            return others[i].status;
    }
    return ZX_OK;
}

void call_prepare(const struct call *call, uint64_t *a) {
    memset(call_buffers, 0, sizeof call_buffers);
    for (int i = 0; i < 8; i++)
        a[i] = call_has_pointer(call, i) ? (uint64_t)call_buffers[i] : 0;
    call->prepare(a);
}

typedef int32_t any_call(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
                         uint64_t);
zx_status_t call_make(const struct call *call, const uint64_t *a) {
    return ((any_call *)call->function)(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7]);
}

void call_drop_results(const struct call *call, const uint64_t *a) {
    for (int i = 0; i < 8; i++) {
        zx_handle_t handle;
        if (call->kinds[i] != KIND_OUT_HANDLE && call->kinds[i] != KIND_OUT_HANDLES &&
            call->kinds[i] != KIND_OUT_HANDLE_INFOS)
            continue;
        memcpy(&handle, (const void *)a[i], 4);
        if (handle != ZX_HANDLE_INVALID)
            drop(handle);
    }
}
