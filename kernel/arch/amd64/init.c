/*
 * init.c - the steps of the boot order that are arch's.
 */
#include "arch/amd64/amd64.h"
#include "arch/amd64/boot_internal.h"
#include "arch/amd64/regs.h"
#include "arch/console.h"
#include "lib/assert.h"
#include "lib/log.h"
#include "lib/string.h"

/* Where STAC and CLAC stand; kernel.ld marks the ends. */
extern const uint64_t access_guard_sites_start[], access_guard_sites_end[];

/*
 * Without SMAP both are invalid instructions. The text is read-only already, so its
 * protection is off for this moment, before the first trap.
 */
static void remove_access_guards(void) {
    cr0_write(cr0_read() & ~CR0_WP);
    for (const uint64_t *site = access_guard_sites_start; site < access_guard_sites_end; site++)
        memcpy((void *)*site, "\x0f\x1f\x00", 3);
    cr0_write(cr0_read() | CR0_WP);
}

static void choose_log_ports(void) {
    char port[16];
    if (boot_option("log", port, sizeof(port)) && strcmp(port, "debug") == 0)
        console_set_log_ports(false, true);
}

void arch_init_early(void) {
    if (!(cpuid(0, 0).eax >= 7 && cpuid(7, 0).ebx >> 20 & 1))
        remove_access_guards();
    uart_init();
    log_set_console(console_emit);
    boot_cpu_stacks_map();
    tables_init();
    tables_load(&boot_cpu);
    msr_write(MSR_GS_BASE, (uint64_t)(uintptr_t)&boot_cpu); /* the selector was loaded */
    boot_collect();
    choose_log_ports();
    cpu_check_features();
    cpu_enable_features();
    ASSERT(cpu_on_own_stack((uintptr_t)__builtin_frame_address(0)));
}

void arch_init_platform(const struct platform_info *platform) {
    power_init(platform);
    apic_init(platform);
    clock_init(platform);
    uart_enable_interrupts();
}
