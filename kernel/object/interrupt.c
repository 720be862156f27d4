/*
 * interrupt.c - interrupts; see interrupt.h.
 */
#include "object/interrupt.h"

#include "sched/park.h"
#include "vm/kheap.h"

/* A thread in interrupt_wait, on its stack. Under the interrupt's lock. */
struct interrupt_waiter {
    struct parker parker;
    nstime_t timestamp; /* the waker's */
};

/* ---- Coming ---- */

static void make_pending_locked(struct interrupt *interrupt, nstime_t timestamp)
    REQUIRES(interrupt->lock) {
    if (!interrupt->pending)
        interrupt->timestamp = timestamp;
    interrupt->pending = true;
}

/* Tell the waiter, or leave it pending. */
static void interrupt_come(struct interrupt *interrupt, nstime_t timestamp) {
    SPIN_GUARD(&interrupt->lock);
    struct interrupt_waiter *waiter = interrupt->waiter;

    if (!waiter) {
        make_pending_locked(interrupt, timestamp);
        return;
    }
    interrupt->waiter = NULL;
    waiter->timestamp = timestamp;
    thread_unpark(&waiter->parker, OK);
}

static bool take_pending_locked(struct interrupt *interrupt, nstime_t *out_timestamp)
    REQUIRES(interrupt->lock) {
    bool was_pending = interrupt->pending;

    interrupt->pending = false;
    *out_timestamp = interrupt->timestamp;
    return was_pending;
}

static bool take_pending(struct interrupt *interrupt, nstime_t *out_timestamp) {
    SPIN_GUARD(&interrupt->lock);

    return take_pending_locked(interrupt, out_timestamp);
}

/* ---- To a port ---- */

static void send_packet_locked(struct interrupt *interrupt, nstime_t timestamp)
    REQUIRES(*interrupt->base.lock) {
    struct port *port = interrupt->port;
    MUTEX_GUARD(&port->lock);

    interrupt->needs_ack = true;
    interrupt->packet.content = (zx_port_packet_t){
        .key = interrupt->key,
        .type = ZX_PKT_TYPE_INTERRUPT,
        .interrupt = {.timestamp = timestamp},
    };
    waitable_ref(&interrupt->base);
    interrupt->packet_busy = port_queue_kept_locked(port, &interrupt->packet);
    if (!interrupt->packet_busy) {
        bool last = ref_put(&interrupt->base.refs); /* nobody will read it; the caller has one */
        ASSERT(!last);
    }
}

/* What is pending becomes a packet, if the port may have one now. */
static void deliver_locked(struct interrupt *interrupt) REQUIRES(*interrupt->base.lock) {
    nstime_t timestamp;

    if (!interrupt->port || interrupt->destroyed || interrupt->needs_ack || interrupt->packet_busy)
        return;
    if (take_pending(interrupt, &timestamp))
        send_packet_locked(interrupt, timestamp);
}

/* True if the packet left the port unread: its reference is the caller's then. */
static bool withdraw_locked(struct interrupt *interrupt) REQUIRES(*interrupt->base.lock) {
    struct port *port = interrupt->port;
    MUTEX_GUARD(&port->lock);

    if (!interrupt->packet_busy || !port_packet_is_queued_locked(port, &interrupt->packet))
        return false;
    port_take_back_locked(port, &interrupt->packet);
    interrupt->packet_busy = false;
    return true;
}

static void packet_is_free(struct interrupt *interrupt) {
    MUTEX_GUARD(interrupt->base.lock);

    interrupt->packet_busy = false;
    deliver_locked(interrupt);
}

static void packet_released(struct packet *packet) {
    struct interrupt *interrupt = container_of(packet, struct interrupt, packet);

    packet_is_free(interrupt);
    waitable_unref(&interrupt->base);
}

static const struct kept_packet_ops packet_ops = {.released = packet_released, .is_urgent = true};

/* ---- What user code asks for ---- */

status_t interrupt_trigger(struct interrupt *interrupt, nstime_t timestamp) {
    MUTEX_GUARD(interrupt->base.lock);

    if (interrupt->destroyed)
        return ERR_CANCELED;
    interrupt_come(interrupt, timestamp);
    deliver_locked(interrupt);
    return OK;
}

/* ERR_INTERNAL_RETRY: the waiter is linked. */
static status_t wait_begin(struct interrupt *interrupt, struct interrupt_waiter *waiter) {
    SPIN_GUARD(&interrupt->lock);

    if (interrupt->port)
        return ERR_BAD_STATE;
    if (interrupt->destroyed)
        return ERR_CANCELED;
    if (interrupt->waiter)
        return ERR_BAD_STATE;
    if (take_pending_locked(interrupt, &waiter->timestamp))
        return OK;
    interrupt->waiter = waiter;
    return ERR_INTERNAL_RETRY;
}

/* After the park: the waker's word, if there was one. */
static status_t wait_end(struct interrupt *interrupt, struct interrupt_waiter *waiter,
                         status_t status) {
    SPIN_GUARD(&interrupt->lock);

    if (interrupt->waiter != waiter)
        return parker_status(&waiter->parker);
    interrupt->waiter = NULL;
    return status;
}

