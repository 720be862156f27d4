/*
 * ref.h - a count of references that refuses to revive from zero.
 *
 * Raising is relaxed, because the caller already holds a reference; dropping
 * is release, and acquire when it reaches zero, so that whoever destroys sees
 * all that earlier holders wrote. (One acq_rel operation and no fence: it costs
 * the same here, and the thread sanitizer understands it.) The number that is stored
 * is one less than the count, so that the processor's flags tell both ends of it.
 */
#pragma once

#include <stdatomic.h>

#include "lib/assert.h"
#include "lib/types.h"

struct ref {
    atomic_int further; /* references besides the first; -1: none is left */
};

ALWAYS_INLINE void ref_init(struct ref *ref) { atomic_init(&ref->further, 0); }
ALWAYS_INLINE void ref_get(struct ref *ref) {
    int before = atomic_fetch_add_explicit(&ref->further, 1, memory_order_relaxed);
    ASSERT(before >= 0);
    (void)before;
}
/* For weak links: false if the count was zero already. */
ALWAYS_INLINE bool ref_try_get(struct ref *ref) {
    int further = atomic_load_explicit(&ref->further, memory_order_relaxed);
    while (further >= 0) {
        if (atomic_compare_exchange_weak_explicit(&ref->further, &further, further + 1,
                                                  memory_order_relaxed, memory_order_relaxed))
            return true;
    }
    return false;
}
/* True when this was the last one. */
ALWAYS_INLINE bool ref_put(struct ref *ref) {
    int before = atomic_fetch_sub_explicit(&ref->further, 1, memory_order_acq_rel);
    if (likely(before > 0))
        return false;
    ASSERT(before == 0);
    return true;
}
ALWAYS_INLINE unsigned ref_count(const struct ref *ref) {
    return (unsigned)atomic_load_explicit(&ref->further, memory_order_relaxed) + 1;
}
