/*
 * context.c - kernel threads as fibres, announced to the sanitizers.
 *
 * The switch saves the callee-saved registers on the old stack and restores them
 * from the new one. Host stacks are kept for ever and found again by the kernel
 * stack that they stand for, so a thread needs no end that arch hears of.
 */
#include "arch/context.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <zircon/syscalls/debug.h>

#include "arch/host/host_internal.h"
#include "arch/upcall.h"
#include "lib/assert.h"

#define HOST_STACK_SIZE ((size_t)256 * 1024)

#if __has_feature(address_sanitizer)
void __sanitizer_start_switch_fiber(void **fake_stack_save, const void *bottom, size_t size);
void __sanitizer_finish_switch_fiber(void *fake_stack_save, const void **bottom_old,
                                     size_t *size_old);
#else
static void __sanitizer_start_switch_fiber(void **save, const void *bottom, size_t size) {}
static void __sanitizer_finish_switch_fiber(void *save, const void **bottom, size_t *size) {}
#endif
#if __has_feature(thread_sanitizer)
void *__tsan_get_current_fiber(void);
void *__tsan_create_fiber(unsigned flags);
void __tsan_destroy_fiber(void *fiber);
void __tsan_switch_to_fiber(void *fiber, unsigned flags);
#else
static void *__tsan_get_current_fiber(void) { return NULL; }
static void *__tsan_create_fiber(unsigned flags) { return NULL; }
static void __tsan_destroy_fiber(void *fiber) {}
static void __tsan_switch_to_fiber(void *fiber, unsigned flags) {}
#endif

/* ---- Stacks ---- */

struct host_stack {
    struct host_stack *next;
    void *key; /* the kernel's stack */
    void *bottom;
    void *tsan_fiber;
};
#define STACK_BUCKETS 256
static struct host_stack *stacks[STACK_BUCKETS];
static pthread_mutex_t stacks_lock = PTHREAD_MUTEX_INITIALIZER;

static void *map_pages(size_t size) {
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED)
        panic("host: no memory for a stack");
    return memory;
}

/* The record lies at the bottom of its own mapping, a guard page above it. */
static struct host_stack *stack_new(void *key) {
    char *memory = map_pages(2 * PAGE_SIZE + HOST_STACK_SIZE);
    struct host_stack *stack = (struct host_stack *)memory;

    if (mprotect(memory + PAGE_SIZE, PAGE_SIZE, PROT_NONE) != 0)
        panic("host: no guard page");
    stack->key = key;
    stack->bottom = memory + 2 * PAGE_SIZE;
    return stack;
}

static struct host_stack *stack_for(void *key) {
    struct host_stack **bucket = &stacks[((uintptr_t)key >> PAGE_SHIFT) % STACK_BUCKETS];

    pthread_mutex_lock(&stacks_lock);
    struct host_stack *stack = *bucket;
    while (stack && stack->key != key)
        stack = stack->next;
    if (!stack) {
        stack = stack_new(key);
        stack->next = *bucket;
        *bucket = stack;
    }
    pthread_mutex_unlock(&stacks_lock);
    return stack;
}

/* ---- The switch ---- */

void host_switch_stack(void **out_old_sp, void *new_sp);
void host_fiber_start(void);
__asm__(".text\n"
        ".globl host_switch_stack\n"
        ".type host_switch_stack, @function\n"
        "host_switch_stack:\n"
        "    pushq %rbp\n"
        "    pushq %rbx\n"
        "    pushq %r12\n"
        "    pushq %r13\n"
        "    pushq %r14\n"
        "    pushq %r15\n"
        "    movq %rsp, (%rdi)\n"
        "    movq %rsi, %rsp\n"
        "    popq %r15\n"
        "    popq %r14\n"
        "    popq %r13\n"
        "    popq %r12\n"
        "    popq %rbx\n"
        "    popq %rbp\n"
        "    ret\n"
        ".size host_switch_stack, . - host_switch_stack\n");

