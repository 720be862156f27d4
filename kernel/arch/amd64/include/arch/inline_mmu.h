/*
 * inline_mmu.h - the page table of one address space, for amd64.
 */
#pragma once

#include <stdatomic.h>

#include "lib/types.h"

struct mmu {
    paddr_t root;            /* the top-level table; set once */
    _Atomic uint64_t loaded; /* CPUs whose CR3 holds it */
    uint64_t table_pages;    /* lower-half tables and the root; under the caller's lock */
};
