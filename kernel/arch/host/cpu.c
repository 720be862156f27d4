/*
 * cpu.c - CPUs as pthreads: interrupts, idling, requests to other CPUs.
 *
 * An interrupt is a bit in `pending`. It is taken when its CPU enables
 * interrupts, relaxes, or idles; so code is "interrupted" only at such points,
 * which on one CPU makes every run repeatable. With random preemption on, each
 * such point may also be the end of the thread's turn.
 *
 * Sleeping and waking go through one host mutex (idle_lock); under it the last
 * CPU that falls asleep moves the time to the next deadline.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "arch/boot.h"
#include "arch/clock.h"
#include "arch/context.h"
#include "arch/host/host_internal.h"
#include "arch/upcall.h"
#include "lib/assert.h"
#include "lib/panic.h"

static struct host_cpu cpus[MAX_CPUS];
static atomic_uint online;
static pthread_mutex_t idle_lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_uint preempt_one_in;
static uint64_t random_state;
static _Thread_local struct host_cpu *this_cpu;

/* Not by its name in the C library, which the kernel's scheduler has taken. */
static void yield_pthread(void) {
    if (host_takes_turns())
        host_turn_spin();
    else
        syscall(SYS_sched_yield);
}

/* ---- Identity ---- */

NOINLINE struct host_cpu *host_cpu(void) { return this_cpu; }
NOINLINE struct cpu *host_cpu_this(void) { return &this_cpu->cpu; }
struct host_cpu *host_cpu_get(unsigned id) { return &cpus[id]; }
unsigned cpu_count(void) { return atomic_load(&online); }
struct cpu *cpu_get(unsigned id) { return &cpus[id].cpu; }

void host_cpu_become(struct host_cpu *cpu) { this_cpu = cpu; }

void host_cpu_adopt(struct host_cpu *cpu) {
    pthread_attr_t attributes;

    this_cpu = cpu;
    cpu->pthread = pthread_self();
    pthread_getattr_np(cpu->pthread, &attributes);
    pthread_attr_getstack(&attributes, &cpu->stack_bottom, &cpu->stack_size);
    pthread_attr_destroy(&attributes);
}

static struct host_cpu *cpu_prepare(unsigned id) {
    struct host_cpu *cpu = &cpus[id];

    cpu->cpu.self = &cpu->cpu;
    cpu->cpu.id = id;
    cpu->cpu.arch = cpu;
    cpu->cpu.online = true;
    pthread_cond_init(&cpu->wake, NULL);
    atomic_store(&cpu->deadline, TIME_INFINITE);
    atomic_fetch_add(&online, 1);
    return cpu;
}

void host_init(const struct host_options *options) {
    random_state = options->seed ? options->seed : 1;
    atomic_store(&preempt_one_in, options->preempt_one_in);
    if (options->turns)
        host_turns_begin();
    host_memory_init(options->memory);
    host_boot_init(options);
    host_cpu_adopt(cpu_prepare(0));
}

static void *cpu_main(void *argument) {
    host_cpu_adopt(argument);
    upcall_cpu_started();
}

/* Nobody may make a thread ready on a CPU that has no run queue yet. */
static void wait_until_scheduled(struct host_cpu *cpu) {
    while (!atomic_load(&cpu->scheduled)) {
        host_poll();
        syscall(SYS_sched_yield);
    }
}

void arch_start_cpus(const struct platform_info *platform, unsigned max) {
    for (unsigned id = 1; id < platform->cpu_count && id < max; id++) {
        struct host_cpu *cpu = cpu_prepare(id);
        pthread_t thread;
        if (host_takes_turns()) {
            host_turns_start_cpu(cpu);
            continue;
        }
        if (pthread_create(&thread, NULL, cpu_main, cpu) != 0)
            panic("no pthread for CPU %u", id);
        pthread_detach(thread);
        wait_until_scheduled(cpu);
    }
}

/* ---- Random numbers and preemption ---- */

uint64_t host_random(void) {
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

    pthread_mutex_lock(&lock);
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    uint64_t value = random_state * 0x2545f4914f6cdd1d;
    pthread_mutex_unlock(&lock);
    return value;
}

bool cpu_random(uint64_t *out_bits) {
    *out_bits = host_random();
    return true;
}

void host_set_preemption(unsigned one_in) { atomic_store(&preempt_one_in, one_in); }

static bool should_preempt(const struct host_cpu *cpu) {
    unsigned one_in = atomic_load_explicit(&preempt_one_in, memory_order_relaxed);

    return one_in && cpu->cpu.current && cpu->cpu.current != cpu->cpu.idle_thread &&
           host_random() % one_in == 0;
}

/* ---- Interrupts ---- */

