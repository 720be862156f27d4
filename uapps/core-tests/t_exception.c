/*
 * t_exception.c - exception channels and objects: binding, what a handler gets, what there
 * is to handle, and what becomes of the thread.
 */
#include <jacinth/utest.h>
#include <threads.h>

#include "core-tests/debuggee.h"

/* --- binding --- */

#define NEEDED (ZX_RIGHT_INSPECT | ZX_RIGHT_DUPLICATE | ZX_RIGHT_TRANSFER | ZX_RIGHT_MANAGE_THREAD)

TEST(create_exception_channel_checks_in_order) {
    struct child child;
    zx_handle_t out = 9;
    REQUIRE(child_make(&child, crash_code, crash_code_end));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_task_create_exception_channel(0, 2, &out));
    EXPECT_EQ(ZX_ERR_BAD_HANDLE, zx_task_create_exception_channel(0, 0, &out));
    for (zx_rights_t right = 1; right <= ZX_RIGHT_MANAGE_THREAD; right <<= 1) {
        if (!(right & NEEDED))
            continue;
        zx_handle_t weak = copy_without(child.process, right);
        EXPECT_EQ(ZX_ERR_ACCESS_DENIED, zx_task_create_exception_channel(weak, 0, &out));
        close_handle(weak);
    }
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED, zx_task_create_exception_channel(child.vmar, 0, &out));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_task_create_exception_channel(child.thread, DEBUGGER, &out));
    zx_handle_t weak = copy_without(child.process, ZX_RIGHT_ENUMERATE);
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED, zx_task_create_exception_channel(weak, 0, &out));
    close_handle(weak);
    EXPECT_EQ(9, out);
    out = exception_channel(child.thread, 0);
    EXPECT_EQ(0x4006, rights_of(out));
    close_handle(out);
    child_end(&child);
}

TEST(a_slot_is_bound_once_and_again_when_its_channel_is_closed) {
    struct child child;
    zx_handle_t job = make_job(zx_job_default()), other;
    REQUIRE(child_make_in(&child, job, crash_code, crash_code_end));
    const struct {
        zx_handle_t task;
        uint32_t options;
    } slots[] = {{child.thread, 0}, {child.process, 0}, {child.process, DEBUGGER},
                 {job, 0},          {job, DEBUGGER}};
    zx_handle_t channels[5];
    for (size_t i = 0; i < 5; i++)
        channels[i] = exception_channel(slots[i].task, slots[i].options);
    for (size_t i = 0; i < 5; i++) {
        EXPECT_EQ(ZX_ERR_ALREADY_BOUND, zx_task_create_exception_channel(
                                            slots[i].task, slots[i].options, &other));
        close_handle(channels[i]);
        channels[i] = exception_channel(slots[i].task, slots[i].options);
    }
    /* The kernel's ends close with the tasks. */
    EXPECT_OK(zx_task_kill(job));
    for (size_t i = 0; i < 5; i++) {
        if (i > 0) /* the thread never ran, so it lives as long as its handle */
            EXPECT_OK(zx_object_wait_one(channels[i], ZX_CHANNEL_PEER_CLOSED, SOON, NULL));
        EXPECT_EQ(ZX_ERR_BAD_STATE, zx_task_create_exception_channel(slots[i].task,
                                                                     slots[i].options, &other));
    }
    child_end(&child);
    for (size_t i = 0; i < 5; i++)
        close_handle(channels[i]);
    close_handle(job);
}

TEST(channels_close_when_a_running_process_ends) {
    struct child child;
    REQUIRE(child_make(&child, crash_code, crash_code_end));
    zx_handle_t of_thread = exception_channel(child.thread, 0);
    zx_handle_t of_process = exception_channel(child.process, 0);
    REQUIRE(start_crashing(&child));
    close_handle(catch_type(of_thread, UNDEFINED));
    close_handle(catch_type(of_process, UNDEFINED));
    EXPECT_OK(zx_object_wait_one(of_thread, ZX_CHANNEL_PEER_CLOSED, SOON, NULL));
    EXPECT_OK(zx_object_wait_one(of_process, ZX_CHANNEL_PEER_CLOSED, SOON, NULL));
    EXPECT_EQ(ZX_TASK_RETCODE_EXCEPTION_KILL, child_wait(&child));
    close_handle(of_thread);
    close_handle(of_process);
    child_end(&child);
}

