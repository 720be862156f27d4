/*
 * t_suspend.c - suspend tokens: threads and processes that stand still and go on.
 */
#include <jacinth/utest.h>

#include "core-tests/debuggee.h"

/* Counts in the first word of its data page. */
CODE(count_code, "1:\tincq (%rsi)\n\tjmp 1b");

static bool start_counting(struct child *child) {
    return child_make(child, count_code, count_code_end) &&
           child_start(child, CHILD_DATA) == ZX_OK && wait_for_change(child->data, 0);
}

static bool stands_still(const struct child *child) {
    uint64_t before = child->data[0];
    (void)zx_nanosleep(zx_deadline_after(ZX_MSEC(5)));
    return child->data[0] == before;
}

TEST(suspend_checks_handle_right_and_type) {
    zx_handle_t token = 9, weak, event, job = copy_with(zx_job_default(), ZX_RIGHT_WRITE |
                                                        ZX_RIGHT_MANAGE_JOB);
    close_handle(job);
    EXPECT_EQ(ZX_ERR_BAD_HANDLE, zx_task_suspend(0, &token));
    weak = copy_without(zx_thread_self(), ZX_RIGHT_WRITE);
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED, zx_task_suspend(weak, &token));
    close_handle(weak);
    REQUIRE_OK(zx_event_create(0, &event));
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED, zx_task_suspend(event, &token));
    close_handle(event);
    zx_handle_t vmo = make_vmo(1);
    EXPECT_EQ(ZX_ERR_WRONG_TYPE, zx_task_suspend(vmo, &token));
    close_handle(vmo);
    EXPECT_EQ(ZX_ERR_WRONG_TYPE, zx_task_suspend(zx_job_default(), &token));
    EXPECT_EQ(ZX_ERR_NOT_SUPPORTED, zx_task_suspend(zx_thread_self(), &token));
    EXPECT_EQ(ZX_ERR_NOT_SUPPORTED, zx_task_suspend(zx_process_self(), &token));
    EXPECT_EQ(9, token);
}

TEST(a_suspended_thread_stands_still_until_its_token_is_closed) {
    struct child child;
    zx_info_handle_basic_t info;
    zx_handle_t copy;
    zx_signals_t seen = 0;
    REQUIRE(start_counting(&child));
    zx_handle_t token = stop(child.thread);
    EXPECT_OK(zx_object_get_info(token, ZX_INFO_HANDLE_BASIC, &info, sizeof info, NULL, NULL));
    EXPECT_EQ(ZX_OBJ_TYPE_SUSPEND_TOKEN, info.type);
    EXPECT_EQ(0x8002, info.rights);
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED, zx_handle_duplicate(token, ZX_RIGHT_SAME_RIGHTS, &copy));
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED, zx_object_wait_one(token, 1, 0, NULL));
    EXPECT_EQ(ZX_ERR_TIMED_OUT, zx_object_wait_one(child.thread, ZX_THREAD_RUNNING, 0, &seen));
    EXPECT_EQ(ZX_THREAD_SUSPENDED, seen);
    EXPECT_EQ(ZX_THREAD_STATE_SUSPENDED, thread_state(child.thread));
    EXPECT(stands_still(&child));
    uint64_t before = child.data[0];
    go_on(child.thread, token);
    EXPECT(wait_for_change(child.data, before));
    EXPECT_EQ(ZX_ERR_TIMED_OUT, zx_object_wait_one(child.thread, ZX_THREAD_SUSPENDED, 0, &seen));
    EXPECT_EQ(ZX_THREAD_RUNNING, seen);
    EXPECT_EQ(ZX_THREAD_STATE_RUNNING, thread_state(child.thread));
    child_end(&child);
}

TEST(suspensions_of_thread_and_process_count_together) {
    struct child child;
    zx_handle_t tokens[3];
    REQUIRE(start_counting(&child));
    EXPECT_OK(zx_task_suspend(child.thread, &tokens[0]));
    EXPECT_OK(zx_task_suspend(child.process, &tokens[1]));
    EXPECT_OK(zx_task_suspend(child.thread, &tokens[2]));
    EXPECT_OK(zx_object_wait_one(child.thread, ZX_THREAD_SUSPENDED, SOON, NULL));
    for (int i = 0; i < 2; i++) {
        close_handle(tokens[i]);
        EXPECT_EQ(ZX_THREAD_STATE_SUSPENDED, thread_state(child.thread));
        EXPECT(stands_still(&child));
    }
    uint64_t before = child.data[0];
    close_handle(tokens[2]);
    EXPECT(wait_for_change(child.data, before));
    child_end(&child);
}

