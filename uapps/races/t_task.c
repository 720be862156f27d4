/*
 * t_task.c - kills of jobs while processes and threads are made in them, and of processes
 * that end by themselves or are in an exception.
 */
#include <jacinth/utest.h>
#include <zircon/syscalls.h>

#include "core-tests/debuggee.h"
#include "races/race.h"

static struct runner maker, killer;
static struct hold hold; /* before the kill of a tree */

/* --- the kill of a tree against all that makes it grow --- */

CODE(stay_code, "1:\tpause\n\tjmp 1b");

#define LEVELS 3

struct level {
    zx_handle_t job, process, region, threads[2];
};
struct tree {
    zx_handle_t top, middle, code;
    struct level levels[LEVELS];
};

static zx_handle_t make_code(void) {
    zx_handle_t writable = make_vmo(1), code = ZX_HANDLE_INVALID;
    EXPECT_OK(zx_vmo_write(writable, stay_code, 0, (size_t)(stay_code_end - stay_code)));
    EXPECT_OK(zx_vmo_replace_as_executable(writable, ZX_HANDLE_INVALID, &code));
    return code;
}

/* Two threads, which run until they are killed. */
static zx_status_t start_threads(const struct level *level, zx_handle_t code) {
    zx_vaddr_t at = 0;
    zx_status_t status = zx_vmar_map(level->region, ZX_VM_PERM_READ | ZX_VM_PERM_EXECUTE, 0, code,
                                     0, PAGE, &at);
    if (status == ZX_OK)
        status = zx_process_start(level->process, level->threads[0], at, 0, 0, 0);
    return status == ZX_OK ? zx_thread_start(level->threads[1], at, 0, 0, 0) : status;
}

/* Up to the first step that is refused. */
static zx_status_t make_level(struct tree *tree, struct level *level, zx_handle_t parent) {
    zx_status_t status = zx_job_create(parent, 0, &level->job);
    if (status == ZX_OK)
        status = zx_process_create(level->job, "grown", 5, 0, &level->process, &level->region);
    for (int i = 0; i < 2 && status == ZX_OK; i++)
        status = zx_thread_create(level->process, "grown", 5, 0, &level->threads[i]);
    return status == ZX_OK ? start_threads(level, tree->code) : status;
}

static zx_status_t grow(void *argument) {
    struct tree *tree = argument;
    zx_status_t status = ZX_OK;
    for (int i = 0; i < LEVELS && status == ZX_OK; i++)
        status = make_level(tree, &tree->levels[i], i ? tree->levels[i - 1].job : tree->middle);
    return status;
}

static zx_status_t kill_middle(void *argument) {
    race_moment();
    return zx_task_kill(((struct tree *)argument)->middle);
}

/* Dead by the kill, all of it, once the top is. */
static void expect_dead(zx_handle_t process) {
    zx_info_process_t info = {0};
    if (process == ZX_HANDLE_INVALID)
        return;
    EXPECT_OK(zx_object_wait_one(process, ZX_PROCESS_TERMINATED, 0, NULL));
    EXPECT_OK(zx_object_get_info(process, ZX_INFO_PROCESS, &info, sizeof info, NULL, NULL));
    EXPECT(info.exited);
    EXPECT_EQ(ZX_TASK_RETCODE_SYSCALL_KILL, info.return_code);
}

static void end_tree(struct tree *tree) {
    zx_handle_t none = ZX_HANDLE_INVALID;
    if (zx_object_wait_one(tree->top, ZX_JOB_TERMINATED, PATIENCE, NULL) != ZX_OK)
        race_hangs("a killed job");
    EXPECT_EQ(ZX_ERR_BAD_STATE, zx_job_create(tree->top, 0, &none));
    EXPECT_EQ(ZX_ERR_BAD_STATE, zx_job_create(tree->middle, 0, &none));
    for (int i = 0; i < LEVELS; i++) {
        const struct level *level = &tree->levels[i];
        const zx_handle_t handles[] = {level->job, level->process, level->region,
                                       level->threads[0], level->threads[1]};
        expect_dead(level->process);
        if (level->job != ZX_HANDLE_INVALID)
            EXPECT_OK(zx_object_wait_one(level->job, ZX_JOB_TERMINATED, 0, NULL));
        EXPECT_OK(zx_handle_close_many(handles, sizeof handles / sizeof handles[0]));
    }
    close_handle(tree->middle);
    close_handle(tree->top);
}

