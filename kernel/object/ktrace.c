/*
 * ktrace.c - who traces, and where the records lie; sched/trace.c writes them.
 */
#include "object/ktrace.h"

#include "arch/boot.h"
#include "arch/clock.h"
#include "sched/mutex.h"
#include "sched/trace.h"
#include "vm/kheap.h"

static struct {
    struct mutex lock; /* RANK_TRACE */
    size_t chunk_count; /* for each CPU; set once */
    bool is_on;
    jx_trace_record_t **chunks[MAX_CPUS]; /* owned; NULL: none */
} trace;

void ktrace_init(void) {
    uint64_t size = boot_option_u64("ktrace.size", 1024) << 10;

    mutex_init(&trace.lock, RANK_TRACE, "trace");
    trace.chunk_count = (size + TRACE_CHUNK_BYTES - 1) / TRACE_CHUNK_BYTES;
}

bool ktrace_is_allowed(void) { return trace.chunk_count > 0; }

/* ---- buffers ---- */

static void buffer_free(unsigned cpu) {
    jx_trace_record_t **chunks = trace.chunks[cpu];

    trace_set_buffer(cpu, NULL, 0);
    trace.chunks[cpu] = NULL;
    for (size_t i = 0; chunks && i < trace.chunk_count; i++)
        kheap_free(chunks[i]);
    kheap_free(chunks);
}

static bool buffer_alloc(unsigned cpu) {
    jx_trace_record_t **chunks = kheap_zalloc(trace.chunk_count * sizeof(*chunks));
    bool whole = chunks != NULL;

    trace.chunks[cpu] = chunks;
    for (size_t i = 0; whole && i < trace.chunk_count; i++) {
        chunks[i] = kheap_alloc(TRACE_CHUNK_BYTES);
        whole = chunks[i] != NULL;
    }
    if (whole)
        trace_set_buffer(cpu, chunks, trace.chunk_count);
    return whole;
}

static void buffers_free_locked(void) REQUIRES(trace.lock) {
    for (unsigned cpu = 0; cpu < cpu_count(); cpu++)
        buffer_free(cpu);
}

static status_t buffers_alloc_locked(void) REQUIRES(trace.lock) {
    for (unsigned cpu = 0; cpu < cpu_count(); cpu++) {
        if (trace.chunks[cpu] || buffer_alloc(cpu))
            continue;
        buffers_free_locked();
        return ERR_NO_MEMORY;
    }
    return OK;
}

/* ---- actions ---- */

status_t ktrace_start(uint32_t groups, bool circular) {
    MUTEX_GUARD(&trace.lock);

    if (trace.is_on)
        return ERR_BAD_STATE;
    status_t status = buffers_alloc_locked();
    if (status != OK)
        return status;
    trace.is_on = true;
    trace_start(groups, circular);
    return OK;
}

void ktrace_stop(void) {
    MUTEX_GUARD(&trace.lock);

    if (trace.is_on)
        trace_stop();
    trace.is_on = false;
}

status_t ktrace_forget(void) {
    MUTEX_GUARD(&trace.lock);

    if (trace.is_on)
        return ERR_BAD_STATE;
    buffers_free_locked();
    return OK;
}

/* ---- reading ---- */

/* The record `at` of what a CPU gives: its JX_TRACE_CPU, and what it kept. */
static jx_trace_record_t cpu_record_locked(unsigned cpu, size_t at) REQUIRES(trace.lock) {
    if (at > 0)
        return *trace_get(cpu, at - 1);
    return (jx_trace_record_t){
        .kind = JX_TRACE_CPU, .cpu = cpu, .a = trace_count(cpu), .b = trace_lost(cpu)};
}

static size_t copy_cpu_locked(unsigned cpu, size_t first, size_t max, jx_trace_record_t *out)
    REQUIRES(trace.lock) {
    size_t count = trace_count(cpu) + 1, copied = 0;

    for (; copied < max && first + copied < count; copied++)
        out[copied] = cpu_record_locked(cpu, first + copied);
    return copied;
}

status_t ktrace_get(uint64_t first, size_t max, jx_trace_record_t *out_records, size_t *out_count,
                    uint64_t *out_total) {
    uint64_t total = 1; /* records in front of the CPU's, at last all */
    size_t copied = 0;
    MUTEX_GUARD(&trace.lock);

    if (trace.is_on)
        return ERR_BAD_STATE;
    if (first == 0 && max > 0)
        out_records[copied++] = (jx_trace_record_t){.kind = JX_TRACE_HEADER,
                                                    .ticks = cpu_ticks(),
                                                    .a = clock_ticks_per_second(),
                                                    .b = cpu_count()};
    for (unsigned cpu = 0; cpu < cpu_count(); cpu++) {
        uint64_t next = first + copied, behind = total + trace_count(cpu) + 1;
        if (copied < max && next >= total && next < behind)
            copied += copy_cpu_locked(cpu, (size_t)(next - total), max - copied,
                                      out_records + copied);
        total = behind;
    }
    *out_count = copied;
    *out_total = total;
    return OK;
}
