/*
 * main.c - model: real memory objects in lock step with a model of plain arrays.
 *
 * Each thread has a world of its own, so on several processors the steps of one run
 * beside those of the others, in one address space. A run that fails is repeated in a
 * fresh world, with steps left out as long as it still fails, and the short list is
 * printed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>
#include <zircon/syscalls.h>

#include "model/world.h"

#define THREADS_MAX 8
#define TRIES_MAX   400

static struct options options = {.steps = 200000, .every = 64};
static struct world worlds[THREADS_MAX];
static _Atomic uint64_t steps_done;
static _Atomic bool somebody_failed;

/* ---- Leaving steps out ---- */

/* Does the list of steps fail in a fresh world? */
static bool fails(struct world *world, uint64_t seed, const uint32_t *steps, size_t count,
                  bool tells) {
    world_begin(world, seed);
    world->tells = tells;
    for (size_t i = 0; i < count; i++)
        if (!world_step(world, steps[i]) || (i % 8 == 7 && !world_check(world)))
            break;
    (void)world_check(world);
    bool failed = world->failed;
    world_end(world);
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

static size_t shorten(struct world *world, uint64_t seed, uint32_t *steps, size_t count,
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

static void tell_short_case(struct world *world, uint64_t seed, uint64_t last) {
    size_t count = (size_t)last + 1;
    uint32_t *steps = malloc(count * sizeof *steps), *spare = malloc(count * sizeof *steps);
    if (!steps || !spare)
        return;
    for (size_t i = 0; i < count; i++)
        steps[i] = (uint32_t)i;
    if (!fails(world, seed, steps, count, false)) {
        printf("model: the same steps do not fail a second time\n");
        return;
    }
    count = shorten(world, seed, steps, count, spare);
    printf("model: %zu steps are enough:\n", count);
    (void)fails(world, seed, steps, count, true);
    printf("model: %s\n", world->problem);
}

/* ---- The run ---- */

static uint64_t seed_of(unsigned index) { return options.seed + index; }

static int run_world(void *argument) {
    struct world *world = argument;
    unsigned index = (unsigned)(world - worlds);
    uint64_t steps = options.steps / options_threads(&options);
    for (uint64_t step = 0; step < steps && !somebody_failed; step++) {
        if (!world_step(world, step) || (step % options.every == 0 && !world_check(world)))
            break;
        steps_done++;
        if (index == 0 && (step + 1) % (steps / 10 + 1) == 0)
            printf("model: %llu steps, %llu s\n", (unsigned long long)steps_done,
                   (unsigned long long)stress_elapsed_ms() / 1000);
    }
    (void)world_check(world);
    if (world->failed)
        somebody_failed = true;
    return 0;
}

/* Physical pages of all memory objects; 0 if this program may not ask. */
static uint64_t machine_pages(void) {
    zx_info_kmem_stats_t stats;
    return machine_memory(&stats) ? stats.vmo_bytes / PAGE : 0;
}

/* The worlds run side by side; each thread is joined before anything is judged. */
static void run_all(unsigned threads) {
    thrd_t thread[THREADS_MAX];
    for (unsigned i = 1; i < threads; i++)
        if (thrd_create(&thread[i], run_world, &worlds[i]) != thrd_success)
            stress_fail("no thread");
    run_world(&worlds[0]);
    for (unsigned i = 1; i < threads; i++)
        thrd_join(thread[i], NULL);
}

static int judge(unsigned threads, uint64_t pages_before) {
    uint64_t calls = 0, refused = 0, pages = 0, now = machine_pages();
    for (unsigned i = 0; i < threads; i++) {
        calls += worlds[i].calls;
        refused += worlds[i].refused;
        pages += world_pages(&worlds[i]);
        if (!worlds[i].failed)
            continue;
        printf("model: FAILED: thread %u, seed %llu: %s\n", i, (unsigned long long)seed_of(i),
               worlds[i].problem);
        tell_short_case(&worlds[i], seed_of(i), worlds[i].step);
        return 1;
    }
    printf("model: %llu steps, %llu calls, of them %llu rightly refused, %u threads, %llu ms\n",
           (unsigned long long)steps_done, (unsigned long long)calls, (unsigned long long)refused,
           threads, (unsigned long long)stress_elapsed_ms());
    if (threads == 1 && pages_before && now - pages_before != pages) {
        printf("model: FAILED: the machine has %lld pages more, not %llu\n",
               (long long)(now - pages_before), (unsigned long long)pages);
        return 1;
    }
    return 0;
}

/* A short run first, so that all memory of this program is there when it is counted. */
static void warm_up(void) {
    world_begin(&worlds[0], 1);
    for (uint64_t step = 0; step < 300; step++)
        (void)world_step(&worlds[0], step);
    (void)world_check(&worlds[0]);
    world_end(&worlds[0]);
}

int main(int argc, char **argv) {
    options_read(&options, "model", argc, argv);
    unsigned threads = options_threads(&options);
    if (threads > THREADS_MAX)
        threads = THREADS_MAX;
    options.threads = threads;
    warm_up();
    for (unsigned i = 0; i < threads; i++)
        world_begin(&worlds[i], seed_of(i));
    uint64_t pages_before = machine_pages();
    run_all(threads);
    int result = judge(threads, pages_before);
    if (result == 0)
        for (unsigned i = 0; i < threads; i++)
            world_end(&worlds[i]);
    return result;
}
