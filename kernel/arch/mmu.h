/*
 * mmu.h - one address space's page table, and flushing what CPUs remember.
 *
 * The table code takes no lock: the caller in vm/ holds the lock beside the
 * table (RANK_MMU). It gets table pages by upcall_table_page_alloc. It only ever
 * makes absent entries present or raises permission of the same frame; whatever
 * takes a translation away records it in a tlb_batch, and tlb_flush must end
 * before the frame or a reference to it is given up.
 *
 * struct mmu and struct arch-private parts are defined in arch/inline_mmu.h:
 * `root`, `loaded` (atomic set of CPUs that have it loaded), `table_pages`, and `io` (arch/io_ports.h),
 * whose pages count as tables.
 */
#pragma once

#include "arch/inline_mmu.h"
#include "lib/list.h"
#include "lib/types.h"

enum mmu_prot {
    MMU_READ = 1,
    MMU_WRITE = 2,
    MMU_EXECUTE = 4,
    MMU_USER = 8,
    MMU_UNCACHED = 16,       /* device memory */
    MMU_WRITE_COMBINING = 32,
};

/* User addresses are [USER_BASE, USER_TOP) on every target (ZX-ABI.md section 1.6). */
#define USER_BASE ((vaddr_t)0x200000)
#define USER_TOP  ((vaddr_t)0x7ffffffff000)

/*
 * What was taken away and not yet flushed. Lives on the stack of one operation;
 * may collect from several tables.
 */
#define TLB_BATCH_PAGES 16
struct tlb_batch {
    uint64_t cpus;           /* CPUs that may remember something */
    unsigned count;          /* of pages[]; more: everything */
    bool everything;
    vaddr_t pages[TLB_BATCH_PAGES];
    paddr_t tables;          /* emptied table pages, chained; freed after the flush */
};
ALWAYS_INLINE void tlb_batch_init(struct tlb_batch *batch) {
    batch->cpus = 0;
    batch->count = 0;
    batch->everything = false;
    batch->tables = paddr(0);
}
ALWAYS_INLINE bool tlb_batch_is_empty(const struct tlb_batch *batch) {
    return batch->cpus == 0 && batch->tables.value == 0;
}
/*
 * Make every CPU forget, wait for it, free the emptied tables, and leave the
 * batch empty. Interrupts on, no spinlock and no RANK_MMU lock held.
 */
void tlb_flush(struct tlb_batch *batch);

/* A new table: empty lower half, the kernel's upper half. ERR_NO_MEMORY. */
status_t mmu_create(struct mmu *mmu);
/* Free the table and all its lower-half table pages. No CPU has it loaded. */
void mmu_destroy(struct mmu *mmu);
/* Load it on this CPU (NULL: the kernel's own). Interrupts off. */
void mmu_activate(struct mmu *mmu);

/*
 * Install `count` pages at consecutive addresses from `va`. An entry with
 * address MMU_SKIP is left alone. An entry that is present already must show the
 * same frame; its permission is raised, never lowered. Raising needs no flush (a
 * stale entry faults once more). ERR_NO_MEMORY: no page for a table; what was
 * installed before stays.
 */
#define MMU_SKIP ((uint64_t)-1)
struct mmu_entry {
    paddr_t address;
    unsigned prot; /* MMU_* */
};
status_t mmu_install(struct mmu *mmu, vaddr_t va, const struct mmu_entry *entries, size_t count);
/* Remove entries; tables that become empty go into the batch. */
void mmu_clear(struct mmu *mmu, vaddr_t va, size_t count, struct tlb_batch *batch);
/* Reduce permission to what is in `prot` too; MMU_READ missing clears the entries. */
void mmu_restrict(struct mmu *mmu, vaddr_t va, size_t count, unsigned prot,
                  struct tlb_batch *batch);
/* What the table says about one address; false if absent. */
bool mmu_query(const struct mmu *mmu, vaddr_t va, paddr_t *out_address, unsigned *out_prot);
/*
 * The first present entry at or after `va` and below `end`; false if none. For
 * audits: walks of sparse tables cost their tables, not their range.
 */
bool mmu_next(const struct mmu *mmu, vaddr_t va, vaddr_t end, vaddr_t *out_va, paddr_t *out_address,
              unsigned *out_prot);
/* Call fn for each table page of the lower half, root and `io` included: table_pages in all (P12). */
void mmu_for_each_table(const struct mmu *mmu, void (*fn)(void *context, paddr_t table),
                        void *context);
/* Where the table keeps counts of its own entries: how many of them are wrong. For audits. */
uint64_t mmu_wrong_counts(const struct mmu *mmu);
/*
 * Call fn for each table page of the kernel's half that came from
 * upcall_table_page_alloc, and perhaps for others. For audits.
 */
void mmu_for_each_kernel_table(void (*fn)(void *context, paddr_t table), void *context);
/* Assert that all that a CPU needs is mapped in it as in the kernel's own (P10); debug. */
void mmu_verify(const struct mmu *mmu);

/* ---- The kernel's half ---- */
/*
 * void *phys_to_virt(paddr_t): all RAM is mapped there; device memory and holes are
 * not. paddr_t virt_to_phys(const void *): of any mapped kernel address; quick inside
 * the physical map. Both come from arch/inline_mmu.h.
 */
/* Is [address, +length) in the physical map (RAM)? */
bool phys_is_mapped(paddr_t address, uint64_t length);
/* Can the machine address it, and is none of it in the physical map? */
bool phys_is_device(paddr_t address, uint64_t length);

/* The range for stacks and device mappings; its top-level entries exist from boot. */
#ifndef KVA_BASE /* the host has it elsewhere */
#define KVA_BASE ((vaddr_t)0xffffc90000000000)
#define KVA_SIZE ((uint64_t)1 << 39)
#endif
/* Map or unmap pages of the kernel range in every address space. */
status_t mmu_kernel_map(vaddr_t va, paddr_t address, size_t count, unsigned prot);
void mmu_kernel_unmap(vaddr_t va, size_t count); /* flushes all CPUs itself; interrupts on */

/* ---- Copies that survive a bad address ---- */
/*
 * Copy between kernel memory and user addresses that the caller has checked to
 * lie in [0, USER_TOP). Return how many bytes were NOT copied. With
 * thread_current()'s no-fault flag set (arch_set_no_fault) a fault ends the copy
 * at once; otherwise it goes through upcall_page_fault first.
 */
size_t arch_copy_from_user(void *to, vaddr_t from, size_t length);
size_t arch_copy_to_user(vaddr_t to, const void *from, size_t length);
/* One aligned word; false on a fault. */
bool arch_load_user_u32(vaddr_t from, uint32_t *out_value);
/* One word to any address; false on a fault. */
bool arch_store_user_u64(vaddr_t to, uint64_t value);
/* In arch/inline_mmu.h: bool arch_store_user_u32(vaddr_t to, uint32_t value). Also there: bool arch_set_no_fault(bool no_fault) returns the previous setting. */

/* ---- Page contents ---- */
void arch_zero_page(void *page);
void arch_copy_page(void *to, const void *from);
/* What caches hold of the page is in memory, and forgotten by them. */
void arch_flush_page(const void *page);
