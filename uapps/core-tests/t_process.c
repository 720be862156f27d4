/*
 * t_process.c - the life of a process, as its creator sees it; its memory from outside.
 */
#include <jacinth/utest.h>
#include <string.h>

#include "core-tests/support.h"

/* A process that never gets code. */
struct empty {
    zx_handle_t process, vmar, thread;
};

static struct empty make_empty(void) {
    struct empty empty = {0};
    EXPECT_OK(zx_process_create(zx_job_default(), "empty", 5, 0, &empty.process, &empty.vmar));
    EXPECT_OK(zx_thread_create(empty.process, "t", 1, 0, &empty.thread));
    return empty;
}

static void drop_empty(struct empty empty) {
    close_handle(empty.thread);
    close_handle(empty.vmar);
    close_handle(empty.process);
}

static zx_info_process_t info_of(zx_handle_t process) {
    zx_info_process_t info = {0};
    EXPECT_OK(zx_object_get_info(process, ZX_INFO_PROCESS, &info, sizeof info, NULL, NULL));
    return info;
}

static bool is_terminated(zx_handle_t task) {
    zx_signals_t seen = 0;
    (void)zx_object_wait_one(task, 0, 0, &seen);
    return seen & ZX_TASK_TERMINATED;
}

TEST(process_create_checks_options_name_and_job) {
    zx_handle_t process = 3, vmar = 4, weak = copy_without(zx_job_default(),
                                                           ZX_RIGHT_MANAGE_PROCESS);
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_process_create(0, "a", 1, 1, &process, &vmar));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_process_create(0, NULL, 1, 0, &process, &vmar));
    EXPECT_EQ(ZX_ERR_BAD_HANDLE, zx_process_create(0, "a", 1, 0, &process, &vmar));
    EXPECT_EQ(ZX_ERR_WRONG_TYPE,
              zx_process_create(zx_process_self(), "a", 1, 0, &process, &vmar));
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED, zx_process_create(weak, "a", 1, 0, &process, &vmar));
    EXPECT_EQ(3, process);
    EXPECT_EQ(4, vmar);
    close_handle(weak);
}

TEST(process_create_gives_two_handles_with_the_documented_rights) {
    static const char longer[] = "a name of more than thirty-one characters";
    char name[ZX_MAX_NAME_LEN];
    zx_handle_t process, vmar;
    REQUIRE_OK(zx_process_create(zx_job_default(), longer, strlen(longer), 0, &process, &vmar));
    EXPECT_EQ(0x6d3cf, rights_of(process));
    EXPECT_EQ(ZX_DEFAULT_VMAR_RIGHTS | ZX_RIGHTS_IO | ZX_RIGHT_EXECUTE, rights_of(vmar));
    EXPECT_OK(zx_object_get_property(process, ZX_PROP_NAME, name, sizeof name));
    EXPECT_STR("a name of more than thirty-one ", name);
    zx_info_process_t info = info_of(process);
    EXPECT(!info.started);
    EXPECT(!info.exited);
    uintptr_t vdso = 1;
    EXPECT_OK(zx_object_get_property(process, ZX_PROP_PROCESS_VDSO_BASE_ADDRESS, &vdso,
                                     sizeof vdso));
    EXPECT_EQ(0, vdso);
    close_handle(process);
    close_handle(vmar);
}

TEST(p13_a_new_process_has_an_empty_address_space) {
    zx_handle_t process, vmar;
    zx_info_maps_t maps[4];
    size_t actual = 0, avail = 0;
    REQUIRE_OK(zx_process_create(zx_job_default(), "new", 3, 0, &process, &vmar));
    EXPECT_OK(zx_object_get_info(process, ZX_INFO_PROCESS_MAPS, maps, sizeof maps, &actual,
                                 &avail));
    EXPECT_EQ(2, avail);
    EXPECT_EQ(ZX_INFO_MAPS_TYPE_ASPACE, maps[0].type);
    EXPECT_EQ(ZX_INFO_MAPS_TYPE_VMAR, maps[1].type);
    close_handle(process);
    close_handle(vmar);
}

