/*
 * f_fault.c - mappings, and what lies behind them, under faults, in lock step with the model.
 */
#include "tests/fuzz/play_model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    return play_model(&lockstep_faults, data, size);
}
