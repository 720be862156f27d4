/*
 * vmo_pager.c - objects whose pages come from a pager, and their lazy clones.
 *
 * An absent page of an object with a pager (the lender) has to be asked for: the
 * functions here answer ERR_INTERNAL_PAGER, the caller drops its locks, calls
 * vmo_await, and looks again. Pages know whether they are clean, dirty or being
 * written back (page.h); only dirty ones are mapped writable, so each first write
 * comes by here. The lender's own tree is shared with nobody.
 *
 * A lazy clone has a tree of its own, whose slots say: a page is its own, a marker
 * is zero, and absent means the lender's *current* page, below lender_limit, and
 * zero from there on. Its lender is always the object with the pager itself, never
 * a chain: a clone of a clone shares that clone's tree and borrows from the same
 * lender (so it freezes what its parent has written, SNAPSHOT_MODIFIED). The lender's
 * pages are shown in the clone's views read-only, under both locks, the clone's
 * first; the lender hides them there by its list of those views.
 */
#include "vm/page_source.h"
#include "vm/pmm.h"
#include "vm/vmo_internal.h"
#include "vm/vmo_pager.h"

#define WAIT_PAGES_MAX   ((uint64_t)1 << 36) /* no sum of it and an index wraps */
#define MARKER_NODES_MAX 8192u               /* of one object: 4.4 MiB */

static uint64_t lender_index(const struct vmo *lazy, uint64_t index) {
    return index + (lazy->lender_offset >> PAGE_SHIFT);
}

status_t vmo_absence(const struct vmo *lender) {
    return lender->source->detached ? ERR_BAD_STATE : ERR_INTERNAL_PAGER;
}

/* ---- Life ---- */

status_t vmo_create_pager(uint64_t size, bool resizable, struct page_source *source,
                          struct vmo **out_vmo) {
    struct vmo *vmo;
    status_t status = vmo_alloc(size, VMO_PAGER, &vmo);
    if (status != OK)
        return status;
    vmo->resizable = resizable;
    vmo->source = source;
    vmo_reclaim_born(vmo);
    *out_vmo = vmo;
    return OK;
}

static void borrower_leave(struct vmo *lazy) {
    MUTEX_GUARD(&lazy->lender->lock);
    if (list_node_is_linked(&lazy->borrower_node))
        list_remove(&lazy->borrower_node);
}

void vmo_destroy_special(struct vmo *vmo) {
    vmo_reclaim_forget(vmo);
    if (vmo->kind == VMO_DISCARDABLE || vmo->kind == VMO_PAGER)
        vmo_reclaim_gone(vmo);
    if (vmo->lender) {
        borrower_leave(vmo);
        vmo_unref(vmo->lender);
    }
    if (vmo->source) {
        vmo->source->ops->vmo_gone(vmo->source);
        page_source_unref(vmo->source);
    }
}

/* A clone of a lazy clone borrows what its parent still borrows. */
static void borrower_join(struct vmo *lazy, const struct vmo *parent, uint64_t first,
                          uint64_t visible) {
    MUTEX_GUARD(&lazy->lender->lock);
    uint64_t limit = parent->lender_limit;
    lazy->lender_limit = first < limit ? MIN(visible, limit - first) : 0;
    list_add_tail(&lazy->lender->source->borrowers, &lazy->borrower_node);
}

static uint64_t limit_of(struct vmo *lazy) {
    MUTEX_GUARD(&lazy->lender->lock);
    return lazy->lender_limit;
}

static void lend_locked(struct vmo *lender, struct vmo *lazy, uint64_t offset)
    REQUIRES(lender->lock) {
    lazy->lender_limit = vmo_window_pages(lender->size, offset, lazy->size);
    list_add_tail(&lender->source->borrowers, &lazy->borrower_node);
}

static void lend(struct vmo *lender, struct vmo *lazy, uint64_t offset) {
    MUTEX_GUARD(&lender->lock);
    lend_locked(lender, lazy, offset);
}

