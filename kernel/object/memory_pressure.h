/*
 * memory_pressure.h - what happens when memory runs out.
 *
 * Five events, one of them signaled at any time, tell programs how much is left
 * (zx_system_get_event). When only the reserve is left, or a page fault cannot be met, a
 * job that allows it (ZX_PROP_JOB_KILL_ON_OOM) is ended, and the fault is tried again.
 */
#pragma once

#include "sched/waitable.h"

/* Start the thread that keeps the events. Once, at boot. ERR_NO_MEMORY. */
status_t memory_pressure_init(void);
/* The event of a kind (ZX_SYSTEM_EVENT_*), borrowed for ever; NULL: no such kind. */
struct waitable *memory_pressure_event(uint32_t kind);
