/*
 * t_info_new.c - newer versions of records of zx_object_get_info: what they add, and that the
 * older ones are their first parts.
 */
#include <jacinth/info.h>
#include <jacinth/utest.h>
#include <string.h>
#include <threads.h>
#include <zircon/process.h>
#include <zircon/syscalls.h>

#include "core-tests/support.h"

static zx_status_t info(zx_handle_t handle, uint32_t topic, void *buffer, size_t size) {
    return zx_object_get_info(handle, topic, buffer, size, NULL, NULL);
}

/* One byte less is too short, nothing is written then, and a wrong type comes first. */
static void check_record(zx_handle_t handle, zx_handle_t wrong, uint32_t topic, size_t size) {
    uint8_t buffer[256];
    size_t actual = 9, avail = 9;
    memset(buffer, 0x5a, sizeof buffer);
    EXPECT_EQ(ZX_ERR_WRONG_TYPE, info(wrong, topic, buffer, sizeof buffer));
    EXPECT_EQ(ZX_ERR_BUFFER_TOO_SMALL,
              zx_object_get_info(handle, topic, buffer, size - 1, &actual, &avail));
    EXPECT_EQ(0, actual);
    EXPECT_EQ(1, avail);
    EXPECT_EQ(ZX_ERR_BUFFER_TOO_SMALL, info(handle, topic, NULL, 0));
    EXPECT_EQ(0x5a, buffer[0]);
    EXPECT_OK(zx_object_get_info(handle, topic, buffer, sizeof buffer, &actual, &avail));
    EXPECT_EQ(1, actual);
    EXPECT_EQ(1, avail);
    EXPECT_EQ(0x5a, buffer[size]);
}

TEST(newer_info_records_have_their_sizes_types_and_rights) {
    zx_handle_t vmo = make_vmo(1), event, self = zx_process_self();
    REQUIRE_OK(zx_event_create(0, &event));
    check_record(self, event, ZX_INFO_PROCESS_V2, 24);
    check_record(self, event, ZX_INFO_TASK_STATS_V2, 40);
    check_record(self, event, ZX_INFO_TASK_RUNTIME_V2, 32);
    check_record(zx_thread_self(), event, ZX_INFO_TASK_RUNTIME_V2, 32);
    check_record(zx_job_default(), event, ZX_INFO_TASK_RUNTIME_V2, 32);
    check_record(vmo, event, ZX_INFO_VMO_V4, 176);
    static const uint32_t topics[] = {ZX_INFO_PROCESS_V2, ZX_INFO_TASK_STATS_V2,
                                      ZX_INFO_TASK_RUNTIME_V2, ZX_INFO_PROCESS_MAPS_V3,
                                      ZX_INFO_PROCESS_VMOS_V4};
    zx_handle_t weak = copy_without(self, ZX_RIGHT_INSPECT);
    uint8_t buffer[256];
    for (size_t i = 0; i < sizeof topics / sizeof topics[0]; i++)
        EXPECT_EQ(ZX_ERR_ACCESS_DENIED, info(weak, topics[i], buffer, sizeof buffer));
    close_handle(weak);
    close_handle(event);
    close_handle(vmo);
}

CODE(turning_code, "1:\tpause\n\tjmp 1b");

TEST(info_process_v2_tells_when_it_started_and_how_it_is) {
    zx_time_t before = zx_clock_get_monotonic();
    struct child child;
    zx_info_process_v2_t now;
    if (child_make(&child, turning_code, turning_code_end)) {
        EXPECT_OK(info(child.process, ZX_INFO_PROCESS_V2, &now, sizeof now));
        EXPECT_EQ(0, now.flags);
        EXPECT_EQ(0, now.start_time);
        EXPECT_OK(child_start(&child, 0));
        EXPECT_OK(info(child.process, ZX_INFO_PROCESS_V2, &now, sizeof now));
        EXPECT_EQ(ZX_INFO_PROCESS_FLAG_STARTED, now.flags);
        EXPECT(now.start_time >= before && now.start_time <= zx_clock_get_monotonic());
        EXPECT_OK(zx_task_kill(child.process));
        EXPECT_OK(zx_object_wait_one(child.process, ZX_PROCESS_TERMINATED, ZX_TIME_INFINITE, NULL));
        EXPECT_OK(info(child.process, ZX_INFO_PROCESS_V2, &now, sizeof now));
        EXPECT_EQ(ZX_INFO_PROCESS_FLAG_STARTED | ZX_INFO_PROCESS_FLAG_EXITED, now.flags);
        EXPECT_EQ(ZX_TASK_RETCODE_SYSCALL_KILL, now.return_code);
    }
    child_end(&child);
}

