/*
 * sys_resource.h - calls that ask for a resource.
 */
#pragma once

#include "lib/types.h"

/* ERR_BAD_HANDLE; ERR_WRONG_TYPE if it is no resource of this kind, nor the root. */
status_t sys_check_resource(uint32_t handle, uint32_t kind);
/* The same, and ERR_OUT_OF_RANGE unless it contains the range. */
status_t sys_check_resource_range(uint32_t handle, uint32_t kind, uint64_t start, uint64_t size);