#define UNINSTRUMENTED __attribute__((disable_sanitizer_instrumentation, no_sanitize("undefined")))

UNINSTRUMENTED void host_fiber_start(void) {
    struct arch_thread *thread = (struct arch_thread *)host_cpu()->cpu.current;

    __sanitizer_finish_switch_fiber(NULL, NULL, NULL);
    thread->entry(thread->argument);
    panic("the entry function of a thread returned");
}

/* Where a stack begins that host_switch_stack will leave for `start`. */
static void *first_sp(void *bottom, size_t size, void (*start)(void)) {
    void **sp = (void **)((char *)bottom + size);

    *--sp = NULL; /* a call would have aligned the stack to 8 modulo 16 */
    *--sp = (void *)start;
    for (unsigned i = 0; i < 6; i++)
        *--sp = NULL;
    return sp;
}

void arch_thread_init(struct arch_thread *thread, void *stack_base, size_t stack_size,
                      void (*entry)(void *), void *argument) {
    struct host_stack *stack = stack_for(stack_base);

    if (stack->tsan_fiber)
        __tsan_destroy_fiber(stack->tsan_fiber);
    stack->tsan_fiber = __tsan_create_fiber(0);
    *thread = (struct arch_thread){.saved_sp = first_sp(stack->bottom, HOST_STACK_SIZE,
                                                        host_fiber_start),
                                   .stack_bottom = stack->bottom,
                                   .stack_size = HOST_STACK_SIZE,
                                   .tsan_fiber = stack->tsan_fiber,
                                   .entry = entry,
                                   .argument = argument};
}

/* The idle thread of a CPU is its pthread, met here for the first time. */
static void adopt_pthread(struct arch_thread *thread) {
    struct host_cpu *cpu = host_cpu();

    thread->stack_bottom = cpu->stack_bottom;
    thread->stack_size = cpu->stack_size;
    thread->tsan_fiber = __tsan_get_current_fiber();
}

UNINSTRUMENTED void arch_switch(struct arch_thread *from, struct arch_thread *to) {
    if (!from->stack_bottom)
        adopt_pthread(from);
    mmu_activate(to->mmu);
    __sanitizer_start_switch_fiber(&from->asan_fake_stack, to->stack_bottom, to->stack_size);
    __tsan_switch_to_fiber(to->tsan_fiber, 0);
    host_switch_stack(&from->saved_sp, to->saved_sp);
    __sanitizer_finish_switch_fiber(from->asan_fake_stack, NULL, NULL);
}

/* ---- CPUs that take turns ---- */

/* The stack that the CPU is on, which may be any thread's. */
static void find_stack(struct host_turn *turn, const struct host_cpu *cpu) {
    const struct arch_thread *thread = (const struct arch_thread *)cpu->cpu.current;
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    bool on_thread = thread && here - (uintptr_t)thread->stack_bottom < thread->stack_size;

    turn->stack_bottom = on_thread ? thread->stack_bottom : cpu->stack_bottom;
    turn->stack_size = on_thread ? thread->stack_size : cpu->stack_size;
}

UNINSTRUMENTED void host_turn_switch(struct host_turn *from, const struct host_turn *to,
                                     struct host_cpu *me) {
    find_stack(from, me);
    __sanitizer_start_switch_fiber(&from->asan_fake_stack, to->stack_bottom, to->stack_size);
    host_switch_stack(&from->saved_sp, to->saved_sp);
    __sanitizer_finish_switch_fiber(from->asan_fake_stack, NULL, NULL);
}

UNINSTRUMENTED static void turn_start(void) {
    __sanitizer_finish_switch_fiber(NULL, NULL, NULL);
    host_turn_main();
}

void host_turn_prepare(struct host_turn *turn, const struct host_cpu *cpu) {
    turn->stack_bottom = cpu->stack_bottom;
    turn->stack_size = cpu->stack_size;
    turn->saved_sp = first_sp(cpu->stack_bottom, cpu->stack_size, turn_start);
}

