/*
 * boot.c - from the loader's tables to boot_info.
 *
 * Everything that the kernel will want is copied while the loader's memory is
 * still untouched, so nothing of it needs to be kept. A table that is missing,
 * truncated or absurd ends in boot_fail: one line and a stop.
 */
#include "arch/amd64/amd64.h"
#include "arch/amd64/boot_internal.h"
#include "lib/fmt.h"
#include "lib/log.h"

struct boot_info boot_info;

static struct {
    uint32_t kind;
    uint64_t info;
} loader;

void boot_fail(const char *format, ...) {
    char text[LOG_DATA_MAX];
    va_list args;
    va_start(args, format);
    fmt_vformat(text, sizeof(text), format, args);
    va_end(args);
    log_error("jacinth: cannot boot: %s", text);
    machine_end(MACHINE_PANIC, 0);
}

/* Pages that start.S maps; the loader's tables and our first page tables lie there. */
const void *boot_low_memory(uint64_t address, uint64_t length, const char *what) {
    if (!range_within(address, length, GIB(4)) || address == 0)
        boot_fail("%s lies at %#llx, %#llx bytes long, which is not below 4 GiB", what,
                  (unsigned long long)address, (unsigned long long)length);
    return (const void *)(PHYSICAL_MAP + address);
}

void boot_collect(void) {
    boot_begin();
    if (loader.kind == LOADER_MULTIBOOT2)
        boot_read_multiboot2(loader.info);
    else if (loader.kind == LOADER_PVH)
        boot_read_pvh(loader.info);
    else
        boot_fail("the loader is neither multiboot2 nor PVH (%#x)", loader.kind);
    boot_finish(KERNEL_PHYSICAL, (uint64_t)(uintptr_t)kernel_image_end - KERNEL_BASE);
}

void arch_entry(uint32_t kind, uint64_t info) {
    loader.kind = kind;
    loader.info = info;
    kernel_main();
}
