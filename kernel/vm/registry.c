/*
 * registry.c - the lists behind registry.h.
 */
#include "vm/registry.h"

#include "arch/spinlock.h"
#include "vm/aspace.h"

#define PARTS 16

struct part {
    struct spinlock lock; /* RANK_REGISTRY */
    struct list members;
} ALIGNED(64);

#define PART(i) {SPINLOCK_INIT(RANK_REGISTRY, "registry"), LIST_INIT(vmos[i].members)}
static struct part vmos[PARTS] = {PART(0),  PART(1),  PART(2),  PART(3), PART(4),  PART(5),
                                  PART(6),  PART(7),  PART(8),  PART(9), PART(10), PART(11),
                                  PART(12), PART(13), PART(14), PART(15)};
static struct part spaces = {SPINLOCK_INIT(RANK_REGISTRY, "registry"), LIST_INIT(spaces.members)};

/* A slab of objects of this size is a page. */
static unsigned part_of(const struct vmo *vmo) {
    return (unsigned)((uintptr_t)vmo >> PAGE_SHIFT) % PARTS;
}

static void part_add(struct part *part, struct list_node *node) {
    SPIN_GUARD(&part->lock);
    list_add_tail(&part->members, node);
}

static void part_remove(struct part *part, struct list_node *node) {
    SPIN_GUARD(&part->lock);
    list_remove(node);
}

void registry_add_vmo(struct vmo *vmo) { part_add(&vmos[part_of(vmo)], &vmo->registered); }
void registry_remove_vmo(struct vmo *vmo) { part_remove(&vmos[part_of(vmo)], &vmo->registered); }
void registry_add_aspace(struct aspace *aspace) { part_add(&spaces, &aspace->registered); }
void registry_remove_aspace(struct aspace *aspace) { part_remove(&spaces, &aspace->registered); }

/* The first behind `node` (NULL: the head) that is not about to be destroyed. */
static struct vmo *next_vmo_in(struct part *part, const struct list_node *node) {
    SPIN_GUARD(&part->lock);
    for (struct list_node *at = node ? node->next : part->members.head.next;
         at != &part->members.head; at = at->next) {
        struct vmo *vmo = list_entry(at, struct vmo, registered);
        if (ref_try_get(&vmo->base.refs))
            return vmo;
    }
    return NULL;
}

struct vmo *registry_next_vmo(struct vmo *previous) {
    unsigned part = previous ? part_of(previous) : 0;
    struct vmo *next = next_vmo_in(&vmos[part], previous ? &previous->registered : NULL);
    while (!next && ++part < PARTS)
        next = next_vmo_in(&vmos[part], NULL);
    if (previous)
        vmo_unref(previous);
    return next;
}

static struct aspace *next_aspace(const struct list_node *node) {
    SPIN_GUARD(&spaces.lock);
    for (struct list_node *at = node ? node->next : spaces.members.head.next;
         at != &spaces.members.head; at = at->next) {
        struct aspace *aspace = list_entry(at, struct aspace, registered);
        if (ref_try_get(&aspace->refs))
            return aspace;
    }
    return NULL;
}

struct aspace *registry_next_aspace(struct aspace *previous) {
    struct aspace *next = next_aspace(previous ? &previous->registered : NULL);
    if (previous)
        aspace_unref(previous);
    return next;
}
