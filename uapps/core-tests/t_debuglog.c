/*
 * t_debuglog.c - the kernel's log, the console, resources, random numbers.
 *
 * The root resource is there only when this program is the first process; without
 * it the tests that need it check that nothing else opens the door.
 */
#include <jacinth/utest.h>
#include <string.h>
#include <zircon/syscalls/log.h>

#include "core-tests/support.h"

TEST(debug_write_writes_and_refuses_bad_memory) {
    EXPECT_OK(zx_debug_write("", 0));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_debug_write((const char *)8, 1));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_debug_write((const char *)0xffff800000000000, 1));
}

TEST(debuglog_wants_the_root_resource) {
    zx_handle_t log, event;
    REQUIRE_OK(zx_event_create(0, &event));
    EXPECT_EQ(ZX_ERR_BAD_HANDLE, zx_debuglog_create(ZX_HANDLE_INVALID, 0, &log));
    EXPECT_EQ(ZX_ERR_WRONG_TYPE, zx_debuglog_create(event, 0, &log));
    EXPECT_EQ(ZX_ERR_WRONG_TYPE, zx_debug_read(event, (char *)&log, 1, NULL));
    close_handle(event);
}

/* Reads until a record with this text comes. */
static bool find_record(zx_handle_t log, const char *text, zx_log_record_t *out_record) {
    const size_t head = offsetof(zx_log_record_t, data);
    for (;;) {
        zx_status_t status = zx_debuglog_read(log, 0, out_record, sizeof *out_record);
        if (status < 0)
            return false;
        EXPECT_EQ(head + out_record->datalen, status);
        if (out_record->datalen == strlen(text) &&
            memcmp(out_record->data, text, strlen(text)) == 0)
            return true;
    }
}

/* Passes what is in the log already: an earlier run may have left the same text. */
static void skip_records(zx_handle_t log) {
    zx_log_record_t record;
    while (zx_debuglog_read(log, 0, &record, sizeof record) > 0)
        ;
}

TEST(debuglog_carries_records_with_their_writer) {
    zx_handle_t root = root_resource(), log, deaf;
    zx_log_record_t record;
    if (root == ZX_HANDLE_INVALID)
        return;
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_debuglog_create(root, 1, &log));
    REQUIRE_OK(zx_debuglog_create(root, ZX_LOG_FLAG_READABLE, &log));
    REQUIRE_OK(zx_debuglog_create(root, 0, &deaf));
    EXPECT_EQ(ZX_DEFAULT_LOG_RIGHTS | ZX_RIGHT_READ, rights_of(log));
    EXPECT_EQ(ZX_DEFAULT_LOG_RIGHTS, rights_of(deaf));
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED, zx_debuglog_read(deaf, 0, &record, sizeof record));
    skip_records(log);
    EXPECT_OK(zx_debuglog_write(deaf, 0, "a core-tests record", 19));
    REQUIRE(find_record(log, "a core-tests record", &record));
    EXPECT_EQ(koid_of(zx_process_self()), record.pid);
    EXPECT_EQ(koid_of(zx_thread_self()), record.tid);
    EXPECT(record.timestamp > 0 && record.timestamp <= zx_clock_get_monotonic());
    EXPECT_EQ(ZX_ERR_SHOULD_WAIT, zx_debuglog_read(log, 0, &record, sizeof record));
    EXPECT_EQ(ZX_ERR_TIMED_OUT, zx_object_wait_one(log, ZX_LOG_READABLE, 0, NULL));
    EXPECT_OK(zx_debuglog_write(deaf, 0, "another", 7));
    EXPECT_OK(zx_object_wait_one(log, ZX_LOG_READABLE, zx_deadline_after(ZX_SEC(5)), NULL));
    EXPECT_EQ(44, zx_debuglog_read(log, 0, &record, 44));
    close_handle(log);
    close_handle(deaf);
}

TEST(debuglog_checks_size_options_and_memory) {
    static const char text[300];
    zx_handle_t root = root_resource(), log;
    if (root == ZX_HANDLE_INVALID)
        return;
    REQUIRE_OK(zx_debuglog_create(root, ZX_LOG_FLAG_READABLE, &log));
    EXPECT_EQ(ZX_ERR_OUT_OF_RANGE, zx_debuglog_write(log, 0, text, 217));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_debuglog_write(log, 0x80000000u, text, 1));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_debuglog_write(log, 0, (void *)8, 1));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_debuglog_read(log, 1, NULL, 0));
    close_handle(log);
}

TEST(resources_are_made_from_the_root_only) {
    zx_handle_t root = root_resource(), port_range, again;
    zx_info_resource_t info;
    const uint32_t exclusive = ZX_RSRC_KIND_IOPORT | ZX_RSRC_FLAG_EXCLUSIVE;
    if (root == ZX_HANDLE_INVALID)
        return;
    EXPECT_EQ(ZX_ERR_INVALID_ARGS,
              zx_resource_create(root, ZX_RSRC_KIND_COUNT, 0, 0, "", 0, &again));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_resource_create(root, 1u << 20, 0, 1, "", 0, &again));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS,
              zx_resource_create(root, ZX_RSRC_KIND_IOPORT, 0, 1, NULL, 0, &again));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS,
              zx_resource_create(root, ZX_RSRC_KIND_VMEX, 1, 0, "", 0, &again));
    REQUIRE_OK(zx_resource_create(root, exclusive, 0x80, 4, "post", 4, &port_range));
    EXPECT_EQ(ZX_DEFAULT_RESOURCE_RIGHTS, rights_of(port_range));
    EXPECT_EQ(ZX_ERR_NOT_FOUND,
              zx_resource_create(root, ZX_RSRC_KIND_IOPORT, 0x83, 9, "", 0, &again));
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED,
              zx_resource_create(port_range, ZX_RSRC_KIND_IOPORT, 0x80, 1, "", 0, &again));
    REQUIRE_OK(zx_object_get_info(port_range, ZX_INFO_RESOURCE, &info, sizeof info, NULL, NULL));
    EXPECT_EQ(ZX_RSRC_KIND_IOPORT, info.kind);
    EXPECT_EQ(0x80, info.base);
    EXPECT_EQ(4, info.size);
    EXPECT_STR("post", info.name);
    EXPECT_EQ(ZX_ERR_WRONG_TYPE, zx_debuglog_create(port_range, 0, &again));
    EXPECT_EQ(ZX_ERR_WRONG_TYPE, zx_system_powerctl(port_range, 8, NULL));
    close_handle(port_range);
    REQUIRE_OK(zx_resource_create(root, exclusive, 0x83, 1, "", 0, &port_range));
    close_handle(port_range);
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_system_powerctl(root, 99, NULL));
    EXPECT_EQ(ZX_ERR_BAD_STATE, zx_system_powerctl(root, 9, NULL));
}

TEST(random_numbers_differ_and_fill_the_whole_buffer) {
    static uint8_t first[1000], second[1000];
    unsigned same = 0, zero = 0;
    zx_cprng_draw(first, sizeof first);
    zx_cprng_draw(second, sizeof second);
    for (size_t i = 0; i < sizeof first; i++) {
        same += first[i] == second[i];
        zero += first[i] == 0;
    }
    EXPECT(same < 30);
    EXPECT(zero < 30);
    zx_cprng_draw(NULL, 0);
}
