/*
 * channel.c - channels.
 */
#include "object/channel.h"

#include "object/channel_nest.h"
#include "object/user_thread.h"
#include "sched/park.h"
#include "vm/kheap.h"

/* Numbers that the kernel draws have the top bit; those of user code should not. */
#define TXID_KERNEL 0x80000000u

struct channel_pair {
    struct pair pair;
    struct channel ends[2];
};

/* One thread in channel_call, on its stack. Linked under the pair's lock. */
struct caller {
    struct list_node node;    /* on channel->callers */
    struct observer observer; /* for the end of the peer, or of the handle */
    struct parker parker;
    uint32_t txid;
    struct message *reply;
    status_t status;        /* why there is none */
    struct message *doomed; /* the request, if nobody could ever read it */
};

static struct channel *channel_peer(const struct channel *channel) {
    return container_of(channel->end.peer, struct channel, end);
}

/* ---- life ---- */

static void channel_on_zero_handles(struct waitable *object) {
    struct peered *end = peered_from(object);
    MUTEX_GUARD(end->base.lock);

    peered_close_locked(end, ZX_CHANNEL_WRITABLE);
}

/* Before its memory goes, nobody's container may point here any more. */
static void unnest_all(struct channel *channel) {
    MUTEX_GUARD(&channel_nest_lock);

    list_for_each(node, &channel->messages) {
        const struct message *message = list_entry(node, struct message, node);
        if (message->carries_channels)
            channel_nest_leave(channel, message);
    }
}

static void channel_destroy(struct waitable *object) {
    struct channel *channel = channel_from(object);
    struct message *message;

    DEBUG_ASSERT(list_is_empty(&channel->callers));
    if (!list_is_empty(&channel->messages))
        unnest_all(channel);
    while ((message = list_pop_entry(&channel->messages, struct message, node)))
        message_destroy(message);
    peered_free(&channel->end);
}

static const struct waitable_ops channel_ops = {
    .name = "channel",
    .type = ZX_OBJ_TYPE_CHANNEL,
    .can_wait = true,
    .has_peer = true,
    .default_rights = ZX_DEFAULT_CHANNEL_RIGHTS,
    .destroy = channel_destroy,
    .on_zero_handles = channel_on_zero_handles,
    .related_koid = peered_related_koid,
    .peer = peered_peer,
};

status_t channel_create(struct channel **out_a, struct channel **out_b) {
    struct channel_pair *both = kheap_zalloc(sizeof(*both));

    if (!both)
        return ERR_NO_MEMORY;
    peered_init(&both->pair, &both->ends[0].end, &both->ends[1].end, &channel_ops,
                ZX_CHANNEL_WRITABLE);
    for (int i = 0; i < 2; i++) {
        list_init(&both->ends[i].messages);
        list_init(&both->ends[i].callers);
    }
    *out_a = &both->ends[0];
    *out_b = &both->ends[1];
    return OK;
}

/* ---- messages ---- */

static struct caller *caller_find_locked(struct channel *channel, uint32_t txid)
    REQUIRES(*channel->end.base.lock) {
    list_for_each(node, &channel->callers) {
        struct caller *caller = list_entry(node, struct caller, node);
        if (caller->txid == txid)
            return caller;
    }
    return NULL;
}

/* `caller` gets its answer; its wait is over. */
static void caller_answer_locked(struct channel *channel, struct caller *caller,
                                 struct message *reply) REQUIRES(*channel->end.base.lock) {
    waitable_unobserve_locked(&channel->end.base, &caller->observer);
    list_remove(&caller->node);
    caller->reply = reply;
    thread_unpark(&caller->parker, OK);
}

/* Only ever changed under the lock, so it need not be one atomic step. */
ALWAYS_INLINE void channel_count_locked(struct channel *channel, uint32_t change)
    REQUIRES(*channel->end.base.lock) {
    atomic_store_explicit(&channel->message_count, channel_pending_locked(channel) + change,
                          memory_order_relaxed);
}

