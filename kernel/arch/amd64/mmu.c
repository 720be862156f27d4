/*
 * mmu.c - edit the page table of an address space.
 *
 * Four levels of 512 entries. How many entries of a table are in use stands in
 * bits 52 to 61 of the entry that points to it, which the processor ignores, so
 * that a table which becomes empty is noticed at once and leaves through the
 * batch: it is freed only after the flush, because a processor may still walk it.
 * The batch chains such tables through their first word; a page-aligned address
 * there reads as an absent entry.
 *
 * Write permission is taken from a whole table by clearing it in the entry that
 * points to the table, which says so in its WITHHELD bit. It comes back only in
 * give_write_back, which first clears it in each of the 512 entries, because the
 * table may serve several views. Clearing too much costs a fault, nothing else.
 *
 * Who calls holds the lock beside the table; other CPUs' hardware only reads
 * entries (and sets accessed and dirty bits, which are always set here already).
 */
#include "arch/mmu.h"

#include "arch/amd64/amd64.h"
#include "arch/amd64/paging.h"
#include "arch/amd64/regs.h"
#include "arch/upcall.h"
#include "lib/assert.h"

/* In an entry that points to a last-level table: write permission is withheld from all of it. */
#define PTE_WITHHELD ((uint64_t)1 << 9)

#define NO_TABLE   UINT64_MAX
#define TABLE_BITS (PTE_PRESENT | PTE_WRITE | PTE_USER | PTE_ACCESSED)

/* Entry bits of each combination of MMU_* bits: one load instead of a chain of tests. */
#define BITS_1(p)                                                                                  \
    (PTE_PRESENT | PTE_ACCESSED | ((p) & MMU_WRITE ? PTE_WRITE | PTE_DIRTY : 0) |                  \
     ((p) & MMU_USER ? PTE_USER : 0) | ((p) & MMU_EXECUTE ? 0 : PTE_NX) |                          \
     ((p) & MMU_UNCACHED          ? PTE_PCD | PTE_PWT                                              \
      : (p) & MMU_WRITE_COMBINING ? PTE_PWT                                                        \
                                  : 0))
#define BITS_4(p)  BITS_1(p), BITS_1((p) + 1), BITS_1((p) + 2), BITS_1((p) + 3)
#define BITS_16(p) BITS_4(p), BITS_4((p) + 4), BITS_4((p) + 8), BITS_4((p) + 12)
static const uint64_t bits_of_prot[64] = {BITS_16(0), BITS_16(16), BITS_16(32), BITS_16(48)};

uint64_t paging_bits(unsigned prot) {
    return bits_of_prot[prot & 63];
}

unsigned paging_prot(uint64_t entry) {
    unsigned prot = MMU_READ;
    if (entry & PTE_WRITE)
        prot |= MMU_WRITE;
    if (!(entry & PTE_NX))
        prot |= MMU_EXECUTE;
    if (entry & PTE_USER)
        prot |= MMU_USER;
    if (entry & PTE_PCD)
        prot |= MMU_UNCACHED;
    else if (entry & PTE_PWT)
        prot |= MMU_WRITE_COMBINING;
    return prot;
}

uint64_t *mmu_root(const struct mmu *mmu) {
    return phys_to_virt(mmu->root);
}

/* ---- Life ---- */

status_t mmu_create(struct mmu *mmu) {
    paddr_t page;
    status_t status = upcall_table_page_alloc(&page);
    if (status != OK)
        return status;
    mmu->root = page;
    mmu->table_pages = 1;
    mmu->near_tag = NO_TABLE;
    atomic_init(&mmu->loaded, 0);
    mmu->io = (struct io_ports){0};
    kernel_root_copy(phys_to_virt(page));
    return OK;
}

/* Free the tables below `table`, of whose entries `count` are present; pages are at level 1. */
static void free_tables(uint64_t *table, unsigned count, unsigned level) {
    for (unsigned i = 0; count > 0; i++) {
        if (!(table[i] & PTE_PRESENT))
            continue;
        count--;
        if (level > 2)
            free_tables(entry_table(table[i]), entry_count(table[i]), level - 1);
        upcall_table_page_free(paddr(table[i] & PTE_ADDRESS));
    }
}

