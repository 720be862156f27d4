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

/* Read by entry.S and user_copy.S: SMAP is on. */
bool user_access_guarded;

static void choose_log_ports(void) {
    char port[16];
    if (boot_option("log", port, sizeof(port)) && strcmp(port, "debug") == 0)
        console_set_log_ports(false, true);
}

void arch_init_early(void) {
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
    user_access_guarded = cpu_features.smap;
    ASSERT(cpu_on_own_stack((uintptr_t)__builtin_frame_address(0)));
}

void arch_init_platform(const struct platform_info *platform) {
    power_init(platform);
    apic_init(platform);
    clock_init(platform);
    uart_enable_interrupts();
}
