/*
 * orders_tasks.c - futexes, and user threads that are suspended or killed, in all orders.
 */
#include "object/channel.h"
#include "object/event.h"
#include "object/futex.h"
#include "object/object.h"
#include "object/suspend_token.h"
#include "object/wait.h"
#include "tests/host/orders.h"
#include "vm/test_space.h"
#include "vm/vmo.h"

/* ---- Futexes: kernel threads in an address space of their own ---- */

static struct {
    struct aspace *aspace;
    struct futex_table *table;
    vaddr_t word, other_word;
    status_t status;
} futex;

static const struct futex_owner nobody = {OK, NULL};

static void futex_prepare(void) {
    AUTO(vmo) vmo = NULL;

    futex = (typeof(futex)){.status = ERR_INTERNAL};
    futex.table = futex_table_create();
    REQUIRE(futex.table != NULL && aspace_create(&futex.aspace) == OK);
    REQUIRE(vmo_create(PAGE_SIZE, false, &vmo) == OK && vmo_commit(vmo, 0, PAGE_SIZE) == OK);
    REQUIRE(test_space_map(futex.aspace, vmo, 0, PAGE_SIZE, ZX_VM_PERM_READ | ZX_VM_PERM_WRITE,
                           &futex.word) == OK);
    futex.other_word = futex.word + 8;
    test_space_enter(futex.aspace);
    EXPECT(test_space_store(futex.word, 0));
    test_space_enter(NULL);
}

static void futex_sleep(void) {
    test_space_enter(futex.aspace);
    futex.status = futex_wait(futex.table, futex.word, 0, nobody, TIME_INFINITE);
    test_space_enter(NULL);
}

static void futex_change(void) {
    test_space_enter(futex.aspace);
    EXPECT(test_space_store(futex.word, 1));
}

static void change_and_wake(void) {
    futex_change();
    EXPECT_EQ(OK, futex_wake(futex.table, futex.word, 1));
    test_space_enter(NULL);
}

/* To the other word, and awake from there. */
static void change_and_move(void) {
    const struct futex_requeue move = {
        .from = futex.word, .to = futex.other_word, .expected = 1, .move_count = 1};

    futex_change();
    EXPECT_EQ(OK, futex_requeue(futex.table, &move));
    EXPECT_EQ(OK, futex_wake(futex.table, futex.other_word, 1));
    test_space_enter(NULL);
}

static void wake_both(void) {
    EXPECT_EQ(OK, futex_wake(futex.table, futex.other_word, 1));
    EXPECT_EQ(OK, futex_wake(futex.table, futex.word, 1));
}
static void kill_first(void) { thread_set_pending(orders_thread(0), THREAD_PENDING_KILL); }

static void futex_check(void) {
    orders_saw("%s", orders_status(futex.status));
    futex_table_destroy(futex.table);
    test_space_end(futex.aspace);
}

ORDERS(futex, a_change_and_a_wake_are_never_missed, .switches = 3, .prepare = futex_prepare,
       .work = {futex_sleep, change_and_wake}, .check = futex_check,
       .outcomes = {"OK", "BAD_STATE"});
ORDERS(futex, a_waiter_is_moved_while_others_wake, .switches = 2, .prepare = futex_prepare,
       .work = {futex_sleep, change_and_move, wake_both}, .check = futex_check,
       .outcomes = {"OK", "BAD_STATE"});
ORDERS(futex, a_waiter_is_moved_while_it_is_killed, .switches = 2, .prepare = futex_prepare,
       .work = {futex_sleep, change_and_move, kill_first}, .check = futex_check,
       .outcomes = {"OK", "BAD_STATE", "KILLED"});

/* ---- User threads ---- */

static struct {
    struct waitable *event; /* referenced besides its handle */
    uint32_t event_value, end_value, their_value;
    struct channel *theirs;
    struct handle token;
    status_t status, suspend_status;
} task;

static uint32_t give(struct handle handle) {
    uint32_t value = 0;

    EXPECT_EQ(OK, handle_table_add(&orders_process()->handles, handle, &value));
    return value;
}

static void prepare(void) {
    struct channel *ours;

    task = (typeof(task)){.status = ERR_INTERNAL, .suspend_status = ERR_INTERNAL};
    REQUIRE(event_create(&task.event) == OK);
    task.event_value = give(handle_make(task.event, ZX_DEFAULT_EVENT_RIGHTS));
    REQUIRE(channel_create(&ours, &task.theirs) == OK);
    task.end_value = give(handle_adopt(&ours->end.base, ZX_DEFAULT_CHANNEL_RIGHTS));
    task.their_value = give(handle_adopt(&task.theirs->end.base, ZX_DEFAULT_CHANNEL_RIGHTS));
}

