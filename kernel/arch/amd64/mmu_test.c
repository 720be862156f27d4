/*
 * mmu_test.c - page tables: what is installed, what goes, and what the kernel's half keeps.
 */
#include "arch/mmu.h"

#include "arch/amd64/amd64.h"
#include "arch/amd64/paging.h"
#include "arch/amd64/regs.h"
#include "arch/amd64/trap.h"
#include "arch/upcall.h"
#include "lib/ktest.h"
#include "lib/string.h"

#define PLACE ((vaddr_t)0x7f1234567000)

extern const char kernel_text_start[], kernel_rodata_end[];

static struct mmu_entry entry_at(uint64_t frame, unsigned prot) {
    return (struct mmu_entry){paddr(frame), prot | MMU_READ | MMU_USER};
}
static void clear_and_flush(struct mmu *mmu, vaddr_t va, size_t count) {
    struct tlb_batch batch;
    tlb_batch_init(&batch);
    mmu_clear(mmu, va, count, &batch);
    tlb_flush(&batch);
}

KTEST_QUICK(mmu, P13_a_new_address_space_is_empty_and_has_all_that_a_cpu_needs) {
    struct mmu mmu;
    vaddr_t va;
    paddr_t address;
    unsigned prot;
    REQUIRE(mmu_create(&mmu) == OK);
    EXPECT(!mmu_next(&mmu, 0, USER_TOP, &va, &address, &prot));
    EXPECT(paging_find_missing(mmu_root(&mmu)) == NULL);
    mmu_destroy(&mmu);
}

KTEST(mmu, P10_each_missing_entry_of_the_kernel_is_noticed) {
    struct mmu mmu;
    REQUIRE(mmu_create(&mmu) == OK);
    uint64_t *root = mmu_root(&mmu);
    for (unsigned i = ROOT_USER_ENTRIES; i < TABLE_ENTRIES; i++) {
        uint64_t saved = root[i];
        root[i] = 0;
        EXPECT_EQ(saved != 0, paging_find_missing(root) != NULL);
        root[i] = saved;
    }
    mmu_destroy(&mmu);
}

KTEST_QUICK(mmu, what_is_installed_is_found_and_tables_go_when_they_are_empty) {
    struct mmu mmu;
    paddr_t address;
    unsigned prot;
    REQUIRE(mmu_create(&mmu) == OK);
    struct mmu_entry entries[3] = {
        entry_at(0x1000, MMU_WRITE), {paddr(MMU_SKIP), 0}, entry_at(0x3000, MMU_EXECUTE)};
    REQUIRE(mmu_install(&mmu, PLACE, entries, 3) == OK);
    EXPECT_EQ(4, mmu.table_pages);
    EXPECT(mmu_query(&mmu, PLACE + 5, &address, &prot));
    EXPECT_EQ(0x1005, address.value);
    EXPECT_EQ(MMU_READ | MMU_WRITE | MMU_USER, prot);
    EXPECT(!mmu_query(&mmu, PLACE + PAGE_SIZE, &address, &prot));
    EXPECT(mmu_query(&mmu, PLACE + 2 * PAGE_SIZE, &address, &prot));
    EXPECT_EQ(MMU_READ | MMU_EXECUTE | MMU_USER, prot);
    clear_and_flush(&mmu, PLACE, 1);
    EXPECT_EQ(4, mmu.table_pages);
    clear_and_flush(&mmu, PLACE, 3);
    EXPECT_EQ(1, mmu.table_pages);
    mmu_destroy(&mmu);
}

KTEST(mmu, permission_rises_by_install_and_falls_by_restrict) {
    struct mmu mmu;
    struct tlb_batch batch;
    paddr_t address;
    unsigned prot;
    REQUIRE(mmu_create(&mmu) == OK);
    struct mmu_entry entry = entry_at(0x5000, 0);
    REQUIRE(mmu_install(&mmu, PLACE, &entry, 1) == OK);
    entry.prot |= MMU_WRITE;
    REQUIRE(mmu_install(&mmu, PLACE, &entry, 1) == OK);
    entry.prot = MMU_READ | MMU_USER | MMU_EXECUTE;
    REQUIRE(mmu_install(&mmu, PLACE, &entry, 1) == OK);
    EXPECT(mmu_query(&mmu, PLACE, &address, &prot));
    EXPECT_EQ(MMU_READ | MMU_WRITE | MMU_EXECUTE | MMU_USER, prot);

    tlb_batch_init(&batch);
    mmu_restrict(&mmu, PLACE, 1, MMU_READ | MMU_EXECUTE, &batch);
    EXPECT_EQ(1, batch.count);
    tlb_flush(&batch);
    EXPECT(mmu_query(&mmu, PLACE, &address, &prot));
    EXPECT_EQ(MMU_READ | MMU_EXECUTE | MMU_USER, prot);

    mmu_restrict(&mmu, PLACE, 1, 0, &batch);
    tlb_flush(&batch);
    EXPECT(!mmu_query(&mmu, PLACE, &address, &prot));
    EXPECT_EQ(1, mmu.table_pages);
    mmu_destroy(&mmu);
}

