/*
 * t_debug.c - debug commands, and by them the kernel's audit of its memory.
 *
 * They need the root resource and a kernel booted with debug.syscalls; without either,
 * what is tested is that the door stays shut.
 */
#include <jacinth/utest.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>
#include <zircon/syscalls/log.h>

#include "core-tests/support.h"

static bool is_on(void) { return !call_is_off("debug_send_command"); }

static zx_status_t command(const char *text) {
    return zx_debug_send_command(root_resource(), text, strlen(text));
}

static zx_handle_t log_from_here(void) {
    zx_handle_t log = ZX_HANDLE_INVALID;
    zx_log_record_t record;
    EXPECT_OK(zx_debuglog_create(root_resource(), ZX_LOG_FLAG_READABLE, &log));
    while (zx_debuglog_read(log, 0, &record, sizeof record) > 0)
        ;
    return log;
}

/* The number behind `label` in the first record that begins with `start`; -1: none. */
static long logged_number(zx_handle_t log, const char *start, const char *label) {
    zx_log_record_t record;
    long number = -1;
    while (zx_debuglog_read(log, 0, &record, sizeof record) > 0) {
        char text[ZX_LOG_RECORD_DATA_MAX + 1];
        memcpy(text, record.data, record.datalen);
        text[record.datalen] = '\0';
        const char *found = strstr(text, label);
        if (number < 0 && strncmp(text, start, strlen(start)) == 0 && found)
            number = strtol(found + strlen(label), NULL, 10);
    }
    return number;
}

TEST(debug_commands_are_off_unless_asked_for_at_boot) {
    if (is_on())
        return;
    EXPECT_EQ(ZX_ERR_NOT_SUPPORTED, command("help"));
    EXPECT_EQ(ZX_ERR_NOT_SUPPORTED, zx_debug_send_command(ZX_HANDLE_INVALID, NULL, 1000));
}

TEST(debug_commands_are_refused_in_order) {
    static const char spaces[257] = "help";
    zx_handle_t event;
    if (!is_on())
        return;
    REQUIRE_OK(zx_event_create(0, &event));
    EXPECT_EQ(ZX_ERR_BAD_HANDLE, zx_debug_send_command(ZX_HANDLE_INVALID, NULL, 1000));
    EXPECT_EQ(ZX_ERR_WRONG_TYPE, zx_debug_send_command(event, NULL, 1000));
    close_handle(event);
    if (root_resource() == ZX_HANDLE_INVALID)
        return;
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_debug_send_command(root_resource(), NULL, 257));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_debug_send_command(root_resource(), NULL, 4));
    EXPECT_OK(zx_debug_send_command(root_resource(), spaces, 4));
    EXPECT_EQ(ZX_ERR_NOT_FOUND, command(""));
    EXPECT_EQ(ZX_ERR_NOT_FOUND, command("helpless"));
    EXPECT_OK(command("help  all"));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, command("plant"));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, command("plant x"));
    EXPECT_OK(command("plant 0"));
}

/* Release kernels have nothing to plant. */
TEST(the_audit_finds_what_is_planted_and_nothing_else) {
    if (!is_on() || root_resource() == ZX_HANDLE_INVALID)
        return;
    EXPECT_OK(command("frames"));
    zx_status_t status = command("plant 1");
    if (status == ZX_ERR_NOT_SUPPORTED)
        return;
    EXPECT_OK(status);
    EXPECT_EQ(ZX_ERR_BAD_STATE, command("plant 2"));
    zx_handle_t log = log_from_here();
    EXPECT_EQ(ZX_ERR_INTERNAL, command("frames"));
    EXPECT_EQ(1, logged_number(log, "audit: 1 differences", "audit: "));
    EXPECT_OK(command("plant 0"));
    EXPECT_EQ(ZX_ERR_NOT_FOUND, command("plant 1000"));
    EXPECT_OK(command("frames"));
    close_handle(log);
}

/* --- contended locks --- */

