/*
 * vmo_content.c - streams write behind the content of a memory object and raise its
 * content size.
 *
 * One who does that holds the content lock from the look at the content size to the
 * end, so that writers that append never overlap. Its holders never wait for user code
 * or a pager, so few locks serve all objects; an object's address chooses its lock. Who
 * sets the size or the content size outright does not take it, and comes before or
 * after as vmo->lock has it.
 */
#include "vm/vmo_content.h"

#define LOCKS 16
static struct mutex locks[LOCKS];

void vmo_content_init(void) {
    for (unsigned i = 0; i < LOCKS; i++)
        mutex_init(&locks[i], RANK_CONTENT, "vmo content");
}

/* Aliases have their pages' content size, but slices have one of their own. */
static struct vmo *content_of(struct vmo *named) {
    return named->is_slice ? named : vmo_pages_of(named);
}

struct mutex *vmo_content_lock(struct vmo *named) {
    uintptr_t address = (uintptr_t)content_of(named);

    return &locks[(address >> 6 ^ address >> 12) % LOCKS];
}

void vmo_raise_content_size(struct vmo *named, uint64_t end) {
    struct vmo *vmo = content_of(named);
    MUTEX_GUARD(&vmo->lock);
    vmo->content_size = MAX(vmo->content_size, MIN(end, vmo->size));
}
