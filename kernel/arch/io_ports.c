/*
 * io_ports.c - the map of denied ports; see io_ports.h.
 */
#include "arch/io_ports.h"

#include "arch/mmu.h"
#include "arch/upcall.h"
#include "lib/string.h"

static uint64_t new_version(void) {
    static _Atomic uint64_t last;

    return atomic_fetch_add(&last, 1) + 1;
}

static status_t need_page(struct mmu *mmu, unsigned index) {
    paddr_t page;

    if (mmu->io.denied[index].value)
        return OK;
    status_t status = upcall_table_page_alloc(&page);
    if (status != OK)
        return status;
    memset(phys_to_virt(page), 0xff, PAGE_SIZE);
    mmu->io.denied[index] = page;
    mmu->table_pages++;
    return OK;
}

static void allow(struct mmu *mmu, uint32_t port) {
    uint8_t *bits = phys_to_virt(mmu->io.denied[port / IO_PORTS_PER_PAGE]);

    bits[port % IO_PORTS_PER_PAGE / 8] &= (uint8_t)~(1u << port % 8);
}

status_t io_ports_allow(struct mmu *mmu, uint32_t first, uint32_t count) {
    if (count == 0)
        return OK;
    for (uint32_t i = first / IO_PORTS_PER_PAGE; i <= (first + count - 1) / IO_PORTS_PER_PAGE; i++) {
        status_t status = need_page(mmu, i);
        if (status != OK)
            return status; /* a page made before denies all */
    }
    for (uint32_t port = first; port < first + count; port++)
        allow(mmu, port);
    atomic_store(&mmu->io.version, new_version());
    return OK;
}

void io_ports_free(struct mmu *mmu) {
    for (unsigned i = 0; i < IO_MAP_PAGES; i++) {
        if (!mmu->io.denied[i].value)
            continue;
        upcall_table_page_free(mmu->io.denied[i]);
        mmu->io.denied[i] = paddr(0);
        mmu->table_pages--;
    }
}

void io_ports_for_each_page(const struct mmu *mmu, void (*fn)(void *context, paddr_t page),
                            void *context) {
    for (unsigned i = 0; i < IO_MAP_PAGES; i++)
        if (mmu->io.denied[i].value)
            fn(context, mmu->io.denied[i]);
}
