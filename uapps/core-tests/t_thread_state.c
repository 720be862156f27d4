/*
 * t_thread_state.c - the register sets of a stopped thread: read, written, refused (P36).
 */
#include <jacinth/utest.h>
#include <string.h>

#include "core-tests/debuggee.h"

#define GENERAL ZX_THREAD_STATE_GENERAL_REGS

/* --- what is refused --- */

TEST(register_sets_are_checked_in_order) {
    static uint8_t buffer[4096] __attribute__((aligned(16)));
    static const struct {
        uint32_t kind;
        size_t size;
    } kinds[] = {{0, 160}, {1, 160}, {2, 2120}, {4, 48}, {5, 4}};
    struct child child;
    REQUIRE(child_make(&child, still_code, still_code_end));
    zx_handle_t thread = child.thread;
    EXPECT_EQ(ZX_ERR_BAD_HANDLE, zx_thread_read_state(0, 99, buffer, 0));
    EXPECT_EQ(ZX_ERR_WRONG_TYPE, zx_thread_read_state(child.process, 99, buffer, 0));
    for (uint32_t kind = 0; kind < 10; kind++) {
        if (kind == 3 || kind > 5) {
            EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_thread_read_state(thread, kind, buffer, 4096));
            EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_thread_write_state(thread, kind, buffer, 4096));
        }
    }
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        uint32_t kind = kinds[i].kind;
        EXPECT_EQ(ZX_ERR_BUFFER_TOO_SMALL,
                  zx_thread_read_state(thread, kind, buffer, kinds[i].size - 1));
        EXPECT_EQ(ZX_ERR_BUFFER_TOO_SMALL,
                  zx_thread_write_state(thread, kind, NULL, kinds[i].size - 1));
        EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_thread_write_state(thread, kind, NULL, kinds[i].size));
        /* It has not begun, and then it runs. */
        EXPECT_EQ(ZX_ERR_BAD_STATE, zx_thread_read_state(thread, kind, buffer, 4096));
        EXPECT_EQ(ZX_ERR_BAD_STATE, zx_thread_write_state(thread, kind, buffer, 4096));
    }
    EXPECT_OK(child_start(&child, 0));
    EXPECT_EQ(ZX_ERR_BAD_STATE, zx_thread_read_state(thread, GENERAL, buffer, 4096));
    EXPECT_EQ(ZX_ERR_BAD_STATE, zx_thread_read_state(zx_thread_self(), GENERAL, buffer, 4096));
    zx_handle_t token = stop(thread);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_thread_read_state(thread, kinds[i].kind, NULL, 4096));
        EXPECT_OK(zx_thread_read_state(thread, kinds[i].kind, buffer, 4096));
        EXPECT_OK(zx_thread_write_state(thread, kinds[i].kind, buffer, 4096));
    }
    close_handle(token);
    EXPECT_OK(zx_task_kill(child.process));
    EXPECT_EQ(ZX_TASK_RETCODE_SYSCALL_KILL, child_wait(&child));
    EXPECT_EQ(ZX_ERR_BAD_STATE, zx_thread_read_state(thread, GENERAL, buffer, 4096));
    child_end(&child);
}

TEST(P36_addresses_that_user_code_cannot_have_are_refused) {
    static const uint64_t bad[] = {0x7ffffffff000,     0x800000000000,     0xffff7fffffffffff,
                                   0xffff800000000000, 0xffffffff80000000, UINT64_MAX};
    struct child child;
    REQUIRE(child_make(&child, still_code, still_code_end));
    EXPECT_OK(child_start(&child, 0));
    zx_handle_t token = stop(child.thread);
    zx_thread_state_general_regs_t good = general_regs(child.thread), regs;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        regs = good;
        regs.rip = bad[i];
        regs.rax = 1;
        EXPECT_EQ(ZX_ERR_INVALID_ARGS,
                  zx_thread_write_state(child.thread, GENERAL, &regs, sizeof regs));
    }
    for (int i = 0; i < 2; i++) {
        regs = good;
        regs.rax = 1;
        *(i ? &regs.fs_base : &regs.gs_base) = 0x800000000000;
        EXPECT_EQ(ZX_ERR_INVALID_ARGS,
                  zx_thread_write_state(child.thread, GENERAL, &regs, sizeof regs));
    }
    /* Nothing was changed. */
    regs = general_regs(child.thread);
    EXPECT_EQ(0, memcmp(&good, &regs, sizeof regs));
    uint32_t step = 2;
    EXPECT_EQ(ZX_ERR_INVALID_ARGS,
              zx_thread_write_state(child.thread, ZX_THREAD_STATE_SINGLE_STEP, &step, 4));
    close_handle(token);
    child_end(&child);
}

