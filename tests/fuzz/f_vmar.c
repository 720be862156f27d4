/*
 * f_vmar.c - regions, in lock step with the model.
 */
#include "tests/fuzz/play_model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    return play_model(&lockstep_spaces, data, size);
}
