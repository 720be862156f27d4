/*
 * t_suspend_calls.c - suspensions of threads that are in a call or wait for a pager: nothing
 * of them shows in what the call does and gives.
 */
#include <jacinth/utest.h>
#include <threads.h>

#include "core-tests/debuggee.h"
#include "core-tests/paged.h"

/* --- calls that are interrupted --- */

/* A child that makes one blocking call, then writes to the log and faults. */
struct waiter {
    struct child child;
    zx_handle_t own; /* what ends its wait */
};

#define AT(word) (CHILD_DATA + 8 * (word))

static bool waiter_start(struct waiter *w, zx_handle_t theirs) {
    zx_status_t status = zx_process_start(w->child.process, w->child.thread, CHILD_CODE,
                                          CHILD_STACK, theirs, CHILD_DATA);
    EXPECT_OK(status);
    return status == ZX_OK;
}

/* Suspended and resumed several times it is blocked in the same call each time. */
static void disturb(const struct waiter *w, uint32_t blocked) {
    for (int i = 0; i < 5; i++) {
        REQUIRE(wait_for_state(w->child.thread, blocked));
        zx_handle_t token = stop(w->child.thread);
        EXPECT_EQ(ZX_THREAD_STATE_SUSPENDED, thread_state(w->child.thread));
        go_on(w->child.thread, token);
    }
    EXPECT(wait_for_state(w->child.thread, blocked));
}

static void expect_result(struct waiter *w, zx_status_t want) {
    EXPECT_EQ(ZX_TASK_RETCODE_EXCEPTION_KILL, child_wait(&w->child));
    EXPECT_EQ(want, script_result(&w->child, 0));
    child_end(&w->child);
}

static zx_handle_t event_for_both(zx_handle_t *out_theirs) {
    zx_handle_t event = make_event();
    *out_theirs = copy_with(event, ZX_RIGHTS_BASIC | ZX_RIGHT_SIGNAL);
    return event;
}

TEST(wait_one_goes_on_after_a_suspension) {
    struct waiter w;
    zx_handle_t theirs;
    REQUIRE(script_make(&w.child));
    w.own = event_for_both(&theirs);
    script_add(&w.child, 0, "zx_object_wait_one", CHILD_HANDLE, ZX_EVENT_SIGNALED,
               (uint64_t)ZX_TIME_INFINITE, AT(300));
    REQUIRE(waiter_start(&w, theirs));
    disturb(&w, ZX_THREAD_STATE_BLOCKED_WAIT_ONE);
    EXPECT_OK(zx_object_signal(w.own, 0, ZX_EVENT_SIGNALED));
    expect_result(&w, ZX_OK);
    close_handle(w.own);
}

TEST(wait_many_goes_on_after_a_suspension) {
    struct waiter w;
    REQUIRE(script_make(&w.child));
    /* Of nothing, for a while. */
    script_add(&w.child, 0, "zx_object_wait_many", AT(300), 0,
               (uint64_t)zx_deadline_after(ZX_SEC(1)), 0);
    REQUIRE(waiter_start(&w, ZX_HANDLE_INVALID));
    disturb(&w, ZX_THREAD_STATE_BLOCKED_SLEEPING);
    expect_result(&w, ZX_ERR_TIMED_OUT);
}

TEST(a_signal_during_the_suspension_is_seen) {
    struct waiter w;
    zx_handle_t theirs;
    REQUIRE(script_make(&w.child));
    w.own = event_for_both(&theirs);
    script_add(&w.child, 0, "zx_object_wait_one", CHILD_HANDLE, ZX_EVENT_SIGNALED,
               (uint64_t)ZX_TIME_INFINITE, AT(300));
    REQUIRE(waiter_start(&w, theirs));
    EXPECT(wait_for_state(w.child.thread, ZX_THREAD_STATE_BLOCKED_WAIT_ONE));
    zx_handle_t token = stop(w.child.thread);
    EXPECT_OK(zx_object_signal(w.own, 0, ZX_EVENT_SIGNALED));
    (void)zx_nanosleep(zx_deadline_after(ZX_MSEC(2)));
    EXPECT_EQ(ZX_THREAD_STATE_SUSPENDED, thread_state(w.child.thread));
    close_handle(token);
    expect_result(&w, ZX_OK);
    close_handle(w.own);
}

