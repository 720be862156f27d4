/*
 * boot_multiboot2.c - what GRUB passes: a list of tags, each with type and size.
 */
#include "arch/amd64/boot_internal.h"
#include "lib/fmt.h"
#include "lib/string.h"

enum tag_type {
    TAG_END = 0,
    TAG_CMDLINE = 1,
    TAG_LOADER = 2,
    TAG_MODULE = 3,
    TAG_MEMORY_MAP = 6,
    TAG_FRAMEBUFFER = 8,
    TAG_RSDP_OLD = 14,
    TAG_RSDP_NEW = 15,
};
struct tag {
    uint32_t type, size;
    uint8_t body[];
};
struct tag_module {
    uint32_t start, end;
};
struct tag_memory_map {
    uint32_t entry_size, entry_version;
    uint8_t entries[];
};
struct memory_entry {
    uint64_t base, length;
    uint32_t type, zero;
};
struct PACKED tag_framebuffer {
    uint64_t address;
    uint32_t pitch, width, height;
    uint8_t bits_per_pixel, type;
};
#define MEMORY_USABLE   1
#define INFO_SIZE_MAX   MIB(1)
#define FRAMEBUFFER_RGB 1

static char loader_name[64] = "multiboot2";

static void need(size_t have, size_t want, const char *what) {
    if (have < want)
        boot_fail("multiboot2: the %s tag is truncated", what);
}

/* The first module is the initrd; others are kept out of use. */
static void read_module(const struct tag *tag, size_t size) {
    struct tag_module module;
    need(size, sizeof(module), "module");
    memcpy(&module, tag->body, sizeof(module));
    if (module.end < module.start)
        boot_fail("multiboot2: a module ends at %#x, before its start at %#x", module.end,
                  module.start);
    if (boot_info.initrd_length != 0) {
        boot_reserve(module.start, module.end - module.start);
        return;
    }
    boot_info.initrd = paddr(module.start);
    boot_info.initrd_length = module.end - module.start;
}

static void read_memory_map(const struct tag *tag, size_t size) {
    const struct tag_memory_map *map = (const void *)tag->body;
    need(size, sizeof(*map), "memory map");
    if (map->entry_size < sizeof(struct memory_entry) || map->entry_size > 256)
        boot_fail("multiboot2: memory map entries of %u bytes", map->entry_size);
    for (size_t at = sizeof(*map); at + map->entry_size <= size; at += map->entry_size) {
        struct memory_entry entry;
        memcpy(&entry, tag->body + at, sizeof(entry));
        boot_add_memory(entry.base, entry.length, entry.type == MEMORY_USABLE);
    }
}

static void read_framebuffer(const struct tag *tag, size_t size) {
    struct tag_framebuffer fb;
    need(size, sizeof(fb), "framebuffer");
    memcpy(&fb, tag->body, sizeof(fb));
    if (fb.type != FRAMEBUFFER_RGB || fb.address > UINT64_MAX / 2)
        return;
    boot_info.framebuffer.address = paddr(fb.address);
    boot_info.framebuffer.width = fb.width;
    boot_info.framebuffer.height = fb.height;
    boot_info.framebuffer.pitch = fb.pitch;
    boot_info.framebuffer.bits_per_pixel = fb.bits_per_pixel;
    boot_info.framebuffer.type = fb.type;
}

static void read_rsdp(const struct tag *tag, size_t size) {
    size_t length = tag->type == TAG_RSDP_NEW ? sizeof(boot_info.rsdp_copy) : 20;
    if (boot_info.has_rsdp_copy && tag->type == TAG_RSDP_OLD)
        return;
    need(size, length, "RSDP");
    memset(boot_info.rsdp_copy, 0, sizeof(boot_info.rsdp_copy));
    memcpy(boot_info.rsdp_copy, tag->body, length);
    boot_info.has_rsdp_copy = true;
}

static void read_tag(const struct tag *tag) {
    size_t size = tag->size - sizeof(*tag);
    const char *text = (const char *)tag->body;
    switch (tag->type) {
    case TAG_CMDLINE:
        boot_copy_cmdline(text, size);
        break;
    case TAG_LOADER:
        if (size > 0)
            fmt_format(loader_name, sizeof(loader_name), "multiboot2: %.*s",
                       (int)strnlen(text, MIN(size, (size_t)40)), text);
        break;
    case TAG_MODULE:
        read_module(tag, size);
        break;
    case TAG_MEMORY_MAP:
        read_memory_map(tag, size);
        break;
    case TAG_FRAMEBUFFER:
        read_framebuffer(tag, size);
        break;
    case TAG_RSDP_OLD:
    case TAG_RSDP_NEW:
        read_rsdp(tag, size);
        break;
    }
}

void boot_read_multiboot2(uint64_t address) {
    uint32_t total, at = 8;
    memcpy(&total, boot_low_memory(address, 16, "multiboot2's information"), sizeof(total));
    if (total < 16 || total > INFO_SIZE_MAX)
        boot_fail("multiboot2: information of %u bytes", total);
    const uint8_t *info = boot_low_memory(address, total, "multiboot2's information");
    if ((uintptr_t)info & 7)
        boot_fail("multiboot2: the information at %#llx is not aligned",
                  (unsigned long long)address);
    boot_info.loader = loader_name;
    for (;;) {
        const struct tag *tag = (const void *)(info + at);
        if (total - at < sizeof(*tag) || tag->size < sizeof(*tag) || tag->size > total - at)
            boot_fail("multiboot2: the list of tags is truncated at byte %u of %u", at, total);
        if (tag->type == TAG_END)
            return;
        read_tag(tag);
        at += (uint32_t)round_up(tag->size, 8);
        if (at > total)
            boot_fail("multiboot2: the list of tags has no end");
    }
}
