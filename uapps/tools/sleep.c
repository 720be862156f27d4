/*
 * sleep - passes the time.
 */
#include <zircon/syscalls.h>

#include "common/tool.h"

static const char help[] = "usage: sleep SECONDS\n"
                           "Waits; the seconds may have a fraction, as in 0.25.\n";

int main(int argc, char **argv) {
    tool_start(argc, argv, help);
    zx_duration_t duration = argc == 2 ? tool_parse_seconds(argv[1]) : -1;
    if (duration < 0)
        return tool_usage();
    return zx_nanosleep(zx_deadline_after(duration)) == ZX_OK ? 0 : 1;
}