static long contended(const char *lock) {
    zx_handle_t log = log_from_here();
    char start[40]; /* whole: another lock's name may begin with this one's */
    snprintf(start, sizeof start, "locks: %s contended ", lock);
    EXPECT_OK(command("locks"));
    long number = logged_number(log, start, "contended ");
    close_handle(log);
    return number < 0 ? 0 : number; /* a lock that nobody has taken is left out */
}

#define RIVALS 4
struct rivalry {
    zx_handle_t vmo;
    _Atomic bool stop;
};

/* Long holds of one memory object's lock. */
static int commit_and_drop(void *context) {
    struct rivalry *rivalry = context;
    while (!rivalry->stop) {
        (void)zx_vmo_op_range(rivalry->vmo, ZX_VMO_OP_COMMIT, 0, 64 * PAGE, NULL, 0);
        (void)zx_vmo_op_range(rivalry->vmo, ZX_VMO_OP_DECOMMIT, 0, 64 * PAGE, NULL, 0);
    }
    return 0;
}

/* Threads that want one lock are counted; whether they meet is up to the scheduler, so they go
   on until they have met. */
TEST(contended_locks_are_counted_by_kind) {
    thrd_t threads[RIVALS];
    if (!is_on() || root_resource() == ZX_HANDLE_INVALID)
        return;
    struct rivalry rivalry = {.vmo = make_vmo(64)};
    long before = contended("vmo");
    for (int i = 0; i < RIVALS; i++)
        REQUIRE(thrd_create(&threads[i], commit_and_drop, &rivalry) == thrd_success);
    zx_time_t end = zx_deadline_after(ZX_SEC(60));
    while (contended("vmo") == before && zx_clock_get_monotonic() < end)
        zx_nanosleep(zx_deadline_after(ZX_MSEC(20)));
    rivalry.stop = true;
    for (int i = 0; i < RIVALS; i++)
        (void)thrd_join(threads[i], NULL);
    EXPECT(contended("vmo") > before);
    EXPECT(contended("all") >= contended("vmo"));
    close_handle(rivalry.vmo);
}

/* --- the audit on a busy machine --- */

/* Clones, writes to both sides, maps and cuts, all the time. */
static int make_work(void *context) {
    struct rivalry *rivalry = context;
    zx_handle_t vmo = make_vmo(100);
    volatile uint8_t *here = map_vmo(vmo, READ_WRITE, 100);
    for (unsigned round = 0; !rivalry->stop; round++) {
        for (size_t page = round % 7; page < 100; page += 7)
            here[page * PAGE] = (uint8_t)round;
        zx_handle_t clone = make_snapshot(vmo, 90);
        volatile uint8_t *there = map_vmo(clone, READ_WRITE, 90);
        for (size_t page = round % 5; page < 90; page += 5)
            there[page * PAGE] = (uint8_t)round;
        unmap(there, 90);
        close_handle(clone);
    }
    unmap(here, 100);
    close_handle(vmo);
    return 0;
}

/* A CPU that the host stops in the middle of a change, for longer than the audit looks again,
   shows as a difference; what differs indeed does so each time. */
static bool audit_finds_nothing(void) {
    for (int i = 0; i < 4; i++) {
        if (command("frames") == ZX_OK)
            return true;
    }
    return false;
}

/* What is on its way is no difference, and whoever is looked at comes to no harm. */
TEST(the_audit_may_run_while_others_are_at_work) {
    struct rivalry rivalry = {.stop = false};
    thrd_t threads[RIVALS];
    if (!is_on() || root_resource() == ZX_HANDLE_INVALID)
        return;
    for (int i = 0; i < RIVALS; i++)
        REQUIRE(thrd_create(&threads[i], make_work, &rivalry) == thrd_success);
    for (int i = 0; i < 5; i++)
        EXPECT(audit_finds_nothing());
    rivalry.stop = true;
    for (int i = 0; i < RIVALS; i++)
        (void)thrd_join(threads[i], NULL);
    EXPECT_OK(command("frames"));
}
