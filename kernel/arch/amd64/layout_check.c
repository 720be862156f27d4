/*
 * layout_check.c - layout.h agrees with the C structures. No code.
 *
 * `pending` of struct thread follows struct arch_thread at once, so its offset is
 * the size of the latter.
 */
#include "arch/amd64/amd64.h"
#include "arch/irq.h"

#define AT(type, member, offset)                                                                   \
    _Static_assert(offsetof(struct type, member) == (offset), #type "." #member)

AT(cpu, self, 0);
AT(cpu, current, CPU_CURRENT);
AT(cpu, kernel_stack, CPU_KERNEL_STACK);
AT(cpu, scratch, CPU_SCRATCH);
AT(cpu, stack_guard, CPU_STACK_GUARD);
AT(cpu, counters.syscalls, CPU_SYSCALLS);
AT(amd64_cpu, cpu, 0);

AT(arch_thread, rsp, THREAD_RSP);
AT(arch_thread, window_begin, THREAD_WINDOW_BEGIN);
AT(arch_thread, window_length, THREAD_WINDOW_LENGTH);
_Static_assert(sizeof(struct arch_thread) == THREAD_PENDING, "thread.pending");

AT(user_frame, r15, FRAME_R15);
AT(user_frame, rbx, FRAME_RBX);
AT(user_frame, rax, FRAME_RAX);
AT(user_frame, rdi, FRAME_RDI);
AT(user_frame, vector, FRAME_VECTOR);
AT(user_frame, error, FRAME_ERROR);
AT(user_frame, rip, FRAME_RIP);
AT(user_frame, cs, FRAME_CS);
AT(user_frame, rflags, FRAME_RFLAGS);
AT(user_frame, rsp, FRAME_RSP);
_Static_assert(VECTOR_IRQ + IRQ_VECTORS == VECTOR_TIMER && VECTOR_IRQ % 32 == 0, "vectors");
_Static_assert(sizeof(struct user_frame) == FRAME_SIZE, "user_frame");
_Static_assert(sizeof(struct amd64_cpu) <= PAGE_SIZE, "an application CPU's area is one page");
