/*
 * acpi_test.c - the parsers on tables made here, sound, spoiled and cut short.
 */
#include "dev/acpi.h"

#include "lib/ktest.h"
#include "lib/string.h"

/* A small physical memory: RSDP at 0x10, RSDT at 0x40, tables behind it. */
#define MEMORY_SIZE 1024
#define RSDP        0x10
#define RSDT        0x40
#define MADT        0x80
#define FADT        0x100
#define HPET        0x240
static uint8_t memory[MEMORY_SIZE];
static uint64_t memory_end = MEMORY_SIZE;

static bool read_memory(uint64_t address, void *buffer, size_t length) {
    if (!range_within(address, length, memory_end))
        return false;
    memcpy(buffer, memory + address, length);
    return true;
}

static void put(uint64_t address, uint64_t value, unsigned size) {
    for (unsigned i = 0; i < size; i++)
        memory[address + i] = (uint8_t)(value >> 8 * i);
}
static void seal(uint64_t address, size_t length, uint64_t sum_at) {
    uint8_t sum = 0;
    memory[address + sum_at] = 0;
    for (size_t i = 0; i < length; i++)
        sum = (uint8_t)(sum + memory[address + i]);
    memory[address + sum_at] = (uint8_t)-sum;
}
static void seal_table(uint64_t address, const char *signature, uint32_t length) {
    memcpy(memory + address, signature, 4);
    put(address + 4, length, 4);
    seal(address, length, 9);
}

static void make_madt(void) {
    static const uint8_t entries[] = {
        0,    8,  0,  0, 1, 0,  0,    0, /* CPU 0 */
        0,    8,  1,  5, 1, 0,  0,    0, /* CPU 5 */
        0,    8,  2,  6, 0, 0,  0,    0, /* disabled */
        0,    8,  3,  5, 1, 0,  0,    0, /* CPU 5 again */
        1,    12, 7,  0, 0, 0,  0xc0, 0xfe, 24, 0,    0,
        0,    2,  10, 0, 9, 20, 0,    0,    0,  0x0f, 0, /* IRQ 9 at input 20, low, level */
        0x7f, 4,  0,  0,                                 /* unknown */
    };
    put(MADT + 36, 0xfee00000, 4);
    memcpy(memory + MADT + 44, entries, sizeof(entries));
    seal_table(MADT, "APIC", 44 + sizeof(entries));
}

static void make_tables(void) {
    memset(memory, 0, sizeof(memory));
    memory_end = MEMORY_SIZE;
    memcpy(memory + RSDP, "RSD PTR ", 8);
    put(RSDP + 16, RSDT, 4);
    seal(RSDP, 20, 8);
    put(RSDT + 36, MADT, 4);
    put(RSDT + 40, FADT, 4);
    put(RSDT + 44, HPET, 4);
    seal_table(RSDT, "RSDT", 48);
    make_madt();
    put(FADT + 64, 0x604, 4);
    put(FADT + 76, 0x608, 4);
    put(FADT + 91, 4, 1);
    put(FADT + 112, 1 << 10, 4);
    put(FADT + 116, 1, 1);
    put(FADT + 120, 0xcf9, 8);
    put(FADT + 128, 0x0f, 1);
    seal_table(FADT, "FACP", 244);
    put(HPET + 44, 0xfed00000, 8);
    seal_table(HPET, "HPET", 56);
}

static const struct platform_info *read_platform(uint64_t rsdp) {
    static struct platform_info info;
    struct acpi_source source = {read_memory, rsdp, NULL};
    acpi_read(&source, &info);
    return &info;
}

KTEST_QUICK(acpi, sound_tables_are_read_field_by_field) {
    make_tables();
    const struct platform_info *info = read_platform(RSDP);
    EXPECT(info->has_acpi);
    EXPECT_EQ(2, info->cpu_count);
    EXPECT_EQ(5, info->cpu_apic_ids[1]);
    EXPECT_EQ(0xfee00000, info->local_apic);
    EXPECT_EQ(1, info->ioapic_count);
    EXPECT_EQ(0xfec00000, info->ioapics[0].address);
    EXPECT_EQ(24, info->ioapics[0].gsi_base);
    EXPECT_EQ(1, info->override_count);
    EXPECT_EQ(9, info->overrides[0].irq);
    EXPECT_EQ(20, info->overrides[0].gsi);
    EXPECT(info->overrides[0].active_low && info->overrides[0].level);
    EXPECT_EQ(0x604, info->pm1a_control_port);
    EXPECT_EQ(0x608, info->pm_timer_port);
    EXPECT_EQ(1, info->reset.space);
    EXPECT_EQ(0xcf9, info->reset.address);
    EXPECT_EQ(0x0f, info->reset.value);
    EXPECT_EQ(0xff, info->sleep_control.space);
    EXPECT_EQ(0xfed00000, info->hpet);
}

KTEST(acpi, a_table_with_a_wrong_sum_is_left_out) {
    make_tables();
    memory[MADT + 50] ^= 1;
    const struct platform_info *info = read_platform(RSDP);
    EXPECT(info->has_acpi);
    EXPECT_EQ(0, info->cpu_count);
    EXPECT_EQ(0xfed00000, info->hpet);
    memory[RSDT + 36] ^= 1;
    EXPECT(!read_platform(RSDP)->has_acpi);
}

KTEST(acpi, no_root_pointer_means_no_tables) {
    make_tables();
    EXPECT(!read_platform(0)->has_acpi);
    EXPECT(!read_platform(UINT64_MAX - 3)->has_acpi);
    EXPECT(!read_platform(RSDP + 1)->has_acpi);
}

KTEST(acpi, memory_cut_anywhere_ends_quietly) {
    make_tables();
    for (memory_end = 0; memory_end < MEMORY_SIZE; memory_end++) {
        const struct platform_info *info = read_platform(RSDP);
        EXPECT(info->cpu_count <= 2 && info->ioapic_count <= 1);
    }
}

/* Each byte of the MADT's body with each of some values, and the sum made right again. */
KTEST(acpi, P45_hostile_entries_never_overflow_the_result) {
    static const uint8_t values[] = {0, 1, 2, 3, 5, 9, 12, 0x7f, 0xff};
    for (unsigned at = 36; at < 36 + 68; at++) {
        for (unsigned v = 0; v < ARRAY_SIZE(values); v++) {
            make_tables();
            memory[MADT + at] = values[v];
            seal(MADT, memory[MADT + 4], 9);
            const struct platform_info *info = read_platform(RSDP);
            EXPECT(info->cpu_count <= PLATFORM_CPUS_MAX);
            EXPECT(info->ioapic_count <= PLATFORM_IOAPICS_MAX);
            EXPECT(info->override_count <= PLATFORM_OVERRIDES_MAX);
        }
    }
}
