/*
 * main.c - deaths: all ways to die in user mode, one child for each (P30, P31, P36).
 *
 * The watcher builds a bare child for each row, waits for its end, compares the return
 * code and whether the child came past the instruction, counts, and goes on. That it
 * goes on is the point: no child takes the kernel, or this program, with it.
 */
#include <jacinth/utest.h>
#include <stdio.h>
#include <string.h>

#include "core-tests/support.h"

static unsigned deaths;

/* After its instruction a child sets word 0 of its data page, so one sees who lived on. */
#define MARK "\n\tmovq $1, (%rsi)\n\tud2"

static void expect_death(const char *name, int64_t want, bool may_pass, struct child *child) {
    int64_t code = child_wait(child);
    bool passed = child->data && child->data[0] == 1;
    if (code != want)
        utest_fail(__FILE__, __LINE__, "%s: ended with %ld, not %ld", name, code, want);
    if (passed && !may_pass)
        utest_fail(__FILE__, __LINE__, "%s: was allowed", name);
    deaths += code != INT64_MIN;
}

static void die(const char *name, const void *code, const void *code_end, int64_t want,
                bool may_pass) {
    struct child child;
    if (child_make(&child, code, code_end)) {
        EXPECT_OK(child_start(&child, CHILD_DATA));
        expect_death(name, want, may_pass, &child);
    }
    child_end(&child);
}

/* --- P31: every software interrupt --- */

TEST(p31_every_int_n_ends_its_process_only) {
    for (unsigned n = 0; n < 256; n++) {
        const uint8_t code[] = {0xcd,                               /* int */
                                (uint8_t)n, 0x48, 0xc7, 0x06, 1, 0, 0, 0, /* movq $1, (%rsi) */
                                0x0f, 0x0b};
        char name[16];
        snprintf(name, sizeof name, "int %#x", n);
        die(name, code, code + sizeof code, ZX_TASK_RETCODE_EXCEPTION_KILL, false);
    }
}

/* --- instructions --- */

