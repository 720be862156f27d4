/*
 * t_forbidden.c - what a debugger hears of instructions that user code may not use (P30): for
 * each the type and the vector, and the thread goes on behind it if the debugger likes.
 *
 * That none of them harms the kernel, and that each ends its process when nobody listens, is
 * uapps/deaths.
 */
#include <jacinth/utest.h>

#include "core-tests/support.h"

#define GENERAL    ZX_EXCP_GENERAL, 13
#define NOT_VALID  ZX_EXCP_UNDEFINED_INSTRUCTION, 6

#define EACH_FORBIDDEN(ROW)                                                                        \
    ROW(hlt, GENERAL, "hlt")                                                                       \
    ROW(cli, GENERAL, "cli")                                                                       \
    ROW(sti, GENERAL, "sti")                                                                       \
    ROW(in_byte, GENERAL, "inb $0x60, %al")                                                        \
    ROW(in_long, GENERAL, "inl %dx, %eax")                                                         \
    ROW(out_byte, GENERAL, "outb %al, $0xf4")                                                      \
    ROW(out_word, GENERAL, "outw %ax, %dx")                                                        \
    ROW(rdmsr, GENERAL, "rdmsr")                                                                   \
    ROW(wrmsr, GENERAL, "wrmsr")                                                                   \
    ROW(lgdt, GENERAL, "lgdt (%rsi)")                                                              \
    ROW(lidt, GENERAL, "lidt (%rsi)")                                                              \
    ROW(lldt, GENERAL, "lldt %ax")                                                                 \
    ROW(ltr, GENERAL, "ltr %ax")                                                                   \
    ROW(clts, GENERAL, "clts")                                                                     \
    ROW(lmsw, GENERAL, "lmsw %ax")                                                                 \
    ROW(read_cr0, GENERAL, "mov %cr0, %rax")                                                       \
    ROW(write_cr3, GENERAL, "mov %rax, %cr3")                                                      \
    ROW(write_cr4, GENERAL, "mov %rax, %cr4")                                                      \
    ROW(read_dr7, GENERAL, "mov %dr7, %rax")                                                       \
    ROW(invlpg, GENERAL, "invlpg (%rsi)")                                                          \
    ROW(invd, GENERAL, "invd")                                                                     \
    ROW(wbinvd, GENERAL, "wbinvd")                                                                 \
    ROW(swapgs, GENERAL, "swapgs")                                                                 \
    ROW(sysret, GENERAL, "sysretq")                                                                \
    ROW(ud2, NOT_VALID, "ud2")                                                                     \
    ROW(stac, NOT_VALID, "stac")                                                                   \
    ROW(clac, NOT_VALID, "clac")

/* Behind the instruction the thread tells that it is there, and waits for its end. */
#define DEFINE(name, what, text)                                                                   \
    CODE(try_##name, text);                                                                        \
    CODE(all_##name, "xor %eax, %eax\n\txor %edx, %edx\n\tmov $0xc0000080, %ecx\n\t" text          \
                     "\n\tmovq $1, (%rsi)\n1:\tpause\n\tjmp 1b");
EACH_FORBIDDEN(DEFINE)

struct forbidden {
    const char *name, *code, *code_end;
    zx_excp_type_t type;
    uint64_t vector;
};
#define ENTRY(name, what, text) ENTRY_(name, what)
#define ENTRY_(name, type, vector)                                                                 \
    {#name, all_##name, all_##name##_end, type, vector},
static const struct forbidden rows[] = {EACH_FORBIDDEN(ENTRY)};
#define LENGTH(name, what, text) (size_t)(try_##name##_end - try_##name),

static zx_handle_t hear(const struct forbidden *row, zx_handle_t channel, struct child *child) {
    zx_exception_info_t info = {0};
    zx_exception_report_t report = {0};
    zx_handle_t exception = ZX_HANDLE_INVALID;
    EXPECT_OK(zx_object_wait_one(channel, ZX_CHANNEL_READABLE, zx_deadline_after(ZX_SEC(10)),
                                 NULL));
    EXPECT_OK(zx_channel_read(channel, 0, &info, &exception, sizeof info, 1, NULL, NULL));
    EXPECT_OK(zx_object_get_info(child->thread, ZX_INFO_THREAD_EXCEPTION_REPORT, &report,
                                 sizeof report, NULL, NULL));
    if (info.type != row->type || report.header.type != row->type ||
        report.context.arch.u.x86_64.vector != row->vector)
        utest_fail(__FILE__, __LINE__, "%s: type %#x and %#x, vector %lu", row->name, info.type,
                   report.header.type, report.context.arch.u.x86_64.vector);
    EXPECT_EQ(0, child->data[0]);
    return exception;
}

/* The instruction is skipped, as if it had been done for the thread. */
static void go_on_behind(const struct forbidden *row, size_t length, struct child *child,
                         zx_handle_t exception) {
    uint32_t state = ZX_EXCEPTION_STATE_HANDLED;
    zx_thread_state_general_regs_t regs = {0};
    EXPECT_OK(zx_thread_read_state(child->thread, ZX_THREAD_STATE_GENERAL_REGS, &regs,
                                   sizeof regs));
    regs.rip += length;
    EXPECT_OK(zx_thread_write_state(child->thread, ZX_THREAD_STATE_GENERAL_REGS, &regs,
                                    sizeof regs));
    EXPECT_OK(zx_object_set_property(exception, ZX_PROP_EXCEPTION_STATE, &state, sizeof state));
    close_handle(exception);
    for (int i = 0; i < 4000 && child->data[0] == 0; i++)
        (void)zx_nanosleep(zx_deadline_after(ZX_MSEC(1)));
    if (child->data[0] != 1)
        utest_fail(__FILE__, __LINE__, "%s: the thread did not go on", row->name);
}

TEST(p30_each_forbidden_instruction_is_an_exception_from_which_its_thread_can_go_on) {
    const size_t lengths[] = {EACH_FORBIDDEN(LENGTH)};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct child child;
        zx_handle_t channel = ZX_HANDLE_INVALID;
        if (child_make(&child, rows[i].code, rows[i].code_end)) {
            EXPECT_OK(zx_task_create_exception_channel(child.process, 0, &channel));
            EXPECT_OK(child_start(&child, CHILD_DATA));
            zx_handle_t exception = hear(&rows[i], channel, &child);
            go_on_behind(&rows[i], lengths[i], &child, exception);
            close_handle(channel);
        }
        child_end(&child);
    }
}
