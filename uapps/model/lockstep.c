/*
 * lockstep.c - the run, the judgement, and the short case.
 */
#include "model/lockstep.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRIES_MAX 600

static const struct lockstep_kind *kind;
static struct options *options;
static _Atomic uint64_t steps_done;
static _Atomic bool somebody_failed;

/* ---- For the steps ---- */

void lockstep_differs(struct lockstep *world, const char *format, ...) {
    va_list args;
    if (world->failed)
        return;
    world->failed = true;
    va_start(args, format);
    int length = snprintf(world->problem, sizeof world->problem, "step %llu: ",
                          (unsigned long long)world->step);
    vsnprintf(world->problem + length, sizeof world->problem - (size_t)length, format, args);
    va_end(args);
}

void lockstep_tell(struct lockstep *world, const char *format, ...) {
    char text[160];
    va_list args;
    if (!world->tells)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    printf("  step %llu: %s\n", (unsigned long long)world->step, text);
}

bool lockstep_agrees(struct lockstep *world, const char *what, zx_status_t want,
                     zx_status_t got) {
    if (want != got)
        lockstep_differs(world, "%s gave %d, not %d", what, got, want);
    world->calls++;
    world->refused += got != ZX_OK;
    return want == ZX_OK && got == ZX_OK;
}

uint64_t lockstep_draw(const struct lockstep *world, unsigned index, uint64_t below) {
    return (draw_at(world->seed, world->step * 16 + index) >> 8) % below;
}

/* ---- One world ---- */

static struct lockstep *world_of(unsigned index) {
    return (struct lockstep *)((char *)kind->worlds + index * kind->world_size);
}

static void world_begin(struct lockstep *world, uint64_t seed, bool tells) {
    memset(world, 0, kind->world_size);
    world->seed = seed;
    world->tells = tells;
    kind->begin(world);
}

static bool world_step(struct lockstep *world, uint64_t step) {
    world->step = step;
    kind->step(world);
    return !world->failed;
}

/* The calls of a check are not counted. */
static bool world_check(struct lockstep *world) {
    uint64_t calls = world->calls, refused = world->refused;
    if (!world->failed)
        kind->check(world);
    world->calls = calls;
    world->refused = refused;
    return !world->failed;
}

/* ---- Leaving steps out ---- */

/* Does the list of steps fail in a fresh world? */
static bool fails(struct lockstep *world, uint64_t seed, const uint32_t *steps, size_t count,
                  bool tells) {
    world_begin(world, seed, tells);
    for (size_t i = 0; i < count; i++)
        if (!world_step(world, steps[i]) || (i % 8 == 7 && !world_check(world)))
            break;
    bool failed = !world_check(world);
    kind->end(world);
    return failed;
}

/* Copy the list without [from, from + gap). */
static size_t without(const uint32_t *steps, size_t count, size_t from, size_t gap,
                      uint32_t *out_steps) {
    size_t end = from + gap < count ? from + gap : count;
    memcpy(out_steps, steps, from * sizeof *steps);
    memcpy(out_steps + from, steps + end, (count - end) * sizeof *steps);
    return from + (count - end);
}

static size_t shorten(struct lockstep *world, uint64_t seed, uint32_t *steps, size_t count,
                      uint32_t *spare) {
    unsigned tries = 0;
    for (size_t gap = count / 2; gap > 0; gap /= 2)
        for (size_t from = 0; from < count && tries < TRIES_MAX; tries++) {
            size_t left = without(steps, count, from, gap, spare);
            if (fails(world, seed, spare, left, false)) {
                memcpy(steps, spare, left * sizeof *steps);
                count = left;
            } else {
                from += gap;
            }
        }
    return count;
}

