/*
 * boot.c - from the loader's tables to boot_info.
 *
 * Everything that the kernel will want is copied while the loader's memory is
 * still untouched, so nothing of it needs to be kept. Firmware may report ranges
 * in any order and overlapping: where ranges disagree, memory is not usable. A
 * table that is missing, truncated or absurd ends in boot_fail: one line and a stop.
 */
#include "arch/amd64/boot_internal.h"

#include "arch/amd64/amd64.h"
#include "arch/console.h"
#include "lib/fmt.h"
#include "lib/log.h"
#include "lib/string.h"

#define LEAST_USABLE MIB(32)

struct boot_info boot_info;

static struct {
    uint32_t kind;
    uint64_t info;
} loader;

/* What the firmware calls unusable, cut out when all is known. */
static struct {
    uint64_t base, end;
} reserved[BOOT_RANGES_MAX];
static unsigned reserved_count;

void boot_fail(const char *format, ...) {
    char text[LOG_DATA_MAX];
    va_list args;
    va_start(args, format);
    fmt_vformat(text, sizeof(text), format, args);
    va_end(args);
    log_error("jacinth: cannot boot: %s", text);
    machine_end(MACHINE_PANIC, 0);
}

/* ---- Ranges ---- */

static void range_insert(unsigned at, uint64_t base, uint64_t end, enum boot_range_kind kind) {
    if (boot_info.range_count == BOOT_RANGES_MAX)
        boot_fail("the memory map has more than %u ranges", BOOT_RANGES_MAX);
    memmove(&boot_info.ranges[at + 1], &boot_info.ranges[at],
            (boot_info.range_count - at) * sizeof(boot_info.ranges[0]));
    boot_info.ranges[at] = (struct boot_range){base, end - base, kind};
    boot_info.range_count++;
}

static void range_remove(unsigned at) {
    boot_info.range_count--;
    memmove(&boot_info.ranges[at], &boot_info.ranges[at + 1],
            (boot_info.range_count - at) * sizeof(boot_info.ranges[0]));
}

static uint64_t range_end(const struct boot_range *range) {
    return range->base + range->length;
}

/* Join usable RAM [base, end) to the list, which stays sorted and disjoint. */
static void range_add_usable(uint64_t base, uint64_t end) {
    unsigned i = 0;
    while (i < boot_info.range_count && range_end(&boot_info.ranges[i]) < base)
        i++;
    while (i < boot_info.range_count && boot_info.ranges[i].base <= end) {
        base = MIN(base, boot_info.ranges[i].base);
        end = MAX(end, range_end(&boot_info.ranges[i]));
        range_remove(i);
    }
    range_insert(i, base, end, BOOT_RANGE_USABLE);
}

/* Give [base, end) of usable RAM another kind; RESERVED takes it off the list. Returns the bytes.
 */
static uint64_t range_carve(uint64_t base, uint64_t end, enum boot_range_kind kind) {
    uint64_t carved = 0;
    for (unsigned i = 0; i < boot_info.range_count; i++) {
        struct boot_range range = boot_info.ranges[i];
        uint64_t from = MAX(base, range.base), to = MIN(end, range_end(&range));
        if (range.kind != BOOT_RANGE_USABLE || from >= to)
            continue;
        range_remove(i);
        if (range.base < from)
            range_insert(i++, range.base, from, BOOT_RANGE_USABLE);
        if (kind != BOOT_RANGE_RESERVED)
            range_insert(i++, from, to, kind);
        if (to < range_end(&range))
            range_insert(i++, to, range_end(&range), BOOT_RANGE_USABLE);
        i--;
        carved += to - from;
    }
    return carved;
}

void boot_add_memory(uint64_t base, uint64_t length, bool usable) {
    uint64_t end;
    if (length == 0)
        return;
    if (__builtin_add_overflow(base, length, &end) || end > UINT64_MAX - PAGE_SIZE) {
        if (usable)
            boot_fail("the memory map has RAM at %#llx, %#llx bytes long, past the end of all "
                      "addresses",
                      (unsigned long long)base, (unsigned long long)length);
        end = UINT64_MAX - PAGE_SIZE;
    }
    if (usable) {
        boot_info.ram_bytes += length;
        base = round_up(base, PAGE_SIZE);
        end = MIN(round_down(end, PAGE_SIZE), (uint64_t)1 << 46);
        if (base < end)
            range_add_usable(base, end);
        return;
    }
    boot_reserve(base, end - base);
}

