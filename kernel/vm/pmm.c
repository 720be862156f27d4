/*
 * pmm.c - the buddy lists, the CPUs' caches, and the page records.
 *
 * A freed page goes to its CPU's cache, from there in batches to the loose list,
 * and from there, when that is long or a run is wanted, to the buddy lists.
 */
#include "vm/pmm_internal.h"

#include "arch/mmu.h"
#include "arch/spinlock.h"
#include "arch/upcall.h"
#include "lib/log.h"
#include "lib/string.h"
#include "sched/thread.h"

#define ORDERS     11 /* 4 KiB << 10 = 4 MiB */
#define CACHE_SIZE 64
#define CACHE_MOVE 32
#define LOOSE_MAX  6144 /* bounds how long joining them may take */
#define ZONE_LIMIT GIB(4)

enum zone_id { ZONE_LOW, ZONE_HIGH, ZONES };
static struct {
    struct spinlock lock; /* RANK_PMM */
    struct list free[ZONES][ORDERS];
    struct list loose;   /* single pages, PAGE_CACHED, not joined with their buddies yet */
    uint64_t loose_count;
    uint64_t free_pages; /* in all these lists */
    uint64_t reserve;    /* set once: pages that not everybody gets */
    uint64_t total;      /* set once: pages at boot */
    enum pmm_level level;
    pmm_level_hook *level_hook;
} pmm = {.lock = SPINLOCK_INIT(RANK_PMM, "pmm"), .loose = LIST_INIT(pmm.loose)};

struct page_cache {
    unsigned count;
    struct page *pages[CACHE_SIZE];
};
static struct page_cache page_caches[MAX_CPUS]; /* each its own CPU's, interrupts off */
static _Atomic int64_t state_counts[PAGE_STATES];
_Atomic uint64_t alloc_fail_countdown;

/* ---- Records ---- */

struct page *page_find(paddr_t address) {
    uint64_t frame = address.value >> PAGE_SHIFT;
    for (unsigned i = 0; i < page_span_count; i++) {
        uint64_t index = frame - page_spans[i].first_frame;
        if (likely(index < page_spans[i].frame_count))
            return &page_spans[i].pages[index];
    }
    return NULL;
}

struct page *page_of(paddr_t address) {
    struct page *page = page_find(address);
    ASSERT(page);
    return page;
}

paddr_t page_address_elsewhere(const struct page *page) {
    for (unsigned i = 1; i < page_span_count; i++) {
        uint64_t index = (uint64_t)(page - page_spans[i].pages);
        if (likely((uintptr_t)page >= (uintptr_t)page_spans[i].pages && index < page_spans[i].frame_count))
            return paddr((page_spans[i].first_frame + index) << PAGE_SHIFT);
    }
    UNREACHABLE("a page record that is none");
}

void page_state_failed(const struct page *page, enum page_state from, enum page_state to) {
    panic("page %#lx is in state %u, not %u, and was to become %u", page_address(page).value,
          page->state, from, to);
}

static void page_state_change(struct page *page, enum page_state from, enum page_state to) {
    if (unlikely(atomic_load_explicit(&page->state, memory_order_relaxed) != from))
        page_state_failed(page, from, to);
    atomic_store_explicit(&page->state, (uint8_t)to, memory_order_relaxed);
}

void pmm_count_state(enum page_state state, int64_t pages) {
    atomic_fetch_add_explicit(&state_counts[state], pages, memory_order_relaxed);
}

void page_set_state(struct page *page, enum page_state from, enum page_state to) {
    page_state_change(page, from, to);
    pmm_count_state(from, -1);
    pmm_count_state(to, 1);
}

/* ---- Buddy lists, under pmm.lock ---- */

static enum zone_id zone_of(uint64_t frame) {
    return frame << PAGE_SHIFT < ZONE_LIMIT ? ZONE_LOW : ZONE_HIGH;
}

static void buddy_push_locked(struct page *page, uint64_t frame, unsigned order)
    REQUIRES(pmm.lock) {
    page->order = (uint8_t)order;
    list_add_head(&pmm.free[zone_of(frame)][order], &page->link);
}

