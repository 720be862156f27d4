/*
 * boot_tables.h - the readers of the loaders' tables, on tables in host memory.
 */
#pragma once

#include "arch/boot.h"

enum { TRY_MULTIBOOT2, TRY_PVH };

/*
 * Read tables of `protocol` from `memory`, which stands for physical memory from
 * BOOT_TRY_BASE on; the information starts there. The image is 2 to 3 MiB. False if
 * the boot failed; boot_try_message says why.
 */
#define BOOT_TRY_BASE 0x1000
bool boot_try(int protocol, const void *memory, size_t size);
extern char boot_try_message[256];
/* Are the ranges sorted, disjoint, page-aligned, and is the image in them? */
bool boot_try_ranges_are_sound(void);
