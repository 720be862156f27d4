/*
 * syscalls/debug.h - a stopped thread's registers.
 */
#pragma once

#include <zircon/types.h>

/* Kinds for zx_thread_read_state and zx_thread_write_state. */
#define ZX_THREAD_STATE_GENERAL_REGS ((zx_thread_state_topic_t)0u)
#define ZX_THREAD_STATE_FP_REGS      ((zx_thread_state_topic_t)1u)
#define ZX_THREAD_STATE_VECTOR_REGS  ((zx_thread_state_topic_t)2u)
#define ZX_THREAD_STATE_DEBUG_REGS   ((zx_thread_state_topic_t)4u)
#define ZX_THREAD_STATE_SINGLE_STEP  ((zx_thread_state_topic_t)5u)

typedef uint32_t zx_thread_state_single_step_t; /* 0 or 1 */

typedef struct zx_thread_state_general_regs {
    uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp, rsp;
    uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
    uint64_t rip, rflags;
    uint64_t fs_base, gs_base;
} zx_thread_state_general_regs_t;
_Static_assert(sizeof(zx_thread_state_general_regs_t) == 160, "ABI");
_Static_assert(offsetof(zx_thread_state_general_regs_t, rip) == 128, "ABI");

typedef struct zx_thread_state_fp_regs {
    uint16_t fcw;
    uint16_t fsw;
    uint8_t ftw;
    uint8_t reserved;
    uint16_t fop;
    uint64_t fip;
    uint64_t fdp;
    uint8_t padding1[8];
    struct {
        uint64_t low;
        uint64_t high;
    } st[8];
} __attribute__((aligned(16))) zx_thread_state_fp_regs_t;
_Static_assert(sizeof(zx_thread_state_fp_regs_t) == 160, "ABI");
_Static_assert(offsetof(zx_thread_state_fp_regs_t, st) == 32, "ABI");

typedef struct zx_thread_state_vector_regs {
    struct {
        uint64_t v[8];
    } zmm[32];
    uint64_t opmask[8];
    uint32_t mxcsr;
    uint8_t padding1[4];
} zx_thread_state_vector_regs_t;
_Static_assert(sizeof(zx_thread_state_vector_regs_t) == 2120, "ABI");

typedef struct zx_thread_state_debug_regs {
    uint64_t dr[4];
    uint64_t dr6;
    uint64_t dr7;
} zx_thread_state_debug_regs_t;
_Static_assert(sizeof(zx_thread_state_debug_regs_t) == 48, "ABI");
