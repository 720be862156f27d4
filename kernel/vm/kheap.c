/*
 * kheap.c - size classes over slabs, with a cache of free blocks for each CPU.
 *
 * A slab is a run of 1 or 4 pages cut into equal blocks; its bookkeeping lies in
 * the record of its first page (count: blocks handed out or cached; slab: the
 * first free block; link: the class's list of slabs with free blocks; order: the
 * class), so blocks fill the pages. Records of further pages point to the first.
 * Blocks larger than the largest class are runs of pages; their size in pages
 * stands in the record's `pins`, their class is CLASS_RUN.
 *
 * Debug builds put a header (size, caller, magic) and a red zone around each
 * block and fill freed blocks, and check all three when the block comes back.
 * Under the address sanitizer a freed block is forbidden, but for its header, until it is
 * given out again or its pages go back.
 */
#include "vm/kheap.h"

#include "arch/mmu.h"
#include "arch/spinlock.h"
#include "lib/log.h"
#include "lib/memory_watch.h"
#include "lib/string.h"
#include "vm/pmm.h"

#define CACHE_BLOCKS 16
#define CLASS_RUN    0xff

static const uint16_t class_sizes[] = {32,  64,  96,  128, 192, 256,  320,  384,
                                       448, 512, 576, 768, 1024, 1344, 2048};
#define CLASSES   ARRAY_SIZE(class_sizes)
_Static_assert(KHEAP_CLASS_OF(KHEAP_CLASS_MAX) == CLASSES - 1 && KHEAP_CLASS_OF(32) == 0,
               "the same list twice");

#ifdef JX_DEBUG
#define HEADER_SIZE sizeof(struct block_header)
#define TAIL_SIZE   16
#else
#define HEADER_SIZE 0
#define TAIL_SIZE   0
#endif

struct slab_class {
    struct spinlock lock; /* RANK_HEAP */
    struct list partial;  /* struct page: slabs with a free block */
    uint64_t slabs;
};
static struct slab_class classes[CLASSES];

struct block_cache {
    unsigned count;
    _Atomic int64_t used; /* blocks handed out less blocks taken back, here; others may read */
    void *blocks[CACHE_BLOCKS];
};
static struct block_cache block_caches[MAX_CPUS][CLASSES]; /* own CPU's, interrupts off */

/* The class of ceil(size / 32). */
#define OF1(n) KHEAP_CLASS_OF((n) * 32)
#define OF4(n) OF1(n), OF1(n + 1), OF1(n + 2), OF1(n + 3)
#define OF16(n) OF4(n), OF4(n + 4), OF4(n + 8), OF4(n + 12)
static const uint8_t class_by_size[] = {OF16(0), OF16(16), OF16(32), OF16(48), OF1(64)};
static bool kheap_ready;
static _Atomic int64_t bytes_total, runs_used, run_bytes;

static void kheap_init(void) {
    for (unsigned i = 0; i < CLASSES; i++) {
        spinlock_init(&classes[i].lock, RANK_HEAP, "slab class");
        list_init(&classes[i].partial);
    }
    kheap_ready = true;
}

static size_t slab_pages(unsigned class) { return class_sizes[class] > 512 ? 4 : 1; }

/* ---- Slabs, under the class's lock ---- */

static struct page *slab_create_locked(unsigned class) REQUIRES(classes[class].lock) {
    size_t pages = slab_pages(class), size = class_sizes[class];
    struct page *head = pages == 1 ? pmm_alloc(PAGE_HEAP)
                                   : pmm_alloc_run(pages, PAGE_SHIFT, 0, PAGE_HEAP);
    if (!head)
        return NULL;
    char *memory = page_contents(head);
    void *free = NULL;
    for (size_t at = pages * PAGE_SIZE / size; at-- > 0;) {
        *(void **)(memory + at * size) = free;
        free = memory + at * size;
    }
    for (size_t i = 1; i < pages; i++)
        head[i].slab = head;
    head->slab = free;
    head->order = (uint8_t)class;
    head->pins = 1; /* a head: slab is its free list */
    for (size_t i = 1; i < pages; i++)
        head[i].pins = 0;
    atomic_store_explicit(&head->count, 0, memory_order_relaxed);
    list_add_head(&classes[class].partial, &head->link);
    classes[class].slabs++;
    atomic_fetch_add_explicit(&bytes_total, (int64_t)(pages * PAGE_SIZE), memory_order_relaxed);
    return head;
}

