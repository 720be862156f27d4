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
 */
#pragma once

#include "object/port.h"

struct interrupt_waiter;
struct interrupt {
    struct waitable base;
    struct spinlock lock; /* RANK_IRQ */
    /* Under lock. */
    bool pending;
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
/* As if the hardware did it at that time. ERR_CANCELED destroyed. */
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
