/*
 * crash_report.c - what the log says of a process that ends by an exception.
 *
 * Process, thread, the exception with its numbers, the registers, and a backtrace by
 * frame pointers. A line of the backtrace is "  #N 0xADDRESS NAME+0xOFFSET", which ./jx
 * turns into file:line.
 */
#include "object/crash_report.h"

#include <zircon/syscalls/exception.h>
#include <zircon/types.h>

#include "arch/context.h"
#include "lib/log.h"
#include "lib/string.h"
#include "object/user_thread.h"
#include "vm/aspace.h"
#include "vm/user_copy.h"

#define FRAMES_MAX 32

/*
 * What an address belongs to, and the distance from its begin. A program's pages are
 * those of the boot archive, so its own name is the process's.
 */
static void report_address(unsigned number, vaddr_t address) {
    struct aspace_module module;
    if (aspace_find_module(process_current()->aspace, address, &module))
        log_error("  #%u %#lx %s+%#lx", number, address,
                  strcmp(module.name, "vdso") ? process_current()->name : module.name,
                  address - module.base);
    else
        log_error("  #%u %#lx ?", number, address);
}

static void report_backtrace(const struct user_frame *frame) {
    struct {
        uint64_t next, return_address;
    } link;
    vaddr_t fp = arch_user_frame_fp(frame);
    report_address(0, arch_user_frame_ip(frame));
    for (unsigned i = 1; i < FRAMES_MAX; i++) {
        if (fp == 0 || fp % 8 || user_copy_in(&link, (struct user_in){fp}, sizeof(link)) != OK)
            return;
        if (link.return_address == 0)
            return;
        report_address(i, link.return_address);
        if (link.next <= fp)
            return;
        fp = link.next;
    }
}

void crash_report(const char *what, const struct exception *e) {
    struct user_thread *thread = user_thread_current();
    struct process *process = thread->process;
    log_error("crash: process %s (%lu), thread %s (%lu): %s", process->name, process->base.koid,
              thread->name, thread->base.koid, what);
    if (e->type == ZX_EXCP_FATAL_PAGE_FAULT)
        log_error("  %s of %#lx from %s, %s, status %d",
                  e->error_code & 16  ? "execution"
                  : e->error_code & 2 ? "write"
                                      : "read",
                  e->fault_address, e->error_code & 4 ? "user mode" : "the kernel",
                  e->error_code & 1 ? "not allowed" : "nothing there", (int32_t)e->synth_code);
    else
        log_error("  vector %lu, error code %#lx", e->vector, e->error_code);
    arch_dump_user_frame(e->frame);
    report_backtrace(e->frame);
}