TEST(a_sleep_and_its_deadline_outlast_a_suspension) {
    struct waiter w;
    zx_time_t deadline;
    REQUIRE(script_make(&w.child));
    deadline = zx_deadline_after(ZX_MSEC(400));
    script_add(&w.child, 0, "zx_nanosleep", (uint64_t)deadline, 0, 0, 0);
    REQUIRE(waiter_start(&w, ZX_HANDLE_INVALID));
    (void)wait_for_state(w.child.thread, ZX_THREAD_STATE_BLOCKED_SLEEPING);
    zx_handle_t token = stop(w.child.thread);
    close_handle(token);
    expect_result(&w, ZX_OK);
    EXPECT(zx_clock_get_monotonic() >= deadline);
}

TEST(port_wait_goes_on_after_a_suspension_and_loses_no_packet) {
    struct waiter w;
    zx_handle_t theirs;
    zx_port_packet_t packet = {.key = 77};
    REQUIRE(script_make(&w.child));
    REQUIRE_OK(zx_port_create(0, &w.own));
    theirs = copy_with(w.own, ZX_RIGHT_READ | ZX_RIGHT_TRANSFER);
    script_add(&w.child, 0, "zx_port_wait", CHILD_HANDLE, (uint64_t)ZX_TIME_INFINITE, AT(300), 0);
    REQUIRE(waiter_start(&w, theirs));
    disturb(&w, ZX_THREAD_STATE_BLOCKED_PORT);
    zx_handle_t token = stop(w.child.thread);
    EXPECT_OK(zx_port_queue(w.own, &packet));
    close_handle(token);
    EXPECT_EQ(ZX_TASK_RETCODE_EXCEPTION_KILL, child_wait(&w.child));
    EXPECT_EQ(77, w.child.data[300]);
    expect_result(&w, ZX_OK);
    close_handle(w.own);
}

/* Sleeps on word 300 while it is 0, then stores the result in word 301. */
TEST(futex_wait_goes_on_after_a_suspension) {
    struct waiter w;
    REQUIRE(script_make(&w.child));
    script_add(&w.child, 0, "zx_futex_wait", AT(300), 0, 0, (uint64_t)ZX_TIME_INFINITE);
    REQUIRE(waiter_start(&w, ZX_HANDLE_INVALID));
    disturb(&w, ZX_THREAD_STATE_BLOCKED_FUTEX);
    /* The value is looked at again: that is how this wait ends without a wake. */
    zx_handle_t token = stop(w.child.thread);
    w.child.data[300] = 1;
    close_handle(token);
    expect_result(&w, ZX_ERR_BAD_STATE);
}

/* The call's arguments, at word 320. */
static void put_call(struct waiter *w) {
    zx_channel_call_args_t args = {.wr_bytes = (void *)AT(340),
                                   .wr_num_bytes = 8,
                                   .rd_bytes = (void *)AT(350),
                                   .rd_num_bytes = 16};
    const uint64_t *from = (const uint64_t *)&args;
    for (size_t i = 0; i < sizeof args / 8; i++)
        w->child.data[320 + i] = from[i];
    w->child.data[340] = 0x1122334400000000;
    script_add(&w->child, 0, "zx_channel_call", CHILD_HANDLE, 0, (uint64_t)ZX_TIME_INFINITE,
               AT(320));
}

/* Arguments 4 and 5 of the script are what script_add leaves 0: they are pointers here. */
static void put_call_results(struct waiter *w) {
    w->child.data[5] = AT(360);
    w->child.data[6] = AT(361);
}

/* The child makes the call, on the other end of its own channel. */
static bool start_call(struct waiter *w) {
    zx_handle_t theirs = ZX_HANDLE_INVALID;
    if (!script_make(&w->child))
        return false;
    EXPECT_OK(zx_channel_create(0, &w->own, &theirs));
    put_call(w);
    put_call_results(w);
    return waiter_start(w, theirs);
}

static uint32_t take_request(zx_handle_t channel) {
    uint32_t request[2] = {0};
    EXPECT_OK(zx_object_wait_one(channel, ZX_CHANNEL_READABLE, SOON, NULL));
    EXPECT_OK(zx_channel_read(channel, 0, request, NULL, sizeof request, 0, NULL, NULL));
    EXPECT_EQ(0x11223344, request[1]);
    return request[0];
}