TEST(process_that_was_never_started_ends_with_its_last_handle) {
    struct empty empty = make_empty();
    zx_handle_t event;
    REQUIRE_OK(zx_event_create(0, &event));
    zx_handle_t blind = copy_with(empty.process, ZX_RIGHT_INSPECT);
    close_handle(empty.process);
    EXPECT(!info_of(blind).exited);
    zx_vaddr_t address;
    zx_handle_t child;
    EXPECT_OK(zx_vmar_allocate(empty.vmar, 0, 0, PAGE, &child, &address));
    close_handle(blind);
    EXPECT_EQ(ZX_ERR_BAD_STATE, zx_vmar_destroy(child));
    close_handle(child);
    close_handle(empty.thread);
    close_handle(empty.vmar);
    close_handle(event);
}

TEST(process_start_consumes_its_argument_on_every_result) {
    struct empty empty = make_empty(), other = make_empty();
    zx_handle_t event;
    unsigned before = own_handles();
    static const struct {
        bool wrong_process, wrong_thread, weak;
        zx_status_t status;
    } rows[] = {
        {true, false, false, ZX_ERR_WRONG_TYPE},
        {false, true, false, ZX_ERR_WRONG_TYPE},
        {false, false, true, ZX_ERR_ACCESS_DENIED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        REQUIRE_OK(zx_event_create(0, &event));
        if (rows[i].weak)
            REQUIRE_OK(zx_handle_replace(event, ZX_DEFAULT_EVENT_RIGHTS & ~ZX_RIGHT_TRANSFER,
                                         &event));
        zx_status_t got =
            zx_process_start(rows[i].wrong_process ? empty.thread : empty.process,
                             rows[i].wrong_thread ? empty.process : empty.thread, 0x1000, 0,
                             event, 0);
        EXPECT_EQ(rows[i].status, got);
        EXPECT_EQ(ZX_ERR_BAD_HANDLE, zx_handle_close(event));
    }
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED,
              zx_process_start(empty.process, other.thread, 0x1000, 0, 0, 0));
    EXPECT_EQ(ZX_ERR_BAD_HANDLE,
              zx_process_start(empty.process, empty.thread, 0x1000, 0, 0x3ffffff3, 0));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_process_start(empty.process, empty.thread,
                                                    0xffff800000000000, 0, 0, 0));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_process_start(empty.process, empty.thread,
                                                    0x0000800000000000, 0, 0, 0));
    EXPECT_EQ(before, own_handles());
    EXPECT(!info_of(empty.process).started);
    drop_empty(empty);
    drop_empty(other);
}

TEST(process_with_entry_0_starts_and_dies_of_a_page_fault) {
    struct empty empty = make_empty();
    REQUIRE_OK(zx_process_start(empty.process, empty.thread, 0, 0, 0, 0));
    EXPECT_OK(zx_object_wait_one(empty.process, ZX_PROCESS_TERMINATED,
                                 zx_deadline_after(ZX_SEC(5)), NULL));
    zx_info_process_t info = info_of(empty.process);
    EXPECT(info.started);
    EXPECT(info.exited);
    EXPECT_EQ(ZX_TASK_RETCODE_EXCEPTION_KILL, info.return_code);
    EXPECT(is_terminated(empty.thread));
    drop_empty(empty);
}

CODE(entry_registers, "mov %rax, 8(%rsi)\n\tmov %rbx, 16(%rsi)\n\tmov %rcx, 24(%rsi)\n\t"
                      "mov %rdx, 32(%rsi)\n\tmov %rdi, 40(%rsi)\n\tmov %rbp, 48(%rsi)\n\t"
                      "mov %rsp, 56(%rsi)\n\tmov %r8, 64(%rsi)\n\tmov %r9, 72(%rsi)\n\t"
                      "mov %r10, 80(%rsi)\n\tmov %r11, 88(%rsi)\n\tmov %r12, 96(%rsi)\n\t"
                      "mov %r13, 104(%rsi)\n\tmov %r14, 112(%rsi)\n\tmov %r15, 120(%rsi)\n\t"
                      "pushf\n\tpop %rax\n\tmov %rax, 128(%rsi)\n\t"
                      "rdfsbase %rax\n\tmov %rax, 136(%rsi)\n\t"
                      "rdgsbase %rax\n\tmov %rax, 144(%rsi)\n\t"
                      "movups %xmm5, 160(%rsi)\n\tstmxcsr 176(%rsi)\n\tfnstcw 184(%rsi)\n\t"
                      "movq $1, (%rsi)\n\tud2");

