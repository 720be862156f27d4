/*
 * t_info.c - zx_object_get_info: sizes of buffers, counts, rights, and the records.
 */
#include <jacinth/info.h>
#include <jacinth/utest.h>
#include <string.h>

#include "core-tests/support.h"

static zx_status_t info_status(zx_handle_t handle, uint32_t topic, void *buffer, size_t size) {
    return zx_object_get_info(handle, topic, buffer, size, NULL, NULL);
}

TEST(info_of_an_unknown_topic_is_not_supported_before_the_handle_is_looked_at) {
    static const uint32_t topics[] = {0, 5, 6, 999, UINT32_MAX};
    for (size_t i = 0; i < sizeof topics / sizeof topics[0]; i++)
        EXPECT_EQ(ZX_ERR_NOT_SUPPORTED, info_status(ZX_HANDLE_INVALID, topics[i], NULL, 0));
}

TEST(info_handle_valid_tells_valid_from_bad) {
    zx_handle_t event;
    REQUIRE_OK(zx_event_create(0, &event));
    EXPECT_OK(info_status(event, ZX_INFO_HANDLE_VALID, NULL, 0));
    close_handle(event);
    EXPECT_EQ(ZX_ERR_BAD_HANDLE, info_status(event, ZX_INFO_HANDLE_VALID, NULL, 0));
    EXPECT_EQ(ZX_ERR_BAD_HANDLE, info_status(0, ZX_INFO_HANDLE_VALID, NULL, 0));
}

TEST(info_record_wants_a_buffer_that_holds_it) {
    struct {
        zx_info_handle_basic_t info;
        uint64_t guard;
    } buffer;
    size_t actual = 9, avail = 9;
    memset(&buffer, 0x5a, sizeof buffer);
    zx_handle_t self = zx_process_self();
    EXPECT_EQ(ZX_ERR_BUFFER_TOO_SMALL,
              zx_object_get_info(self, ZX_INFO_HANDLE_BASIC, &buffer, 31, &actual, &avail));
    EXPECT_EQ(0, actual);
    EXPECT_EQ(1, avail);
    EXPECT_EQ(0x5a5a5a5a5a5a5a5a, buffer.info.koid);
    EXPECT_OK(zx_object_get_info(self, ZX_INFO_HANDLE_BASIC, &buffer, sizeof buffer, &actual,
                                 &avail));
    EXPECT_EQ(1, actual);
    EXPECT_EQ(1, avail);
    EXPECT_EQ(0x5a5a5a5a5a5a5a5a, buffer.guard);
    EXPECT_EQ(ZX_OBJ_TYPE_PROCESS, buffer.info.type);
    EXPECT_EQ(koid_of(zx_job_default()), buffer.info.related_koid);
    EXPECT_OK(zx_object_get_info(self, ZX_INFO_HANDLE_BASIC, &buffer, 32, NULL, NULL));
    EXPECT_EQ(0, *(uint32_t *)((char *)&buffer + 24));
    EXPECT_EQ(0, *(uint32_t *)((char *)&buffer + 28));
}

TEST(info_handle_basic_needs_no_right_but_handle_count_does) {
    zx_handle_t event, bare;
    zx_info_handle_count_t count;
    REQUIRE_OK(zx_event_create(0, &event));
    bare = copy_with(event, 0);
    EXPECT_EQ(0, rights_of(bare));
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED,
              info_status(bare, ZX_INFO_HANDLE_COUNT, &count, sizeof count));
    EXPECT_OK(info_status(event, ZX_INFO_HANDLE_COUNT, &count, sizeof count));
    EXPECT_EQ(2, count.handle_count);
    close_handle(bare);
    EXPECT_OK(info_status(event, ZX_INFO_HANDLE_COUNT, &count, sizeof count));
    EXPECT_EQ(1, count.handle_count);
    close_handle(event);
}

TEST(info_handle_count_includes_handles_in_messages) {
    zx_handle_t event, copy, one, other;
    zx_info_handle_count_t count;
    REQUIRE_OK(zx_event_create(0, &event));
    REQUIRE_OK(zx_channel_create(0, &one, &other));
    copy = copy_with(event, ZX_RIGHT_SAME_RIGHTS);
    REQUIRE_OK(zx_channel_write(one, 0, NULL, 0, &copy, 1));
    EXPECT_OK(info_status(event, ZX_INFO_HANDLE_COUNT, &count, sizeof count));
    EXPECT_EQ(2, count.handle_count);
    close_handle(one);
    close_handle(other);
    EXPECT_OK(info_status(event, ZX_INFO_HANDLE_COUNT, &count, sizeof count));
    EXPECT_EQ(1, count.handle_count);
    close_handle(event);
}

