/*
 * trace.c - writing event records, and reading them afterwards; see trace.h.
 */
#include "sched/trace.h"

#include "lib/string.h"
#include "sched/thread.h"

_Atomic uint32_t trace_groups;

struct buffer {
    jx_trace_record_t *const *chunks;
    size_t room;    /* records; set while stopped */
    /* Its own CPU's, with interrupts off. */
    uint64_t count; /* that it was given */
    uint64_t lost;
} ALIGNED(64);

static struct buffer buffers[MAX_CPUS];
static bool is_circular; /* set while stopped */

static jx_trace_record_t *record_at(const struct buffer *buffer, uint64_t index) {
    size_t at = (size_t)(index % buffer->room);
    return &buffer->chunks[at / TRACE_CHUNK][at % TRACE_CHUNK];
}

/* ---- Writing ---- */

static uint64_t trace_id(const struct cpu *cpu, const struct thread *thread) {
    if (thread == cpu->idle_thread)
        return JX_TRACE_THREAD_IDLE;
    return thread->tid ? thread->tid : JX_TRACE_THREAD_KERNEL;
}

static bool is_span(uint16_t kind) {
    return kind >= JX_TRACE_FAULT && kind <= JX_TRACE_SPINLOCK;
}

/* Interrupts off, and nobody has stopped us: trace_stop waits for this to end. */
static void write(const struct cpu *cpu, jx_trace_record_t *record) {
    struct buffer *buffer = &buffers[cpu->id];
    if (buffer->count >= buffer->room) {
        buffer->lost++;
        if (!is_circular || buffer->room == 0)
            return;
    }
    record->ticks = cpu_ticks();
    if (is_span(record->kind)) /* the clocks of two CPUs may differ a little */
        record->b = record->ticks > record->b ? record->ticks - record->b : 0;
    record->cpu = cpu->id;
    record->thread = record->thread ? record->thread : trace_id(cpu, cpu->current);
    *record_at(buffer, buffer->count++) = *record;
}

static void write_if_on(jx_trace_record_t *record) {
    irq_state_t state = irq_save();
    if (atomic_load_explicit(&trace_groups, memory_order_acquire))
        write(cpu_this(), record);
    irq_restore(state);
}

void upcall_trace(uint16_t kind, uint16_t more, uint64_t a, uint64_t b) {
    jx_trace_record_t record = {.kind = kind, .more = more, .a = a, .b = b};
    write_if_on(&record);
}

void trace_name_slow(uint64_t koid, const char *name) {
    size_t length = strlen(name);
    for (size_t at = 0; at == 0 || at < length; at += 16) {
        jx_trace_record_t record = {.thread = koid, .kind = JX_TRACE_NAME, .more = (uint16_t)at};
        memcpy(&record.a, name + at, MIN(length - at, (size_t)16));
        write_if_on(&record);
    }
}

void trace_switch(const struct cpu *cpu, const struct thread *to) {
    const struct thread *from = cpu->current;
    unsigned state = atomic_load_explicit(&from->state, memory_order_relaxed);
    unsigned reason = atomic_load_explicit(&from->block_reason, memory_order_relaxed);
    unsigned shown = state == THREAD_DEAD ? 5 : state == THREAD_PARKED ? 3 | reason << 8 : 1;
    upcall_trace(JX_TRACE_CONTEXT_SWITCH, (uint16_t)shown, trace_id(cpu, to), 0);
}

/* ---- Switching it on and off ---- */

void trace_set_buffer(unsigned cpu, jx_trace_record_t *const *chunks, size_t count) {
    buffers[cpu] = (struct buffer){.chunks = chunks, .room = count * TRACE_CHUNK};
}

/* On each CPU, in an interrupt: the scheduler's points test words of their own CPU. */
static void tell_scheduler(void *unused) {
    struct cpu *cpu = cpu_this();
    cpu->traces_wakes = trace_is_on(KTRACE_GRP_SCHEDULER);
    atomic_store_explicit(&cpu->traces_blocks, trace_is_on(KTRACE_GRP_SCHEDULER),
                          memory_order_relaxed);
}

static void tell_all(void) {
    cpu_call(cpu_count() == MAX_CPUS ? UINT64_MAX : cpu_bit(cpu_count()) - 1, tell_scheduler, NULL);
}

void trace_start(uint32_t groups, bool circular) {
    is_circular = circular;
    atomic_store_explicit(&trace_groups, groups, memory_order_release);
    if (groups & KTRACE_GRP_SYSCALL)
        atomic_store_explicit(&upcall_syscall_limit, 0, memory_order_relaxed);
    tell_all();
}

/* Who saw the groups before has interrupts off until its record is written. */
void trace_stop(void) {
    atomic_store_explicit(&upcall_syscall_limit, upcall_syscall_count, memory_order_relaxed);
    atomic_store_explicit(&trace_groups, 0, memory_order_seq_cst);
    tell_all();
}

/* ---- Reading ---- */

size_t trace_count(unsigned cpu) {
    return (size_t)MIN(buffers[cpu].count, (uint64_t)buffers[cpu].room);
}

uint64_t trace_lost(unsigned cpu) { return buffers[cpu].lost; }

const jx_trace_record_t *trace_get(unsigned cpu, size_t i) {
    const struct buffer *buffer = &buffers[cpu];
    return record_at(buffer, buffer->count - trace_count(cpu) + i);
}
