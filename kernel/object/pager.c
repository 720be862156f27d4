/*
 * pager.c - telling a program which pages are wanted.
 */
#include "object/pager.h"

#include "vm/kheap.h"
#include "vm/vmo_pager.h"

struct pager_source {
    struct page_source source;
    /* Set once. */
    struct pager *pager;       /* not a reference: see `link` */
    struct port *port;         /* referenced */
    uint64_t key;
    /* Under pager->base.own_lock. */
    struct list_node link;     /* in pager->sources, until vmo and COMPLETE are gone */
    struct vmo *vmo;           /* not a reference; NULL: gone */
    /* Under port->lock. */
    struct packet request, complete;
    bool request_busy, complete_busy; /* queued, or in a thread's hands: holds a reference */
    bool complete_sent;
    bool silent;               /* the pager is closed: nothing is sent any more */
};

static struct pager_source *pager_source_from(struct page_source *source) {
    return container_of(source, struct pager_source, source);
}

/* ---- Packets ---- */

static zx_port_packet_t packet_of(const struct pager_source *ps, uint16_t command,
                                  uint64_t first, uint64_t count) {
    return (zx_port_packet_t){
        .key = ps->key,
        .type = ZX_PKT_TYPE_PAGE_REQUEST,
        .page_request = {.command = command,
                         .offset = first << PAGE_SHIFT,
                         .length = count << PAGE_SHIFT},
    };
}

/* True if the packet left the port: its reference is the caller's then. */
static bool withdraw_locked(struct pager_source *ps, struct packet *packet, bool *busy)
    REQUIRES(ps->port->lock) {
    if (!*busy || !port_packet_is_queued_locked(ps->port, packet))
        return false;
    port_take_back_locked(ps->port, packet);
    *busy = false;
    return true;
}

static void send_locked(struct pager_source *ps, struct packet *packet, bool *busy)
    REQUIRES(ps->port->lock) {
    *busy = true;
    page_source_ref(&ps->source);
    if (port_queue_kept_locked(ps->port, packet))
        return;
    *busy = false; /* nobody will ever read it; the source keeps another reference */
    bool last = ref_put(&ps->source.refs);
    ASSERT(!last);
}

/* Make the port hold the packet of the oldest request, or none. True: a reference is left over. */
static bool tell_locked(struct pager_source *ps) REQUIRES(ps->port->lock) {
    struct page_offer offer;
    bool queued = ps->request_busy && port_packet_is_queued_locked(ps->port, &ps->request);
    if (ps->silent || (ps->request_busy && !queued))
        return false;
    if (!page_source_offer(&ps->source, &offer))
        return withdraw_locked(ps, &ps->request, &ps->request_busy);
    ps->request.content = packet_of(ps, offer.command, offer.first, offer.count);
    if (!queued)
        send_locked(ps, &ps->request, &ps->request_busy);
    if (!ps->request_busy)
        page_source_taken(&ps->source); /* the port is closed: as if it had been read */
    return false;
}

static void pager_tell(struct page_source *source) {
    struct pager_source *ps = pager_source_from(source);
    mutex_lock(&ps->port->lock);
    bool left_over = tell_locked(ps);
    mutex_unlock(&ps->port->lock);
    if (left_over)
        page_source_unref(source);
}

static void release(struct pager_source *ps, bool *busy) {
    MUTEX_GUARD(&ps->port->lock);
    *busy = false;
}

static void request_released(struct packet *packet) {
    struct pager_source *ps = container_of(packet, struct pager_source, request);
    page_source_taken(&ps->source);
    release(ps, &ps->request_busy);
    pager_tell(&ps->source);
    page_source_unref(&ps->source);
}

/* The pager has nothing more to take back: the object is gone, and COMPLETE is not in the port. */
static void unlink_if_gone(struct pager_source *ps) {
    MUTEX_GUARD(&ps->pager->base.own_lock);
    if (!ps->vmo && list_node_is_linked(&ps->link))
        list_remove(&ps->link);
}

static void complete_released(struct packet *packet) {
    struct pager_source *ps = container_of(packet, struct pager_source, complete);
    release(ps, &ps->complete_busy);
    unlink_if_gone(ps);
    page_source_unref(&ps->source);
}

static const struct kept_packet_ops request_ops = {.released = request_released};
static const struct kept_packet_ops complete_ops = {.released = complete_released};

/* The last packet: nothing comes after it. Returns how many references are left over. */
static unsigned send_complete_locked(struct pager_source *ps) REQUIRES(ps->port->lock) {
    if (ps->silent || ps->complete_sent)
        return 0;
    unsigned left_over = withdraw_locked(ps, &ps->request, &ps->request_busy);
    ps->complete_sent = true;
    ps->complete.content = packet_of(ps, ZX_PAGER_VMO_COMPLETE, 0, 0);
    send_locked(ps, &ps->complete, &ps->complete_busy);
    return left_over;
}

static void send_complete(struct pager_source *ps) {
    mutex_lock(&ps->port->lock);
    unsigned left_over = send_complete_locked(ps);
    mutex_unlock(&ps->port->lock);
    while (left_over-- > 0)
        page_source_unref(&ps->source);
}

/* ---- Life of a source ---- */

