/*
 * interrupt.c - interrupts; see interrupt.h.
 */
#include "object/interrupt.h"

#include "arch/clock.h"
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

static void set_masked_locked(struct interrupt *interrupt, bool masked)
    REQUIRES(interrupt->lock) {
    if (!interrupt->source || !interrupt->source->mask || interrupt->masked == masked)
        return;
    interrupt->masked = masked;
    interrupt->source->mask(interrupt, masked);
}

/* Tell the waiter, or leave it pending. True: a port is to be told. */
static bool interrupt_come(struct interrupt *interrupt, nstime_t timestamp) {
    SPIN_GUARD(&interrupt->lock);
    struct interrupt_waiter *waiter = interrupt->waiter;

    set_masked_locked(interrupt, true);
    if (!waiter) {
        make_pending_locked(interrupt, timestamp);
        return interrupt->port && !interrupt->destroyed;
    }
    interrupt->waiter = NULL;
    waiter->timestamp = timestamp;
    thread_unpark(&waiter->parker, OK);
    return false;
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

/* Interrupt context. Until its irq is closed an interrupt has references. */
static void interrupt_fire(struct irq *irq) {
    struct interrupt *interrupt = container_of(irq, struct interrupt, irq);

    if (!interrupt_come(interrupt, clock_now()))
        return;
    waitable_ref(&interrupt->base);
    if (!deferred_queue(&interrupt->deferred)) {
        bool last = ref_put(&interrupt->base.refs); /* the work that is queued has one */
        DEBUG_ASSERT(!last);
        (void)last;
    }
}

static void deliver(struct interrupt *interrupt) {
    MUTEX_GUARD(interrupt->base.lock);

    deliver_locked(interrupt);
}

static void interrupt_run(struct deferred *work) {
    struct interrupt *interrupt = container_of(work, struct interrupt, deferred);

    deliver(interrupt);
    waitable_unref(&interrupt->base);
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

    if (interrupt->source)
        return ERR_BAD_STATE;
    if (interrupt->destroyed)
        return ERR_CANCELED;
    (void)interrupt_come(interrupt, timestamp);
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
    set_masked_locked(interrupt, false);
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

    park_prepare_for(&waiter.parker, interrupt->base.koid);
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

/* Its port is ready for the next one, unless that is on its way. */
static void ask_for_next_locked(struct interrupt *interrupt) REQUIRES(*interrupt->base.lock) {
    SPIN_GUARD(&interrupt->lock);

    if (!interrupt->needs_ack && !interrupt->pending)
        set_masked_locked(interrupt, false);
}

status_t interrupt_bind(struct interrupt *interrupt, struct port *port, uint64_t key) {
    MUTEX_GUARD(interrupt->base.lock);

    status_t status = take_port_locked(interrupt, port, key);
    if (status == OK) {
        deliver_locked(interrupt);
        ask_for_next_locked(interrupt);
    }
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
    ask_for_next_locked(interrupt);
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
    set_masked_locked(interrupt, true);
    if (waiter)
        thread_unpark(&waiter->parker, ERR_CANCELED);
    return true;
}

static status_t end(struct interrupt *interrupt, bool *out_unread) {
    MUTEX_GUARD(interrupt->base.lock);

    *out_unread = false;
    if (!set_destroyed_locked(interrupt))
        return OK;
    if (interrupt->source)
        irq_close(&interrupt->irq);
    if (!interrupt->port)
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

    if (interrupt->source && interrupt->source->release)
        interrupt->source->release(interrupt);
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

status_t interrupt_create_real(const struct interrupt_source *source, void *source_data,
                               struct interrupt **out_interrupt) {
    struct interrupt *interrupt = kheap_zalloc(sizeof(*interrupt));

    if (!interrupt)
        return ERR_NO_MEMORY;
    waitable_init(&interrupt->base, &interrupt_ops, 0);
    spinlock_init(&interrupt->lock, RANK_IRQ, "interrupt");
    interrupt->packet.kept = &packet_ops;
    interrupt->deferred.run = interrupt_run;
    interrupt->irq.fire = interrupt_fire;
    interrupt->source = source;
    interrupt->source_data = source_data;
    *out_interrupt = interrupt;
    return OK;
}

status_t interrupt_create_virtual(struct interrupt **out_interrupt) {
    return interrupt_create_real(NULL, NULL, out_interrupt);
}

/* ---- Lines ---- */

static void mask_line(struct interrupt *interrupt, bool masked) {
    if (interrupt->irq.is_level) /* an edge that came while it is masked would be lost */
        irq_mask_line(&interrupt->irq, masked);
}

static const struct interrupt_source line_source = {.mask = mask_line};

static status_t trigger_of(uint32_t options, enum irq_trigger *out_trigger) {
    static const uint8_t triggers[] = {IRQ_DEFAULT, IRQ_EDGE_LOW, IRQ_EDGE_HIGH, IRQ_LEVEL_LOW,
                                       IRQ_LEVEL_HIGH};
    uint32_t mode = (options & ZX_INTERRUPT_MODE_MASK) / ZX_INTERRUPT_MODE_EDGE_LOW;

    if ((options & ~(ZX_INTERRUPT_MODE_MASK | ZX_INTERRUPT_REMAP_IRQ)) ||
        mode >= ARRAY_SIZE(triggers)) /* EDGE_BOTH among them: no controller does that here */
        return ERR_INVALID_ARGS;
    *out_trigger = triggers[mode];
    return OK;
}

status_t interrupt_create_line(uint32_t line, uint32_t options, struct interrupt **out_interrupt) {
    enum irq_trigger trigger;
    struct interrupt *interrupt;

    status_t status = trigger_of(options, &trigger);
    if (status == OK)
        status = interrupt_create_real(&line_source, NULL, &interrupt);
    if (status != OK)
        return status;
    if (options & ZX_INTERRUPT_REMAP_IRQ)
        line = irq_line_of_isa(line);
    status = irq_open_line(&interrupt->irq, line, trigger);
    if (status != OK) {
        waitable_unref(&interrupt->base);
        return status;
    }
    *out_interrupt = interrupt;
    return OK;
}
