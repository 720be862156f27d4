/*
 * context.c - the machine's part of a thread: its first frame, and the switch.
 *
 * User threads have an XSAVE area. It is written at each switch away; the
 * registers are loaded at a switch to the thread only if they may hold something
 * else: `state_owner` of the CPU and `state_cpu` of the thread must name each
 * other. Kernel code uses general registers only and leaves the rest alone.
 *
 * User code may change its FS and GS base by itself (FSGSBASE), so both are read
 * at each switch away. In the kernel the user's GS base waits behind SWAPGS.
 */
#include "arch/context.h"

#include "arch/amd64/amd64.h"
#include "arch/amd64/paging.h"
#include "arch/amd64/registers.h"
#include "arch/amd64/regs.h"
#include "arch/boot.h"
#include "lib/assert.h"
#include "lib/string.h"

#define NO_CPU            UINT32_MAX
#define FXSAVE_SIZE       512
#define XSAVE_LEGACY_PART 32 /* control words and MXCSR */
#define XSAVE_HEADER_SIZE 64
#define MXCSR_OFFSET      24
#define MXCSR_INIT        0x1f80
#define FCW_INIT          0x037f

void context_switch(struct arch_thread *from, struct arch_thread *to);
void context_start(void);
void context_enter_user(const struct user_frame *frame) NORETURN;

void arch_thread_init(struct arch_thread *thread, void *stack_base, size_t stack_size,
                      void (*entry)(void *), void *argument) {
    memset(thread, 0, sizeof(*thread));
    thread->stack_base = (uint64_t)(uintptr_t)stack_base;
    thread->stack_top = thread->stack_base + stack_size;
    thread->window_begin = UINT64_MAX; /* no SYSCALL is inside */
    thread->state_cpu = NO_CPU;
    /* What context_switch pops, and context_start as the return address. */
    uint64_t *frame = (uint64_t *)user_frame_of(thread); /* whose place stays free */
    *--frame = 0; /* two words keep the stack aligned at the call */
    *--frame = 0;
    *--frame = (uint64_t)(uintptr_t)context_start;
    *--frame = 0;                             /* rbp */
    *--frame = (uint64_t)(uintptr_t)entry;    /* rbx */
    *--frame = (uint64_t)(uintptr_t)argument; /* r12 */
    *--frame = 0;
    *--frame = 0;
    *--frame = 0;
    thread->rsp = (uint64_t)(uintptr_t)frame;
}

void arch_thread_set_extended_state(struct arch_thread *thread, void *area) {
    DEBUG_ASSERT(((uintptr_t)area & 63) == 0);
    /*
     * A header of zeros means that all components are in their initial state, so the
     * rest is not read; it is written before anybody looks at it. FXRSTOR reads all.
     */
    memset(area, 0, cpu_features.xsave ? XSAVE_LEGACY_PART : FXSAVE_SIZE);
    memset((char *)area + FXSAVE_SIZE, 0, XSAVE_HEADER_SIZE);
    *(uint16_t *)area = FCW_INIT;
    *(uint32_t *)((char *)area + MXCSR_OFFSET) = MXCSR_INIT;
    thread->extended_state = area;
    debug_init(thread);
    thread->state_cpu = NO_CPU;
}

static void state_save(void *area) {
    if (unlikely(!cpu_features.xsave))
        __asm__ volatile("fxsave64 (%0)" ::"r"(area) : "memory");
    else
        __asm__ volatile("xsave64 (%0)" ::"r"(area), "a"(-1), "d"(-1) : "memory");
}
static void state_load(const void *area) {
    if (unlikely(!cpu_features.xsave))
        __asm__ volatile("fxrstor64 (%0)" ::"r"(area) : "memory");
    else
        __asm__ volatile("xrstor64 (%0)" ::"r"(area), "a"(-1), "d"(-1) : "memory");
}

static void state_exchange(void *save_to, const void *load_from) {
    if (unlikely(!cpu_features.xsave))
        __asm__ volatile("fxsave64 (%0); fxrstor64 (%1)"
                         :
                         : "r"(save_to), "r"(load_from)
                         : "memory");
    else
        __asm__ volatile("xsave64 (%0); xrstor64 (%1)"
                         :
                         : "r"(save_to), "r"(load_from), "a"(-1), "d"(-1)
                         : "memory");
}

static uint64_t user_gs_base_read(void) {
    uint64_t base;
    __asm__ volatile("swapgs; rdgsbase %0; swapgs" : "=r"(base)::"memory");
    return base;
}
static void user_gs_base_write(uint64_t base) {
    __asm__ volatile("swapgs; wrgsbase %0; swapgs" ::"r"(base) : "memory");
}
/* Both, between one pair of SWAPGS: nothing may use GS there. */
static uint64_t user_gs_base_exchange(uint64_t base) {
    uint64_t before;
    __asm__ volatile("swapgs; rdgsbase %0; wrgsbase %1; swapgs"
                     : "=&r"(before)
                     : "r"(base)
                     : "memory");
    return before;
}

static void save_fs_base(struct arch_thread *thread) {
    uint64_t base;
    __asm__ volatile("rdfsbase %0" : "=r"(base));
    thread->fs_base = base;
}
static void load_fs_base(const struct arch_thread *thread) {
    __asm__ volatile("wrfsbase %0" ::"r"(thread->fs_base));
}

