/*
 * trace.h - a buffer of event records for each CPU.
 *
 * Only its own CPU writes to a buffer, with interrupts off; so writing needs no lock and no
 * atomic operation. Nobody reads while CPUs write: trace_stop returns when all have finished,
 * and only then records may be read. A full buffer keeps its first records or, if circular,
 * its last ones, and counts how many it lost.
 *
 * The functions from here on are called by one thread at a time (object/ktrace.c).
 */
#pragma once

#include "arch/trace.h"

/* Records in one chunk of a buffer. */
#define TRACE_CHUNK         1600u
#define TRACE_CHUNK_BYTES   (TRACE_CHUNK * sizeof(jx_trace_record_t))

/* Give a CPU its chunks (count 0: take them away); they stay the caller's. While stopped. */
void trace_set_buffer(unsigned cpu, jx_trace_record_t *const *chunks, size_t count);
/* Record from here on, behind what is there. Interrupts on, no spinlock held. */
void trace_start(uint32_t groups, bool circular);
/* No record is written after it returns. Interrupts on, no spinlock held. */
void trace_stop(void);
/* What a CPU has kept and lost; the i-th it kept, oldest first. While stopped. */
size_t trace_count(unsigned cpu);
uint64_t trace_lost(unsigned cpu);
const jx_trace_record_t *trace_get(unsigned cpu, size_t i);

/* sched.c: the current thread of this CPU gives way to another. */
struct thread;
/* Interrupts off. */
void trace_switch(const struct cpu *cpu, const struct thread *to) PRESERVE_MOST;

/* KTRACE_GRP_TASKS: a task's name. */
void trace_name_slow(uint64_t koid, const char *name);
ALWAYS_INLINE void trace_name(uint64_t koid, const char *name) {
    if (trace_is_on(KTRACE_GRP_TASKS))
        trace_name_slow(koid, name);
}