TEST(info_runtime_v2_counts_time_in_page_faults_and_a_job_keeps_that_of_the_dead) {
    zx_info_task_runtime_v2_t before, after, job_before, job_after;
    zx_handle_t vmo = make_vmo(64);
    volatile uint8_t *view = map_vmo(vmo, READ_WRITE, 64);
    EXPECT_OK(info(zx_thread_self(), ZX_INFO_TASK_RUNTIME_V2, &before, sizeof before));
    for (size_t i = 0; i < 64; i++)
        view[i * PAGE] = 1;
    EXPECT_OK(info(zx_thread_self(), ZX_INFO_TASK_RUNTIME_V2, &after, sizeof after));
    EXPECT(after.page_fault_time > before.page_fault_time);
    EXPECT(after.page_fault_time - before.page_fault_time <= after.cpu_time + after.queue_time +
                                                                 after.lock_contention_time);
    EXPECT(after.lock_contention_time >= before.lock_contention_time);
    unmap(view, 64);
    close_handle(vmo);

    struct child child;
    EXPECT_OK(info(zx_job_default(), ZX_INFO_TASK_RUNTIME_V2, &job_before, sizeof job_before));
    if (child_make(&child, turning_code, turning_code_end) && child_start(&child, 0) == ZX_OK) {
        for (int i = 0; i < 10000; i++) { /* until it has run */
            EXPECT_OK(info(child.process, ZX_INFO_TASK_RUNTIME_V2, &after, sizeof after));
            if (after.cpu_time > 0 && after.page_fault_time > 0)
                break;
            (void)zx_nanosleep(zx_deadline_after(ZX_MSEC(1)));
        }
        EXPECT_OK(zx_task_kill(child.process));
        EXPECT_OK(zx_object_wait_one(child.process, ZX_PROCESS_TERMINATED, ZX_TIME_INFINITE, NULL));
        EXPECT_OK(info(child.process, ZX_INFO_TASK_RUNTIME_V2, &after, sizeof after));
        EXPECT(after.cpu_time > 0 && after.page_fault_time > 0);
    }
    child_end(&child);
    EXPECT_OK(info(zx_job_default(), ZX_INFO_TASK_RUNTIME_V2, &job_after, sizeof job_after));
    EXPECT(job_after.cpu_time > job_before.cpu_time);
    EXPECT(job_after.page_fault_time >= job_before.page_fault_time + after.page_fault_time);
}