TEST(an_attached_debugger_shows) {
    struct child child;
    zx_info_process_t info;
    zx_info_job_t job_info;
    zx_handle_t job = make_job(zx_job_default());
    REQUIRE(child_make_in(&child, job, crash_code, crash_code_end));
    for (int round = 0; round < 2; round++) {
        zx_handle_t plain = exception_channel(child.process, 0), debugger = ZX_HANDLE_INVALID;
        zx_handle_t job_debugger = ZX_HANDLE_INVALID;
        for (int attached = 0; attached < 2; attached++) {
            if (attached) {
                debugger = exception_channel(child.process, DEBUGGER);
                job_debugger = exception_channel(job, DEBUGGER);
            }
            EXPECT_OK(zx_object_get_info(child.process, ZX_INFO_PROCESS, &info, sizeof info, NULL,
                                         NULL));
            EXPECT_EQ(attached, info.debugger_attached);
            EXPECT_OK(zx_object_get_info(job, ZX_INFO_JOB, &job_info, sizeof job_info, NULL, NULL));
            EXPECT_EQ(attached, job_info.debugger_attached);
        }
        close_handle(plain);
        close_handle(debugger);
        close_handle(job_debugger);
    }
    child_end(&child);
    close_handle(job);
}

/* --- what a handler gets --- */

TEST(an_exception_names_its_thread_and_gives_handles) {
    struct child child;
    zx_info_handle_basic_t basic;
    zx_handle_t got;
    uint32_t value = 9;
    REQUIRE(child_make(&child, crash_code, crash_code_end));
    zx_handle_t weak = copy_with(child.process, NEEDED | ZX_RIGHT_ENUMERATE | ZX_RIGHT_READ);
    zx_handle_t channel = exception_channel(weak, 0);
    REQUIRE(start_crashing(&child));
    struct caught caught = catch_next(channel);
    EXPECT_EQ(koid_of(child.process), caught.info.pid);
    EXPECT_EQ(koid_of(child.thread), caught.info.tid);
    EXPECT_EQ(UNDEFINED, caught.info.type);
    EXPECT_OK(zx_object_get_info(caught.exception, ZX_INFO_HANDLE_BASIC, &basic, sizeof basic,
                                 NULL, NULL));
    EXPECT_EQ(ZX_OBJ_TYPE_EXCEPTION, basic.type);
    EXPECT_EQ(0x80c2, basic.rights);
    EXPECT_OK(
        zx_object_get_property(caught.exception, ZX_PROP_EXCEPTION_STATE, &value, sizeof value));
    EXPECT_EQ(TRY_NEXT, value);
    /* The rights are those of the handle by which the channel was made. */
    EXPECT_OK(zx_exception_get_thread(caught.exception, &got));
    EXPECT_EQ(koid_of(child.thread), koid_of(got));
    EXPECT_EQ(rights_of(weak), rights_of(got));
    close_handle(got);
    EXPECT_OK(zx_exception_get_process(caught.exception, &got));
    EXPECT_EQ(koid_of(child.process), koid_of(got));
    EXPECT_EQ(rights_of(weak), rights_of(got));
    close_handle(got);
    EXPECT_EQ(ZX_ERR_WRONG_TYPE, zx_exception_get_thread(child.thread, &got));
    EXPECT_EQ(ZX_ERR_BAD_HANDLE, zx_exception_get_process(0, &got));
    close_handle(caught.exception);
    EXPECT_EQ(ZX_TASK_RETCODE_EXCEPTION_KILL, child_wait(&child));
    close_handle(weak);
    close_handle(channel);
    child_end(&child);
}

TEST(the_handler_of_a_thread_gets_no_handle_to_its_process) {
    struct child child;
    zx_handle_t got = 9;
    REQUIRE(child_make(&child, crash_code, crash_code_end));
    zx_handle_t channel = exception_channel(child.thread, 0);
    REQUIRE(start_crashing(&child));
    zx_handle_t exception = catch_type(channel, UNDEFINED);
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED, zx_exception_get_process(exception, &got));
    EXPECT_OK(zx_exception_get_thread(exception, &got));
    EXPECT_EQ(ZX_DEFAULT_THREAD_RIGHTS, rights_of(got));
    close_handle(got);
    /* Also when the thread is gone. */
    EXPECT_OK(zx_task_kill(child.process));
    EXPECT_EQ(ZX_TASK_RETCODE_SYSCALL_KILL, child_wait(&child));
    EXPECT_OK(zx_exception_get_thread(exception, &got));
    EXPECT_EQ(ZX_THREAD_STATE_DEAD, thread_state(got));
    close_handle(got);
    close_handle(exception);
    close_handle(channel);
    child_end(&child);
}

