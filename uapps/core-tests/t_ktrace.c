/*
 * t_ktrace.c - recording events: who may, and what is found in the records.
 */
#include <jacinth/trace.h>
#include <jacinth/utest.h>
#include <stdlib.h>
#include <string.h>
#include <zircon/process.h>
#include <zircon/syscalls.h>

#include "core-tests/support.h"

static zx_status_t control(uint32_t action, uint32_t options) {
    return zx_ktrace_control(root_resource(), action, options, NULL);
}

/* All records, malloc'ed; NULL: there are none. */
static jx_trace_record_t *read_all(size_t *out_count) {
    size_t size = 0, actual = 0;
    EXPECT_OK(zx_ktrace_read(root_resource(), NULL, 0, 0, &size));
    jx_trace_record_t *records = malloc(size + sizeof *records);
    if (records)
        EXPECT_OK(zx_ktrace_read(root_resource(), records, 0, size + sizeof *records, &actual));
    EXPECT_EQ(size, actual);
    *out_count = actual / sizeof *records;
    return records;
}

static size_t count_kind(const jx_trace_record_t *records, size_t count, enum jx_trace_kind kind,
                         uint64_t thread) {
    size_t found = 0;
    for (size_t i = 0; records && i < count; i++)
        found += records[i].kind == kind && (thread == 0 || records[i].thread == thread);
    return found;
}

TEST(tracing_is_for_the_root_resource) {
    zx_handle_t event;
    size_t actual;
    REQUIRE_OK(zx_event_create(0, &event));
    EXPECT_EQ(ZX_ERR_BAD_HANDLE, zx_ktrace_control(0, KTRACE_ACTION_START, 0, NULL));
    EXPECT_EQ(ZX_ERR_WRONG_TYPE, zx_ktrace_control(event, KTRACE_ACTION_START, 0, NULL));
    EXPECT_EQ(ZX_ERR_WRONG_TYPE, zx_ktrace_read(event, NULL, 0, 0, &actual));
    EXPECT_EQ(ZX_ERR_WRONG_TYPE, zx_ktrace_write(event, 0, 0, 0));
    close_handle(event);
    if (!root_resource())
        return;
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, control(0, 0));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, control(4, 0));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, control(KTRACE_ACTION_START, 1));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS,
              zx_ktrace_write(root_resource(), KTRACE_PROBE_ID_MAX + 1, 0, 0));
}

/* Nothing is recorded after it; the calls of this thread before it are. */
TEST(a_trace_has_the_calls_faults_and_switches_of_a_thread_in_order) {
    zx_koid_t me = koid_of(zx_thread_self());
    size_t count, actual;
    if (!root_resource())
        return;
    zx_handle_t vmo = make_vmo(4);
    volatile uint8_t *view = map_vmo(vmo, READ_WRITE, 4);
    EXPECT_OK(control(KTRACE_ACTION_REWIND, 0));
    REQUIRE_OK(control(KTRACE_ACTION_START, 0));
    EXPECT_EQ(ZX_ERR_BAD_STATE, control(KTRACE_ACTION_START, 0));
    EXPECT_EQ(ZX_ERR_BAD_STATE, control(KTRACE_ACTION_REWIND, 0));
    EXPECT_EQ(ZX_ERR_BAD_STATE, zx_ktrace_read(root_resource(), NULL, 0, 0, &actual));
    EXPECT_OK(zx_ktrace_write(root_resource(), 5, 6, 7));
    for (size_t page = 0; page < 4; page++)
        view[page * PAGE] = 1;
    for (int i = 0; i < 5; i++) /* on a busy host a moment may have passed before it is slept */
        EXPECT_OK(zx_nanosleep(zx_deadline_after(ZX_MSEC(10))));
    EXPECT_EQ(ZX_ERR_BAD_HANDLE, zx_handle_close(0x12345677));
    EXPECT_OK(control(KTRACE_ACTION_STOP, 0));
    EXPECT_OK(zx_nanosleep(0));

    jx_trace_record_t *records = read_all(&count);
    /* The end of STOP's call is not in it, so of the four others each has two. */
    size_t begun = count_kind(records, count, JX_TRACE_SYSCALL, me);
    size_t ended = count_kind(records, count, JX_TRACE_SYSCALL_END, me);
    EXPECT(begun >= 4);
    EXPECT(begun == ended || begun == ended + 1);
    EXPECT_EQ(4, count_kind(records, count, JX_TRACE_FAULT, me));
    EXPECT(count_kind(records, count, JX_TRACE_CONTEXT_SWITCH, me) >= 1);
    EXPECT_EQ(1, count_kind(records, count, JX_TRACE_PROBE, me));
    EXPECT(count_kind(records, count, JX_TRACE_IRQ, 0) >= 1);
    uint64_t ticks = 0;
    bool closed_badly = false;
    for (size_t i = 1; records && i < count; i++) {
        const jx_trace_record_t *r = &records[i];
        if (r->kind == JX_TRACE_CPU) {
            ticks = 0;
            continue;
        }
        EXPECT(r->ticks >= ticks);
        ticks = r->ticks;
        closed_badly |= r->kind == JX_TRACE_SYSCALL_END && r->thread == me &&
                        (zx_status_t)r->b == ZX_ERR_BAD_HANDLE;
        if (r->kind == JX_TRACE_PROBE) {
            EXPECT_EQ(5, r->more);
            EXPECT_EQ(6, r->a);
            EXPECT_EQ(7, r->b);
        }
    }
    EXPECT(closed_badly);
    free(records);
    unmap(view, 4);
    close_handle(vmo);
    EXPECT_OK(control(KTRACE_ACTION_REWIND, 0));
}