RACE(a_tree_of_jobs_may_be_killed_while_it_grows, 30) {
    zx_handle_t code = make_code();
    runner_start(&maker);
    runner_start(&killer);
    for (unsigned i = 0; i < rounds; i++) {
        struct tree tree = {.code = code};
        EXPECT_OK(zx_job_create(zx_job_default(), 0, &tree.top));
        EXPECT_OK(zx_job_create(tree.top, 0, &tree.middle));
        runner_go(&maker, grow, &tree);
        if (i % 2)
            runner_go(&killer, kill_middle, &tree);
        if (i % 3) {
            runner_await_begun(&maker);
            race_hold(&hold); /* from its begin to its end, evenly */
        } else { /* all there is on one CPU */
            for (uint64_t more = race_random(8); more > 0; more--)
                race_moment();
        }
        EXPECT_OK(zx_task_kill(tree.top));
        zx_status_t growth = runner_finish(&maker);
        LEGAL("growth", "in a job that is killed", growth, ZX_OK, ZX_ERR_BAD_STATE);
        race_learn(&hold, growth == ZX_OK);
        if (i % 2)
            EXPECT_OK(runner_finish(&killer));
        end_tree(&tree);
    }
    runner_end(&maker);
    runner_end(&killer);
    close_handle(code);
}

/* --- the end by itself against the kill --- */

CODE(end_code, "mov $77, %edi\n\tcall *(%rsi)");

struct way_out {
    const char *name, *call;
    int64_t code;
};
static const struct way_out ways_out[] = {{"process_exit", "zx_process_exit", 77},
                                          {"thread_exit", "zx_thread_exit", 0}};

static zx_status_t status_of(int64_t code) {
    return code == ZX_TASK_RETCODE_SYSCALL_KILL ? ZX_ERR_CANCELED : ZX_OK;
}

static void end_or_kill(const struct way_out *way) {
    struct child child;
    if (child_make(&child, end_code, end_code_end) && child_give_vdso(&child)) {
        child.data[0] = child_call(&child, way->call);
        EXPECT_OK(child_start(&child, CHILD_DATA));
        race_moment();
        EXPECT_OK(zx_task_kill(child.process));
        int64_t code = child_wait(&child);
        EXPECT(code == way->code || code == ZX_TASK_RETCODE_SYSCALL_KILL);
        race_count(way->name, status_of(code));
    }
    child_end(&child);
}

RACE(who_ends_by_itself_may_be_killed_in_the_middle_of_it, 30) {
    for (unsigned i = 0; i < 2 * rounds; i++)
        end_or_kill(&ways_out[i % 2]);
}

/* --- the start against the kill --- */

static zx_status_t kill_soon(void *argument) {
    race_moment();
    return zx_task_kill(*(zx_handle_t *)argument);
}

/* It starts and is killed, or is killed and never starts; its handle goes with it in any case. */
RACE(a_process_may_be_killed_at_any_point_of_its_start, 30) {
    runner_start(&killer);
    for (unsigned i = 0; i < rounds; i++) {
        struct child child;
        zx_handle_t end = ZX_HANDLE_INVALID, given = ZX_HANDLE_INVALID;
        EXPECT_OK(zx_eventpair_create(0, &end, &given));
        if (child_make(&child, stay_code, stay_code_end)) {
            runner_go(&killer, kill_soon, &child.process);
            race_moment();
            LEGAL("start", "of who is killed",
                  zx_process_start(child.process, child.thread, CHILD_CODE, CHILD_STACK, given, 0),
                  ZX_OK, ZX_ERR_BAD_STATE);
            EXPECT_OK(runner_finish(&killer));
            EXPECT_EQ(ZX_TASK_RETCODE_SYSCALL_KILL, child_wait(&child));
            EXPECT_OK(zx_object_wait_one(end, ZX_EVENTPAIR_PEER_CLOSED, 0, NULL));
        }
        close_handle(end);
        child_end(&child);
    }
    runner_end(&killer);
}

/* --- suspension from the start to the end --- */

struct tormented {
    zx_handle_t task;
    unsigned times;
};
static zx_status_t torment(void *argument) {
    const struct tormented *tormented = argument;
    zx_status_t status = ZX_OK;
    for (unsigned i = 0; i < tormented->times && status == ZX_OK; i++) {
        zx_handle_t token = ZX_HANDLE_INVALID;
        status = zx_task_suspend(tormented->task, &token);
        race_moment();
        close_handle(token);
        race_moment();
    }
    return status;
}

static void live_with_tokens(const struct way_out *way, bool of_thread) {
    struct child child;
    if (child_make(&child, end_code, end_code_end) && child_give_vdso(&child)) {
        struct tormented tormented = {of_thread ? child.thread : child.process, 6};
        child.data[0] = child_call(&child, way->call);
        runner_go(&killer, torment, &tormented);
        race_moment();
        EXPECT_OK(child_start(&child, CHILD_DATA));
        EXPECT_EQ(way->code, child_wait(&child));
        LEGAL("suspension", "of who ends", runner_finish(&killer), ZX_OK, ZX_ERR_BAD_STATE);
    }
    child_end(&child);
}

RACE(tokens_may_come_and_go_from_the_first_instruction_to_the_last, 25) {
    runner_start(&killer);
    for (unsigned i = 0; i < 2 * rounds; i++)
        live_with_tokens(&ways_out[i % 2], i % 4 < 2);
    runner_end(&killer);
}

/* --- exceptions --- */