#define EACH_FATAL(ROW)                                                                            \
    /* P30: privileged */                                                                          \
    ROW(hlt, "hlt")                                                                                \
    ROW(cli, "cli")                                                                                \
    ROW(sti, "sti")                                                                                \
    ROW(in_al, "mov $0x3f8, %dx\n\tin %dx, %al")                                                   \
    ROW(out_al, "mov $0xf4, %dx\n\tmov $1, %al\n\tout %al, %dx")                                   \
    ROW(ins, "mov %rsi, %rdi\n\tmov $0x3f8, %dx\n\tinsb")                                          \
    ROW(outs, "mov $0x3f8, %dx\n\toutsb")                                                          \
    ROW(rdmsr, "mov $0xc0000080, %ecx\n\trdmsr")                                                   \
    ROW(wrmsr, "mov $0xc0000082, %ecx\n\twrmsr")                                                   \
    ROW(rdpmc, "xor %ecx, %ecx\n\trdpmc")                                                          \
    ROW(lgdt, "lgdt (%rsi)")                                                                       \
    ROW(lidt, "lidt (%rsi)")                                                                       \
    ROW(lldt, "xor %eax, %eax\n\tlldt %ax")                                                        \
    ROW(ltr, "mov $0x40, %eax\n\tltr %ax")                                                         \
    ROW(read_cr0, "mov %cr0, %rax")                                                                \
    ROW(read_cr2, "mov %cr2, %rax")                                                                \
    ROW(read_cr3, "mov %cr3, %rax")                                                                \
    ROW(read_cr4, "mov %cr4, %rax")                                                                \
    ROW(read_cr8, "mov %cr8, %rax")                                                                \
    ROW(write_cr0, "xor %eax, %eax\n\tmov %rax, %cr0")                                             \
    ROW(write_cr3, "xor %eax, %eax\n\tmov %rax, %cr3")                                             \
    ROW(write_cr4, "xor %eax, %eax\n\tmov %rax, %cr4")                                             \
    ROW(read_dr7, "mov %dr7, %rax")                                                                \
    ROW(write_dr7, "xor %eax, %eax\n\tmov %rax, %dr7")                                             \
    ROW(clts, "clts")                                                                              \
    ROW(lmsw, "xor %eax, %eax\n\tlmsw %ax")                                                        \
    ROW(invlpg, "invlpg (%rsi)")                                                                   \
    ROW(invd, "invd")                                                                              \
    ROW(wbinvd, "wbinvd")                                                                          \
    ROW(swapgs, "swapgs")                                                                          \
    ROW(sysret, "xor %ecx, %ecx\n\tsysretq")                                                       \
    ROW(sysexit, "sysexit")                                                                        \
    ROW(xsetbv, "xor %ecx, %ecx\n\tmov $7, %eax\n\txor %edx, %edx\n\txsetbv")                      \
    ROW(monitor, "xor %ecx, %ecx\n\tmonitor")                                                      \
    ROW(mwait, "xor %ecx, %ecx\n\tmwait")                                                          \
    ROW(vmcall, "vmcall")                                                                          \
    ROW(stac, "stac")                                                                              \
    ROW(clac, "clac")                                                                              \
    /* Exceptions that ring 3 can raise */                                                         \
    ROW(divide, "xor %ecx, %ecx\n\txor %edx, %edx\n\tdiv %ecx")                                    \
    ROW(divide_overflow, "mov $-1, %edx\n\tmov $1, %ecx\n\tdiv %ecx")                              \
    ROW(single_step, "pushf\n\torq $0x100, (%rsp)\n\tpopf\n\tnop\n\tnop")                          \
    ROW(icebp, ".byte 0xf1")                                                                       \
    ROW(int3, "int3")                                                                              \
    ROW(into, ".byte 0xce")                                                                        \
    ROW(bound, ".byte 0x62, 0x06")                                                                 \
    ROW(undefined, "ud2")                                                                          \
    ROW(undefined_1, ".byte 0x0f, 0xb9, 0xc0")                                                     \
    ROW(lock_nop, ".byte 0xf0, 0x90")                                                              \
    ROW(too_long, ".fill 20, 1, 0x66\n\tnop")                                                      \
    ROW(old_opcode, ".byte 0x06")                                                                  \
    ROW(stack_segment, "movabs $0x8000000000000000, %rsp\n\tpush %rax")                            \
    ROW(crooked_read, "movabs $0x8000000000000000, %rax\n\tmov (%rax), %rax")                      \
    ROW(crooked_write, "movabs $0x0000800000000000, %rax\n\tmov %rax, (%rax)")                     \
    ROW(kernel_read, "movabs $0xffff800000100000, %rax\n\tmov (%rax), %rax")                       \
    ROW(kernel_write, "mov $-0x7ff00000, %rax\n\tmov %rax, (%rax)")                                \
    ROW(null_read, "xor %eax, %eax\n\tmov (%rax), %rax")                                           \
    ROW(x87_error, "fninit\n\tpush $0\n\tfldcw (%rsp)\n\tfld1\n\tfldz\n\tfdivrp\n\tfwait")         \
    ROW(bad_xrstor, "movq $-1, 512(%rsi)\n\tmovq $-1, 520(%rsi)\n\tmov $-1, %eax\n\t"              \
                    "mov %eax, %edx\n\txrstor (%rsi)")                                             \
    ROW(unaligned_sse, "movaps 1(%rsi), %xmm0")                                                    \
    ROW(kernel_ds, "mov $0x10, %eax\n\tmov %eax, %ds")                                             \
    ROW(wrong_ds, "mov $0xfff8, %eax\n\tmov %eax, %ds")                                            \
    ROW(code_in_ss, "mov $0x2b, %eax\n\tmov %eax, %ss")                                            \
    ROW(null_ss, "xor %eax, %eax\n\tmov %eax, %ss")                                                \
    /* Jumps to where nobody may go */                                                             \
    ROW(jump_null, "xor %eax, %eax\n\tjmp *%rax")                                                  \
    ROW(jump_kernel, "mov $-0x7ff00000, %rax\n\tjmp *%rax")                                        \
    ROW(jump_physical_map, "movabs $0xffff800000100000, %rax\n\tjmp *%rax")                        \
    ROW(jump_crooked, "movabs $0x0000800000000000, %rax\n\tjmp *%rax")                             \
    ROW(jump_crooked_high, "movabs $0xffff7fffffffffff, %rax\n\tjmp *%rax")                        \
    ROW(jump_top, "movabs $0x00007ffffffff000, %rax\n\tjmp *%rax")                                 \
    ROW(jump_data, "jmp *%rsi")                                                                    \
    ROW(far_return_kernel, "push $0x08\n\tlea 1f(%rip), %rax\n\tpush %rax\n\tlretq\n1:")           \
    ROW(far_return_nothing, "push $0xfff8\n\tpush %rsi\n\tlretq")                                  \
    ROW(iret_kernel, "push $0x10\n\tpush %rsi\n\tpushf\n\tpush $0x08\n\tpush %rsi\n\tiretq")       \
    ROW(iret_crooked, "mov %ss, %eax\n\tpush %rax\n\tpush %rsi\n\tpushf\n\tmov %cs, %eax\n\t"      \
                      "push %rax\n\tmovabs $0x800000000000, %rax\n\tpush %rax\n\tiretq")           \
    ROW(iret_bad_ss, "push $0\n\tpush %rsi\n\tpushf\n\tmov %cs, %eax\n\tpush %rax\n\t"             \
                     "lea 1f(%rip), %rax\n\tpush %rax\n\tiretq\n1:")                               \
    ROW(iret_nested, "pushf\n\torq $0x4000, (%rsp)\n\tpopf\n\tiretq")                              \
    /* Stacks */                                                                                   \
    ROW(overflow, "1:\tpush %rax\n\tjmp 1b")                                                       \
    ROW(overflow_calls, "1:\tcall 1b")                                                             \
    ROW(no_stack, "xor %esp, %esp\n\tpush %rax")                                                   \
    ROW(kernel_stack, "movabs $0xffffc90000010000, %rsp\n\tcall 1f\n1:")                           \
    ROW(crooked_stack_trap, "movabs $0x8000000000000000, %rsp\n\tint3")                            \
    ROW(kernel_stack_trap, "movabs $0xffffc90000010000, %rsp\n\tint3")                             \
    ROW(enter, "enter $0xffff, $31")                                                               \
    /* Segment bases that lie in the kernel's half do not deceive the entry */                     \
    ROW(kernel_gs_trap, "movabs $0xffff800000001000, %rax\n\twrgsbase %rax\n\tint3")               \
    ROW(kernel_gs_fault, "mov $-8, %rax\n\twrgsbase %rax\n\tmov %rax, (%rax)")                     \
    ROW(null_gs_trap, "xor %eax, %eax\n\tmov %eax, %gs\n\tint3")

