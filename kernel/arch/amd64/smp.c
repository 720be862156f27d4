/*
 * smp.c - other CPUs: starting them, and asking them for something.
 *
 * A request belongs to the CPU that makes it: the maker fills in its own `request`,
 * sets its bit in the `requests` word of each CPU that shall answer, and sends them
 * an interrupt. A CPU answers in that interrupt, or whenever it spins with
 * interrupts off. The maker waits with interrupts on and answers others meanwhile,
 * so two makers never wait for each other; it is not preempted while it waits,
 * because the next thread on its CPU might make a request too.
 */
#include "arch/amd64/amd64.h"
#include "arch/amd64/boot_internal.h"
#include "arch/amd64/paging.h"
#include "arch/amd64/regs.h"
#include "arch/amd64/trap.h"
#include "arch/clock.h"
#include "arch/upcall.h"
#include "lib/assert.h"
#include "lib/log.h"
#include "lib/panic.h"
#include "lib/string.h"

#define START_PATIENCE  ((nstime_t)2000000000) /* an overloaded host is slow */
#define FLUSH_ALL_PAGES 64

static struct amd64_cpu *cpus[MAX_CPUS] = {&boot_cpu};
static _Atomic unsigned online_count = 1;

unsigned cpu_count(void) {
    return atomic_load_explicit(&online_count, memory_order_relaxed);
}
struct cpu *cpu_get(unsigned id) {
    return &cpus[id]->cpu;
}

/* ---- Requests ---- */

static void flush_user(const struct tlb_batch *batch) {
    if (batch->everything) {
        cr3_write(cr3_read());
        return;
    }
    for (unsigned i = 0; i < batch->count; i++)
        page_invalidate(batch->pages[i]);
}

static void flush_kernel(vaddr_t base, size_t pages) {
    if (pages > FLUSH_ALL_PAGES) { /* global entries go with the bit */
        uint64_t cr4 = cr4_read();
        cr4_write(cr4 & ~CR4_PGE);
        cr4_write(cr4);
        return;
    }
    for (size_t i = 0; i < pages; i++)
        page_invalidate(base + i * PAGE_SIZE);
}

static void perform(const struct cpu_request *request) {
    if (request->batch)
        flush_user(request->batch);
    if (request->kernel_pages)
        flush_kernel(request->kernel_base, request->kernel_pages);
    if (request->call) {
        cpu_this()->in_interrupt++;
        request->call(request->context);
        cpu_this()->in_interrupt--;
    }
}

/* Interrupts off. */
void smp_handle_requests(void) {
    struct amd64_cpu *me = amd64_this();
    uint64_t from = atomic_exchange(&me->requests, 0);
    for (; from; from &= from - 1) {
        struct cpu_request *request = &cpus[__builtin_ctzll(from)]->request;
        perform(request);
        atomic_fetch_and(&request->pending, ~cpu_bit(me->cpu.id));
    }
}

void cpu_poll_requests(void) {
    if (atomic_load_explicit(&amd64_this()->requests, memory_order_relaxed))
        smp_handle_requests();
    cpu_relax();
}

void preempt_release(void) {
    struct amd64_cpu *me = amd64_this();
    __asm__ volatile("" ::: "memory");
    me->hold_preempt--;
    if (me->hold_preempt == 0 && me->cpu.need_resched) {
        irq_state_t state = irq_save();
        if (cpu_this()->need_resched && (state & RFLAGS_IF))
            upcall_preempt();
        irq_restore(state);
    }
}