static void slab_destroy_locked(unsigned class, struct page *head)
    REQUIRES(classes[class].lock) {
    size_t pages = slab_pages(class);
    memory_allow(page_contents(head), pages * PAGE_SIZE);
    list_remove(&head->link);
    classes[class].slabs--;
    for (size_t i = 0; i < pages; i++)
        head[i].pins = 0;
    atomic_fetch_sub_explicit(&bytes_total, (int64_t)(pages * PAGE_SIZE), memory_order_relaxed);
    if (pages == 1)
        pmm_free(head, PAGE_HEAP);
    else
        pmm_free_run(head, pages, PAGE_HEAP);
}

static void *slab_take_locked(unsigned class) REQUIRES(classes[class].lock) {
    struct list_node *node = list_first(&classes[class].partial);
    struct page *head = node ? list_entry(node, struct page, link) : slab_create_locked(class);
    if (!head)
        return NULL;
    void *block = head->slab;
    head->slab = *(void **)block;
    atomic_fetch_add_explicit(&head->count, 1, memory_order_relaxed);
    if (!head->slab)
        list_remove(&head->link);
    return block;
}

static struct page *slab_head_of(void *block) {
    struct page *page = page_of(virt_to_phys(block));
    return page->pins ? page : page->slab;
}

static void slab_give_locked(unsigned class, void *block) REQUIRES(classes[class].lock) {
    struct page *head = slab_head_of(block);
    bool was_full = head->slab == NULL;
    *(void **)block = head->slab;
    head->slab = block;
    if (was_full)
        list_add_head(&classes[class].partial, &head->link);
    unsigned left = atomic_fetch_sub_explicit(&head->count, 1, memory_order_relaxed) - 1;
    /* Keep one empty slab of a class, give further ones back. */
    if (left == 0 && list_first(&classes[class].partial) != list_last(&classes[class].partial))
        slab_destroy_locked(class, head);
}

/* ---- CPU caches ---- */

static void cache_refill(struct block_cache *cache, unsigned class) {
    if (unlikely(!kheap_ready))
        kheap_init();
    spin_lock_irq_off(&classes[class].lock);
    while (cache->count < CACHE_BLOCKS / 2) {
        void *block = slab_take_locked(class);
        if (!block)
            break;
        cache->blocks[cache->count++] = block;
    }
    spin_unlock_irq_off(&classes[class].lock);
}

static void cache_drain(struct block_cache *cache, unsigned class, unsigned keep) {
    spin_lock_irq_off(&classes[class].lock);
    while (cache->count > keep)
        slab_give_locked(class, cache->blocks[--cache->count]);
    spin_unlock_irq_off(&classes[class].lock);
}

/* Only its own CPU writes it, with interrupts off. */
ALWAYS_INLINE void cache_count(struct block_cache *cache, int64_t blocks) {
    int64_t used = atomic_load_explicit(&cache->used, memory_order_relaxed);
    atomic_store_explicit(&cache->used, used + blocks, memory_order_relaxed);
}

ALWAYS_INLINE void *class_alloc(unsigned class) {
    irq_state_t state = irq_save();
    struct block_cache *cache = &block_caches[cpu_id()][class];
    void *block = NULL;
    if (unlikely(cache->count == 0))
        cache_refill(cache, class);
    if (likely(cache->count)) {
        block = cache->blocks[--cache->count];
        cache_count(cache, 1);
    }
    irq_restore(state);
    return block;
}

ALWAYS_INLINE void class_free(unsigned class, void *block) {
    irq_state_t state = irq_save();
    struct block_cache *cache = &block_caches[cpu_id()][class];
    if (unlikely(cache->count == CACHE_BLOCKS))
        cache_drain(cache, class, CACHE_BLOCKS / 2);
    cache->blocks[cache->count++] = block;
    cache_count(cache, -1);
    irq_restore(state);
}

/* Each CPU counts what it gave and took; only the sum over all CPUs means something. */
static int64_t class_used(unsigned class) {
    int64_t sum = 0;
    for (unsigned cpu = 0; cpu < MAX_CPUS; cpu++)
        sum += atomic_load_explicit(&block_caches[cpu][class].used, memory_order_relaxed);
    return sum;
}

/* ---- Runs of pages ---- */

static void *run_alloc(size_t size) {
    size_t pages = round_up(size, PAGE_SIZE) >> PAGE_SHIFT;
    struct page *first = pmm_alloc_run(pages, PAGE_SHIFT, 0, PAGE_HEAP);
    if (!first)
        return NULL;
    first->order = CLASS_RUN;
    first->pins = 1;
    atomic_store_explicit(&first->count, (uint32_t)pages, memory_order_relaxed);
    atomic_fetch_add_explicit(&runs_used, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&run_bytes, (int64_t)(pages * PAGE_SIZE), memory_order_relaxed);
    atomic_fetch_add_explicit(&bytes_total, (int64_t)(pages * PAGE_SIZE), memory_order_relaxed);
    return page_contents(first);
}

