/*
 * load.h - an ELF file into an address space.
 */
#pragma once

#include <jacinth/launch.h>
#include <zircon/types.h>

#include "lib/elf.h"

struct loaded {
    zx_handle_t region; /* the caller's: the region that holds the segments */
    uintptr_t base;     /* added to the file's addresses */
    uintptr_t entry;
    uint64_t stack_size; /* that the file asks for; 0: it does not */
};

/* Reads a file's headers. On failure *out_reason tells what is wrong with it. */
zx_status_t load_parse(const struct jx_file *file, struct elf_image *out_image,
                       const char **out_reason);

/*
 * Map a program into a region of its own inside `vmar`. Read-only segments are the
 * file's own pages, writable ones a clone of them. The file's handle needs READ, MAP,
 * DUPLICATE and EXECUTE. On failure nothing stays mapped.
 */
zx_status_t load_image(zx_handle_t vmar, const struct jx_file *file,
                       const struct elf_image *image, struct loaded *out_loaded);
