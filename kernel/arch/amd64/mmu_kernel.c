/*
 * mmu_kernel.c - the kernel's half: the physical map, the kernel's ranges, fixed slots.
 *
 * All address spaces share the tables below the top-level entries 256 to 511,
 * which are filled at boot and never change, so a later mapping is visible
 * everywhere at once. Tables of the kernel's half are never freed.
 */
#include "arch/amd64/amd64.h"
#include "arch/amd64/boot_internal.h"
#include "arch/amd64/paging.h"
#include "arch/amd64/regs.h"
#include "arch/boot.h"
#include "arch/upcall.h"
#include "lib/assert.h"
#include "lib/string.h"

#define READ_SLOT    0 /* of fixed_table */
#define FIRST_DEVICE 1
#define LAST_DEVICE  31
#define PAGE_BITS    (PTE_PRESENT | PTE_ACCESSED | PTE_DIRTY | PTE_GLOBAL | PTE_NX)

extern const char kernel_text_start[], kernel_text_end[];
extern const char kernel_rodata_start[], kernel_rodata_end[];

uint64_t kernel_root[512] ALIGNED(4096);
static uint64_t kva_pointers[512] ALIGNED(4096);

static struct {
    uint64_t base, end;
} ram[BOOT_RANGES_MAX];
static unsigned ram_count;

static uint64_t image_physical(const void *address) {
    return (uint64_t)(uintptr_t)address - KERNEL_BASE;
}

bool phys_is_mapped(paddr_t address, uint64_t length) {
    for (unsigned i = 0; i < ram_count; i++)
        if (address.value >= ram[i].base &&
            range_within(address.value - ram[i].base, length, ram[i].end - ram[i].base))
            return true;
    return false;
}

bool phys_is_device(paddr_t address, uint64_t length) {
    if (!range_within(address.value, length, (uint64_t)1 << cpu_features.physical_bits))
        return false;
    for (unsigned i = 0; i < ram_count; i++)
        if (address.value < ram[i].end && ram[i].base < address.value + length)
            return false;
    return true;
}

bool kernel_address_is_text(uintptr_t address) {
    return address >= (uintptr_t)kernel_text_start && address < (uintptr_t)kernel_text_end;
}

uint64_t kernel_image_checksum(void) {
    uint64_t sum = 0xcbf29ce484222325;
    for (const uint64_t *word = (const void *)kernel_text_start;
         word < (const uint64_t *)kernel_rodata_end; word++)
        sum = (sum ^ *word) * 0x100000001b3;
    return sum;
}

uint64_t *paging_find(uint64_t *root, vaddr_t va, uint64_t *out_size) {
    uint64_t *entry = root + root_index(va);
    static const unsigned shifts[] = {30, 21, 12};
    for (unsigned i = 0; i < ARRAY_SIZE(shifts); i++) {
        if (!(*entry & PTE_PRESENT))
            return NULL;
        entry = entry_table(*entry) + (va >> shifts[i] & 511);
        *out_size = (uint64_t)1 << shifts[i];
        if (*entry & PTE_HUGE)
            break;
    }
    return *entry & PTE_PRESENT ? entry : NULL;
}

paddr_t mmu_kernel_walk(uint64_t va) {
    uint64_t size;
    uint64_t *entry = paging_find(kernel_root, va, &size);
    ASSERT(entry);
    return paddr((*entry & PTE_ADDRESS & ~(size - 1)) + (va & (size - 1)));
}

/* ---- Boot ---- */

/* A zeroed page of RAM that the first page tables show. */
static uint64_t boot_table_page(void) {
    paddr_t page = boot_take_pages(1, GIB(4));
    if (page.value == 0)
        boot_fail("there is no memory below 4 GiB for page tables");
    arch_zero_page(phys_to_virt(page));
    return page.value;
}

static uint64_t *boot_descend(uint64_t *entry) {
    if (!(*entry & PTE_PRESENT))
        *entry = boot_table_page() | PTE_PRESENT | PTE_WRITE | PTE_ACCESSED;
    return entry_table(*entry);
}

/* The first bytes of the image are text, then rodata: both read-only here too. */
static bool touches_read_only(uint64_t base, uint64_t length) {
    return base < image_physical(kernel_rodata_end) &&
           base + length > image_physical(kernel_text_start);
}

