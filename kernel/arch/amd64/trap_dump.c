/*
 * trap_dump.c - registers and stacks as readable lines.
 */
#include "arch/amd64/amd64.h"
#include "arch/amd64/regs.h"
#include "arch/amd64/trap.h"
#include "arch/console.h"
#include "lib/log.h"
#include "lib/panic.h"

#define DUMP_FRAMES 10

static void dump_registers(const struct user_frame *f) {
    typedef unsigned long long u;
    log_error("  rip %016llx  rsp %016llx  rflags %08llx  cs %02llx", (u)f->rip, (u)f->rsp,
              (u)f->rflags, (u)f->cs);
    log_error("  rax %016llx  rbx %016llx  rcx %016llx  rdx %016llx", (u)f->rax, (u)f->rbx,
              (u)f->rcx, (u)f->rdx);
    log_error("  rsi %016llx  rdi %016llx  rbp %016llx  r8  %016llx", (u)f->rsi, (u)f->rdi,
              (u)f->rbp, (u)f->r8);
    log_error("  r9  %016llx  r10 %016llx  r11 %016llx  r12 %016llx", (u)f->r9, (u)f->r10,
              (u)f->r11, (u)f->r12);
    log_error("  r13 %016llx  r14 %016llx  r15 %016llx", (u)f->r13, (u)f->r14, (u)f->r15);
}

void arch_dump_user_frame(const struct user_frame *frame) {
    dump_registers(frame);
}
vaddr_t arch_user_frame_ip(const struct user_frame *frame) {
    return frame->rip;
}
vaddr_t arch_user_frame_sp(const struct user_frame *frame) {
    return frame->rsp;
}
vaddr_t arch_user_frame_fp(const struct user_frame *frame) {
    return frame->rbp;
}

void cpu_dump_stack(uintptr_t frame) {
    uintptr_t pcs[DUMP_FRAMES];
    unsigned count = cpu_backtrace(frame, pcs, DUMP_FRAMES);
    for (unsigned i = 0; i < count; i++)
        log_error("  #%u %#018lx", i, (unsigned long)pcs[i]);
}

void trap_dump_kernel_frame(const struct user_frame *frame, uint64_t address) {
    log_error("%s on CPU %u: error %#llx, cr2 %#llx, cr3 %#llx", trap_name(frame->vector), cpu_id(),
              (unsigned long long)frame->error, (unsigned long long)address,
              (unsigned long long)cr3_read());
    dump_registers(frame);
    log_error("  #- %#018llx", (unsigned long long)frame->rip);
    if (frame->rbp)
        cpu_dump_stack(frame->rbp);
}
