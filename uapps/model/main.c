/*
 * main.c - model: real memory objects in lock step with a model of plain arrays
 * (lockstep.h, world.h).
 */
#include "model/world.h"

static struct world worlds[LOCKSTEP_THREADS];

static const struct lockstep_kind objects = {
    .name = "model",
    .worlds = &worlds[0].lockstep,
    .world_size = sizeof worlds[0],
    .begin = world_begin,
    .step = world_step,
    .check = world_check,
    .end = world_end,
    .pages = world_pages,
};

int main(int argc, char **argv) {
    struct options options = {.steps = 200000, .every = 64};
    return lockstep_main(&objects, &options, argc, argv);
}
