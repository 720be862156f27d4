/*
 * deferred.h - work that interrupt context hands to a thread.
 *
 * Each CPU has a worker thread that never leaves it. Queueing takes no lock but
 * the worker's own as it is woken, so it may be done wherever RANK_WAIT may be
 * taken. Work that is queued again before it runs, runs once.
 */
#pragma once

#include <stdatomic.h>

#include "lib/types.h"

struct deferred {
    struct deferred *next;                /* while queued */
    void (*run)(struct deferred *work);   /* set once; in a thread, no lock held */
    _Atomic bool queued;
};

/* Start the workers of all CPUs that are online; work queued earlier runs then. */
status_t deferred_init(void);
/* False if it was queued already. */
bool deferred_queue(struct deferred *work);
