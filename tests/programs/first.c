/*
 * first.c - a first process (`./jx exec --init`) that writes a word and ends with
 * the code of the first letter of its argument, or 9. With `first=off` on the kernel's command
 * line, which is its environment, it switches the machine off instead. After `words` it only
 * writes its arguments.
 */
#include <stdlib.h>
#include <string.h>
#include <zircon/process.h>
#include <zircon/processargs.h>
#include <zircon/syscalls.h>

static void write_text(const char *text) { zx_debug_write(text, strlen(text)); }

static int write_words(char **words) {
    for (; *words; words++) {
        write_text("[");
        write_text(*words);
        write_text("]");
    }
    write_text("\n");
    return 0;
}

int main(int argc, char **argv) {
    static const zx_system_powerctl_arg_t off = {.acpi_transition_s_state = {.target_s_state = 5}};
    if (argc > 1 && strcmp(argv[1], "words") == 0)
        return write_words(argv + 2);
    write_text("first\n");
    if (getenv("first"))
        (void)zx_system_powerctl(zx_take_startup_handle(PA_HND(PA_RESOURCE, 0)),
                                 ZX_SYSTEM_POWERCTL_ACPI_TRANSITION_S_STATE, &off);
    return argc > 1 ? argv[1][0] : 9;
}
