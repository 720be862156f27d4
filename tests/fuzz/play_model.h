/*
 * play_model.h - an input is a walk of one of uapps/model's worlds: two bytes for each
 * draw. The walk is compared with the model, and its first calls are made to fail now
 * and then (lockstep.h). With TELL set the steps are printed.
 */
#pragma once

#include "tests/host/model_machine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int play_model(const struct lockstep_kind *kind, const uint8_t *data, size_t size);
