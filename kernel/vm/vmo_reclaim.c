/*
 * vmo_reclaim.c - objects that may lose pages: discardable ones while nobody locks
 * them, and the clean pages of those with a pager.
 *
 * One list holds them, first to lose first: a discardable object joins the end when
 * its last lock goes, one with a pager when it is supplied; the hint DONT_NEED puts
 * it at the head. The list holds no references; who dies leaves it first.
 */
#include "lib/string.h"
#include "vm/reclaim.h"
#include "vm/vmo_internal.h"

static struct {
    struct mutex lock; /* RANK_RECLAIM */
    struct list vmos;  /* by `reclaim_node` */
    struct list kinds; /* by `kind_node`: all objects of the two kinds */
} reclaimable;

void vmo_reclaim_init(void) {
    mutex_init(&reclaimable.lock, RANK_RECLAIM, "reclaimable");
    list_init(&reclaimable.vmos);
    list_init(&reclaimable.kinds);
}

void vmo_reclaim_born(struct vmo *vmo) {
    MUTEX_GUARD(&reclaimable.lock);
    list_add_tail(&reclaimable.kinds, &vmo->kind_node);
}

void vmo_reclaim_gone(struct vmo *vmo) {
    MUTEX_GUARD(&reclaimable.lock);
    list_remove(&vmo->kind_node);
}

static void leave(struct vmo *vmo) REQUIRES(reclaimable.lock) {
    if (list_node_is_linked(&vmo->reclaim_node))
        list_remove(&vmo->reclaim_node);
}

void vmo_reclaim_forget(struct vmo *vmo) {
    MUTEX_GUARD(&reclaimable.lock);
    leave(vmo);
}

static void join_last(struct vmo *vmo) {
    MUTEX_GUARD(&reclaimable.lock);
    leave(vmo);
    list_add_tail(&reclaimable.vmos, &vmo->reclaim_node);
}

static void join_first(struct vmo *vmo) {
    MUTEX_GUARD(&reclaimable.lock);
    leave(vmo);
    list_add_head(&reclaimable.vmos, &vmo->reclaim_node);
}

void vmo_reclaim_supplied(struct vmo *vmo) { join_last(vmo); }

void vmo_reclaim_hint(struct vmo *vmo, bool needed) {
    if (needed)
        vmo_reclaim_forget(vmo);
    else
        join_first(vmo);
}

/* ---- Discardable objects ---- */

status_t vmo_create_discardable(uint64_t size, bool resizable, struct vmo **out_vmo) {
    struct vmo *vmo;
    status_t status = vmo_alloc(size, VMO_DISCARDABLE, &vmo);
    if (status != OK)
        return status;
    vmo->resizable = resizable;
    vmo_reclaim_born(vmo);
    *out_vmo = vmo;
    return OK;
}

static status_t check_whole_locked(const struct vmo *vmo, uint64_t offset, uint64_t length)
    REQUIRES(vmo->lock) {
    if (vmo->kind != VMO_DISCARDABLE)
        return ERR_NOT_SUPPORTED;
    return offset == 0 && length == vmo->size ? OK : ERR_OUT_OF_RANGE;
}

static status_t lock_locked(struct vmo *vmo) REQUIRES(vmo->lock) {
    if (vmo->locks == UINT32_MAX)
        return ERR_BAD_STATE;
    vmo->locks++;
    vmo->was_locked = true;
    vmo->discarded = false;
    vmo_reclaim_forget(vmo);
    return OK;
}

status_t vmo_lock(struct vmo *vmo, uint64_t offset, uint64_t length, bool *out_discarded) {
    MUTEX_GUARD(&vmo->lock);
    status_t status = check_whole_locked(vmo, offset, length);
    if (status != OK)
        return status;
    *out_discarded = vmo->discarded;
    return lock_locked(vmo);
}

status_t vmo_try_lock(struct vmo *vmo, uint64_t offset, uint64_t length) {
    MUTEX_GUARD(&vmo->lock);
    status_t status = check_whole_locked(vmo, offset, length);
    if (status != OK)
        return status;
    return vmo->discarded ? ERR_UNAVAILABLE : lock_locked(vmo);
}

