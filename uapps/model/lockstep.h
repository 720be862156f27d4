/*
 * lockstep.h - runs worlds, in which real objects and a model take the same steps.
 *
 * Each thread has a world of its own, so on several processors the steps of one run
 * beside those of the others, in one address space. A run that fails is repeated in a
 * fresh world, with steps left out as long as it still fails, and the short list is
 * printed.
 */
#pragma once

#include "stress/stress.h"

#define LOCKSTEP_THREADS 8

/* The beginning of every world. */
struct lockstep {
    uint64_t seed, step;
    uint64_t calls, refused; /* made, and of these rightly refused */
    bool tells;              /* prints each step */
    bool failed;
    char problem[200]; /* the first difference */
};

struct lockstep_kind {
    const char *name;
    struct lockstep *worlds; /* LOCKSTEP_THREADS of them */
    size_t world_size;
    void (*begin)(struct lockstep *world); /* after seed and tells are set, the rest zeroed */
    void (*step)(struct lockstep *world);  /* step number world->step */
    void (*check)(struct lockstep *world); /* compare everything */
    void (*end)(struct lockstep *world);   /* let go of everything */
    uint64_t (*pages)(const struct lockstep *world); /* that its objects should have */
};

/* The whole program; its exit code. */
int lockstep_main(const struct lockstep_kind *kind, struct options *options, int argc, char **argv);

/* ---- For the steps ---- */

void lockstep_differs(struct lockstep *world, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void lockstep_tell(struct lockstep *world, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Does a call's status agree? Returns whether it was ZX_OK. */
bool lockstep_agrees(struct lockstep *world, const char *what, zx_status_t want, zx_status_t got);
/* Draw number `index` (below 16) of this step. */
uint64_t lockstep_draw(const struct lockstep *world, unsigned index, uint64_t below);
