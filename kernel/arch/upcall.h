/*
 * upcall.h - the doors through which arch calls upward.
 *
 * Each is implemented in exactly one place of a higher layer, named below. The
 * host's tests may implement some of them as they like.
 */
#pragma once

#include "lib/types.h"

struct user_frame; /* the saved user registers; arch/context.h reads it */

enum fault_access { FAULT_READ, FAULT_WRITE, FAULT_EXECUTE };
struct fault {
    vaddr_t address;
    enum fault_access access;
    bool from_user; /* the CPU was in user mode */
    bool present;   /* a translation existed and forbade the access */
};

/*
 * vm/fault.c: resolve a fault on a user address, by user code or a user copy.
 * Interrupts on. OK: try again. Otherwise the fault stands.
 */
status_t upcall_page_fault(const struct fault *fault);
/*
 * object/user_thread.c: a suspension interrupted a fault of a user copy (it gave
 * ERR_INTERNAL_RETRY). The call around the copy can't be made again, so the thread stands still
 * here, with no lock held, until it is resumed or killed.
 */
void upcall_pause(void);

/*
 * object/memory_pressure.c: a fault could not be met. No lock held. True: something
 * is being ended, try again; false: nothing can be, or the thread is to die itself.
 */
bool upcall_out_of_memory(void);

/* An exception of user code. The numbers of ZX-ABI.md section 1.13. */
struct exception {
    uint32_t type;         /* ZX_EXCP_* */
    uint64_t vector, error_code, fault_address;
    uint32_t synth_code;   /* for page faults: the status */
    const char *name;      /* "page fault" ... */
    const struct user_frame *frame;
};
/* object/exception.c: interrupts on; may not return (the thread or process ends). */
void upcall_exception(const struct exception *exception);
/* object/exception.c: SYSCALL from outside the vDSO's code; does not return. */
void upcall_forbidden_syscall(const struct user_frame *frame);

/* sched/timer.c: this CPU's deadline has come. Interrupt context. */
void upcall_timer(void);
/*
 * sched/sched.c: at the end of an interrupt that came while interrupts were on,
 * when cpu_this()->need_resched is set. Interrupts off; may switch.
 */
void upcall_preempt(void);
/*
 * sched/thread.c: before each return to user mode for which the current thread's
 * `pending` word (arch reads it as the first word after struct arch_thread) is
 * not zero. Interrupts on. Does not return if the thread dies.
 */
void upcall_return_to_user(void);

/* dev/console_dev.c: interrupt context. */
void upcall_console_input(void);
void upcall_console_room(void);

/* vm/pmm.c: a zeroed page for a page table; ERR_NO_MEMORY. */
status_t upcall_table_page_alloc(paddr_t *out_page);
void upcall_table_page_free(paddr_t page);
/* vm/pmm.c: a zeroed page for ever, for a CPU's stacks and data; ERR_NO_MEMORY. */
status_t upcall_stack_page_alloc(paddr_t *out_page);

/*
 * sched/sched.c: an application CPU is up, on its idle thread's stack, with
 * interrupts off. Does not return.
 */
void upcall_cpu_started(void) NORETURN;

/*
 * sched/trace.c: record an event (arch/trace.h); for a span `b` is when it began, in ticks.
 * Any context but that of the vectors with stacks of their own.
 */
void upcall_trace(uint16_t kind, uint16_t more, uint64_t a, uint64_t b) PRESERVE_MOST;

/*
 * syscall/dispatch.c: the table that entry.S jumps through. Functions take up to
 * eight 64-bit arguments by the C convention and return 64 bits. Numbers out of
 * range go to upcall_bad_syscall.
 */
typedef uint64_t syscall_function(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
                                  uint64_t, uint64_t);
extern syscall_function *const upcall_syscall_table[];
extern const uint64_t upcall_syscall_count;
/*
 * The numbers from here on go the long way: usually upcall_syscall_count, and 0 while calls
 * are traced, so that tracing costs nothing while nobody does.
 */
extern _Atomic uint64_t upcall_syscall_limit;
uint64_t upcall_bad_syscall(uint64_t number);