static void call_with_disturbance(bool reply_while_suspended) {
    struct waiter w;
    REQUIRE(start_call(&w));
    disturb(&w, ZX_THREAD_STATE_BLOCKED_CHANNEL);
    uint32_t reply[2] = {take_request(w.own), 99};
    zx_handle_t token = stop(w.child.thread);
    /* It was sent once. */
    EXPECT_EQ(ZX_ERR_TIMED_OUT, zx_object_wait_one(w.own, ZX_CHANNEL_READABLE, 0, NULL));
    if (reply_while_suspended)
        EXPECT_OK(zx_channel_write(w.own, 0, reply, sizeof reply, NULL, 0));
    close_handle(token);
    if (!reply_while_suspended)
        EXPECT_OK(zx_channel_write(w.own, 0, reply, sizeof reply, NULL, 0));
    EXPECT_EQ(ZX_TASK_RETCODE_EXCEPTION_KILL, child_wait(&w.child));
    EXPECT_EQ(99, w.child.data[350] >> 32);
    EXPECT_EQ(8, (uint32_t)w.child.data[360]);
    expect_result(&w, ZX_OK);
    close_handle(w.own);
}

TEST(channel_call_sends_its_message_once_however_often_it_is_suspended) {
    call_with_disturbance(false);
}
TEST(channel_call_gets_an_answer_that_came_during_a_suspension) { call_with_disturbance(true); }

TEST(channel_call_hears_of_a_peer_that_closed_during_a_suspension) {
    struct waiter w;
    REQUIRE(start_call(&w));
    EXPECT(wait_for_state(w.child.thread, ZX_THREAD_STATE_BLOCKED_CHANNEL));
    zx_handle_t token = stop(w.child.thread);
    close_handle(w.own);
    close_handle(token);
    expect_result(&w, ZX_ERR_PEER_CLOSED);
}

TEST(a_call_that_is_killed_while_suspended_unwinds) {
    struct waiter w;
    REQUIRE(start_call(&w));
    EXPECT(wait_for_state(w.child.thread, ZX_THREAD_STATE_BLOCKED_CHANNEL));
    zx_handle_t token = stop(w.child.thread);
    EXPECT_OK(zx_task_kill(w.child.process));
    EXPECT_EQ(ZX_TASK_RETCODE_SYSCALL_KILL, child_wait(&w.child));
    EXPECT_OK(zx_object_wait_one(w.own, ZX_CHANNEL_PEER_CLOSED, SOON, NULL));
    close_handle(token);
    close_handle(w.own);
    child_end(&w.child);
}

/* --- waiting for a pager --- */

#define PAGED ((uintptr_t)0x30000000)

/* One page, at PAGED of the child. */
static struct paged paged_in(const struct child *child) {
    struct paged s = paged_make(1, 0);
    zx_info_vmar_t root;
    zx_vaddr_t got;
    EXPECT_OK(zx_object_get_info(child->vmar, ZX_INFO_VMAR, &root, sizeof root, NULL, NULL));
    EXPECT_OK(zx_vmar_map(child->vmar, READ_WRITE | ZX_VM_SPECIFIC | ZX_VM_ALLOW_FAULTS,
                          PAGED - root.base, s.vmo, 0, PAGE, &got));
    return s;
}

/* A call whose buffer, or whose object, is the pager's. */
static void call_that_waits_for_a_page(bool by_copy) {
    struct waiter w;
    REQUIRE(script_make(&w.child));
    struct paged s = paged_in(&w.child);
    zx_handle_t plain = make_vmo(1);
    if (by_copy)
        script_add(&w.child, 0, "zx_vmo_write", CHILD_HANDLE, PAGED, 0, 8);
    else
        script_add(&w.child, 0, "zx_vmo_read", CHILD_HANDLE, AT(300), 0, 8);
    REQUIRE(waiter_start(&w, copy_with(by_copy ? plain : s.vmo, ZX_RIGHT_SAME_RIGHTS)));
    disturb(&w, ZX_THREAD_STATE_BLOCKED_PAGER);
    supply(&s, 0, 1, 42);
    EXPECT_EQ(ZX_TASK_RETCODE_EXCEPTION_KILL, child_wait(&w.child));
    EXPECT_EQ(42, by_copy ? get(plain, 0) : w.child.data[300]);
    close_handle(plain);
    paged_end(&s);
    expect_result(&w, ZX_OK);
}