static status_t clone_lazy(struct vmo *parent, struct vmo *lazy, uint64_t offset) {
    MUTEX_GUARD(&parent->lock);
    status_t status = vmo_snapshot_map_locked(parent, offset, lazy);
    if (status == OK)
        borrower_join(lazy, parent, offset >> PAGE_SHIFT,
                      vmo_window_pages(parent->size, offset, lazy->size));
    return status;
}

status_t vmo_lazy_create(struct vmo *parent, uint64_t offset, uint64_t size, bool resizable,
                         struct vmo **out_child) {
    struct vmo *lazy;
    status_t status = vmo_alloc(size, VMO_LAZY, &lazy);
    if (status != OK)
        return status;
    lazy->resizable = resizable;
    lazy->lender = parent->kind == VMO_PAGER ? parent : parent->lender;
    lazy->lender_offset = offset + parent->lender_offset;
    vmo_ref(lazy->lender);
    if (parent->kind == VMO_PAGER)
        lend(parent, lazy, offset);
    else
        status = clone_lazy(parent, lazy, offset);
    if (status == OK)
        *out_child = lazy;
    else
        vmo_unref(lazy);
    return status;
}

/* ---- Views that show a lender's pages ---- */

struct vmo *vmo_lender_lock_slow(struct vmo *vmo) NO_LOCK_ANALYSIS {
    mutex_lock(&vmo->lender->lock);
    return vmo->lender;
}

void vmo_lender_unlock_slow(struct vmo *lender) NO_LOCK_ANALYSIS { mutex_unlock(&lender->lock); }

void vmo_lender_view_add(struct vmo *lender, struct vmo_view *view) {
    list_add_tail(&lender->source->views, &view->lender_node);
}

void vmo_hide_from_borrowers_locked(struct vmo *vmo, uint64_t first, uint64_t count,
                                    struct tlb_batch *batch) {
    vaddr_t va;
    uint64_t pages;
    list_for_each(node, &vmo->source->views) {
        struct vmo_view *view = list_entry(node, struct vmo_view, lender_node);
        uint64_t offset = view->offset + vmo_pages_of((struct vmo *)view->named)->lender_offset;
        if (vmo_view_overlap(view, offset, first, count, &va, &pages))
            vmo_view_hide(view, va, pages, batch);
    }
}

/* ---- Looking ---- */

static status_t look_here_locked(struct vmo *vmo, uint64_t index, struct vmo_look *look)
    REQUIRES(vmo->lock) {
    *look = (struct vmo_look){.page = NULL};
    look->page = page_map_find(&vmo->map, index, &look->exclusive);
    return OK;
}

/* Leaves the lender locked if it shows a page of the lender's. */
static status_t look_at_lender(struct vmo *lazy, uint64_t index,
                               struct vmo_look *look) NO_LOCK_ANALYSIS {
    struct vmo *lender = lazy->lender;
    status_t status = OK;
    mutex_lock(&lender->lock);
    *look = (struct vmo_look){.page = pmm_zero_page()};
    if (index < lazy->lender_limit) {
        look->page = page_map_find(&lender->map, lender_index(lazy, index), NULL);
        look->lender = look->page ? lender : NULL;
        if (!look->page)
            status = vmo_absence(lender);
    }
    if (!look->lender)
        mutex_unlock(&lender->lock);
    return status;
}

status_t vmo_look_special_locked(struct vmo *vmo, uint64_t index, struct vmo_look *out_look) {
    if (vmo->kind == VMO_PHYSICAL)
        return ERR_NOT_SUPPORTED;
    if (vmo->discarded)
        return ERR_NOT_FOUND;
    status_t status = look_here_locked(vmo, index, out_look);
    if (out_look->page) {
        if (vmo->kind == VMO_PAGER)
            out_look->exclusive = out_look->exclusive && out_look->page->dirt == PAGE_DIRTY;
        return status;
    }
    if (vmo->kind == VMO_PAGER)
        return vmo_absence(vmo);
    if (vmo->kind == VMO_LAZY)
        return look_at_lender(vmo, index, out_look);
    out_look->page = pmm_zero_page();
    return OK;
}

