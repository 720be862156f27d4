/*
 * handle.h - a handle: an object and what may be done with it.
 *
 * A struct handle by value owns one reference and one handle count of its
 * object, wherever it is: in a table, in a message, or on a stack in transit.
 * Rights are fixed when it is made.
 */
#pragma once

#include <zircon/rights.h>

#include "sched/waitable.h"

struct handle {
    struct waitable *object; /* NULL: none */
    rights_t rights;
};

/* Takes a reference and a count of its own; the caller keeps its reference. */
ALWAYS_INLINE struct handle handle_make(struct waitable *object, rights_t rights) {
    waitable_ref(object);
    waitable_add_handle(object);
    return (struct handle){object, rights};
}
/* The same for a new object: the caller's reference becomes the handle's. */
ALWAYS_INLINE struct handle handle_adopt(struct waitable *object, rights_t rights) {
    waitable_add_handle(object);
    return (struct handle){object, rights};
}
/* Drop the count (on_zero_handles) and the reference. No lock held. */
ALWAYS_INLINE void handle_release(struct handle *handle) {
    struct waitable *object = handle->object;
    if (!object)
        return;
    handle->object = NULL;
    waitable_release_handle(object);
}
/* Move a handle out of a variable that is released later. */
ALWAYS_INLINE struct handle handle_take(struct handle *handle) {
    struct handle taken = *handle;
    handle->object = NULL;
    return taken;
}
ALWAYS_INLINE bool rights_are_subset(rights_t wanted, rights_t held) {
    return (wanted & ~held) == 0;
}