KTEST(mmu, ranges_over_many_tables_go_whole_and_in_part) {
    struct mmu mmu;
    static struct mmu_entry entries[1500]; /* three tables */
    vaddr_t base = round_down(PLACE, MIB(2)) - 3 * PAGE_SIZE, va;
    paddr_t address;
    unsigned prot, seen = 0;
    REQUIRE(mmu_create(&mmu) == OK);
    for (unsigned i = 0; i < ARRAY_SIZE(entries); i++)
        entries[i] = entry_at((uint64_t)(i + 1) * PAGE_SIZE, 0);
    REQUIRE(mmu_install(&mmu, base, entries, ARRAY_SIZE(entries)) == OK);
    for (va = base; mmu_next(&mmu, va, USER_TOP, &va, &address, &prot); va += PAGE_SIZE)
        EXPECT_EQ((uint64_t)(++seen) * PAGE_SIZE, address.value);
    EXPECT_EQ(ARRAY_SIZE(entries), seen);
    clear_and_flush(&mmu, base + PAGE_SIZE, 1000);
    EXPECT(mmu_next(&mmu, base + PAGE_SIZE, USER_TOP, &va, &address, &prot));
    EXPECT_EQ(base + 1001 * PAGE_SIZE, va);
    clear_and_flush(&mmu, USER_BASE, (USER_TOP - USER_BASE) / PAGE_SIZE);
    EXPECT_EQ(1, mmu.table_pages);
    EXPECT(!mmu_next(&mmu, 0, USER_TOP, &va, &address, &prot));
    mmu_destroy(&mmu);
}

KTEST(mmu, write_permission_goes_from_a_whole_table_and_comes_back_page_by_page) {
    struct mmu mmu;
    struct tlb_batch batch;
    static struct mmu_entry entries[2 * TABLE_ENTRIES];
    vaddr_t base = round_down(PLACE, MIB(2));
    paddr_t address;
    unsigned prot;
    REQUIRE(mmu_create(&mmu) == OK);
    for (unsigned i = 0; i < ARRAY_SIZE(entries); i++)
        entries[i] = entry_at((uint64_t)(i + 1) * PAGE_SIZE, MMU_WRITE);
    REQUIRE(mmu_install(&mmu, base, entries, ARRAY_SIZE(entries)) == OK);
    tlb_batch_init(&batch);
    mmu_restrict(&mmu, base, TABLE_ENTRIES, MMU_READ | MMU_EXECUTE, &batch);
    EXPECT(batch.everything);
    tlb_flush(&batch);
    for (unsigned i = 0; i < ARRAY_SIZE(entries); i++) {
        EXPECT(mmu_query(&mmu, base + i * PAGE_SIZE, &address, &prot));
        EXPECT_EQ(i >= TABLE_ENTRIES, (prot & MMU_WRITE) != 0);
    }
    entries[5].prot &= ~MMU_WRITE;
    REQUIRE(mmu_install(&mmu, base + 5 * PAGE_SIZE, entries + 5, 1) == OK);
    REQUIRE(mmu_install(&mmu, base + 7 * PAGE_SIZE, entries + 7, 1) == OK);
    for (unsigned i = 0; i < TABLE_ENTRIES; i++) {
        EXPECT(mmu_query(&mmu, base + i * PAGE_SIZE, &address, &prot));
        EXPECT_EQ(i == 7, (prot & MMU_WRITE) != 0);
    }
    clear_and_flush(&mmu, base, ARRAY_SIZE(entries));
    EXPECT_EQ(1, mmu.table_pages);
    mmu_destroy(&mmu);
}

/* ---- Against a plain model ---- */