void vmo_look_end_special(struct vmo_look *look) NO_LOCK_ANALYSIS {
    mutex_unlock(&look->lender->lock);
    look->lender = NULL;
}

bool vmo_has_content_locked(struct vmo *vmo, uint64_t index) {
    struct page *page = page_map_find(&vmo->map, index, NULL);
    if (page)
        return !page_is_zero(page);
    /* Where a growing one will end there is nothing yet, not even something to ask for. */
    return (vmo->kind == VMO_PAGER && index < vmo->size >> PAGE_SHIFT) ||
           (vmo->kind == VMO_LAZY && index < limit_of(vmo));
}

/* ---- Owning ---- */

/* Put a copy of `from` (NULL: zeros) into a slot that is not ours alone. */
static status_t own_copy_locked(struct vmo *vmo, uint64_t index, const struct page *from,
                                struct page **out_page) REQUIRES(vmo->lock) {
    struct map_stash stash = MAP_STASH_INIT;
    status_t status = map_stash_fill(&stash, page_map_plan_own(&vmo->map, index));
    struct page *page = status == OK ? vmo_page_alloc(from) : NULL;
    if (page) {
        page->dirt = PAGE_DIRTY;
        vmo_hide_locked(vmo, index, 1);
        page_map_store(&vmo->map, index, page, &stash);
        *out_page = page;
    }
    map_stash_release(&stash);
    return page ? OK : ERR_NO_MEMORY;
}

status_t vmo_fill_marker_locked(struct vmo *vmo, uint64_t index) {
    uint8_t dirt = page_map_find(&vmo->map, index, NULL)->dirt;
    struct page *page;
    status_t status = own_copy_locked(vmo, index, NULL, &page);
    if (status == OK)
        page->dirt = dirt;
    return status;
}

status_t vmo_own_pager_locked(struct vmo *vmo, uint64_t index, struct page **out_page,
                              bool *out_fresh) {
    struct page *page = page_map_find(&vmo->map, index, NULL);
    if (out_fresh)
        *out_fresh = false;
    if (!page)
        return vmo_absence(vmo);
    if (page->dirt != PAGE_DIRTY && vmo->source->trap_dirty)
        return vmo_absence(vmo);
    vmo->source->modified = true;
    if (page_is_zero(page))
        return own_copy_locked(vmo, index, NULL, out_page);
    page->dirt = PAGE_DIRTY;
    *out_page = page;
    return OK;
}

status_t vmo_own_lazy_locked(struct vmo *vmo, uint64_t index, struct page **out_page,
                             bool *out_fresh) {
    struct vmo_look look;
    status_t status = vmo_look_special_locked(vmo, index, &look);
    if (status != OK)
        return status;
    if (out_fresh)
        *out_fresh = !look.exclusive;
    if (look.exclusive)
        *out_page = look.page;
    else
        status = own_copy_locked(vmo, index, look.page, out_page);
    vmo_look_end(&look);
    return status;
}

/* ---- Waiting ---- */

/* Pages in which the same, or nothing, stands in the way of using them. */
struct barrier {
    bool is_blocked;
    enum page_command command; /* if so: what would help */
    uint64_t count;
};

static struct barrier next_barrier_locked(struct vmo *lender, uint64_t first, uint64_t last,
                                          bool write) REQUIRES(lender->lock) {
    struct page *page;
    uint64_t count = page_map_alike(&lender->map, first, last, &page);
    bool is_clean = page && write && lender->source->trap_dirty && page->dirt != PAGE_DIRTY;
    return (struct barrier){!page || is_clean, page ? PAGE_COMMAND_DIRTY : PAGE_COMMAND_READ,
                            count};
}

