/*
 * arch/inline_mmu.h (host) - a page table that no hardware reads.
 *
 * The kernel's range is memory of this process, so its base is found at run time.
 */
#pragma once

#include <stdatomic.h>

#include "arch/io_ports.h"
#include "lib/types.h"

struct mmu {
    paddr_t root;             /* the top table page, in the arena */
    _Atomic uint64_t loaded;  /* CPUs that have it loaded */
    uint64_t table_pages;     /* the root included */
    struct io_ports io;
};

vaddr_t host_kva_base(void);
#define KVA_BASE host_kva_base()
#define KVA_SIZE ((uint64_t)1 << 33)

void *phys_to_virt(paddr_t address);
paddr_t virt_to_phys(const void *address);

bool arch_set_no_fault(bool no_fault);
bool arch_store_user_u32(vaddr_t to, uint32_t value);
