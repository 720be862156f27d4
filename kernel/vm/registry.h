/*
 * registry.h - the lists of all memory objects and of all address spaces.
 *
 * For audits (memory_audit.h): no call of a program looks here. Debug kernels keep the
 * lists always, others only when booted with debug.syscalls, because making an object
 * and ending it is a matter of some hundred instructions. An object is on its
 * list from its creation to its destruction. Objects are spread over short lists, each
 * with a lock of its own (RANK_REGISTRY), by where they lie on the heap: CPUs take their
 * objects from slabs of their own, so that they seldom meet.
 */
#pragma once

#include "lib/types.h"

struct aspace;
struct vmo;

extern bool registry_is_kept; /* set before the first object, never after */
/* Once, at boot. */
void registry_init(void);

void registry_add_kept_vmo(struct vmo *vmo);
void registry_remove_kept_vmo(struct vmo *vmo);
void registry_add_kept_aspace(struct aspace *aspace);
void registry_remove_kept_aspace(struct aspace *aspace);

/* At the end of what makes them, and at the start of what ends them. */
ALWAYS_INLINE void registry_add_vmo(struct vmo *vmo) {
    if (unlikely(registry_is_kept))
        registry_add_kept_vmo(vmo);
}
ALWAYS_INLINE void registry_remove_vmo(struct vmo *vmo) {
    if (unlikely(registry_is_kept))
        registry_remove_kept_vmo(vmo);
}
ALWAYS_INLINE void registry_add_aspace(struct aspace *aspace) {
    if (unlikely(registry_is_kept))
        registry_add_kept_aspace(aspace);
}
ALWAYS_INLINE void registry_remove_aspace(struct aspace *aspace) {
    if (unlikely(registry_is_kept))
        registry_remove_kept_aspace(aspace);
}

/*
 * The one after `previous` (NULL: the first) with a reference, NULL at the end. The
 * reference to `previous` is let go. One that comes or goes meanwhile is seen or not.
 */
struct vmo *registry_next_vmo(struct vmo *previous);
struct aspace *registry_next_aspace(struct aspace *previous);
