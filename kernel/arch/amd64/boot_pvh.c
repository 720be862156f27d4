/*
 * boot_pvh.c - what a hypervisor passes at direct boot: struct hvm_start_info.
 *
 * Its parts lie in memory that the map calls free, so they are copied here and
 * not looked at again.
 */
#include "arch/amd64/boot_internal.h"
#include "arch/amd64/layout.h"
#include "lib/string.h"

struct start_info {
    uint32_t magic, version, flags, module_count;
    uint64_t modules, cmdline, rsdp, memory_map;
    uint32_t memory_map_count, reserved;
};
struct module {
    uint64_t address, length, cmdline, reserved;
};
struct memory_entry {
    uint64_t base, length;
    uint32_t type, reserved;
};
#define MEMORY_NONE   0
#define MEMORY_USABLE 1

static void read_memory_map(const struct start_info *info) {
    if (info->version < 1 || info->memory_map_count == 0)
        boot_fail("PVH: there is no memory map");
    if (info->memory_map_count > BOOT_RANGES_MAX)
        boot_fail("PVH: the memory map has %u entries", info->memory_map_count);
    const struct memory_entry *map = boot_low_memory(
        info->memory_map, info->memory_map_count * sizeof(*map), "PVH's memory map");
    for (uint32_t i = 0; i < info->memory_map_count; i++) {
        struct memory_entry entry;
        memcpy(&entry, (const char *)map + i * sizeof(entry), sizeof(entry)); /* it may lie askew */
        if (entry.type != MEMORY_NONE)
            boot_add_memory(entry.base, entry.length, entry.type == MEMORY_USABLE);
    }
}

static void read_initrd(const struct start_info *info) {
    if (info->module_count == 0)
        return;
    struct module module;
    memcpy(&module, boot_low_memory(info->modules, sizeof(module), "PVH's list of modules"),
           sizeof(module));
    boot_info.initrd = paddr(module.address);
    boot_info.initrd_length = module.length;
}

void boot_read_pvh(uint64_t address) {
    struct start_info info;
    memcpy(&info, boot_low_memory(address, sizeof(info), "PVH's start information"), sizeof(info));
    if (info.magic != LOADER_PVH)
        boot_fail("PVH: the start information's magic number is %#x", info.magic);
    boot_info.loader = "pvh";
    boot_info.rsdp = paddr(info.rsdp);
    if (info.cmdline)
        boot_copy_cmdline(boot_low_memory(info.cmdline, BOOT_CMDLINE_MAX, "the command line"),
                          BOOT_CMDLINE_MAX);
    read_memory_map(&info);
    read_initrd(&info);
}
