/*
 * time_page.h - what the kernel tells all programs without being called.
 *
 * One page of the vDSO image, read-only for user code. The kernel fills it once,
 * before the first program runs. Kernel and vDSO are built together, so the layout
 * may change.
 */
#pragma once

#include <stdint.h>

struct time_page {
    /* ns = ((unsigned __int128)(ticks - base_ticks) * mult) >> shift; see arch/clock.h */
    uint64_t base_ticks;
    uint64_t mult;
    uint32_t shift; /* below 128 */
    uint32_t num_cpus;
    uint64_t ticks_per_second;
    uint64_t physmem;  /* bytes of memory */
    uint32_t features; /* of ZX_FEATURE_KIND_CPU */
    char version[68];  /* text with its NUL */
};
_Static_assert(sizeof(struct time_page) <= 4096, "one page");
