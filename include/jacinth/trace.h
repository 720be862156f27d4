/*
 * trace.h - what zx_ktrace_control switches, and what zx_ktrace_read gives.
 *
 * zx_ktrace_read gives records of one size: a JX_TRACE_HEADER, then for each CPU a
 * JX_TRACE_CPU and as many records as that tells, in the order in which they were made.
 */
#pragma once

#include <zircon/types.h>

/* Actions of zx_ktrace_control. */
#define KTRACE_ACTION_START          1u /* options: KTRACE_GRP_ bits, 0 is all; keeps what comes first */
#define KTRACE_ACTION_STOP           2u
#define KTRACE_ACTION_REWIND         3u /* forget the records, and give their memory back */
#define KTRACE_ACTION_START_CIRCULAR 5u /* like START, but keeps what comes last */

/* Groups of events. */
#define KTRACE_GRP_SCHEDULER 0x004u /* CONTEXT_SWITCH, WAKE */
#define KTRACE_GRP_TASKS     0x008u /* threads and processes: START, END, NAME */
#define KTRACE_GRP_IRQ       0x020u /* interrupts, those from other CPUs included */
#define KTRACE_GRP_PROBE     0x040u /* zx_ktrace_write */
#define KTRACE_GRP_LOCK      0x080u /* waits for locks of the kernel */
#define KTRACE_GRP_SYSCALL   0x100u
#define KTRACE_GRP_VM        0x200u /* page faults */
#define KTRACE_GRP_ALL       0x3ecu

/* The largest number of a probe. */
#define KTRACE_PROBE_ID_MAX 0x7ffu

/*
 * What happened; then the meaning of a and b, and of `more` where it has one. Spans are
 * told when they end, and b is how many ticks they took.
 */
enum jx_trace_kind : uint16_t {
    JX_TRACE_NONE,
    JX_TRACE_HEADER,         /* ticks a second; CPUs */
    JX_TRACE_CPU,            /* records that follow; how many were lost */
    JX_TRACE_CONTEXT_SWITCH, /* the thread that runs now; 0. more: the ZX_THREAD_STATE_ of the other */
    JX_TRACE_WAKE,           /* the thread that is ready now; 0 */
    JX_TRACE_SYSCALL,        /* number (private to kernel and vDSO); first argument */
    JX_TRACE_SYSCALL_END,    /* number; result */
    JX_TRACE_FAULT,          /* address; ticks. more: 1 if it stands */
    JX_TRACE_IRQ,            /* vector; ticks */
    JX_TRACE_MUTEX,          /* rank of the lock; ticks */
    JX_TRACE_SPINLOCK,       /* rank of the lock; ticks */
    JX_TRACE_THREAD_START,   /* thread; process */
    JX_TRACE_THREAD_END,     /* thread; process */
    JX_TRACE_PROCESS_END,    /* process; return code */
    JX_TRACE_NAME,           /* of the task `thread`: 16 bytes of it. more: from which byte on */
    JX_TRACE_PROBE,          /* as the caller gave them. more: its id */
};

typedef struct jx_trace_record {
    uint64_t ticks;  /* of zx_ticks_get, when the record was made */
    uint64_t thread; /* koid of who ran; JX_TRACE_IDLE and _KERNEL for those without one */
    uint16_t kind;
    uint16_t more;
    uint32_t cpu;
    uint64_t a, b;
} jx_trace_record_t;
_Static_assert(sizeof(jx_trace_record_t) == 40, "ABI");

#define JX_TRACE_THREAD_IDLE   0u /* a CPU's idle thread */
#define JX_TRACE_THREAD_KERNEL 1u /* any other thread of the kernel's own */
