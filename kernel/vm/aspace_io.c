/*
 * aspace_io.c - the I/O ports that code in an address space may use.
 */
#include "vm/aspace.h"

/* Once, for the first who asks: every CPU gets room for a map of ports. */
static status_t prepare(void) {
    static struct mutex lock = MUTEX_INIT(RANK_KVA, "io ports");
    static bool done;
    MUTEX_GUARD(&lock);

    status_t status = done ? OK : io_ports_prepare();
    done = status == OK;
    return status;
}

static status_t allow(struct aspace *aspace, uint32_t first, uint32_t count) {
    MUTEX_GUARD(&aspace->mmu_lock);

    return io_ports_allow(&aspace->mmu, first, count);
}

status_t aspace_allow_io(struct aspace *aspace, uint32_t first, uint32_t count) {
    status_t status = prepare();

    if (status == OK)
        status = allow(aspace, first, count);
    if (status == OK)
        io_ports_publish(&aspace->mmu);
    return status;
}
