/*
 * edu - a driver for QEMU's `edu` device, as an ordinary program.
 *
 * It needs all that the kernel has for drivers, and nothing else: I/O ports to find the device,
 * its registers as uncached memory, an interrupt (a message of its or its line), and memory
 * of an ordinary VMO pinned for the device to read and write. All authority is the root
 * resource, which only the first process has.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <zircon/process.h>
#include <zircon/processargs.h>
#include <zircon/syscalls.h>
#include <zircon/syscalls/iommu.h>

#include "common/tool.h"
#include "edu/pci.h"

static const char help[] =
    "usage: edu [--line]\n"
    "Drives QEMU's `edu` device: looks at its registers, has it compute factorials and interrupt\n"
    "when it is done, and has it copy memory. With --line it interrupts by its line and not by\n"
    "messages. Needs the root resource, so it must be the first process:\n"
    "./jx exec --init --device edu build/symbols/edu\n";

#define PAGE   ((size_t)ZX_PAGE_SIZE)
#define EDU_ID 0x11e81234u

/* Registers, by their offsets in bytes. Those from DMA_SOURCE on have 64 bits. */
enum edu_register {
    EDU_IDENTITY = 0x00,
    EDU_LIVENESS = 0x04, /* reads as the complement of what was written */
    EDU_FACTORIAL = 0x08,
    EDU_STATUS = 0x20,
    EDU_INTERRUPTS = 0x24,
    EDU_INTERRUPT_ACK = 0x64,
    EDU_DMA_SOURCE = 0x80,
    EDU_DMA_TARGET = 0x88,
    EDU_DMA_COUNT = 0x90,
    EDU_DMA_COMMAND = 0x98,
};
#define EDU_REGISTERS     0x100000 /* bytes of them, its buffer included */
#define STATUS_BUSY       0x01u
#define STATUS_INTERRUPT  0x80u
#define INTERRUPT_DONE    0x001u
#define INTERRUPT_DMA     0x100u
#define DMA_START         0x1u
#define DMA_FROM_DEVICE   0x2u
#define DMA_INTERRUPT     0x4u
#define DEVICE_BUFFER     0x40000u /* as the device sees its own 4 KiB */
#define DMA_BYTES         4088u    /* all of them at once are too many for some versions */
#define DEVICE_REACH      ((zx_paddr_t)1 << 28) /* it has no more address bits */
#define KEY               0xedu

struct edu {
    zx_handle_t root;
    struct pci_function at;
    uint32_t bar0;
    volatile uint8_t *registers;
    zx_handle_t space; /* its configuration space */
    zx_handle_t msi, interrupt, port;
    zx_handle_t bti;
};

/* One line for each step; a step that fails ends the program. */
static bool step(zx_status_t status, const char *format, ...) {
    char text[160];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (status == ZX_OK)
        printf("edu: %s\n", text);
    else
        tool_fail(status, "%s", text);
    return status == ZX_OK;
}

/* ---- Registers ---- */

static uint32_t read32(const struct edu *edu, enum edu_register reg) {
    return *(volatile uint32_t *)(edu->registers + reg);
}
static void write32(const struct edu *edu, enum edu_register reg, uint32_t value) {
    *(volatile uint32_t *)(edu->registers + reg) = value;
}
static void write64(const struct edu *edu, enum edu_register reg, uint64_t value) {
    *(volatile uint64_t *)(edu->registers + reg) = value;
}

/* Device memory as the kernel gives it: mapped uncached, as it must be (P27). */
static zx_status_t device_memory(const struct edu *edu, zx_paddr_t at, size_t size,
                                 zx_handle_t *out) {
    zx_status_t status = zx_vmo_create_physical(edu->root, at, size, out);
    return status == ZX_OK ? zx_vmo_set_cache_policy(*out, ZX_CACHE_POLICY_UNCACHED_DEVICE)
                           : status;
}

/* ---- Steps ---- */

