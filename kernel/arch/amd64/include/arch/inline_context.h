/*
 * inline_context.h - amd64's part of a thread. entry.S knows the first fields.
 */
#pragma once

#include "lib/types.h"

struct mmu;

struct arch_thread {
    uint64_t rsp;           /* of the kernel stack while the thread does not run */
    uint64_t window_begin;  /* the least address that may follow a SYSCALL instruction */
    uint64_t window_length; /* and how much further it may lie */

    /* Set before the thread first runs user code. */
    struct mmu *mmu;      /* its address space; NULL: a kernel thread */
    void *extended_state; /* XSAVE area; NULL: never in user mode */

    /* Of user mode; current only while the thread does not run. */
    uint64_t fs_base, gs_base;

    uint64_t stack_base, stack_top; /* set once */
    uint32_t state_cpu;             /* whose registers may still hold the extended state */
    bool no_fault;                  /* user copies end at the first fault */
};
