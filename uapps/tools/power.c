/*
 * power - poweroff and reboot: both ask init.
 */
#include <stdbool.h>
#include <string.h>

#include "common/authority.h"
#include "common/system.h"
#include "common/tool.h"

static const char help[] = "usage: poweroff | reboot\n"
                           "Switches the machine off, or starts it again.\n";

static bool ends_with(const char *text, const char *end) {
    size_t length = strlen(text), wanted = strlen(end);
    return length >= wanted && strcmp(text + length - wanted, end) == 0;
}

int main(int argc, char **argv) {
    struct authority authority = authority_take();
    struct system_answer answer;
    zx_handle_t none;
    tool_start(argc, argv, help);
    if (argc != 1)
        return tool_usage();
    bool reboot = ends_with(argv[0], "reboot");
    return tool_fail(
        system_ask(authority.system, reboot ? SYSTEM_REBOOT : SYSTEM_POWEROFF, 0, &answer, &none),
        "the machine stays on");
}