static bool find(struct edu *edu) {
    zx_status_t status = pci_open(edu->root);
    if (status != ZX_OK)
        return step(status, "no way to PCI's configuration space");
    if (!pci_find(EDU_ID, &edu->at))
        return step(ZX_ERR_NOT_FOUND, "there is no such device (-device edu)");
    edu->bar0 = pci_read32(edu->at, PCI_BAR0);
    if (edu->bar0 == 0 || (edu->bar0 & 0xf))
        return step(ZX_ERR_BAD_STATE, "the firmware gave it no memory (%#x)", edu->bar0);
    pci_write16(edu->at, PCI_COMMAND,
                pci_read16(edu->at, PCI_COMMAND) | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    return step(ZX_OK, "found at %02x:%02x.%u, revision %#x, registers at %#x", edu->at.bus,
                edu->at.device, edu->at.function, pci_read32(edu->at, PCI_REVISION) & 0xff,
                edu->bar0);
}

static bool map_registers(struct edu *edu) {
    zx_handle_t vmo = ZX_HANDLE_INVALID;
    zx_vaddr_t address = 0;
    zx_status_t status = device_memory(edu, edu->bar0, EDU_REGISTERS, &vmo);
    if (status == ZX_OK)
        status = zx_vmar_map(zx_vmar_root_self(), ZX_VM_PERM_READ | ZX_VM_PERM_WRITE, 0, vmo, 0,
                             EDU_REGISTERS, &address);
    (void)zx_handle_close(vmo);
    if (status != ZX_OK)
        return step(status, "its registers can't be mapped");
    edu->registers = (volatile uint8_t *)address;
    uint32_t identity = read32(edu, EDU_IDENTITY);
    write32(edu, EDU_LIVENESS, 0x12345678);
    uint32_t answer = read32(edu, EDU_LIVENESS);
    bool ok = (identity & 0xffff) == 0xed && answer == ~0x12345678u;
    return step(ok ? ZX_OK : ZX_ERR_IO, "identification %#010x, it answers %#010x to 0x12345678",
                identity, answer);
}

/* Where the device is to write what; the kernel may mask it there. */
static bool set_up_messages(struct edu *edu) {
    unsigned place = pci_find_capability(edu->at, PCI_CAPABILITY_MSI);
    zx_paddr_t memory = pci_memory_of(edu->at);
    zx_info_msi_t info = {0};
    if (place == 0 || memory == 0)
        return step(ZX_ERR_NOT_SUPPORTED, "no messages (capability %#x, memory %#lx)", place,
                    memory);
    zx_status_t status = device_memory(edu, memory, PAGE, &edu->space);
    if (status == ZX_OK)
        status = zx_msi_allocate(edu->root, 1, &edu->msi);
    if (status == ZX_OK)
        status = zx_object_get_info(edu->msi, ZX_INFO_MSI, &info, sizeof info, NULL, NULL);
    if (status == ZX_OK)
        status = zx_msi_create(edu->msi, 0, 0, edu->space, place, &edu->interrupt);
    if (status != ZX_OK)
        return step(status, "no interrupt");
    uint16_t control = pci_read16(edu->at, place + 2);
    bool is_64_bit = control & 0x80;
    pci_write32(edu->at, place + 4, (uint32_t)info.target_addr);
    if (is_64_bit)
        pci_write32(edu->at, place + 8, (uint32_t)(info.target_addr >> 32));
    pci_write16(edu->at, place + (is_64_bit ? 12 : 8), (uint16_t)info.target_data);
    pci_write16(edu->at, place + 2, (control & ~0x70) | 1);
    return step(ZX_OK, "interrupts by writing %#x to %#lx", info.target_data, info.target_addr);
}

/* The chip set's way from the pins of bus 0's devices to the inputs of the I/O APIC. */
static uint32_t input_of(struct pci_function at, uint8_t pin) {
    return 20 + (at.device + pin - PCI_PIN_A) % 4;
}

static bool set_up_line(struct edu *edu) {
    uint8_t pin = (uint8_t)(pci_read16(edu->at, PCI_INTERRUPT) >> 8);
    uint32_t input = input_of(edu->at, pin);
    if (pin < PCI_PIN_A || edu->at.bus != 0)
        return step(ZX_ERR_NOT_SUPPORTED, "no line (pin %u)", pin);
    pci_write16(edu->at, PCI_COMMAND,
                pci_read16(edu->at, PCI_COMMAND) & ~PCI_COMMAND_NO_LINE);
    zx_status_t status =
        zx_interrupt_create(edu->root, input, ZX_INTERRUPT_MODE_LEVEL_LOW, &edu->interrupt);
    return step(status, "interrupts by pin %c, which is input %u", 'A' + pin - PCI_PIN_A, input);
}

/*
 * What it interrupted for, which it is told to forget; a line goes down only then, so the
 * kernel is told after it.
 */
static uint32_t take_interrupts(const struct edu *edu) {
    uint32_t which = read32(edu, EDU_INTERRUPTS);
    write32(edu, EDU_INTERRUPT_ACK, which);
    if (edu->port != ZX_HANDLE_INVALID && zx_interrupt_ack(edu->interrupt) != ZX_OK)
        return 0;
    return which;
}

static void start_factorial(const struct edu *edu, uint32_t number) {
    write32(edu, EDU_STATUS, STATUS_INTERRUPT);
    write32(edu, EDU_FACTORIAL, number);
}

static bool check_factorial(const struct edu *edu, uint32_t number, uint32_t want, zx_time_t took,
                            const char *who) {
    uint32_t which = take_interrupts(edu), got = read32(edu, EDU_FACTORIAL);
    bool ok = got == want && which == INTERRUPT_DONE && took >= 0 &&
              !(read32(edu, EDU_STATUS) & STATUS_BUSY);
    return step(ok ? ZX_OK : ZX_ERR_IO, "the factorial of %u is %u: told to %s, for %#x, %ld us "
                "after", number, got, who, which, took / 1000);
}

static bool factorial_by_wait(const struct edu *edu) {
    zx_time_t at = 0, before = zx_clock_get_monotonic();
    start_factorial(edu, 5);
    zx_status_t status = zx_interrupt_wait(edu->interrupt, &at);
    return status == ZX_OK ? check_factorial(edu, 5, 120, at - before, "a thread that waits")
                           : step(status, "no interrupt came");
}

/* From the port: the time when it came. */
static zx_status_t take_packet(const struct edu *edu, zx_time_t *out_at) {
    zx_port_packet_t packet = {0};
    zx_status_t status = zx_port_wait(edu->port, zx_deadline_after(ZX_SEC(20)), &packet);
    if (status == ZX_OK && (packet.type != ZX_PKT_TYPE_INTERRUPT || packet.key != KEY))
        status = ZX_ERR_BAD_STATE;
    *out_at = packet.interrupt.timestamp;
    return status;
}

static bool factorial_by_port(struct edu *edu) {
    zx_time_t at = 0;
    zx_status_t status = zx_port_create(ZX_PORT_BIND_TO_INTERRUPT, &edu->port);
    if (status == ZX_OK)
        status = zx_interrupt_bind(edu->interrupt, edu->port, KEY, ZX_INTERRUPT_BIND);
    zx_time_t before = zx_clock_get_monotonic();
    start_factorial(edu, 12);
    if (status == ZX_OK)
        status = take_packet(edu, &at);
    return status == ZX_OK ? check_factorial(edu, 12, 479001600, at - before, "a port")
                           : step(status, "no packet came");
}

/* ---- Memory ---- */

static zx_status_t make_bti(struct edu *edu) {
    static const zx_iommu_desc_dummy_t dummy;
    zx_handle_t iommu = ZX_HANDLE_INVALID;
    zx_status_t status =
        zx_iommu_create(edu->root, ZX_IOMMU_TYPE_DUMMY, &dummy, sizeof dummy, &iommu);
    if (status == ZX_OK)
        status = zx_bti_create(iommu, 0, EDU_ID, &edu->bti);
    (void)zx_handle_close(iommu);
    return status;
}

/* Copies between the device's buffer and a page of the VMO, which is pinned that long. */
static zx_status_t transfer(const struct edu *edu, zx_handle_t vmo, size_t page, bool from_device,
                            zx_paddr_t *out_address) {
    zx_handle_t pmt = ZX_HANDLE_INVALID;
    zx_time_t at;
    zx_status_t status =
        zx_bti_pin(edu->bti, from_device ? ZX_BTI_PERM_WRITE : ZX_BTI_PERM_READ, vmo, page * PAGE,
                   PAGE, out_address, 1, &pmt);
    if (status != ZX_OK)
        return status;
    if (*out_address + PAGE > DEVICE_REACH) {
        (void)zx_pmt_unpin(pmt);
        return ZX_ERR_OUT_OF_RANGE;
    }
    write64(edu, EDU_DMA_SOURCE, from_device ? DEVICE_BUFFER : *out_address);
    write64(edu, EDU_DMA_TARGET, from_device ? *out_address : DEVICE_BUFFER);
    write64(edu, EDU_DMA_COUNT, DMA_BYTES);
    write64(edu, EDU_DMA_COMMAND,
            DMA_START | DMA_INTERRUPT | (from_device ? DMA_FROM_DEVICE : 0));
    status = take_packet(edu, &at);
    if (status != ZX_OK)
        return status; /* it may be at work still: the memory stays in quarantine */
    if (take_interrupts(edu) != INTERRUPT_DMA)
        status = ZX_ERR_IO;
    (void)zx_pmt_unpin(pmt);
    return status;
}

static void fill(uint8_t *bytes, uint8_t first) {
    for (size_t i = 0; i < PAGE; i++)
        bytes[i] = (uint8_t)(first + i * 7 + i / 256);
}

/* Three pages: what goes to the device, one that nobody may touch, and what comes back. */
static bool copy_by_device(struct edu *edu) {
    static uint8_t pages[3][4096], got[3][4096];
    zx_handle_t vmo = ZX_HANDLE_INVALID;
    zx_paddr_t from = 0, to = 0;
    zx_status_t status = make_bti(edu);
    if (status == ZX_OK)
        status = zx_vmo_create(3 * PAGE, 0, &vmo);
    fill(pages[0], 1);
    fill(pages[1], 99);
    fill(pages[2], 200);
    if (status == ZX_OK)
        status = zx_vmo_write(vmo, pages, 0, sizeof pages);
    if (status == ZX_OK)
        status = transfer(edu, vmo, 0, false, &from);
    if (status == ZX_OK)
        status = transfer(edu, vmo, 2, true, &to);
    if (status == ZX_OK)
        status = zx_vmo_read(vmo, got, 0, sizeof got);
    memcpy(pages[2], pages[0], DMA_BYTES);
    if (status == ZX_OK && memcmp(pages, got, sizeof got) != 0)
        status = ZX_ERR_IO_DATA_INTEGRITY;
    (void)zx_handle_close(vmo);
    return step(status, "it copied %u bytes from %#lx to itself, and from there to %#lx",
                DMA_BYTES, from, to);
}

/* ---- The end ---- */

static bool end(struct edu *edu) {
    zx_info_bti_t info = {0};
    zx_status_t status = zx_object_get_info(edu->bti, ZX_INFO_BTI, &info, sizeof info, NULL, NULL);
    uint32_t bar0 = pci_read32(edu->at, PCI_BAR0);
    if (status == ZX_OK && (info.pmo_count || info.quarantine_count || bar0 != edu->bar0))
        status = ZX_ERR_BAD_STATE;
    pci_write16(edu->at, PCI_COMMAND,
                pci_read16(edu->at, PCI_COMMAND) & ~PCI_COMMAND_MASTER);
    if (status == ZX_OK)
        status = zx_interrupt_destroy(edu->interrupt);
    return step(status, "nothing is pinned any more, and its registers are still at %#x", bar0);
}

int main(int argc, char **argv) {
    struct edu edu = {.root = zx_take_startup_handle(PA_HND(PA_RESOURCE, 0))};
    tool_start(argc, argv, help);
    bool by_line = argc == 2 && strcmp(argv[1], "--line") == 0;
    if (argc != 1 && !by_line)
        return tool_usage();
    if (edu.root == ZX_HANDLE_INVALID)
        return tool_fail(ZX_ERR_ACCESS_DENIED, "this needs the root resource");
    bool ok = find(&edu) && map_registers(&edu) &&
              (by_line ? set_up_line(&edu) : set_up_messages(&edu)) && factorial_by_wait(&edu) &&
              factorial_by_port(&edu) && copy_by_device(&edu) && end(&edu);
    if (ok)
        printf("edu: all is well\n");
    return ok ? 0 : 1;
}
