/*
 * interrupt.h - an interrupt as user code sees it: a thread waits for it, or a port gets
 * a packet.
 *
 * An interrupt that came and that nobody was told of is pending; those that come until
 * somebody is told count as one, with the time of the first. Bound to a port it becomes
 * a packet, and the next one only after an acknowledgement. What an unbound port gives
 * back unread is pending again.
 *
 * Interrupts come in any context, so what they touch is under a spinlock; delivery to a
 * port needs mutexes. Lock order: base.lock, the port's lock, then `lock`.
 *
 * A real interrupt comes from a line or as a message (arch/irq.h). Where it can be masked and
 * would otherwise come again at once, it stays masked from its coming until its driver asks
 * for the next one: it waits, acknowledges, or binds.
 */
#pragma once

#include "arch/irq.h"
#include "object/deferred.h"
#include "object/port.h"

struct interrupt;
/* Where real interrupts come from. */
struct interrupt_source {
    /* Under the interrupt's lock. NULL: it never masks. */
    void (*mask)(struct interrupt *interrupt, bool masked);
    /* No lock held, after the irq was closed: let go of what source_data is. May be NULL. */
    void (*release)(struct interrupt *interrupt);
};

struct interrupt_waiter;
struct interrupt {
    struct waitable base;
    /* Set once. */
    const struct interrupt_source *source; /* NULL: virtual */
    void *source_data;
    struct deferred deferred; /* delivery to a port; with a reference while it is queued */
    struct irq irq;           /* open until it is destroyed */
    struct spinlock lock; /* RANK_IRQ */
    /* Under lock. */
    bool pending;
    bool masked;          /* until somebody asks for the next one */
    nstime_t timestamp;   /* of the first that is pending */
    struct interrupt_waiter *waiter;
    /* Written under base.lock and lock, so either is enough to read. */
    struct port *port;    /* referenced; NULL: not bound */
    bool destroyed;
    /* Under base.lock. */
    uint64_t key;
    bool needs_ack;       /* the port was told */
    bool packet_busy;     /* queued, or in a thread's hands: holds a reference */
    struct packet packet;
};

ALWAYS_INLINE struct interrupt *interrupt_from(struct waitable *object) {
    return container_of(object, struct interrupt, base);
}
status_t interrupt_create_virtual(struct interrupt **out_interrupt);
/*
 * A line's, with options of zx_interrupt_create. ERR_INVALID_ARGS: options, or there is no such
 * line; ERR_ALREADY_BOUND: it has an owner; ERR_NO_RESOURCES, ERR_NO_MEMORY.
 */
status_t interrupt_create_line(uint32_t line, uint32_t options, struct interrupt **out_interrupt);
/* For other sources: one whose irq is yet to be opened; then interrupt_end closes it. */
status_t interrupt_create_real(const struct interrupt_source *source, void *source_data,
                               struct interrupt **out_interrupt);
/* As if the hardware did it at that time. ERR_BAD_STATE not virtual, ERR_CANCELED destroyed. */
status_t interrupt_trigger(struct interrupt *interrupt, nstime_t timestamp);
/* ERR_BAD_STATE bound, or another thread waits; ERR_CANCELED destroyed; ERR_INTERNAL_*. */
status_t interrupt_wait(struct interrupt *interrupt, nstime_t *out_timestamp);
/* ERR_CANCELED destroyed, ERR_BAD_STATE a thread waits, ERR_ALREADY_BOUND. */
status_t interrupt_bind(struct interrupt *interrupt, struct port *port, uint64_t key);
/* ERR_NOT_FOUND not bound to this port, ERR_CANCELED destroyed. */
status_t interrupt_unbind(struct interrupt *interrupt, struct port *port);
/* ERR_BAD_STATE not bound, ERR_CANCELED destroyed. */
status_t interrupt_ack(struct interrupt *interrupt);
/* ERR_NOT_FOUND: done, but a packet of it was taken and not acknowledged. */
status_t interrupt_end(struct interrupt *interrupt);