void boot_reserve(uint64_t base, uint64_t length) {
    if (reserved_count == ARRAY_SIZE(reserved))
        boot_fail("the memory map has more than %u unusable ranges", BOOT_RANGES_MAX);
    reserved[reserved_count].base = round_down(base, PAGE_SIZE);
    reserved[reserved_count].end = round_up(base + length, PAGE_SIZE);
    reserved_count++;
}

/* Pages that start.S maps; the loader's tables and our first page tables lie there. */
const void *boot_low_memory(uint64_t address, uint64_t length, const char *what) {
    if (!range_within(address, length, GIB(4)) || address == 0)
        boot_fail("%s lies at %#llx, %#llx bytes long, which is not below 4 GiB", what,
                  (unsigned long long)address, (unsigned long long)length);
    return (const void *)(PHYSICAL_MAP + address);
}

void boot_copy_cmdline(const char *text, size_t max) {
    size_t length = strnlen(text, max);
    if (length == max)
        boot_fail("the kernel's command line has no end");
    if (length >= BOOT_CMDLINE_MAX)
        boot_fail("the kernel's command line is longer than %u bytes", BOOT_CMDLINE_MAX - 1);
    memcpy(boot_info.cmdline, text, length + 1);
}

static void carve_image(void) {
    uint64_t base = KERNEL_PHYSICAL;
    uint64_t end = (uint64_t)(uintptr_t)kernel_image_end - KERNEL_BASE;
    if (range_carve(base, end, BOOT_RANGE_KERNEL) != end - base)
        boot_fail("the loader put the kernel at %#llx to %#llx, which is not all RAM",
                  (unsigned long long)base, (unsigned long long)end);
}

static void carve_initrd(void) {
    uint64_t end;
    if (boot_info.initrd_length == 0)
        return;
    uint64_t base = round_down(boot_info.initrd.value, PAGE_SIZE);
    if (__builtin_add_overflow(boot_info.initrd.value, boot_info.initrd_length, &end) ||
        !page_round_up_checked(end, &end))
        boot_fail("the initrd's length is absurd: %#llx",
                  (unsigned long long)boot_info.initrd_length);
    if (range_carve(base, end, BOOT_RANGE_INITRD) != end - base)
        boot_fail("the initrd at %#llx to %#llx is not all RAM, or it overlaps the kernel",
                  (unsigned long long)base, (unsigned long long)end);
}

static void finish_ranges(void) {
    uint64_t usable = 0;
    if (boot_info.range_count == 0)
        boot_fail("the loader reports no memory");
    boot_reserve(0, PAGE_SIZE);
    if (boot_info.framebuffer.address.value)
        boot_reserve(boot_info.framebuffer.address.value,
                     (uint64_t)boot_info.framebuffer.pitch * boot_info.framebuffer.height);
    for (unsigned i = 0; i < reserved_count; i++)
        (void)range_carve(reserved[i].base, reserved[i].end, BOOT_RANGE_RESERVED);
    carve_image();
    carve_initrd();
    for (unsigned i = 0; i < boot_info.range_count; i++)
        if (boot_info.ranges[i].kind == BOOT_RANGE_USABLE)
            usable += boot_info.ranges[i].length;
    if (usable < LEAST_USABLE)
        boot_fail("only %llu KiB of memory are usable; %llu KiB are needed",
                  (unsigned long long)usable >> 10, (unsigned long long)LEAST_USABLE >> 10);
}

paddr_t boot_take_pages(size_t count, uint64_t limit) {
    uint64_t size = count * PAGE_SIZE;
    for (unsigned i = boot_info.range_count; i-- > 0;) {
        const struct boot_range *range = &boot_info.ranges[i];
        uint64_t end = MIN(range_end(range), limit);
        if (range->kind != BOOT_RANGE_USABLE || end < range->base || end - range->base < size)
            continue;
        (void)range_carve(end - size, end, BOOT_RANGE_KERNEL);
        return paddr(end - size);
    }
    return paddr(0);
}

void boot_collect(void) {
    if (loader.kind == LOADER_MULTIBOOT2)
        boot_read_multiboot2(loader.info);
    else if (loader.kind == LOADER_PVH)
        boot_read_pvh(loader.info);
    else
        boot_fail("the loader is neither multiboot2 nor PVH (%#x)", loader.kind);
    finish_ranges();
}

void arch_entry(uint32_t kind, uint64_t info) {
    loader.kind = kind;
    loader.info = info;
    kernel_main();
}