CODE(push_code, "push %rax\n\tud2");

/* The worst that may be written; the child dies of it, and nobody else. */
TEST(P36_a_thread_with_wild_registers_ends_alone) {
    static const struct {
        uint64_t rip, rsp, fs_base;
    } wild[] = {{CHILD_CODE, 0x8000000000000000, 0},
                {CHILD_CODE, 0xffff800000001000, 0},
                {CHILD_CODE, 0xffffffff80100000, 0xffffffff80100000},
                {0x7fffffffeffe, CHILD_STACK, 0},
                {0, 0, 0},
                {CHILD_CODE, UINT64_MAX, 0xffff800000000000}};
    for (size_t i = 0; i < sizeof wild / sizeof wild[0]; i++) {
        struct child child;
        zx_handle_t token;
        REQUIRE(child_make(&child, push_code, push_code_end));
        EXPECT_OK(zx_task_suspend(child.thread, &token));
        EXPECT_OK(child_start(&child, 0));
        EXPECT_OK(zx_object_wait_one(child.thread, ZX_THREAD_SUSPENDED, SOON, NULL));
        zx_thread_state_general_regs_t regs = general_regs(child.thread);
        regs.rip = wild[i].rip;
        regs.rsp = wild[i].rsp;
        regs.fs_base = regs.gs_base = wild[i].fs_base;
        regs.rflags = UINT64_MAX;
        set_general_regs(child.thread, &regs);
        close_handle(token);
        EXPECT_EQ(ZX_TASK_RETCODE_EXCEPTION_KILL, child_wait(&child));
        child_end(&child);
    }
}

/* --- general registers --- */

CODE(known_code, "mov $1, %eax\n\tmov $2, %ebx\n\tmov $3, %ecx\n\tmov $4, %edx\n\t"
                 "mov $6, %ebp\n\tmov $8, %r8d\n\tmov $9, %r9d\n\tmov $10, %r10d\n\t"
                 "mov $11, %r11d\n\tmov $12, %r12d\n\tmov $13, %r13d\n\tmov $14, %r14d\n\t"
                 "mov $15, %r15d\n\t"
                 "incq (%rsi)\n"
                 "1:\tpause\n\tjmp 1b\n\t"
                 /* where the test sends it: every register goes into the page at rsp */
                 ".balign 128\n\t"
                 "mov %rax, (%rsp)\n\tmov %rbx, 8(%rsp)\n\tmov %rcx, 16(%rsp)\n\t"
                 "mov %rdx, 24(%rsp)\n\tmov %rsi, 32(%rsp)\n\tmov %rdi, 40(%rsp)\n\t"
                 "mov %rbp, 48(%rsp)\n\tmov %r8, 56(%rsp)\n\tmov %r9, 64(%rsp)\n\t"
                 "mov %r10, 72(%rsp)\n\tmov %r11, 80(%rsp)\n\tmov %r12, 88(%rsp)\n\t"
                 "mov %r13, 96(%rsp)\n\tmov %r14, 104(%rsp)\n\tmov %r15, 112(%rsp)\n\t"
                 "rdfsbase %rax\n\tmov %rax, 120(%rsp)\n\trdgsbase %rax\n\tmov %rax, 128(%rsp)\n\t"
                 "pushfq\n\tud2");

