/*
 * t_policy.c - what a job allows its processes: setting it, inheriting it, and what
 * happens to a call that is not allowed.
 */
#include <jacinth/utest.h>

#include "core-tests/support.h"

#define RELATIVE ZX_JOB_POL_RELATIVE
#define ABSOLUTE ZX_JOB_POL_ABSOLUTE

static zx_status_t set_v1(zx_handle_t job, uint32_t options, uint32_t condition, uint32_t action) {
    const zx_policy_basic_v1_t entry = {condition, action};
    return zx_job_set_policy(job, options, ZX_JOB_POL_BASIC_V1, &entry, 1);
}
static zx_status_t set_v2(zx_handle_t job, uint32_t condition, uint32_t action, uint32_t flags) {
    const zx_policy_basic_v2_t entry = {condition, action, flags};
    return zx_job_set_policy(job, ABSOLUTE, ZX_JOB_POL_BASIC_V2, &entry, 1);
}

/* --- setting --- */

TEST(job_set_policy_checks_topic_options_count_memory_handle_in_this_order) {
    const zx_policy_basic_v1_t entry = {ZX_POL_NEW_VMO, ZX_POL_ACTION_DENY};
    zx_policy_basic_v1_t many[33] = {{0}};
    zx_handle_t job = make_job(zx_job_default()), weak = copy_without(job, ZX_RIGHT_SET_POLICY);
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_job_set_policy(job, 0, 2, &entry, 1));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_job_set_policy(job, 2, 0, &entry, 1));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_job_set_policy(job, 0, 0, NULL, 1));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_job_set_policy(job, 0, 0, &entry, 0));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_job_set_policy(job, 0, 0, many, 33));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_job_set_policy(0, 0, 0, (void *)8, 1));
    EXPECT_EQ(ZX_ERR_BAD_HANDLE, zx_job_set_policy(0, 0, 0, &entry, 1));
    EXPECT_EQ(ZX_ERR_WRONG_TYPE, zx_job_set_policy(zx_process_self(), 0, 0, &entry, 1));
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED, zx_job_set_policy(weak, 0, 0, many, 32));
    EXPECT_EQ(ZX_ERR_OUT_OF_RANGE, zx_job_set_policy(job, 0, 0, many, 17));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, set_v1(job, ABSOLUTE, ZX_POL_MAX, 0));
    EXPECT_EQ(ZX_ERR_NOT_SUPPORTED, set_v1(job, ABSOLUTE, ZX_POL_NEW_VMO, 5));
    close_handle(weak);
    close_handle(job);
}

TEST(a_job_with_children_keeps_its_policy) {
    zx_handle_t job = make_job(zx_job_default()), child = make_job(job), process, vmar;
    EXPECT_EQ(ZX_ERR_BAD_STATE, set_v1(job, ABSOLUTE, ZX_POL_NEW_VMO, ZX_POL_ACTION_DENY));
    EXPECT_OK(zx_process_create(child, "member", 6, 0, &process, &vmar));
    EXPECT_EQ(ZX_ERR_BAD_STATE, set_v1(child, RELATIVE, ZX_POL_NEW_VMO, ZX_POL_ACTION_DENY));
    close_handle(vmar);
    close_handle(process);
    EXPECT_OK(set_v1(child, RELATIVE, ZX_POL_NEW_VMO, ZX_POL_ACTION_DENY));
    close_handle(child);
    EXPECT_OK(set_v1(job, RELATIVE, ZX_POL_NEW_VMO, ZX_POL_ACTION_DENY));
    close_handle(job);
}

TEST(a_child_job_cannot_loosen_what_was_set_for_good) {
    zx_handle_t job = make_job(zx_job_default());
    EXPECT_OK(set_v1(job, ABSOLUTE, ZX_POL_NEW_VMO, ZX_POL_ACTION_DENY));
    EXPECT_OK(set_v2(job, ZX_POL_NEW_EVENT, ZX_POL_ACTION_DENY, ZX_POL_OVERRIDE_ALLOW));
    zx_handle_t child = make_job(job);
    EXPECT_EQ(ZX_ERR_ALREADY_EXISTS, set_v1(child, ABSOLUTE, ZX_POL_NEW_VMO, ZX_POL_ACTION_ALLOW));
    EXPECT_OK(set_v1(child, RELATIVE, ZX_POL_NEW_VMO, ZX_POL_ACTION_ALLOW));
    EXPECT_OK(set_v1(child, ABSOLUTE, ZX_POL_NEW_VMO, ZX_POL_ACTION_DENY));
    EXPECT_OK(set_v1(child, ABSOLUTE, ZX_POL_NEW_EVENT, ZX_POL_ACTION_ALLOW));
    EXPECT_EQ(ZX_ERR_ALREADY_EXISTS,
              set_v1(child, ABSOLUTE, ZX_POL_NEW_EVENT, ZX_POL_ACTION_DENY));
    close_handle(child);
    close_handle(job);
}