/* `channel` receives a message: a caller that waits for it, or else the queue. */
ALWAYS_INLINE void channel_deliver_locked(struct channel *channel, struct message *message,
                                          bool carries_channels)
    REQUIRES(*channel->end.base.lock) {
    struct caller *caller = NULL;

    if (!list_is_empty(&channel->callers)) {
        uint32_t txid = message_txid(message);
        caller = txid ? caller_find_locked(channel, txid) : NULL;
    }
    if (caller) {
        caller_answer_locked(channel, caller, message);
        return;
    }
    list_add_tail(&channel->messages, &message->node);
    channel_count_locked(channel, 1);
    if (carries_channels) {
        mutex_guarded(&channel_nest_lock);
        channel_nest_enter(channel, message);
    }
    waitable_change_locked(&channel->end.base, 0, ZX_CHANNEL_READABLE);
}

ALWAYS_INLINE status_t channel_write_locked(struct channel *channel, struct message *message,
                                            bool carries_channels)
    REQUIRES(*channel->end.base.lock) {
    struct channel *peer = channel_peer(channel);

    mutex_guarded(peer->end.base.lock);
    if (unlikely(peer->end.closed))
        return ERR_PEER_CLOSED;
    channel_deliver_locked(peer, message, carries_channels);
    return OK;
}

/* *out_doomed: nobody could read the message, so it was not delivered. */
static status_t write_nested_locked(struct channel *channel, struct message *message,
                                    bool *out_doomed)
    REQUIRES(channel_nest_lock, *channel->end.base.lock) {
    struct channel *peer = channel_peer(channel);

    *out_doomed = !peer->end.closed && channel_nest_closes_cycle(peer, message);
    return *out_doomed ? OK : channel_write_locked(channel, message, message->carries_channels);
}

static status_t write_nested(struct channel *channel, struct message *message,
                             bool *out_doomed) {
    mutex_lock(&channel_nest_lock);
    mutex_lock(channel->end.base.lock);
    status_t status = write_nested_locked(channel, message, out_doomed);
    mutex_unlock(channel->end.base.lock);
    mutex_unlock(&channel_nest_lock);
    return status;
}

static NOINLINE status_t channel_write_nested(struct channel *channel, struct message *message) {
    bool doomed;

    status_t status = write_nested(channel, message, &doomed);
    if (status == OK && doomed)
        message_destroy(message);
    return status;
}

/* The field is false in a new message, and stays so where there are no handles. */
ALWAYS_INLINE bool look_for_channels(struct message *message) {
    if (likely(message->handle_count == 0))
        return false;
    message->carries_channels = channel_nest_concerns(message);
    return message->carries_channels;
}

status_t channel_write(struct channel *channel, struct message *message) {
    if (unlikely(look_for_channels(message)))
        return channel_write_nested(channel, message);
    MUTEX_GUARD(channel->end.base.lock);
    return channel_write_locked(channel, message, false);
}

ALWAYS_INLINE void channel_take_locked(struct channel *channel, struct message *message)
    REQUIRES(*channel->end.base.lock) {
    list_remove(&message->node);
    channel_count_locked(channel, -1u);
    if (list_is_empty(&channel->messages))
        waitable_change_locked(&channel->end.base, ZX_CHANNEL_READABLE, 0);
}

/* ERR_INTERNAL_RETRY: the message must be taken under channel_nest_lock too. */
ALWAYS_INLINE status_t channel_read_locked(struct channel *channel, struct channel_limits limits,
                                           bool nest_is_locked, struct message **out_message,
                                           struct channel_limits *out_sizes)
    REQUIRES(*channel->end.base.lock) {
    struct list_node *first = list_first(&channel->messages);

    if (unlikely(channel->end.closed))
        return ERR_CANCELED;
    if (!first)
        return channel->end.peer->closed ? ERR_PEER_CLOSED : ERR_SHOULD_WAIT;
    struct message *message = list_entry(first, struct message, node);
    *out_sizes = (struct channel_limits){message->byte_count, message->handle_count, false};
    bool fits = message->byte_count <= limits.bytes && message->handle_count <= limits.handles;
    if (!fits && !limits.discard)
        return ERR_BUFFER_TOO_SMALL;
    if (unlikely(message->carries_channels)) {
        if (!nest_is_locked)
            return ERR_INTERNAL_RETRY;
        mutex_guarded(&channel_nest_lock);
        channel_nest_leave(channel, message);
    }
    channel_take_locked(channel, message);
    *out_message = message;
    return fits ? OK : ERR_BUFFER_TOO_SMALL;
}

