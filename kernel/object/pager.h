/*
 * pager.h - pagers: they make memory objects whose pages a program supplies.
 *
 * A pager holds its objects weakly. For each there is one `struct pager_source`, which
 * the object references; it has the port and key that requests go to, and two packets:
 * one for the request that is offered now, one to say that no more will come.
 *
 * What is asked, and who waits for it, is in vm/page_source.h. Here the oldest request
 * not yet taken is put into the packet whenever the packet is free (pager_tell), so at
 * most one lies in the port, and it is withdrawn or replaced if it ends there.
 *
 * Lock order: the port's lock, then source->lock. pager->lock (RANK_OBJECT) guards the
 * list of sources and their way to their objects.
 */
#pragma once

#include "object/port.h"
#include "vm/page_source.h"
#include "vm/vmo.h"

struct pager {
    struct waitable base;
    /* Under base.own_lock. */
    struct list sources; /* struct pager_source */
    bool closed;         /* no handle is left: makes no more objects */
};
ALWAYS_INLINE struct pager *pager_from(struct waitable *object) {
    return container_of(object, struct pager, base);
}

status_t pager_create(struct pager **out_pager);
/* ERR_BAD_STATE closed, ERR_OUT_OF_RANGE, ERR_NO_MEMORY. */
status_t pager_create_vmo(struct pager *pager, uint64_t size, bool resizable, bool trap_dirty,
                          struct port *port, uint64_t key, struct vmo **out_vmo);
/* Was it made by this pager (and is no clone or alias of such a one)? */
bool pager_owns(const struct pager *pager, const struct vmo *vmo);
/* No more pages will come, and none is asked for any more. Idempotent. */
void pager_detach(struct pager *pager, struct vmo *vmo);
