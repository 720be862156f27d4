/*
 * lockstep.c - the run, the judgement, and the short case.
 */
#include "model/lockstep.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRIES_MAX     600
#define REPLAYED_MAX  4000000 /* steps, so that the shortening of a long case ends */
#define MODEL_SIZE_MAX 131072
#define FAIL_ONE_IN   40 /* steps */
#define PLAYED_MAX    400
#define TOLD_MAX      1000 /* steps of a short case; more are not printed */

static const struct lockstep_kind *kind;
static struct options *options;
static _Atomic uint64_t steps_done;
static _Atomic bool somebody_failed;
static uint64_t pages_before; /* of the machine, when there was no world yet; 0: it does not tell */
static uint64_t pages_at_begin; /* of a single world */

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

/* The worlds' own tables, because they run at the same time. */
static void count_call(struct lockstep *world, const char *what, bool refused) {
    unsigned i = 0;
    while (i < LOCKSTEP_WHATS && world->count[i].what && strcmp(world->count[i].what, what) != 0)
        i++;
    if (i == LOCKSTEP_WHATS)
        return;
    world->count[i].what = what;
    world->count[i].done[world->subject] += !refused;
    world->count[i].refused[world->subject] += refused;
}

bool lockstep_agrees(struct lockstep *world, const char *what, zx_status_t want,
                     zx_status_t got) {
    if (want != got)
        lockstep_differs(world, "%s gave %d, not %d", what, got, want);
    world->calls++;
    world->refused += got != ZX_OK;
    count_call(world, what, got != ZX_OK);
    return want == ZX_OK && got == ZX_OK;
}

/* The same draw asked for twice in a step gives the same. */
static uint64_t draw_from_bytes(struct lockstep *world, unsigned index) {
    uint16_t value = 0;
    if (world->is_drawn & 1u << index)
        return world->drawn[index];
    for (unsigned i = 0; i < 2 && world->byte_at < world->byte_count; i++)
        value = (uint16_t)(value << 8 | world->bytes[world->byte_at++]);
    world->is_drawn |= 1u << index;
    world->drawn[index] = value;
    return value;
}

uint64_t lockstep_draw(const struct lockstep *world, unsigned index, uint64_t below) {
    uint64_t value = world->bytes ? draw_from_bytes((struct lockstep *)world, index)
                                  : draw_at(world->seed, world->step * 16 + index) >> 8;
    return value % below;
}

bool lockstep_is_elsewhere(const struct lockstep *world, unsigned index) {
    uint64_t draw = lockstep_draw(world, index, 24);
    return options->threads > 1 ? draw != 0 : draw % 3 == 0;
}

bool lockstep_is_alone(void) { return options->threads == 1; }

unsigned lockstep_number(const struct lockstep *world) {
    return (unsigned)(((const char *)world - (const char *)kind->worlds) / (ptrdiff_t)kind->world_size);
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
    if (options->threads == 1)
        pages_at_begin = machine_vmo_pages();
}

/* A single world's pages are all that the machine has more of. */
static void check_pages(struct lockstep *world) {
    if (pages_before == 0 || options->threads > 1 || world->failed || world->between)
        return;
    uint64_t more = machine_vmo_pages() - pages_at_begin, pages = kind->pages(world);
    if (more != pages)
        lockstep_differs(world, "the machine has %lld pages more, not %llu", (long long)more,
                         (unsigned long long)pages);
}

/* The calls of a check are not counted. */
static bool world_check(struct lockstep *world) {
    uint64_t calls = world->calls, refused = world->refused;
    if (!world->failed)
        kind->check(world);
    check_pages(world);
    world->calls = calls;
    world->refused = refused;
    return !world->failed;
}

/* ---- Steps, and calls that are made to fail ---- */

/* The one world of which that is asked. */
static struct {
    struct lockstep *world;
    uint64_t failures;
    char before[MODEL_SIZE_MAX], after[MODEL_SIZE_MAX];
} failing;

static void *model_of(struct lockstep *world) { return (char *)world + kind->model_at; }

/* A call has failed for want of memory: everything is as before it, or in between. */
static void judge_failure(bool partly) {
    struct lockstep *world = failing.world;
    failing.failures++;
    memcpy(failing.after, model_of(world), kind->model_size);
    memcpy(model_of(world), failing.before, kind->model_size);
    world->between = partly || world->is_disturbed;
    world->other = failing.after;
    (void)world_check(world);
    world->between = false;
    world->other = NULL;
    memcpy(model_of(world), failing.after, kind->model_size);
}

void lockstep_spare(struct lockstep *world) { (void)lockstep_fail_next_call(NULL); }

static bool is_to_fail(const struct lockstep *world) {
    if (!lockstep_has_failures() || options->threads > 1 || kind->model_size > MODEL_SIZE_MAX)
        return false;
    return draw_at(world->seed ^ 0xfa17, world->step) % FAIL_ONE_IN == 0;
}

