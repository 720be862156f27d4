/*
 * power.c - the end of the machine.
 *
 * With `exit=debug` on the command line the test bench's exit device gives the
 * status: power-off 0x10 (or the code, if it is not 0), panic 0x12. The device is
 * touched only then, because its port may be something else elsewhere. A proper
 * end also writes one line to a second debug port, so that it can't be mistaken
 * for a reset.
 */
#include "arch/amd64/amd64.h"
#include "arch/amd64/regs.h"
#include "arch/clock.h"
#include "arch/console.h"
#include "lib/log.h"
#include "lib/string.h"

#define EXIT_PORT     0xf4
#define EXIT_POWEROFF 0x10
#define EXIT_PANIC    0x12
#define END_PORT      0xe8
#define RESET_PORT    0xcf9
#define KEYBOARD_PORT 0x64
#define SLEEP_ENABLE  ((uint16_t)1 << 13)

#define PATIENCE ((nstime_t)2000000000)

#define SPACE_MEMORY 0
#define SPACE_IO     1
#define SPACE_NONE   0xff

static const struct platform_info *info;
static volatile uint8_t *reset_register, *sleep_register;

void power_init(const struct platform_info *platform) {
    info = platform;
    if (platform->reset.space == SPACE_MEMORY && platform->reset.address)
        reset_register = fixed_map_device(platform->reset.address);
    if (platform->sleep_control.space == SPACE_MEMORY && platform->sleep_control.address)
        sleep_register = fixed_map_device(platform->sleep_control.address);
}

static void NORETURN halt(void) {
    for (;;)
        __asm__ volatile("cli; hlt");
}

static void exit_device(uint32_t value) {
    char how[8];
    if (boot_option("exit", how, sizeof(how)) && strcmp(how, "debug") == 0)
        port_out32(EXIT_PORT, value);
}

static void say_end(void) {
    for (const char *at = "jx-end: ok\n"; *at; at++)
        port_out8(END_PORT, (uint8_t)*at);
}

static void power_off(void) {
    if (!info)
        return;
    uint8_t value = (uint8_t)(info->sleep_type_s5 << 2 | 1 << 5);
    if (sleep_register)
        *sleep_register = value;
    if (info->sleep_control.space == SPACE_IO && info->sleep_control.address)
        port_out8((uint16_t)info->sleep_control.address, value);
    uint16_t word = (uint16_t)(info->sleep_type_s5 << 10) | SLEEP_ENABLE;
    if (info->pm1a_control_port)
        port_out16((uint16_t)info->pm1a_control_port, word);
    if (info->pm1b_control_port)
        port_out16((uint16_t)info->pm1b_control_port, word);
}

static void reboot(void) {
    if (reset_register)
        *reset_register = info->reset.value;
    if (info && info->reset.space == SPACE_IO && info->reset.address)
        port_out8((uint16_t)info->reset.address, info->reset.value);
    port_out8(RESET_PORT, 2);
    port_out8(RESET_PORT, 6);
    port_out8(KEYBOARD_PORT, 0xfe);
}

void machine_end(enum machine_end how, int code) {
    irq_disable();
    console_drain();
    if (how == MACHINE_PANIC) {
        exit_device(EXIT_PANIC);
        halt();
    }
    say_end();
    if (how == MACHINE_POWEROFF) {
        exit_device(code ? (uint32_t)code : EXIT_POWEROFF);
        power_off();
        clock_spin(PATIENCE); /* an emulator takes its time */
        log_error("the machine does not power off; it is safe to do it by hand");
    } else {
        reboot();
        clock_spin(PATIENCE);
        log_error("the machine does not reset");
    }
    cpu_stop_others();
    halt();
}