TEST(a_suspended_process_holds_threads_that_start_later) {
    struct child child;
    zx_handle_t token, thread;
    REQUIRE(child_make(&child, count_code, count_code_end));
    EXPECT_OK(zx_task_suspend(child.process, &token)); /* it has not even begun */
    EXPECT_OK(child_start(&child, CHILD_DATA));
    EXPECT_OK(zx_object_wait_one(child.thread, ZX_THREAD_SUSPENDED, SOON, NULL));
    REQUIRE_OK(zx_thread_create(child.process, "later", 5, 0, &thread));
    EXPECT_OK(zx_thread_start(thread, CHILD_CODE, CHILD_STACK - 64, 0, CHILD_DATA + 8));
    EXPECT_OK(zx_object_wait_one(thread, ZX_THREAD_SUSPENDED, SOON, NULL));
    EXPECT_EQ(0, child.data[0]);
    EXPECT_EQ(0, child.data[1]);
    close_handle(token);
    EXPECT(wait_for_change(&child.data[0], 0));
    EXPECT(wait_for_change(&child.data[1], 0));
    close_handle(thread);
    child_end(&child);
}

TEST(a_thread_suspended_before_its_start_begins_only_when_resumed) {
    struct child child;
    zx_handle_t token;
    REQUIRE(child_make(&child, count_code, count_code_end));
    EXPECT_OK(zx_task_suspend(child.thread, &token));
    EXPECT_EQ(ZX_THREAD_STATE_NEW, thread_state(child.thread));
    EXPECT_OK(child_start(&child, CHILD_DATA));
    EXPECT_OK(zx_object_wait_one(child.thread, ZX_THREAD_SUSPENDED, SOON, NULL));
    EXPECT_EQ(0, child.data[0]);
    /* What it will begin with can be seen. */
    zx_thread_state_general_regs_t regs = general_regs(child.thread);
    EXPECT_EQ(CHILD_CODE, regs.rip);
    EXPECT_EQ(CHILD_STACK, regs.rsp);
    EXPECT_EQ(CHILD_DATA, regs.rsi);
    EXPECT_EQ(0, regs.rax);
    EXPECT_EQ(0, regs.fs_base);
    regs.rsi += 8;
    set_general_regs(child.thread, &regs);
    go_on(child.thread, token);
    EXPECT(wait_for_change(&child.data[1], 0));
    EXPECT_EQ(0, child.data[0]);
    child_end(&child);
}

TEST(dying_and_dead_tasks_cannot_be_suspended) {
    struct child child;
    zx_handle_t token;
    REQUIRE(start_counting(&child));
    EXPECT_OK(zx_task_kill(child.process));
    EXPECT_EQ(ZX_ERR_BAD_STATE, zx_task_suspend(child.process, &token));
    EXPECT_EQ(ZX_ERR_BAD_STATE, zx_task_suspend(child.thread, &token));
    EXPECT_EQ(ZX_TASK_RETCODE_SYSCALL_KILL, child_wait(&child));
    EXPECT_EQ(ZX_ERR_BAD_STATE, zx_task_suspend(child.process, &token));
    EXPECT_EQ(ZX_ERR_BAD_STATE, zx_task_suspend(child.thread, &token));
    child_end(&child);
}

TEST(a_suspended_process_can_be_killed) {
    struct child child;
    zx_signals_t seen = 0;
    REQUIRE(start_counting(&child));
    zx_handle_t token = stop(child.thread);
    EXPECT_OK(zx_task_kill(child.process));
    EXPECT_EQ(ZX_TASK_RETCODE_SYSCALL_KILL, child_wait(&child));
    EXPECT_OK(zx_object_wait_one(child.thread, ZX_THREAD_TERMINATED, SOON, &seen));
    EXPECT_EQ(ZX_THREAD_TERMINATED, seen);
    EXPECT_EQ(ZX_THREAD_STATE_DEAD, thread_state(child.thread));
    close_handle(token);
    child_end(&child);
}

TEST(a_token_that_dies_in_a_message_resumes) {
    struct child child;
    zx_handle_t one, other;
    REQUIRE(start_counting(&child));
    zx_handle_t token = stop(child.thread);
    REQUIRE_OK(zx_channel_create(0, &one, &other));
    EXPECT_OK(zx_channel_write(one, 0, NULL, 0, &token, 1));
    EXPECT(stands_still(&child));
    uint64_t before = child.data[0];
    close_handle(other);
    EXPECT(wait_for_change(child.data, before));
    close_handle(one);
    child_end(&child);
}

TEST(a_token_outlives_the_handles_of_its_thread) {
    struct child child;
    REQUIRE(start_counting(&child));
    zx_handle_t token = stop(child.thread);
    close_handle(child.thread);
    REQUIRE_OK(zx_thread_create(child.process, "other", 5, 0, &child.thread));
    EXPECT(stands_still(&child));
    uint64_t before = child.data[0];
    close_handle(token);
    EXPECT(wait_for_change(child.data, before));
    child_end(&child);
}