void host_interrupt(unsigned id, unsigned irq) {
    struct host_cpu *cpu = &cpus[id];

    atomic_fetch_or(&cpu->pending, irq);
    if (cpu == host_cpu())
        return;
    pthread_mutex_lock(&idle_lock);
    if (cpu->idle)
        pthread_cond_signal(&cpu->wake);
    pthread_mutex_unlock(&idle_lock);
}

void cpu_send_resched(unsigned id) {
    host_interrupt(id, HOST_IRQ_RESCHED);
    if (id == cpu_id() && irqs_enabled())
        host_poll();
}

static void answer(_Atomic(struct host_request *) *requests) {
    struct host_request *request = atomic_exchange(requests, NULL);

    while (request) {
        struct host_request *next = request->next; /* it is gone once `left` falls */
        request->function(request->context);
        atomic_fetch_sub(request->left, 1);
        request = next;
    }
}

static void handle(struct host_cpu *cpu, unsigned pending) {
    cpu->cpu.in_interrupt++;
    counter_bump(&cpu->cpu.counters.ints);
    if (pending & HOST_IRQ_RESCHED)
        counter_bump(&cpu->cpu.counters.reschedule_ipis);
    answer(&cpu->flushes);
    if (pending & HOST_IRQ_CALL) {
        counter_bump(&cpu->cpu.counters.generic_ipis);
        answer(&cpu->calls);
    }
    if (pending & HOST_IRQ_TIMER)
        upcall_timer();
    if (pending & HOST_IRQ_CONSOLE)
        upcall_console_input();
    if (pending & HOST_IRQ_DEVICE)
        host_take_interrupts();
    cpu->cpu.in_interrupt--;
}

void host_check_deadline(struct host_cpu *cpu) {
    if (atomic_load_explicit(&cpu->deadline, memory_order_relaxed) <= host_time()) {
        atomic_store_explicit(&cpu->deadline, TIME_INFINITE, memory_order_relaxed);
        atomic_fetch_or(&cpu->pending, HOST_IRQ_TIMER);
    }
}

/* Time passes by what busy CPUs do, so they see to the deadlines of those that idle. */
static void wake_late_sleepers(void) {
    for (unsigned id = 0; id < cpu_count(); id++)
        if (atomic_load_explicit(&cpus[id].idle, memory_order_relaxed) &&
            atomic_load_explicit(&cpus[id].deadline, memory_order_relaxed) <= host_time())
            host_interrupt(id, HOST_IRQ_TIMER);
}

/* Interrupts are on: take what is pending. May come back on another CPU. */
void host_poll(void) {
    struct host_cpu *cpu = host_cpu();

    if (!cpu->irqs_on || cpu->cpu.in_interrupt)
        return;
    host_check_deadline(cpu);
    wake_late_sleepers();
    if (should_preempt(cpu)) {
        cpu->cpu.need_resched = true;
        atomic_fetch_or(&cpu->pending, HOST_IRQ_RESCHED);
    }
    while (atomic_load_explicit(&cpu->pending, memory_order_relaxed)) {
        cpu->irqs_on = false;
        handle(cpu, atomic_exchange(&cpu->pending, 0));
        if (cpu->cpu.need_resched && cpu->cpu.current)
            upcall_preempt();
        cpu = host_cpu();
        cpu->irqs_on = true;
    }
}

bool host_irq_disable(void) {
    struct host_cpu *cpu = host_cpu();
    bool was_on = cpu->irqs_on;

    cpu->irqs_on = false;
    return was_on;
}

void host_irq_enable(void) {
    struct host_cpu *cpu = host_cpu();

    if (cpu->cpu.in_interrupt)
        panic("interrupts enabled inside an interrupt");
    cpu->irqs_on = true;
    host_time_creep(50);
    host_poll();
}

bool host_irqs_enabled(void) { return host_cpu()->irqs_on; }

void cpu_poll_requests(void) {
    struct host_cpu *cpu = host_cpu();

    if (panic_is_running())
        pause();
    if (atomic_load_explicit(&cpu->flushes, memory_order_relaxed))
        answer(&cpu->flushes);
    yield_pthread();
}

void host_cpu_relax(void) {
    host_time_creep(50);
    if (host_irqs_enabled())
        host_poll();
    else
        cpu_poll_requests();
    yield_pthread();
}

/* ---- Requests ---- */

static void post(struct host_cpu *cpu, struct host_request *request, bool flush) {
    _Atomic(struct host_request *) *list = flush ? &cpu->flushes : &cpu->calls;

    request->next = atomic_load(list);
    while (!atomic_compare_exchange_weak(list, &request->next, request))
        ;
    host_interrupt(cpu->cpu.id, flush ? HOST_IRQ_FLUSH : HOST_IRQ_CALL);
}