TEST(process_starts_with_clean_registers) {
    struct child child;
    if (child_make(&child, entry_registers, entry_registers_end)) {
        EXPECT_OK(child_start(&child, CHILD_DATA));
        EXPECT_EQ(ZX_TASK_RETCODE_EXCEPTION_KILL, child_wait(&child));
        EXPECT_EQ(1, child.data[0]);
        for (unsigned i = 1; i <= 15; i++) {
            if (i == 7)
                EXPECT_EQ(CHILD_STACK, child.data[i]);
            else if (child.data[i] != 0)
                utest_fail(__FILE__, __LINE__, "register %u is %#lx", i, child.data[i]);
        }
        EXPECT_EQ(0x202, child.data[16]);
        EXPECT_EQ(0, child.data[17]);
        EXPECT_EQ(0, child.data[18]);
        EXPECT_EQ(0, child.data[20]);
        EXPECT_EQ(0, child.data[21]);
        EXPECT_EQ(0x1f80, (uint32_t)child.data[22]);
        EXPECT_EQ(0x37f, (uint16_t)child.data[23]);
    }
    child_end(&child);
}

TEST(process_exit_gives_any_64_bit_code) {
    static const int64_t codes[] = {0, 1, -2, 255, INT64_MAX, INT64_MIN + 1, -1024};
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        struct child child;
        if (script_make(&child)) {
            script_add(&child, 0, "zx_process_exit", (uint64_t)codes[i], 0, 0, 0);
            EXPECT_OK(child_start(&child, CHILD_DATA));
            EXPECT_EQ(codes[i], child_wait(&child));
        }
        child_end(&child);
    }
}

TEST(process_ends_with_0_when_its_last_thread_exits) {
    struct child child;
    if (script_make(&child)) {
        script_add(&child, 0, "zx_thread_exit", 0, 0, 0, 0);
        EXPECT_OK(child_start(&child, CHILD_DATA));
        EXPECT_EQ(0, child_wait(&child));
    }
    child_end(&child);
}

TEST(process_gets_the_handle_and_it_dies_with_it) {
    zx_handle_t ours, theirs;
    struct child child;
    REQUIRE_OK(zx_channel_create(0, &ours, &theirs));
    zx_koid_t koid = koid_of(theirs);
    if (script_make(&child)) {
        script_add(&child, 0, "zx_object_get_info", CHILD_HANDLE, ZX_INFO_HANDLE_BASIC,
                   CHILD_DATA + 3200, sizeof(zx_info_handle_basic_t));
        script_add(&child, 1, "zx_nanosleep", INT64_MAX, 0, 0, 0);
        EXPECT_OK(zx_process_start(child.process, child.thread, CHILD_CODE, CHILD_STACK, theirs,
                                   CHILD_DATA));
        EXPECT_EQ(ZX_ERR_BAD_HANDLE, zx_handle_close(theirs));
        EXPECT_EQ(ZX_ERR_TIMED_OUT, zx_object_wait_one(ours, ZX_CHANNEL_PEER_CLOSED,
                                                       zx_deadline_after(ZX_MSEC(20)), NULL));
        EXPECT_EQ(0, script_result(&child, 0));
        EXPECT_EQ(koid, child.data[400]);
        EXPECT_OK(zx_task_kill(child.process));
        EXPECT_EQ(ZX_TASK_RETCODE_SYSCALL_KILL, child_wait(&child));
        zx_signals_t seen = 0;
        (void)zx_object_wait_one(ours, 0, 0, &seen);
        EXPECT(seen & ZX_CHANNEL_PEER_CLOSED);
    }
    child_end(&child);
    close_handle(ours);
}

TEST(process_runs_once) {
    struct child child;
    if (script_make(&child)) {
        zx_handle_t event, second;
        script_add(&child, 0, "zx_nanosleep", INT64_MAX, 0, 0, 0);
        EXPECT_OK(child_start(&child, CHILD_DATA));
        REQUIRE_OK(zx_event_create(0, &event));
        EXPECT_EQ(ZX_ERR_BAD_STATE, zx_process_start(child.process, child.thread, CHILD_CODE,
                                                     CHILD_STACK, event, 0));
        EXPECT_EQ(ZX_ERR_BAD_HANDLE, zx_handle_close(event));
        EXPECT_OK(zx_thread_create(child.process, "2", 1, 0, &second));
        EXPECT_EQ(ZX_ERR_BAD_STATE, zx_process_start(child.process, second, CHILD_CODE,
                                                     CHILD_STACK, 0, 0));
        close_handle(second);
    }
    child_end(&child);
}

