/*
 * t_stop.c - close, suspension and kill against every call that blocks.
 */
#include <jacinth/utest.h>

#include "core-tests/debuggee.h"
#include "races/caller.h"

static struct runner caller;
static struct hold hold; /* until the call, so that its end is not always late */

/* Calls f for each ending of each row of the table. */
static void for_each_ending(void (*f)(const struct blocking *, const struct ending *,
                                      unsigned rounds),
                            unsigned rounds) {
    for (unsigned i = 0; i < blocking_count; i++) {
        for (const struct ending *ending = blocking[i].endings;
             ending < &blocking[i].endings[ENDINGS] && ending->name; ending++)
            f(&blocking[i], ending, rounds);
    }
}

/* --- close, and whatever else ends a call --- */

static void end_once(const struct blocking *row, const struct ending *ending, enum moment moment) {
    struct call_here call;
    call_here_make(&call, row);
    if (moment == DURING && race_random(4))
        call.hold = &hold;
    if (moment == BEFORE)
        ending->act(&call.scene);
    runner_go(&caller, call_here_run, &call);
    if (moment == AFTER)
        runner_await_state(&caller, row->state);
    if (moment == DURING) {
        if (race_random(2))
            runner_await_begun(&caller);
        race_moment();
    }
    if (moment != BEFORE)
        ending->act(&call.scene);
    zx_status_t status = runner_finish(&caller);
    call_here_judge(&call, ending, moment, status);
    if (call.hold && ending->before != ending->after)
        race_learn(&hold, status == ending->before);
    scene_end(&call.scene);
}

static void end_often(const struct blocking *row, const struct ending *ending, unsigned rounds) {
    if (!(ending->flags & AFTER_ONLY))
        end_once(row, ending, BEFORE);
    end_once(row, ending, AFTER);
    for (unsigned i = 0; i < rounds; i++)
        end_once(row, ending, DURING);
}

RACE(close_and_every_other_end_against_every_blocking_call, 20) {
    runner_start(&caller);
    for_each_ending(end_often, rounds);
    runner_end(&caller);
}

/* --- suspension --- */

/* The registers of a thread that is about to stop, has stopped, or stopped long ago. */
static void look_at_registers(bool has_stopped) {
    zx_thread_state_general_regs_t regs;
    zx_status_t status = zx_thread_read_state(caller.self, ZX_THREAD_STATE_GENERAL_REGS, &regs,
                                              sizeof regs);
    EXPECT(status == ZX_OK || (status == ZX_ERR_BAD_STATE && !has_stopped));
    if (has_stopped)
        EXPECT_OK(zx_thread_write_state(caller.self, ZX_THREAD_STATE_GENERAL_REGS, &regs,
                                        sizeof regs));
}

/* One or two tokens, held for a moment or, if it `waits`, until the thread has surely stopped. */
static void suspend_caller(zx_handle_t tokens[2], bool waits) {
    tokens[0] = tokens[1] = ZX_HANDLE_INVALID;
    EXPECT_OK(zx_task_suspend(caller.self, &tokens[0]));
    if (race_random(4) == 0)
        EXPECT_OK(zx_task_suspend(caller.self, &tokens[1]));
    if (waits)
        EXPECT_OK(zx_object_wait_one(caller.self, ZX_THREAD_SUSPENDED, PATIENCE, NULL));
    else
        race_moment();
    look_at_registers(waits);
}

/*
 * The end of the call comes while its thread is suspended, or once it may go on. The call
 * answers what it would have answered without: it is made again, or goes on. An end that
 * answers to the call is for the second try only if the first is over by then.
 */
static void suspend_once(const struct blocking *row, const struct ending *ending, bool is_blocked) {
    struct call_here call;
    zx_handle_t tokens[2];
    bool acts_meanwhile = !(ending->flags & AFTER_ONLY) && race_random(2);
    call_here_make(&call, row);
    if (!is_blocked && race_random(4))
        call.hold = &hold;
    runner_go(&caller, call_here_run, &call);
    if (is_blocked)
        runner_await_state(&caller, row->state);
    else
        race_moment();
    suspend_caller(tokens, (ending->flags & AFTER_ONLY) || race_random(2));
    if (acts_meanwhile)
        ending->act(&call.scene);
    EXPECT_OK(zx_handle_close_many(tokens, 2));
    if (!acts_meanwhile) {
        race_moment();
        ending->act(&call.scene);
    }
    call_here_judge(&call, ending, DURING, runner_finish(&caller));
    scene_end(&call.scene);
}