/* Preemption is held; interrupts are on. */
static void ask_others(struct amd64_cpu *me, uint64_t mask, const struct cpu_request *request) {
    DEBUG_ASSERT(irqs_enabled() && atomic_load(&me->request.pending) == 0);
    me->request.batch = request->batch;
    me->request.kernel_base = request->kernel_base;
    me->request.kernel_pages = request->kernel_pages;
    me->request.call = request->call;
    me->request.context = request->context;
    atomic_store(&me->request.pending, mask);
    for (uint64_t left = mask; left; left &= left - 1) {
        struct amd64_cpu *cpu = cpus[__builtin_ctzll(left)];
        if (atomic_fetch_or(&cpu->requests, cpu_bit(me->cpu.id)) == 0)
            apic_send(cpu->apic_id, VECTOR_REQUEST);
    }
    while (atomic_load_explicit(&me->request.pending, memory_order_acquire)) {
        irq_state_t state = irq_save();
        cpu_poll_requests();
        irq_restore(state);
        if (unlikely(panic_is_running()))
            return;
    }
}

/* Perform it on each CPU of `mask` and wait. The caller may be moved until the hold. */
void smp_request(uint64_t mask, const struct cpu_request *request) {
    irq_state_t state = irq_save();
    struct amd64_cpu *me = amd64_this();
    uint64_t mine = cpu_bit(me->cpu.id);
    if (mask & mine)
        perform(request);
    mask &= ~mine;
    if (mask == 0) {
        irq_restore(state);
        return;
    }
    preempt_hold();
    irq_restore(state);
    ask_others(me, mask, request);
    preempt_release();
}

static uint64_t all_cpus(void) {
    unsigned count = cpu_count();
    return count == 64 ? UINT64_MAX : cpu_bit(count) - 1;
}

void cpu_call(uint64_t mask, void (*fn)(void *), void *context) {
    struct cpu_request request = {.call = fn, .context = context};
    smp_request(mask & all_cpus(), &request);
}

void smp_flush_kernel(vaddr_t va, size_t pages) {
    struct cpu_request request = {.kernel_base = va, .kernel_pages = pages};
    smp_request(all_cpus(), &request);
}

static void free_batch_tables(struct tlb_batch *batch) {
    while (batch->tables.value) {
        paddr_t page = batch->tables;
        batch->tables = paddr(*(uint64_t *)phys_to_virt(page));
        upcall_table_page_free(page);
    }
}

void tlb_flush(struct tlb_batch *batch) {
    if (batch->cpus) {
        struct cpu_request request = {.batch = batch};
        smp_request(batch->cpus, &request);
    }
    free_batch_tables(batch);
    tlb_batch_init(batch);
}

void cpu_send_resched(unsigned cpu) {
    if (cpu < cpu_count())
        apic_send(cpus[cpu]->apic_id, VECTOR_RESCHEDULE);
}

/* An idle CPU has no user's table loaded, so nobody must wake it for a flush. */
void cpu_idle(void) {
    if (amd64_this()->loaded)
        mmu_activate(NULL);
    irq_meter_on();
    __asm__ volatile("sti; hlt; cli" ::: "memory");
    irq_meter_off();
}

/* ---- The end ---- */

static void NORETURN halt_forever(void) {
    for (;;)
        __asm__ volatile("cli; hlt");
}

/*
 * The others get an NMI, because they may spin with interrupts off. Interrupts stay off here:
 * a thread that panics could otherwise be moved to a CPU that it has just stopped.
 */
void cpu_stop_others(void) {
    irq_disable();
    unsigned me = cpu_id();
    for (unsigned i = 0; i < cpu_count(); i++)
        if (i != me)
            apic_send_nmi(cpus[i]->apic_id);
}

void cpu_stand_still(void) { halt_forever(); }

void trap_nmi(struct user_frame *frame) {
    if (panic_is_running())
        halt_forever();
    log_error("NMI on CPU %u", cpu_id());
    trap_dump_kernel_frame(frame, 0);
}

/* ---- Start ---- */

/* What the trampoline reads; ap_start.S knows the order. */
struct ap_handover {
    uint64_t boot_root, kernel_root, stack_top, cpu, entry;
};
extern const char ap_start_begin[], ap_start_end[], ap_handover[];
void ap_main(struct amd64_cpu *cpu) NORETURN;

