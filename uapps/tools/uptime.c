/*
 * uptime - the time since boot.
 */
#include <stdio.h>
#include <zircon/syscalls.h>

#include "common/tool.h"

static const char help[] = "usage: uptime\n"
                           "Tells how long the machine has been running, and its size.\n";

int main(int argc, char **argv) {
    tool_start(argc, argv, help);
    if (argc != 1)
        return tool_usage();
    zx_time_t now = zx_clock_get_monotonic();
    long long seconds = now / ZX_SEC(1);
    printf("up %lld:%02lld:%02lld.%03lld, %u CPU%s, %llu MiB of memory\n", seconds / 3600,
           seconds / 60 % 60, seconds % 60, (long long)(now % ZX_SEC(1) / ZX_MSEC(1)),
           zx_system_get_num_cpus(), zx_system_get_num_cpus() == 1 ? "" : "s",
           (unsigned long long)zx_system_get_physmem() >> 20);
    return 0;
}
