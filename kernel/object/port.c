/*
 * port.c - packets, waiters, registrations.
 */
#include "object/port.h"

#include "arch/clock.h"
#include "object/channel.h"
#include "object/wait.h"
#include "sched/park.h"
#include "vm/kheap.h"

struct async_wait {
    struct observer observer; /* its lists: under the object's lock */
    struct port *port;        /* set once; not a reference, see port_destroy */
    uint64_t key;
    bool wants_timestamp;
    /*
     * Two at most: the object's list with whoever is firing, and the port's list.
     * The last to drop it frees the block.
     */
    struct ref refs;
    /* Under the port's lock. */
    struct list_node port_node;  /* in port->async_waits */
    struct waitable *object;     /* referenced while it waits, else NULL */
    struct packet packet;
};

/* A thread in port_wait, on its stack. Under the port's lock. */
struct port_waiter {
    struct list_node node;
    struct parker parker;
    struct packet *packet;
};

static void async_wait_unref(struct async_wait *wait) {
    if (ref_put(&wait->refs))
        kheap_free_sized(wait, sizeof(*wait));
}

/* ---- packets ---- */

/* The packet has left its port. */
static void packet_free(struct packet *packet) {
    if (packet->owner)
        async_wait_unref(packet->owner);
    else if (packet->kept)
        packet->kept->released(packet);
    else
        kheap_free_sized(packet, sizeof(*packet));
}

/* The packet leaves the port; with a registration's packet goes the port's reference to it. */
static void packet_uncount_locked(struct port *port, struct packet *packet)
    REQUIRES(port->lock) {
    if (!packet->owner) {
        port->user_count -= !packet->kept;
        return;
    }
    list_remove(&packet->owner->port_node);
    port->async_count--;
}

/* To the oldest waiter, else to the end of its queue. */
static void packet_append_locked(struct port *port, struct packet *packet) REQUIRES(port->lock) {
    struct port_waiter *waiter = list_pop_entry(&port->waiters, struct port_waiter, node);

    if (!waiter) {
        bool is_urgent = packet->kept && packet->kept->is_urgent;
        list_add_tail(is_urgent ? &port->urgent : &port->packets, &packet->node);
        return;
    }
    packet_uncount_locked(port, packet);
    waiter->packet = packet;
    thread_unpark(&waiter->parker, OK);
}

bool port_queue_kept_locked(struct port *port, struct packet *packet) {
    if (!port->closed)
        packet_append_locked(port, packet);
    return !port->closed;
}

void port_take_back_locked(struct port *port, struct packet *packet) {
    list_remove(&packet->node);
}

status_t port_queue(struct port *port, const zx_port_packet_t *content) {
    struct packet *packet = kheap_alloc(sizeof(*packet));
    status_t status = OK;

    if (!packet)
        return ERR_NO_MEMORY;
    *packet = (struct packet){.content = *content};
    packet->content.type = ZX_PKT_TYPE_USER;
    mutex_lock(&port->lock);
    if (port->closed) {
        status = ERR_BAD_HANDLE;
    } else if (port->user_count == PORT_USER_PACKETS_MAX) {
        status = ERR_SHOULD_WAIT;
    } else {
        port->user_count++;
        packet_append_locked(port, packet);
    }
    mutex_unlock(&port->lock);
    if (status != OK)
        kheap_free(packet);
    return status;
}

/* ---- taking packets ---- */

/* A packet, or the waiter is linked (*out_packet is NULL). */
static status_t wait_begin(struct port *port, struct port_waiter *waiter,
                           struct packet **out_packet) {
    MUTEX_GUARD(&port->lock);

    if (port->closed)
        return ERR_CANCELED;
    struct packet *packet = list_pop_entry(&port->urgent, struct packet, node);
    if (likely(!packet))
        packet = list_pop_entry(&port->packets, struct packet, node);
    if (packet)
        packet_uncount_locked(port, packet);
    else
        list_add_tail(&port->waiters, &waiter->node);
    *out_packet = packet;
    return OK;
}

/* After the park: the packet that a waker left, if one did. */
static struct packet *wait_end(struct port *port, struct port_waiter *waiter) {
    MUTEX_GUARD(&port->lock);

    if (list_node_is_linked(&waiter->node))
        list_remove(&waiter->node);
    return waiter->packet;
}

status_t port_wait(struct port *port, nstime_t deadline, zx_port_packet_t *out_packet) {
    struct port_waiter waiter = {.packet = NULL};
    struct packet *packet;

    park_prepare_for(&waiter.parker, port->base.koid);
    status_t status = wait_begin(port, &waiter, &packet);
    if (status != OK)
        return status;
    if (!packet) {
        status = thread_park(&waiter.parker, deadline, PARK_KILLABLE, BLOCK_PORT);
        packet = wait_end(port, &waiter);
    }
    if (!packet)
        return status;
    *out_packet = packet->content;
    packet_free(packet);
    return OK;
}

/* ---- registrations ---- */