TEST(process_that_is_dead_refuses_what_it_cannot_do) {
    struct child child;
    zx_handle_t handle;
    zx_vaddr_t address;
    zx_info_task_stats_t stats;
    uint8_t byte;
    if (script_make(&child)) {
        script_add(&child, 0, "zx_process_exit", 5, 0, 0, 0);
        EXPECT_OK(child_start(&child, CHILD_DATA));
        EXPECT_EQ(5, child_wait(&child));
        EXPECT_OK(zx_task_kill(child.process));
        EXPECT_EQ(5, info_of(child.process).return_code);
        EXPECT_EQ(ZX_ERR_BAD_STATE, zx_thread_create(child.process, "x", 1, 0, &handle));
        EXPECT_EQ(ZX_ERR_BAD_STATE, child_start(&child, 0));
        EXPECT_EQ(ZX_ERR_BAD_STATE, zx_vmar_allocate(child.vmar, 0, 0, PAGE, &handle, &address));
        EXPECT_EQ(ZX_ERR_BAD_STATE,
                  zx_process_read_memory(child.process, CHILD_DATA, &byte, 1, NULL));
        EXPECT_EQ(ZX_ERR_BAD_STATE, zx_object_get_info(child.process, ZX_INFO_TASK_STATS, &stats,
                                                       sizeof stats, NULL, NULL));
        EXPECT_EQ(ZX_ERR_BAD_STATE,
                  zx_object_get_info(child.process, ZX_INFO_PROCESS_MAPS, NULL, 0, NULL, NULL));
    }
    child_end(&child);
}

TEST(task_kill_wants_a_task_with_destroy) {
    struct empty empty = make_empty();
    zx_handle_t event, weak = copy_without(empty.process, ZX_RIGHT_DESTROY);
    REQUIRE_OK(zx_event_create(0, &event));
    EXPECT_EQ(ZX_ERR_BAD_HANDLE, zx_task_kill(0));
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED, zx_task_kill(event));
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED, zx_task_kill(weak));
    EXPECT_EQ(ZX_ERR_WRONG_TYPE, zx_task_kill(empty.thread));
    EXPECT_OK(zx_task_kill(empty.process));
    EXPECT_EQ(ZX_TASK_RETCODE_SYSCALL_KILL, info_of(empty.process).return_code);
    EXPECT(is_terminated(empty.process));
    close_handle(weak);
    close_handle(event);
    drop_empty(empty);
}

/* --- memory from outside --- */

CODE(idle_code, "1:\tpause\n\tjmp 1b");

TEST(process_memory_is_read_and_written_through_its_mappings) {
    struct child child;
    uint64_t words[2] = {0, 0};
    size_t actual = 0;
    if (child_make(&child, idle_code, idle_code_end)) {
        child.data[3] = 0x1234;
        EXPECT_OK(zx_process_read_memory(child.process, CHILD_DATA + 24, words, 8, &actual));
        EXPECT_EQ(8, actual);
        EXPECT_EQ(0x1234, words[0]);
        words[0] = 0x5678;
        EXPECT_OK(zx_process_write_memory(child.process, CHILD_DATA + 32, words, 8, &actual));
        EXPECT_EQ(0x5678, child.data[4]);
        /* Permissions do not count: code is written too. */
        EXPECT_OK(zx_process_write_memory(child.process, CHILD_CODE, words, 8, &actual));
        EXPECT_OK(zx_process_read_memory(child.process, CHILD_CODE, words + 1, 8, &actual));
        EXPECT_EQ(0x5678, words[1]);
        /* Clipped to the mapping. */
        EXPECT_OK(zx_process_read_memory(child.process, CHILD_DATA + PAGE - 8, words, 16,
                                         &actual));
        EXPECT_EQ(8, actual);
    }
    child_end(&child);
}