TEST(a_trace_has_only_the_groups_that_were_asked_for) {
    size_t count;
    if (!root_resource())
        return;
    REQUIRE_OK(control(KTRACE_ACTION_START_CIRCULAR, KTRACE_GRP_TASKS));
    EXPECT_OK(zx_nanosleep(zx_deadline_after(ZX_MSEC(1))));
    struct child child;
    if (script_make(&child) && child_start(&child, 0) == ZX_OK)
        child_wait(&child);
    zx_koid_t process = koid_of(child.process), thread = koid_of(child.thread);
    child_end(&child);
    EXPECT_OK(control(KTRACE_ACTION_STOP, 0));
    jx_trace_record_t *records = read_all(&count);
    EXPECT_EQ(0, count_kind(records, count, JX_TRACE_SYSCALL, 0));
    EXPECT_EQ(0, count_kind(records, count, JX_TRACE_CONTEXT_SWITCH, 0));
    EXPECT_EQ(0, count_kind(records, count, JX_TRACE_IRQ, 0));
    EXPECT(count_kind(records, count, JX_TRACE_NAME, process) >= 1);
    EXPECT(count_kind(records, count, JX_TRACE_NAME, thread) >= 1);
    bool started = false, ended = false;
    for (size_t i = 0; records && i < count; i++) {
        started |= records[i].kind == JX_TRACE_THREAD_START && records[i].a == thread &&
                   records[i].b == process;
        ended |= records[i].kind == JX_TRACE_PROCESS_END && records[i].a == process;
    }
    EXPECT(started && ended);
    free(records);
    EXPECT_OK(control(KTRACE_ACTION_REWIND, 0));
}

TEST(a_full_trace_counts_what_it_lost) {
    size_t count, lost = 0;
    if (!root_resource())
        return;
    REQUIRE_OK(control(KTRACE_ACTION_START, KTRACE_GRP_SYSCALL));
    for (int i = 0; i < 40000; i++)
        (void)zx_handle_close(ZX_HANDLE_INVALID);
    EXPECT_OK(control(KTRACE_ACTION_STOP, 0));
    jx_trace_record_t *records = read_all(&count);
    for (size_t i = 0; records && i < count; i++)
        lost += records[i].kind == JX_TRACE_CPU ? records[i].b : 0;
    size_t kept = count_kind(records, count, JX_TRACE_SYSCALL, 0) +
                  count_kind(records, count, JX_TRACE_SYSCALL_END, 0);
    EXPECT(lost > 0 || zx_system_get_num_cpus() > 2); /* several CPUs may have room for all */
    EXPECT(kept + lost >= 80000);
    free(records);
    EXPECT_OK(control(KTRACE_ACTION_REWIND, 0));
}

TEST(a_trace_can_be_read_from_any_record_on) {
    jx_trace_record_t two[2];
    size_t actual = 0, size = 0;
    if (!root_resource())
        return;
    REQUIRE_OK(control(KTRACE_ACTION_START, KTRACE_GRP_PROBE));
    EXPECT_OK(control(KTRACE_ACTION_STOP, 0));
    EXPECT_OK(zx_ktrace_read(root_resource(), NULL, 0, 0, &size));
    EXPECT_EQ(sizeof two[0] * (1 + zx_system_get_num_cpus()), size);
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_ktrace_read(root_resource(), two, 1, sizeof two, &actual));
    EXPECT_OK(zx_ktrace_read(root_resource(), two, sizeof two[0], sizeof two[0] + 1, &actual));
    EXPECT_EQ(sizeof two[0], actual);
    EXPECT_EQ(JX_TRACE_CPU, two[0].kind);
    EXPECT_EQ(0, two[0].cpu);
    EXPECT_OK(zx_ktrace_read(root_resource(), two, (uint32_t)size, sizeof two, &actual));
    EXPECT_EQ(0, actual);
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_ktrace_read(root_resource(), (void *)8, 0, size, &actual));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_ktrace_read(root_resource(), NULL, 0, 0, NULL));
    EXPECT_OK(control(KTRACE_ACTION_REWIND, 0));
}