static void tell_short_case(struct lockstep *world, uint64_t seed, uint64_t last) {
    size_t count = (size_t)last + 1;
    uint32_t *steps = malloc(count * sizeof *steps), *spare = malloc(count * sizeof *steps);
    if (!steps || !spare)
        return;
    for (size_t i = 0; i < count; i++)
        steps[i] = (uint32_t)i;
    if (!fails(world, seed, steps, count, false)) {
        printf("%s: the same steps do not fail a second time\n", kind->name);
        return;
    }
    count = shorten(world, seed, steps, count, spare);
    printf("%s: %zu steps are enough:\n", kind->name, count);
    (void)fails(world, seed, steps, count, true);
    printf("%s: %s\n", kind->name, world->problem);
}

/* ---- The run ---- */

static uint64_t seed_of(unsigned index) { return options->seed + index; }

static void tell_progress(uint64_t step, uint64_t steps) {
    if ((step + 1) % (steps / 5 + 1) == 0)
        printf("%s: %llu steps, %llu s\n", kind->name, (unsigned long long)steps_done,
               (unsigned long long)stress_elapsed_ms() / 1000);
}

static void run_world(struct lockstep *world) {
    uint64_t steps = options->steps / options->threads;
    for (uint64_t step = 0; step < steps && !somebody_failed; step++) {
        if (!world_step(world, step) || (step % options->every == 0 && !world_check(world)))
            break;
        steps_done++;
        if (world == world_of(0))
            tell_progress(step, steps);
    }
    if (!world_check(world))
        somebody_failed = true;
}

static void run_world_number(unsigned index) { run_world(world_of(index)); }

static bool judge_world(unsigned index) {
    struct lockstep *world = world_of(index);
    if (!world->failed)
        return true;
    printf("%s: FAILED: thread %u, seed %llu: %s\n", kind->name, index,
           (unsigned long long)seed_of(index), world->problem);
    tell_short_case(world, seed_of(index), world->step);
    return false;
}

/* A single world's pages are all that the machine has more of. */
static bool judge_pages(uint64_t before) {
    uint64_t more = machine_vmo_pages() - before, pages = kind->pages(world_of(0));
    if (before == 0 || options->threads > 1 || more == pages)
        return true;
    printf("%s: FAILED: the machine has %lld pages more, not %llu\n", kind->name,
           (long long)more, (unsigned long long)pages);
    return false;
}

static void tell_figures(void) {
    uint64_t calls = 0, refused = 0;
    for (unsigned i = 0; i < options->threads; i++) {
        calls += world_of(i)->calls;
        refused += world_of(i)->refused;
    }
    printf("%s: %llu steps, %llu calls, of them %llu rightly refused, %llu threads, %llu ms\n",
           kind->name, (unsigned long long)steps_done, (unsigned long long)calls,
           (unsigned long long)refused, (unsigned long long)options->threads,
           (unsigned long long)stress_elapsed_ms());
}

/* A short run first, so that all memory of this program is there when it is counted. */
static void warm_up(void) {
    world_begin(world_of(0), 1, false);
    for (uint64_t step = 0; step < 300; step++)
        (void)world_step(world_of(0), step);
    (void)world_check(world_of(0));
    kind->end(world_of(0));
}

int lockstep_main(const struct lockstep_kind *chosen, struct options *chosen_options, int argc,
                  char **argv) {
    kind = chosen;
    options = chosen_options;
    options_read(options, kind->name, argc, argv);
    options->threads = options_threads(options);
    if (options->threads > LOCKSTEP_THREADS)
        options->threads = LOCKSTEP_THREADS;
    warm_up();
    for (unsigned i = 0; i < options->threads; i++)
        world_begin(world_of(i), seed_of(i), false);
    uint64_t before = machine_vmo_pages();
    if (options->threads == 1)
        run_world(world_of(0));
    else
        stress_run((unsigned)options->threads, run_world_number);
    for (unsigned i = 0; i < options->threads; i++)
        if (!judge_world(i))
            return 1;
    tell_figures();
    bool good = judge_pages(before);
    stress_audit();
    for (unsigned i = 0; i < options->threads; i++)
        kind->end(world_of(i));
    return good ? 0 : 1;
}