TEST(properties_of_exceptions_are_checked) {
    struct child child;
    uint32_t value = 0;
    REQUIRE(child_make(&child, crash_code, crash_code_end));
    zx_handle_t channel = exception_channel(child.process, 0);
    REQUIRE(start_crashing(&child));
    zx_handle_t exception = catch_type(channel, UNDEFINED);
    const uint32_t state = ZX_PROP_EXCEPTION_STATE, strategy = ZX_PROP_EXCEPTION_STRATEGY;
    EXPECT_EQ(ZX_ERR_BUFFER_TOO_SMALL, zx_object_get_property(exception, state, &value, 3));
    EXPECT_EQ(ZX_ERR_BUFFER_TOO_SMALL, zx_object_set_property(exception, state, &value, 3));
    EXPECT_EQ(ZX_ERR_WRONG_TYPE, zx_object_get_property(child.process, state, &value, 4));
    EXPECT_EQ(ZX_ERR_WRONG_TYPE, zx_object_set_property(child.process, strategy, &value, 4));
    EXPECT_EQ(ZX_ERR_BAD_STATE, zx_object_get_property(exception, strategy, &value, 4));
    EXPECT_EQ(ZX_ERR_BAD_STATE, zx_object_set_property(exception, strategy, &value, 4));
    for (value = 0; value < 5; value++)
        EXPECT_EQ(value <= 2 ? ZX_OK : ZX_ERR_INVALID_ARGS,
                  zx_object_set_property(exception, state, &value, 4));
    EXPECT_OK(zx_object_get_property(exception, state, &value, 4));
    EXPECT_EQ(2, value);
    answer(exception, TRY_NEXT);
    EXPECT_EQ(ZX_TASK_RETCODE_EXCEPTION_KILL, child_wait(&child));
    close_handle(channel);
    child_end(&child);
}

TEST(a_thread_in_an_exception_shows_its_state_and_report) {
    struct child child;
    zx_exception_report_v2_t report;
    size_t actual = 9, avail = 9;
    REQUIRE(child_make(&child, crash_code, crash_code_end));
    EXPECT_EQ(ZX_ERR_BAD_STATE,
              zx_object_get_info(child.thread, ZX_INFO_THREAD_EXCEPTION_REPORT, &report,
                                 sizeof report, &actual, &avail));
    zx_handle_t channel = exception_channel(child.process, 0);
    REQUIRE(start_crashing(&child));
    zx_handle_t exception = catch_type(channel, UNDEFINED);
    zx_info_thread_t info = thread_info(child.thread);
    EXPECT_EQ(ZX_THREAD_STATE_BLOCKED_EXCEPTION, info.state);
    EXPECT_EQ(ZX_EXCEPTION_CHANNEL_TYPE_PROCESS, info.wait_exception_channel_type);
    report = report_of(child.thread);
    EXPECT_EQ(40, report.header.size);
    EXPECT_EQ(UNDEFINED, report.header.type);
    EXPECT_EQ(6, report.context.arch.u.x86_64.vector);
    EXPECT_EQ(0, report.context.arch.u.x86_64.cr2 | report.synth_code | report.synth_data);
    EXPECT_EQ(ZX_ERR_BUFFER_TOO_SMALL,
              zx_object_get_info(child.thread, ZX_INFO_THREAD_EXCEPTION_REPORT_V2, &report, 39,
                                 &actual, &avail));
    EXPECT_EQ(0, actual);
    EXPECT_EQ(1, avail);
    report.synth_data = 77;
    EXPECT_OK(zx_object_get_info(child.thread, ZX_INFO_THREAD_EXCEPTION_REPORT_V1, &report,
                                 sizeof report, &actual, &avail));
    EXPECT_EQ(32, report.header.size);
    EXPECT_EQ(77, report.synth_data);
    EXPECT_EQ(CHILD_CODE, general_regs(child.thread).rip);
    close_handle(exception);
    EXPECT_EQ(ZX_TASK_RETCODE_EXCEPTION_KILL, child_wait(&child));
    close_handle(channel);
    child_end(&child);
}

/* --- what there is --- */

