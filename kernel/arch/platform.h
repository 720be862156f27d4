/*
 * platform.h - what the firmware's tables say about the machine: the result of
 * kernel/dev/acpi.c, handed to arch by main.c.
 */
#pragma once

#include "lib/types.h"

#define PLATFORM_CPUS_MAX      64
#define PLATFORM_IOAPICS_MAX   8
#define PLATFORM_OVERRIDES_MAX 24

struct platform_info {
    bool has_acpi;
    uint32_t cpu_apic_ids[PLATFORM_CPUS_MAX]; /* enabled ones, boot CPU among them */
    unsigned cpu_count;
    uint64_t local_apic;                      /* physical address */
    struct {
        uint32_t id, gsi_base;
        uint64_t address;
    } ioapics[PLATFORM_IOAPICS_MAX];
    unsigned ioapic_count;
    struct {
        uint8_t irq;
        bool active_low, level;
        uint32_t gsi;
    } overrides[PLATFORM_OVERRIDES_MAX];
    unsigned override_count;
    uint64_t hpet;                            /* 0: none */
    uint32_t pm_timer_port;                   /* 0: none */
    bool pm_timer_32bit;
    uint32_t pm1a_control_port, pm1b_control_port; /* for S5; 0: none */
    uint8_t sleep_type_s5;
    bool hardware_reduced;
    struct {
        uint8_t space; /* 0 memory, 1 I/O; 0xff: none */
        uint64_t address;
        uint8_t value;
    } reset, sleep_control;
};