TEST(timer_slack_is_set_relative_and_alone) {
    zx_policy_timer_slack_t slack[2] = {{.min_slack = 5}, {.min_slack = 5}};
    zx_handle_t job = make_job(zx_job_default());
    EXPECT_EQ(ZX_ERR_INVALID_ARGS,
              zx_job_set_policy(0, ABSOLUTE, ZX_JOB_POL_TIMER_SLACK, slack, 1));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS,
              zx_job_set_policy(0, RELATIVE, ZX_JOB_POL_TIMER_SLACK, slack, 2));
    EXPECT_EQ(ZX_ERR_BAD_HANDLE,
              zx_job_set_policy(0, RELATIVE, ZX_JOB_POL_TIMER_SLACK, slack, 1));
    EXPECT_OK(zx_job_set_policy(job, RELATIVE, ZX_JOB_POL_TIMER_SLACK, slack, 1));
    slack[0].default_mode = 3;
    EXPECT_EQ(ZX_ERR_INVALID_ARGS,
              zx_job_set_policy(job, RELATIVE, ZX_JOB_POL_TIMER_SLACK, slack, 1));
    slack[0] = (zx_policy_timer_slack_t){.min_slack = -1};
    EXPECT_EQ(ZX_ERR_INVALID_ARGS,
              zx_job_set_policy(job, RELATIVE, ZX_JOB_POL_TIMER_SLACK, slack, 1));
    close_handle(job);
}

/* --- what follows --- */

/* Calls that make something, with what they need in a child's own memory. */
#define OUT (CHILD_DATA + 2048)
static const struct {
    uint32_t condition;
    const char *call;
    uint64_t a[4];
} creators[] = {
    {ZX_POL_NEW_VMO, "zx_vmo_create", {4096, 0, OUT}},
    {ZX_POL_NEW_CHANNEL, "zx_channel_create", {0, OUT, OUT + 4}},
    {ZX_POL_NEW_EVENT, "zx_event_create", {0, OUT}},
    {ZX_POL_NEW_EVENTPAIR, "zx_eventpair_create", {0, OUT, OUT + 4}},
    {ZX_POL_NEW_PORT, "zx_port_create", {0, OUT}},
    {ZX_POL_NEW_SOCKET, "zx_socket_create", {0, OUT, OUT + 4}},
    {ZX_POL_NEW_FIFO, "zx_fifo_create", {8, 8, 0, OUT}},
    {ZX_POL_NEW_TIMER, "zx_timer_create", {0, ZX_CLOCK_MONOTONIC, OUT}},
    {ZX_POL_NEW_PAGER, "zx_pager_create", {0, OUT}},
};
#define CREATORS (sizeof creators / sizeof creators[0])

/* Ends with the policy's code where one call kills, else by the script's end. */
static int64_t run_creator(zx_handle_t job, size_t i, zx_status_t *out_status) {
    struct child child;
    int64_t code = INT64_MIN;
    if (script_make_in(&child, job)) {
        script_add(&child, 0, creators[i].call, creators[i].a[0], creators[i].a[1],
                   creators[i].a[2], creators[i].a[3]);
        child.data[5] = OUT + 4; /* the fifth argument of zx_fifo_create */
        script_add(&child, 1, "zx_process_exit", 7, 0, 0, 0);
        EXPECT_OK(child_start(&child, CHILD_DATA));
        code = child_wait(&child);
        *out_status = script_result(&child, 0);
    }
    child_end(&child);
    return code;
}

static void expect_creator(size_t i, uint32_t condition, uint32_t action, int64_t want_code,
                           zx_status_t want_status) {
    zx_handle_t job = make_job(zx_job_default());
    zx_status_t status = 1;
    EXPECT_OK(set_v1(job, ABSOLUTE, condition, action));
    int64_t code = run_creator(job, i, &status);
    if (code != want_code || (want_code == 7 && status != want_status))
        utest_fail(__FILE__, __LINE__, "%s, condition %u, action %u: ends with %ld, status %d",
                   creators[i].call, condition, action, (long)code, status);
    close_handle(job);
}

