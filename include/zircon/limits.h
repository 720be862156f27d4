/*
 * limits.h - the sizes and counts that calls are bounded by.
 */
#pragma once

#define ZX_PAGE_SHIFT 12
#define ZX_PAGE_SIZE  ((uintptr_t)1 << ZX_PAGE_SHIFT)
#define ZX_PAGE_MASK  (ZX_PAGE_SIZE - 1)
#define ZX_MIN_PAGE_SHIFT ZX_PAGE_SHIFT
#define ZX_MIN_PAGE_SIZE  ZX_PAGE_SIZE

/* Names of objects, with the NUL at the end. */
#define ZX_MAX_NAME_LEN 32

/* One message on a channel. */
#define ZX_CHANNEL_MAX_MSG_BYTES   65536u
#define ZX_CHANNEL_MAX_MSG_HANDLES 64u
#define ZX_CHANNEL_MAX_MSG_IOVECS  8192u

/* zx_object_wait_many */
#define ZX_WAIT_MANY_MAX_ITEMS 64u

/* A FIFO's elements in one direction, together. */
#define ZX_FIFO_MAX_SIZE_BYTES 4096u

/* Random numbers: one draw or one addition inside the kernel. */
#define ZX_CPRNG_DRAW_MAX_LEN        256u
#define ZX_CPRNG_ADD_ENTROPY_MAX_LEN 256u

/* A record of the kernel's log. */
#define ZX_LOG_RECORD_MAX 256u

/* A CPU set. */
#define ZX_CPU_SET_MAX_CPUS      512
#define ZX_CPU_SET_BITS_PER_WORD 64

/* The part of the address space that belongs to user code: [base, top). */
#define ZX_USER_ADDRESS_BASE 0x200000ul
#define ZX_USER_ADDRESS_TOP  0x7ffffffff000ul
