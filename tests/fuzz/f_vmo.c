/*
 * f_vmo.c - families of memory objects, in lock step with the model.
 */
#include "tests/fuzz/play_model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    return play_model(&lockstep_objects, data, size);
}
