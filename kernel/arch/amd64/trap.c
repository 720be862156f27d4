/*
 * trap.c - what happened? Names each event and calls the right door.
 *
 * Exceptions of user code go up with interrupts on; those of the kernel end in a
 * panic, except for faults of the user copies, which have a table of places to go
 * on at. Interrupts are handled to their end with interrupts off, then the
 * scheduler may switch. On the way back to user mode the thread's `pending` word
 * and the CPU's need_resched are looked at until both are clear.
 */
#include <stdatomic.h>

#include "arch/amd64/amd64.h"
#include "arch/amd64/registers.h"
#include "arch/amd64/regs.h"
#include "arch/amd64/trap.h"
#include "arch/irq.h"
#include "arch/trace.h"
#include "arch/upcall.h"
#include "lib/assert.h"
#include "lib/log.h"

/* ZX_EXCP_*, ZX-ABI.md section 1.13. */
#define EXCEPTION_GENERAL       0x008
#define EXCEPTION_PAGE_FAULT    0x108
#define EXCEPTION_UNDEFINED     0x208
#define EXCEPTION_SW_BREAKPOINT 0x308
#define EXCEPTION_HW_BREAKPOINT 0x408
#define EXCEPTION_ALIGNMENT     0x508

#define ERROR_PRESENT  1
#define ERROR_WRITE    2
#define ERROR_USER     4
#define ERROR_RESERVED 8
#define ERROR_FETCH    16

static const char *const names[32] = {
    "divide error",
    "debug",
    "NMI",
    "breakpoint",
    "overflow",
    "bound range exceeded",
    "invalid opcode",
    "device not available",
    "double fault",
    "coprocessor segment overrun",
    "invalid TSS",
    "segment not present",
    "stack fault",
    "general protection fault",
    "page fault",
    "reserved exception 15",
    "x87 floating point",
    "alignment check",
    "machine check",
    "SIMD floating point",
    "virtualization",
    "control protection",
    "reserved exception 22",
    "reserved exception 23",
    "reserved exception 24",
    "reserved exception 25",
    "reserved exception 26",
    "reserved exception 27",
    "hypervisor injection",
    "VMM communication",
    "security exception",
    "reserved exception 31",
};

const char *trap_name(uint64_t vector) {
    if (vector < ARRAY_SIZE(names))
        return names[vector];
    return vector == VECTOR_SYSCALL ? "system call" : "interrupt";
}

/* ---- User mode ---- */

static uint32_t exception_type(uint64_t vector) {
    switch (vector) {
    case VECTOR_PAGE_FAULT:
        return EXCEPTION_PAGE_FAULT;
    case VECTOR_INVALID:
        return EXCEPTION_UNDEFINED;
    case VECTOR_BREAKPOINT:
        return EXCEPTION_SW_BREAKPOINT;
    case VECTOR_DEBUG:
        return EXCEPTION_HW_BREAKPOINT;
    case VECTOR_ALIGNMENT:
        return EXCEPTION_ALIGNMENT;
    default:
        return EXCEPTION_GENERAL;
    }
}

static void raise_exception(const struct user_frame *frame, uint64_t address, status_t status) {
    counter_bump(&cpu_this()->counters.exceptions);
    upcall_exception(&(struct exception){
        .type = exception_type(frame->vector),
        .vector = frame->vector,
        .error_code = frame->error,
        .fault_address = address,
        .synth_code = (uint32_t)status,
        .name = trap_name(frame->vector),
        .frame = frame,
    });
}

static struct fault fault_of(const struct user_frame *frame, uint64_t address) {
    return (struct fault){
        .address = address,
        .access = frame->error & ERROR_FETCH   ? FAULT_EXECUTE
                  : frame->error & ERROR_WRITE ? FAULT_WRITE
                                               : FAULT_READ,
        .from_user = frame_is_user(frame),
        .present = frame->error & ERROR_PRESENT,
    };
}

/*
 * The processor itself read for user code, as supervisor, and was refused: bringing
 * the page changes nothing, so the instruction would fault for ever. On real machines
 * these are descriptor tables; QEMU before 9.1 also pops the frames of a user's LRET
 * and IRET this way, where SMAP refuses it.
 */
static bool is_refused_implicit_access(uint64_t error) {
    return (error & ERROR_PRESENT) && !(error & ERROR_USER);
}

static void user_page_fault(struct user_frame *frame, uint64_t address) {
    status_t status = ERR_NOT_FOUND;
    counter_bump(&cpu_this()->counters.page_faults);
    if (address < USER_TOP && !(frame->error & ERROR_RESERVED) &&
        !is_refused_implicit_access(frame->error)) {
        struct fault fault = fault_of(frame, address);
        status = upcall_page_fault(&fault);
    }
    /* Suspended while it waited for the page: it stops on the way back, and faults again. */
    if (status != OK && status != ERR_INTERNAL_RETRY)
        raise_exception(frame, address, status);
}

/*
 * A return address that is not canonical would fault in IRET, in kernel mode. Code
 * can get there (QEMU reports a wild jump after it), so it is refused here.
 */