/* What one machine allows and another does not; the kernel goes on either way. */
#define EACH_HARMLESS(ROW)                                                                         \
    ROW(rdtsc, "rdtsc")                                                                            \
    ROW(cpuid, "xor %eax, %eax\n\tcpuid")                                                          \
    ROW(sgdt, "sgdt 64(%rsi)")                                                                     \
    ROW(sidt, "sidt 64(%rsi)")                                                                     \
    ROW(sldt, "sldt %ax")                                                                          \
    ROW(str, "str %ax")                                                                            \
    ROW(smsw, "smsw %ax")                                                                          \
    ROW(sysenter, "sysenter")                                                                      \
    ROW(xgetbv, "xor %ecx, %ecx\n\txgetbv")                                                        \
    ROW(null_ds, "xor %eax, %eax\n\tmov %eax, %ds\n\tmov %eax, %es\n\tmov %eax, %fs")              \
    ROW(iopl, "pushf\n\torq $0x3000, (%rsp)\n\tpopf")                                              \
    ROW(alignment, "pushf\n\torq $0x40000, (%rsp)\n\tpopf\n\tmov 1(%rsi), %rax")                   \
    ROW(nested_task, "pushf\n\torq $0x4000, (%rsp)\n\tpopf")                                       \
    ROW(direction, "std")                                                                          \
    ROW(prefetch_kernel, "movabs $0xffff800000100000, %rax\n\tprefetcht0 (%rax)")                  \
    ROW(sse_error, "push $0\n\tldmxcsr (%rsp)\n\txorps %xmm0, %xmm0\n\tdivss %xmm0, %xmm0")        \
    ROW(bad_mxcsr, "push $-1\n\tldmxcsr (%rsp)")                                                   \
    ROW(crooked_gs, "movabs $0x800000000000, %rax\n\twrgsbase %rax")                               \
    ROW(verr, "mov $0x08, %eax\n\tverr %ax\n\tlar %eax, %ecx\n\tlsl %eax, %ecx")                   \
    ROW(all_flags, "push $-1\n\tandq $~0x100, (%rsp)\n\tpopf")

#define DEFINE(name, text) CODE(do_##name, text MARK);
EACH_FATAL(DEFINE)
EACH_HARMLESS(DEFINE)

struct death {
    const char *name, *code, *code_end;
};
#define ENTRY(name, text) {#name, do_##name, do_##name##_end},
static const struct death fatal[] = {EACH_FATAL(ENTRY)};
static const struct death harmless[] = {EACH_HARMLESS(ENTRY)};

