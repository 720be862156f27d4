/*
 * reclaim.c - getting memory back, in the order of reclaim.h.
 */
#include "vm/reclaim.h"

#include "vm/kernel_thread.h"
#include "vm/kheap.h"
#include "vm/pmm.h"

bool reclaim_memory(void) {
    uint64_t before = pmm_free_pages();
    kheap_trim();
    if (pmm_free_pages() > before)
        return true;
    kernel_stacks_trim();
    if (pmm_free_pages() > before)
        return true;
    return vmo_reclaim() > 0;
}