static unsigned count_root_entries(const uint64_t *root) {
    unsigned count = 0;
    for (unsigned i = 0; i < ROOT_USER_ENTRIES; i++)
        count += root[i] & PTE_PRESENT;
    return count;
}

static void load_kernel_root(void *context) {
    if (amd64_this()->loaded == context)
        mmu_activate(NULL);
}

void mmu_destroy(struct mmu *mmu) {
    struct arch_thread *me = (struct arch_thread *)thread_current();
    if (me && me->mmu == mmu)
        me->mmu = NULL; /* the last of its threads: it goes on with the kernel's table */
    uint64_t loaded = atomic_load(&mmu->loaded);
    if (loaded)
        cpu_call(loaded, load_kernel_root, mmu);
    ASSERT(atomic_load(&mmu->loaded) == 0);
    io_ports_free(mmu);
    if (mmu->table_pages > 1)
        free_tables(mmu_root(mmu), count_root_entries(mmu_root(mmu)), 4);
    upcall_table_page_free(mmu->root);
    mmu->root = paddr(0);
    mmu->table_pages = 0;
}

void mmu_activate(struct mmu *mmu) {
    struct amd64_cpu *cpu = amd64_this();
    mmu_load(cpu, mmu);
    uint64_t version = mmu ? atomic_load(&mmu->io.version) : 0;
    if (unlikely(cpu->io_version != version))
        io_map_load(cpu, mmu, version);
}

/* ---- Install ---- */

/* The table below `*entry`, made if it is absent; `*parent` counts the entry's table. */
static uint64_t *descend(struct mmu *mmu, uint64_t *entry, uint64_t *parent) {
    if (likely(*entry & PTE_PRESENT))
        return entry_table(*entry);
    paddr_t page;
    if (upcall_table_page_alloc(&page) != OK)
        return NULL;
    *(volatile uint64_t *)entry = page.value | TABLE_BITS;
    if (parent)
        *parent += PTE_COUNT_ONE;
    mmu->table_pages++;
    return phys_to_virt(page);
}

/*
 * The last-level table for `va`; *out_parent is the entry that points to it. If
 * memory ends on the way, the empty tables above stay for the next try: some CPU
 * may have seen them.
 */
static uint64_t *table_for(struct mmu *mmu, vaddr_t va, uint64_t **out_parent) {
    uint64_t *root_entry = mmu_root(mmu) + root_index(va);
    uint64_t *pointers = descend(mmu, root_entry, NULL);
    if (unlikely(!pointers))
        return NULL;
    uint64_t *pointers_entry = pointers + pointers_index(va);
    uint64_t *directory = descend(mmu, pointers_entry, root_entry);
    if (unlikely(!directory))
        return NULL;
    uint64_t *parent = directory + directory_index(va);
    uint64_t *table = descend(mmu, parent, pointers_entry);
    if (likely(table)) {
        mmu->near_tag = va >> 21;
        mmu->near_parent = parent;
    }
    *out_parent = parent;
    return table;
}

/* Put entries into one table; returns how many were absent before. */
ALWAYS_INLINE unsigned fill(uint64_t *slot, const struct mmu_entry *entries, size_t count) {
    unsigned added = 0;
    for (const struct mmu_entry *entry = entries; entry < entries + count; entry++, slot++) {
        if (entry->address.value == MMU_SKIP)
            continue;
        uint64_t old = *slot, new = entry->address.value | bits_of_prot[entry->prot & 63];
        if (old & PTE_PRESENT) {
            ASSERT(((old ^ new) & PTE_ADDRESS) == 0);
            new = (old | (new & ~PTE_NX)) & (new | ~PTE_NX);
        } else {
            added++;
        }
        *(volatile uint64_t *)slot = new;
    }
    return added;
}

static void give_write_back(uint64_t *parent) {
    uint64_t *table = entry_table(*parent);
    for (unsigned i = 0; i < TABLE_ENTRIES; i++)
        *(volatile uint64_t *)&table[i] &= ~PTE_WRITE;
    *(volatile uint64_t *)parent = (*parent | PTE_WRITE) & ~PTE_WITHHELD;
}

static bool any_writable(const struct mmu_entry *entries, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (entries[i].address.value != MMU_SKIP && (entries[i].prot & MMU_WRITE))
            return true;
    return false;
}

