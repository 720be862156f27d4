/*
 * partner.c - the other process of a row: this program again, with the name of its
 * part as an argument and its handles in the start message.
 */
#include <jacinth/launch.h>
#include <string.h>
#include <zircon/process.h>
#include <zircon/processargs.h>
#include <zircon/syscalls.h>

#include "bench/bench.h"

#define HANDLES_MAX 4

struct partner partner_start(const char *part, const zx_handle_t *handles, unsigned count) {
    const char *const argv[] = {"bench", "--partner", part, NULL};
    struct jx_launch_handle given[HANDLES_MAX];
    struct jx_launch launch = {.argv = argv, .handles = given, .handle_count = count};
    struct partner partner;
    for (unsigned i = 0; i < count; i++)
        given[i] = (struct jx_launch_handle){PA_HND(PA_USER0, i), handles[i]};
    CHECK(jx_launch(&launch, &partner.process, NULL, 0));
    return partner;
}

void partner_join(struct partner partner) {
    int64_t code;
    CHECK(jx_wait(partner.process, &code));
    if (code != 0)
        bench_fail("partner", code, __LINE__);
}

zx_handle_t partner_handle(unsigned index) {
    return zx_take_startup_handle(PA_HND(PA_USER0, index));
}

bool partner_play(int argc, char **argv) {
    if (argc != 3 || strcmp(argv[1], "--partner") != 0)
        return false;
    if (strcmp(argv[2], "channel") == 0)
        serve_channel(partner_handle(0));
    else if (strcmp(argv[2], "events") == 0)
        serve_events(partner_handle(0), partner_handle(1));
    else if (strcmp(argv[2], "faults") == 0)
        write_clone(partner_handle(0), partner_handle(1), partner_handle(2));
    else if (strcmp(argv[2], "calls") == 0)
        call_server(partner_handle(0), partner_handle(1), partner_handle(2));
    return true;
}