/* A block of 2^order frames is free now: join it with its buddies as far as it goes. */
static void buddy_free_locked(struct page *page, unsigned order) REQUIRES(pmm.lock) {
    uint64_t frame = page_address(page).value >> PAGE_SHIFT;
    pmm.free_pages += 1ull << order;
    while (order + 1 < ORDERS) {
        uint64_t buddy_frame = frame ^ (1ull << order);
        struct page *buddy = page_find(paddr(buddy_frame << PAGE_SHIFT));
        if (!buddy || buddy->state != PAGE_FREE || buddy->order != order ||
            !list_node_is_linked(&buddy->link))
            break;
        list_remove(&buddy->link);
        if (buddy_frame < frame) {
            frame = buddy_frame;
            page = buddy;
        }
        order++;
    }
    buddy_push_locked(page, frame, order);
}

/* Take a block of 2^order frames from one zone, splitting a larger one if need be. */
static struct page *buddy_alloc_locked(enum zone_id zone, unsigned order) REQUIRES(pmm.lock) {
    unsigned found = order;
    while (found < ORDERS && list_is_empty(&pmm.free[zone][found]))
        found++;
    if (found == ORDERS)
        return NULL;
    struct page *page = list_pop_entry(&pmm.free[zone][found], struct page, link);
    while (found > order) {
        found--;
        struct page *half = page + (1ull << found);
        half->order = (uint8_t)found;
        list_add_head(&pmm.free[zone][found], &half->link);
    }
    pmm.free_pages -= 1ull << order;
    return page;
}

static struct page *buddy_alloc_any_locked(unsigned order, uint64_t limit) REQUIRES(pmm.lock) {
    struct page *page = limit ? NULL : buddy_alloc_locked(ZONE_HIGH, order);
    return page ? page : buddy_alloc_locked(ZONE_LOW, order);
}

/* Frames [first, first + count) become free, in the largest aligned blocks. */
static void buddy_free_frames_locked(struct page *page, size_t count) REQUIRES(pmm.lock) {
    uint64_t frame = page_address(page).value >> PAGE_SHIFT;
    while (count > 0) {
        unsigned order = 0;
        while (order + 1 < ORDERS && !(frame & (1ull << order)) && (2ull << order) <= count)
            order++;
        buddy_free_locked(page, order);
        page += 1ull << order;
        frame += 1ull << order;
        count -= 1ull << order;
    }
}

/*
 * ---- Loose pages, under pmm.lock ----
 *
 * Most freed pages are wanted again as single pages soon, so they are joined with
 * their buddies only when there are many, or when a run is asked for in vain.
 */

static struct page *loose_take_locked(void) REQUIRES(pmm.lock) {
    struct page *page = list_pop_entry(&pmm.loose, struct page, link);
    if (page) {
        pmm.loose_count--;
        pmm.free_pages--;
    }
    return page;
}

static void single_free_locked(struct page *page) REQUIRES(pmm.lock) {
    if (pmm.loose_count < LOOSE_MAX) {
        list_add_head(&pmm.loose, &page->link);
        pmm.loose_count++;
        pmm.free_pages++;
        return;
    }
    /* What its owner kept in the link must not look like a free block's to its buddy. */
    page->link = (struct list_node){NULL, NULL};
    page_state_change(page, PAGE_CACHED, PAGE_FREE);
    buddy_free_locked(page, 0);
}

static void loose_join_locked(void) REQUIRES(pmm.lock) {
    struct page *page;
    while ((page = loose_take_locked())) {
        page_state_change(page, PAGE_CACHED, PAGE_FREE);
        buddy_free_locked(page, 0);
    }
}

/* ---- What is left, under pmm.lock ---- */

#define RESERVE_LEAST ((uint64_t)64)
#define RESERVE_PART  256 /* of all pages */

static enum pmm_level level_for(uint64_t free) {
    if (free <= pmm.reserve)
        return PMM_OUT;
    if (free <= 2 * pmm.reserve)
        return PMM_IMMINENT;
    if (free <= pmm.total / 32)
        return PMM_CRITICAL;
    return free <= pmm.total / 16 ? PMM_WARNING : PMM_NORMAL;
}

