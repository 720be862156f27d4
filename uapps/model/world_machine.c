/*
 * world_machine.c - device memory of a machine: the frame buffer of a display.
 *
 * QEMU's `bochs-display` shows what lies in its first range of memory, and leaves it alone.
 */
#include <threads.h>
#include <zircon/syscalls.h>

#include "edu/pci.h"
#include "model/lockstep.h"

#define DISPLAY_ID   0x11111234u
#define DISPLAY_SIZE ((uint64_t)16 << 20) /* unless it is told otherwise */
#define BAR_FLAGS    0xfu

static zx_paddr_t display; /* 0: there is none */

static void find_display(void) {
    struct pci_function at;
    if (pci_open(stress_root_resource()) != ZX_OK || !pci_find(DISPLAY_ID, &at))
        return;
    display = pci_read32(at, PCI_BAR0) & ~BAR_FLAGS;
    pci_write16(at, PCI_COMMAND, pci_read16(at, PCI_COMMAND) | PCI_COMMAND_MEMORY);
}

bool lockstep_device_memory(uint64_t size, zx_paddr_t *out_base) {
    static once_flag once = ONCE_FLAG_INIT;
    call_once(&once, find_display);
    *out_base = display;
    return display && size <= DISPLAY_SIZE;
}
