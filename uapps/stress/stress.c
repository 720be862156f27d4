/*
 * stress.c - options, draws, progress.
 */
#include "stress/stress.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zircon/syscalls.h>

static const char *program;
const char *program_path;
static zx_time_t begun;

/* ---- Options ---- */

static uint64_t *option_named(struct options *options, const char *word) {
    if (strcmp(word, "--seed") == 0)
        return &options->seed;
    if (strcmp(word, "--seconds") == 0)
        return &options->seconds;
    if (strcmp(word, "--steps") == 0)
        return &options->steps;
    if (strcmp(word, "--threads") == 0)
        return &options->threads;
    if (strcmp(word, "--every") == 0)
        return &options->every;
    if (strcmp(word, "--device") == 0)
        return &options->device;
    return strcmp(word, "--raw") == 0 ? &options->raw : NULL;
}

static void usage(const char *name) {
    printf("usage: %s [--seconds N] [--steps N] [--seed N] [--threads N] [--every N] "
           "[--raw 1] [--device 1]\n"
           "What has no meaning for this program is not looked at.\n",
           name);
}

void options_read(struct options *options, const char *name, int argc, char **argv) {
    program = name;
    program_path = argv[0];
    begun = zx_clock_get_monotonic();
    options->seed = zx_ticks_get() * 0x9e3779b97f4a7c15 >> 40;
    for (int i = 1; i < argc; i += 2) {
        uint64_t *value = option_named(options, argv[i]);
        if (!value || i + 1 == argc) {
            usage(name);
            exit(strcmp(argv[i], "--help") == 0 ? 0 : 2);
        }
        *value = strtoull(argv[i + 1], NULL, 0);
    }
    stress_machine_begin();
    printf("%s: seed %llu\n", name, (unsigned long long)options->seed);
}

unsigned options_threads(const struct options *options) {
    return options->threads ? (unsigned)options->threads : zx_system_get_num_cpus();
}

/* ---- Draws ---- */

uint64_t draw_at(uint64_t seed, uint64_t index) {
    uint64_t x = seed * 0xd1342543de82ef95 + (index + 1) * 0x9e3779b97f4a7c15;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
}

uint64_t draw(struct draws *draws, uint64_t below) {
    return (draw_at(draws->seed, draws->next++) >> 8) % below;
}

/* ---- Progress ---- */

void stress_fail(const char *format, ...) {
    char text[400];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    printf("%s: FAILED: %s\n", program, text);
    exit(1);
}

void stress_must(zx_status_t status, const char *call, const char *file, int line) {
    if (status != ZX_OK)
        stress_fail("%s:%d: %s gave %d", file, line, call, status);
}

uint64_t stress_elapsed_ms(void) {
    return (uint64_t)(zx_clock_get_monotonic() - begun) / 1000000;
}

bool stress_goes_on(const struct options *options) {
    return stress_elapsed_ms() < options->seconds * 1000;
}
