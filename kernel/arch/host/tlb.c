/*
 * tlb.c - what each CPU remembers of page tables, and how it is made to forget.
 *
 * Every access to user memory, by played user code or by a user copy, goes
 * through the CPU's private cache of translations, which is filled by walking
 * the table and emptied only by a flush or a change of the table. A flush that
 * the kernel forgets is therefore seen as on real hardware: as a stale
 * translation. Between the look-up and the access no interrupt is taken, so an
 * answered flush means that no access with the old translation is under way.
 *
 * A cached entry that forbids the access is dropped and reported as a fault
 * without a second walk, as processors may do; the kernel must live with it.
 */
#include "arch/context.h"
#include "arch/host/host_internal.h"
#include "arch/upcall.h"
#include "lib/assert.h"

#define UNINSTRUMENTED __attribute__((disable_sanitizer_instrumentation, no_sanitize("undefined")))

/* ---- The cache ---- */

static struct tlb_entry *tlb_slot(struct host_cpu *cpu, vaddr_t page) {
    return &cpu->tlb[(page >> PAGE_SHIFT) % TLB_ENTRIES];
}

void host_tlb_drop_all(void) {
    struct host_cpu *cpu = host_cpu();

    for (unsigned i = 0; i < TLB_ENTRIES; i++)
        cpu->tlb[i].valid = false;
}

void mmu_activate(struct mmu *mmu) {
    struct host_cpu *cpu = host_cpu();
    struct mmu *old = cpu->mmu;

    ASSERT(!irqs_enabled());
    if (mmu == old)
        return;
    if (mmu)
        atomic_fetch_or(&mmu->loaded, cpu_bit(cpu->cpu.id));
    atomic_thread_fence(memory_order_seq_cst);
    cpu->mmu = mmu;
    counter_bump(&cpu->cpu.counters.aspace_loads);
    host_tlb_drop_all();
    if (old)
        atomic_fetch_and(&old->loaded, ~cpu_bit(cpu->cpu.id));
}

/* ---- Flushing ---- */

static void flush_here(void *context) {
    const struct tlb_batch *batch = context;
    struct host_cpu *cpu = host_cpu();

    if (batch->everything) {
        host_tlb_drop_all();
        return;
    }
    for (unsigned i = 0; i < batch->count; i++) {
        struct tlb_entry *entry = tlb_slot(cpu, batch->pages[i]);
        if (entry->page == batch->pages[i])
            entry->valid = false;
    }
}

static void free_batch_tables(struct tlb_batch *batch) {
    while (batch->tables.value) {
        paddr_t page = batch->tables;
        batch->tables = paddr(*(uint64_t *)phys_to_virt(page));
        *(uint64_t *)phys_to_virt(page) = 0;
        upcall_table_page_free(page);
    }
}

void tlb_flush(struct tlb_batch *batch) {
    if (tlb_batch_is_empty(batch))
        return;
    ASSERT(irqs_enabled());
    ASSERT(cpu_this()->spinlocks.count == 0);
    host_request_all(batch->cpus, flush_here, batch, true);
    free_batch_tables(batch);
    tlb_batch_init(batch);
}

/* ---- Access by user code and by user copies ---- */

enum access_kind { ACCESS_LOAD = MMU_READ, ACCESS_STORE = MMU_WRITE };

/*
 * Interrupts off: the memory behind `va` if this CPU may use it, else NULL and
 * whether a translation was there.
 */
static char *translate(vaddr_t va, enum access_kind kind, bool *out_present) {
    struct host_cpu *cpu = host_cpu();
    vaddr_t page = va & ~(vaddr_t)PAGE_MASK;
    struct tlb_entry *entry = tlb_slot(cpu, page);

    *out_present = false;
    if (!cpu->mmu)
        return NULL;
    if (!entry->valid || entry->page != page) {
        uint64_t found = host_mmu_entry(cpu->mmu, page);
        if (!found)
            return NULL;
        *entry = (struct tlb_entry){true, page, HOST_ENTRY_ADDRESS(found), HOST_ENTRY_PROT(found)};
    }
    *out_present = true;
    if ((entry->prot & MMU_USER) && (entry->prot & kind))
        return (char *)host_user_memory(paddr(entry->address)) + (va & PAGE_MASK);
    entry->valid = false;
    return NULL;
}