struct crash {
    struct child child;
    zx_handle_t job, channel, outer, exception;
};

/* With a channel of its own, or of its job, or both. */
static bool make_crash(struct crash *crash) {
    *crash = (struct crash){0};
    EXPECT_OK(zx_job_create(zx_job_default(), 0, &crash->job));
    if (!child_make_in(&crash->child, crash->job, crash_code, crash_code_end))
        return false;
    crash->outer = exception_channel(crash->job, 0);
    crash->channel = exception_channel(crash->child.process, 0);
    return true;
}
static void end_crash(struct crash *crash) {
    const zx_handle_t handles[] = {crash->job, crash->channel, crash->outer};
    child_end(&crash->child);
    EXPECT_OK(zx_handle_close_many(handles, 3));
}

/* The handler's last word: only the thread ends, and with it its process. */
static zx_status_t end_thread(void *argument) {
    const struct crash *crash = argument;
    uint32_t state = ZX_EXCEPTION_STATE_THREAD_EXIT;
    race_moment();
    zx_status_t status = zx_object_set_property(crash->exception, ZX_PROP_EXCEPTION_STATE, &state,
                                                sizeof state);
    race_moment();
    EXPECT_OK(zx_handle_close(crash->exception));
    return status;
}

RACE(a_handler_may_answer_while_its_process_is_killed, 30) {
    runner_start(&killer);
    for (unsigned i = 0; i < rounds; i++) {
        struct crash crash;
        if (make_crash(&crash)) {
            EXPECT_OK(child_start(&crash.child, CHILD_DATA));
            crash.exception = catch_type(crash.channel, ZX_EXCP_UNDEFINED_INSTRUCTION);
            runner_go(&killer, end_thread, &crash);
            race_moment();
            EXPECT_OK(zx_task_kill(crash.child.process));
            EXPECT_OK(runner_finish(&killer));
            int64_t code = child_wait(&crash.child);
            EXPECT(code == 0 || code == ZX_TASK_RETCODE_SYSCALL_KILL);
            race_count("exception, answered", status_of(code));
        }
        end_crash(&crash);
    }
    runner_end(&killer);
}

/* Both hold the thread; it goes on when neither does, whoever was first. */
RACE(tokens_come_and_go_while_a_handler_is_asked_and_answers, 25) {
    runner_start(&killer);
    for (unsigned i = 0; i < rounds; i++) {
        struct crash crash;
        if (make_crash(&crash)) {
            struct tormented tormented = {i % 2 ? crash.child.thread : crash.child.process, 6};
            runner_go(&killer, torment, &tormented);
            EXPECT_OK(child_start(&crash.child, CHILD_DATA));
            crash.exception = catch_type(crash.channel, ZX_EXCP_UNDEFINED_INSTRUCTION);
            EXPECT_OK(end_thread(&crash));
            EXPECT_EQ(0, child_wait(&crash.child));
            LEGAL("suspension", "of who is in an exception", runner_finish(&killer), ZX_OK,
                  ZX_ERR_BAD_STATE);
        }
        end_crash(&crash);
    }
    runner_end(&killer);
}

/* Whatever becomes of the first handler, the exception comes to the next one. */
RACE(a_handler_may_go_at_any_point_and_the_next_one_is_asked, 20) {
    runner_start(&killer);
    for (unsigned i = 0; i < rounds; i++) {
        struct crash crash;
        if (make_crash(&crash)) {
            EXPECT_OK(child_start(&crash.child, CHILD_DATA));
            race_moment();
            close_handle(crash.channel);
            crash.channel = ZX_HANDLE_INVALID;
            crash.exception = catch_type(crash.outer, ZX_EXCP_UNDEFINED_INSTRUCTION);
            EXPECT_OK(end_thread(&crash));
            LEGAL("exception", "of a handler that goes", status_of(child_wait(&crash.child)),
                  ZX_OK);
        }
        end_crash(&crash);
    }
    runner_end(&killer);
}

/* The exception, the kill and the end of the first handler, all at once: nobody is stuck. */
static zx_status_t close_channel(void *argument) {
    race_moment();
    return zx_handle_close(*(zx_handle_t *)argument);
}
RACE(exception_kill_and_the_handlers_end_may_come_at_once, 30) {
    runner_start(&killer);
    for (unsigned i = 0; i < rounds; i++) {
        struct crash crash;
        if (make_crash(&crash)) {
            EXPECT_OK(child_start(&crash.child, CHILD_DATA));
            runner_go(&killer, close_channel, &crash.channel);
            race_moment();
            EXPECT_OK(zx_task_kill(i % 2 ? crash.job : crash.child.process));
            EXPECT_OK(runner_finish(&killer));
            crash.channel = ZX_HANDLE_INVALID;
            LEGAL("exception", "killed", status_of(child_wait(&crash.child)), ZX_ERR_CANCELED);
        }
        end_crash(&crash);
    }
    runner_end(&killer);
}
