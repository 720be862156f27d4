/*
 * model_machine.h - what the models of uapps/model ask of their machine, on the host.
 */
#pragma once

#include "model/lockstep.h"

/* "objects", "faults" or "spaces"; NULL: something else. */
const struct lockstep_kind *model_kind(const char *name);
