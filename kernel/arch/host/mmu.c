/*
 * mmu.c - the software page table: four levels of 512 entries in arena pages.
 *
 * An entry is an address, MMU_* shifted left by one, and a present bit. Entries
 * are atomic, since a CPU may walk the table while its owner changes it; what a
 * change takes away goes into the batch as on a real machine (tlb.c).
 */
#include "arch/mmu.h"

#include "arch/host/host_internal.h"
#include "arch/upcall.h"
#include "lib/assert.h"

#define PRESENT  1u
#define LEVELS   4
#define ENTRIES  512
typedef _Atomic uint64_t table_entry;

static table_entry *table_at(uint64_t entry) {
    return phys_to_virt(paddr(HOST_ENTRY_ADDRESS(entry)));
}

/* The index of `va` in a table whose entries span 512^level pages. */
static unsigned index_at(vaddr_t va, unsigned level) {
    return (unsigned)(va >> (PAGE_SHIFT + 9 * level)) % ENTRIES;
}

static uint64_t load(table_entry *entry) {
    return atomic_load_explicit(entry, memory_order_acquire);
}

status_t mmu_create(struct mmu *mmu) {
    paddr_t root;
    status_t status = upcall_table_page_alloc(&root);

    if (status != OK)
        return status;
    mmu->root = root;
    atomic_init(&mmu->loaded, 0);
    mmu->table_pages = 1;
    mmu->io = (struct io_ports){0};
    return OK;
}

static void free_tables(struct mmu *mmu, uint64_t table, unsigned level) {
    table_entry *entries = table_at(table);

    for (unsigned i = 0; level > 0 && i < ENTRIES; i++)
        if (load(&entries[i]) & PRESENT)
            free_tables(mmu, load(&entries[i]), level - 1);
    upcall_table_page_free(paddr(HOST_ENTRY_ADDRESS(table)));
    mmu->table_pages--;
}

void mmu_destroy(struct mmu *mmu) {
    ASSERT(atomic_load(&mmu->loaded) == 0);
    free_tables(mmu, mmu->root.value, LEVELS - 1);
    io_ports_free(mmu);
    ASSERT(mmu->table_pages == 0);
}

/* The leaf entry of `va`, or NULL where a table is missing. */
static table_entry *find_entry(const struct mmu *mmu, vaddr_t va) {
    uint64_t table = mmu->root.value | PRESENT;

    for (unsigned level = LEVELS - 1; level > 0; level--) {
        table = load(&table_at(table)[index_at(va, level)]);
        if (!(table & PRESENT))
            return NULL;
    }
    return &table_at(table)[index_at(va, 0)];
}

/* The same, with missing tables made. */
static status_t make_entry(struct mmu *mmu, vaddr_t va, table_entry **out_entry) {
    uint64_t table = mmu->root.value | PRESENT;

    for (unsigned level = LEVELS - 1; level > 0; level--) {
        table_entry *entry = &table_at(table)[index_at(va, level)];
        if (!(load(entry) & PRESENT)) {
            paddr_t page;
            status_t status = upcall_table_page_alloc(&page);
            if (status != OK)
                return status;
            mmu->table_pages++;
            atomic_store_explicit(entry, page.value | PRESENT, memory_order_release);
        }
        table = load(entry);
    }
    *out_entry = &table_at(table)[index_at(va, 0)];
    return OK;
}

static void check_range(vaddr_t va, size_t count) {
    ASSERT(is_page_aligned(va) && range_within(va, count * PAGE_SIZE, USER_TOP));
}

static void install_one(table_entry *entry, const struct mmu_entry *wanted) {
    uint64_t old = load(entry);
    unsigned prot = wanted->prot;

    ASSERT(is_page_aligned(wanted->address.value) && (prot & MMU_READ));
    if (old & PRESENT) {
        ASSERT(HOST_ENTRY_ADDRESS(old) == wanted->address.value);
        prot |= HOST_ENTRY_PROT(old);
    }
    atomic_store_explicit(entry, wanted->address.value | (uint64_t)prot << 1 | PRESENT,
                          memory_order_release);
}

status_t mmu_install(struct mmu *mmu, vaddr_t va, const struct mmu_entry *entries, size_t count) {
    check_range(va, count);
    for (size_t i = 0; i < count; i++) {
        table_entry *entry;
        if (entries[i].address.value == MMU_SKIP)
            continue;
        status_t status = make_entry(mmu, va + i * PAGE_SIZE, &entry);
        if (status != OK)
            return status;
        install_one(entry, &entries[i]);
    }
    return OK;
}

/* After the entry changed: note who may still remember the old one. */
static void batch_add(struct tlb_batch *batch, struct mmu *mmu, vaddr_t va) {
    atomic_thread_fence(memory_order_seq_cst);
    batch->cpus |= atomic_load(&mmu->loaded);
    if (batch->count < TLB_BATCH_PAGES)
        batch->pages[batch->count++] = va;
    else
        batch->everything = true;
}

static bool table_is_empty(uint64_t table) {
    table_entry *entries = table_at(table);

    for (unsigned i = 0; i < ENTRIES; i++)
        if (load(&entries[i]) & PRESENT)
            return false;
    return true;
}

/*
 * Unlink the tables on the way to `va` that became empty. A page's first word
 * links it to the batch; as an entry that word is not present, so a walk that is
 * still inside the page ends there.
 */