/* Better times are told only when they are clearly better, so that levels don't flicker. */
static void level_update_locked(void) REQUIRES(pmm.lock) {
    enum pmm_level level = level_for(pmm.free_pages);
    if (level < pmm.level)
        level = MIN(level_for(pmm.free_pages - pmm.free_pages / 8), pmm.level);
    if (level == pmm.level)
        return;
    pmm.level = level;
    if (pmm.level_hook)
        pmm.level_hook(level);
}

static bool may_take_locked(uint64_t count) REQUIRES(pmm.lock) {
    const struct thread *thread = thread_current();
    return pmm.free_pages >= pmm.reserve + count || !thread || thread->uses_reserve;
}

enum pmm_level pmm_level(void) {
    SPIN_GUARD(&pmm.lock);
    return pmm.level;
}

void pmm_set_level_hook(pmm_level_hook *hook) {
    SPIN_GUARD(&pmm.lock);
    pmm.level_hook = hook;
}

void pmm_set_reserve(void) {
    SPIN_GUARD(&pmm.lock);
    pmm.total = pmm.free_pages;
    pmm.reserve = MAX(RESERVE_LEAST, pmm.total / RESERVE_PART);
}

/* ---- The CPUs' caches, interrupts off ---- */

/* Other CPUs read the count (pmm_free_pages), so it is stored in one piece. */
ALWAYS_INLINE void cache_push(struct page_cache *cache, struct page *page) {
    cache->pages[cache->count] = page;
    __atomic_store_n(&cache->count, cache->count + 1, __ATOMIC_RELAXED);
}
ALWAYS_INLINE struct page *cache_pop(struct page_cache *cache) {
    __atomic_store_n(&cache->count, cache->count - 1, __ATOMIC_RELAXED);
    return cache->pages[cache->count];
}

static void cache_refill(struct page_cache *cache) {
    spin_lock_irq_off(&pmm.lock);
    while (cache->count < CACHE_MOVE && may_take_locked(1)) {
        struct page *page = loose_take_locked();
        if (!page) {
            page = buddy_alloc_any_locked(0, 0);
            if (!page)
                break;
            page_state_change(page, PAGE_FREE, PAGE_CACHED);
        }
        cache_push(cache, page);
    }
    level_update_locked();
    spin_unlock_irq_off(&pmm.lock);
}

static void cache_drain(struct page_cache *cache, unsigned keep) {
    spin_lock_irq_off(&pmm.lock);
    while (cache->count > keep)
        single_free_locked(cache_pop(cache));
    level_update_locked();
    spin_unlock_irq_off(&pmm.lock);
}

void pmm_flush_cache(void) {
    irq_state_t state = irq_save();
    cache_drain(&page_caches[cpu_id()], 0);
    spin_lock_irq_off(&pmm.lock);
    loose_join_locked();
    spin_unlock_irq_off(&pmm.lock);
    irq_restore(state);
}

struct page *pmm_alloc(enum page_state to) {
    if (alloc_fail_now())
        return NULL;
    irq_state_t state = irq_save();
    struct page_cache *cache = &page_caches[cpu_id()];
    if (unlikely(cache->count == 0))
        cache_refill(cache);
    struct page *page = cache->count ? cache_pop(cache) : NULL;
    irq_restore(state);
    if (!page)
        return NULL;
    page_state_change(page, PAGE_CACHED, to);
    pmm_count_state(to, 1);
    return page;
}

struct page *pmm_alloc_zeroed(enum page_state to) {
    struct page *page = pmm_alloc(to);
    if (page)
        arch_zero_page(page_contents(page));
    return page;
}

void pmm_free(struct page *page, enum page_state from) {
    page_state_change(page, from, PAGE_CACHED);
    pmm_count_state(from, -1);
    irq_state_t state = irq_save();
    struct page_cache *cache = &page_caches[cpu_id()];
    if (unlikely(cache->count == CACHE_SIZE))
        cache_drain(cache, CACHE_SIZE - CACHE_MOVE);
    cache_push(cache, page);
    irq_restore(state);
}

/* ---- Runs ---- */

static unsigned order_for(size_t count) {
    return count <= 1 ? 0 : 64 - (unsigned)__builtin_clzll(count - 1);
}

