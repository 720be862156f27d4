/*
 * tool.c - the common parts of main.
 */
#include "common/tool.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zircon/status.h>

static const char *tool_name = "?";
static const char *tool_help = "";

void tool_start(int argc, char **argv, const char *help) {
    const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
    if (argc > 0)
        tool_name = slash ? slash + 1 : argv[0];
    tool_help = help;
    if (argc > 1 && strcmp(argv[1], "--help") == 0) {
        fputs(help, stdout);
        exit(0);
    }
}

int tool_usage(void) {
    fputs(tool_help, stderr);
    return TOOL_USAGE;
}

int tool_fail(zx_status_t status, const char *format, ...) {
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (status == ZX_OK)
        fprintf(stderr, "%s: %s\n", tool_name, text);
    else if (status == ZX_ERR_NOT_FOUND)
        fprintf(stderr, "%s: %s: not found\n", tool_name, text);
    else
        fprintf(stderr, "%s: %s: %s\n", tool_name, text, zx_status_get_string(status));
    return 1;
}