static void suspend_often(const struct blocking *row, const struct ending *ending,
                          unsigned rounds) {
    suspend_once(row, ending, true);
    for (unsigned i = 0; i < rounds; i++)
        suspend_once(row, ending, i % 3 == 0);
}

RACE(suspension_against_every_blocking_call, 15) {
    runner_start(&caller);
    for_each_ending(suspend_often, rounds);
    runner_end(&caller);
}

/* --- kill --- */

/* Something that may happen while the killer is at work. */
static const struct ending *harmless_ending(const struct blocking *row) {
    for (const struct ending *ending = row->endings;
         ending < &row->endings[ENDINGS] && ending->name; ending++) {
        if (!(ending->flags & (LOCAL | AFTER_ONLY)))
            return ending;
    }
    return NULL;
}

struct meanwhile {
    const struct ending *ending;
    struct scene *scene;
};
static zx_status_t act_meanwhile(void *argument) {
    struct meanwhile *meanwhile = argument;
    race_moment();
    meanwhile->ending->act(meanwhile->scene);
    return ZX_OK;
}

/* It was killed, or had come back from its call. */
static void expect_end(const struct call_there *call, enum moment moment) {
    int64_t code = 0;
    zx_info_process_t info = {0};
    if (zx_object_wait_one(call->child.process, ZX_PROCESS_TERMINATED, PATIENCE, NULL) != ZX_OK)
        race_hangs(call->call->name);
    EXPECT_OK(zx_object_get_info(call->child.process, ZX_INFO_PROCESS, &info, sizeof info, NULL,
                                 NULL));
    code = info.return_code;
    if (code != ZX_TASK_RETCODE_SYSCALL_KILL && code != CAME_BACK)
        utest_fail(__FILE__, __LINE__, "%s: ended with %ld", call->call->name, (long)code);
    race_count(call->call->name, code == CAME_BACK ? ZX_OK : ZX_ERR_CANCELED);
    if (moment == BEFORE)
        EXPECT_EQ(ZX_TASK_RETCODE_SYSCALL_KILL, code);
}

static void kill_in_this_moment(struct call_there *call, enum moment moment, bool is_suspended) {
    zx_handle_t token = ZX_HANDLE_INVALID;
    if (moment == AFTER)
        call_there_await_blocked(call);
    else if (moment == DURING)
        race_moment();
    if (is_suspended && zx_task_suspend(call->child.process, &token) == ZX_OK)
        race_moment();
    EXPECT_OK(zx_task_kill(call->child.process));
    expect_end(call, moment);
    close_handle(token);
}

static void kill_once(const struct blocking *row, enum moment moment, bool is_suspended) {
    struct call_there call;
    struct meanwhile meanwhile = {harmless_ending(row), &call.scene};
    bool has_company = moment == DURING && meanwhile.ending && race_random(2);
    if (call_there_make(&call, row)) {
        if (moment == BEFORE)
            EXPECT_OK(zx_task_kill(call.child.process));
        EXPECT_EQ(moment == BEFORE ? ZX_ERR_BAD_STATE : ZX_OK, call_there_start(&call));
        if (has_company)
            runner_go(&caller, act_meanwhile, &meanwhile);
        kill_in_this_moment(&call, moment, is_suspended);
        if (has_company)
            EXPECT_OK(runner_finish(&caller));
        if (row->use)
            row->use(&call.scene);
    }
    call_there_end(&call);
}

RACE(kill_against_every_blocking_call, 4) {
    runner_start(&caller);
    for (unsigned i = 0; i < blocking_count; i++) {
        kill_once(&blocking[i], BEFORE, false);
        if (blocking[i].state != 0) {
            kill_once(&blocking[i], AFTER, false);
            kill_once(&blocking[i], AFTER, true);
        }
        for (unsigned j = 0; j < rounds; j++)
            kill_once(&blocking[i], DURING, j % 3 == 2);
    }
    runner_end(&caller);
}
