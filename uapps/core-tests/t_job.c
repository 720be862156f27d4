/*
 * t_job.c - jobs: the tree, its height, kill, children by koid.
 */
#include <jacinth/utest.h>

#include "core-tests/support.h"

static zx_info_job_t info_of(zx_handle_t job) {
    zx_info_job_t info = {0};
    EXPECT_OK(zx_object_get_info(job, ZX_INFO_JOB, &info, sizeof info, NULL, NULL));
    return info;
}

TEST(job_create_checks_options_and_parent) {
    zx_handle_t job = 9, weak = copy_without(zx_job_default(), ZX_RIGHT_MANAGE_JOB);
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_job_create(0, 1, &job));
    EXPECT_EQ(ZX_ERR_BAD_HANDLE, zx_job_create(0, 0, &job));
    EXPECT_EQ(ZX_ERR_WRONG_TYPE, zx_job_create(zx_process_self(), 0, &job));
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED, zx_job_create(weak, 0, &job));
    EXPECT_EQ(9, job);
    close_handle(weak);
    job = make_job(zx_job_default());
    EXPECT_EQ(0x7dfcf, rights_of(job));
    EXPECT(!info_of(job).exited);
    close_handle(job);
}

TEST(job_tree_has_a_limited_height) {
    zx_handle_t jobs[40];
    zx_status_t status = ZX_OK;
    unsigned height = 0;
    zx_handle_t parent = zx_job_default();
    while (height < 40 && status == ZX_OK) {
        status = zx_job_create(parent, 0, &jobs[height]);
        if (status == ZX_OK)
            parent = jobs[height++];
    }
    EXPECT_EQ(ZX_ERR_OUT_OF_RANGE, status);
    EXPECT(height >= 28 && height <= 32);
    zx_handle_t process, vmar;
    EXPECT_OK(zx_process_create(parent, "deep", 4, 0, &process, &vmar));
    close_handle(process);
    close_handle(vmar);
    for (unsigned i = 0; i < height; i++)
        close_handle(jobs[i]);
}

TEST(job_lists_its_direct_children) {
    zx_handle_t job = make_job(zx_job_default()), child = make_job(job), process, vmar;
    zx_koid_t koids[4];
    size_t actual, avail;
    REQUIRE_OK(zx_process_create(job, "member", 6, 0, &process, &vmar));
    EXPECT_OK(zx_object_get_info(job, ZX_INFO_JOB_CHILDREN, koids, sizeof koids, &actual, &avail));
    EXPECT_EQ(1, actual);
    EXPECT_EQ(koid_of(child), koids[0]);
    EXPECT_OK(
        zx_object_get_info(job, ZX_INFO_JOB_PROCESSES, koids, sizeof koids, &actual, &avail));
    EXPECT_EQ(1, actual);
    EXPECT_EQ(koid_of(process), koids[0]);
    EXPECT_OK(zx_object_get_info(job, ZX_INFO_JOB_PROCESSES, NULL, 0, &actual, &avail));
    EXPECT_EQ(0, actual);
    EXPECT_EQ(1, avail);
    zx_handle_t found;
    EXPECT_OK(zx_object_get_child(job, koid_of(process), ZX_RIGHT_SAME_RIGHTS, &found));
    EXPECT_EQ(koid_of(process), koid_of(found));
    EXPECT_EQ(rights_of(job), rights_of(found));
    close_handle(found);
    EXPECT_OK(zx_object_get_child(job, koid_of(child), ZX_RIGHT_INSPECT, &found));
    EXPECT_EQ(ZX_RIGHT_INSPECT, rights_of(found));
    close_handle(found);
    EXPECT_EQ(ZX_ERR_NOT_FOUND,
              zx_object_get_child(job, koid_of(job), ZX_RIGHT_SAME_RIGHTS, &found));
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED,
              zx_object_get_child(job, koid_of(child), ZX_RIGHT_EXECUTE, &found));
    EXPECT_EQ(ZX_ERR_BAD_HANDLE, zx_object_get_child(0, 1, ZX_RIGHT_SAME_RIGHTS, &found));
    close_handle(process);
    close_handle(vmar);
    close_handle(child);
    close_handle(job);
}

