/*
 * space_main.c - model-vmar: real regions in lock step with an array of pages
 * (lockstep.h, space_model.h).
 */
#include "model/lockstep.h"

int main(int argc, char **argv) {
    struct options options = {.steps = 200000, .every = 64};
    return lockstep_main(&lockstep_spaces, &options, argc, argv);
}