/* Cut [*first, last] to its first stretch that one request is for; false: all may be used. */
static bool first_barrier_locked(struct vmo *lender, uint64_t *first, uint64_t last, bool write,
                                 struct barrier *out_barrier) REQUIRES(lender->lock) {
    struct barrier next = {.is_blocked = false};
    *out_barrier = next;
    while (*first <= last && !out_barrier->is_blocked) {
        *out_barrier = next_barrier_locked(lender, *first, last, write);
        *first += out_barrier->is_blocked ? 0 : out_barrier->count;
    }
    if (!out_barrier->is_blocked)
        return false;
    for (uint64_t at = *first + out_barrier->count; at <= last; at += next.count) {
        next = next_barrier_locked(lender, at, last, write);
        if (!next.is_blocked || next.command != out_barrier->command)
            break;
        out_barrier->count += next.count;
    }
    return true;
}

static status_t ask_locked(struct vmo *lender, uint64_t first, uint64_t count, bool write,
                           struct page_waiter *waiter, bool *out_asked) REQUIRES(lender->lock) {
    struct barrier barrier;
    uint64_t end = MIN(first + MIN(count, WAIT_PAGES_MAX), lender->size >> PAGE_SHIFT);
    *out_asked = false;
    if (lender->source->detached || first >= end ||
        !first_barrier_locked(lender, &first, end - 1, write, &barrier))
        return OK;
    status_t status =
        page_source_ask(lender->source, barrier.command, first, barrier.count, waiter);
    *out_asked = status == OK;
    return status;
}

static status_t ask(struct vmo *lender, uint64_t first, uint64_t count, bool write,
                    struct page_waiter *waiter, bool *out_asked) {
    MUTEX_GUARD(&lender->lock);
    return ask_locked(lender, first, count, write, waiter, out_asked);
}

/* The first stretch that a lazy clone borrows of its pages [*first, end); false: none. */
static bool borrowed_stretch(struct vmo *lazy, uint64_t *first, uint64_t end,
                             uint64_t *out_count) {
    MUTEX_GUARD(&lazy->lock);
    end = MIN(end, limit_of(lazy));
    for (struct page *page; *first < end; *first += *out_count) {
        *out_count = page_map_alike(&lazy->map, *first, end - 1, &page);
        if (!page)
            return true;
    }
    return false;
}

/* Ask for what is missing in the first stretch where something is. */
static status_t ask_lender(struct vmo *lazy, uint64_t first, uint64_t count,
                           struct page_waiter *waiter, bool *out_asked) {
    uint64_t end = first + MIN(count, WAIT_PAGES_MAX), length;
    status_t status = OK;
    *out_asked = false;
    while (status == OK && !*out_asked && borrowed_stretch(lazy, &first, end, &length)) {
        status = ask(lazy->lender, lender_index(lazy, first), length, false, waiter, out_asked);
        first += length;
    }
    return status;
}

/* *out_waited: something stood in the way. */
static status_t await(struct vmo *vmo, uint64_t first, uint64_t count, bool write,
                      bool *out_waited) {
    struct vmo *lender = vmo->lender ? vmo->lender : vmo;
    struct page_waiter waiter;
    status_t status = vmo->lender ? ask_lender(vmo, first, count, &waiter, out_waited)
                                  : ask(vmo, first, count, write, &waiter, out_waited);
    return *out_waited ? page_source_wait(lender->source, &waiter) : status;
}

status_t vmo_await(struct vmo *named, uint64_t index, uint64_t count, bool write) {
    bool waited;
    return await(vmo_pages_of(named), index, count, write, &waited);
}

void vmo_populate(struct vmo *vmo, uint64_t first, uint64_t last) {
    bool waited = true;
    while (waited && await(vmo, first, last - first + 1, false, &waited) == OK)
        ;
}

void vmo_tell_pager(struct vmo *vmo) {
    if (vmo->source)
        vmo->source->ops->tell(vmo->source);
}

void vmo_hint_pager(struct vmo *vmo, bool needed) {
    struct vmo *lender = vmo->lender ? vmo->lender : vmo;
    mutex_lock(&lender->lock);
    lender->source->is_needed = needed;
    mutex_unlock(&lender->lock);
    vmo_reclaim_hint(lender, needed);
}

/* ---- Size and zeroing ---- */

