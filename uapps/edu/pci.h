/*
 * pci.h - PCI's configuration space by its first way in: an address port and a data port.
 *
 * Addresses that the firmware has given to devices are only read (P21): nothing here writes
 * a base address register, not even to ask for its size.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <zircon/types.h>

#define PCI_CAPABILITY_MSI 0x05

enum pci_register {
    PCI_ID = 0x00,
    PCI_COMMAND = 0x04, /* 16 bits */
    PCI_STATUS = 0x06,  /* 16 bits */
    PCI_REVISION = 0x08,
    PCI_BAR0 = 0x10,
    PCI_CAPABILITIES = 0x34,
    PCI_INTERRUPT = 0x3c, /* 16 bits: what the firmware calls its line, and its pin */
};
#define PCI_COMMAND_MEMORY 0x2
#define PCI_COMMAND_MASTER 0x4 /* it may send messages, and reach memory by itself */
#define PCI_COMMAND_NO_LINE 0x400
#define PCI_PIN_A           1 /* 0: it has no pin */

struct pci_function {
    uint8_t bus, device, function;
};

/* Ask for the ports. */
zx_status_t pci_open(zx_handle_t root_resource);
uint32_t pci_read32(struct pci_function at, unsigned offset);
uint16_t pci_read16(struct pci_function at, unsigned offset);
void pci_write16(struct pci_function at, unsigned offset, uint16_t value);
void pci_write32(struct pci_function at, unsigned offset, uint32_t value);
/* The first with this vendor (low half) and device (high half). */
bool pci_find(uint32_t id, struct pci_function *out_at);
/* Where its capability of this kind begins; 0: it has none. */
unsigned pci_find_capability(struct pci_function at, uint8_t kind);
/*
 * Where the function's configuration space lies in memory: one page. 0: the host bridge, of
 * the one kind that is known here, says that it lies nowhere.
 */
zx_paddr_t pci_memory_of(struct pci_function at);
