/*
 * syscalls/system.h - power control.
 */
#pragma once

#include <zircon/syscalls/types.h>
#include <zircon/types.h>

/*
 * Kinds of zx_system_get_event (ABI-MORE.md section S7). Exactly one of the five is
 * signaled at any time.
 */
typedef uint32_t zx_system_event_type_t;
#define ZX_SYSTEM_EVENT_OUT_OF_MEMORY            1u
#define ZX_SYSTEM_EVENT_MEMORY_PRESSURE_CRITICAL 2u
#define ZX_SYSTEM_EVENT_MEMORY_PRESSURE_WARNING  3u
#define ZX_SYSTEM_EVENT_MEMORY_PRESSURE_NORMAL   4u
#define ZX_SYSTEM_EVENT_IMMINENT_OUT_OF_MEMORY   5u

/* Commands of zx_system_powerctl. */
#define ZX_SYSTEM_POWERCTL_ENABLE_ALL_CPUS              1u
#define ZX_SYSTEM_POWERCTL_DISABLE_ALL_CPUS_BUT_PRIMARY 2u
#define ZX_SYSTEM_POWERCTL_ACPI_TRANSITION_S_STATE      3u
#define ZX_SYSTEM_POWERCTL_X86_SET_PKG_PL1              4u
#define ZX_SYSTEM_POWERCTL_REBOOT                       5u
#define ZX_SYSTEM_POWERCTL_REBOOT_BOOTLOADER            6u
#define ZX_SYSTEM_POWERCTL_REBOOT_RECOVERY              7u
#define ZX_SYSTEM_POWERCTL_SHUTDOWN                     8u
#define ZX_SYSTEM_POWERCTL_ACK_KERNEL_INITIATED_REBOOT  9u

/* Read for commands 3 and 4 only. */
struct zx_system_powerctl_arg {
    union {
        struct {
            uint8_t target_s_state;
            uint8_t sleep_type_a;
            uint8_t sleep_type_b;
        } acpi_transition_s_state;
        struct {
            uint32_t power_limit;
            uint32_t time_window;
            uint8_t clamp;
            uint8_t enable;
        } x86_power_limit;
    };
};
_Static_assert(sizeof(zx_system_powerctl_arg_t) == 12, "ABI");
