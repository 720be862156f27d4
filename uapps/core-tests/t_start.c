/*
 * t_start.c - what a program finds when main begins, and what its children do.
 */
#include <jacinth/launch.h>
#include <jacinth/utest.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zircon/process.h>
#include <zircon/processargs.h>
#include <zircon/syscalls.h>

static int constructed;
__attribute__((constructor)) static void construct(void) { constructed++; }

static _Thread_local volatile int initialised = 41;
static _Thread_local volatile int zeroed;
static _Thread_local _Alignas(64) volatile char aligned[64];

TEST(constructors_have_run_once_before_main) { EXPECT_EQ(1, constructed); }

TEST(thread_local_variables_have_their_first_values) {
    EXPECT_EQ(41, initialised);
    EXPECT_EQ(0, zeroed);
    uintptr_t address = (uintptr_t)aligned;
    __asm__("" : "+r"(address)); /* or the compiler answers the question itself */
    EXPECT_EQ(0, address % 64);
    aligned[0] = 1;
}

TEST(the_program_knows_its_own_handles) {
    zx_info_handle_basic_t info;
    const struct {
        zx_handle_t handle;
        zx_obj_type_t type;
    } own[] = {
        {zx_process_self(), ZX_OBJ_TYPE_PROCESS},
        {zx_thread_self(), ZX_OBJ_TYPE_THREAD},
        {zx_vmar_root_self(), ZX_OBJ_TYPE_VMAR},
        {zx_job_default(), ZX_OBJ_TYPE_JOB},
    };
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        REQUIRE_OK(zx_object_get_info(own[i].handle, ZX_INFO_HANDLE_BASIC, &info, sizeof info,
                                      NULL, NULL));
        EXPECT_EQ(own[i].type, info.type);
    }
}

TEST(a_startup_handle_is_taken_once) {
    EXPECT_EQ(ZX_HANDLE_INVALID, zx_take_startup_handle(PA_HND(PA_USER2, 77)));
    zx_handle_t stack = zx_take_startup_handle(PA_HND(PA_VMO_STACK, 0));
    EXPECT(stack != ZX_HANDLE_INVALID);
    EXPECT_EQ(ZX_HANDLE_INVALID, zx_take_startup_handle(PA_HND(PA_VMO_STACK, 0)));
    EXPECT_OK(zx_handle_close(stack));
}

TEST(the_clock_of_the_vdso_and_of_the_kernel_agree) {
    for (int i = 0; i < 100; i++) {
        zx_time_t before = zx_clock_get_monotonic(), between = 0;
        EXPECT_OK(zx_clock_get(ZX_CLOCK_MONOTONIC, &between));
        zx_time_t after = zx_clock_get_monotonic();
        EXPECT(before <= between && between <= after);
    }
    EXPECT(zx_ticks_per_second() > 0);
    EXPECT(zx_system_get_num_cpus() >= 1);
    EXPECT(zx_system_get_physmem() > 16 << 20);
    EXPECT_EQ(ZX_PAGE_SIZE, zx_system_get_page_size());
}

TEST(random_bytes_of_any_length_are_drawn) {
    static unsigned char bytes[1000];
    int zeros = 0;
    zx_cprng_draw(bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++)
        zeros += bytes[i] == 0;
    EXPECT(zeros < 50);
    zx_cprng_draw(bytes, 0);
}

TEST(entropy_of_up_to_256_bytes_is_taken_from_anybody) {
    static const unsigned char bytes[257] = {1, 2, 3};
    EXPECT_EQ(256, ZX_CPRNG_ADD_ENTROPY_MAX_LEN);
    EXPECT_OK(zx_cprng_add_entropy(bytes, 256));
    EXPECT_OK(zx_cprng_add_entropy(NULL, 0));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_cprng_add_entropy(bytes, 257));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_cprng_add_entropy(NULL, 257));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_cprng_add_entropy(NULL, 1));
}

/* --- children --- */

/* Starts this program again with up to two arguments; its output comes back as text. */
static int64_t run_child(const char *role, const char *argument, const char *input, char *output,
                         size_t size) {
    const char *const argv[] = {"/boot/core-tests", role, argument, NULL};
    const char *const envp[] = {"PLACE=here", NULL};
    zx_handle_t ours[2], theirs[2], process;
    int64_t code = -1;
    for (int i = 0; i < 2; i++)
        EXPECT_OK(zx_socket_create(ZX_SOCKET_STREAM, &ours[i], &theirs[i]));
    size_t written = 0;
    if (input)
        EXPECT_OK(zx_socket_write(ours[0], 0, input, strlen(input), &written));
    EXPECT_OK(zx_handle_close(ours[0]));
    const struct jx_launch_handle handles[] = {{PA_HND(PA_FD, 0), theirs[0]},
                                               {PA_HND(PA_FD, 1), theirs[1]}};
    const struct jx_launch launch = {
        .argv = argv, .envp = envp, .handles = handles, .handle_count = 2};
    char error[128] = "";
    zx_status_t status = jx_launch(&launch, &process, error, sizeof error);
    if (status != ZX_OK)
        utest_fail(__FILE__, __LINE__, "%s", error);
    if (status == ZX_OK)
        EXPECT_OK(jx_wait(process, &code));
    size_t length = 0;
    if (zx_socket_read(ours[1], 0, output, size - 1, &length) != ZX_OK)
        length = 0;
    output[length] = '\0';
    EXPECT_OK(zx_handle_close(ours[1]));
    return code;
}

TEST(a_child_returns_its_code) {
    char output[8];
    EXPECT_EQ(0, run_child("--exit", "0", NULL, output, sizeof output));
    EXPECT_EQ(255, run_child("--exit", "255", NULL, output, sizeof output));
    EXPECT_EQ(-3, run_child("--exit", "-3", NULL, output, sizeof output));
    EXPECT_EQ(7, run_child("--atexit", NULL, NULL, output, sizeof output));
}

TEST(a_child_gets_its_arguments_and_environment) {
    char output[64];
    EXPECT_EQ(0, run_child("--args", "one two", NULL, output, sizeof output));
    EXPECT_STR("one two\nPLACE=here\n", output);
}

TEST(a_child_reads_its_input_to_the_end) {
    char output[64];
    EXPECT_EQ(0, run_child("--echo", NULL, "first\nlast", output, sizeof output));
    EXPECT_STR("first\nlast", output);
}

TEST(a_child_that_breaks_a_rule_is_ended_by_an_exception) {
    static const char *const rules[] = {"--crash", "--relro", "--smash", "--double-free"};
    char output[64];
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        if (run_child(rules[i], NULL, NULL, output, sizeof output) !=
            ZX_TASK_RETCODE_EXCEPTION_KILL)
            utest_fail(__FILE__, __LINE__, "%s was allowed", rules[i]);
    }
}

TEST(a_system_call_outside_the_vdso_ends_the_process) {
    char output[8];
    EXPECT_EQ(ZX_TASK_RETCODE_VDSO_KILL,
              run_child("--own-syscall", NULL, NULL, output, sizeof output));
}

TEST(a_program_that_is_not_there_is_not_found) {
    const char *const argv[] = {"no-such-program", NULL};
    zx_handle_t process;
    char error[128];
    const struct jx_launch launch = {.argv = argv};
    EXPECT_EQ(ZX_ERR_NOT_FOUND, jx_launch(&launch, &process, error, sizeof error));
    EXPECT_STR("no-such-program: the program: ZX_ERR_NOT_FOUND", error);
}
