/*
 * pmm.h - free physical pages.
 *
 * A buddy allocator (blocks of 4 KiB to 4 MiB) in two zones, below and above
 * 4 GiB, with a cache of single pages for each CPU in front of it. Every function
 * may be called with interrupts off and under any lock of rank below RANK_PMM.
 * Failure is always possible; alloc_fail_set makes it happen on purpose.
 */
#pragma once

#include "vm/page.h"

/* Take over what boot_info calls usable. Once, before anything else here. */
void pmm_init(void);

/* One page, contents undefined / zeroed. NULL: none is free. */
struct page *pmm_alloc(enum page_state state) NODISCARD;
struct page *pmm_alloc_zeroed(enum page_state state) NODISCARD;
/*
 * `count` contiguous pages aligned to 2^align_log2 bytes (at least a page), all
 * below `limit` (0: anywhere). At most 4 MiB.
 */
struct page *pmm_alloc_run(size_t count, unsigned align_log2, uint64_t limit,
                           enum page_state state) NODISCARD;
/* Give a page back from the state it is in. No slot holds it any more. */
void pmm_free(struct page *page, enum page_state from);
void pmm_free_run(struct page *first, size_t count, enum page_state from);
void page_set_state(struct page *page, enum page_state from, enum page_state to);

struct pmm_stats {
    uint64_t total_pages; /* with a record */
    uint64_t pages[PAGE_STATES];
};
struct pmm_stats pmm_stats(void);
/* Free pages, the CPU caches' included. */
uint64_t pmm_free_pages(void);
/* Return every CPU-cached page of this CPU to the buddy lists (tests). */
void pmm_flush_cache(void);
/* Call fn for each record. Nothing is locked: for audits of a quiet machine. */
void pmm_for_each(void (*fn)(void *context, struct page *page), void *context);

/*
 * The last pages (the reserve) go only to threads that `uses_reserve` says may have
 * them: the kernel's own and those of the root job's processes, so that what ends
 * others can always run. Levels of what is left, in the order of need; the hook is
 * called at each change, under RANK_PMM, and may only unpark.
 */
enum pmm_level { PMM_NORMAL, PMM_WARNING, PMM_CRITICAL, PMM_IMMINENT, PMM_OUT, PMM_LEVELS };
enum pmm_level pmm_level(void);
typedef void pmm_level_hook(enum pmm_level level);
void pmm_set_level_hook(pmm_level_hook *hook);

/* The page of zeros that absent pages are shown by; nobody counts that. */
ALWAYS_INLINE struct page *pmm_zero_page(void) { return page_zeros; }
/* The page of zeros that stands for a marker. */
ALWAYS_INLINE struct page *pmm_zero_page_of(enum page_dirt dirt) { return page_zeros + dirt; }

/*
 * Fault injection: the n-th allocation from now on (of pages or of kernel memory)
 * fails, once; 0 switches it off. alloc_fail_left tells what remains (0: it
 * happened or is off). Boot option alloc.fail=N.
 */
void alloc_fail_set(uint64_t n);
uint64_t alloc_fail_left(void);
bool alloc_fail_count_down(void);
extern _Atomic uint64_t alloc_fail_countdown; /* pmm.c */
ALWAYS_INLINE bool alloc_fail_now(void) {
    return unlikely(atomic_load_explicit(&alloc_fail_countdown, memory_order_relaxed) != 0) &&
           alloc_fail_count_down();
}