TEST(job_children_do_not_show_once_they_are_gone) {
    zx_handle_t job = make_job(zx_job_default()), process, vmar;
    size_t avail = 9;
    close_handle(make_job(job));
    REQUIRE_OK(zx_process_create(job, "short", 5, 0, &process, &vmar));
    close_handle(process);
    close_handle(vmar);
    EXPECT_OK(zx_object_get_info(job, ZX_INFO_JOB_CHILDREN, NULL, 0, NULL, &avail));
    EXPECT_EQ(0, avail);
    EXPECT_OK(zx_object_get_info(job, ZX_INFO_JOB_PROCESSES, NULL, 0, NULL, &avail));
    EXPECT_EQ(0, avail);
    close_handle(job);
}

TEST(job_kill_ends_all_below_and_nothing_starts_again) {
    zx_handle_t job = make_job(zx_job_default()), child = make_job(job), process, vmar, other;
    zx_signals_t seen = 0;
    REQUIRE_OK(zx_process_create(child, "victim", 6, 0, &process, &vmar));
    EXPECT_OK(zx_task_kill(job));
    EXPECT_OK(zx_object_wait_one(process, ZX_PROCESS_TERMINATED, zx_deadline_after(ZX_SEC(5)), NULL));
    EXPECT_OK(zx_object_wait_one(child, ZX_JOB_TERMINATED, zx_deadline_after(ZX_SEC(5)), NULL));
    EXPECT_OK(zx_object_wait_one(job, ZX_JOB_TERMINATED, zx_deadline_after(ZX_SEC(5)), &seen));
    zx_info_process_t info;
    EXPECT_OK(zx_object_get_info(process, ZX_INFO_PROCESS, &info, sizeof info, NULL, NULL));
    EXPECT_EQ(ZX_TASK_RETCODE_SYSCALL_KILL, info.return_code);
    EXPECT(info_of(job).exited);
    EXPECT_EQ(ZX_TASK_RETCODE_SYSCALL_KILL, info_of(job).return_code);
    EXPECT_EQ(ZX_ERR_BAD_STATE, zx_job_create(job, 0, &other));
    EXPECT_EQ(ZX_ERR_BAD_STATE, zx_job_create(child, 0, &other));
    EXPECT_EQ(ZX_ERR_BAD_STATE, zx_process_create(job, "no", 2, 0, &other, &other));
    close_handle(process);
    close_handle(vmar);
    close_handle(child);
    close_handle(job);
}

CODE(spin_code, "1:\tpause\n\tjmp 1b");

TEST(job_kill_ends_a_process_that_computes) {
    struct child child;
    zx_handle_t job = make_job(zx_job_default());
    if (child_make_in(&child, job, spin_code, spin_code_end)) {
        EXPECT_OK(child_start(&child, 0));
        (void)zx_nanosleep(zx_deadline_after(ZX_MSEC(2)));
        EXPECT_OK(zx_task_kill(job));
        EXPECT_EQ(ZX_TASK_RETCODE_SYSCALL_KILL, child_wait(&child));
        zx_signals_t seen;
        EXPECT_OK(zx_object_wait_one(job, ZX_JOB_TERMINATED, zx_deadline_after(ZX_SEC(5)), &seen));
    }
    child_end(&child);
    close_handle(job);
}

TEST(job_stays_while_it_has_members_without_handles) {
    zx_handle_t job = make_job(zx_job_default()), child = make_job(job), found;
    zx_koid_t koid = koid_of(job);
    close_handle(job);
    REQUIRE_OK(zx_object_get_child(zx_job_default(), koid, ZX_RIGHT_SAME_RIGHTS, &found));
    close_handle(found);
    close_handle(child);
    EXPECT_EQ(ZX_ERR_NOT_FOUND,
              zx_object_get_child(zx_job_default(), koid, ZX_RIGHT_SAME_RIGHTS, &found));
}

/* --- critical processes --- */

#define RETCODE_NONZERO ZX_JOB_CRITICAL_PROCESS_RETCODE_NONZERO