static void run_free(struct page *first) {
    size_t pages = atomic_load_explicit(&first->count, memory_order_relaxed);
    memory_allow(page_contents(first), pages * PAGE_SIZE);
    first->pins = 0;
    atomic_fetch_sub_explicit(&runs_used, 1, memory_order_relaxed);
    atomic_fetch_sub_explicit(&run_bytes, (int64_t)(pages * PAGE_SIZE), memory_order_relaxed);
    atomic_fetch_sub_explicit(&bytes_total, (int64_t)(pages * PAGE_SIZE), memory_order_relaxed);
    pmm_free_run(first, pages, PAGE_HEAP);
}

/* ---- Red zones ---- */

#ifdef JX_DEBUG
#define MAGIC_USED 0x6a616369u
#define MAGIC_FREE 0x64656164u
#define FILL_FREE  0x5a
#define FILL_TAIL  0xfe

struct block_header {
    uint32_t magic;
    uint32_t size;
    const void *caller;
};

static void *block_dress(void *raw, size_t size, const void *caller) {
    struct block_header *header = raw;
    memory_allow(header, sizeof(*header) + size + TAIL_SIZE);
    *header = (struct block_header){MAGIC_USED, (uint32_t)size, caller};
    memset((char *)(header + 1) + size, FILL_TAIL, TAIL_SIZE);
    return header + 1;
}

static void block_check(const struct block_header *header) {
    if (header->magic != MAGIC_USED)
        panic("heap block %p is not in use (%s)", (const void *)(header + 1),
              header->magic == MAGIC_FREE ? "freed twice" : "header overwritten");
    const uint8_t *tail = (const uint8_t *)(header + 1) + header->size;
    for (size_t i = 0; i < TAIL_SIZE; i++)
        if (tail[i] != FILL_TAIL)
            panic("heap block %p of %u bytes from %p was written past its end at +%zu",
                  (const void *)(header + 1), header->size, header->caller, i);
}

void kheap_check_size(const void *block, size_t size) {
    const struct block_header *header = (const struct block_header *)block - 1;
    ASSERT(header->size == size);
}

static void *block_undress(void *block) {
    struct block_header *header = (struct block_header *)block - 1;
    block_check(header);
    header->magic = MAGIC_FREE;
    memset(header + 1, FILL_FREE, header->size);
    memory_forbid(header + 1, header->size);
    return header;
}
#endif

/* ---- The door ---- */

static void *alloc_from(size_t size, const void *caller) {
    size_t gross = size + HEADER_SIZE + TAIL_SIZE;
    if (alloc_fail_now() || size > KHEAP_MAX)
        return NULL;
    void *raw = gross <= KHEAP_CLASS_MAX ? class_alloc(class_by_size[(gross + 31) / 32])
                                   : run_alloc(gross);
    if (!raw)
        return NULL;
#ifdef JX_DEBUG
    return block_dress(raw, size, caller);
#else
    return raw;
#endif
}

void *kheap_alloc_any(size_t size) { return alloc_from(size, __builtin_return_address(0)); }

void *kheap_alloc_class(unsigned class) { return alloc_fail_now() ? NULL : class_alloc(class); }

void kheap_free_class(unsigned class, void *block) { class_free(class, block); }

void kheap_free_any_sized(void *block, size_t size) {
    if (HEADER_SIZE == 0 && size <= KHEAP_CLASS_MAX)
        class_free(class_by_size[(size + 31) / 32], block);
    else
        kheap_free(block);
}

void kheap_free(void *block) {
    if (!block)
        return;
#ifdef JX_DEBUG
    block = block_undress(block);
#endif
    struct page *head = slab_head_of(block);
    if (head->order == CLASS_RUN)
        run_free(head);
    else
        class_free(head->order, block);
}

size_t kheap_cost(size_t size) {
    size_t gross = size + HEADER_SIZE + TAIL_SIZE;
    return gross <= KHEAP_CLASS_MAX ? class_sizes[class_by_size[(gross + 31) / 32]]
                                    : round_up(gross, PAGE_SIZE);
}