static void forget_vmo(struct pager_source *ps) {
    MUTEX_GUARD(&ps->pager->base.own_lock);
    ps->vmo = NULL;
}

static bool complete_is_busy(struct pager_source *ps) {
    MUTEX_GUARD(&ps->port->lock);
    return ps->complete_busy;
}

/*
 * A pager that closes takes COMPLETE along, so its source stays linked while that is queued.
 * Whoever comes last unlinks it: here vmo is NULL before complete_busy is looked at, and
 * complete_released looks at vmo when complete_busy is false.
 */
static void pager_vmo_gone(struct page_source *source) {
    struct pager_source *ps = pager_source_from(source);
    forget_vmo(ps);
    send_complete(ps);
    if (!complete_is_busy(ps))
        unlink_if_gone(ps);
}

static void pager_source_destroy(struct page_source *source) {
    struct pager_source *ps = pager_source_from(source);
    waitable_unref(&ps->port->base);
    waitable_unref(&ps->pager->base);
    kheap_free_sized(ps, sizeof(*ps));
}

static const struct page_source_ops source_ops = {
    .tell = pager_tell,
    .vmo_gone = pager_vmo_gone,
    .destroy = pager_source_destroy,
};

static status_t link_source(struct pager *pager, struct pager_source *ps, struct vmo *vmo) {
    MUTEX_GUARD(&pager->base.own_lock);
    if (pager->closed)
        return ERR_BAD_STATE;
    list_add_tail(&pager->sources, &ps->link);
    ps->vmo = vmo;
    return OK;
}

static struct pager_source *source_create(struct pager *pager, struct port *port, uint64_t key,
                                          bool trap_dirty) {
    struct pager_source *ps = kheap_zalloc(sizeof(*ps));
    if (!ps)
        return NULL;
    page_source_init(&ps->source, &source_ops, trap_dirty);
    ps->pager = pager;
    ps->port = port;
    ps->key = key;
    ps->request.kept = &request_ops;
    ps->complete.kept = &complete_ops;
    waitable_ref(&pager->base);
    waitable_ref(&port->base);
    return ps;
}

/* ---- The pager ---- */

status_t pager_create_vmo(struct pager *pager, uint64_t size, bool resizable, bool trap_dirty,
                          struct port *port, uint64_t key, struct vmo **out_vmo) {
    struct pager_source *ps = source_create(pager, port, key, trap_dirty);
    if (!ps)
        return ERR_NO_MEMORY;
    struct vmo *vmo;
    status_t status = vmo_create_pager(size, resizable, &ps->source, &vmo);
    if (status != OK) {
        page_source_unref(&ps->source);
        return status;
    }
    status = link_source(pager, ps, vmo);
    if (status == OK) {
        *out_vmo = vmo;
        return OK;
    }
    ps->silent = true; /* nobody has seen it yet */
    vmo_unref(vmo);
    return status;
}

bool pager_owns(const struct pager *pager, const struct vmo *vmo) {
    return vmo->source && pager_source_from(vmo->source)->pager == pager;
}

void pager_detach(struct pager *pager, struct vmo *vmo) {
    vmo_detach(vmo);
    send_complete(pager_source_from(vmo->source));
}

/* Everything of it leaves the port, and nothing comes any more. */
static void silence(struct pager_source *ps) {
    mutex_lock(&ps->port->lock);
    unsigned left_over = withdraw_locked(ps, &ps->request, &ps->request_busy);
    left_over += withdraw_locked(ps, &ps->complete, &ps->complete_busy);
    ps->silent = true;
    mutex_unlock(&ps->port->lock);
    while (left_over-- > 0)
        page_source_unref(&ps->source);
}

/* The next source off the list, with a reference, and its object if that lives. */
static struct pager_source *take_source(struct pager *pager, struct vmo **out_vmo) {
    MUTEX_GUARD(&pager->base.own_lock);
    pager->closed = true;
    struct pager_source *ps = list_pop_entry(&pager->sources, struct pager_source, link);
    if (!ps)
        return NULL;
    page_source_ref(&ps->source); /* while linked its object or its packet holds it */
    *out_vmo = ps->vmo && ref_try_get(&ps->vmo->base.refs) ? ps->vmo : NULL;
    return ps;
}

static void pager_on_zero_handles(struct waitable *object) {
    struct pager_source *ps;
    struct vmo *vmo;
    while ((ps = take_source(pager_from(object), &vmo))) {
        silence(ps);
        if (vmo) {
            vmo_detach(vmo);
            vmo_unref(vmo);
        }
        page_source_unref(&ps->source);
    }
}

static void pager_destroy(struct waitable *object) {
    struct pager *pager = pager_from(object);
    kheap_free_sized(pager, sizeof(*pager));
}

static const struct waitable_ops pager_ops = {
    .name = "pager",
    .type = ZX_OBJ_TYPE_PAGER,
    .default_rights = ZX_DEFAULT_PAGER_RIGHTS,
    .destroy = pager_destroy,
    .on_zero_handles = pager_on_zero_handles,
};

status_t pager_create(struct pager **out_pager) {
    struct pager *pager = kheap_zalloc(sizeof(*pager));
    if (!pager)
        return ERR_NO_MEMORY;
    waitable_init(&pager->base, &pager_ops, 0);
    list_init(&pager->sources);
    *out_pager = pager;
    return OK;
}
