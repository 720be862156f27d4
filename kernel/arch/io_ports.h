/*
 * io_ports.h - the I/O ports that user code of one address space may use.
 *
 * Nearly all spaces may use none, and cost nothing. A space that was given ports has a map of
 * those that are denied, a bit for each, in one or two pages. `version` is a number that no
 * other state of any map ever has; so a CPU knows from the number alone whether what it
 * remembers is still right, even when a space has died and another lies in its place.
 */
#pragma once

#include <stdatomic.h>

#include "lib/types.h"

#define IO_PORTS          65536u
#define IO_PORTS_PER_PAGE (PAGE_SIZE * 8)
#define IO_MAP_PAGES      (IO_PORTS / IO_PORTS_PER_PAGE)

struct io_ports {
    /* Under the lock beside the table; CPUs read them after the version. */
    paddr_t denied[IO_MAP_PAGES]; /* 0: all of these are denied */
    _Atomic uint64_t version;     /* 0: no port is allowed */
};

struct mmu;
/*
 * Make room on every CPU for the map of whichever space it runs. For a thread, one at a time;
 * after OK there is nothing to do any more. ERR_NO_MEMORY: may be tried again.
 */
status_t io_ports_prepare(void);
/*
 * Allow ports [first, first + count), which is at most IO_PORTS. The caller holds the lock
 * beside the table. ERR_NO_MEMORY: nothing is allowed that was not.
 */
status_t io_ports_allow(struct mmu *mmu, uint32_t first, uint32_t count);
/* CPUs that run the space learn of it before this returns. Interrupts on, no spinlock held. */
void io_ports_publish(struct mmu *mmu);

/* For arch's files: the pages of the map, which count as the space's tables. */
void io_ports_free(struct mmu *mmu);
void io_ports_for_each_page(const struct mmu *mmu, void (*fn)(void *context, paddr_t page),
                            void *context);