static bool world_step(struct lockstep *world, uint64_t step) {
    world->step = step;
    world->is_drawn = 0;
    world->subject = 0;
    world->is_disturbed = false;
    world->is_failing = is_to_fail(world);
    /* What fails for want of memory has others give theirs back: before, so that the failing
     * calls find nothing, and after, for what has come meanwhile. */
    if (world->is_failing && kind->reclaim)
        kind->reclaim(world);
    bool fails = world->is_failing && lockstep_fail_next_call(judge_failure);
    if (fails) {
        failing.world = world;
        memcpy(failing.before, model_of(world), kind->model_size);
    }
    kind->step(world);
    if (fails)
        (void)lockstep_fail_next_call(NULL);
    if (world->is_failing && kind->reclaim)
        kind->reclaim(world);
    world->is_failing = false;
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
    uint64_t replayed = 0;
    for (size_t gap = count / 2; gap > 0; gap /= 2)
        for (size_t from = 0; from < count && tries < TRIES_MAX && replayed < REPLAYED_MAX;
             tries++) {
            size_t left = without(steps, count, from, gap, spare);
            replayed += left;
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
    if (fails(world, seed, steps, count, false)) {
        count = shorten(world, seed, steps, count, spare);
        printf("%s: %zu steps are enough:\n", kind->name, count);
        (void)fails(world, seed, steps, count, count < TOLD_MAX);
        printf("%s: %s\n", kind->name, world->problem);
    } else {
        printf("%s: the same steps do not fail a second time\n", kind->name);
    }
    free(steps);
    free(spare);
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
    uint64_t last = world->step;
    kind->end(world); /* its pager's thread would keep the machine awake for ever */
    if (!options->raw)
        tell_short_case(world, seed_of(index), last);
    return false;
}

/* When all worlds have ended. */
static bool judge_end(void) {
    uint64_t now = machine_vmo_pages();
    if (pages_before == 0 || now == pages_before)
        return true;
    printf("%s: FAILED: %lld pages are left behind\n", kind->name,
           (long long)(now - pages_before));
    return false;
}

static const struct lockstep_count *count_of(unsigned world, const char *what) {
    for (unsigned i = 0; i < LOCKSTEP_WHATS && world_of(world)->count[i].what; i++)
        if (strcmp(world_of(world)->count[i].what, what) == 0)
            return &world_of(world)->count[i];
    return NULL;
}

/* One call in all worlds: how often it was done + refused, for each kind of thing. */
static void tell_count(const char *what) {
    printf("%s: %s:", kind->name, what);
    for (unsigned s = 0; s < LOCKSTEP_SUBJECTS; s++) {
        uint64_t done = 0, refused = 0;
        for (unsigned w = 0; w < options->threads; w++) {
            const struct lockstep_count *count = count_of(w, what);
            done += count ? count->done[s] : 0;
            refused += count ? count->refused[s] : 0;
        }
        if (done + refused)
            printf(" %s %llu+%llu", kind->subjects ? kind->subjects[s] : "",
                   (unsigned long long)done, (unsigned long long)refused);
    }
    printf("\n");
}

static void tell_counts(void) {
    for (unsigned i = 0; i < LOCKSTEP_WHATS && world_of(0)->count[i].what; i++)
        tell_count(world_of(0)->count[i].what);
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
    if (failing.failures)
        printf("%s: %llu calls were made to fail for want of memory\n", kind->name,
               (unsigned long long)failing.failures);
}

/* A short run first, so that all memory of this program is there when it is counted. */
static void warm_world(unsigned index) {
    world_begin(world_of(index), 1, false);
    for (uint64_t step = 0; step < 300; step++)
        (void)world_step(world_of(index), step);
    (void)world_check(world_of(index));
    kind->end(world_of(index));
}

static void run_worlds(void (*work)(unsigned index)) {
    if (options->threads == 1)
        work(0);
    else
        stress_run((unsigned)options->threads, work);
}

static void warm_up(void) {
    run_worlds(warm_world);
    failing.failures = 0;
    pages_before = machine_vmo_pages();
}

static bool judge(void) {
    for (unsigned i = 0; i < options->threads; i++)
        if (!judge_world(i))
            return false;
    tell_counts();
    tell_figures();
    bool has_all = !kind->tell || kind->tell(options);
    stress_audit();
    for (unsigned i = 0; i < options->threads; i++)
        kind->end(world_of(i));
    return judge_end() && has_all;
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
    run_worlds(run_world_number);
    return judge() ? 0 : 1;
}

/* ---- Worlds made of bytes ---- */

bool lockstep_play(const struct lockstep_kind *chosen, const uint8_t *bytes, size_t size) {
    static struct options one = {.threads = 1};
    struct lockstep *world = chosen->worlds;
    bool is_first = kind == NULL;
    kind = chosen;
    options = &one;
    if (is_first)
        warm_up();
    world_begin(world, size, getenv("TELL") != NULL);
    world->bytes = bytes;
    world->byte_count = size;
    for (uint64_t step = 0; step < PLAYED_MAX && world->byte_at < size; step++)
        if (!world_step(world, step) || (step % 16 == 15 && !world_check(world)))
            break;
    bool good = world_check(world);
    if (!good)
        printf("%s: %s\n", kind->name, world->problem);
    kind->end(world);
    return good && judge_end();
}