static paddr_t trampoline;

void smp_take_trampoline(void) {
    trampoline = boot_take_pages(1, 0xa0000);
}

void ap_main(struct amd64_cpu *cpu) {
    tables_load(cpu);
    msr_write(MSR_GS_BASE, (uint64_t)(uintptr_t)cpu);
    cpu_enable_features();
    apic_init_cpu();
    if (apic_id_this() != cpu->apic_id)
        halt_forever();
    atomic_store(&cpu->started, true);
    while (!atomic_load(&cpu->released)) /* a late one may never be let go */
        cpu_relax();
    upcall_cpu_started();
}

static status_t ap_prepare(unsigned id, uint32_t apic_id, struct amd64_cpu **out_cpu) {
    paddr_t page;
    status_t status = upcall_stack_page_alloc(&page);
    if (status != OK)
        return status;
    struct amd64_cpu *cpu = phys_to_virt(page);
    cpu->cpu.self = &cpu->cpu;
    cpu->cpu.id = id;
    cpu->cpu.stack_guard = boot_cpu.cpu.stack_guard; /* threads move between CPUs */
    cpu->apic_id = apic_id;
    cpu->deadline = TIME_INFINITE;
    *out_cpu = cpu;
    return cpu_stacks_map(cpu);
}

/* One at a time: each has the trampoline page to itself until it has answered. */
static bool ap_start(struct amd64_cpu *cpu) {
    struct ap_handover *handover =
        phys_to_virt(paddr(trampoline.value + (uint64_t)(ap_handover - ap_start_begin)));
    handover->boot_root = virt_to_phys(boot_root).value;
    handover->kernel_root = virt_to_phys(kernel_root).value;
    handover->stack_top = cpu->idle_stack_top;
    handover->cpu = (uint64_t)(uintptr_t)cpu;
    handover->entry = (uint64_t)(uintptr_t)ap_main;
    apic_send_startup(cpu->apic_id, trampoline);
    nstime_t end = clock_now() + START_PATIENCE;
    while (!atomic_load(&cpu->started) && clock_now() < end)
        cpu_relax();
    return atomic_load(&cpu->started);
}

/* Let it go, and wait until the scheduler has it. */
static void ap_release(struct amd64_cpu *cpu) {
    cpus[cpu->cpu.id] = cpu;
    cpu->cpu.online = true;
    atomic_store(&online_count, cpu->cpu.id + 1);
    atomic_store(&cpu->released, true);
    while (!*(struct thread *volatile *)&cpu->cpu.idle_thread)
        cpu_relax();
}

static void start_cpus(const struct platform_info *platform, unsigned max) {
    uint32_t me = apic_id_this();
    if (trampoline.value == 0 || platform->cpu_count <= 1 || max <= 1)
        return;
    memcpy(phys_to_virt(trampoline), ap_start_begin, (size_t)(ap_start_end - ap_start_begin));
    boot_directories[0] = PTE_PRESENT | PTE_HUGE | PTE_ACCESSED; /* executable, not writable */
    for (unsigned i = 0; i < platform->cpu_count && cpu_count() < MIN(max, MAX_CPUS); i++) {
        struct amd64_cpu *cpu;
        if (platform->cpu_apic_ids[i] == me)
            continue;
        if (ap_prepare(cpu_count(), platform->cpu_apic_ids[i], &cpu) != OK) {
            log_warning("no memory for CPU %u", cpu_count());
            return;
        }
        if (!ap_start(cpu)) {
            /* It may still come and use its page, its stacks and the trampoline. */
            log_warning("the CPU with APIC id %u does not start; no further one is tried",
                        cpu->apic_id);
            return;
        }
        ap_release(cpu);
    }
}

void arch_start_cpus(const struct platform_info *platform, unsigned max) {
    start_cpus(platform, max);
    crash_if_asked(); /* here, because it is a thread with other CPUs around it */
}