TEST(general_registers_are_read_and_written) {
    struct child child;
    REQUIRE(child_make(&child, known_code, known_code_end));
    EXPECT_OK(child_start(&child, CHILD_DATA));
    EXPECT(wait_for_word(&child.data[0], 1));
    zx_handle_t token = stop(child.thread);
    zx_thread_state_general_regs_t regs = general_regs(child.thread);
    const uint64_t seen[] = {regs.rax, regs.rbx, regs.rcx, regs.rdx, regs.rbp, regs.r8,
                             regs.r9,  regs.r10, regs.r11, regs.r12, regs.r13, regs.r14, regs.r15};
    const uint64_t want[] = {1, 2, 3, 4, 6, 8, 9, 10, 11, 12, 13, 14, 15};
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++)
        EXPECT_EQ(want[i], seen[i]);
    EXPECT_EQ(CHILD_DATA, regs.rsi);
    EXPECT_EQ(0, regs.rdi);
    EXPECT_EQ(CHILD_STACK, regs.rsp);
    EXPECT(regs.rip > CHILD_CODE && regs.rip < CHILD_CODE + 128);
    uint64_t *const all[] = {&regs.rax, &regs.rbx, &regs.rcx, &regs.rdx, &regs.rsi,
                             &regs.rdi, &regs.rbp, &regs.r8,  &regs.r9,  &regs.r10,
                             &regs.r11, &regs.r12, &regs.r13, &regs.r14, &regs.r15};
    for (size_t i = 0; i < 15; i++)
        *all[i] = 0x0101010101010101 * (i + 1);
    regs.rip = CHILD_CODE + 128;
    regs.rsp = CHILD_DATA + 64;
    regs.fs_base = 0x123456000;
    regs.gs_base = 0x654321000;
    regs.rflags = 0x244dd5 & ~0x100u; /* all but the trap flag */
    set_general_regs(child.thread, &regs);
    close_handle(token);
    EXPECT_EQ(ZX_TASK_RETCODE_EXCEPTION_KILL, child_wait(&child));
    for (size_t i = 0; i < 15; i++)
        EXPECT_EQ(0x0101010101010101 * (i + 1), child.data[8 + i]);
    EXPECT_EQ(0x123456000, child.data[8 + 15]);
    EXPECT_EQ(0x654321000, child.data[8 + 16]);
    /* Interrupts and bit 1 are as they were. */
    EXPECT_EQ((0x244dd5 & ~0x100u) | 0x202, child.data[7]);
    child_end(&child);
}

TEST(flags_that_are_not_user_code_s_keep_their_value) {
    struct child child;
    REQUIRE(child_make(&child, still_code, still_code_end));
    EXPECT_OK(child_start(&child, 0));
    zx_handle_t token = stop(child.thread);
    zx_thread_state_general_regs_t regs = general_regs(child.thread);
    regs.rflags = UINT64_MAX;
    set_general_regs(child.thread, &regs);
    EXPECT_EQ(0x244dd5 | 0x202, general_regs(child.thread).rflags);
    uint32_t step = 9;
    EXPECT_OK(zx_thread_read_state(child.thread, ZX_THREAD_STATE_SINGLE_STEP, &step, 4));
    EXPECT_EQ(1, step);
    regs.rflags = 0;
    set_general_regs(child.thread, &regs);
    EXPECT_EQ(0x202, general_regs(child.thread).rflags);
    close_handle(token);
    child_end(&child);
}

/* The registers of a blocked call are those at the call, and the thread can be led away. */
TEST(a_thread_in_a_call_shows_and_takes_its_registers) {
    struct child child;
    REQUIRE(script_make(&child));
    script_add(&child, 0, "zx_nanosleep", INT64_MAX, 0, 0, 0);
    script_add(&child, 1, "zx_handle_close", 0, 0, 0, 0);
    EXPECT_OK(child_start(&child, CHILD_DATA));
    EXPECT(wait_for_state(child.thread, ZX_THREAD_STATE_BLOCKED_SLEEPING));
    zx_handle_t token = stop(child.thread);
    zx_thread_state_general_regs_t regs = general_regs(child.thread);
    EXPECT_EQ(INT64_MAX, regs.rdi);
    EXPECT_EQ(CHILD_DATA, regs.rbx);
    EXPECT(regs.rip >= child.vdso && regs.rip < child.vdso + 16 * PAGE);
    /* Back to the script, as if the call had returned 42. */
    uint64_t back = 0;
    size_t actual;
    EXPECT_OK(zx_process_read_memory(child.process, regs.rsp, &back, 8, &actual));
    regs.rip = back;
    regs.rsp += 8;
    regs.rax = 42;
    set_general_regs(child.thread, &regs);
    close_handle(token);
    EXPECT_EQ(ZX_TASK_RETCODE_EXCEPTION_KILL, child_wait(&child));
    EXPECT_EQ(42, script_result(&child, 0));
    EXPECT_EQ(0, script_result(&child, 1));
    child_end(&child);
}

