/*
 * device_map.h - single pages that the kernel itself sees uncached, for as long as it needs.
 */
#pragma once

#include "lib/types.h"

/* Where the page can be read and written, in any context. NULL: no memory, or too many. */
void *device_map(paddr_t page) NODISCARD;
/* Interrupts on, no spinlock held. */
void device_unmap(void *window);