TEST(p30_p31_every_forbidden_instruction_ends_its_process_only) {
    for (size_t i = 0; i < sizeof fatal / sizeof fatal[0]; i++)
        die(fatal[i].name, fatal[i].code, fatal[i].code_end, ZX_TASK_RETCODE_EXCEPTION_KILL,
            false);
}

TEST(p31_harmless_instructions_leave_the_kernel_alone) {
    for (size_t i = 0; i < sizeof harmless / sizeof harmless[0]; i++)
        die(harmless[i].name, harmless[i].code, harmless[i].code_end,
            ZX_TASK_RETCODE_EXCEPTION_KILL, true);
}

/* --- SYSCALL where it is not allowed --- */

CODE(do_syscall, "xor %eax, %eax\n\tsyscall" MARK);
CODE(do_syscall_unknown, "mov $-1, %rax\n\tsyscall" MARK);
CODE(do_syscall_bad_stack, "xor %esp, %esp\n\tsyscall" MARK);
CODE(do_syscall_kernel_gs, "mov $-4096, %rax\n\twrgsbase %rax\n\tsyscall" MARK);
CODE(do_jump_to_arg, "mov 8(%rsi), %rax\n\tjmp *%rax");

TEST(syscall_from_outside_the_vdso_ends_the_process) {
    int64_t want = ZX_TASK_RETCODE_VDSO_KILL;
    die("syscall", do_syscall, do_syscall_end, want, false);
    die("syscall -1", do_syscall_unknown, do_syscall_unknown_end, want, false);
    die("syscall without stack", do_syscall_bad_stack, do_syscall_bad_stack_end, want, false);
    die("syscall with kernel gs", do_syscall_kernel_gs, do_syscall_kernel_gs_end, want, false);
}

/* Code in the highest page that can be mapped; `offset` is where the child jumps to. */
static void die_at_top(const char *name, const void *code, size_t size, size_t offset,
                       int64_t want) {
    struct child child;
    zx_handle_t writable = make_vmo(1), page = 0;
    zx_info_vmar_t root;
    zx_vaddr_t address = 0;
    EXPECT_OK(zx_vmo_write(writable, code, offset, size));
    EXPECT_OK(zx_vmo_replace_as_executable(writable, ZX_HANDLE_INVALID, &page));
    if (child_make(&child, do_jump_to_arg, do_jump_to_arg_end)) {
        EXPECT_OK(zx_object_get_info(child.vmar, ZX_INFO_VMAR, &root, sizeof root, NULL, NULL));
        EXPECT_OK(zx_vmar_map(child.vmar,
                              ZX_VM_PERM_READ | ZX_VM_PERM_EXECUTE | ZX_VM_SPECIFIC,
                              root.len - PAGE, page, 0, PAGE, &address));
        EXPECT_EQ(0x7fffffffe000, address);
        child.data[1] = address + offset;
        EXPECT_OK(child_start(&child, CHILD_DATA));
        expect_death(name, want, false, &child);
    }
    child_end(&child);
    close_handle(page);
}

TEST(p36_syscall_at_the_last_user_bytes_ends_the_process) {
    die_at_top("syscall at the end", "\x0f\x05", 2, PAGE - 2, ZX_TASK_RETCODE_VDSO_KILL);
    die_at_top("nop at the end", "\x90", 1, PAGE - 1, ZX_TASK_RETCODE_EXCEPTION_KILL);
    die_at_top("half a syscall at the end", "\x0f", 1, PAGE - 1, ZX_TASK_RETCODE_EXCEPTION_KILL);
    die_at_top("int3 at the end", "\xcc", 1, PAGE - 1, ZX_TASK_RETCODE_EXCEPTION_KILL);
}

/* --- calls of the vDSO with strange registers --- */

/*
 * Word 1: flags to set; word 2: handle_close; word 3: process_exit. Afterwards word 4:
 * the call's result, word 5: the flags that came back.
 */
CODE(do_call_with_flags, "mov %rsi, %rbx\n\tpushf\n\tpop %rax\n\tor 8(%rbx), %rax\n\t"
                         "push %rax\n\tpopf\n\txor %edi, %edi\n\tcall *16(%rbx)\n\t"
                         "mov %rax, 32(%rbx)\n\tpushf\n\tpop %rax\n\tcld\n\tmov %rax, 40(%rbx)\n\t"
                         "mov $5, %edi\n\tcall *24(%rbx)\n\tud2");