TEST(info_vmo_v4_divides_shared_pages_among_those_who_show_them) {
    zx_info_vmo_v4_t parent_info, child_info, grandchild_info;
    zx_info_vmo_v3_t older;
    zx_handle_t parent = make_vmo(300), child, grandchild;
    for (size_t page = 0; page < 4; page++)
        put(parent, page, 1);
    put(parent, 299, 1);
    EXPECT_OK(info(parent, ZX_INFO_VMO_V4, &parent_info, sizeof parent_info));
    EXPECT_EQ(5 * PAGE, parent_info.committed_private_bytes);
    EXPECT_EQ(5 * PAGE, parent_info.populated_scaled_bytes);
    EXPECT_EQ(0, parent_info.committed_fractional_scaled_bytes);
    child = make_snapshot(parent, 300);
    grandchild = make_snapshot(child, 300);
    put(child, 0, 2);
    put(grandchild, 7, 3);
    EXPECT_OK(info(parent, ZX_INFO_VMO_V4, &parent_info, sizeof parent_info));
    EXPECT_OK(info(child, ZX_INFO_VMO_V4, &child_info, sizeof child_info));
    EXPECT_OK(info(grandchild, ZX_INFO_VMO_V4, &grandchild_info, sizeof grandchild_info));
    /* Page 0 is shown by two of them, 1 to 3 and 299 by all. */
    EXPECT_EQ(0, parent_info.committed_private_bytes);
    EXPECT_EQ(PAGE, child_info.committed_private_bytes);
    EXPECT_EQ(PAGE, grandchild_info.populated_private_bytes);
    unsigned __int128 sum = 0;
    const zx_info_vmo_v4_t *const all[] = {&parent_info, &child_info, &grandchild_info};
    for (size_t i = 0; i < 3; i++) {
        EXPECT(!(all[i]->committed_fractional_scaled_bytes >> 63));
        EXPECT(all[i]->committed_scaled_bytes < all[i]->populated_bytes);
        sum += ((unsigned __int128)all[i]->committed_scaled_bytes << 63) +
               all[i]->committed_fractional_scaled_bytes;
    }
    /* Seven pages exist; the parts are rounded down in the last bits. */
    EXPECT_EQ(7 * PAGE, (uint64_t)((sum + ((uint64_t)1 << 40)) >> 63));
    EXPECT_OK(info(child, ZX_INFO_VMO_V3, &older, sizeof older));
    EXPECT_EQ(0, memcmp(&older, &child_info, sizeof older));
    close_handle(child);
    close_handle(grandchild);
    EXPECT_OK(info(parent, ZX_INFO_VMO_V4, &parent_info, sizeof parent_info));
    EXPECT_EQ(5 * PAGE, parent_info.committed_private_bytes);
    close_handle(parent);
}

TEST(info_maps_v2_and_v3_count_pages_and_bytes) {
    struct child child;
    static zx_info_maps_v2_t pages[8];
    static zx_info_maps_v3_t bytes[8];
    static zx_info_vmo_v4_t vmos[8];
    size_t actual = 0, avail = 0;
    if (child_make(&child, turning_code, turning_code_end)) {
        put(child.data_vmo, 0, 7);
        EXPECT_OK(zx_object_get_info(child.process, ZX_INFO_PROCESS_MAPS_V2, pages, sizeof pages,
                                     &actual, &avail));
        EXPECT_EQ(4, actual);
        EXPECT_EQ(1, pages[3].u.mapping.committed_pages);
        EXPECT_EQ(1, pages[3].u.mapping.populated_pages);
        EXPECT_OK(zx_object_get_info(child.process, ZX_INFO_PROCESS_MAPS_V3, bytes,
                                     4 * sizeof bytes[0] - 1, &actual, &avail));
        EXPECT_EQ(3, actual);
        EXPECT_EQ(4, avail);
        EXPECT_OK(zx_object_get_info(child.process, ZX_INFO_PROCESS_MAPS_V3, NULL, 0, &actual,
                                     &avail));
        EXPECT_EQ(0, actual);
        zx_handle_t clone = make_snapshot(child.data_vmo, 1);
        EXPECT_OK(zx_object_get_info(child.process, ZX_INFO_PROCESS_MAPS_V3, bytes, sizeof bytes,
                                     &actual, &avail));
        EXPECT_EQ(4, actual);
        EXPECT_EQ(PAGE, bytes[3].u.mapping.committed_bytes);
        EXPECT_EQ(PAGE, bytes[3].u.mapping.populated_bytes);
        EXPECT_EQ(0, bytes[3].u.mapping.committed_private_bytes);
        EXPECT_EQ(PAGE / 2, bytes[3].u.mapping.committed_scaled_bytes);
        EXPECT_EQ(0, bytes[3].u.mapping.committed_fractional_scaled_bytes);
        close_handle(clone);
        EXPECT_EQ(ZX_ERR_BAD_STATE, info(child.process, ZX_INFO_PROCESS_VMOS_V4, vmos, sizeof vmos));
        EXPECT_OK(child_start(&child, 0));
        EXPECT_OK(zx_object_get_info(child.process, ZX_INFO_PROCESS_VMOS_V4, vmos, sizeof vmos,
                                     &actual, &avail));
        EXPECT(actual >= 2 && actual == avail);
        EXPECT_EQ(koid_of(child.data_vmo), vmos[actual - 1].koid);
        EXPECT_EQ(PAGE, vmos[actual - 1].populated_private_bytes);
    }
    child_end(&child);
}

