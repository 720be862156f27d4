/*
 * types.h - status codes, addresses, page arithmetic.
 *
 * The status values are those of ZX-ABI.md section 1.2 without `ZX_`;
 * object/abi_check.c asserts that they equal <zircon/errors.h>. Two exist only
 * inside the kernel: ERR_INTERNAL_*.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/compiler.h"

enum NODISCARD status : int32_t {
    OK = 0,
    ERR_INTERNAL = -1,
    ERR_NOT_SUPPORTED = -2,
    ERR_NO_RESOURCES = -3,
    ERR_NO_MEMORY = -4,
    ERR_INTERNAL_RETRY = -6,  /* a wait was ended by suspend; the call is made again */
    ERR_INTERNAL_KILLED = -7, /* a wait was ended by kill; never reaches user code */
    ERR_INTERNAL_PAGER = -8,  /* vm: a pager must act first; vmo_await waits for it, without locks */
    ERR_INVALID_ARGS = -10,
    ERR_BAD_HANDLE = -11,
    ERR_WRONG_TYPE = -12,
    ERR_BAD_SYSCALL = -13,
    ERR_OUT_OF_RANGE = -14,
    ERR_BUFFER_TOO_SMALL = -15,
    ERR_BAD_STATE = -20,
    ERR_TIMED_OUT = -21,
    ERR_SHOULD_WAIT = -22,
    ERR_CANCELED = -23,
    ERR_PEER_CLOSED = -24,
    ERR_NOT_FOUND = -25,
    ERR_ALREADY_EXISTS = -26,
    ERR_ALREADY_BOUND = -27,
    ERR_UNAVAILABLE = -28,
    ERR_ACCESS_DENIED = -30,
    ERR_IO = -40,
    ERR_IO_DATA_INTEGRITY = -42,
    ERR_FILE_BIG = -53,
    ERR_NO_SPACE = -54,
};
typedef enum status status_t;

/* A physical address is a struct, so that it cannot be followed by accident. */
typedef struct {
    uint64_t value;
} paddr_t;
typedef uintptr_t vaddr_t;

ALWAYS_INLINE paddr_t paddr(uint64_t value) { return (paddr_t){value}; }

/* Times and durations are in nanoseconds; times count from boot. */
typedef int64_t nstime_t;
#define TIME_INFINITE INT64_MAX

#define PAGE_SHIFT 12
#define PAGE_SIZE  ((size_t)1 << PAGE_SHIFT)
#define PAGE_MASK  (PAGE_SIZE - 1)

#define KIB(n) ((uint64_t)(n) << 10)
#define MIB(n) ((uint64_t)(n) << 20)
#define GIB(n) ((uint64_t)(n) << 30)

ALWAYS_INLINE bool is_page_aligned(uint64_t value) { return (value & PAGE_MASK) == 0; }
ALWAYS_INLINE uint64_t round_down(uint64_t value, uint64_t power) { return value & ~(power - 1); }
/* The caller knows that value + power does not overflow. */
ALWAYS_INLINE uint64_t round_up(uint64_t value, uint64_t power) {
    return (value + power - 1) & ~(power - 1);
}
/* Round a size from outside up to whole pages; false if that overflows. */
ALWAYS_INLINE bool page_round_up_checked(uint64_t value, uint64_t *out_rounded) {
    if (__builtin_add_overflow(value, PAGE_MASK, &value))
        return false;
    *out_rounded = value & ~(uint64_t)PAGE_MASK;
    return true;
}
/* Is [offset, offset + length) inside [0, size)? Never overflows. */
ALWAYS_INLINE bool range_within(uint64_t offset, uint64_t length, uint64_t size) {
    return offset <= size && length <= size - offset;
}
