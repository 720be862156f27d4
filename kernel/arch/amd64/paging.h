/*
 * paging.h - walking page tables and loading them, inside this folder.
 */
#pragma once

#include "arch/amd64/amd64.h"
#include "arch/amd64/regs.h"

#define TABLE_ENTRIES     512
#define ROOT_USER_ENTRIES 256

ALWAYS_INLINE unsigned root_index(vaddr_t va) {
    return va >> 39 & 511;
}
ALWAYS_INLINE unsigned pointers_index(vaddr_t va) {
    return va >> 30 & 511;
}
ALWAYS_INLINE unsigned directory_index(vaddr_t va) {
    return va >> 21 & 511;
}
ALWAYS_INLINE unsigned table_index(vaddr_t va) {
    return va >> 12 & 511;
}

/* The table that an entry points to. */
ALWAYS_INLINE uint64_t *entry_table(uint64_t entry) {
    return (uint64_t *)(PHYSICAL_MAP + (entry & PTE_ADDRESS));
}
ALWAYS_INLINE unsigned entry_count(uint64_t entry) {
    return (unsigned)((entry & PTE_COUNT_MASK) >> PTE_COUNT_SHIFT);
}
/* MMU_* bits to entry bits and back. */
uint64_t paging_bits(unsigned prot);
unsigned paging_prot(uint64_t entry);
/* The leaf entry (of any size) that translates `va`, and its size; NULL if absent. */
uint64_t *paging_find(uint64_t *root, vaddr_t va, uint64_t *out_size);
uint64_t *mmu_root(const struct mmu *mmu);
/* What a CPU needs and `root` does not show as the kernel's own table does; NULL: all is there. */
const char *paging_find_missing(uint64_t *root);

/* The root only, without the ports, for the switch of threads. Interrupts off. */
ALWAYS_INLINE void mmu_load(struct amd64_cpu *cpu, struct mmu *mmu) {
    struct mmu *before = cpu->loaded;
    uint64_t bit = cpu_bit(cpu->cpu.id);
    /* Whoever clears an entry after this sees the bit; before, the load below sees the entry. */
    if (mmu)
        atomic_fetch_or(&mmu->loaded, bit);
    cpu->loaded = mmu;
    counter_bump(&cpu->cpu.counters.aspace_loads);
    cr3_write(mmu ? mmu->root.value : virt_to_phys(kernel_root).value);
    if (before && before != mmu)
        atomic_fetch_and(&before->loaded, ~bit);
}

/* After mmu_load: do the ports differ? Then io_map_load. */
ALWAYS_INLINE bool io_map_differs(const struct amd64_cpu *cpu, const struct mmu *mmu) {
    return cpu->io_version != atomic_load_explicit(&mmu->io.version, memory_order_acquire);
}