TEST(set_critical_checks_in_order) {
    zx_handle_t job = make_job(zx_job_default()), other = make_job(zx_job_default());
    zx_handle_t process, vmar, weak;
    REQUIRE_OK(zx_process_create(job, "critical", 8, 0, &process, &vmar));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_job_set_critical(0, 2, 0));
    EXPECT_EQ(ZX_ERR_BAD_HANDLE, zx_job_set_critical(0, 1, 0));
    EXPECT_EQ(ZX_ERR_WRONG_TYPE, zx_job_set_critical(process, 0, process));
    weak = copy_without(job, ZX_RIGHT_DESTROY);
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED, zx_job_set_critical(weak, 0, process));
    close_handle(weak);
    EXPECT_EQ(ZX_ERR_BAD_HANDLE, zx_job_set_critical(job, 0, 0));
    EXPECT_EQ(ZX_ERR_WRONG_TYPE, zx_job_set_critical(job, 0, job));
    weak = copy_without(process, ZX_RIGHT_WAIT);
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED, zx_job_set_critical(job, 0, weak));
    close_handle(weak);
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_job_set_critical(other, 0, process));
    EXPECT_OK(zx_job_set_critical(job, 0, process));
    EXPECT_EQ(ZX_ERR_ALREADY_BOUND, zx_job_set_critical(job, 0, process));
    EXPECT_EQ(ZX_ERR_ALREADY_BOUND, zx_job_set_critical(other, 0, process));
    const zx_handle_t handles[] = {process, vmar, job, other};
    EXPECT_OK(zx_handle_close_many(handles, 4));
}

/* A child two jobs below ends with `code`; what becomes of the upper job, and of one beside? */
static void end_critical(int64_t code, uint32_t options, bool is_the_end) {
    zx_handle_t job = make_job(zx_job_default()), inner = make_job(job), beside = make_job(job);
    zx_handle_t process, vmar;
    struct child child;
    REQUIRE_OK(zx_process_create(beside, "bystander", 9, 0, &process, &vmar));
    REQUIRE(script_make_in(&child, inner));
    script_add(&child, 0, "zx_process_exit", (uint64_t)code, 0, 0, 0);
    EXPECT_OK(zx_job_set_critical(job, options, child.process));
    EXPECT_OK(child_start(&child, CHILD_DATA));
    EXPECT_EQ(code, child_wait(&child));
    if (is_the_end) {
        zx_info_process_t info;
        EXPECT_OK(zx_object_wait_one(job, ZX_JOB_TERMINATED, zx_deadline_after(ZX_SEC(20)), NULL));
        EXPECT_EQ(ZX_TASK_RETCODE_CRITICAL_PROCESS_KILL, info_of(job).return_code);
        EXPECT_EQ(ZX_TASK_RETCODE_CRITICAL_PROCESS_KILL, info_of(inner).return_code);
        EXPECT_OK(zx_object_get_info(process, ZX_INFO_PROCESS, &info, sizeof info, NULL, NULL));
        EXPECT_EQ(ZX_TASK_RETCODE_CRITICAL_PROCESS_KILL, info.return_code);
    } else {
        (void)zx_nanosleep(zx_deadline_after(ZX_MSEC(20)));
        EXPECT(!info_of(job).exited);
    }
    child_end(&child);
    const zx_handle_t handles[] = {process, vmar, job, inner, beside};
    EXPECT_OK(zx_handle_close_many(handles, 5));
}

TEST(a_job_ends_with_its_critical_process) {
    end_critical(0, 0, true);
    end_critical(3, 0, true);
    end_critical(3, RETCODE_NONZERO, true);
}
TEST(a_job_outlives_a_critical_process_that_ends_well) { end_critical(0, RETCODE_NONZERO, false); }

TEST(a_critical_process_that_never_ran_ends_its_job_too) {
    zx_handle_t job = make_job(zx_job_default()), processes[40], vmars[40];
    for (int i = 0; i < 40; i++) {
        REQUIRE_OK(zx_process_create(job, "idle", 4, 0, &processes[i], &vmars[i]));
        EXPECT_OK(zx_job_set_critical(job, 0, processes[i]));
    }
    close_handle(processes[7]);
    EXPECT_OK(zx_object_wait_one(job, ZX_JOB_TERMINATED, zx_deadline_after(ZX_SEC(20)), NULL));
    EXPECT_EQ(ZX_TASK_RETCODE_CRITICAL_PROCESS_KILL, info_of(job).return_code);
    processes[7] = ZX_HANDLE_INVALID;
    EXPECT_OK(zx_handle_close_many(processes, 40));
    EXPECT_OK(zx_handle_close_many(vmars, 40));
    close_handle(job);
}
