/*
 * port.h - a queue of packets: those that user code puts in, and one for each
 * asynchronous wait that came true.
 *
 * A registration (struct async_wait) contains its packet, so that firing never
 * allocates. It is on its object's list while it waits, and on its port's list as
 * long as it exists there. Firing, cancelling and closing a handle hold the
 * object's lock, then take the port's. Closing the port detaches one registration
 * at a time: it takes the object's reference over, drops the port's lock, and
 * unlinks the registration under the object's lock.
 */
#pragma once

#include <zircon/syscalls/port.h>

#include "object/handle_table.h"

/* User packets that may wait in one port; then ERR_SHOULD_WAIT. */
#define PORT_USER_PACKETS_MAX 2048u
/* Registrations and their packets in one port; then ERR_NO_RESOURCES. */
#define PORT_ASYNC_WAITS_MAX 65536u

struct packet;
/* Of a packet that another object keeps and uses again and again (a kept packet). */
struct kept_packet_ops {
    /* A thread has its content, or the port is closed: it may be used again. No lock held. */
    void (*released)(struct packet *packet);
    bool is_urgent; /* it goes before all that are not */
};
struct packet {
    struct list_node node;            /* in one of the port's two queues */
    zx_port_packet_t content;
    struct async_wait *owner;         /* a registration's; NULL: a user's block, or kept */
    const struct kept_packet_ops *kept; /* NULL: not kept */
};

struct port {
    struct waitable base;
    uint32_t options;         /* set once */
    struct mutex lock;        /* RANK_PORT */
    /* Under lock. */
    struct list urgent;       /* struct packet, oldest first: these before all others */
    struct list packets;      /* the others, oldest first */
    struct list waiters;      /* threads in port_wait, oldest first */
    struct list async_waits;  /* all registrations, waiting or queued */
    uint32_t user_count, async_count;
    bool closed;              /* no handle is left */
};

ALWAYS_INLINE struct port *port_from(struct waitable *object) {
    return container_of(object, struct port, base);
}

struct port_counts {
    uint32_t packets, waits, threads; /* queued; registrations that wait; in port_wait */
};
/* Walks the lists. */
struct port_counts port_counts(struct port *port);
status_t port_create(uint32_t options, struct port **out_port);
/* A copy of *packet, made a user's. ERR_SHOULD_WAIT, ERR_NO_MEMORY, ERR_BAD_HANDLE (closed). */
status_t port_queue(struct port *port, const zx_port_packet_t *packet);
/*
 * Put a kept packet, which is in no port, into this one; false: the port is closed.
 * From then on until `released` its keeper touches it only to change its content, or
 * to take it back, while it is still queued.
 */
bool port_queue_kept_locked(struct port *port, struct packet *packet) REQUIRES(port->lock);
ALWAYS_INLINE bool port_packet_is_queued_locked(struct port *port, const struct packet *packet)
    REQUIRES(port->lock) {
    return list_node_is_linked(&packet->node) && !port->closed;
}
void port_take_back_locked(struct port *port, struct packet *packet) REQUIRES(port->lock);
/* ERR_TIMED_OUT, ERR_CANCELED (the last handle went), ERR_INTERNAL_*. */
status_t port_wait(struct port *port, nstime_t deadline, zx_port_packet_t *out_packet);
/*
 * Wait through a handle on behalf of the port. ERR_BAD_HANDLE, ERR_ACCESS_DENIED,
 * ERR_NOT_SUPPORTED, ERR_INVALID_ARGS (options), ERR_NO_RESOURCES, ERR_NO_MEMORY.
 */
status_t port_wait_async(struct port *port, struct handle_table *table, uint32_t source,
                         uint64_t key, signals_t wanted, uint32_t options);
/* ERR_BAD_HANDLE, ERR_ACCESS_DENIED, ERR_NOT_SUPPORTED; ERR_NOT_FOUND if there was nothing. */
status_t port_cancel(struct port *port, struct handle_table *table, uint32_t source,
                     uint64_t key);