static NOINLINE status_t install_range(struct mmu *mmu, vaddr_t va, const struct mmu_entry *entries,
                                       size_t count) {
    while (count > 0) {
        size_t here = MIN(count, (size_t)(TABLE_ENTRIES - table_index(va)));
        uint64_t *parent;
        uint64_t *table = table_for(mmu, va, &parent);
        if (!table)
            return ERR_NO_MEMORY;
        if (unlikely(*parent & PTE_WITHHELD) && any_writable(entries, here))
            give_write_back(parent);
        *parent += fill(table + table_index(va), entries, here) * PTE_COUNT_ONE;
        va += here * PAGE_SIZE;
        entries += here;
        count -= here;
    }
    return OK;
}

/* One fault after another falls into the table that was used last. */
status_t mmu_install(struct mmu *mmu, vaddr_t va, const struct mmu_entry *entries, size_t count) {
    DEBUG_ASSERT(is_page_aligned(va) && range_within(va, count * PAGE_SIZE, USER_TOP));
    if (unlikely(count != 1 || mmu->near_tag != va >> 21 || *mmu->near_parent & PTE_WITHHELD))
        return install_range(mmu, va, entries, count);
    uint64_t *parent = mmu->near_parent;
    *parent += fill(entry_table(*parent) + table_index(va), entries, 1) * PTE_COUNT_ONE;
    return OK;
}

/* ---- Take away ---- */

static void batch_add_table(struct mmu *mmu, struct tlb_batch *batch, uint64_t *entry) {
    uint64_t page = *entry & PTE_ADDRESS;
    mmu->near_tag = NO_TABLE;
    *(volatile uint64_t *)entry = 0;
    *(volatile uint64_t *)entry_table(page) = batch->tables.value;
    batch->tables = paddr(page);
    mmu->table_pages--;
}

/* Unhook the tables on the way to `va` that have no entry left, lowest first. */
static void discard_empty(struct mmu *mmu, vaddr_t va, struct tlb_batch *batch) {
    uint64_t *root_entry = mmu_root(mmu) + root_index(va);
    if (!(*root_entry & PTE_PRESENT))
        return;
    uint64_t *pointers_entry = entry_table(*root_entry) + pointers_index(va);
    if (*pointers_entry & PTE_PRESENT) {
        uint64_t *entry = entry_table(*pointers_entry) + directory_index(va);
        if ((*entry & PTE_PRESENT) && entry_count(*entry) == 0) {
            batch_add_table(mmu, batch, entry);
            *pointers_entry -= PTE_COUNT_ONE;
        }
        if (entry_count(*pointers_entry) == 0) {
            batch_add_table(mmu, batch, pointers_entry);
            *root_entry -= PTE_COUNT_ONE;
        }
    }
    if (entry_count(*root_entry) == 0)
        batch_add_table(mmu, batch, root_entry);
}

static void batch_add_page(struct tlb_batch *batch, vaddr_t va) {
    if (batch->count < TLB_BATCH_PAGES)
        batch->pages[batch->count++] = va;
    else
        batch->everything = true;
}

/* Entries were taken away: whoever has the table loaded now may remember them. */
static void batch_add_cpus(struct mmu *mmu, struct tlb_batch *batch) {
    atomic_thread_fence(memory_order_seq_cst);
    batch->cpus |= atomic_load_explicit(&mmu->loaded, memory_order_relaxed);
}

/*
 * The entry of the lowest table on the way to `va` if it exists, else NULL and
 * *out_skip is how many bytes from `va` have none either.
 */
static uint64_t *find_directory_entry(const struct mmu *mmu, vaddr_t va, uint64_t *out_skip) {
    uint64_t entry = mmu_root(mmu)[root_index(va)];
    *out_skip = GIB(512) - (va & (GIB(512) - 1));
    if (!(entry & PTE_PRESENT))
        return NULL;
    entry = entry_table(entry)[pointers_index(va)];
    *out_skip = GIB(1) - (va & (GIB(1) - 1));
    if (!(entry & PTE_PRESENT))
        return NULL;
    uint64_t *found = entry_table(entry) + directory_index(va);
    *out_skip = MIB(2) - (va & (MIB(2) - 1));
    return *found & PTE_PRESENT ? found : NULL;
}

