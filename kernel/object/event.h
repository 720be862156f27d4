/*
 * event.h - an object that is nothing but its signals.
 */
#pragma once

#include "object/handle.h"

/* The reference is the caller's. ERR_NO_MEMORY. */
status_t event_create(struct waitable **out_event);
