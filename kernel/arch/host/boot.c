/*
 * boot.c - what a loader would have told, and arch's steps of the boot.
 *
 * One usable range, with a hole in it where the options leave room, so that code
 * which takes RAM for one piece is found out.
 */
#include "arch/boot.h"

#include "arch/console.h"
#include "arch/host/host_internal.h"
#include "lib/log.h"
#include "lib/string.h"

#define RAM_BASE MIB(1)
#define HOLE     MIB(2)

struct boot_info boot_info;
const char kernel_image_start[1], kernel_image_end[1];

static void add_range(uint64_t base, uint64_t length, enum boot_range_kind kind) {
    boot_info.ranges[boot_info.range_count++] = (struct boot_range){base, length, kind};
}

void host_boot_init(const struct host_options *options) {
    uint64_t half = round_down(options->memory / 2, PAGE_SIZE);

    boot_info.loader = "host";
    string_copy(boot_info.cmdline, sizeof(boot_info.cmdline),
                options->cmdline ? options->cmdline : "");
    add_range(RAM_BASE, half, BOOT_RANGE_USABLE);
    add_range(RAM_BASE + half, HOLE, BOOT_RANGE_RESERVED);
    add_range(RAM_BASE + half + HOLE, options->memory - half - HOLE, BOOT_RANGE_USABLE);
    boot_info.ram_bytes = options->memory - HOLE;
}

void arch_init_early(void) { log_set_console(console_emit); }
void arch_init_memory(void) {}
void arch_init_platform(const struct platform_info *platform) {}
bool kernel_address_is_text(uintptr_t address) { return false; }
uint64_t kernel_image_checksum(void) { return 0; }