static void async_wait_fill(struct async_wait *wait, signals_t observed) {
    struct waitable *object = wait->observer.object;
    uint64_t count = 1;

    if (object->ops->type == ZX_OBJ_TYPE_CHANNEL && (observed & ZX_CHANNEL_READABLE)) {
        struct channel *channel = channel_from(object);
        mutex_guarded(channel->end.base.lock);
        count = MAX(channel_pending_locked(channel), 1u);
    }
    wait->packet.content = (zx_port_packet_t){
        .key = wait->key,
        .type = ZX_PKT_TYPE_SIGNAL_ONE,
        .status = OK,
        .signal = {.trigger = wait->observer.wanted,
                   .observed = observed,
                   .count = count,
                   .timestamp = wait->wants_timestamp ? (uint64_t)clock_now() : 0},
    };
}

/*
 * The wait is over: its packet goes into the port, or, cancelled, it leaves the
 * port; that too if the port is closed, whose packets nobody would take out any more.
 * False if the port has already let go of it and drops the object itself.
 */
static bool async_wait_finish(struct async_wait *wait, bool canceled) {
    struct port *port = wait->port;
    MUTEX_GUARD(&port->lock);

    if (!wait->object)
        return false;
    wait->object = NULL;
    if (!canceled && !port->closed) {
        packet_append_locked(port, &wait->packet);
        return true;
    }
    list_remove(&wait->port_node);
    port->async_count--;
    async_wait_unref(wait); /* the port's; the caller has another */
    return true;
}

/*
 * Under the object's lock. Whoever changes an object's signals has a reference to
 * it, so the one dropped here is never the last.
 */
static void async_wait_fire(struct observer *observer, signals_t observed, bool canceled) {
    struct async_wait *wait = container_of(observer, struct async_wait, observer);
    struct waitable *object = observer->object;

    if (!canceled)
        async_wait_fill(wait, observed);
    if (async_wait_finish(wait, canceled)) {
        bool last = ref_put(&object->refs);
        ASSERT(!last);
    }
    async_wait_unref(wait);
}

static status_t async_wait_join_port(struct async_wait *wait, struct waitable *object) {
    struct port *port = wait->port;
    MUTEX_GUARD(&port->lock);

    if (port->closed)
        return ERR_BAD_HANDLE;
    if (port->async_count == PORT_ASYNC_WAITS_MAX)
        return ERR_NO_RESOURCES;
    waitable_ref(object);
    wait->object = object;
    list_add_tail(&port->async_waits, &wait->port_node);
    port->async_count++;
    ref_get(&wait->refs);
    return OK;
}

static status_t async_wait_link(struct async_wait *wait, struct waitable *object) {
    MUTEX_GUARD(object->lock);

    status_t status = async_wait_join_port(wait, object);
    if (status == OK)
        waitable_observe_locked(object, &wait->observer);
    return status;
}

/* Links while the handle is in the table, so its close finds the registration (P55). */
static status_t async_wait_begin(struct async_wait *wait, struct handle_table *table,
                                 uint32_t source, uint32_t options) {
    MUTEX_GUARD(&table->lock);
    struct waitable *object;

    status_t status = wait_find_locked(table, source, &object);
    if (status != OK)
        return status;
    if (options & ~(ZX_WAIT_ASYNC_TIMESTAMP | ZX_WAIT_ASYNC_EDGE))
        return ERR_INVALID_ARGS;
    return async_wait_link(wait, object);
}

status_t port_wait_async(struct port *port, struct handle_table *table, uint32_t source,
                         uint64_t key, signals_t wanted, uint32_t options) {
    struct async_wait *wait = kheap_alloc(sizeof(*wait));

    if (!wait)
        return ERR_NO_MEMORY;
    *wait = (struct async_wait){
        .observer = {.wanted = wanted,
                     .edge = options & ZX_WAIT_ASYNC_EDGE,
                     .table = table,
                     .handle_value = source,
                     .fire = async_wait_fire},
        .port = port,
        .key = key,
        .wants_timestamp = options & ZX_WAIT_ASYNC_TIMESTAMP,
        .packet = {.owner = wait},
    };
    ref_init(&wait->refs);
    status_t status = async_wait_begin(wait, table, source, options);
    if (status != OK)
        kheap_free(wait);
    return status;
}

/* ---- cancelling by key ---- */

static bool async_wait_matches(const struct async_wait *wait, const struct handle_table *table,
                               uint32_t source, uint64_t key) {
    return wait->key == key && wait->observer.handle_value == source &&
           wait->observer.table == table;
}

/* Under the object's lock: take `wait` off the port and off the object. */
static void async_wait_drop_locked(struct port *port, struct async_wait *wait)
    REQUIRES(port->lock) {
    struct waitable *object = wait->object;

    list_remove(&wait->port_node);
    port->async_count--;
    if (object) {
        mutex_guarded(object->lock);
        waitable_unobserve_locked(object, &wait->observer);
        wait->object = NULL;
        bool last = ref_put(&object->refs) || ref_put(&wait->refs);
        ASSERT(!last); /* the caller has the object, the port has the wait */
    } else {
        list_remove(&wait->packet.node);
    }
    async_wait_unref(wait);
}

