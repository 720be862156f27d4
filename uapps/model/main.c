/*
 * main.c - model: real memory objects in lock step with a model of plain arrays
 * (lockstep.h, world.h).
 */
#include "model/lockstep.h"

int main(int argc, char **argv) {
    struct options options = {.steps = 200000, .every = 64};
    return lockstep_main(&lockstep_objects, &options, argc, argv);
}
