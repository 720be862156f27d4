/*
 * play_test.c - random programs of system calls: the kernel lives, everything
 * dies when its job is killed, and nothing is left behind (P20, P38, P47).
 */
#include "lib/ktest.h"
#include "lib/log.h"
#include "tests/host/play.h"

static uint8_t bytes[600];

static void make_program(uint64_t seed) {
    for (size_t i = 0; i < sizeof(bytes); i++) {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        bytes[i] = (uint8_t)(seed >> 24);
    }
}

KTEST(play, P20_random_programs_leave_nothing_behind) {
    for (uint64_t seed = 1; seed <= 200; seed++) {
        make_program(seed * 0x9e3779b97f4a7c15);
        if (!play_program(bytes, sizeof(bytes)))
            ktest_fail(__FILE__, __LINE__, "program %llu", (unsigned long long)seed);
    }
}