static status_t cancel_matching(struct port *port, struct waitable *object,
                                const struct handle_table *table, uint32_t source, uint64_t key) {
    bool found = false;
    MUTEX_GUARD(&port->lock);

    list_for_each_safe(node, &port->async_waits) {
        struct async_wait *wait = list_entry(node, struct async_wait, port_node);
        if (!async_wait_matches(wait, table, source, key))
            continue;
        ASSERT(!wait->object || wait->object == object);
        async_wait_drop_locked(port, wait);
        found = true;
    }
    return found ? OK : ERR_NOT_FOUND;
}

static status_t cancel_object(struct port *port, struct waitable *object,
                              const struct handle_table *table, uint32_t source, uint64_t key) {
    MUTEX_GUARD(object->lock);

    return cancel_matching(port, object, table, source, key);
}

/* The table's lock keeps the handle, and with it the object, while both are needed. */
status_t port_cancel(struct port *port, struct handle_table *table, uint32_t source,
                     uint64_t key) {
    MUTEX_GUARD(&table->lock);
    struct waitable *object;

    status_t status = wait_find_locked(table, source, &object);
    if (status != OK)
        return status;
    return cancel_object(port, object, table, source, key);
}

struct port_counts port_counts(struct port *port) {
    struct port_counts counts = {};
    MUTEX_GUARD(&port->lock);

    list_for_each(urgent_node, &port->urgent)
        counts.packets++;
    list_for_each(node, &port->packets)
        counts.packets++;
    list_for_each(wait_node, &port->async_waits)
        counts.waits += list_entry(wait_node, struct async_wait, port_node)->object != NULL;
    list_for_each(waiter_node, &port->waiters)
        counts.threads++;
    return counts;
}

/* ---- life ---- */

/* One registration that waits, off the port, with its object's reference; NULL: no more. */
static struct async_wait *detach_one(struct port *port, struct waitable **out_object) {
    MUTEX_GUARD(&port->lock);
    struct async_wait *wait = list_pop_entry(&port->async_waits, struct async_wait, port_node);

    if (!wait)
        return NULL;
    port->async_count--;
    *out_object = wait->object;
    wait->object = NULL;
    return wait;
}

/* True if it was still on the object's list. */
static bool unlink_from_object(struct waitable *object, struct async_wait *wait) {
    MUTEX_GUARD(object->lock);

    return waitable_unobserve_locked(object, &wait->observer);
}

static void port_close_begin(struct port *port, struct list *out_packets) {
    struct port_waiter *waiter;
    MUTEX_GUARD(&port->lock);

    port->closed = true;
    while ((waiter = list_pop_entry(&port->waiters, struct port_waiter, node)))
        thread_unpark(&waiter->parker, ERR_CANCELED);
    list_splice_tail(out_packets, &port->urgent);
    list_splice_tail(out_packets, &port->packets);
    list_for_each(node, out_packets)
        packet_uncount_locked(port, list_entry(node, struct packet, node));
}

static void port_on_zero_handles(struct waitable *object) {
    struct port *port = port_from(object);
    struct waitable *source;
    struct async_wait *wait;
    struct packet *packet;
    struct list packets;

    list_init(&packets);
    port_close_begin(port, &packets);
    while ((packet = list_pop_entry(&packets, struct packet, node)))
        packet_free(packet);
    while ((wait = detach_one(port, &source))) {
        if (source && unlink_from_object(source, wait))
            async_wait_unref(wait); /* the object's */
        async_wait_unref(wait);     /* the port's */
        if (source)
            waitable_unref(source);
    }
}

/*
 * One who fires into the port has no reference to it, only the lock of the object
 * that the closing thread took to unlink the registration; or it put a packet in that
 * the closing thread took out, or took a registration away that this one did not find.
 * Its last touch of the port is the release of `lock`, which ends inside the spinlock of
 * its waiters; so passing through that spinlock is enough to know that nobody is in there.
 */
static void port_destroy(struct waitable *object) {
    struct port *port = port_from(object);

    spin_unlock(&port->lock.wait_lock, spin_lock(&port->lock.wait_lock));
    kheap_free_sized(port, sizeof(*port));
}

static const struct waitable_ops port_ops = {
    .name = "port",
    .type = ZX_OBJ_TYPE_PORT,
    .default_rights = ZX_DEFAULT_PORT_RIGHTS,
    .destroy = port_destroy,
    .on_zero_handles = port_on_zero_handles,
};

status_t port_create(uint32_t options, struct port **out_port) {
    struct port *port = kheap_zalloc(sizeof(*port));

    if (!port)
        return ERR_NO_MEMORY;
    waitable_init(&port->base, &port_ops, 0);
    mutex_init(&port->lock, RANK_PORT, "port");
    port->options = options;
    list_init(&port->urgent);
    list_init(&port->packets);
    list_init(&port->waiters);
    list_init(&port->async_waits);
    *out_port = port;
    return OK;
}
