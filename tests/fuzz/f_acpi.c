/*
 * f_acpi.c - the table readers on any bytes. The input is physical memory from
 * 0xe0000 on; a second use of it hands the first bytes over as the RSDP's copy.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dev/acpi.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BASE 0xe0000u
static const uint8_t *memory;
static size_t memory_size;

static bool read_physical(uint64_t address, void *buffer, size_t length) {
    if (address < BASE || address - BASE > memory_size || length > memory_size - (address - BASE))
        return false;
    memcpy(buffer, memory + (address - BASE), length);
    return true;
}

static void check(const struct platform_info *platform) {
    if (platform->cpu_count > PLATFORM_CPUS_MAX || platform->ioapic_count > PLATFORM_IOAPICS_MAX ||
        platform->override_count > PLATFORM_OVERRIDES_MAX)
        abort();
}

/* Sums that come out right by chance are rare: mend those of tables at marked places. */
static void mend_sum(uint8_t *table, size_t length) {
    uint8_t sum = 0;

    for (size_t i = 0; i < length; i++)
        sum += table[i];
    table[9] -= sum;
}

static void mend(uint8_t *copy, size_t size) {
    for (size_t at = 0; at + 36 <= size; at += 4) {
        uint32_t length;
        memcpy(&length, copy + at + 4, 4);
        if (memcmp(copy + at, "RSD PTR ", 8) == 0) {
            uint8_t sum = 0;
            for (size_t i = 0; i < 20; i++)
                sum += copy[at + i];
            copy[at + 8] -= sum;
        } else if (length >= 36 && length <= size - at &&
                   (memcmp(copy + at, "APIC", 4) == 0 || memcmp(copy + at, "RSDT", 4) == 0 ||
                    memcmp(copy + at, "XSDT", 4) == 0 || memcmp(copy + at, "FACP", 4) == 0 ||
                    memcmp(copy + at, "HPET", 4) == 0)) {
            mend_sum(copy + at, length);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct platform_info platform;
    struct acpi_source source = {.read = read_physical, .rsdp = BASE};
    uint8_t *copy = malloc(size ? size : 1);

    memcpy(copy, data, size);
    mend(copy, size);
    memory = copy;
    memory_size = size;
    acpi_read(&source, &platform);
    check(&platform);
    if (size >= 36) {
        source.rsdp = 0;
        source.rsdp_copy = copy;
        acpi_read(&source, &platform);
        check(&platform);
    }
    free(copy);
    return 0;
}
