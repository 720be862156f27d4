/*
 * registry.h - the lists of all memory objects and of all address spaces.
 *
 * For audits (memory_audit.h): no call of a program looks here. An object is on its
 * list from its creation to its destruction. Objects are spread over short lists, each
 * with a lock of its own (RANK_REGISTRY), by where they lie on the heap: CPUs take their
 * objects from slabs of their own, so that they seldom meet.
 */
#pragma once

struct aspace;
struct list_node;
struct vmo;

/* At the end of what makes them, and at the start of what ends them. */
void registry_add_vmo(struct vmo *vmo);
void registry_remove_vmo(struct vmo *vmo);
void registry_add_aspace(struct aspace *aspace);
void registry_remove_aspace(struct aspace *aspace);

/*
 * The one after `previous` (NULL: the first) with a reference, NULL at the end. The
 * reference to `previous` is let go. One that comes or goes meanwhile is seen or not.
 */
struct vmo *registry_next_vmo(struct vmo *previous);
struct aspace *registry_next_aspace(struct aspace *previous);
