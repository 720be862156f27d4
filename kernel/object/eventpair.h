/*
 * eventpair.h - two events, each of which can signal the other.
 */
#pragma once

#include "object/handle.h"

/* The references are the caller's. ERR_NO_MEMORY. */
status_t eventpair_create(struct waitable **out_a, struct waitable **out_b);