CODE(int3_code, "int3");
CODE(read_null_code, "mov 8, %rax");
CODE(write_code_code, "movb $1, CHILD_HERE(%rip)\nCHILD_HERE:");
CODE(far_code, "mov $0xffff800000000000, %rax\n\tmov (%rax), %rax");
CODE(crooked_code, "mov $0x800000000000, %rax\n\tmov (%rax), %rax");
CODE(halt_code, "hlt");
CODE(divide_code, "xor %ecx, %ecx\n\tdiv %ecx");
CODE(interrupt_code, "int $0x80");

/* Bit 0 tells whether a translation was there, which differs; emulators differ on INT. */
#define ANY_ERROR 0xffffffff

TEST(each_fault_has_its_type_and_numbers) {
    const struct {
        const char *code, *end;
        uint32_t type, vector, error;
        uint64_t cr2;
        int32_t status;
    } faults[] = {
        {crash_code, crash_code_end, UNDEFINED, 6, 0, 0, 0},
        {int3_code, int3_code_end, ZX_EXCP_SW_BREAKPOINT, 3, 0, 0, 0},
        {read_null_code, read_null_code_end, ZX_EXCP_FATAL_PAGE_FAULT, 14, 4, 8, ZX_ERR_NOT_FOUND},
        {write_code_code, write_code_code_end, ZX_EXCP_FATAL_PAGE_FAULT, 14, 6, CHILD_CODE + 7,
         ZX_ERR_ACCESS_DENIED},
        {far_code, far_code_end, ZX_EXCP_FATAL_PAGE_FAULT, 14, 4, 0xffff800000000000,
         ZX_ERR_NOT_FOUND},
        {crooked_code, crooked_code_end, ZX_EXCP_GENERAL, 13, 0, 0, 0},
        {halt_code, halt_code_end, ZX_EXCP_GENERAL, 13, 0, 0, 0},
        {divide_code, divide_code_end, ZX_EXCP_GENERAL, 0, 0, 0, 0},
        {interrupt_code, interrupt_code_end, ZX_EXCP_GENERAL, 13, ANY_ERROR, 0, 0},
    };
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        struct child child;
        REQUIRE(child_make(&child, faults[i].code, faults[i].end));
        zx_handle_t channel = exception_channel(child.thread, 0);
        REQUIRE(start_crashing(&child));
        zx_handle_t exception = catch_type(channel, faults[i].type);
        zx_exception_report_v2_t report = report_of(child.thread);
        EXPECT_EQ(faults[i].type, report.header.type);
        EXPECT_EQ(faults[i].vector, report.context.arch.u.x86_64.vector);
        if (faults[i].error != ANY_ERROR)
            EXPECT_EQ(faults[i].error, report.context.arch.u.x86_64.err_code & ~1u);
        EXPECT_EQ(faults[i].cr2, report.context.arch.u.x86_64.cr2);
        EXPECT_EQ(faults[i].status, (int32_t)report.synth_code);
        EXPECT_OK(zx_task_kill(child.process));
        close_handle(exception);
        close_handle(channel);
        child_end(&child);
    }
}

/* --- answers --- */

TEST(a_handled_thread_goes_on_where_it_is_told) {
    struct child child;
    REQUIRE(child_make(&child, crash_code, crash_code_end));
    zx_handle_t channel = exception_channel(child.process, 0);
    REQUIRE(start_crashing(&child));
    /* Left alone it meets the same instruction again. */
    for (int i = 0; i < 3; i++) {
        zx_handle_t exception = catch_type(channel, UNDEFINED);
        EXPECT_EQ(CHILD_CODE, general_regs(child.thread).rip);
        answer(exception, HANDLED);
    }
    zx_handle_t exception = catch_type(channel, UNDEFINED);
    set_rip(child.thread, AFTER_CRASH);
    answer(exception, HANDLED);
    EXPECT(wait_for_word(&child.data[0], 1));
    EXPECT_EQ(ZX_THREAD_STATE_RUNNING, thread_state(child.thread));
    EXPECT_EQ(0, thread_info(child.thread).wait_exception_channel_type);
    close_handle(channel);
    child_end(&child);
}