TEST(a_call_on_a_pager_s_object_goes_on_after_a_suspension) { call_that_waits_for_a_page(false); }
TEST(a_copy_from_a_pager_s_page_goes_on_after_a_suspension) { call_that_waits_for_a_page(true); }

CODE(read_paged_code, "mov 0x30000000, %al\n\tmov %al, (%rsi)\n1:\tpause\n\tjmp 1b");

TEST(a_fault_on_a_pager_s_page_goes_on_after_a_suspension) {
    struct waiter w;
    REQUIRE(child_make(&w.child, read_paged_code, read_paged_code_end));
    struct paged s = paged_in(&w.child);
    zx_handle_t channel = exception_channel(w.child.process, 0);
    EXPECT_OK(child_start(&w.child, CHILD_DATA));
    disturb(&w, ZX_THREAD_STATE_BLOCKED_PAGER);
    zx_handle_t token = stop(w.child.thread);
    EXPECT_EQ(CHILD_CODE, general_regs(w.child.thread).rip);
    close_handle(token);
    supply(&s, 0, 1, 42);
    EXPECT(wait_for_word(&w.child.data[0], 42));
    EXPECT_EQ(ZX_ERR_TIMED_OUT, zx_object_wait_one(channel, ZX_CHANNEL_READABLE, 0, NULL));
    close_handle(channel);
    paged_end(&s);
    child_end(&w.child);
}

TEST(a_page_that_the_pager_refuses_is_an_exception_with_its_reason) {
    struct child child;
    zx_port_packet_t packet;
    REQUIRE(child_make(&child, read_paged_code, read_paged_code_end));
    struct paged s = paged_in(&child);
    zx_handle_t channel = exception_channel(child.process, 0);
    EXPECT_OK(child_start(&child, CHILD_DATA));
    EXPECT_OK(zx_port_wait(s.port, SOON, &packet));
    EXPECT_OK(zx_pager_op_range(s.pager, ZX_PAGER_OP_FAIL, s.vmo, 0, PAGE,
                                (uint64_t)(int64_t)ZX_ERR_IO_DATA_INTEGRITY));
    zx_handle_t exception = catch_type(channel, ZX_EXCP_FATAL_PAGE_FAULT);
    zx_exception_report_v2_t report = report_of(child.thread);
    EXPECT_EQ(ZX_ERR_IO_DATA_INTEGRITY, (int32_t)report.synth_code);
    EXPECT_EQ(PAGED, report.context.arch.u.x86_64.cr2);
    EXPECT_OK(zx_task_kill(child.process));
    close_handle(exception);
    close_handle(channel);
    paged_end(&s);
    child_end(&child);
}

/* --- suspend against everything --- */

/*
 * Calls zx_handle_close(0) and zx_nanosleep(1) in turn, and counts: word 8 the rounds, word 9
 * the results that were not ZX_OK. Words 0 and 1: where the calls are.
 */
CODE(busy_code, "mov %rsi, %rbx\n"
                "1:\txor %edi, %edi\n\t"
                "call *(%rbx)\n\t"
                "test %eax, %eax\n\t"
                "jz 2f\n\t"
                "incq 72(%rbx)\n"
                "2:\tmov $1, %edi\n\t"
                "call *8(%rbx)\n\t"
                "test %eax, %eax\n\t"
                "jz 3f\n\t"
                "incq 72(%rbx)\n"
                "3:\tincq 64(%rbx)\n\t"
                "jmp 1b");

/* On one CPU most of a round is the child's slice. */
static int rounds(void) { return zx_system_get_num_cpus() == 1 ? 100 : 300; }