/* Each topic: the record's size, a handle that has it, one of another type, the right. */
struct topic {
    const char *name;
    uint32_t topic;
    size_t size;
    bool is_array;
    zx_rights_t right; /* 0: none */
    zx_handle_t handle;
};

TEST(info_topics_check_type_then_right_then_size) {
    static uint8_t buffer[4096];
    zx_handle_t vmo = make_vmo(1), one, other;
    REQUIRE_OK(zx_socket_create(0, &one, &other));
    zx_handle_t stream;
    REQUIRE_OK(zx_stream_create(0, vmo, 0, &stream));
    const struct topic topics[] = {
        {"PROCESS", ZX_INFO_PROCESS, 16, false, ZX_RIGHT_INSPECT, zx_process_self()},
        {"PROCESS_THREADS", ZX_INFO_PROCESS_THREADS, 8, true, ZX_RIGHT_ENUMERATE,
         zx_process_self()},
        {"PROCESS_HANDLE_STATS", ZX_INFO_PROCESS_HANDLE_STATS, 256, false, ZX_RIGHT_INSPECT,
         zx_process_self()},
        {"HANDLE_TABLE", ZX_INFO_HANDLE_TABLE, 40, true, ZX_RIGHT_INSPECT, zx_process_self()},
        {"TASK_STATS", ZX_INFO_TASK_STATS, 32, false, ZX_RIGHT_INSPECT, zx_process_self()},
        {"TASK_RUNTIME", ZX_INFO_TASK_RUNTIME, 16, false, ZX_RIGHT_INSPECT, zx_process_self()},
        {"JOB", ZX_INFO_JOB, 16, false, ZX_RIGHT_INSPECT, zx_job_default()},
        {"JOB_CHILDREN", ZX_INFO_JOB_CHILDREN, 8, true, ZX_RIGHT_ENUMERATE, zx_job_default()},
        {"JOB_PROCESSES", ZX_INFO_JOB_PROCESSES, 8, true, ZX_RIGHT_ENUMERATE, zx_job_default()},
        {"THREAD", ZX_INFO_THREAD, 72, false, ZX_RIGHT_INSPECT, zx_thread_self()},
        {"THREAD_STATS", ZX_INFO_THREAD_STATS, 16, false, ZX_RIGHT_INSPECT, zx_thread_self()},
        {"VMAR", ZX_INFO_VMAR, 16, false, ZX_RIGHT_INSPECT, zx_vmar_root_self()},
        {"VMO", ZX_INFO_VMO, 104, false, 0, vmo},
        {"VMO v2", ZX_INFO_VMO_V2, 120, false, 0, vmo},
        {"VMO v3", ZX_INFO_VMO_V3, 128, false, 0, vmo},
        {"SOCKET", ZX_INFO_SOCKET, 48, false, ZX_RIGHT_INSPECT, one},
        {"STREAM", ZX_INFO_STREAM, 24, false, ZX_RIGHT_INSPECT, stream},
    };
    zx_handle_t event;
    REQUIRE_OK(zx_event_create(0, &event));
    for (size_t i = 0; i < sizeof topics / sizeof topics[0]; i++) {
        const struct topic *t = &topics[i];
        size_t actual = 99, avail = 99;
        zx_handle_t weak = copy_without(t->handle, t->right);
        zx_status_t got[4] = {
            info_status(event, t->topic, buffer, sizeof buffer),
            info_status(weak, t->topic, buffer, sizeof buffer),
            zx_object_get_info(t->handle, t->topic, buffer, t->size - 1, &actual, &avail),
            info_status(t->handle, t->topic, buffer, sizeof buffer),
        };
        zx_status_t want[4] = {ZX_ERR_WRONG_TYPE, t->right ? ZX_ERR_ACCESS_DENIED : ZX_OK,
                               t->is_array ? ZX_OK : ZX_ERR_BUFFER_TOO_SMALL, ZX_OK};
        for (int j = 0; j < 4; j++) {
            if (got[j] != want[j])
                utest_fail(__FILE__, __LINE__, "%s, check %d: %d, not %d", t->name, j, got[j],
                           want[j]);
        }
        EXPECT_EQ(0, actual);
        EXPECT(t->is_array || avail == 1);
        close_handle(weak);
    }
    close_handle(event);
    close_handle(stream);
    close_handle(one);
    close_handle(other);
    close_handle(vmo);
}