static void refuse_wild_rip(struct user_frame *frame) {
    while (frame->rip >= (uint64_t)1 << 47) {
        irq_enable();
        frame->vector = VECTOR_PROTECTION;
        frame->error = 0;
        raise_exception(frame, 0, OK);
        irq_disable();
    }
}

/* Interrupts off at the end. */
void exit_to_user(struct user_frame *frame) {
    struct arch_thread *thread = (struct arch_thread *)thread_current();
    irq_disable();
    for (;;) {
        if (cpu_this()->need_resched)
            upcall_preempt();
        uint32_t pending = atomic_load_explicit(pending_of(thread), memory_order_relaxed);
        if (unlikely(pending & ~ARCH_PENDING)) {
            irq_enable();
            upcall_return_to_user();
            irq_disable();
        } else if (unlikely(frame->rip >= (uint64_t)1 << 47)) {
            refuse_wild_rip(frame);
        } else {
            if (unlikely(pending))
                debug_load(thread);
            irq_meter_on();
            return;
        }
    }
}

/* The call is made again: the frame still has its arguments, and as the error code its number. */
static void restart_syscall(struct user_frame *frame) {
    frame->rip -= 2;
    frame->rax = frame->error;
}

static void finish_syscall(struct user_frame *frame, uint64_t result) {
    frame->rax = result;
    frame->rdi = frame->rsi = frame->rdx = frame->r8 = frame->r9 = frame->r10 = 0;
    if (!(frame->rflags & RFLAGS_TF))
        return;
    /* SYSRET would trap at once, IRET an instruction too late. */
    debug_step_over_syscall(frame);
    irq_enable();
    raise_exception(frame, 0, OK);
}

void syscall_slow_exit(struct user_frame *frame, uint64_t result) {
    if ((int32_t)result == ERR_INTERNAL_RETRY)
        restart_syscall(frame);
    else
        finish_syscall(frame, result);
    exit_to_user(frame);
}

/* The frame has the number in the place of the error code, and all arguments. */
uint64_t syscall_long_way(const struct user_frame *frame) {
    uint64_t number = frame->error;
    if (number >= upcall_syscall_count)
        return upcall_bad_syscall(number);
    trace_event(KTRACE_GRP_SYSCALL, JX_TRACE_SYSCALL, number, frame->rdi);
    uint64_t result =
        upcall_syscall_table[number](frame->rdi, frame->rsi, frame->rdx, frame->r10, frame->r8,
                                     frame->r9, frame->r12, frame->r13);
    trace_event(KTRACE_GRP_SYSCALL, JX_TRACE_SYSCALL_END, number, result);
    return result;
}

uint64_t syscall_forbidden(struct user_frame *frame) {
    upcall_forbidden_syscall(frame);
    panic("upcall_forbidden_syscall returned");
}

static void user_exception(struct user_frame *frame) {
    if (likely(frame->vector == VECTOR_PAGE_FAULT)) {
        uint64_t address = cr2_read();
        irq_enable();
        user_page_fault(frame, address);
        return;
    }
    bool stands = frame->vector != VECTOR_DEBUG || debug_trap(frame);
    irq_enable();
    if (stands)
        raise_exception(frame, 0, OK);
}

/* ---- Kernel mode ---- */

/* What the processor met in the kernel's own code: the report, and no return. */
static void NORETURN kernel_exception(struct user_frame *frame, uint64_t address) {
    trap_dump_kernel_frame(frame, address);
    if (frame->vector == VECTOR_PAGE_FAULT)
        panic("page fault in the kernel: %s of %#llx at %#llx (error %#llx)",
              frame->error & ERROR_FETCH   ? "execution"
              : frame->error & ERROR_WRITE ? "write"
                                           : "read",
              (unsigned long long)address, (unsigned long long)frame->rip,
              (unsigned long long)frame->error);
    panic("%s in the kernel at %#llx (vector %llu, error %#llx)", trap_name(frame->vector),
          (unsigned long long)frame->rip, (unsigned long long)frame->vector,
          (unsigned long long)frame->error);
}

static trap_test_hook *test_hook;
trap_test_hook *trap_set_test_hook(trap_test_hook *hook) {
    trap_test_hook *before = test_hook;
    test_hook = hook;
    return before;
}

/*
 * A fault of a user copy. With the no-fault flag, with interrupts off or with a
 * bad address the copy ends at once; else the page may be brought.
 */
static bool kernel_page_fault(struct user_frame *frame, uint64_t address) {
    uint64_t fixup = user_copy_fixup(frame->rip);
    if (fixup == 0)
        return false;
    const struct arch_thread *thread = (const struct arch_thread *)thread_current();
    if (thread && !thread->no_fault && (frame->rflags & RFLAGS_IF) && address < USER_TOP) {
        struct fault fault = fault_of(frame, address);
        counter_bump(&cpu_this()->counters.page_faults);
        irq_enable();
        status_t status;
        while ((status = upcall_page_fault(&fault)) == ERR_INTERNAL_RETRY)
            upcall_pause();
        irq_disable();
        if (status == OK)
            return true;
    }
    frame->rip = fixup;
    return true;
}