/* As the long way out makes an interrupted call again. */
static status_t wait_for(uint32_t value, signals_t wanted) {
    struct wait_result result;

    do {
        result = wait_one(&orders_process()->handles, value, wanted, TIME_INFINITE);
        orders_return_to_user();
    } while (result.status == ERR_INTERNAL_RETRY);
    return result.status;
}

static void wait_for_event(void) { task.status = wait_for(task.event_value, ZX_EVENT_SIGNALED); }
static void signal_event(void) {
    EXPECT_EQ(OK, object_signal(task.event, 0, ZX_EVENT_SIGNALED));
    orders_return_to_user();
}

static void suspend_first(void) {
    struct waitable *token;

    task.suspend_status = suspend_thread(orders_user_thread(0), &token);
    if (task.suspend_status == OK)
        task.token = handle_adopt(token, 0);
    orders_return_to_user();
}
static void suspend_and_resume(void) {
    suspend_first();
    handle_release(&task.token);
    orders_return_to_user();
}

static void let_go(void) {
    for (unsigned i = 0; i < 3 && orders_user_thread(i); i++)
        EXPECT_EQ(ZX_THREAD_TERMINATED, waitable_signals(&orders_user_thread(i)->base));
    handle_release(&task.token);
    waitable_unref(task.event);
}

static void suspend_check(void) {
    orders_saw("%s", orders_status(task.status));
    EXPECT_EQ(OK, task.suspend_status);
    EXPECT_EQ(0, orders_process()->return_code);
    let_go();
}

ORDERS(suspend, a_wait_goes_on_after_a_suspension, .switches = 2, .is_user = true,
       .prepare = prepare, .work = {wait_for_event, suspend_and_resume, signal_event},
       .check = suspend_check, .outcomes = {"OK"});

/* ---- Suspended in a call, whose message can't be sent again ---- */

static void make_call(void) {
    struct message *message = message_create(16, 0), *reply = NULL;

    REQUIRE(message != NULL);
    task.status = channel_call(NULL, &orders_process()->handles, task.end_value, message,
                               TIME_INFINITE, &reply);
    EXPECT_EQ(task.status == OK, reply != NULL);
    message_destroy(reply);
    orders_return_to_user();
}

static void serve_call(void) {
    struct channel_limits sizes;
    struct message *message;

    EXPECT_EQ(OK, wait_for(task.their_value, ZX_CHANNEL_READABLE));
    REQUIRE(channel_read(task.theirs, (struct channel_limits){.bytes = 16}, &message, &sizes) ==
            OK);
    EXPECT_EQ(OK, channel_write(task.theirs, message));
    orders_return_to_user();
}

/* Its answer comes while it stands still, or before, or afterwards. */
static void suspend_serve_and_resume(void) {
    suspend_first();
    serve_call();
    handle_release(&task.token);
}

ORDERS(suspend, a_call_is_answered_in_a_suspension, .switches = 2, .is_user = true,
       .prepare = prepare, .work = {make_call, suspend_serve_and_resume},
       .check = suspend_check, .outcomes = {"OK"});
ORDERS(suspend, a_call_goes_on_after_a_suspension, .switches = 1, .is_user = true,
       .prepare = prepare, .work = {make_call, suspend_and_resume, serve_call},
       .check = suspend_check, .outcomes = {"OK"});

/* ---- The end of a process ---- */

static void kill_with_5(void) {
    process_kill(orders_process(), 5);
    orders_return_to_user();
}
static void kill_with_6(void) {
    process_kill(orders_process(), 6);
    orders_return_to_user();
}

static void kill_check(void) {
    EXPECT_EQ(ZX_PROCESS_TERMINATED, waitable_signals(&orders_process()->base));
    EXPECT_EQ(0, handle_table_count(&orders_process()->handles));
    orders_saw("ended with %lld", (long long)orders_process()->return_code);
    let_go();
}

static void suspend_and_kill(void) {
    suspend_first();
    kill_with_5();
}

/* With three threads and their ends, which are choices too, one preemption makes thousands. */
ORDERS(kill, a_wait_ends_with_its_process, .switches = 2, .is_user = true, .prepare = prepare,
       .work = {wait_for_event, kill_with_5}, .check = kill_check, .outcomes = {"ended with 5"});
ORDERS(kill, one_that_stops_is_killed, .switches = 2, .is_user = true, .prepare = prepare,
       .work = {wait_for_event, suspend_and_kill}, .check = kill_check,
       .outcomes = {"ended with 5"});
ORDERS(kill, the_first_of_two_kills_ends_all_threads, .switches = 1, .is_user = true,
       .prepare = prepare, .work = {wait_for_event, kill_with_5, kill_with_6},
       .check = kill_check, .outcomes = {"ended with 5", "ended with 6"});
ORDERS(kill, one_that_stands_still_ends_too, .switches = 1, .is_user = true, .prepare = prepare,
       .work = {wait_for_event, suspend_first, kill_with_5}, .check = kill_check,
       .outcomes = {"ended with 5"});