TEST(info_maps_of_oneself_are_refused) {
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED,
              info_status(zx_process_self(), ZX_INFO_PROCESS_MAPS, NULL, 0));
}

CODE(wait_code, "1:\tpause\n\tjmp 1b");

TEST(info_maps_walk_the_tree_in_order) {
    struct child child;
    zx_info_maps_t maps[8];
    size_t actual = 0, avail = 0;
    if (child_make(&child, wait_code, wait_code_end)) {
        EXPECT_OK(zx_object_set_property(child.data_vmo, ZX_PROP_NAME, "data", 4));
        EXPECT_OK(zx_object_get_info(child.process, ZX_INFO_PROCESS_MAPS, maps, sizeof maps,
                                     &actual, &avail));
        EXPECT_EQ(4, actual);
        EXPECT_EQ(4, avail);
        for (size_t i = 0; i < 4; i++)
            EXPECT_EQ(i < 2 ? i : 2, maps[i].depth);
        EXPECT_EQ(ZX_INFO_MAPS_TYPE_ASPACE, maps[0].type);
        EXPECT_EQ(ZX_INFO_MAPS_TYPE_VMAR, maps[1].type);
        EXPECT_EQ(ZX_INFO_MAPS_TYPE_MAPPING, maps[2].type);
        EXPECT_EQ(CHILD_CODE, maps[2].base);
        EXPECT_EQ(ZX_VM_PERM_READ | ZX_VM_PERM_EXECUTE, maps[2].u.mapping.mmu_flags);
        EXPECT_EQ(CHILD_DATA, maps[3].base);
        EXPECT_EQ(PAGE, maps[3].size);
        EXPECT_STR("data", maps[3].name);
        EXPECT_EQ(READ_WRITE, maps[3].u.mapping.mmu_flags);
        EXPECT_EQ(koid_of(child.data_vmo), maps[3].u.mapping.vmo_koid);
        EXPECT_EQ(0, maps[3].u.mapping.vmo_offset);
        EXPECT_OK(zx_object_get_info(child.process, ZX_INFO_PROCESS_MAPS, maps,
                                     3 * sizeof maps[0] - 1, &actual, &avail));
        EXPECT_EQ(2, actual);
        EXPECT_EQ(4, avail);
        EXPECT_EQ(ZX_ERR_INVALID_ARGS,
                  info_status(child.process, ZX_INFO_PROCESS_MAPS, (void *)0x40, 4096));
    }
    child_end(&child);
}

TEST(p28_no_page_of_a_program_is_writable_and_executable) {
    struct child child;
    static zx_info_maps_t maps[64];
    size_t actual = 0;
    unsigned executable = 0, writable = 0;
    if (script_make(&child)) {
        EXPECT_OK(zx_object_get_info(child.process, ZX_INFO_PROCESS_MAPS, maps, sizeof maps,
                                     &actual, NULL));
        for (size_t i = 0; i < actual; i++) {
            if (maps[i].type != ZX_INFO_MAPS_TYPE_MAPPING)
                continue;
            uint32_t flags = maps[i].u.mapping.mmu_flags;
            executable += !!(flags & ZX_VM_PERM_EXECUTE);
            writable += !!(flags & ZX_VM_PERM_WRITE);
            EXPECT(!((flags & ZX_VM_PERM_WRITE) && (flags & ZX_VM_PERM_EXECUTE)));
        }
        EXPECT(executable >= 2 && writable >= 1);
    }
    child_end(&child);
}

static int data_word = 5, bss_word;
TEST(p28_data_and_bss_are_writable_and_start_right) {
    EXPECT_EQ(5, data_word);
    EXPECT_EQ(0, bss_word);
    data_word = bss_word = 6;
    EXPECT_EQ(12, *(volatile int *)&data_word + *(volatile int *)&bss_word);
    data_word = 5;
    bss_word = 0;
}

