/*
 * kheap.h - small and middle-sized kernel memory.
 *
 * Sizes up to 2048 bytes come from slabs of size classes with a per-CPU cache of
 * free objects each; larger ones are runs of whole pages. Memory never moves. Any
 * call may fail (NULL), also on purpose (pmm.h, alloc_fail_set). Debug builds put
 * red zones around each block, fill freed ones and remember who allocated.
 * May be called with interrupts off and under locks of ranks below RANK_HEAP.
 */
#pragma once

#include "lib/types.h"

#define KHEAP_MAX ((size_t)1 << 20)

void *kheap_alloc(size_t size) NODISCARD;  /* contents undefined; 16-byte aligned */
void *kheap_zalloc(size_t size) NODISCARD; /* zeroed */
void kheap_free(void *block);              /* NULL is fine */

struct kheap_stats {
    uint64_t bytes_total; /* pages taken, in bytes */
    uint64_t bytes_used;  /* handed out */
    uint64_t blocks_used;
};
struct kheap_stats kheap_stats(void);
/* Walk all slabs and check them (debug); panics on damage (P04). */
void kheap_check(void);
/* Give empty slabs and the caches' contents back to the page allocator. */
void kheap_trim(void);