/* Map one page of the largest size that fits; returns its size. */
static uint64_t map_ram_page(uint64_t base, uint64_t end) {
    vaddr_t va = PHYSICAL_MAP + base;
    uint64_t *pointers = boot_descend(kernel_root + root_index(va));
    if (cpu_features.huge_pages && !(base & (GIB(1) - 1)) && end - base >= GIB(1) &&
        !touches_read_only(base, GIB(1))) {
        pointers[pointers_index(va)] = base | PAGE_BITS | PTE_WRITE | PTE_HUGE;
        return GIB(1);
    }
    uint64_t *directory = boot_descend(pointers + pointers_index(va));
    if (!(base & (MIB(2) - 1)) && end - base >= MIB(2) && !touches_read_only(base, MIB(2))) {
        directory[directory_index(va)] = base | PAGE_BITS | PTE_WRITE | PTE_HUGE;
        return MIB(2);
    }
    uint64_t *table = boot_descend(directory + directory_index(va));
    bool read_only = touches_read_only(base, PAGE_SIZE);
    table[table_index(va)] = base | PAGE_BITS | (read_only ? 0 : PTE_WRITE);
    return PAGE_SIZE;
}

/* What the firmware gives as RAM is what boot_info lists, whoever owns it. */
static void collect_ram(void) {
    for (unsigned i = 0; i < boot_info.range_count; i++) {
        uint64_t base = boot_info.ranges[i].base, end = base + boot_info.ranges[i].length;
        if (ram_count && ram[ram_count - 1].end == base) {
            ram[ram_count - 1].end = end;
            continue;
        }
        ram[ram_count].base = base;
        ram[ram_count].end = end;
        ram_count++;
    }
}

void arch_init_memory(void) {
    collect_ram();
    smp_take_trampoline();
    for (unsigned i = 0; i < ram_count; i++)
        for (uint64_t base = ram[i].base; base < ram[i].end;)
            base += map_ram_page(base, ram[i].end);
    kernel_root[root_index(KVA_BASE)] =
        image_physical(kva_pointers) | PTE_PRESENT | PTE_WRITE | PTE_ACCESSED;
    kernel_root[root_index(KERNEL_BASE)] =
        image_physical(kernel_image_pointers) | PTE_PRESENT | PTE_WRITE | PTE_ACCESSED;
    kernel_image_tables[(image_physical(boot_stack_guard) - KERNEL_PHYSICAL) / PAGE_SIZE] = 0;
    cr4_write(cr4_read() & ~CR4_PGE); /* global entries go too */
    mmu_activate(NULL);
    cr4_write(cr4_read() | CR4_PGE);
}

/* The few top-level entries that the kernel uses, all known since boot. */
void kernel_root_copy(uint64_t *root) {
    static unsigned used[8], used_count;
    if (used_count == 0)
        for (unsigned i = ROOT_USER_ENTRIES; i < TABLE_ENTRIES; i++)
            if (kernel_root[i] && used_count < ARRAY_SIZE(used))
                used[used_count++] = i;
    if (used_count == ARRAY_SIZE(used)) {
        memcpy(root + ROOT_USER_ENTRIES, kernel_root + ROOT_USER_ENTRIES, PAGE_SIZE / 2);
        return;
    }
    for (unsigned i = 0; i < used_count; i++)
        root[used[i]] = kernel_root[used[i]];
}

/* ---- Fixed slots ---- */

static void fixed_set(unsigned slot, uint64_t address, uint64_t bits) {
    fixed_table[slot] = address | PTE_PRESENT | PTE_ACCESSED | PTE_NX | bits;
    page_invalidate(FIXED_BASE + slot * PAGE_SIZE);
}

bool arch_read_physical(uint64_t address, void *buffer, size_t length) {
    if (!range_within(address, length, (uint64_t)1 << cpu_features.physical_bits))
        return false;
    while (length > 0) {
        uint64_t offset = address & PAGE_MASK;
        size_t here = MIN(length, (size_t)(PAGE_SIZE - offset));
        fixed_set(READ_SLOT, address - offset, 0);
        memcpy(buffer, (const void *)(FIXED_BASE + READ_SLOT * PAGE_SIZE + offset), here);
        address += here;
        buffer = (char *)buffer + here;
        length -= here;
    }
    return true;
}

volatile void *fixed_map_device(uint64_t address) {
    static unsigned next = FIRST_DEVICE;
    ASSERT(next <= LAST_DEVICE);
    unsigned slot = next++;
    uint64_t offset = address & PAGE_MASK;
    fixed_set(slot, address - offset, PTE_WRITE | PTE_DIRTY | PTE_PCD | PTE_PWT);
    return (volatile void *)(FIXED_BASE + slot * PAGE_SIZE + offset);
}

/* ---- Later ---- */

