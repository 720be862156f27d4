/*
 * pci.c - see pci.h.
 */
#include "edu/pci.h"

#include <zircon/syscalls.h>

#define ADDRESS_PORT 0xcf8
#define DATA_PORT    0xcfc
#define ENABLE       0x80000000u

#define NO_DEVICE           0xffffu
#define STATUS_CAPABILITIES 0x10
#define CAPABILITIES_MAX    48

/* The host bridge of QEMU's q35 machine, and its register that says where the memory lies. */
#define Q35_BRIDGE      0x29c08086u
#define Q35_MEMORY      0x60
#define Q35_MEMORY_ON   1u
#define Q35_MEMORY_BASE 0xf0000000u

zx_status_t pci_open(zx_handle_t root_resource) {
    return zx_ioports_request(root_resource, ADDRESS_PORT, 8);
}

static void choose(struct pci_function at, unsigned offset) {
    uint32_t address = ENABLE | (uint32_t)at.bus << 16 | (uint32_t)at.device << 11 |
                       (uint32_t)at.function << 8 | (offset & 0xfc);
    __asm__ volatile("outl %0, %w1" ::"a"(address), "d"(ADDRESS_PORT));
}

uint32_t pci_read32(struct pci_function at, unsigned offset) {
    uint32_t value;
    choose(at, offset);
    __asm__ volatile("inl %w1, %0" : "=a"(value) : "d"(DATA_PORT));
    return value;
}

uint16_t pci_read16(struct pci_function at, unsigned offset) {
    return (uint16_t)(pci_read32(at, offset) >> (offset & 2) * 8);
}

void pci_write16(struct pci_function at, unsigned offset, uint16_t value) {
    choose(at, offset);
    __asm__ volatile("outw %0, %w1" ::"a"(value), "d"(DATA_PORT + (offset & 2)));
}

void pci_write32(struct pci_function at, unsigned offset, uint32_t value) {
    choose(at, offset);
    __asm__ volatile("outl %0, %w1" ::"a"(value), "d"(DATA_PORT));
}

static bool find_on_bus(uint32_t id, uint8_t bus, struct pci_function *out_at) {
    for (unsigned i = 0; i < 256; i++) {
        struct pci_function at = {bus, (uint8_t)(i / 8), (uint8_t)(i % 8)};
        uint32_t found = pci_read32(at, PCI_ID);
        if (found == id) {
            *out_at = at;
            return true;
        }
        if (at.function == 0 && (found & 0xffff) == NO_DEVICE)
            i += 7;
    }
    return false;
}

bool pci_find(uint32_t id, struct pci_function *out_at) {
    for (unsigned bus = 0; bus < 256; bus++) {
        if (find_on_bus(id, (uint8_t)bus, out_at))
            return true;
    }
    return false;
}

/* The list may be nonsense, or a circle. */
unsigned pci_find_capability(struct pci_function at, uint8_t kind) {
    if (!(pci_read16(at, PCI_STATUS) & STATUS_CAPABILITIES))
        return 0;
    unsigned place = pci_read32(at, PCI_CAPABILITIES) & 0xfc;
    for (int i = 0; place && i < CAPABILITIES_MAX; i++) {
        uint32_t head = pci_read32(at, place);
        if ((head & 0xff) == kind)
            return place;
        place = head >> 8 & 0xfc;
    }
    return 0;
}

zx_paddr_t pci_memory_of(struct pci_function at) {
    const struct pci_function bridge = {0};
    uint32_t where = pci_read32(bridge, Q35_MEMORY);
    if (pci_read32(bridge, PCI_ID) != Q35_BRIDGE || !(where & Q35_MEMORY_ON))
        return 0;
    return (where & Q35_MEMORY_BASE) | (zx_paddr_t)at.bus << 20 | (zx_paddr_t)at.device << 15 |
           (zx_paddr_t)at.function << 12;
}