#define MODEL_PAGES 1600 /* four tables, two of them whole */
static struct mmu_entry model[MODEL_PAGES];
static uint64_t seed;
static uint64_t draw(uint64_t below) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (seed >> 11) % below;
}
static bool model_agrees(const struct mmu *mmu, vaddr_t base) {
    for (unsigned i = 0; i < MODEL_PAGES; i++) {
        paddr_t address;
        unsigned prot;
        bool present = mmu_query(mmu, base + i * PAGE_SIZE, &address, &prot);
        if (present != (model[i].prot != 0))
            return false;
        /* Write permission may be missing, never surplus. */
        if (present && (address.value != model[i].address.value || (prot & ~model[i].prot) ||
                        (model[i].prot & ~prot & ~MMU_WRITE)))
            return false;
    }
    return true;
}
static void model_install(struct mmu *mmu, vaddr_t base, unsigned at, unsigned count) {
    static struct mmu_entry entries[MODEL_PAGES];
    for (unsigned i = 0; i < count; i++) {
        struct mmu_entry *entry = &model[at + i];
        entries[i].address = paddr(MMU_SKIP);
        if (draw(4) == 0)
            continue;
        entry->address = paddr((uint64_t)(at + i + 1) * PAGE_SIZE);
        entry->prot |= MMU_READ | MMU_USER | (draw(2) ? MMU_WRITE : 0);
        entries[i] = *entry;
    }
    EXPECT_EQ(OK, mmu_install(mmu, base + at * PAGE_SIZE, entries, count));
}

KTEST(mmu, random_edits_agree_with_a_model) {
    struct mmu mmu;
    vaddr_t base = round_down(PLACE, MIB(2)) - 100 * PAGE_SIZE;
    seed = 0x9e3779b97f4a7c15;
    memset(model, 0, sizeof(model));
    REQUIRE(mmu_create(&mmu) == OK);
    for (unsigned step = 0; step < 3000; step++) {
        unsigned at = (unsigned)draw(MODEL_PAGES);
        unsigned most = MODEL_PAGES - at;
        unsigned count = 1 + (unsigned)draw(draw(3) ? MIN(most, 3u) : most);
        struct tlb_batch batch;
        tlb_batch_init(&batch);
        switch (draw(4)) {
        case 0:
            mmu_clear(&mmu, base + at * PAGE_SIZE, count, &batch);
            memset(&model[at], 0, count * sizeof(model[0]));
            break;
        case 1:
            mmu_restrict(&mmu, base + at * PAGE_SIZE, count, MMU_READ | MMU_EXECUTE, &batch);
            for (unsigned i = 0; i < count; i++)
                model[at + i].prot &= ~MMU_WRITE;
            break;
        default:
            model_install(&mmu, base, at, count);
        }
        tlb_flush(&batch);
        if (step % 16 == 0)
            REQUIRE(model_agrees(&mmu, base));
    }
    clear_and_flush(&mmu, base, MODEL_PAGES);
    EXPECT_EQ(1, mmu.table_pages);
    mmu_destroy(&mmu);
}

/* Tables of another space found while walking this one. */
struct shared_tables {
    const struct mmu *other;
    unsigned count, shared;
    paddr_t table;
};
static void compare_table(void *context, paddr_t table) {
    struct shared_tables *search = context;
    search->shared += search->table.value == table.value;
}
static void search_table(void *context, paddr_t table) {
    struct shared_tables *search = context;
    search->count++;
    search->table = table;
    mmu_for_each_table(search->other, compare_table, search);
}

KTEST(mmu, P12_two_address_spaces_share_no_table) {
    struct mmu a, b;
    struct mmu_entry entry = entry_at(0x7000, MMU_WRITE);
    REQUIRE(mmu_create(&a) == OK);
    REQUIRE(mmu_create(&b) == OK);
    REQUIRE(mmu_install(&a, PLACE, &entry, 1) == OK);
    REQUIRE(mmu_install(&b, PLACE, &entry, 1) == OK);
    struct shared_tables search = {.other = &b};
    mmu_for_each_table(&a, search_table, &search);
    EXPECT_EQ(4, search.count);
    EXPECT_EQ(0, search.shared);
    mmu_destroy(&a);
    mmu_destroy(&b);
}

