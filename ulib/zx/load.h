/*
 * load.h - an ELF file into an address space.
 */
#pragma once

#include <jacinth/launch.h>
#include <zircon/types.h>

struct loaded {
    zx_handle_t region; /* the caller's: the region that holds the segments */
    uintptr_t base;     /* added to the file's addresses */
    uintptr_t entry;
};

/*
 * Map a program into a region of its own inside `vmar`. Read-only segments are the
 * file's own pages, writable ones a clone of them. The file's handle needs READ, MAP,
 * DUPLICATE and EXECUTE. On failure *out_reason tells what was wrong with the file, or
 * NULL if it was not the file, and nothing stays mapped.
 */
zx_status_t load_elf(zx_handle_t vmar, const struct jx_file *file, struct loaded *out_loaded,
                     const char **out_reason);
