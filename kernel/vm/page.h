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
            uint64_t unused;
        };
    };
    _Atomic uint32_t count;    /* PAGE_VMO: leaf slots that hold it; PAGE_HEAP: blocks in use */
    _Atomic uint8_t state;     /* enum page_state; a neighbour's free looks at it too */
    uint8_t order;             /* of a free block; class of a slab */
    uint16_t pins;             /* PAGE_VMO: DMA pins */
    void *slab;                /* PAGE_HEAP: free blocks, or the head page of a run */
};
_Static_assert(sizeof(struct page) == 32, "a page record is at most 32 bytes");

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

void page_state_failed(const struct page *page, enum page_state from, enum page_state to)
    NORETURN COLD;