/* Clear up to `count` entries of one table; returns how many were present. */
static unsigned clear_entries(uint64_t *slot, size_t count, vaddr_t va, struct tlb_batch *batch) {
    unsigned removed = 0;
    if (count > TLB_BATCH_PAGES || batch->everything) {
        for (size_t i = 0; i < count; i++) {
            if (slot[i]) {
                *(volatile uint64_t *)&slot[i] = 0;
                removed++;
            }
        }
        batch->everything |= removed > 0;
        return removed;
    }
    for (size_t i = 0; i < count; i++) {
        if (slot[i]) {
            *(volatile uint64_t *)&slot[i] = 0;
            batch_add_page(batch, va + i * PAGE_SIZE);
            removed++;
        }
    }
    return removed;
}

/* Returns whether a CPU may remember something of it. */
static bool clear_table(struct mmu *mmu, uint64_t *entry, vaddr_t va, size_t count,
                        struct tlb_batch *batch) {
    if (count == TABLE_ENTRIES) { /* the whole table goes, as it is */
        *entry &= ~PTE_COUNT_MASK;
        batch->everything = true;
    } else {
        unsigned removed = clear_entries(entry_table(*entry) + table_index(va), count, va, batch);
        if (removed == 0)
            return false;
        *entry -= removed * PTE_COUNT_ONE;
    }
    if (entry_count(*entry) == 0)
        discard_empty(mmu, va, batch);
    return true;
}

static NOINLINE void clear_range(struct mmu *mmu, vaddr_t va, size_t count,
                                 struct tlb_batch *batch) {
    vaddr_t end = va + count * PAGE_SIZE;
    bool any = false;
    while (va < end) {
        uint64_t skip;
        uint64_t *entry = find_directory_entry(mmu, va, &skip);
        skip = MIN(skip, end - va);
        if (entry)
            any |= clear_table(mmu, entry, va, skip / PAGE_SIZE, batch);
        va += skip;
    }
    if (any)
        batch_add_cpus(mmu, batch);
}

/* The commonest case is one page of the table used last, where nothing is. */
void mmu_clear(struct mmu *mmu, vaddr_t va, size_t count, struct tlb_batch *batch) {
    DEBUG_ASSERT(is_page_aligned(va) && range_within(va, count * PAGE_SIZE, USER_TOP));
    if (count == 1 && mmu->near_tag == va >> 21 && !entry_table(*mmu->near_parent)[table_index(va)])
        return;
    clear_range(mmu, va, count, batch);
}

/* Withhold writing from whole tables; returns whether any of them had it. */
static bool withhold_writing(uint64_t *entry, size_t count) {
    bool any = false;
    _Pragma("clang loop unroll_count(4)") for (size_t i = 0; i < count; i++) {
        uint64_t old = entry[i];
        if ((old & (PTE_PRESENT | PTE_WRITE)) != (PTE_PRESENT | PTE_WRITE))
            continue;
        *(volatile uint64_t *)&entry[i] = old ^ (PTE_WRITE | PTE_WITHHELD);
        any = true;
    }
    return any;
}

/* End writing through entries of one table; one that is absent is zero, and stays so. */
static bool end_writing(uint64_t *slot, size_t count) {
    uint64_t seen = 0;
    _Pragma("clang loop unroll_count(4)") for (size_t i = 0; i < count; i++) {
        uint64_t old = slot[i];
        seen |= old;
        *(volatile uint64_t *)&slot[i] = old & ~PTE_WRITE;
    }
    return seen & PTE_WRITE;
}

/* Some entries of one table; returns whether a CPU may remember more than they say now. */
static bool restrict_entries(uint64_t *slot, size_t count, vaddr_t va, uint64_t forbid,
                             uint64_t set, struct tlb_batch *batch) {
    bool any = false;
    if (count > TLB_BATCH_PAGES && !set) {
        any = forbid && end_writing(slot, count);
        batch->everything |= any;
        return any;
    }
    for (size_t i = 0; i < count; i++) {
        uint64_t old = slot[i], new = (old & ~forbid) | set;
        if (!(old & PTE_PRESENT) || old == new)
            continue;
        *(volatile uint64_t *)&slot[i] = new;
        batch_add_page(batch, va + i * PAGE_SIZE);
        any = true;
    }
    return any;
}