/* No lock: of several CPUs that need the same table, one has its page used. */
static uint64_t *kernel_descend(uint64_t *entry) {
    uint64_t there = __atomic_load_n(entry, __ATOMIC_ACQUIRE);
    paddr_t page;
    if (there & PTE_PRESENT)
        return entry_table(there);
    if (upcall_table_page_alloc(&page) != OK)
        return NULL;
    uint64_t made = page.value | PTE_PRESENT | PTE_WRITE | PTE_ACCESSED;
    if (__atomic_compare_exchange_n(entry, &there, made, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return entry_table(made);
    upcall_table_page_free(page);
    return entry_table(there);
}

static uint64_t *kernel_slot(vaddr_t va) {
    uint64_t *table = entry_table(kernel_root[root_index(va)]);
    table = kernel_descend(table + pointers_index(va));
    if (table)
        table = kernel_descend(table + directory_index(va));
    return table ? table + table_index(va) : NULL;
}

status_t kernel_map_page(vaddr_t va, paddr_t address, unsigned prot) {
    uint64_t *slot = kernel_slot(va);
    if (!slot)
        return ERR_NO_MEMORY;
    ASSERT(!(*slot & PTE_PRESENT));
    *(volatile uint64_t *)slot = address.value | paging_bits(prot) | PTE_GLOBAL;
    return OK;
}

static bool in_kva(vaddr_t va, size_t count) {
    return va >= KVA_BASE && range_within(va - KVA_BASE, count * PAGE_SIZE, KVA_SIZE);
}

/* Absent entries are never remembered, so nothing is flushed. */
status_t mmu_kernel_map(vaddr_t va, paddr_t address, size_t count, unsigned prot) {
    ASSERT(in_kva(va, count) && !(prot & MMU_USER));
    for (size_t i = 0; i < count; i++) {
        status_t status =
            kernel_map_page(va + i * PAGE_SIZE, paddr(address.value + i * PAGE_SIZE), prot);
        if (status == OK)
            continue;
        if (i > 0)
            mmu_kernel_unmap(va, i);
        return status;
    }
    return OK;
}

void mmu_kernel_unmap(vaddr_t va, size_t count) {
    ASSERT(in_kva(va, count));
    for (size_t i = 0; i < count; i++) {
        uint64_t size;
        uint64_t *entry = paging_find(kernel_root, va + i * PAGE_SIZE, &size);
        if (entry)
            *(volatile uint64_t *)entry = 0;
    }
    smp_flush_kernel(va, count);
}

/* ---- Verify ---- */

static void each_table(const uint64_t *table, unsigned first, unsigned level,
                       void (*fn)(void *, paddr_t), void *context) {
    for (unsigned i = first; i < TABLE_ENTRIES; i++) {
        if (!(table[i] & PTE_PRESENT) || (level < 4 && (table[i] & PTE_HUGE)))
            continue;
        fn(context, paddr(table[i] & PTE_ADDRESS));
        if (level > 2)
            each_table(entry_table(table[i]), 0, level - 1, fn, context);
    }
}

void mmu_for_each_kernel_table(void (*fn)(void *context, paddr_t table), void *context) {
    each_table(kernel_root, ROOT_USER_ENTRIES, 4, fn, context);
}

static bool shows_same(uint64_t *root, const void *address) {
    uint64_t size_here, size_there;
    vaddr_t va = (vaddr_t)address;
    uint64_t *here = paging_find(root, va, &size_here);
    uint64_t *there = paging_find(kernel_root, va, &size_there);
    return here && there && size_here == size_there && ((*here ^ *there) & PTE_ADDRESS) == 0;
}

const char *paging_find_missing(uint64_t *root) {
    const struct amd64_cpu *cpu = amd64_this();
    int on_stack = 0;
    const struct {
        const void *address;
        const char *what;
    } needed[] = {
        {kernel_text_start, "the kernel's text"},
        {kernel_rodata_start, "the kernel's constants"},
        {kernel_root, "the kernel's data, with the IDT"},
        {&on_stack, "the running stack"},
        {cpu, "the CPU's own data, with GDT and TSS"},
        {(const void *)ist_stack_base(cpu->cpu.id, IST_DOUBLE_FAULT), "the double fault stack"},
        {(const void *)ist_stack_base(cpu->cpu.id, IST_NMI), "the NMI stack"},
        {(const void *)ist_stack_base(cpu->cpu.id, IST_MACHINE_CHECK), "the machine check stack"},
        {(const void *)ist_stack_base(cpu->cpu.id, IST_DEBUG), "the debug stack"},
    };
    for (unsigned i = 0; i < ARRAY_SIZE(needed); i++)
        if (!shows_same(root, needed[i].address))
            return needed[i].what;
    if (cpu->cpu.kernel_stack && !shows_same(root, (const void *)(cpu->cpu.kernel_stack - 8)))
        return "the thread's kernel stack";
    if (memcmp(root + ROOT_USER_ENTRIES, kernel_root + ROOT_USER_ENTRIES, PAGE_SIZE / 2) != 0)
        return "a top-level entry of the kernel";
    return NULL;
}

void mmu_verify(const struct mmu *mmu) {
    const char *missing = paging_find_missing(mmu_root(mmu));
    if (missing)
        panic("an address space lacks %s", missing);
}