static NOINLINE status_t channel_read_nested(struct channel *channel,
                                             struct channel_limits limits,
                                             struct message **out_message,
                                             struct channel_limits *out_sizes) {
    mutex_lock(&channel_nest_lock);
    mutex_lock(channel->end.base.lock);
    status_t status = channel_read_locked(channel, limits, true, out_message, out_sizes);
    mutex_unlock(channel->end.base.lock);
    mutex_unlock(&channel_nest_lock);
    return status;
}

static status_t channel_read_plain(struct channel *channel, struct channel_limits limits,
                                   struct message **out_message,
                                   struct channel_limits *out_sizes) {
    MUTEX_GUARD(channel->end.base.lock);

    return channel_read_locked(channel, limits, false, out_message, out_sizes);
}

struct message *channel_read_quickly(struct channel *channel, uint32_t bytes, uint32_t handles) {
    MUTEX_GUARD(channel->end.base.lock);
    struct message *message = list_entry(channel->messages.head.next, struct message, node);

    if (unlikely(list_is_empty(&channel->messages) || channel->end.closed ||
                 message->byte_count > bytes || message->handle_count > handles ||
                 message->carries_channels))
        return NULL;
    channel_take_locked(channel, message);
    return message;
}

status_t channel_read(struct channel *channel, struct channel_limits limits,
                      struct message **out_message, struct channel_limits *out_sizes) {
    *out_message = NULL;
    status_t status = channel_read_plain(channel, limits, out_message, out_sizes);
    if (unlikely(status == ERR_INTERNAL_RETRY))
        status = channel_read_nested(channel, limits, out_message, out_sizes);
    return status;
}

/* False if meanwhile the message came to hold up its own reader. */
static bool unread(struct channel *channel, struct message *message) {
    mutex_lock(&channel_nest_lock);
    mutex_lock(channel->end.base.lock);
    bool sound = !message->carries_channels || !channel_nest_closes_cycle(channel, message);
    if (sound) {
        list_add_head(&channel->messages, &message->node);
        channel_count_locked(channel, 1);
        if (message->carries_channels)
            channel_nest_enter(channel, message);
        waitable_change_locked(&channel->end.base, 0, ZX_CHANNEL_READABLE);
    }
    mutex_unlock(channel->end.base.lock);
    mutex_unlock(&channel_nest_lock);
    return sound;
}

void channel_unread(struct channel *channel, struct message *message) {
    if (!unread(channel, message))
        message_destroy(message);
}

/* ---- calls ---- */

/* The other end is closed, or the handle is gone. Under the pair's lock. */
static void caller_fire(struct observer *observer, signals_t observed, bool canceled) {
    struct caller *caller = container_of(observer, struct caller, observer);

    list_remove(&caller->node);
    caller->status = canceled ? ERR_CANCELED : ERR_PEER_CLOSED;
    thread_unpark(&caller->parker, OK);
}

/* Field by field: linking writes the nodes. */
ALWAYS_INLINE void caller_init(struct caller *caller, struct handle_table *table,
                               uint32_t value) {
    caller->observer.wanted = ZX_CHANNEL_PEER_CLOSED;
    caller->observer.edge = false;
    caller->observer.table = table;
    caller->observer.handle_value = value;
    caller->observer.fire = caller_fire;
    caller->reply = NULL;
    caller->status = OK;
    caller->parker.thread = thread_current(); /* as park_prepare; the target comes later */
    caller->parker.done = false;
}

ALWAYS_INLINE uint32_t txid_draw_locked(struct channel *channel) REQUIRES(*channel->end.base.lock) {
    uint32_t txid;

    do {
        txid = ++channel->last_txid | TXID_KERNEL;
    } while (caller_find_locked(channel, txid));
    return txid;
}

/* Send the request and link the caller, as one step that no answer can overtake. */
ALWAYS_INLINE status_t caller_send(struct channel *channel, struct caller *caller,
                                   struct message *message, bool carries_channels) {
    MUTEX_GUARD(channel->end.base.lock);
    bool doomed = false;
    status_t status;

    caller->txid = txid_draw_locked(channel);
    message_set_txid(message, caller->txid);
    thread_about_to_park();
    if (carries_channels) {
        mutex_guarded(&channel_nest_lock);
        status = write_nested_locked(channel, message, &doomed);
    } else {
        status = channel_write_locked(channel, message, false);
    }
    if (unlikely(status != OK))
        return status;
    caller->doomed = doomed ? message : NULL;
    list_add_tail(&channel->callers, &caller->node);
    /* The peer was not closed when it got the message, so nothing is to be told yet. */
    waitable_join_observers_locked(&channel->end.base, &caller->observer);
    return OK;
}

