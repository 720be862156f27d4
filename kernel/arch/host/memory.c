/*
 * memory.c - RAM as a memory file, mapped once as the physical map and again,
 * page by page, where the kernel range asks for it.
 *
 * Physical addresses begin at 1 MiB, so that 0 is never RAM and following it
 * faults. Far behind RAM lies what a device would have: user code reaches it by its
 * mappings, the kernel not at all.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "arch/host/host_internal.h"
#include "lib/assert.h"
#include "lib/string.h"

#define RAM_BASE MIB(1)

static int ram_file;
static char *ram;   /* where physical address 0 would be */
static uint64_t ram_end;
static char *device; /* where HOST_DEVICE_BASE lies */
static char *kva;
static uint64_t *kva_frames; /* of each page of the kernel range: its physical address, or 0 */

static void *reserve(uint64_t size) {
    void *memory =
        mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (memory == MAP_FAILED)
        panic("host: no address space");
    return memory;
}

static uint64_t *kva_frame(vaddr_t va) { return &kva_frames[(va - (vaddr_t)kva) >> PAGE_SHIFT]; }

static void map_file(char *at, uint64_t offset, uint64_t length) {
    if (mmap(at, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, ram_file,
             (off_t)offset) == MAP_FAILED)
        panic("host: cannot map RAM");
}

void host_memory_init(uint64_t bytes) {
    ram_end = RAM_BASE + bytes;
    ram_file = memfd_create("ram", 0);
    if (ram_file < 0 || ftruncate(ram_file, (off_t)ram_end) != 0)
        panic("host: no memory file of %llu bytes", (unsigned long long)ram_end);
    ram = reserve(ram_end);
    map_file(ram + RAM_BASE, RAM_BASE, bytes);
    device = reserve(HOST_DEVICE_SIZE);
    if (mprotect(device, HOST_DEVICE_SIZE, PROT_READ | PROT_WRITE) != 0)
        panic("host: no memory for a device");
    kva = reserve(KVA_SIZE);
    kva_frames = reserve((KVA_SIZE >> PAGE_SHIFT) * sizeof(uint64_t));
    if (mprotect(kva_frames, (KVA_SIZE >> PAGE_SHIFT) * sizeof(uint64_t),
                 PROT_READ | PROT_WRITE) != 0)
        panic("host: no memory for the kernel range");
}

void *phys_to_virt(paddr_t address) {
    ASSERT(address.value >= RAM_BASE && address.value < ram_end);
    return ram + address.value;
}

void *host_user_memory(paddr_t address) {
    if (address.value - HOST_DEVICE_BASE < HOST_DEVICE_SIZE)
        return device + (address.value - HOST_DEVICE_BASE);
    return phys_to_virt(address);
}

static paddr_t kva_to_phys(vaddr_t va) {
    ASSERT(*kva_frame(va));
    return paddr(*kva_frame(va) + (va & PAGE_MASK));
}

paddr_t virt_to_phys(const void *address) {
    if ((vaddr_t)address - (vaddr_t)kva < KVA_SIZE)
        return kva_to_phys((vaddr_t)address);
    uint64_t offset = (uint64_t)((const char *)address - ram);

    ASSERT(offset >= RAM_BASE && offset < ram_end);
    return paddr(offset);
}

bool phys_is_mapped(paddr_t address, uint64_t length) {
    return address.value >= RAM_BASE && range_within(address.value, length, ram_end);
}

bool phys_is_device(paddr_t address, uint64_t length) {
    return address.value >= ram_end && range_within(address.value, length, (uint64_t)1 << 40);
}

vaddr_t host_kva_base(void) { return (vaddr_t)kva; }

status_t mmu_kernel_map(vaddr_t va, paddr_t address, size_t count, unsigned prot) {
    ASSERT(range_within(va - KVA_BASE, count * PAGE_SIZE, KVA_SIZE));
    ASSERT(phys_is_mapped(address, count * PAGE_SIZE));
    map_file((char *)va, address.value, count * PAGE_SIZE);
    for (size_t i = 0; i < count; i++)
        *kva_frame(va + i * PAGE_SIZE) = address.value + i * PAGE_SIZE;
    return OK;
}

void mmu_kernel_unmap(vaddr_t va, size_t count) {
    ASSERT(range_within(va - KVA_BASE, count * PAGE_SIZE, KVA_SIZE));
    if (mmap((void *)va, count * PAGE_SIZE, PROT_NONE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) == MAP_FAILED)
        panic("host: cannot unmap");
    for (size_t i = 0; i < count; i++)
        *kva_frame(va + i * PAGE_SIZE) = 0;
}

void arch_zero_page(void *page) { memset(page, 0, PAGE_SIZE); }
void arch_copy_page(void *to, const void *from) { memcpy(to, from, PAGE_SIZE); }
void arch_flush_page(const void *page) { (void)page; }