void host_request_all(uint64_t mask, void (*function)(void *), void *context, bool flush) {
    struct host_request requests[MAX_CPUS];
    atomic_uint left = 0;

    ASSERT(irqs_enabled());
    irq_state_t state = irq_save();
    for (unsigned id = 0; id < cpu_count(); id++) {
        if (!(mask & cpu_bit(id)))
            continue;
        if (id == cpu_id()) {
            cpu_this()->in_interrupt++;
            function(context);
            cpu_this()->in_interrupt--;
            continue;
        }
        requests[id] = (struct host_request){NULL, function, context, &left};
        atomic_fetch_add(&left, 1);
        post(&cpus[id], &requests[id], flush);
    }
    irq_restore(state);
    while (atomic_load(&left))
        host_cpu_relax();
}

void cpu_call(uint64_t mask, void (*function)(void *), void *context) {
    host_request_all(mask, function, context, false);
}

/* ---- Idling ---- */

static bool all_asleep(void) {
    for (unsigned id = 0; id < cpu_count(); id++)
        if (!cpus[id].idle || atomic_load(&cpus[id].pending))
            return false;
    return true;
}

/* Everybody sleeps: it becomes as late as the next deadline. */
static void jump_to_next_deadline(void) {
    struct host_cpu *first = &cpus[0];

    for (unsigned id = 1; id < cpu_count(); id++)
        if (atomic_load(&cpus[id].deadline) < atomic_load(&first->deadline))
            first = &cpus[id];
    nstime_t deadline = atomic_load(&first->deadline);
    if (deadline == TIME_INFINITE) {
        pthread_mutex_unlock(&idle_lock);
        panic("deadlock: every CPU is idle and nothing is due");
    }
    host_time_jump(deadline);
    host_check_deadline(first);
    pthread_cond_signal(&first->wake);
}

/* Asleep until something is pending. */
static void idle_as_pthread(struct host_cpu *cpu) {
    pthread_mutex_lock(&idle_lock);
    host_check_deadline(cpu);
    while (!atomic_load(&cpu->pending)) {
        cpu->idle = true;
        if (all_asleep())
            jump_to_next_deadline();
        if (!atomic_load(&cpu->pending))
            pthread_cond_wait(&cpu->wake, &idle_lock);
        cpu->idle = false;
    }
    pthread_mutex_unlock(&idle_lock);
}

void cpu_idle(void) {
    struct host_cpu *cpu = host_cpu();

    atomic_store(&cpu->scheduled, true);
    if (host_takes_turns())
        host_turn_idle();
    else
        idle_as_pthread(cpu);
    irq_enable();
    irq_disable();
}

/* ---- The end ---- */

void cpu_stop_others(void) {}
void cpu_stand_still(void) {
    for (;;)
        (void)pause();
}

static pthread_mutex_t finish_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t finished = PTHREAD_COND_INITIALIZER;
static bool is_finished;
static int finish_code;

struct start {
    const struct host_options *options;
    void (*main)(void);
};

static void *first_cpu_main(void *argument) {
    struct start *start = argument;

    host_init(start->options);
    start->main();
    host_finish(0);
}

int host_run(const struct host_options *options, void (*main)(void)) {
    struct start start = {options, main};
    pthread_t thread;

    if (pthread_create(&thread, NULL, first_cpu_main, &start) != 0)
        return 125;
    pthread_mutex_lock(&finish_lock);
    while (!is_finished)
        pthread_cond_wait(&finished, &finish_lock);
    pthread_mutex_unlock(&finish_lock);
    return finish_code;
}

/* The process ends on its first pthread; this one stays as it is. */
void host_finish(int code) {
    pthread_mutex_lock(&finish_lock);
    finish_code = code;
    is_finished = true;
    pthread_cond_signal(&finished);
    pthread_mutex_unlock(&finish_lock);
    for (;;)
        pause();
}

void machine_end(enum machine_end how, int code) {
    fflush(NULL);
    if (how == MACHINE_PANIC)
        abort(); /* the sanitizer's run time prints the stack with names */
    _exit(code);
}

/* The sanitizers print better stacks than frame pointers give here. */
unsigned cpu_backtrace(uintptr_t frame, uintptr_t *out_pcs, unsigned max) { return 0; }
void cpu_dump_stack(uintptr_t frame) {}

bool cpu_on_own_stack(uintptr_t address) {
    struct host_cpu *cpu = host_cpu();
    uintptr_t bottom = (uintptr_t)cpu->stack_bottom;

    if (address - bottom < cpu->stack_size)
        return true;
    struct arch_thread *thread = (struct arch_thread *)cpu->cpu.current;
    return thread && address - (uintptr_t)thread->stack_bottom < thread->stack_size;
}