TEST(each_call_that_makes_something_asks_for_its_own_condition) {
    for (size_t i = 0; i < CREATORS; i++) {
        expect_creator(i, creators[i].condition, ZX_POL_ACTION_ALLOW, 7, ZX_OK);
        expect_creator(i, creators[i].condition, ZX_POL_ACTION_DENY, 7, ZX_ERR_ACCESS_DENIED);
        expect_creator(i, ZX_POL_NEW_ANY, ZX_POL_ACTION_DENY, 7, ZX_ERR_ACCESS_DENIED);
        expect_creator(i, creators[(i + 1) % CREATORS].condition, ZX_POL_ACTION_KILL, 7, ZX_OK);
        expect_creator(i, creators[i].condition, ZX_POL_ACTION_KILL, ZX_TASK_RETCODE_POLICY_KILL,
                       0);
    }
}

TEST(an_exception_that_nobody_handles_ends_the_process) {
    expect_creator(2, ZX_POL_NEW_EVENT, ZX_POL_ACTION_ALLOW_EXCEPTION,
                   ZX_TASK_RETCODE_EXCEPTION_KILL, 0);
    expect_creator(2, ZX_POL_NEW_EVENT, ZX_POL_ACTION_DENY_EXCEPTION,
                   ZX_TASK_RETCODE_EXCEPTION_KILL, 0);
}

TEST(what_is_inherited_holds_for_processes_of_child_jobs) {
    zx_handle_t job = make_job(zx_job_default());
    EXPECT_OK(set_v1(job, ABSOLUTE, ZX_POL_NEW_ANY, ZX_POL_ACTION_DENY));
    zx_handle_t child = make_job(job);
    zx_status_t status = 1;
    EXPECT_EQ(7, run_creator(child, 4, &status));
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED, status);
    close_handle(child);
    close_handle(job);
}

/* One call of a child in a job with one entry; its result, or the process's code in *out_code. */
static zx_status_t run_call(uint32_t condition, uint32_t action, const char *call, uint64_t a0,
                            uint64_t a1, uint64_t a2, uint64_t a3, int64_t *out_code) {
    zx_handle_t job = make_job(zx_job_default());
    struct child child;
    zx_status_t status = 1;
    EXPECT_OK(set_v1(job, ABSOLUTE, condition, action));
    if (script_make_in(&child, job)) {
        script_add(&child, 0, "zx_event_create", 0, OUT, 0, 0);
        script_add(&child, 1, call, a0, a1, a2, a3);
        script_add(&child, 2, "zx_process_exit", 7, 0, 0, 0);
        EXPECT_OK(child_start(&child, CHILD_DATA));
        *out_code = child_wait(&child);
        status = script_result(&child, 1);
    }
    child_end(&child);
    close_handle(job);
    return status;
}

TEST(a_bad_handle_is_a_matter_of_policy_except_where_it_is_none) {
    const uint32_t bad = ZX_POL_BAD_HANDLE, kill = ZX_POL_ACTION_KILL;
    int64_t code = 0;
    EXPECT_EQ(ZX_ERR_BAD_HANDLE,
              run_call(bad, ZX_POL_ACTION_DENY, "zx_handle_close", 0x77, 0, 0, 0, &code));
    EXPECT_EQ(7, code);
    EXPECT_OK(run_call(bad, kill, "zx_handle_close", 0, 0, 0, 0, &code));
    EXPECT_EQ(7, code);
    EXPECT_EQ(ZX_ERR_BAD_HANDLE, run_call(bad, kill, "zx_object_get_info", 0x77,
                                          ZX_INFO_HANDLE_VALID, 0, 0, &code));
    EXPECT_EQ(7, code);
    static const char *const calls[] = {
        "zx_handle_close", "zx_handle_duplicate", "zx_handle_replace", "zx_object_wait_one",
        "zx_object_signal", "zx_vmo_read", "zx_port_wait", "zx_timer_cancel",
    };
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        (void)run_call(bad, kill, calls[i], 0x77, 0, OUT, 0, &code);
        EXPECT_EQ(ZX_TASK_RETCODE_POLICY_KILL, code);
    }
    (void)run_call(bad, kill, "zx_object_get_info", 0x77, ZX_INFO_HANDLE_BASIC, OUT, 32, &code);
    EXPECT_EQ(ZX_TASK_RETCODE_POLICY_KILL, code);
}

