/*
 * ktrace.h - the buffers of traced events, and what zx_ktrace_read gives of them.
 *
 * The buffers exist from the first start until they are forgotten; ktrace.size=KIB is their
 * size for each CPU (1024), 0 forbids tracing.
 */
#pragma once

#include <jacinth/trace.h>

#include "lib/types.h"

/* Once, at boot. */
void ktrace_init(void);
bool ktrace_is_allowed(void);
/* ERR_BAD_STATE: it is on already; ERR_NO_MEMORY. */
status_t ktrace_start(uint32_t groups, bool circular);
void ktrace_stop(void);
/* ERR_BAD_STATE while it is on. */
status_t ktrace_forget(void);
/*
 * Records from the first-th on (jacinth/trace.h tells their order), `max` at most; how many
 * there are in all. ERR_BAD_STATE while it is on.
 */
status_t ktrace_get(uint64_t first, size_t max, jx_trace_record_t *out_records, size_t *out_count,
                    uint64_t *out_total);
