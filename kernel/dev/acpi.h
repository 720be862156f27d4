/*
 * acpi.h - the firmware's static tables: what processors, controllers and timers there are.
 *
 * Reads RSDP, RSDT or XSDT, MADT, FADT and HPET; byte code is not looked at. Every
 * field may be hostile: lengths are bounded, checksums tested, counts capped, and
 * what does not fit is left out. Physical memory comes through a function, so the
 * parser runs on the host.
 */
#pragma once

#include "arch/platform.h"
#include "lib/types.h"

/* Copy physical memory; false if there is no such range. */
typedef bool acpi_read_physical(uint64_t address, void *buffer, size_t length);

struct acpi_source {
    acpi_read_physical *read;
    uint64_t rsdp;            /* where it lies; 0: see rsdp_copy, or nowhere */
    const uint8_t *rsdp_copy; /* 36 bytes from the loader, or NULL */
};
/* Fill in *out_platform; without usable tables, what every PC has (has_acpi false). */
void acpi_read(const struct acpi_source *source, struct platform_info *out_platform);
