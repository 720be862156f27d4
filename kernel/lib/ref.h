/*
 * ref.h - a count of references that refuses to revive from zero.
 *
 * Raising is relaxed, because the caller already holds a reference; dropping
 * is release, and acquire when it reaches zero, so that whoever destroys sees
 * all that earlier holders wrote. (One acq_rel operation and no fence: it costs
 * the same here, and the thread sanitizer understands it.)
 */
#pragma once

#include <stdatomic.h>

#include "lib/assert.h"
#include "lib/types.h"

struct ref {
    atomic_uint count;
};

ALWAYS_INLINE void ref_init(struct ref *ref) { atomic_init(&ref->count, 1); }
ALWAYS_INLINE void ref_get(struct ref *ref) {
    unsigned before = atomic_fetch_add_explicit(&ref->count, 1, memory_order_relaxed);
    ASSERT(before != 0);
    (void)before;
}
/* For weak links: false if the count was zero already. */
ALWAYS_INLINE bool ref_try_get(struct ref *ref) {
    unsigned count = atomic_load_explicit(&ref->count, memory_order_relaxed);
    while (count != 0) {
        if (atomic_compare_exchange_weak_explicit(&ref->count, &count, count + 1,
                                                  memory_order_relaxed, memory_order_relaxed))
            return true;
    }
    return false;
}
/* True when this was the last one. */
ALWAYS_INLINE bool ref_put(struct ref *ref) {
    unsigned before = atomic_fetch_sub_explicit(&ref->count, 1, memory_order_acq_rel);
    ASSERT(before != 0);
    return before == 1;
}
ALWAYS_INLINE unsigned ref_count(const struct ref *ref) {
    return atomic_load_explicit(&ref->count, memory_order_relaxed);
}
