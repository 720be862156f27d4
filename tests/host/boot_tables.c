/*
 * boot_tables.c - runs the readers; boot_fail comes back here by longjmp.
 */
#include "boot_tables.h"

#include <setjmp.h>
#include <stdarg.h>

#include "arch/amd64/boot_internal.h"
#include "lib/fmt.h"

#define IMAGE_BASE MIB(2)
#define IMAGE_END  MIB(3)

char boot_try_message[256];
static jmp_buf failed;
static const uint8_t *memory_bytes;
static size_t memory_size;

void boot_fail(const char *format, ...) {
    va_list args;
    va_start(args, format);
    fmt_vformat(boot_try_message, sizeof(boot_try_message), format, args);
    va_end(args);
    longjmp(failed, 1);
}

const void *boot_low_memory(uint64_t address, uint64_t length, const char *what) {
    if (address < BOOT_TRY_BASE || !range_within(address - BOOT_TRY_BASE, length, memory_size))
        boot_fail("%s is not there", what);
    return memory_bytes + (address - BOOT_TRY_BASE);
}

bool boot_try(int protocol, const void *memory, size_t size) {
    memory_bytes = memory;
    memory_size = size;
    boot_try_message[0] = 0;
    if (setjmp(failed))
        return false;
    boot_begin();
    if (protocol == TRY_PVH)
        boot_read_pvh(BOOT_TRY_BASE);
    else
        boot_read_multiboot2(BOOT_TRY_BASE);
    boot_finish(IMAGE_BASE, IMAGE_END);
    for (unsigned i = 0; i < 40; i++)
        (void)boot_take_pages(1, GIB(4));
    return true;
}

bool boot_try_ranges_are_sound(void) {
    uint64_t end = PAGE_SIZE;
    bool image = false;
    for (unsigned i = 0; i < boot_info.range_count; i++) {
        const struct boot_range *range = &boot_info.ranges[i];
        if (range->base < end || range->length == 0 || !is_page_aligned(range->base) ||
            !is_page_aligned(range->length))
            return false;
        end = range->base + range->length;
        image |= range->kind == BOOT_RANGE_KERNEL && range->base <= IMAGE_BASE && end >= IMAGE_END;
    }
    return image;
}