TEST(calls_with_nested_direction_or_alignment_flag_set_work) {
    static const uint64_t flags[] = {0, 0x4000, 0x400, 0x40000, 0x44400, 0x200000, 0x8d5};
    const uint64_t kept = 0x44400; /* the other ones are the results of instructions */
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        struct child child;
        if (child_make(&child, do_call_with_flags, do_call_with_flags_end) &&
            child_give_vdso(&child)) {
            child.data[1] = flags[i];
            child.data[2] = child_call(&child, "zx_handle_close");
            child.data[3] = child_call(&child, "zx_process_exit");
            child.data[4] = 77;
            EXPECT_OK(child_start(&child, CHILD_DATA));
            EXPECT_EQ(5, child_wait(&child));
            EXPECT_EQ(0, child.data[4]);
            EXPECT_EQ(flags[i] & kept, child.data[5] & kept);
        }
        child_end(&child);
    }
}

TEST(call_with_the_trap_flag_set_ends_the_process) {
    struct child child;
    if (child_make(&child, do_call_with_flags, do_call_with_flags_end) &&
        child_give_vdso(&child)) {
        child.data[1] = 0x100;
        child.data[2] = child_call(&child, "zx_handle_close");
        child.data[3] = child_call(&child, "zx_process_exit");
        EXPECT_OK(child_start(&child, CHILD_DATA));
        EXPECT_EQ(ZX_TASK_RETCODE_EXCEPTION_KILL, child_wait(&child));
    }
    child_end(&child);
}

/* Word 1: stack pointer; word 2: where to go. The call works; its return does not. */
CODE(do_call_with_stack, "mov 8(%rsi), %rsp\n\tmov 16(%rsi), %rax\n\txor %edi, %edi\n\tjmp *%rax");

TEST(calls_with_a_bad_stack_pointer_are_made_and_then_the_process_ends) {
    static const uint64_t stacks[] = {0,
                                      8,
                                      0x30000000,
                                      0x7ffffffff000,
                                      0x800000000000,
                                      0xffff7fffffffffff,
                                      0xffff800000001000,
                                      0xffffc90000010000,
                                      0xffffffff80100000,
                                      UINT64_MAX};
    static const char *const calls[] = {"zx_handle_close", "zx_nanosleep", "zx_thread_exit",
                                        "zx_channel_read"};
    for (size_t i = 0; i < sizeof stacks / sizeof stacks[0]; i++) {
        for (size_t j = 0; j < sizeof calls / sizeof calls[0]; j++) {
            struct child child;
            if (child_make(&child, do_call_with_stack, do_call_with_stack_end) &&
                child_give_vdso(&child)) {
                child.data[1] = stacks[i];
                child.data[2] = child_call(&child, calls[j]);
                EXPECT_OK(child_start(&child, CHILD_DATA));
                expect_death(calls[j], j == 2 ? 0 : ZX_TASK_RETCODE_EXCEPTION_KILL, false,
                             &child);
            }
            child_end(&child);
        }
    }
}

/* A wrong number, from inside the vDSO's code: an instruction that only looks like one. */
TEST(cprng_draw_to_a_bad_buffer_traps_in_its_caller) {
    struct child child;
    if (script_make(&child)) {
        script_add(&child, 0, "zx_cprng_draw", 0xffff800000000000, 64, 0, 0);
        script_add(&child, 1, "zx_process_exit", 1, 0, 0, 0);
        EXPECT_OK(child_start(&child, CHILD_DATA));
        EXPECT_EQ(ZX_TASK_RETCODE_EXCEPTION_KILL, child_wait(&child));
    }
    child_end(&child);
}

/* Its region, its code, its stack taken away by itself. */
TEST(process_that_unmaps_itself_ends) {
    struct child child;
    if (script_make(&child)) {
        zx_handle_t root = copy_with(child.vmar, ZX_RIGHT_SAME_RIGHTS);
        script_add(&child, 0, "zx_vmar_destroy", CHILD_HANDLE, 0, 0, 0);
        EXPECT_OK(zx_process_start(child.process, child.thread, CHILD_CODE, CHILD_STACK, root,
                                   CHILD_DATA));
        EXPECT_EQ(ZX_TASK_RETCODE_EXCEPTION_KILL, child_wait(&child));
    }
    child_end(&child);
}

int main(int argc, char **argv) {
    int result = utest_main(argc, argv);
    fprintf(stderr, "%u children died, and the watcher is still here\n", deaths);
    return result;
}