TEST(info_about_the_kernels_memory_tells_what_can_be_taken_back) {
    zx_info_kmem_stats_extended_t before, after;
    zx_handle_t root = root_resource(), vmo, pager, port, paged, aux;
    if (!root)
        return;
    EXPECT_OK(info(root, ZX_INFO_KMEM_STATS_EXTENDED, &before, sizeof before));
    REQUIRE_OK(zx_vmo_create(8 * PAGE, ZX_VMO_DISCARDABLE, &vmo));
    zx_vmo_lock_state_t state;
    EXPECT_OK(zx_vmo_op_range(vmo, ZX_VMO_OP_LOCK, 0, 8 * PAGE, &state, sizeof state));
    for (size_t page = 0; page < 8; page++)
        put(vmo, page, 1);
    EXPECT_OK(info(root, ZX_INFO_KMEM_STATS_EXTENDED, &after, sizeof after));
    EXPECT_EQ(before.vmo_discardable_locked_bytes + 8 * PAGE, after.vmo_discardable_locked_bytes);
    EXPECT_OK(zx_vmo_op_range(vmo, ZX_VMO_OP_UNLOCK, 0, 8 * PAGE, NULL, 0));
    EXPECT_OK(info(root, ZX_INFO_KMEM_STATS_EXTENDED, &after, sizeof after));
    EXPECT_EQ(before.vmo_discardable_locked_bytes, after.vmo_discardable_locked_bytes);
    EXPECT_EQ(before.vmo_discardable_unlocked_bytes + 8 * PAGE,
              after.vmo_discardable_unlocked_bytes);
    close_handle(vmo);

    REQUIRE_OK(zx_pager_create(0, &pager));
    REQUIRE_OK(zx_port_create(0, &port));
    REQUIRE_OK(zx_pager_create_vmo(pager, 0, port, 1, 3 * PAGE, &paged));
    aux = make_vmo(3);
    for (size_t page = 0; page < 3; page++)
        put(aux, page, 1);
    EXPECT_OK(zx_pager_supply_pages(pager, paged, 0, 3 * PAGE, aux, 0));
    EXPECT_OK(info(root, ZX_INFO_KMEM_STATS_EXTENDED, &after, sizeof after));
    EXPECT_EQ(before.vmo_pager_total_bytes + 3 * PAGE, after.vmo_pager_total_bytes);
    EXPECT_EQ(3 * PAGE, after.vmo_pager_newest_bytes); /* supplied last, so it loses last */
    EXPECT_OK(zx_vmo_op_range(paged, ZX_VMO_OP_DONT_NEED, 0, 3 * PAGE, NULL, 0));
    EXPECT_OK(info(root, ZX_INFO_KMEM_STATS_EXTENDED, &after, sizeof after));
    EXPECT_EQ(3 * PAGE, after.vmo_pager_oldest_bytes);
    close_handle(aux);
    close_handle(paged);
    close_handle(pager);
    close_handle(port);
    EXPECT_OK(info(root, ZX_INFO_KMEM_STATS_EXTENDED, &after, sizeof after));
    EXPECT_EQ(before.vmo_pager_total_bytes, after.vmo_pager_total_bytes);
}

