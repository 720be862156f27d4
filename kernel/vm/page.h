/*
 * page.h - the record of one frame of RAM, and who owns the frame.
 *
 * There is one record for each frame of usable RAM (and of the initrd), none for
 * holes. A frame has exactly one owner state; page_set_state checks the state it
 * leaves, so a page table can never become a user page by mistake (P02), and
 * vm/vmo.c asserts PAGE_VMO wherever it maps.
 */
#pragma once

#include <stdatomic.h>

#include "arch/mmu.h"
#include "lib/assert.h"
#include "lib/list.h"
#include "lib/types.h"

enum page_state {
    PAGE_FREE,   /* in the buddy lists */
    PAGE_CACHED, /* in a CPU's cache of free pages */
    PAGE_LOADER, /* holds what the loader brought */
    PAGE_WIRED,  /* the kernel's for ever: records, the zero page */
    PAGE_HEAP,   /* slabs and large blocks of kheap.c */
    PAGE_STACK,  /* kernel stacks */
    PAGE_TABLE,  /* page tables */
    PAGE_VMO,    /* a slot of a page map holds it */
    PAGE_STATES,
};

struct page {
    union {
        struct list_node link; /* free lists, slab lists */
        struct {
            uint64_t mark;     /* PAGE_VMO: epoch of the last attribution walk */
            uint64_t audit;    /* PAGE_VMO, PAGE_TABLE: the audit's; garbage to all others */
        };
    };
    _Atomic uint32_t count;    /* PAGE_VMO: leaf slots that hold it; PAGE_HEAP: blocks in use */
    _Atomic uint8_t state;     /* enum page_state; a neighbour's free looks at it too */
    union {
        uint8_t order;         /* of a free block; class of a slab */
        uint8_t dirt;          /* PAGE_VMO under a pager, and zero pages: enum page_dirt */
    };
    uint16_t pins;             /* PAGE_VMO: DMA pins */
    void *slab;                /* PAGE_HEAP: free blocks, or the head page of a run */
};
_Static_assert(sizeof(struct page) == 32, "a page record is at most 32 bytes");

/* What a pager has to know of a page. Those without a pager are as if they were dirty. */
enum page_dirt {
    PAGE_CLEAN,    /* as the pager supplied it, or wrote it back */
    PAGE_DIRTY,    /* written since */
    PAGE_AWAITING, /* being written back */
    PAGE_DIRTS,
};

/*
 * A stretch of RAM with records. The first is the largest, so that the way between a
 * frame and its record nearly always ends at the first comparison; pmm.c fills them
 * in once.
 */
struct page_span {
    uint64_t first_frame, frame_count;
    struct page *pages;
};
extern struct page_span page_first_span;

paddr_t page_address_elsewhere(const struct page *page);
ALWAYS_INLINE paddr_t page_address(const struct page *page) {
    uint64_t index = (uint64_t)(page - page_first_span.pages);
    if (likely(index < page_first_span.frame_count))
        return paddr((page_first_span.first_frame + index) << PAGE_SHIFT);
    return page_address_elsewhere(page);
}
/* Through the physical map. */
ALWAYS_INLINE void *page_contents(const struct page *page) {
    return phys_to_virt(page_address(page));
}
/* The record of the frame that holds `address`; NULL for holes. */
struct page *page_find(paddr_t address);
/* The same for what is known to be RAM. */
struct page *page_of(paddr_t address);

/*
 * The zero pages: frames of zeros, one for each kind of dirt (pmm.c). Where a page
 * map holds their records they are markers; they are shown to user code read-only.
 */
extern struct page *page_zeros; /* PAGE_DIRTS records in a row */
ALWAYS_INLINE bool page_is_zero(const struct page *page) {
    return (uintptr_t)page - (uintptr_t)page_zeros < PAGE_DIRTS * sizeof(struct page);
}

void page_state_failed(const struct page *page, enum page_state from, enum page_state to)
    NORETURN COLD;