static NOINLINE status_t caller_send_nested(struct channel *channel, struct caller *caller,
                                            struct message *message) {
    MUTEX_GUARD(&channel_nest_lock);

    return caller_send(channel, caller, message, true);
}

/* `known` or, if that is NULL, what the handle names and may be used for; with a reference. */
ALWAYS_INLINE struct found caller_look_up_locked(struct handle_table *table, uint32_t value,
                                                 struct channel *known) REQUIRES(table->lock) {
    struct found found = known ? handle_table_check_locked(table, value, 0, 0)
                               : handle_table_check_locked(table, value, ZX_OBJ_TYPE_CHANNEL,
                                                           ZX_RIGHT_READ | ZX_RIGHT_WRITE);

    if (unlikely(known && found.object != &known->end.base))
        return (struct found){NULL, ERR_CANCELED};
    if (likely(found.status == OK))
        waitable_ref(found.object);
    return found;
}

/* Linking happens while the handle is in the table, so its close finds the caller (P55). */
ALWAYS_INLINE struct found caller_begin(struct channel *known, struct handle_table *table,
                                        uint32_t value, struct caller *caller,
                                        struct message *message) {
    MUTEX_GUARD(&table->lock);

    struct found found = caller_look_up_locked(table, value, known);
    if (unlikely(found.status != OK))
        return found;
    struct channel *channel = channel_from(found.object);
    caller->parker.target = (uintptr_t)found.object;
    found.status = unlikely(look_for_channels(message))
                       ? caller_send_nested(channel, caller, message)
                       : caller_send(channel, caller, message, false);
    return found;
}

static NOINLINE status_t caller_failed(struct found found, struct message *message) {
    thread_not_about_to_park();
    if (found.object)
        waitable_unref(found.object);
    message_destroy(message);
    return found.status;
}

static void caller_end(struct channel *channel, struct caller *caller) {
    MUTEX_GUARD(channel->end.base.lock);

    if (waitable_unobserve_locked(&channel->end.base, &caller->observer))
        list_remove(&caller->node);
}

/*
 * Suspended in the middle of a call: it can't be made again, for its message is sent. The
 * thread stands still here; its caller stays linked, and may get its answer meanwhile.
 */
static bool caller_pause(status_t status) {
    struct thread *thread = thread_current();

    if (status != ERR_INTERNAL_RETRY || !thread->user)
        return false;
    user_thread_stop(thread->user);
    return true;
}

/* The wait ended without a waker: suspensions are sat out, anything else ends the call. */
static NOINLINE status_t caller_go_on(struct channel *channel, struct caller *caller,
                                      nstime_t deadline, status_t status) {
    while (status != OK && caller_pause(status))
        status = thread_park(&caller->parker, deadline, PARK_KILLABLE, BLOCK_CHANNEL);
    if (status != OK)
        caller_end(channel, caller);
    return status;
}

/* No array lies in its frame: nothing to guard. */
NO_STACK_PROTECTOR
status_t channel_call(struct channel *channel, struct handle_table *table, uint32_t value,
                      struct message *message, nstime_t deadline, struct message **out_reply) {
    struct caller caller;

    caller_init(&caller, table, value);
    struct found found = caller_begin(channel, table, value, &caller, message);
    if (unlikely(found.status != OK))
        return caller_failed(found, message);
    if (unlikely(caller.doomed))
        message_destroy(caller.doomed); /* which closes the peer, and so ends the wait */
    status_t status = thread_park(&caller.parker, deadline, PARK_KILLABLE, BLOCK_CHANNEL);
    if (unlikely(status != OK))
        status = caller_go_on(channel_from(found.object), &caller, deadline, status);
    waitable_unref(found.object);
    if (unlikely(!caller.reply))
        return caller.status != OK ? caller.status : status;
    *out_reply = caller.reply;
    return OK;
}
