/*
 * boot.h - what the loader told us, copied to safe memory before anything is allocated.
 */
#pragma once

#include "arch/platform.h"
#include "lib/types.h"

#define BOOT_RANGES_MAX  256
#define BOOT_CMDLINE_MAX 2048

enum boot_range_kind {
    BOOT_RANGE_USABLE = 1,   /* RAM that the firmware gives away */
    BOOT_RANGE_RESERVED,     /* firmware, ACPI, devices: never RAM for us */
    BOOT_RANGE_KERNEL,       /* our image */
    BOOT_RANGE_INITRD,
    BOOT_RANGE_LOADER,       /* tables that we still read; usable after boot_release() */
};
struct boot_range {
    uint64_t base, length;   /* page aligned, inward for RAM, outward for the rest */
    enum boot_range_kind kind;
};
struct boot_info {
    const char *loader;      /* "multiboot2: GRUB 2.06", "pvh" */
    char cmdline[BOOT_CMDLINE_MAX];
    /* Sorted, disjoint: usable RAM with everything else cut out of it. */
    struct boot_range ranges[BOOT_RANGES_MAX];
    unsigned range_count;
    paddr_t initrd;          /* length 0: none */
    uint64_t initrd_length;
    paddr_t rsdp;            /* 0: none */
    uint8_t rsdp_copy[36];   /* multiboot2 hands over a copy */
    bool has_rsdp_copy;
    struct {
        paddr_t address;
        uint32_t width, height, pitch;
        uint8_t bits_per_pixel, type;
    } framebuffer;           /* address 0: none */
    uint64_t ram_bytes;      /* sum of the usable ranges as the firmware gave them */
};
extern struct boot_info boot_info;

/*
 * The value of `name=value` on the command line, copied and terminated; false if
 * it is absent. `name` alone gives "".
 */
bool boot_option(const char *name, char *buffer, size_t size);
uint64_t boot_option_u64(const char *name, uint64_t otherwise);
bool boot_option_bool(const char *name, bool otherwise); /* off, 0, no, false / on, 1, yes, true, "" */

/* One line that says why the machine cannot go on, and the end of it. No stack, no report. */
void boot_fail(const char *format, ...) NORETURN COLD PRINTF_LIKE(1, 2);
/*
 * Copy physical memory that the physical map may not show (firmware tables); false
 * if the range is absurd. For boot, on the boot CPU.
 */
bool arch_read_physical(uint64_t address, void *buffer, size_t length);

/*
 * Ticks from the kernel's first instruction to the first entry to user mode, and how
 * many of them were waits to measure the clocks; false before that entry.
 */
bool boot_ticks(uint64_t *out_total, uint64_t *out_calibration);

/* main.c: where the boot CPU enters C, on its idle thread's stack, interrupts off. */
void kernel_main(void) NORETURN;

/* The steps of main.c that are arch's. Each is called once, in this order. */
void arch_init_early(void);      /* console, traps, features; panics with one line if unfit */
void arch_init_memory(void);     /* page tables: physical map, W^X; ends identity mapping.
                                    Uses only memory of the image; RAM above the boot map is
                                    mapped with table pages taken from boot ranges, which it
                                    then marks BOOT_RANGE_KERNEL. */
void arch_init_platform(const struct platform_info *platform); /* APIC, clock, timer, uart irq */
void arch_start_cpus(const struct platform_info *platform, unsigned max);
/* From where the kernel image spans; for reports and checks. */
extern const char kernel_image_start[], kernel_image_end[];
bool kernel_address_is_text(uintptr_t address);
/* A checksum of text and rodata, constant after boot (P23). */
uint64_t kernel_image_checksum(void);
