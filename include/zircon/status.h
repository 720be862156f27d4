/*
 * status.h - the name of a status code.
 */
#pragma once

#include <zircon/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* "ZX_OK", "ZX_ERR_TIMED_OUT", ...; "(UNKNOWN)" for other numbers. Never NULL. */
const char *zx_status_get_string(zx_status_t status);

#ifdef __cplusplus
}
#endif
