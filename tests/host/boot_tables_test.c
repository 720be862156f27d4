/*
 * boot_tables_test.c - sound, spoiled and cut tables of both loaders (P24, P25).
 */
#include "boot_tables.h"

#include <string.h>

#include "lib/ktest.h"

static uint8_t memory[4096] ALIGNED(8);
static size_t used;
/* The readers write into boot_info, which the other tests of this program read too. */
static struct boot_info saved;

static void put(uint64_t value, unsigned size) {
    memcpy(memory + used, &value, size);
    used += size;
}
static void put_at(size_t at, uint64_t value, unsigned size) {
    memcpy(memory + at, &value, size);
}

static void put_tag(uint32_t type, uint32_t body_size) {
    used = round_up(used, 8);
    put(type, 4);
    put(8 + body_size, 4);
}

static const struct {
    uint64_t base, length;
    uint32_t type;
} map[] = {
    {0x100000, 0x7ee0000, 1}, {0, 0x9fc00, 1},         {0x9fc00, 0x400, 2},
    {0x7000000, 0x1001, 2},   {0x7fe0000, 0x20000, 3},
};

static void make_multiboot2(void) {
    memset(memory, 0, sizeof(memory));
    used = 8;
    put_tag(1, 8);
    memcpy(memory + used, "a=1 b=2", 8);
    used += 8;
    put_tag(3, 9);
    put(0x400000, 4);
    put(0x400123, 4);
    put(0, 1);
    put_tag(6, 8 + 24 * ARRAY_SIZE(map));
    put(24, 4);
    put(0, 4);
    for (unsigned i = 0; i < ARRAY_SIZE(map); i++) {
        put(map[i].base, 8);
        put(map[i].length, 8);
        put(map[i].type, 8);
    }
    put_tag(0, 0);
    put_at(0, used, 4);
}

static void make_pvh(void) {
    memset(memory, 0, sizeof(memory));
    put_at(0, 0x336ec578, 4);
    put_at(4, 1, 4);
    put_at(12, 1, 4);
    put_at(16, BOOT_TRY_BASE + 0x100, 8);
    put_at(24, BOOT_TRY_BASE + 0x200, 8);
    put_at(40, BOOT_TRY_BASE + 0x80, 8);
    put_at(48, ARRAY_SIZE(map), 4);
    put_at(0x100, 0x400000, 8);
    put_at(0x108, 0x123, 8);
    memcpy(memory + 0x200, "a=1 b=2", 8);
    used = 0x80;
    _Static_assert(0x80 + 24 * ARRAY_SIZE(map) <= 0x100, "the map fits");
    for (unsigned i = 0; i < ARRAY_SIZE(map); i++) {
        put(map[i].base, 8);
        put(map[i].length, 8);
        put(map[i].type, 8);
    }
    used = sizeof(memory);
}

static void save_info(void) {
    saved = boot_info;
}
static void restore_info(void) {
    boot_info = saved;
}

static unsigned count_overlapping(uint64_t base, uint64_t end) {
    unsigned count = 0;
    for (unsigned i = 0; i < boot_info.range_count; i++)
        count += boot_info.ranges[i].kind == BOOT_RANGE_USABLE && boot_info.ranges[i].base < end &&
                 boot_info.ranges[i].base + boot_info.ranges[i].length > base;
    return count;
}

static void expect_sound(void) {
    EXPECT(boot_try_ranges_are_sound());
    EXPECT(strcmp(boot_info.cmdline, "a=1 b=2") == 0);
    EXPECT_EQ(0x400000, boot_info.initrd.value);
    EXPECT_EQ(0x123, boot_info.initrd_length);
    EXPECT_EQ(0, count_overlapping(0x400000, 0x401000));
    EXPECT_EQ(0, count_overlapping(MIB(2), MIB(3)));
    EXPECT_EQ(0, count_overlapping(0x7000000, 0x7002000));
    EXPECT_EQ(0, count_overlapping(0x7fe0000, 0x8000000));
    EXPECT_EQ(0, count_overlapping(0, PAGE_SIZE));
    EXPECT_EQ(0, count_overlapping(0x9f000, 0x100000));
    EXPECT_EQ(1, count_overlapping(0x8000, 0x9000));
}

KTEST(boot_tables, P25_sound_tables_of_both_loaders_are_read) {
    save_info();
    make_multiboot2();
    EXPECT(boot_try(TRY_MULTIBOOT2, memory, used));
    expect_sound();
    make_pvh();
    EXPECT(boot_try(TRY_PVH, memory, used));
    expect_sound();
    restore_info();
}

KTEST(boot_tables, P24_tables_cut_anywhere_fail_with_a_line) {
    save_info();
    make_multiboot2();
    for (size_t size = 0; size < used; size++) {
        EXPECT(!boot_try(TRY_MULTIBOOT2, memory, size));
        EXPECT(boot_try_message[0] != 0);
    }
    size_t whole = used;
    for (size_t total = 0; total < whole; total++) {
        put_at(0, total, 4);
        EXPECT(!boot_try(TRY_MULTIBOOT2, memory, whole));
    }
    restore_info();
}

KTEST(boot_tables, P24_any_spoiled_byte_gives_sound_ranges_or_a_line) {
    static const uint8_t values[] = {0, 1, 3, 8, 0x7f, 0x80, 0xff};
    save_info();
    for (int protocol = TRY_MULTIBOOT2; protocol <= TRY_PVH; protocol++) {
        make_pvh();
        size_t length = protocol == TRY_PVH ? 0x220 : 0x130;
        for (size_t at = 0; at < length; at++) {
            for (unsigned v = 0; v < ARRAY_SIZE(values); v++) {
                if (protocol == TRY_PVH)
                    make_pvh();
                else
                    make_multiboot2();
                memory[at] = values[v];
                if (boot_try(protocol, memory, used))
                    EXPECT(boot_try_ranges_are_sound());
                else
                    EXPECT(boot_try_message[0] != 0);
            }
        }
    }
    restore_info();
}

KTEST(boot_tables, absurd_contents_are_named) {
    static const struct {
        size_t at;
        uint64_t value;
        unsigned size;
        const char *word;
    } cases[] = {
        {0, 1, 4, "magic"},
        {48, 0, 4, "memory map"},
        {48, 100000, 4, "entries"},
        {24, 1, 8, "not there"},
        {0x108, UINT64_MAX, 8, "absurd"},
        {0x100, 0x280000, 8, "overlaps"},
        {0x100, GIB(100), 8, "not all RAM"},
        {0x88, UINT64_MAX, 8, "past the end"},
        {0x88, 0x1000000, 8, "only"},
        {0x80, 0x300000, 8, "put the kernel"},
    };
    save_info();
    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        make_pvh();
        put_at(cases[i].at, cases[i].value, cases[i].size);
        EXPECT(!boot_try(TRY_PVH, memory, used));
        if (!strstr(boot_try_message, cases[i].word))
            ktest_fail(__FILE__, __LINE__, "\"%s\" lacks \"%s\"", boot_try_message, cases[i].word);
    }
    restore_info();
}
