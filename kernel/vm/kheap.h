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

#include "lib/string.h"
#include "lib/types.h"

#define KHEAP_MAX ((size_t)1 << 20)

/* The class of blocks of `size` bytes, at most KHEAP_CLASS_MAX: how many are too small. */
#define KHEAP_CLASS_MAX 2048
#define KHEAP_CLASS_OF(size)                                                                       \
    (((size) > 32) + ((size) > 64) + ((size) > 96) + ((size) > 128) + ((size) > 192) +             \
     ((size) > 256) + ((size) > 320) + ((size) > 384) + ((size) > 448) + ((size) > 512) +          \
     ((size) > 576) + ((size) > 768) + ((size) > 1024) + ((size) > 1344))

/* Of any size; and of a class, which the callers below know when they are compiled. */
void *kheap_alloc_any(size_t size) NODISCARD;
void *kheap_alloc_class(unsigned class) NODISCARD;
void kheap_free_class(unsigned class, void *block);
#ifdef JX_DEBUG
#define KHEAP_SIZE_IS_KNOWN(size) false /* the block is larger, and must be looked at */
#else
#define KHEAP_SIZE_IS_KNOWN(size) (__builtin_constant_p(size) && (size) <= KHEAP_CLASS_MAX)
#endif

/* Contents undefined; 16-byte aligned. */
ALWAYS_INLINE NODISCARD void *kheap_alloc(size_t size) {
    return KHEAP_SIZE_IS_KNOWN(size) ? kheap_alloc_class(KHEAP_CLASS_OF(size))
                                     : kheap_alloc_any(size);
}
/* Zeroed. */
ALWAYS_INLINE NODISCARD void *kheap_zalloc(size_t size) {
    void *block = kheap_alloc(size);
    return block ? memset(block, 0, size) : NULL;
}
/* NULL is fine. */
void kheap_free(void *block);
/* The same for a block, never NULL, that was allocated with this size: cheaper. */
void kheap_check_size(const void *block, size_t size);
void kheap_free_any_sized(void *block, size_t size);
ALWAYS_INLINE void kheap_free_sized(void *block, size_t size) {
#ifdef JX_DEBUG
    kheap_check_size(block, size);
#endif
    if (KHEAP_SIZE_IS_KNOWN(size))
        kheap_free_class(KHEAP_CLASS_OF(size), block);
    else
        kheap_free_any_sized(block, size);
}

/* What a block of `size` bytes takes, in its class. */
size_t kheap_cost(size_t size);

struct kheap_stats {
    uint64_t bytes_total; /* pages taken, in bytes */
    uint64_t bytes_used;  /* handed out, rounded up to size classes */
    uint64_t blocks_used;
};
struct kheap_stats kheap_stats(void);
/* Walk all slabs and check them (debug); panics on damage (P04). */
void kheap_check(void);
/*
 * Compare what is counted with what the page records and slabs say; fn is called for
 * each that differs, with a number that names the counter. For audits of a quiet machine.
 */
typedef void kheap_differs(void *context, unsigned counter, uint64_t counted, uint64_t there);
void kheap_audit(kheap_differs *fn, void *context);
/* Give empty slabs and the caches' contents back to the page allocator. */
void kheap_trim(void);
