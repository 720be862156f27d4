/*
 * boot_internal.h - what the readers of the loaders' tables share.
 */
#pragma once

#include "arch/boot.h"

/* Collect boot_info from the loader's tables. */
void boot_collect(void);
/* One per protocol; `info` is the physical address that the loader left in EBX. */
void boot_read_multiboot2(uint64_t info);
void boot_read_pvh(uint64_t info);

/* Forget everything; then the readers; then cut out image, initrd and what is reserved. */
void boot_begin(void);
void boot_finish(uint64_t image_base, uint64_t image_end);
/* One range of the firmware's map, as it comes. */
void boot_add_memory(uint64_t base, uint64_t length, bool usable);
/* A range that is not usable, whatever the map says. */
void boot_reserve(uint64_t base, uint64_t length);
/* [address, +length) through the first physical map; fails the boot if it is not there. */
const void *boot_low_memory(uint64_t address, uint64_t length, const char *what);
/* `max` bytes are readable at `text`. */
void boot_copy_cmdline(const char *text, size_t max);
/* Take usable pages below `limit` for the kernel, for good; 0 if there are none. */
paddr_t boot_take_pages(size_t count, uint64_t limit);
