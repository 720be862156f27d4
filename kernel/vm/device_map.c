/*
 * device_map.c - windows in the kernel's range, above all stacks.
 */
#include "vm/device_map.h"

#include "arch/mmu.h"
#include "arch/spinlock.h"

#define WINDOWS_BASE (KVA_BASE + ((vaddr_t)1 << 32))
#define WINDOWS      256u

static struct spinlock lock = SPINLOCK_INIT(RANK_HEAP - 1, "windows");
static bool taken[WINDOWS]; /* under lock */

static bool window_take(unsigned *out_window) {
    SPIN_GUARD(&lock);

    for (unsigned i = 0; i < WINDOWS; i++) {
        if (taken[i])
            continue;
        taken[i] = true;
        *out_window = i;
        return true;
    }
    return false;
}

static void window_give(unsigned window) {
    SPIN_GUARD(&lock);

    taken[window] = false;
}

void *device_map(paddr_t page) {
    unsigned window;

    if (!window_take(&window))
        return NULL;
    vaddr_t va = WINDOWS_BASE + window * PAGE_SIZE;
    if (mmu_kernel_map(va, page, 1, MMU_READ | MMU_WRITE | MMU_UNCACHED) != OK) {
        window_give(window);
        return NULL;
    }
    return (void *)va;
}

void device_unmap(void *window) {
    mmu_kernel_unmap((vaddr_t)window, 1);
    window_give((unsigned)(((vaddr_t)window - WINDOWS_BASE) / PAGE_SIZE));
}
