/*
 * sleep - passes the time.
 */
#include <stdlib.h>
#include <zircon/syscalls.h>

#include "common/tool.h"

static const char help[] = "usage: sleep SECONDS\n"
                           "Waits; the seconds may have a fraction, as in 0.25.\n";

/* Nanoseconds of `1`, `0.25` or `.5`; negative: not a number. */
static zx_duration_t parse(const char *text) {
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

int main(int argc, char **argv) {
    tool_start(argc, argv, help);
    zx_duration_t duration = argc == 2 ? parse(argv[1]) : -1;
    if (duration < 0)
        return tool_usage();
    return zx_nanosleep(zx_deadline_after(duration)) == ZX_OK ? 0 : 1;
}
