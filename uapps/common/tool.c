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

zx_duration_t tool_parse_seconds(const char *text) {
    char *end;
    const char *begin = text;
    zx_duration_t unit = ZX_SEC(1);
    unsigned long long whole = 0;
    if (*text != '.') {
        whole = strtoull(text, &end, 10);
        if (*text < '0' || *text > '9' || whole > ZX_TIME_INFINITE / ZX_SEC(1) - 1)
            return -1;
        text = end;
    }
    zx_duration_t result = ZX_SEC((zx_duration_t)whole);
    if (*text == '.') {
        for (text++; *text >= '0' && *text <= '9'; text++)
            result += (*text - '0') * (unit /= 10);
    }
    return *text == '\0' && text > begin ? result : -1;
}