/* At the far end of the range; the tables that it needs there stay for good. */
KTEST(mmu, P11_a_later_kernel_mapping_is_seen_in_every_address_space) {
    vaddr_t va = KVA_BASE + KVA_SIZE - PAGE_SIZE;
    struct mmu mmu;
    paddr_t page;
    uint64_t size;
    REQUIRE(mmu_create(&mmu) == OK);
    REQUIRE(upcall_table_page_alloc(&page) == OK);
    REQUIRE(mmu_kernel_map(va, page, 1, MMU_READ | MMU_WRITE) == OK);
    *(volatile uint64_t *)va = 42;
    EXPECT_EQ(42, *(uint64_t *)phys_to_virt(page));
    EXPECT_EQ(page.value + 8, virt_to_phys((void *)(va + 8)).value);
    uint64_t *entry = paging_find(mmu_root(&mmu), va, &size);
    EXPECT(entry && (*entry & PTE_ADDRESS) == page.value);
    mmu_kernel_unmap(va, 1);
    EXPECT(paging_find(mmu_root(&mmu), va, &size) == NULL);
    upcall_table_page_free(page);
    mmu_destroy(&mmu);
}

/* ---- The kernel's own table ---- */

struct kernel_walk {
    uint64_t leaves, both, user, executable_elsewhere, cached_devices;
};
static void check_leaf(struct kernel_walk *walk, vaddr_t va, uint64_t entry) {
    bool executable = !(entry & PTE_NX);
    walk->leaves++;
    walk->both += executable && (entry & PTE_WRITE);
    walk->user += (entry & PTE_USER) != 0;
    walk->executable_elsewhere += executable && !kernel_address_is_text(va);
    walk->cached_devices += !(entry & PTE_PCD) && va < KERNEL_BASE &&
                            !phys_is_mapped(paddr(entry & PTE_ADDRESS), PAGE_SIZE);
}
static void walk_kernel(struct kernel_walk *walk, const uint64_t *table, unsigned first,
                        unsigned shift, vaddr_t base) {
    for (unsigned i = first; i < TABLE_ENTRIES; i++) {
        vaddr_t va = base + ((uint64_t)i << shift);
        if (shift == 39)
            va |= 0xffff000000000000;
        if (!(table[i] & PTE_PRESENT))
            continue;
        if (shift == 12 || (table[i] & PTE_HUGE))
            check_leaf(walk, va, table[i]);
        else
            walk_kernel(walk, entry_table(table[i]), 0, shift - 9, va);
    }
}

KTEST_QUICK(mmu, P23_no_kernel_page_is_writable_and_executable) {
    struct kernel_walk walk = {0};
    walk_kernel(&walk, kernel_root, ROOT_USER_ENTRIES, 39, 0);
    EXPECT(walk.leaves > 20);
    EXPECT_EQ(0, walk.both);
    EXPECT_EQ(0, walk.user);
    EXPECT_EQ(0, walk.executable_elsewhere);
    EXPECT_EQ(0, walk.cached_devices); /* P27 */
    for (unsigned i = 0; i < ROOT_USER_ENTRIES; i++)
        EXPECT_EQ(0, kernel_root[i]); /* P07: no identity map */
}

/* ---- Faults on purpose ---- */

static uint64_t hook_faults, hook_address, hook_rip;
static bool hook(struct user_frame *frame, uint64_t address) {
    hook_faults++;
    hook_address = address;
    frame->rip = hook_rip;
    return true;
}
/* Store one byte at `address`; true if it faulted there. */
static NOINLINE bool store_faults(uintptr_t address) {
    trap_test_hook *before = trap_set_test_hook(hook);
    hook_faults = 0;
    __asm__ volatile("leaq 1f(%%rip), %%rax; movq %%rax, %0; movb (%1), %%cl; movb %%cl, (%1); 1:"
                     : "=m"(hook_rip)
                     : "r"(address)
                     : "rax", "rcx", "memory");
    trap_set_test_hook(before);
    return hook_faults == 1 && hook_address == address;
}

KTEST_QUICK(mmu, P23_text_and_constants_cannot_be_written_by_either_address) {
    uint64_t before = kernel_image_checksum();
    uintptr_t places[] = {(uintptr_t)kernel_text_start, (uintptr_t)kernel_rodata_end - 1};
    for (unsigned i = 0; i < ARRAY_SIZE(places); i++) {
        EXPECT(store_faults(places[i]));
        EXPECT(store_faults((uintptr_t)phys_to_virt(virt_to_phys((void *)places[i]))));
    }
    EXPECT_EQ(before, kernel_image_checksum());
}

KTEST_QUICK(mmu, P07_a_low_address_faults_in_the_kernel) {
    EXPECT(store_faults(0x1000));
    EXPECT(store_faults(KERNEL_PHYSICAL));
    EXPECT(store_faults((uintptr_t)boot_stack_guard)); /* P05: under the boot stack */
    EXPECT(store_faults(ist_stack_base(0, IST_NMI) - 1));
}