struct kheap_stats kheap_stats(void) {
    int64_t blocks = atomic_load(&runs_used), bytes = atomic_load(&run_bytes);
    for (unsigned class = 0; class < CLASSES; class++) {
        int64_t used = class_used(class);
        blocks += used;
        bytes += used * class_sizes[class];
    }
    return (struct kheap_stats){(uint64_t)atomic_load(&bytes_total), (uint64_t)bytes,
                                (uint64_t)blocks};
}

#define TRIM_LOOK 64 /* slabs looked at with interrupts off */

/* One slab at a time, so that interrupts are never off for long. False: none is empty. */
static bool trim_one(unsigned class) {
    irq_state_t state = irq_save();
    struct page *empty = NULL;
    unsigned looked = 0;
    cache_drain(&block_caches[cpu_id()][class], class, 0);
    spin_lock_irq_off(&classes[class].lock);
    list_for_each(node, &classes[class].partial) {
        struct page *head = list_entry(node, struct page, link);
        if (atomic_load_explicit(&head->count, memory_order_relaxed) == 0)
            empty = head;
        if (empty || ++looked == TRIM_LOOK)
            break;
    }
    if (empty)
        slab_destroy_locked(class, empty);
    spin_unlock_irq_off(&classes[class].lock);
    irq_restore(state);
    return empty != NULL;
}

void kheap_trim(void) {
    for (unsigned class = 0; kheap_ready && class < CLASSES; class++)
        while (trim_one(class))
            ;
}

/* One slab: its free blocks lie in it, on block boundaries, and are as many as it says. */
static void slab_check_locked(unsigned class, struct page *head) REQUIRES(classes[class].lock) {
    uintptr_t start = (uintptr_t)page_contents(head), size = class_sizes[class];
    size_t blocks = slab_pages(class) * PAGE_SIZE / size, free = 0;
    for (void *block = head->slab; block; block = *(void **)block) {
        uintptr_t offset = (uintptr_t)block - start;
        ASSERT(offset < blocks * size && offset % size == 0);
        ASSERT(++free <= blocks);
    }
    ASSERT(free + atomic_load_explicit(&head->count, memory_order_relaxed) == blocks);
}

void kheap_check(void) {
    for (unsigned class = 0; kheap_ready && class < CLASSES; class++) {
        SPIN_GUARD(&classes[class].lock);
        list_for_each(node, &classes[class].partial)
            slab_check_locked(class, list_entry(node, struct page, link));
    }
}

/* ---- The audit ---- */

struct census {
    uint64_t pages, runs, run_pages;
    uint64_t slabs[CLASSES], blocks[CLASSES]; /* blocks: handed out, or in a CPU's cache */
};

static void census_add(void *context, struct page *page) {
    struct census *census = context;
    if (page->state != PAGE_HEAP)
        return;
    uint32_t count = atomic_load_explicit(&page->count, memory_order_relaxed);
    census->pages++;
    if (page->pins && page->order == CLASS_RUN) {
        census->runs++;
        census->run_pages += count;
    } else if (page->pins && page->order < CLASSES) {
        census->slabs[page->order]++;
        census->blocks[page->order] += count;
    }
}

static uint64_t slabs_counted(unsigned class) {
    SPIN_GUARD(&classes[class].lock);
    return classes[class].slabs;
}

/* Other CPUs may be at work: what is wrong once is looked at again (vm/audit.h). */
NO_SANITIZE_THREAD static uint64_t blocks_counted(unsigned class) {
    uint64_t blocks = (uint64_t)class_used(class);
    for (unsigned cpu = 0; cpu < MAX_CPUS; cpu++)
        blocks += block_caches[cpu][class].count;
    return blocks;
}

void kheap_audit(kheap_differs *fn, void *context) {
    struct census census = {0};
    pmm_for_each(census_add, &census);
    const uint64_t pairs[][2] = {
        {(uint64_t)atomic_load(&bytes_total), census.pages * PAGE_SIZE},
        {(uint64_t)atomic_load(&runs_used), census.runs},
        {(uint64_t)atomic_load(&run_bytes), census.run_pages * PAGE_SIZE},
    };
    for (unsigned i = 0; i < ARRAY_SIZE(pairs); i++)
        if (pairs[i][0] != pairs[i][1])
            fn(context, i, pairs[i][0], pairs[i][1]);
    for (unsigned class = 0; class < CLASSES; class++) {
        if (slabs_counted(class) != census.slabs[class])
            fn(context, class_sizes[class], slabs_counted(class), census.slabs[class]);
        if (blocks_counted(class) != census.blocks[class])
            fn(context, class_sizes[class] + 1u, blocks_counted(class), census.blocks[class]);
    }
}
