/*
 * trace.h - points where an event may be recorded.
 *
 * While nobody traces, a point costs one test of a word that nobody writes. System calls
 * cost not even that (upcall_syscall_limit in upcall.h), nor do wakes and switches, whose
 * test is a part of one that is made in any case (struct cpu).
 */
#pragma once

#include <jacinth/trace.h>
#include <stdatomic.h>

#include "arch/cpu.h"
#include "arch/upcall.h"

extern _Atomic uint32_t trace_groups; /* sched/trace.c; KTRACE_GRP_ bits, 0: nobody traces */

ALWAYS_INLINE bool trace_is_on(uint32_t group) {
    return unlikely(atomic_load_explicit(&trace_groups, memory_order_relaxed) & group);
}
/* For a span `b` is when it began, in ticks. */
ALWAYS_INLINE void trace_event(uint32_t group, enum jx_trace_kind kind, uint64_t a, uint64_t b) {
    if (trace_is_on(group))
        upcall_trace(kind, 0, a, b);
}