/* ---- User mode: a callback ---- */

static void (*user_main)(const struct user_start *start);

void host_set_user_main(void (*main)(const struct user_start *start)) { user_main = main; }

/* The word after struct arch_thread, as on the machine. */
static _Atomic uint32_t *pending_of(struct arch_thread *thread) {
    return (_Atomic uint32_t *)(thread + 1);
}

void arch_enter_user(const struct user_start *start) {
    if (!user_main)
        panic("host: nobody plays user mode");
    irq_enable();
    if (atomic_load(pending_of((struct arch_thread *)thread_current())) & ~ARCH_PENDING)
        upcall_return_to_user();
    user_main(start);
    panic("host: user mode returned");
}

/* The sets are kept as they are written: played user code has no registers of its own. */
struct host_registers {
    zx_thread_state_vector_regs_t vector;
    zx_thread_state_general_regs_t general;
    zx_thread_state_fp_regs_t fp;
    zx_thread_state_debug_regs_t debug;
    zx_thread_state_single_step_t step;
};

size_t arch_extended_state_size(void) { return sizeof(struct host_registers); }
void arch_thread_set_extended_state(struct arch_thread *thread, void *area) {
    thread->registers = area;
}

static void *host_register_set(struct arch_thread *thread, uint32_t kind) {
    struct host_registers *registers = thread->registers;

    switch (kind) {
    case ZX_THREAD_STATE_GENERAL_REGS: return &registers->general;
    case ZX_THREAD_STATE_FP_REGS: return &registers->fp;
    case ZX_THREAD_STATE_VECTOR_REGS: return &registers->vector;
    case ZX_THREAD_STATE_DEBUG_REGS: return &registers->debug;
    default: return &registers->step;
    }
}

size_t arch_register_set_size(uint32_t kind) {
    switch (kind) {
    case ZX_THREAD_STATE_GENERAL_REGS: return sizeof(zx_thread_state_general_regs_t);
    case ZX_THREAD_STATE_FP_REGS: return sizeof(zx_thread_state_fp_regs_t);
    case ZX_THREAD_STATE_VECTOR_REGS: return sizeof(zx_thread_state_vector_regs_t);
    case ZX_THREAD_STATE_DEBUG_REGS: return sizeof(zx_thread_state_debug_regs_t);
    case ZX_THREAD_STATE_SINGLE_STEP: return sizeof(zx_thread_state_single_step_t);
    default: return 0;
    }
}

status_t arch_registers_read(struct arch_thread *thread, uint32_t kind, void *set) {
    memcpy(set, host_register_set(thread, kind), arch_register_set_size(kind));
    return OK;
}

status_t arch_registers_write(struct arch_thread *thread, uint32_t kind, const void *set) {
    if (kind == ZX_THREAD_STATE_SINGLE_STEP && *(const uint32_t *)set > 1)
        return ERR_INVALID_ARGS;
    if (kind == ZX_THREAD_STATE_GENERAL_REGS &&
        ((const zx_thread_state_general_regs_t *)set)->rip >= USER_TOP)
        return ERR_INVALID_ARGS;
    memcpy(host_register_set(thread, kind), set, arch_register_set_size(kind));
    return OK;
}

void arch_set_user_fs_base(struct arch_thread *thread, uint64_t base) {}
void arch_set_user_gs_base(struct arch_thread *thread, uint64_t base) {}
void arch_set_syscall_window(struct arch_thread *thread, vaddr_t begin, vaddr_t end) {}
void arch_dump_user_frame(const struct user_frame *frame) {}
vaddr_t arch_user_frame_ip(const struct user_frame *frame) { return 0; }
vaddr_t arch_user_frame_sp(const struct user_frame *frame) { return 0; }
vaddr_t arch_user_frame_fp(const struct user_frame *frame) { return 0; }
