/*
 * curve_faults.c - processes that fault at the same time, each on a clone of its own
 * of one memory object.
 *
 * Each writes once to every page of its clone, which copies the page: as many faults as
 * pages. Under -icount the CPUs take turns, so the ticks are the instructions of all of
 * them; without it they truly run at once, and how often they meet at a lock is the
 * figure.
 */
#include <zircon/process.h>
#include <zircon/syscalls.h>

#include "bench/curves.h"

#define PROCESSES 8
#define READY     ZX_USER_SIGNAL_0
#define DONE      ZX_USER_SIGNAL_1
#define GO        ZX_USER_SIGNAL_0

static void wait_for(zx_handle_t event, zx_signals_t signals) {
    CHECK(zx_object_wait_one(event, signals, ZX_TIME_INFINITE, NULL));
}

void write_clone(zx_handle_t clone, zx_handle_t own, zx_handle_t go) {
    uintptr_t address = map_whole(clone, BIG);
    CHECK(zx_object_signal(own, 0, READY));
    wait_for(go, GO);
    touch_pages(address, BIG, 1);
    CHECK(zx_object_signal(own, 0, DONE));
}

CURVE(faults) {
    zx_handle_t vmo = vmo_committed(BIG), go = event_new(), own[PROCESSES];
    struct partner partners[PROCESSES];
    for (unsigned i = 0; i < PROCESSES; i++) {
        own[i] = event_new();
        const zx_handle_t given[] = {snapshot(vmo, BIG), duplicate(own[i]), duplicate(go)};
        partners[i] = partner_start("faults", given, 3);
    }
    for (unsigned i = 0; i < PROCESSES; i++)
        wait_for(own[i], READY);
    int64_t locks = locks_contended("all"), start = ticks();
    CHECK(zx_object_signal(go, 0, GO));
    for (unsigned i = 0; i < PROCESSES; i++)
        wait_for(own[i], DONE);
    int64_t end = ticks(), faults = PROCESSES * BIG_PAGES;
    point("instructions", zx_system_get_num_cpus(), (end - start + faults / 2) / faults);
    if (locks >= 0)
        point("contended_per_million", zx_system_get_num_cpus(),
              (locks_contended("all") - locks) * 1000000 / faults);
    for (unsigned i = 0; i < PROCESSES; i++) {
        partner_join(partners[i]);
        CHECK(zx_handle_close(own[i]));
    }
    CHECK(zx_handle_close(vmo));
}