TEST(info_task_stats_tell_private_and_mapped_memory) {
    zx_info_task_stats_t before, after;
    REQUIRE_OK(info_status(zx_process_self(), ZX_INFO_TASK_STATS, &before, sizeof before));
    zx_handle_t vmo = make_vmo(16);
    volatile uint8_t *view = map_vmo(vmo, READ_WRITE, 16);
    for (size_t i = 0; i < 5; i++)
        view[i * PAGE] = 1;
    REQUIRE_OK(info_status(zx_process_self(), ZX_INFO_TASK_STATS, &after, sizeof after));
    EXPECT_EQ(before.mem_mapped_bytes + 16 * PAGE, after.mem_mapped_bytes);
    EXPECT_EQ(before.mem_private_bytes + 5 * PAGE, after.mem_private_bytes);
    unmap(view, 16);
    close_handle(vmo);
}

TEST(info_handle_table_and_stats_agree) {
    static zx_info_handle_extended_t table[256];
    size_t actual = 0, avail = 0;
    zx_handle_t event;
    REQUIRE_OK(zx_event_create(0, &event));
    REQUIRE_OK(zx_object_get_info(zx_process_self(), ZX_INFO_HANDLE_TABLE, table, sizeof table,
                                  &actual, &avail));
    EXPECT_EQ(actual, avail);
    EXPECT_EQ(own_handles(), avail);
    bool found = false;
    for (size_t i = 0; i < actual; i++) {
        if (table[i].handle_value != event)
            continue;
        found = true;
        EXPECT_EQ(ZX_OBJ_TYPE_EVENT, table[i].type);
        EXPECT_EQ(ZX_DEFAULT_EVENT_RIGHTS, table[i].rights);
        EXPECT_EQ(koid_of(event), table[i].koid);
        EXPECT_EQ(0, table[i].peer_owner_koid);
    }
    EXPECT(found);
    close_handle(event);
}