TEST(no_suspension_shows_in_the_results_of_calls) {
    struct child child;
    zx_handle_t tokens[2];
    REQUIRE(child_make(&child, busy_code, busy_code_end) && child_give_vdso(&child));
    child.data[0] = child_call(&child, "zx_handle_close");
    child.data[1] = child_call(&child, "zx_nanosleep");
    EXPECT_OK(child_start(&child, CHILD_DATA));
    for (int i = 0, end = rounds(); i < end; i++) {
        EXPECT_OK(zx_task_suspend(child.thread, &tokens[0]));
        if (i % 3 == 0)
            EXPECT_OK(zx_object_wait_one(child.thread, ZX_THREAD_SUSPENDED, SOON, NULL));
        EXPECT_OK(zx_task_suspend(child.process, &tokens[1]));
        close_handle(tokens[i % 2]);
        close_handle(tokens[1 - i % 2]);
        if (i % 2)
            (void)zx_nanosleep(0);
    }
    uint64_t before = child.data[8];
    EXPECT(wait_for_change(&child.data[8], before));
    EXPECT_EQ(0, child.data[9]);
    EXPECT_EQ(ZX_THREAD_STATE_BASIC(thread_state(child.thread)) == ZX_THREAD_STATE_BLOCKED ||
                  thread_state(child.thread) == ZX_THREAD_STATE_RUNNING, true);
    EXPECT_OK(zx_task_kill(child.process));
    EXPECT_EQ(ZX_TASK_RETCODE_SYSCALL_KILL, child_wait(&child));
    child_end(&child);
}

/* Calls the channel in rdi without end; each request carries the next number. */
CODE(caller_code, "mov %rsi, %rbx\n\t"
                  "mov %edi, %r12d\n"
                  "1:\tincl 2724(%rbx)\n\t"
                  "mov %r12d, %edi\n\t"
                  "xor %esi, %esi\n\t"
                  "mov $0x7fffffffffffffff, %rdx\n\t"
                  "lea 2560(%rbx), %rcx\n\t"
                  "lea 2880(%rbx), %r8\n\t"
                  "lea 2888(%rbx), %r9\n\t"
                  "call *(%rbx)\n\t"
                  "test %eax, %eax\n\t"
                  "jnz 2f\n\t"
                  "incq 64(%rbx)\n\t"
                  "jmp 1b\n"
                  "2:\tincq 72(%rbx)\n"
                  "3:\tpause\n\tjmp 3b");

struct service {
    zx_handle_t channel;
    uint32_t served, wrong;
};

/* Answers each request until the other end is gone; one that comes twice, or not, is wrong. */
static int serve(void *argument) {
    struct service *service = argument;
    uint32_t message[2];
    for (;;) {
        zx_signals_t seen = 0;
        (void)zx_object_wait_one(service->channel, ZX_CHANNEL_READABLE | ZX_CHANNEL_PEER_CLOSED,
                                 ZX_TIME_INFINITE, &seen);
        if (!(seen & ZX_CHANNEL_READABLE))
            return 0;
        if (zx_channel_read(service->channel, 0, message, NULL, sizeof message, 0, NULL, NULL) !=
            ZX_OK)
            return 1;
        service->wrong += message[1] != ++service->served;
        (void)zx_channel_write(service->channel, 0, message, sizeof message, NULL, 0);
    }
}

TEST(calls_between_processes_survive_suspensions_at_any_point) {
    struct waiter w;
    struct service service = {0};
    thrd_t thread;
    zx_handle_t theirs, token;
    int result = 9;
    REQUIRE(child_make(&w.child, caller_code, caller_code_end) && child_give_vdso(&w.child));
    REQUIRE_OK(zx_channel_create(0, &service.channel, &theirs));
    put_call(&w);
    w.child.data[340] = 0;
    w.child.data[0] = child_call(&w.child, "zx_channel_call");
    REQUIRE_EQ(thrd_success, thrd_create(&thread, serve, &service));
    REQUIRE(waiter_start(&w, theirs));
    for (int i = 0, end = rounds(); i < end; i++) {
        EXPECT_OK(zx_task_suspend(i % 2 ? w.child.thread : w.child.process, &token));
        if (i % 5 == 0)
            EXPECT_OK(zx_object_wait_one(w.child.thread, ZX_THREAD_SUSPENDED, SOON, NULL));
        if (i % 3 == 0)
            (void)zx_nanosleep(0);
        close_handle(token);
        if (i % 4 == 0)
            EXPECT(wait_for_change(&w.child.data[8], w.child.data[8]));
    }
    EXPECT_EQ(0, w.child.data[9]);
    EXPECT_OK(zx_task_kill(w.child.process));
    EXPECT_EQ(ZX_TASK_RETCODE_SYSCALL_KILL, child_wait(&w.child));
    EXPECT_EQ(thrd_success, thrd_join(thread, &result));
    EXPECT_EQ(0, result);
    EXPECT_EQ(0, service.wrong);
    EXPECT(service.served >= w.child.data[8] && service.served <= w.child.data[8] + 1);
    close_handle(service.channel);
    child_end(&w.child);
}