TEST(a_handle_to_the_wrong_object_is_a_matter_of_policy) {
    zx_handle_t job = make_job(zx_job_default());
    struct child child;
    EXPECT_OK(set_v1(job, ABSOLUTE, ZX_POL_WRONG_OBJECT, ZX_POL_ACTION_KILL));
    if (script_make_in(&child, job)) {
        zx_handle_t event, given = ZX_HANDLE_INVALID;
        REQUIRE_OK(zx_event_create(0, &event));
        given = event;
        script_add(&child, 0, "zx_timer_cancel", CHILD_HANDLE, 0, 0, 0);
        script_add(&child, 1, "zx_process_exit", 7, 0, 0, 0);
        EXPECT_OK(zx_process_start(child.process, child.thread, CHILD_CODE, CHILD_STACK, given,
                                   CHILD_DATA));
        EXPECT_EQ(ZX_TASK_RETCODE_POLICY_KILL, child_wait(&child));
    }
    child_end(&child);
    close_handle(job);
}

TEST(memory_that_is_writable_and_executable_is_a_matter_of_policy) {
    int64_t code = 0;
    const uint64_t both = ZX_VM_PERM_READ | ZX_VM_PERM_WRITE | ZX_VM_PERM_EXECUTE;
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED, run_call(ZX_POL_VMAR_WX, ZX_POL_ACTION_DENY,
                                             "zx_vmar_protect", 0x77, both, 4096, 4096, &code));
    EXPECT_EQ(ZX_ERR_BAD_HANDLE,
              run_call(ZX_POL_VMAR_WX, ZX_POL_ACTION_DENY, "zx_vmar_protect", 0x77,
                       ZX_VM_PERM_READ | ZX_VM_PERM_EXECUTE, 4096, 4096, &code));
}

/* zx_vmar_map takes an argument on the stack, so that must not be empty. */
TEST(mapping_memory_as_writable_and_executable_is_a_matter_of_policy) {
    zx_handle_t job = make_job(zx_job_default());
    struct child child;
    EXPECT_OK(set_v1(job, ABSOLUTE, ZX_POL_VMAR_WX, ZX_POL_ACTION_DENY));
    if (script_make_in(&child, job)) {
        script_add(&child, 0, "zx_vmar_map", 0x77, ZX_VM_PERM_WRITE | ZX_VM_PERM_EXECUTE, 0, 0);
        script_add(&child, 1, "zx_vmar_map", 0x77, ZX_VM_PERM_WRITE, 0, 0);
        script_add(&child, 2, "zx_process_exit", 7, 0, 0, 0);
        EXPECT_OK(zx_process_start(child.process, child.thread, CHILD_CODE, CHILD_STACK - 64,
                                   ZX_HANDLE_INVALID, CHILD_DATA));
        EXPECT_EQ(7, child_wait(&child));
        EXPECT_EQ(ZX_ERR_ACCESS_DENIED, script_result(&child, 0));
        EXPECT_EQ(ZX_ERR_BAD_HANDLE, script_result(&child, 1));
    }
    child_end(&child);
    close_handle(job);
}

TEST(marking_memory_as_executable_without_a_resource_is_a_matter_of_policy) {
    zx_handle_t job = make_job(zx_job_default());
    struct child child;
    EXPECT_OK(set_v1(job, ABSOLUTE, ZX_POL_AMBIENT_MARK_VMO_EXEC, ZX_POL_ACTION_DENY));
    if (script_make_in(&child, job)) {
        script_add(&child, 0, "zx_vmo_replace_as_executable", CHILD_HANDLE, 0, OUT, 0);
        script_add(&child, 1, "zx_process_exit", 7, 0, 0, 0);
        EXPECT_OK(zx_process_start(child.process, child.thread, CHILD_CODE, CHILD_STACK,
                                   make_vmo(1), CHILD_DATA));
        EXPECT_EQ(7, child_wait(&child));
        EXPECT_EQ(ZX_ERR_ACCESS_DENIED, script_result(&child, 0));
    }
    child_end(&child);
    close_handle(job);
}