/* --- floating point and vectors --- */

CODE(fp_code, "fld1\n\tfldpi\n\tincq (%rsi)\n"
              "1:\tpause\n\tjmp 1b\n\t"
              ".balign 64\n\t"
              "fstpt 64(%rsi)\n\tfstpt 80(%rsi)\n\tfnstcw 96(%rsi)\n\tud2");

TEST(floating_point_registers_are_read_and_written) {
    struct child child;
    zx_thread_state_fp_regs_t fp, again;
    REQUIRE(child_make(&child, fp_code, fp_code_end));
    EXPECT_OK(child_start(&child, CHILD_DATA));
    EXPECT(wait_for_word(&child.data[0], 1));
    zx_handle_t token = stop(child.thread);
    EXPECT_OK(zx_thread_read_state(child.thread, ZX_THREAD_STATE_FP_REGS, &fp, sizeof fp));
    EXPECT_EQ(0x37f, fp.fcw);
    EXPECT_EQ(0xc0, fp.ftw);
    EXPECT_EQ(6, fp.fsw >> 11 & 7);
    EXPECT_EQ(0xc90fdaa22168c235, fp.st[0].low); /* pi */
    EXPECT_EQ(0x4000, fp.st[0].high);
    EXPECT_EQ(0x8000000000000000, fp.st[1].low); /* 1 */
    EXPECT_EQ(0x3fff, fp.st[1].high);
    EXPECT_EQ(0, fp.reserved);
    fp.st[0].low = 0xa000000000000000; /* 2.5 */
    fp.st[1].high |= 0x8000;           /* -1 */
    fp.fcw = 0x27f;
    fp.reserved = 0xff;
    EXPECT_OK(zx_thread_write_state(child.thread, ZX_THREAD_STATE_FP_REGS, &fp, sizeof fp));
    EXPECT_OK(zx_thread_read_state(child.thread, ZX_THREAD_STATE_FP_REGS, &again, sizeof again));
    fp.reserved = 0;
    EXPECT_EQ(0, memcmp(&fp, &again, sizeof fp));
    set_rip(child.thread, CHILD_CODE + 64);
    close_handle(token);
    EXPECT_EQ(ZX_TASK_RETCODE_EXCEPTION_KILL, child_wait(&child));
    EXPECT_EQ(0xa000000000000000, child.data[8]);
    EXPECT_EQ(0x4000, child.data[9] & 0xffff);
    EXPECT_EQ(0x8000000000000000, child.data[10]);
    EXPECT_EQ(0xbfff, child.data[11] & 0xffff);
    EXPECT_EQ(0x27f, child.data[12] & 0xffff);
    child_end(&child);
}

/* Fills xmm0 and xmm15, and with rdx set the upper halves too. */
CODE(vector_code, "movdqu 64(%rsi), %xmm0\n\tmovdqu 80(%rsi), %xmm15\n\t"
                  "cmpq $0, 8(%rsi)\n\tje 1f\n\t"
                  "vmovdqu 64(%rsi), %ymm0\n\tvmovdqu 96(%rsi), %ymm15\n"
                  "1:\tincq (%rsi)\n"
                  "2:\tpause\n\tjmp 2b\n\t"
                  ".balign 128\n\t"
                  "movdqu %xmm0, 128(%rsi)\n\tmovdqu %xmm15, 144(%rsi)\n\t"
                  "cmpq $0, 8(%rsi)\n\tje 3f\n\t"
                  "vmovdqu %ymm0, 128(%rsi)\n\tvmovdqu %ymm15, 160(%rsi)\n"
                  "3:\tstmxcsr 16(%rsi)\n\tud2");

static bool has_avx(void) {
    uint32_t a = 1, b, c = 0, d, low, high;
    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    if (!(c >> 27 & 1))
        return false;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (low & 4) != 0;
}

