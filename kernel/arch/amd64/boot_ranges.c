/*
 * boot_ranges.c - which memory is whose, from what firmware and loader say.
 *
 * Firmware may report ranges in any order and overlapping: where ranges disagree,
 * memory is not usable. The parts that image and initrd occupy must be usable RAM.
 */
#include "arch/amd64/boot_internal.h"
#include "lib/string.h"

#define LEAST_USABLE MIB(32)

/* What the firmware calls unusable, cut out when all is known. */
static struct {
    uint64_t base, end;
} reserved[BOOT_RANGES_MAX];
static unsigned reserved_count;

void boot_begin(void) {
    memset(&boot_info, 0, sizeof(boot_info));
    reserved_count = 0;
}

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
    uint64_t end;
    if (__builtin_add_overflow(base, length, &end) || end > UINT64_MAX - PAGE_SIZE)
        end = UINT64_MAX - PAGE_SIZE;
    reserved[reserved_count].base = round_down(base, PAGE_SIZE);
    reserved[reserved_count].end = round_up(end, PAGE_SIZE);
    reserved_count++;
}

void boot_copy_cmdline(const char *text, size_t max) {
    size_t length = strnlen(text, max);
    if (length == max)
        boot_fail("the kernel's command line has no end");
    if (length >= BOOT_CMDLINE_MAX)
        boot_fail("the kernel's command line is longer than %u bytes", BOOT_CMDLINE_MAX - 1);
    memcpy(boot_info.cmdline, text, length + 1);
}

static void carve_image(uint64_t base, uint64_t end) {
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

void boot_finish(uint64_t image_base, uint64_t image_end) {
    uint64_t usable = 0;
    if (boot_info.range_count == 0)
        boot_fail("the loader reports no memory");
    boot_reserve(0, PAGE_SIZE);
    if (boot_info.framebuffer.address.value)
        boot_reserve(boot_info.framebuffer.address.value,
                     (uint64_t)boot_info.framebuffer.pitch * boot_info.framebuffer.height);
    for (unsigned i = 0; i < reserved_count; i++)
        (void)range_carve(reserved[i].base, reserved[i].end, BOOT_RANGE_RESERVED);
    carve_image(image_base, image_end);
    carve_initrd();
    for (unsigned i = 0; i < boot_info.range_count; i++)
        if (boot_info.ranges[i].kind == BOOT_RANGE_USABLE)
            usable += boot_info.ranges[i].length;
    if (usable < LEAST_USABLE)
        boot_fail("only %llu KiB of memory are usable; %llu KiB are needed",
                  (unsigned long long)usable >> 10, (unsigned long long)LEAST_USABLE >> 10);
}

/* Taken one after another from the end of a range, pages make one range. */
static bool grow_kernel_range(unsigned i, uint64_t end, uint64_t size) {
    if (i + 1 == boot_info.range_count)
        return false;
    struct boot_range *range = &boot_info.ranges[i], *next = range + 1;
    if (next->kind != BOOT_RANGE_KERNEL || next->base != end || range->length == size)
        return false;
    range->length -= size;
    next->base -= size;
    next->length += size;
    return true;
}

paddr_t boot_take_pages(size_t count, uint64_t limit) {
    uint64_t size = count * PAGE_SIZE;
    for (unsigned i = boot_info.range_count; i-- > 0;) {
        const struct boot_range *range = &boot_info.ranges[i];
        uint64_t end = MIN(range_end(range), limit);
        if (range->kind != BOOT_RANGE_USABLE || end < range->base || end - range->base < size)
            continue;
        if (!grow_kernel_range(i, end, size))
            (void)range_carve(end - size, end, BOOT_RANGE_KERNEL);
        return paddr(end - size);
    }
    return paddr(0);
}