TEST(p39_default_rights_are_the_documented_ones) {
    static const struct {
        zx_rights_t coded, documented;
    } rows[] = {
        {ZX_DEFAULT_CHANNEL_RIGHTS, 0xf00e}, {ZX_DEFAULT_EVENT_RIGHTS, 0xd003},
        {ZX_DEFAULT_EVENTPAIR_RIGHTS, 0xf003}, {ZX_DEFAULT_SOCKET_RIGHTS, 0x10f0cf},
        {ZX_DEFAULT_PORT_RIGHTS, 0x800f}, {ZX_DEFAULT_TIMER_RIGHTS, 0xd00b},
        {ZX_DEFAULT_VMO_RIGHTS, 0xd0ef}, {ZX_DEFAULT_VMAR_RIGHTS, 0x8003},
        {ZX_DEFAULT_PROCESS_RIGHTS, 0x6d3cf}, {ZX_DEFAULT_THREAD_RIGHTS, 0x4d2cf},
        {ZX_DEFAULT_JOB_RIGHTS, 0x7dfcf}, {ZX_DEFAULT_LOG_RIGHTS, 0xd00b},
        {ZX_DEFAULT_RESOURCE_RIGHTS, 0x800b},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        EXPECT_EQ(rows[i].documented, rows[i].coded);
    zx_handle_t made[12], other;
    REQUIRE_OK(zx_channel_create(0, &made[0], &made[1]));
    REQUIRE_OK(zx_event_create(0, &made[2]));
    REQUIRE_OK(zx_eventpair_create(0, &made[3], &other));
    REQUIRE_OK(zx_socket_create(0, &made[4], &made[5]));
    REQUIRE_OK(zx_port_create(0, &made[6]));
    REQUIRE_OK(zx_timer_create(0, ZX_CLOCK_MONOTONIC, &made[7]));
    static const zx_rights_t want[] = {0xf00e, 0xf00e, 0xd003, 0xf003,
                                       0x10f0cf, 0x10f0cf, 0x800f, 0xd00b};
    for (size_t i = 0; i < 8; i++) {
        EXPECT_EQ(want[i], rights_of(made[i]));
        close_handle(made[i]);
    }
    close_handle(other);
}

TEST(info_about_the_kernel_wants_a_root_resource) {
    zx_info_kmem_stats_t kmem;
    zx_info_cpu_stats_t cpus[8];
    size_t actual = 0, avail = 0;
    EXPECT_EQ(ZX_ERR_WRONG_TYPE,
              info_status(zx_process_self(), ZX_INFO_KMEM_STATS, &kmem, sizeof kmem));
    EXPECT_EQ(ZX_ERR_BAD_HANDLE, info_status(0, ZX_INFO_CPU_STATS, cpus, sizeof cpus));
    zx_handle_t root = root_resource();
    if (root == ZX_HANDLE_INVALID)
        return;
    EXPECT_OK(info_status(root, ZX_INFO_KMEM_STATS, &kmem, sizeof kmem));
    EXPECT(kmem.free_bytes > 0 && kmem.free_bytes < kmem.total_bytes);
    EXPECT_OK(
        zx_object_get_info(root, ZX_INFO_CPU_STATS, cpus, sizeof cpus, &actual, &avail));
    EXPECT_EQ(zx_system_get_num_cpus(), avail);
    for (size_t i = 0; i < actual; i++) {
        EXPECT_EQ(i, cpus[i].cpu_number);
        EXPECT_EQ(1, cpus[i].flags);
    }
}

TEST(info_about_the_kernels_memory_has_longer_records_too) {
    zx_info_kmem_stats_t plain;
    zx_info_kmem_stats_extended_t extended;
    jx_info_page_maps_t maps, more;
    zx_handle_t root = root_resource(), vmo;
    EXPECT_EQ(ZX_ERR_WRONG_TYPE, info_status(zx_process_self(), ZX_INFO_KMEM_STATS_EXTENDED,
                                             &extended, sizeof extended));
    EXPECT_EQ(ZX_ERR_WRONG_TYPE,
              info_status(zx_process_self(), JX_INFO_PAGE_MAPS, &maps, sizeof maps));
    if (root == ZX_HANDLE_INVALID)
        return;
    EXPECT_EQ(ZX_ERR_BUFFER_TOO_SMALL,
              info_status(root, ZX_INFO_KMEM_STATS_EXTENDED, &extended, 111));
    EXPECT_OK(info_status(root, ZX_INFO_KMEM_STATS, &plain, sizeof plain));
    EXPECT_OK(info_status(root, ZX_INFO_KMEM_STATS_EXTENDED, &extended, sizeof extended));
    EXPECT_EQ(plain.total_bytes, extended.total_bytes);
    EXPECT_EQ(plain.vmo_bytes, extended.vmo_bytes);
    EXPECT_EQ(plain.wired_bytes, extended.wired_bytes);

    /* A leaf for each 64 pages, and what is above. */
    EXPECT_OK(info_status(root, JX_INFO_PAGE_MAPS, &maps, sizeof maps));
    vmo = make_vmo(640);
    REQUIRE_OK(zx_vmo_op_range(vmo, ZX_VMO_OP_COMMIT, 0, 640 * PAGE, NULL, 0));
    EXPECT_OK(info_status(root, JX_INFO_PAGE_MAPS, &more, sizeof more));
    EXPECT_EQ(maps.nodes + 11, more.nodes);
    EXPECT(more.node_bytes - maps.node_bytes >= (size_t)11 * 64 * 8);
    close_handle(vmo);
}

TEST(info_about_a_vmo_tells_what_it_shows_and_what_it_pays_for) {
    zx_info_vmo_v3_t info;
    zx_handle_t parent = make_vmo(4), child;
    for (size_t page = 0; page < 3; page++)
        put(parent, page, 1);
    child = make_snapshot(parent, 4);
    put(child, 2, 2);
    put(child, 3, 2);
    EXPECT_OK(info_status(parent, ZX_INFO_VMO_V3, &info, sizeof info));
    EXPECT_EQ(3 * PAGE, info.populated_bytes);
    EXPECT_EQ(3 * PAGE, info.committed_bytes);
    EXPECT(info.metadata_bytes > 0);
    EXPECT_OK(info_status(child, ZX_INFO_VMO_V3, &info, sizeof info));
    EXPECT_EQ(4 * PAGE, info.populated_bytes);
    EXPECT_EQ(2 * PAGE, info.committed_bytes);
    EXPECT_EQ(koid_of(parent), info.parent_koid);
    close_handle(parent);
    EXPECT_OK(info_status(child, ZX_INFO_VMO_V3, &info, sizeof info));
    EXPECT_EQ(4 * PAGE, info.populated_bytes);
    EXPECT_EQ(4 * PAGE, info.committed_bytes);
    close_handle(child);
}