status_t interrupt_wait(struct interrupt *interrupt, nstime_t *out_timestamp) {
    struct interrupt_waiter waiter = {.timestamp = 0};

    park_prepare(&waiter.parker);
    status_t status = wait_begin(interrupt, &waiter);
    if (status == ERR_INTERNAL_RETRY) {
        status = thread_park(&waiter.parker, TIME_INFINITE, PARK_KILLABLE, BLOCK_INTERRUPT);
        status = wait_end(interrupt, &waiter, status);
    }
    *out_timestamp = waiter.timestamp;
    return status;
}

static status_t take_port_locked(struct interrupt *interrupt, struct port *port, uint64_t key)
    REQUIRES(*interrupt->base.lock) {
    SPIN_GUARD(&interrupt->lock);

    if (interrupt->destroyed)
        return ERR_CANCELED;
    if (interrupt->waiter)
        return ERR_BAD_STATE;
    if (interrupt->port)
        return ERR_ALREADY_BOUND;
    waitable_ref(&port->base);
    interrupt->port = port;
    interrupt->key = key;
    interrupt->needs_ack = false;
    return OK;
}

status_t interrupt_bind(struct interrupt *interrupt, struct port *port, uint64_t key) {
    MUTEX_GUARD(interrupt->base.lock);

    status_t status = take_port_locked(interrupt, port, key);
    if (status == OK)
        deliver_locked(interrupt);
    return status;
}

/* The port's reference is the caller's. What was not read is pending again, as the first. */
static void leave_port_locked(struct interrupt *interrupt, bool unread)
    REQUIRES(*interrupt->base.lock) {
    SPIN_GUARD(&interrupt->lock);

    interrupt->port = NULL;
    if (!unread)
        return;
    interrupt->pending = true;
    interrupt->timestamp = interrupt->packet.content.interrupt.timestamp;
}

static status_t unbind(struct interrupt *interrupt, struct port *port, bool *out_unread) {
    MUTEX_GUARD(interrupt->base.lock);

    if (interrupt->port != port)
        return ERR_NOT_FOUND;
    if (interrupt->destroyed)
        return ERR_CANCELED;
    *out_unread = withdraw_locked(interrupt);
    leave_port_locked(interrupt, *out_unread);
    return OK;
}

status_t interrupt_unbind(struct interrupt *interrupt, struct port *port) {
    bool unread;

    status_t status = unbind(interrupt, port, &unread);
    if (status != OK)
        return status;
    waitable_unref(&port->base);
    if (unread)
        waitable_unref(&interrupt->base); /* the packet's */
    return OK;
}

status_t interrupt_ack(struct interrupt *interrupt) {
    MUTEX_GUARD(interrupt->base.lock);

    if (!interrupt->port)
        return ERR_BAD_STATE;
    if (interrupt->destroyed)
        return ERR_CANCELED;
    interrupt->needs_ack = false;
    deliver_locked(interrupt);
    return OK;
}

/* ---- Life ---- */

/* False: it was so before. */
static bool set_destroyed_locked(struct interrupt *interrupt) REQUIRES(*interrupt->base.lock) {
    SPIN_GUARD(&interrupt->lock);
    struct interrupt_waiter *waiter = interrupt->waiter;

    if (interrupt->destroyed)
        return false;
    interrupt->destroyed = true;
    interrupt->waiter = NULL;
    if (waiter)
        thread_unpark(&waiter->parker, ERR_CANCELED);
    return true;
}

static status_t end(struct interrupt *interrupt, bool *out_unread) {
    MUTEX_GUARD(interrupt->base.lock);

    *out_unread = false;
    if (!set_destroyed_locked(interrupt) || !interrupt->port)
        return OK;
    *out_unread = withdraw_locked(interrupt);
    return interrupt->needs_ack && !*out_unread ? ERR_NOT_FOUND : OK;
}

status_t interrupt_end(struct interrupt *interrupt) {
    bool unread;

    status_t status = end(interrupt, &unread);
    if (unread)
        waitable_unref(&interrupt->base);
    return status;
}

static void interrupt_on_zero_handles(struct waitable *object) {
    (void)interrupt_end(interrupt_from(object));
}

static void interrupt_destroy(struct waitable *object) {
    struct interrupt *interrupt = interrupt_from(object);

    if (interrupt->port)
        waitable_unref(&interrupt->port->base);
    kheap_free_sized(interrupt, sizeof(*interrupt));
}

static const struct waitable_ops interrupt_ops = {
    .name = "interrupt",
    .type = ZX_OBJ_TYPE_INTERRUPT,
    .default_rights = ZX_DEFAULT_INTERRUPT_RIGHTS,
    .destroy = interrupt_destroy,
    .on_zero_handles = interrupt_on_zero_handles,
};

status_t interrupt_create_virtual(struct interrupt **out_interrupt) {
    struct interrupt *interrupt = kheap_zalloc(sizeof(*interrupt));

    if (!interrupt)
        return ERR_NO_MEMORY;
    waitable_init(&interrupt->base, &interrupt_ops, 0);
    spinlock_init(&interrupt->lock, RANK_IRQ, "interrupt");
    interrupt->packet.kept = &packet_ops;
    *out_interrupt = interrupt;
    return OK;
}