TEST(process_memory_calls_check_in_order) {
    struct child child;
    uint8_t byte = 0;
    size_t actual;
    if (child_make(&child, idle_code, idle_code_end)) {
        zx_handle_t p = child.process;
        EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_process_read_memory(0, CHILD_DATA, NULL, 1, &actual));
        EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_process_read_memory(p, CHILD_DATA, &byte, 0, &actual));
        EXPECT_EQ(ZX_ERR_INVALID_ARGS,
                  zx_process_read_memory(p, CHILD_DATA, &byte, (64u << 20) + 1, &actual));
        EXPECT_EQ(ZX_ERR_INVALID_ARGS,
                  zx_process_write_memory(0, CHILD_DATA, NULL, 1, &actual));
        EXPECT_EQ(ZX_ERR_BAD_HANDLE, zx_process_read_memory(0, CHILD_DATA, &byte, 1, &actual));
        EXPECT_EQ(ZX_ERR_NO_MEMORY, zx_process_read_memory(p, 0x300000, &byte, 1, &actual));
        EXPECT_EQ(ZX_ERR_NO_MEMORY, zx_process_read_memory(p, UINT64_MAX, &byte, 1, &actual));
        EXPECT_EQ(ZX_ERR_NO_MEMORY, zx_process_write_memory(p, 0, &byte, 1, &actual));
        EXPECT_EQ(ZX_ERR_INVALID_ARGS,
                  zx_process_read_memory(p, CHILD_DATA, (void *)0x10, 1, &actual));
        EXPECT_EQ(ZX_ERR_INVALID_ARGS,
                  zx_process_write_memory(p, CHILD_DATA, (void *)0x10, 1, &actual));
        zx_handle_t weak = copy_without(p, ZX_RIGHT_WRITE);
        EXPECT_EQ(ZX_ERR_ACCESS_DENIED,
                  zx_process_read_memory(weak, CHILD_DATA, &byte, 1, &actual));
        EXPECT_EQ(ZX_ERR_ACCESS_DENIED,
                  zx_process_write_memory(weak, CHILD_DATA, &byte, 1, &actual));
        close_handle(weak);
    }
    child_end(&child);
}

TEST(process_memory_of_the_vdso_is_not_written) {
    struct child child;
    uint8_t byte = 0x90;
    size_t actual;
    if (script_make(&child)) {
        EXPECT_OK(zx_process_read_memory(child.process, child.vdso, &byte, 1, &actual));
        EXPECT_EQ(0x7f, byte);
        for (size_t page = 0; page < 3; page++)
            EXPECT_EQ(ZX_ERR_ACCESS_DENIED,
                      zx_process_write_memory(child.process, child.vdso + page * PAGE, &byte, 1,
                                              &actual));
    }
    child_end(&child);
}

TEST(p16_mapping_in_another_process_does_not_show_in_this_one) {
    struct child child;
    uint8_t byte = 0;
    if (child_make(&child, idle_code, idle_code_end)) {
        zx_handle_t probe = make_vmo(1);
        EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_vmo_write(probe, (void *)CHILD_DATA, 0, 1));
        child.data[0] = 99;
        EXPECT_OK(zx_process_read_memory(child.process, CHILD_DATA, &byte, 1, NULL));
        EXPECT_EQ(99, byte);
        close_handle(probe);
    }
    child_end(&child);
}

/* --- P53: two processes, one object --- */

CODE(p53_code, /* waits for word 0, adds word 1 of the shared page into word 2, tells */
     "mov $1, %rdx\n"
     "1:\tpause\n\tmov (%rsi), %rax\n\tcmp %rdx, %rax\n\tjb 1b\n\t"
     "cmp $0xffff, %rax\n\tje 2f\n\t"
     "mov 0x10000(%rsi), %rcx\n\tmov %rcx, 16(%rsi)\n\tmov %rdx, 8(%rsi)\n\t"
     "inc %rdx\n\tjmp 1b\n"
     "2:\tud2");

/* Has the child read the shared page's word once more, and returns what it saw. */
static uint64_t child_sees(struct child *child, uint64_t round) {
    zx_time_t limit = zx_deadline_after(ZX_SEC(5));
    child->data[0] = round;
    while (child->data[1] != round) {
        if (zx_clock_get_monotonic() > limit)
            return UINT64_MAX;
        (void)zx_nanosleep(0);
    }
    return child->data[2];
}