TEST(a_page_fault_is_handled_by_mapping_the_page) {
    struct child child;
    zx_info_vmar_t root;
    zx_vaddr_t got;
    REQUIRE(child_make(&child, read_null_code, read_null_code_end));
    zx_handle_t channel = exception_channel(child.process, 0), vmo = make_vmo(1);
    REQUIRE(start_crashing(&child));
    zx_handle_t exception = catch_type(channel, ZX_EXCP_FATAL_PAGE_FAULT);
    zx_thread_state_general_regs_t regs = general_regs(child.thread);
    EXPECT_OK(zx_object_get_info(child.vmar, ZX_INFO_VMAR, &root, sizeof root, NULL, NULL));
    EXPECT_OK(zx_vmar_map(child.vmar, ZX_VM_PERM_READ | ZX_VM_PERM_WRITE, 0, vmo, 0, PAGE, &got));
    /* Page 0 can't be mapped, so the next instruction is one that reads the new page. */
    regs.rip = CHILD_CODE + (uintptr_t)(read_null_code_end - read_null_code);
    set_general_regs(child.thread, &regs);
    answer(exception, HANDLED);
    /* Behind the code lie zeros: add %al, (%rax), with rax 0. */
    exception = catch_type(channel, ZX_EXCP_FATAL_PAGE_FAULT);
    regs = general_regs(child.thread);
    EXPECT_EQ(0, report_of(child.thread).context.arch.u.x86_64.cr2);
    regs.rax = got + 8;
    set_general_regs(child.thread, &regs);
    answer(exception, HANDLED);
    /* On to the end of its page, where there is nothing to execute. */
    exception = catch_type(channel, ZX_EXCP_FATAL_PAGE_FAULT);
    EXPECT_EQ(CHILD_CODE + PAGE, report_of(child.thread).context.arch.u.x86_64.cr2 & ~(PAGE - 1));
    uint8_t sum = 0;
    EXPECT_OK(zx_vmo_read(vmo, &sum, 8, 1));
    EXPECT(sum != 0);
    close_handle(exception);
    EXPECT_EQ(ZX_TASK_RETCODE_EXCEPTION_KILL, child_wait(&child));
    close_handle(vmo);
    close_handle(channel);
    child_end(&child);
}

TEST(without_handlers_an_exception_ends_the_process) {
    EXPECT_EQ(ZX_TASK_RETCODE_EXCEPTION_KILL, child_run(crash_code, crash_code_end, 0));
}

TEST(thread_exit_ends_the_thread_only) {
    struct child child;
    zx_handle_t thread;
    REQUIRE(child_make(&child, crash_code, crash_code_end));
    zx_handle_t channel = exception_channel(child.process, 0);
    REQUIRE(start_crashing(&child));
    zx_handle_t exception = catch_type(channel, UNDEFINED);
    REQUIRE_OK(zx_thread_create(child.process, "other", 5, 0, &thread));
    EXPECT_OK(zx_thread_start(thread, AFTER_CRASH, CHILD_STACK, 0, CHILD_DATA));
    answer(exception, THREAD_EXIT);
    EXPECT_OK(zx_object_wait_one(child.thread, ZX_THREAD_TERMINATED, SOON, NULL));
    EXPECT(wait_for_word(&child.data[0], 1));
    EXPECT_EQ(ZX_ERR_TIMED_OUT, zx_object_wait_one(child.process, ZX_PROCESS_TERMINATED, 0, NULL));
    close_handle(thread);
    close_handle(channel);
    child_end(&child);
}

TEST(the_exit_of_the_last_thread_ends_the_process_well) {
    struct child child;
    REQUIRE(child_make(&child, crash_code, crash_code_end));
    zx_handle_t channel = exception_channel(child.process, 0);
    REQUIRE(start_crashing(&child));
    answer(catch_type(channel, UNDEFINED), THREAD_EXIT);
    EXPECT_EQ(0, child_wait(&child));
    close_handle(channel);
    child_end(&child);
}

/* A thread of this very process faults, and another one of it mends that. */
static int fault_at_home(void *argument) {
    uint64_t result;
    *(zx_handle_t *)argument = copy_with(zx_thread_self(), ZX_RIGHT_SAME_RIGHTS);
    __asm__ volatile("xor %%eax, %%eax\n\tud2\n\t" : "=a"(result));
    return (int)result;
}

TEST(a_process_can_handle_its_own_exceptions) {
    thrd_t thread;
    int result = 0;
    static zx_handle_t faulting;
    zx_handle_t channel = exception_channel(zx_process_self(), 0);
    faulting = ZX_HANDLE_INVALID;
    REQUIRE_EQ(thrd_success, thrd_create(&thread, fault_at_home, &faulting));
    zx_handle_t exception = catch_type(channel, UNDEFINED);
    zx_thread_state_general_regs_t regs = general_regs(faulting);
    regs.rip += 2;
    regs.rax = 31;
    set_general_regs(faulting, &regs);
    answer(exception, HANDLED);
    EXPECT_EQ(thrd_success, thrd_join(thread, &result));
    EXPECT_EQ(31, result);
    close_handle(faulting);
    close_handle(channel);
}