TEST(the_trace_context_of_a_process_is_for_debugging_only) {
    uint64_t mine = 0, other = 0;
    zx_handle_t process, vmar;
    zx_status_t status = zx_object_get_property(
        zx_process_self(), ZX_PROP_PROCESS_HW_TRACE_CONTEXT_ID, &mine, sizeof mine);
    if (call_is_off("debug_send_command")) {
        EXPECT_EQ(ZX_ERR_NOT_SUPPORTED, status);
        return;
    }
    EXPECT_OK(status);
    EXPECT(mine != 0 && mine % PAGE == 0);
    REQUIRE_OK(zx_process_create(zx_job_default(), "other", 5, 0, &process, &vmar));
    EXPECT_OK(zx_object_get_property(process, ZX_PROP_PROCESS_HW_TRACE_CONTEXT_ID, &other,
                                     sizeof other));
    EXPECT(other != mine);
    EXPECT_EQ(ZX_ERR_BUFFER_TOO_SMALL,
              zx_object_get_property(process, ZX_PROP_PROCESS_HW_TRACE_CONTEXT_ID, &other, 7));
    EXPECT_EQ(ZX_ERR_WRONG_TYPE, zx_object_get_property(zx_thread_self(),
                                                        ZX_PROP_PROCESS_HW_TRACE_CONTEXT_ID,
                                                        &other, sizeof other));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_object_set_property(process,
                                                          ZX_PROP_PROCESS_HW_TRACE_CONTEXT_ID,
                                                          &other, sizeof other));
    close_handle(vmar);
    close_handle(process);
}

/* --- this kernel's own: ports, and what threads wait for --- */

static jx_info_port_t port_info_of(zx_handle_t port) {
    static jx_info_port_t ports[64];
    size_t actual = 0, avail = 0;
    EXPECT_OK(zx_object_get_info(zx_process_self(), JX_INFO_PROCESS_PORTS, ports, sizeof ports,
                                 &actual, &avail));
    EXPECT_EQ(actual, avail);
    for (size_t i = 0; i < actual; i++)
        if (ports[i].handle_value == port)
            return ports[i];
    return (jx_info_port_t){0};
}

TEST(info_process_ports_counts_packets_and_waits) {
    zx_handle_t port, event, other;
    zx_port_packet_t packet = {.key = 1};
    size_t actual = 9, avail = 0;
    REQUIRE_OK(zx_port_create(0, &port));
    REQUIRE_OK(zx_event_create(0, &event));
    REQUIRE_OK(zx_event_create(0, &other));
    EXPECT_OK(zx_port_queue(port, &packet));
    EXPECT_OK(zx_object_wait_async(event, port, 2, ZX_EVENT_SIGNALED, 0));
    EXPECT_OK(zx_object_wait_async(other, port, 3, ZX_EVENT_SIGNALED, 0));
    EXPECT_OK(zx_object_signal(other, 0, ZX_EVENT_SIGNALED));
    jx_info_port_t info = port_info_of(port);
    EXPECT_EQ(koid_of(port), info.koid);
    EXPECT_EQ(2, info.packets);
    EXPECT_EQ(1, info.waits);
    EXPECT_EQ(0, info.threads);
    EXPECT_EQ(ZX_ERR_WRONG_TYPE,
              zx_object_get_info(port, JX_INFO_PROCESS_PORTS, NULL, 0, NULL, NULL));
    EXPECT_OK(zx_object_get_info(zx_process_self(), JX_INFO_PROCESS_PORTS, NULL, 0, &actual,
                                 &avail));
    EXPECT_EQ(0, actual);
    EXPECT(avail >= 1);
    close_handle(event);
    close_handle(other);
    close_handle(port);
}

struct waiting {
    enum { FOR_PORT, FOR_EVENT, FOR_MANY, FOR_CALL, FOR_TIME } what;
    zx_handle_t object, self;
};

static bool slept_enough;