ALWAYS_INLINE void leave_user_state(struct arch_thread *thread) {
    state_save(thread->extended_state);
    save_fs_base(thread);
    thread->gs_base = user_gs_base_read();
}

ALWAYS_INLINE void load_user_state(struct amd64_cpu *cpu, struct arch_thread *thread) {
    if (cpu->state_owner != thread || thread->state_cpu != cpu->cpu.id) {
        state_load(thread->extended_state);
        cpu->state_owner = thread;
        thread->state_cpu = cpu->cpu.id;
    }
    load_fs_base(thread);
    user_gs_base_write(thread->gs_base);
}

/* From one user thread to another: the registers hold the state of the first, so load. */
ALWAYS_INLINE void exchange_user_state(struct amd64_cpu *cpu, struct arch_thread *from,
                                       struct arch_thread *to) {
    state_exchange(from->extended_state, to->extended_state);
    cpu->state_owner = to;
    to->state_cpu = cpu->cpu.id;
    save_fs_base(from);
    load_fs_base(to);
    from->gs_base = user_gs_base_exchange(to->gs_base);
}

ALWAYS_INLINE void switch_stacks(struct amd64_cpu *cpu, struct arch_thread *from,
                                 struct arch_thread *to) {
    cpu->cpu.kernel_stack = to->stack_top;
    cpu->tss.rsp[0] = to->stack_top;
    context_switch(from, to);
}

/* Apart, so that all other switches, which call nothing, need no frame. */
static NOINLINE void switch_with_ports(struct amd64_cpu *cpu, struct arch_thread *from,
                                       struct arch_thread *to) {
    io_map_load(cpu, to->mmu, atomic_load(&to->mmu->io.version));
    switch_stacks(cpu, from, to);
}

void arch_switch(struct arch_thread *from, struct arch_thread *to) {
    struct amd64_cpu *cpu = amd64_this();
    if (likely(from->extended_state && to->extended_state))
        exchange_user_state(cpu, from, to);
    else if (from->extended_state)
        leave_user_state(from);
    else if (to->extended_state)
        load_user_state(cpu, to);
    /* A kernel thread goes on with whatever is loaded; cpu_idle drops it. */
    if (to->mmu && cpu->loaded != to->mmu) {
        mmu_load(cpu, to->mmu);
        if (unlikely(io_map_differs(cpu, to->mmu))) {
            switch_with_ports(cpu, from, to);
            return;
        }
    }
    switch_stacks(cpu, from, to);
}

/*
 * The current thread turns into a user thread here, if it has not run as one: the
 * switch to it may have come before its address space and state were set.
 */
static void become_user_thread(struct arch_thread *thread) {
    struct amd64_cpu *cpu = amd64_this();
    DEBUG_ASSERT(thread->extended_state && thread->mmu);
    load_user_state(cpu, thread);
    if (cpu->loaded != thread->mmu)
        mmu_activate(thread->mmu);
}

extern const uint64_t boot_entry_ticks; /* start.S */
static _Atomic uint64_t first_user_ticks;

bool boot_ticks(uint64_t *out_total, uint64_t *out_calibration) {
    uint64_t end = atomic_load_explicit(&first_user_ticks, memory_order_relaxed);
    *out_total = end - boot_entry_ticks;
    *out_calibration = clock_calibration_ticks();
    return end != 0;
}

void arch_enter_user(const struct user_start *start) {
    struct arch_thread *thread = (struct arch_thread *)thread_current();
    irq_disable();
    become_user_thread(thread);
    struct user_frame *frame = user_frame_of(thread);
    *frame = (struct user_frame){
        .rip = start->ip,
        .rsp = start->sp,
        .rdi = start->arg1,
        .rsi = start->arg2,
        .cs = SELECTOR_USER_CODE,
        .ss = SELECTOR_USER_DATA,
        .rflags = RFLAGS_IF | RFLAGS_ONE,
        .vector = VECTOR_SYSCALL,
    };
    if (unlikely(atomic_load_explicit(&first_user_ticks, memory_order_relaxed) == 0))
        atomic_store_explicit(&first_user_ticks, cpu_ticks(), memory_order_relaxed);
    exit_to_user(frame); /* somebody may have killed or suspended it already */
    context_enter_user(frame);
}

void arch_set_user_fs_base(struct arch_thread *thread, uint64_t base) {
    irq_state_t state = irq_save();
    DEBUG_ASSERT(thread == (struct arch_thread *)thread_current());
    thread->fs_base = base;
    __asm__ volatile("wrfsbase %0" ::"r"(base));
    irq_restore(state);
}

void arch_set_user_gs_base(struct arch_thread *thread, uint64_t base) {
    irq_state_t state = irq_save();
    DEBUG_ASSERT(thread == (struct arch_thread *)thread_current());
    thread->gs_base = base;
    user_gs_base_write(base);
    irq_restore(state);
}

/* The address after a two-byte SYSCALL in [begin, end) lies in [begin + 2, end]. */
void arch_set_syscall_window(struct arch_thread *thread, vaddr_t begin, vaddr_t end) {
    thread->window_begin = end - begin >= 2 ? begin + 2 : UINT64_MAX;
    thread->window_length = end - begin >= 2 ? end - begin - 2 : 0;
}