TEST(suspension_and_exception_hold_a_thread_each_by_itself) {
    struct child child;
    zx_handle_t token;
    REQUIRE(child_make(&child, crash_code, crash_code_end));
    zx_handle_t channel = exception_channel(child.process, 0);
    REQUIRE(start_crashing(&child));
    zx_handle_t exception = catch_type(channel, UNDEFINED);
    EXPECT_OK(zx_task_suspend(child.thread, &token));
    EXPECT_EQ(ZX_THREAD_STATE_BLOCKED_EXCEPTION, thread_state(child.thread));
    set_rip(child.thread, AFTER_CRASH);
    answer(exception, HANDLED);
    EXPECT_OK(zx_object_wait_one(child.thread, ZX_THREAD_SUSPENDED, SOON, NULL));
    EXPECT_EQ(AFTER_CRASH, general_regs(child.thread).rip);
    EXPECT_EQ(0, child.data[0]);
    go_on(child.thread, token);
    EXPECT(wait_for_word(&child.data[0], 1));
    /* The other way round. */
    token = stop(child.thread);
    set_rip(child.thread, CHILD_CODE);
    close_handle(token);
    exception = catch_type(channel, UNDEFINED);
    EXPECT_OK(zx_task_suspend(child.process, &token));
    close_handle(token);
    EXPECT_EQ(ZX_THREAD_STATE_BLOCKED_EXCEPTION, thread_state(child.thread));
    close_handle(exception);
    EXPECT_EQ(ZX_TASK_RETCODE_EXCEPTION_KILL, child_wait(&child));
    close_handle(channel);
    child_end(&child);
}

/* Many threads in exceptions at once, each mended; the fault and the answers race. */
#define CROWD 8
TEST(exceptions_of_many_threads_are_handled_side_by_side) {
    struct child child;
    zx_handle_t threads[CROWD];
    REQUIRE(child_make(&child, crash_code, crash_code_end));
    zx_handle_t channel = exception_channel(child.process, 0);
    REQUIRE(start_crashing(&child));
    for (uint64_t i = 0; i < CROWD; i++) {
        REQUIRE_OK(zx_thread_create(child.process, "one", 3, 0, &threads[i]));
        EXPECT_OK(zx_thread_start(threads[i], CHILD_CODE, CHILD_STACK, 0, CHILD_DATA + 8 + 8 * i));
    }
    for (int i = 0; i <= CROWD; i++) {
        zx_handle_t thread, exception = catch_type(channel, UNDEFINED);
        EXPECT_OK(zx_exception_get_thread(exception, &thread));
        set_rip(thread, AFTER_CRASH);
        answer(exception, HANDLED);
        close_handle(thread);
    }
    for (int i = 0; i <= CROWD; i++)
        EXPECT(wait_for_word(&child.data[i], 1));
    for (int i = 0; i < CROWD; i++)
        close_handle(threads[i]);
    close_handle(channel);
    child_end(&child);
}

TEST(an_exception_keeps_its_thread_and_state_when_its_handle_is_replaced) {
    struct child child;
    zx_handle_t replaced = ZX_HANDLE_INVALID;
    uint32_t state = ZX_EXCEPTION_STATE_THREAD_EXIT;
    REQUIRE(child_make(&child, crash_code, crash_code_end));
    zx_handle_t channel = exception_channel(child.process, 0);
    REQUIRE(start_crashing(&child));
    zx_handle_t exception = catch_type(channel, UNDEFINED);
    EXPECT_OK(zx_object_set_property(exception, ZX_PROP_EXCEPTION_STATE, &state, sizeof state));
    EXPECT_OK(zx_handle_replace(exception, ZX_RIGHT_GET_PROPERTY, &replaced));
    EXPECT_EQ(ZX_THREAD_STATE_BLOCKED_EXCEPTION, thread_info(child.thread).state);
    state = 9;
    EXPECT_OK(zx_object_get_property(replaced, ZX_PROP_EXCEPTION_STATE, &state, sizeof state));
    EXPECT_EQ(ZX_EXCEPTION_STATE_THREAD_EXIT, state);
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED, zx_object_set_property(replaced, ZX_PROP_EXCEPTION_STATE,
                                                           &state, sizeof state));
    close_handle(replaced);
    EXPECT_EQ(0, child_wait(&child)); /* its only thread has exited */
    close_handle(channel);
    child_end(&child);
}