static void kernel_trap(struct user_frame *frame) {
    uint64_t address = frame->vector == VECTOR_PAGE_FAULT ? cr2_read() : 0;
    if (frame->vector == VECTOR_PAGE_FAULT && kernel_page_fault(frame, address))
        return;
    /* A copy to a non-canonical address: its caller checks, but nothing depends on it. */
    uint64_t fixup = user_copy_fixup(frame->rip);
    if (frame->vector == VECTOR_PROTECTION && fixup) {
        frame->rip = fixup;
        return;
    }
    if (test_hook && test_hook(frame, address))
        return;
    kernel_exception(frame, address);
}

/* ---- Interrupts ---- */

static void unexpected(uint64_t vector) {
    struct cpu_counters *counters = &cpu_this()->counters;
    if (vector < VECTOR_GSI) { /* the masked PICs: no end of interrupt to send */
        counter_bump(&counters->spurious_ints);
        return;
    }
    counter_bump(&counters->unexpected_ints);
    if (counters->unexpected_ints <= 8)
        log_warning("unexpected interrupt, vector %#llx", (unsigned long long)vector);
    apic_end_of_interrupt();
}

static interrupt_handler *handlers[256];
void interrupt_set_handler(uint8_t vector, interrupt_handler *handler) {
    handlers[vector] = handler;
}

static void interrupt(struct user_frame *frame) {
    struct cpu *cpu = cpu_this();
    uint64_t begin = trace_is_on(KTRACE_GRP_IRQ) ? cpu_ticks() : 0;
    cpu->in_interrupt++;
    counter_bump(&cpu->counters.ints);
    switch (frame->vector) {
    case VECTOR_TIMER:
        apic_end_of_interrupt();
        clock_interrupt();
        break;
    case VECTOR_RESCHEDULE:
        apic_end_of_interrupt();
        counter_bump(&cpu->counters.reschedule_ipis);
        break;
    case VECTOR_REQUEST:
        apic_end_of_interrupt();
        counter_bump(&cpu->counters.generic_ipis);
        smp_handle_requests();
        break;
    case VECTOR_SPURIOUS:
        counter_bump(&cpu->counters.spurious_ints);
        break;
    default:
        if (handlers[frame->vector]) {
            handlers[frame->vector]();
            apic_end_of_interrupt();
        } else if (irq_fire((uint32_t)frame->vector - VECTOR_IRQ)) {
            apic_end_of_interrupt();
        } else {
            unexpected(frame->vector);
        }
    }
    cpu->in_interrupt--;
    if (unlikely(begin))
        trace_event(KTRACE_GRP_IRQ, JX_TRACE_IRQ, frame->vector, begin);
}

void trap_dispatch(struct user_frame *frame) {
    bool is_exception = frame->vector < 32;
    if (frame_is_user(frame)) {
        irq_meter_off();
        if (is_exception)
            user_exception(frame);
        else
            interrupt(frame);
        exit_to_user(frame);
        return;
    }
    if (is_exception) {
        kernel_trap(frame);
        if (frame->rflags & RFLAGS_IF) /* the return switches them on, unseen by the meter */
            irq_meter_on();
        return;
    }
    irq_meter_off();
    interrupt(frame);
    if (cpu_this()->need_resched && (frame->rflags & RFLAGS_IF) && amd64_this()->hold_preempt == 0)
        upcall_preempt();
    if (frame->rflags & RFLAGS_IF)
        irq_meter_on();
}

/* ---- The four with stacks of their own ---- */

static bool is_overflow(const struct user_frame *frame, uint64_t address) {
    const struct amd64_cpu *cpu = amd64_this();
    const struct arch_thread *thread = (const struct arch_thread *)cpu->cpu.current;
    vaddr_t base = thread && thread->stack_top ? thread->stack_base : cpu->idle_stack_base;
    return address < base && base - address <= KIB(128) && !cpu_on_own_stack(frame->rsp - 8);
}

void trap_dispatch_ist(struct user_frame *frame) {
    switch (frame->vector) {
    case VECTOR_DEBUG: /* nobody sets breakpoints for the kernel: a leftover of user mode */
        frame->rflags &= ~RFLAGS_TF;
        debug_forget_kernel_hits();
        return;
    case VECTOR_NMI:
        trap_nmi(frame);
        return;
    case VECTOR_DOUBLE_FAULT:
        trap_dump_kernel_frame(frame, cr2_read());
        if (is_overflow(frame, cr2_read()))
            panic("kernel stack overflow at %#llx: rsp is %#llx", (unsigned long long)frame->rip,
                  (unsigned long long)frame->rsp);
        panic("double fault at %#llx: rsp is %#llx, cr2 is %#llx", (unsigned long long)frame->rip,
              (unsigned long long)frame->rsp, (unsigned long long)cr2_read());
    default:
        trap_dump_kernel_frame(frame, 0);
        panic("%s at %#llx", trap_name(frame->vector), (unsigned long long)frame->rip);
    }
}