status_t vmo_unlock(struct vmo *vmo, uint64_t offset, uint64_t length) {
    MUTEX_GUARD(&vmo->lock);
    status_t status = check_whole_locked(vmo, offset, length);
    if (status != OK)
        return status;
    if (vmo->locks == 0)
        return ERR_BAD_STATE;
    if (--vmo->locks == 0)
        join_last(vmo);
    return OK;
}

/* The map moves out, to be let go after the lock. */
static void discard(struct vmo *vmo, struct page_map *out_map) {
    MUTEX_GUARD(&vmo->lock);
    page_map_init(out_map);
    if (vmo->locks || !vmo->was_locked || vmo->discarded || vmo->pins)
        return; /* somebody locked it meanwhile */
    vmo_hide_locked(vmo, 0, vmo->size >> PAGE_SHIFT);
    *out_map = vmo->map;
    page_map_init(&vmo->map);
    vmo->discarded = true;
    vmo->losses += page_map_pages(out_map) > 0;
}

/* ---- Reclaiming ---- */

/* The first to lose, off the list; NULL: nobody. */
static struct vmo *take_first(void) {
    MUTEX_GUARD(&reclaimable.lock);
    struct list_node *node;
    while ((node = list_pop(&reclaimable.vmos))) {
        struct vmo *vmo = list_entry(node, struct vmo, reclaim_node);
        if (ref_try_get(&vmo->base.refs)) /* else it is dying, and looks whether it is linked */
            return vmo;
    }
    return NULL;
}

static uint64_t reclaim_one(struct vmo *vmo) {
    struct page_map map;
    if (vmo->kind == VMO_PAGER)
        return vmo_evict_clean(vmo);
    discard(vmo, &map);
    uint64_t pages = page_map_pages(&map);
    page_map_destroy(&map);
    return pages;
}

uint64_t vmo_reclaim(void) {
    uint64_t pages = 0;
    while (pages == 0) {
        AUTO(vmo) vmo = take_first();
        if (!vmo)
            break;
        pages = reclaim_one(vmo);
    }
    return pages;
}

/* ---- Statistics ---- */

/* The one of its kind after `previous` (NULL: the first) with a reference. */
static struct vmo *next_of_kind(const struct vmo *previous) {
    MUTEX_GUARD(&reclaimable.lock);
    const struct list_node *head = &reclaimable.kinds.head;
    for (struct list_node *at = previous ? previous->kind_node.next : head->next; at != head;
         at = at->next) {
        struct vmo *vmo = list_entry(at, struct vmo, kind_node);
        if (ref_try_get(&vmo->base.refs))
            return vmo;
    }
    return NULL;
}

static struct vmo *first_with_pager(bool backwards) {
    MUTEX_GUARD(&reclaimable.lock);
    const struct list_node *head = &reclaimable.vmos.head;
    for (struct list_node *at = backwards ? head->prev : head->next; at != head;
         at = backwards ? at->prev : at->next) {
        struct vmo *vmo = list_entry(at, struct vmo, reclaim_node);
        if (vmo->kind == VMO_PAGER && ref_try_get(&vmo->base.refs))
            return vmo;
    }
    return NULL;
}

static void add_stats(struct vmo *vmo, struct reclaim_stats *stats) {
    MUTEX_GUARD(&vmo->lock);
    uint64_t pages = page_map_pages(&vmo->map);
    if (vmo->kind == VMO_PAGER)
        stats->pager += pages;
    else if (vmo->locks || !vmo->was_locked)
        stats->discardable_locked += pages;
    else
        stats->discardable_unlocked += pages;
}

static uint64_t pages_of(struct vmo *vmo) {
    struct reclaim_stats stats = {};
    if (!vmo)
        return 0;
    add_stats(vmo, &stats);
    vmo_unref(vmo);
    return stats.pager;
}

struct reclaim_stats vmo_reclaim_stats(void) {
    struct reclaim_stats stats = {};
    for (struct vmo *vmo = next_of_kind(NULL), *next; vmo; vmo = next) {
        add_stats(vmo, &stats);
        next = next_of_kind(vmo);
        vmo_unref(vmo);
    }
    stats.pager_first = pages_of(first_with_pager(false));
    stats.pager_last = pages_of(first_with_pager(true));
    return stats;
}