static void prune(struct mmu *mmu, vaddr_t va, struct tlb_batch *batch) {
    for (unsigned depth = 1; depth < LEVELS; depth++) {
        uint64_t table = mmu->root.value | PRESENT;
        table_entry *link = NULL;
        for (unsigned level = LEVELS - 1; level >= depth; level--) {
            link = &table_at(table)[index_at(va, level)];
            table = load(link);
            if (!(table & PRESENT))
                break;
        }
        if (!(table & PRESENT))
            continue;
        if (!table_is_empty(table))
            return;
        atomic_store(link, 0);
        atomic_store(&table_at(table)[0], batch->tables.value);
        batch->tables = paddr(HOST_ENTRY_ADDRESS(table));
        batch->everything = true;
        batch->cpus |= atomic_load(&mmu->loaded);
        mmu->table_pages--;
    }
}

/* Where the entries of the leaf table that holds `va` end, or `end` if that is nearer. */
static vaddr_t leaf_end(vaddr_t va, vaddr_t end) {
    vaddr_t next = (va | (ENTRIES * PAGE_SIZE - 1)) + 1;

    return MIN(next, end);
}

void mmu_clear(struct mmu *mmu, vaddr_t va, size_t count, struct tlb_batch *batch) {
    vaddr_t end = va + count * PAGE_SIZE;

    check_range(va, count);
    for (vaddr_t next; va < end; va = next) {
        bool changed = false;
        next = leaf_end(va, end);
        if (!find_entry(mmu, va))
            continue;
        for (vaddr_t at = va; at < next; at += PAGE_SIZE) {
            if (!(atomic_exchange(find_entry(mmu, at), 0) & PRESENT))
                continue;
            batch_add(batch, mmu, at);
            changed = true;
        }
        if (changed)
            prune(mmu, va, batch);
    }
}

void mmu_restrict(struct mmu *mmu, vaddr_t va, size_t count, unsigned prot,
                  struct tlb_batch *batch) {
    if (!(prot & MMU_READ)) {
        mmu_clear(mmu, va, count, batch);
        return;
    }
    vaddr_t end = va + count * PAGE_SIZE;
    const unsigned kept = prot | MMU_USER | MMU_UNCACHED | MMU_WRITE_COMBINING;
    check_range(va, count);
    for (vaddr_t next; va < end; va = next) {
        table_entry *entry = find_entry(mmu, va);
        next = entry ? va + PAGE_SIZE : leaf_end(va, end);
        uint64_t old = entry ? load(entry) : 0;
        if (!(old & PRESENT) || (HOST_ENTRY_PROT(old) & ~kept) == 0)
            continue;
        atomic_store(entry, old & ~((uint64_t)~kept << 1 & 0x7e));
        batch_add(batch, mmu, va);
    }
}

uint64_t host_mmu_entry(const struct mmu *mmu, vaddr_t va) {
    table_entry *entry = va < USER_TOP ? find_entry(mmu, va) : NULL;
    uint64_t value = entry ? load(entry) : 0;

    return value & PRESENT ? value : 0;
}

bool mmu_query(const struct mmu *mmu, vaddr_t va, paddr_t *out_address, unsigned *out_prot) {
    uint64_t entry = host_mmu_entry(mmu, va);

    if (!entry)
        return false;
    *out_address = paddr(HOST_ENTRY_ADDRESS(entry));
    *out_prot = HOST_ENTRY_PROT(entry);
    return true;
}

/* Where to look on after `va`, which shows nothing: behind the widest missing table. */
static vaddr_t behind_gap(const struct mmu *mmu, vaddr_t va) {
    uint64_t table = mmu->root.value | PRESENT;
    unsigned level = LEVELS - 1;

    for (; level > 0; level--) {
        table = load(&table_at(table)[index_at(va, level)]);
        if (!(table & PRESENT))
            break;
    }
    uint64_t span = (uint64_t)PAGE_SIZE << (9 * level);
    return round_down(va, span) + span;
}

bool mmu_next(const struct mmu *mmu, vaddr_t va, vaddr_t end, vaddr_t *out_va, paddr_t *out_address,
              unsigned *out_prot) {
    va = round_down(va, PAGE_SIZE);
    end = MIN(end, USER_TOP);
    while (va < end) {
        if (mmu_query(mmu, va, out_address, out_prot)) {
            *out_va = va;
            return true;
        }
        va = behind_gap(mmu, va);
    }
    return false;
}

static void walk_tables(uint64_t table, unsigned level, void (*fn)(void *, paddr_t),
                        void *context) {
    table_entry *entries = table_at(table);

    fn(context, paddr(HOST_ENTRY_ADDRESS(table)));
    for (unsigned i = 0; level > 0 && i < ENTRIES; i++)
        if (load(&entries[i]) & PRESENT)
            walk_tables(load(&entries[i]), level - 1, fn, context);
}

void mmu_for_each_table(const struct mmu *mmu, void (*fn)(void *context, paddr_t table),
                        void *context) {
    walk_tables(mmu->root.value, LEVELS - 1, fn, context);
    io_ports_for_each_page(mmu, fn, context);
}

/* No processor looks at the map. */
status_t io_ports_prepare(void) { return OK; }
void io_ports_publish(struct mmu *mmu) {}

/* No counts here, and no kernel half. */
uint64_t mmu_wrong_counts(const struct mmu *mmu) { return 0; }
void mmu_for_each_kernel_table(void (*fn)(void *context, paddr_t table), void *context) {}

static void count_table(void *context, paddr_t table) { ++*(uint64_t *)context; }

/* There is no kernel half here; that the count of tables is right can be checked. */
void mmu_verify(const struct mmu *mmu) {
    uint64_t count = 0;

    mmu_for_each_table(mmu, count_table, &count);
    ASSERT(count == mmu->table_pages);
}