struct page *pmm_alloc_run(size_t count, unsigned align_log2, uint64_t limit,
                           enum page_state to) {
    unsigned order = MAX(order_for(count), align_log2 > PAGE_SHIFT ? align_log2 - PAGE_SHIFT : 0u);
    if (count == 0 || order >= ORDERS || alloc_fail_now())
        return NULL;
    SPIN_GUARD(&pmm.lock);
    if (!may_take_locked(count))
        return NULL;
    struct page *first = buddy_alloc_any_locked(order, limit);
    if (!first) {
        loose_join_locked();
        first = buddy_alloc_any_locked(order, limit);
    }
    if (!first)
        return NULL;
    if (limit && page_address(first).value + (PAGE_SIZE << order) > limit) {
        buddy_free_locked(first, order);
        return NULL;
    }
    for (size_t i = 0; i < count; i++)
        page_state_change(first + i, PAGE_FREE, to);
    if (count < 1ull << order)
        buddy_free_frames_locked(first + count, (1ull << order) - count);
    level_update_locked();
    pmm_count_state(to, (int64_t)count);
    return first;
}

void pmm_free_run(struct page *first, size_t count, enum page_state from) {
    SPIN_GUARD(&pmm.lock);
    for (size_t i = 0; i < count; i++) {
        page_state_change(first + i, from, PAGE_FREE);
        /* What its owner kept in the link must not look like a free block's to its buddy. */
        first[i].link = (struct list_node){NULL, NULL};
    }
    buddy_free_frames_locked(first, count);
    level_update_locked();
    pmm_count_state(from, -(int64_t)count);
}

/* ---- Start, and what pmm_start.c hands out ---- */

void pmm_init_lists(void) {
    for (unsigned zone = 0; zone < ZONES; zone++)
        for (unsigned order = 0; order < ORDERS; order++)
            list_init(&pmm.free[zone][order]);
}

void pmm_give(struct page *first, size_t count) {
    SPIN_GUARD(&pmm.lock);
    buddy_free_frames_locked(first, count);
}

/* ---- Counting and injected failures ---- */

uint64_t pmm_free_pages(void) {
    uint64_t sum = 0;
    for (unsigned cpu = 0; cpu < MAX_CPUS; cpu++)
        sum += __atomic_load_n(&page_caches[cpu].count, __ATOMIC_RELAXED);
    SPIN_GUARD(&pmm.lock);
    return sum + pmm.free_pages;
}

struct pmm_stats pmm_stats(void) {
    struct pmm_stats stats = {.total_pages = 0};
    for (unsigned i = 0; i < page_span_count; i++)
        stats.total_pages += page_spans[i].frame_count;
    for (unsigned state = PAGE_LOADER; state < PAGE_STATES; state++)
        stats.pages[state] = (uint64_t)atomic_load(&state_counts[state]);
    stats.pages[PAGE_FREE] = pmm_free_pages();
    return stats;
}

void pmm_for_each(void (*fn)(void *context, struct page *page), void *context) {
    for (unsigned i = 0; i < page_span_count; i++)
        for (uint64_t index = 0; index < page_spans[i].frame_count; index++)
            fn(context, &page_spans[i].pages[index]);
}

void alloc_fail_set(uint64_t n) { atomic_store(&alloc_fail_countdown, n); }
uint64_t alloc_fail_left(void) { return atomic_load(&alloc_fail_countdown); }

bool alloc_fail_count_down(void) { return atomic_fetch_sub(&alloc_fail_countdown, 1) == 1; }

static status_t zeroed_page(enum page_state state, paddr_t *out_page) {
    struct page *page = pmm_alloc_zeroed(state);
    if (!page)
        return ERR_NO_MEMORY;
    *out_page = page_address(page);
    return OK;
}

status_t upcall_table_page_alloc(paddr_t *out_page) { return zeroed_page(PAGE_TABLE, out_page); }
status_t upcall_stack_page_alloc(paddr_t *out_page) { return zeroed_page(PAGE_STACK, out_page); }

void upcall_table_page_free(paddr_t address) { pmm_free(page_of(address), PAGE_TABLE); }