void mmu_restrict(struct mmu *mmu, vaddr_t va, size_t count, unsigned prot,
                  struct tlb_batch *batch) {
    vaddr_t end = va + count * PAGE_SIZE;
    uint64_t forbid = (prot & MMU_WRITE ? 0 : PTE_WRITE), set = (prot & MMU_EXECUTE ? 0 : PTE_NX);
    bool any = false;
    if (!(prot & MMU_READ)) {
        mmu_clear(mmu, va, count, batch);
        return;
    }
    while (va < end) {
        uint64_t skip;
        uint64_t *entry = find_directory_entry(mmu, va, &skip);
        skip = MIN(skip, end - va);
        if (entry && skip == MIB(2) && forbid && !set) { /* only writing ends */
            size_t tables = MIN((end - va) / MIB(2), TABLE_ENTRIES - directory_index(va));
            if (withhold_writing(entry, tables))
                batch->everything = any = true;
            skip = tables * MIB(2);
        } else if (entry) {
            any |= restrict_entries(entry_table(*entry) + table_index(va), skip / PAGE_SIZE, va,
                                    forbid, set, batch);
        }
        va += skip;
    }
    if (any)
        batch_add_cpus(mmu, batch);
}

/* ---- Look ---- */

bool mmu_next(const struct mmu *mmu, vaddr_t va, vaddr_t end, vaddr_t *out_va, paddr_t *out_address,
              unsigned *out_prot) {
    end = MIN(end, USER_TOP);
    while (va < end) {
        uint64_t skip;
        uint64_t *entry = find_directory_entry(mmu, va, &skip);
        vaddr_t stop = va + MIN(skip, end - va);
        uint64_t *slot = entry ? entry_table(*entry) + table_index(va) : NULL;
        for (; slot && va < stop; va += PAGE_SIZE, slot++) {
            if (!(*slot & PTE_PRESENT))
                continue;
            *out_va = va;
            *out_address = paddr(*slot & PTE_ADDRESS);
            *out_prot = paging_prot(*slot) & (*entry & PTE_WITHHELD ? ~MMU_WRITE : ~0u);
            return true;
        }
        va = stop;
    }
    return false;
}

bool mmu_query(const struct mmu *mmu, vaddr_t va, paddr_t *out_address, unsigned *out_prot) {
    vaddr_t page = round_down(va, PAGE_SIZE), found;
    if (va >= USER_TOP || !mmu_next(mmu, page, page + PAGE_SIZE, &found, out_address, out_prot))
        return false;
    out_address->value += va & PAGE_MASK;
    return true;
}

static void each_table(const uint64_t *table, unsigned entries, unsigned level,
                       void (*fn)(void *, paddr_t), void *context) {
    for (unsigned i = 0; i < entries; i++) {
        if (!(table[i] & PTE_PRESENT))
            continue;
        fn(context, paddr(table[i] & PTE_ADDRESS));
        if (level > 2)
            each_table(entry_table(table[i]), TABLE_ENTRIES, level - 1, fn, context);
    }
}

void mmu_for_each_table(const struct mmu *mmu, void (*fn)(void *context, paddr_t table),
                        void *context) {
    fn(context, mmu->root);
    each_table(mmu_root(mmu), ROOT_USER_ENTRIES, 4, fn, context);
    io_ports_for_each_page(mmu, fn, context);
}

/* The entries of a table at `level` that count what lies below them. */
static uint64_t wrong_counts(const uint64_t *table, unsigned entries, unsigned level) {
    uint64_t wrong = 0;
    for (unsigned i = 0; i < entries; i++) {
        unsigned present = 0;
        if (!(table[i] & PTE_PRESENT))
            continue;
        const uint64_t *below = entry_table(table[i]);
        for (unsigned j = 0; j < TABLE_ENTRIES; j++)
            present += below[j] & PTE_PRESENT;
        wrong += present != entry_count(table[i]);
        if (level > 2)
            wrong += wrong_counts(below, TABLE_ENTRIES, level - 1);
    }
    return wrong;
}

uint64_t mmu_wrong_counts(const struct mmu *mmu) {
    return wrong_counts(mmu_root(mmu), ROOT_USER_ENTRIES, 4);
}