KTEST(mmu, P26_all_usable_memory_is_in_the_physical_map) {
    for (unsigned i = 0; i < boot_info.range_count; i++) {
        const struct boot_range *range = &boot_info.ranges[i];
        EXPECT(phys_is_mapped(paddr(range->base), range->length));
        const volatile char *first = phys_to_virt(paddr(range->base));
        (void)first[0];
        (void)first[range->length - 1];
    }
    EXPECT(!phys_is_mapped(paddr(0xfee00000), PAGE_SIZE));
    EXPECT(store_faults((uintptr_t)phys_to_virt(paddr(0xfee00000))));
}

/* ---- User copies ---- */

KTEST_QUICK(mmu, P19_a_copy_ends_where_the_mapping_ends) {
    struct amd64_cpu *cpu;
    struct mmu mmu;
    paddr_t page;
    static char buffer[64];
    uint32_t word = 0;
    REQUIRE(mmu_create(&mmu) == OK);
    REQUIRE(upcall_table_page_alloc(&page) == OK);
    struct mmu_entry entry = {page, MMU_READ | MMU_WRITE | MMU_USER};
    REQUIRE(mmu_install(&mmu, PLACE, &entry, 1) == OK);
    irq_state_t state = irq_save(); /* so that the thread stays here, and no fault is resolved */
    cpu = amd64_this();
    struct mmu *loaded = cpu->loaded;
    mmu_activate(&mmu);
    memset(buffer, 7, sizeof(buffer));
    for (unsigned room = 0; room <= 24; room++) {
        vaddr_t at = PLACE + PAGE_SIZE - room;
        EXPECT_EQ(sizeof(buffer) - room, arch_copy_to_user(at, buffer, sizeof(buffer)));
        EXPECT_EQ(sizeof(buffer) - room, arch_copy_from_user(buffer, at, sizeof(buffer)));
    }
    EXPECT_EQ(0, arch_copy_to_user(PLACE + 3, buffer, sizeof(buffer)));
    EXPECT_EQ(sizeof(buffer), arch_copy_to_user(PLACE - PAGE_SIZE, buffer, sizeof(buffer)));
    EXPECT(arch_load_user_u32(PLACE + 4, &word));
    EXPECT_EQ(0x07070707, word);
    EXPECT(!arch_load_user_u32(PLACE + PAGE_SIZE, &word));
    mmu_activate(loaded);
    irq_restore(state);
    mmu_destroy(&mmu);
    upcall_table_page_free(page);
}

/* ---- Several CPUs map in the kernel's range at once ---- */

#define NEVER_MAPPED (KVA_BASE + KVA_SIZE / 2)
#define RACES        64

struct map_race {
    _Atomic unsigned missing; /* CPUs that have not come to the start */
    vaddr_t base;
    paddr_t frame;
};

static void map_in_race(void *context) {
    struct map_race *race = context;
    atomic_fetch_sub(&race->missing, 1);
    while (atomic_load(&race->missing))
        cpu_relax();
    EXPECT_EQ(OK, mmu_kernel_map(race->base + cpu_id() * PAGE_SIZE, race->frame, 1, MMU_READ));
}

/* On all CPUs but this one, in a range that has no table yet. */
static unsigned mappings_after_race(struct map_race *race, uint64_t cpus) {
    unsigned found = 0;
    uint64_t size;
    atomic_store(&race->missing, (unsigned)__builtin_popcountll(cpus));
    cpu_call(cpus, map_in_race, race);
    for (unsigned id = 0; id < cpu_count(); id++)
        found += paging_find(kernel_root, race->base + id * PAGE_SIZE, &size) != NULL;
    mmu_kernel_unmap(race->base, cpu_count());
    return found;
}

KTEST(mmu, cpus_that_need_the_same_table_of_the_kernels_half_lose_no_mapping) {
    static bool done; /* its tables stay for ever */
    struct map_race race = {.frame = virt_to_phys(kernel_root)};
    preempt_hold();
    uint64_t cpus = (cpu_bit(cpu_count()) - 1) & ~cpu_bit(cpu_id());
    for (unsigned i = 0; i < RACES && !done; i++) {
        race.base = NEVER_MAPPED + i * MIB(2);
        if (cpus)
            EXPECT_EQ(__builtin_popcountll(cpus), mappings_after_race(&race, cpus));
    }
    preempt_release();
    done = true;
}