static int wait_main(void *argument) {
    struct waiting *w = argument;
    zx_port_packet_t packet;
    zx_wait_item_t item = {.handle = w->object, .waitfor = ZX_USER_SIGNAL_0};
    char bytes[8] = "";
    uint32_t count, handles;
    zx_channel_call_args_t args = {.wr_bytes = bytes, .rd_bytes = bytes,
                                   .wr_num_bytes = sizeof bytes, .rd_num_bytes = sizeof bytes};
    __atomic_store_n(&w->self, zx_thread_self(), __ATOMIC_RELEASE);
    if (w->what == FOR_PORT)
        (void)zx_port_wait(w->object, ZX_TIME_INFINITE, &packet);
    else if (w->what == FOR_EVENT)
        (void)zx_object_wait_one(w->object, ZX_USER_SIGNAL_0, ZX_TIME_INFINITE, NULL);
    else if (w->what == FOR_MANY)
        (void)zx_object_wait_many(&item, 1, ZX_TIME_INFINITE);
    else if (w->what == FOR_CALL)
        (void)zx_channel_call(w->object, 0, ZX_TIME_INFINITE, &args, &count, &handles);
    while (w->what == FOR_TIME && !__atomic_load_n(&slept_enough, __ATOMIC_RELAXED))
        (void)zx_nanosleep(zx_deadline_after(ZX_MSEC(50)));
    return 0;
}

/* Whoever waits so is seen to wait for `object`; `end` ends the wait. */
static void check_wait(struct waiting w, zx_thread_state_t state, void (*end)(zx_handle_t),
                       zx_handle_t what) {
    jx_info_thread_wait_t wait = {0};
    thrd_t thread;
    if (thrd_create(&thread, wait_main, &w) != thrd_success)
        return;
    while (!__atomic_load_n(&w.self, __ATOMIC_ACQUIRE))
        ;
    for (int i = 0; i < 2000 && wait.state != state; i++) {
        (void)zx_nanosleep(zx_deadline_after(ZX_MSEC(1)));
        EXPECT_OK(info(w.self, JX_INFO_THREAD_WAIT, &wait, sizeof wait));
    }
    EXPECT_EQ(state, wait.state);
    EXPECT_EQ(w.object ? koid_of(w.object) : 0, wait.target);
    EXPECT(wait.waited >= 0);
    if (w.what == FOR_PORT)
        EXPECT_EQ(1, port_info_of(w.object).threads);
    end(what);
    EXPECT(thrd_join(thread, NULL) == thrd_success);
}

static void end_port(zx_handle_t port) {
    zx_port_packet_t packet = {.key = 1};
    EXPECT_OK(zx_port_queue(port, &packet));
}
static void end_signal(zx_handle_t event) { EXPECT_OK(zx_object_signal(event, 0, ZX_USER_SIGNAL_0)); }
static void end_sleep(zx_handle_t nothing) {
    __atomic_store_n(&slept_enough, true, __ATOMIC_RELAXED);
}

TEST(info_thread_wait_names_what_a_thread_waits_for) {
    zx_handle_t port, event, one, other;
    jx_info_thread_wait_t mine;
    REQUIRE_OK(zx_port_create(0, &port));
    REQUIRE_OK(zx_event_create(0, &event));
    REQUIRE_OK(zx_channel_create(0, &one, &other));
    EXPECT_OK(info(zx_thread_self(), JX_INFO_THREAD_WAIT, &mine, sizeof mine));
    EXPECT_EQ(ZX_THREAD_STATE_RUNNING, mine.state);
    EXPECT_EQ(0, mine.target);
    EXPECT_EQ(ZX_ERR_WRONG_TYPE, info(event, JX_INFO_THREAD_WAIT, &mine, sizeof mine));
    check_wait((struct waiting){FOR_PORT, port, 0}, ZX_THREAD_STATE_BLOCKED_PORT, end_port, port);
    check_wait((struct waiting){FOR_EVENT, event, 0}, ZX_THREAD_STATE_BLOCKED_WAIT_ONE, end_signal,
               event);
    EXPECT_OK(zx_object_signal(event, ZX_USER_SIGNAL_0, 0));
    check_wait((struct waiting){FOR_MANY, event, 0}, ZX_THREAD_STATE_BLOCKED_WAIT_MANY, end_signal,
               event);
    check_wait((struct waiting){FOR_CALL, one, 0}, ZX_THREAD_STATE_BLOCKED_CHANNEL, close_handle,
               other);
    check_wait((struct waiting){FOR_TIME, 0, 0}, ZX_THREAD_STATE_BLOCKED_SLEEPING, end_sleep, 0);
    close_handle(port);
    close_handle(event);
    close_handle(one);
}
