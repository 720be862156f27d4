/*
 * service.h - init's answers to requests (common/system.h), by a thread of its own.
 */
#pragma once

#include <zircon/types.h>

/*
 * Start answering; *out_system is a connection that may ask everything. `resource` is
 * the root resource, borrowed for ever.
 */
zx_status_t service_start(zx_handle_t resource, zx_handle_t *out_system);
/* Switch the machine off; returns only if the kernel refuses. */
void service_power_off(zx_handle_t resource);