TEST(vector_registers_are_read_and_written) {
    static zx_thread_state_vector_regs_t v, again;
    struct child child;
    bool avx = has_avx();
    REQUIRE(child_make(&child, vector_code, vector_code_end));
    child.data[1] = avx;
    for (uint64_t i = 8; i < 16; i++)
        child.data[i] = i * 0x1111;
    EXPECT_OK(child_start(&child, CHILD_DATA));
    EXPECT(wait_for_word(&child.data[0], 1));
    zx_handle_t token = stop(child.thread);
    EXPECT_OK(zx_thread_read_state(child.thread, ZX_THREAD_STATE_VECTOR_REGS, &v, sizeof v));
    EXPECT_EQ(0x1f80, v.mxcsr);
    for (unsigned i = 0; i < 8; i++) {
        uint64_t shown = avx ? i < 4 : i < 2;
        EXPECT_EQ(shown ? (8 + i) * 0x1111 : 0, v.zmm[0].v[i]);
        shown = avx ? i < 4 : i < 2;
        EXPECT_EQ(shown ? ((avx ? 12 : 10) + i) * 0x1111 : 0, v.zmm[15].v[i]);
        EXPECT_EQ(0, v.zmm[16].v[i] | v.zmm[31].v[i] | v.opmask[i]);
    }
    for (unsigned i = 0; i < 4; i++) {
        v.zmm[0].v[i] = 100 + i;
        v.zmm[15].v[i] = 200 + i;
    }
    v.mxcsr = 0x1fa0;
    v.zmm[20].v[0] = v.opmask[1] = v.zmm[0].v[7] = 5; /* not there: ignored */
    EXPECT_OK(zx_thread_write_state(child.thread, ZX_THREAD_STATE_VECTOR_REGS, &v, sizeof v));
    v.mxcsr = 0xffff0000;
    v.zmm[0].v[0] = 7;
    EXPECT_EQ(ZX_ERR_INVALID_ARGS,
              zx_thread_write_state(child.thread, ZX_THREAD_STATE_VECTOR_REGS, &v, sizeof v));
    EXPECT_OK(
        zx_thread_read_state(child.thread, ZX_THREAD_STATE_VECTOR_REGS, &again, sizeof again));
    EXPECT_EQ(100, again.zmm[0].v[0]);
    EXPECT_EQ(0x1fa0, again.mxcsr);
    EXPECT_EQ(0, again.zmm[20].v[0] | again.opmask[1] | again.zmm[0].v[7]);
    set_rip(child.thread, CHILD_CODE + 128);
    close_handle(token);
    EXPECT_EQ(ZX_TASK_RETCODE_EXCEPTION_KILL, child_wait(&child));
    for (unsigned i = 0; i < (avx ? 4 : 2); i++) {
        EXPECT_EQ(100 + i, child.data[16 + i]);
        EXPECT_EQ(200 + i, child.data[(avx ? 20 : 18) + i]);
    }
    EXPECT_EQ(0x1fa0, child.data[2] & 0xffffffff);
    child_end(&child);
}

TEST(a_thread_that_never_used_them_has_initial_registers) {
    static zx_thread_state_vector_regs_t v;
    zx_thread_state_fp_regs_t fp;
    zx_thread_state_debug_regs_t debug;
    struct child child;
    zx_handle_t token;
    REQUIRE(child_make(&child, still_code, still_code_end));
    EXPECT_OK(zx_task_suspend(child.thread, &token));
    EXPECT_OK(child_start(&child, 0));
    EXPECT_OK(zx_object_wait_one(child.thread, ZX_THREAD_SUSPENDED, SOON, NULL));
    EXPECT_OK(zx_thread_read_state(child.thread, ZX_THREAD_STATE_VECTOR_REGS, &v, sizeof v));
    EXPECT_OK(zx_thread_read_state(child.thread, ZX_THREAD_STATE_FP_REGS, &fp, sizeof fp));
    EXPECT_OK(zx_thread_read_state(child.thread, ZX_THREAD_STATE_DEBUG_REGS, &debug, sizeof debug));
    uint64_t any = 0;
    for (unsigned i = 0; i < 32 * 8; i++)
        any |= v.zmm[i / 8].v[i % 8];
    for (unsigned i = 0; i < 8; i++)
        any |= fp.st[i].low | fp.st[i].high;
    EXPECT_EQ(0, any);
    EXPECT_EQ(0x1f80, v.mxcsr);
    EXPECT_EQ(0x37f, fp.fcw);
    EXPECT_EQ(0, fp.ftw);
    EXPECT_EQ(0, debug.dr[0] | debug.dr[1] | debug.dr[2] | debug.dr[3]);
    EXPECT_EQ(0xffff0ff0, debug.dr6);
    EXPECT_EQ(0x400, debug.dr7);
    close_handle(token);
    child_end(&child);
}