static void lower_limits_locked(struct vmo *lender, uint64_t pages) REQUIRES(lender->lock) {
    list_for_each(node, &lender->source->borrowers) {
        struct vmo *lazy = list_entry(node, struct vmo, borrower_node);
        uint64_t base = lazy->lender_offset >> PAGE_SHIFT;
        lazy->lender_limit = MIN(lazy->lender_limit, pages > base ? pages - base : 0);
    }
}

static void lower_limit(struct vmo *lazy, uint64_t pages) {
    MUTEX_GUARD(&lazy->lender->lock);
    lazy->lender_limit = MIN(lazy->lender_limit, pages);
}

void vmo_resize_special_locked(struct vmo *vmo, uint64_t old_pages, uint64_t pages,
                               struct map_stash *stash, struct map_garbage *garbage) {
    if (vmo->kind == VMO_LAZY) {
        lower_limit(vmo, pages);
        return;
    }
    vmo->source->modified = true;
    if (pages > old_pages) {
        page_map_zero(&vmo->map, old_pages, pages - 1, PAGE_DIRTY, stash, garbage);
    } else if (pages < old_pages) {
        lower_limits_locked(vmo, pages);
        page_source_end(vmo->source, pages, old_pages - pages, OK);
    }
}

/* Nodes that hold only markers cost memory that no page accounts for, so they are few. */
static status_t mark_zero_locked(struct vmo *vmo, uint64_t first, uint64_t last,
                                 enum page_dirt dirt, struct map_garbage *garbage)
    REQUIRES(vmo->lock) {
    struct map_stash stash = MAP_STASH_INIT;
    unsigned planned = page_map_plan_zero(&vmo->map, first, last);
    if (vmo->marker_nodes + planned > MARKER_NODES_MAX)
        return ERR_NO_MEMORY;
    status_t status = map_stash_fill(&stash, planned);
    if (status == OK) {
        vmo_hide_locked(vmo, first, last - first + 1);
        page_map_zero(&vmo->map, first, last, dirt, &stash, garbage);
        vmo->marker_nodes += planned - map_stash_count(&stash);
    }
    map_stash_release(&stash);
    return status;
}

static status_t zero_pager_pages_locked(struct vmo *vmo, uint64_t first, uint64_t last,
                                        struct map_garbage *garbage) REQUIRES(vmo->lock) {
    struct barrier barrier;
    uint64_t at = first;
    if (vmo->source->trap_dirty && first_barrier_locked(vmo, &at, last, true, &barrier))
        return vmo_absence(vmo);
    vmo->source->modified = true;
    status_t status = mark_zero_locked(vmo, first, last, PAGE_DIRTY, garbage);
    if (status == OK) /* whoever waits for one of them finds zeros */
        page_source_answer(vmo->source, PAGE_COMMAND_READ, first, last - first + 1);
    return status;
}

/* Markers only where the lender would show: elsewhere absent is zero. */
static status_t zero_lazy_pages_locked(struct vmo *vmo, uint64_t first, uint64_t last,
                                       struct map_garbage *garbage) REQUIRES(vmo->lock) {
    struct map_stash stash = MAP_STASH_INIT;
    uint64_t limit = limit_of(vmo), behind = MAX(first, limit);
    status_t status = OK;
    if (first < limit)
        status = mark_zero_locked(vmo, first, MIN(last, limit - 1), PAGE_CLEAN, garbage);
    if (status != OK || behind > last)
        return status;
    status = map_stash_fill(&stash, page_map_plan_remove(&vmo->map, behind, last));
    if (status == OK) {
        vmo_hide_locked(vmo, behind, last - behind + 1);
        page_map_remove(&vmo->map, behind, last, &stash, garbage);
    }
    map_stash_release(&stash);
    return status;
}

status_t vmo_zero_pages_special_locked(struct vmo *vmo, uint64_t first, uint64_t last,
                                       struct map_garbage *garbage) {
    return vmo->kind == VMO_PAGER ? zero_pager_pages_locked(vmo, first, last, garbage)
                                  : zero_lazy_pages_locked(vmo, first, last, garbage);
}