TEST(p53_two_processes_see_each_others_writes_to_one_object) {
    struct child child;
    zx_handle_t shared = make_resizable_vmo(1);
    zx_info_vmar_t root;
    zx_vaddr_t address;
    if (child_make(&child, p53_code, p53_code_end)) {
        EXPECT_OK(
            zx_object_get_info(child.vmar, ZX_INFO_VMAR, &root, sizeof root, NULL, NULL));
        EXPECT_OK(zx_vmar_map(child.vmar, READ_WRITE | ZX_VM_SPECIFIC,
                              CHILD_DATA + 0x10000 - root.base, shared, 0, PAGE, &address));
        volatile uint64_t *view = (volatile uint64_t *)map_vmo(shared, READ_WRITE, 1);
        EXPECT_OK(child_start(&child, CHILD_DATA));
        EXPECT_EQ(0, child_sees(&child, 1)); /* the zero page */
        view[0] = 11;
        EXPECT_EQ(11, child_sees(&child, 2)); /* a page, by this view */
        uint64_t word = 12;
        EXPECT_OK(zx_vmo_write(shared, &word, 0, 8));
        EXPECT_EQ(12, child_sees(&child, 3)); /* by offset */
        zx_handle_t clone = make_snapshot(shared, 1);
        EXPECT_EQ(12, child_sees(&child, 4));
        view[0] = 13;
        EXPECT_EQ(13, child_sees(&child, 5)); /* away from the clone */
        close_handle(clone);
        EXPECT_OK(zx_vmo_set_size(shared, 0));
        EXPECT_OK(zx_vmo_set_size(shared, PAGE));
        EXPECT_EQ(0, child_sees(&child, 6)); /* the zero page again */
        EXPECT_OK(zx_vmo_write(shared, &word, 0, 8));
        EXPECT_EQ(12, child_sees(&child, 7));
        EXPECT_EQ(12, view[0]);
        child.data[0] = 0xffff;
        EXPECT_EQ(ZX_TASK_RETCODE_EXCEPTION_KILL, child_wait(&child));
        unmap(view, 1);
    }
    child_end(&child);
    close_handle(shared);
}

/* --- words for debuggers --- */

TEST(debug_addr_is_set_once) {
    const uint32_t property = ZX_PROP_PROCESS_DEBUG_ADDR;
    zx_handle_t process, vmar;
    uintptr_t value = 7;
    REQUIRE_OK(zx_process_create(zx_job_default(), "p", 1, 0, &process, &vmar));
    EXPECT_OK(zx_object_get_property(process, property, &value, sizeof value));
    EXPECT_EQ(0, value);
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_object_set_property(process, property, &value, sizeof value));
    EXPECT_EQ(ZX_ERR_BUFFER_TOO_SMALL, zx_object_set_property(process, property, &value, 7));
    EXPECT_EQ(ZX_ERR_BUFFER_TOO_SMALL, zx_object_get_property(process, property, &value, 7));
    EXPECT_EQ(ZX_ERR_WRONG_TYPE,
              zx_object_set_property(zx_job_default(), property, &value, sizeof value));
    value = ZX_PROCESS_DEBUG_ADDR_BREAK_ON_SET;
    EXPECT_OK(zx_object_set_property(process, property, &value, sizeof value));
    value = 0x12345678;
    EXPECT_OK(zx_object_set_property(process, property, &value, sizeof value));
    value = 5;
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED,
              zx_object_set_property(process, property, &value, sizeof value));
    EXPECT_OK(zx_object_get_property(process, property, &value, sizeof value));
    EXPECT_EQ(0x12345678, value);
    close_handle(process);
    close_handle(vmar);
}

TEST(break_on_load_keeps_what_it_is_given) {
    const uint32_t property = ZX_PROP_PROCESS_BREAK_ON_LOAD;
    zx_handle_t process, vmar;
    uintptr_t value = 7;
    REQUIRE_OK(zx_process_create(zx_job_default(), "p", 1, 0, &process, &vmar));
    EXPECT_OK(zx_object_get_property(process, property, &value, sizeof value));
    EXPECT_EQ(0, value);
    for (uintptr_t i = 3; i < 6; i++) {
        EXPECT_OK(zx_object_set_property(process, property, &i, sizeof i));
        EXPECT_OK(zx_object_get_property(process, property, &value, sizeof value));
        EXPECT_EQ(i, value);
    }
    EXPECT_EQ(ZX_ERR_WRONG_TYPE,
              zx_object_get_property(zx_thread_self(), property, &value, sizeof value));
    close_handle(process);
    close_handle(vmar);
}