/* Interrupts as the caller had them, on. True if it is worth another try. */
static bool take_fault(vaddr_t va, enum access_kind kind, bool present, bool from_user) {
    struct fault fault = {.address = va,
                          .access = kind == ACCESS_STORE ? FAULT_WRITE : FAULT_READ,
                          .from_user = from_user,
                          .present = present};

    counter_bump(&cpu_this()->counters.page_faults);
    status_t status;
    while ((status = upcall_page_fault(&fault)) == ERR_INTERNAL_RETRY)
        upcall_pause();
    return status == OK;
}

static struct arch_thread *current_arch(void) { return (struct arch_thread *)thread_current(); }

/* Bytes race with other CPUs' by nature, so the sanitizers do not look here. Words are faster. */
UNINSTRUMENTED static void copy_racing(char *to, const char *from, size_t length) {
    size_t i = 0;

    if (((uintptr_t)to | (uintptr_t)from) % 8 == 0)
        for (; i + 8 <= length; i += 8)
            *(volatile uint64_t *)&to[i] = *(const volatile uint64_t *)&from[i];
    for (; i < length; i++)
        *(volatile char *)&to[i] = *(const volatile char *)&from[i];
}

/* One word for the accesses of user code, bytes for copies. */
UNINSTRUMENTED static void access_memory(char *memory, void *buffer, size_t length,
                                         enum access_kind kind) {
    if (length == 8 && (uintptr_t)memory % 8 == 0) {
        if (kind == ACCESS_STORE)
            *(volatile uint64_t *)memory = *(uint64_t *)buffer;
        else
            *(uint64_t *)buffer = *(volatile uint64_t *)memory;
    } else if (kind == ACCESS_STORE) {
        copy_racing(memory, buffer, length);
    } else {
        copy_racing(buffer, memory, length);
    }
}

/* `length` bytes inside one page. */
static bool access_page(vaddr_t va, void *buffer, size_t length, enum access_kind kind,
                        bool from_user) {
    for (;;) {
        bool present;
        irq_state_t state = irq_save();
        char *memory = translate(va, kind, &present);
        if (memory)
            access_memory(memory, buffer, length, kind);
        irq_restore(state);
        if (memory)
            return true;
        if (!from_user && current_arch()->no_fault)
            return false;
        ASSERT(irqs_enabled());
        if (!take_fault(va, kind, present, from_user))
            return false;
    }
}

/* How many bytes were not reached. */
static size_t access_range(vaddr_t va, void *buffer, size_t length, enum access_kind kind,
                           bool from_user) {
    while (length) {
        size_t part = MIN(length, PAGE_SIZE - (va & PAGE_MASK));
        if (va >= USER_TOP || !access_page(va, buffer, part, kind, from_user))
            return length;
        va += part;
        buffer = (char *)buffer + part;
        length -= part;
    }
    return 0;
}

size_t arch_copy_from_user(void *to, vaddr_t from, size_t length) {
    return access_range(from, to, length, ACCESS_LOAD, false);
}
size_t arch_copy_to_user(vaddr_t to, const void *from, size_t length) {
    return access_range(to, (void *)from, length, ACCESS_STORE, false);
}
bool arch_load_user_u32(vaddr_t from, uint32_t *out_value) {
    return access_range(from, out_value, sizeof(*out_value), ACCESS_LOAD, false) == 0;
}

bool arch_store_user_u32(vaddr_t to, uint32_t value) {
    return access_range(to, &value, sizeof(value), ACCESS_STORE, false) == 0;
}
bool arch_store_user_u64(vaddr_t to, uint64_t value) {
    return access_range(to, &value, sizeof(value), ACCESS_STORE, false) == 0;
}

bool arch_set_no_fault(bool no_fault) {
    bool before = current_arch()->no_fault;

    current_arch()->no_fault = no_fault;
    return before;
}

bool host_user_load(vaddr_t va, uint64_t *out_value) {
    return access_range(va, out_value, sizeof(*out_value), ACCESS_LOAD, true) == 0;
}
bool host_user_store(vaddr_t va, uint64_t value) {
    return access_range(va, &value, sizeof(value), ACCESS_STORE, true) == 0;
}
bool host_user_load_byte(vaddr_t va, uint8_t *out_value) {
    return access_range(va, out_value, 1, ACCESS_LOAD, true) == 0;
}
bool host_user_store_byte(vaddr_t va, uint8_t value) {
    return access_range(va, &value, 1, ACCESS_STORE, true) == 0;
}
bool host_user_read(vaddr_t va, void *to, size_t length) {
    return access_range(va, to, length, ACCESS_LOAD, true) == 0;
}
bool host_user_write(vaddr_t va, const void *from, size_t length) {
    return access_range(va, (void *)from, length, ACCESS_STORE, true) == 0;
}
