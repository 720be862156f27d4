/*
 * socket.c - byte streams and datagrams.
 *
 * A writer copies its bytes into chunks of its own before it takes the lock, and
 * hands over as many as fit then. Small chunks are merged into the last one, so
 * the memory behind a buffer is bounded by about twice its bytes. The chunks of a packet
 * are its own; the first says how large the packet is. A reader copies
 * under the lock without faulting; if that stops at a page that is absent, it
 * drops the lock, makes the page present and starts again, having taken nothing.
 */
#include "object/socket.h"

#include "lib/string.h"
#include "vm/kheap.h"

struct chunk {
    struct list_node node;
    uint32_t capacity, start, end; /* the bytes are data[start] to data[end - 1] */
    uint32_t packet;               /* bytes of the packet that begins here; 0: none does */
    char data[];
};

/* Two sizes of blocks. */
#define CHUNK_SMALL (1024 - sizeof(struct chunk))
#define CHUNK_LARGE (2048 - sizeof(struct chunk))

struct socket_pair {
    struct pair pair;
    struct socket ends[2];
};

/* The signals that the state of both ends decides. */
#define SOCKET_STATE_SIGNALS                                                                       \
    (ZX_SOCKET_READABLE | ZX_SOCKET_WRITABLE | ZX_SOCKET_PEER_WRITE_DISABLED |                     \
     ZX_SOCKET_WRITE_DISABLED | ZX_SOCKET_READ_THRESHOLD | ZX_SOCKET_WRITE_THRESHOLD)

static struct socket *socket_peer(const struct socket *socket) {
    return container_of(socket->end.peer, struct socket, end);
}

static size_t room_locked(const struct socket *peer) {
    return peer->packets < SOCKET_PACKETS_MAX ? SOCKET_BUFFER_MAX - peer->bytes : 0;
}

/* ---- signals ---- */

static signals_t socket_signals_locked(const struct socket *socket) {
    const struct socket *peer = socket_peer(socket);
    bool can_write = !peer->end.closed && !socket->write_disabled;
    signals_t signals = 0;

    if (socket->bytes > 0)
        signals |= ZX_SOCKET_READABLE;
    if (can_write && room_locked(peer) > 0)
        signals |= ZX_SOCKET_WRITABLE;
    if (peer->write_disabled)
        signals |= ZX_SOCKET_PEER_WRITE_DISABLED;
    if (socket->write_disabled)
        signals |= ZX_SOCKET_WRITE_DISABLED;
    if (socket->rx_threshold && socket->bytes >= socket->rx_threshold)
        signals |= ZX_SOCKET_READ_THRESHOLD;
    if (socket->tx_threshold && can_write && room_locked(peer) >= socket->tx_threshold)
        signals |= ZX_SOCKET_WRITE_THRESHOLD;
    return signals;
}

static void update_end_locked(struct socket *socket) REQUIRES(*socket->end.base.lock) {
    waitable_change_locked(&socket->end.base, SOCKET_STATE_SIGNALS, socket_signals_locked(socket));
}

static void update_locked(struct socket *socket) REQUIRES(*socket->end.base.lock) {
    struct socket *peer = socket_peer(socket);

    mutex_guarded(peer->end.base.lock);
    update_end_locked(socket);
    if (!peer->end.closed)
        update_end_locked(peer);
}

/* ---- life ---- */

static void chunks_free(struct list *chunks) {
    struct chunk *chunk;

    while ((chunk = list_pop_entry(chunks, struct chunk, node)))
        kheap_free(chunk);
}

static void socket_close(struct socket *socket, struct list *out_chunks) {
    MUTEX_GUARD(socket->end.base.lock);

    list_splice_tail(out_chunks, &socket->chunks);
    socket->bytes = 0;
    socket->packets = 0;
    peered_close_locked(&socket->end, 0);
    update_locked(socket);
}

static void socket_on_zero_handles(struct waitable *object) {
    struct list chunks;

    list_init(&chunks);
    socket_close(socket_from(object), &chunks);
    chunks_free(&chunks);
}

static void socket_destroy(struct waitable *object) { peered_free(peered_from(object)); }

static const struct waitable_ops socket_ops = {
    .name = "socket",
    .type = ZX_OBJ_TYPE_SOCKET,
    .can_wait = true,
    .has_peer = true,
    .default_rights = ZX_DEFAULT_SOCKET_RIGHTS,
    .destroy = socket_destroy,
    .on_zero_handles = socket_on_zero_handles,
    .related_koid = peered_related_koid,
    .peer = peered_peer,
};

status_t socket_create(bool datagram, struct socket **out_a, struct socket **out_b) {
    struct socket_pair *both = kheap_zalloc(sizeof(*both));

    if (!both)
        return ERR_NO_MEMORY;
    peered_init(&both->pair, &both->ends[0].end, &both->ends[1].end, &socket_ops,
                ZX_SOCKET_WRITABLE);
    for (int i = 0; i < 2; i++) {
        both->ends[i].datagram = datagram;
        list_init(&both->ends[i].chunks);
    }
    *out_a = &both->ends[0];
    *out_b = &both->ends[1];
    return OK;
}

/* ---- writing ---- */

/* Why not to write, in the documented order; else how much there is room for. */
static status_t write_check_locked(const struct socket *socket, uint64_t size, size_t *out_room) {
    const struct socket *peer = socket_peer(socket);

    if (peer->end.closed)
        return ERR_PEER_CLOSED;
    if (socket->write_disabled)
        return ERR_BAD_STATE;
    if (size > UINT32_MAX)
        return ERR_INVALID_ARGS;
    if (socket->datagram && size > SOCKET_BUFFER_MAX)
        return ERR_OUT_OF_RANGE;
    *out_room = room_locked(peer);
    size_t least = socket->datagram ? size : MIN(size, 1ul);
    return *out_room < least ? ERR_SHOULD_WAIT : OK;
}

static status_t write_check(struct socket *socket, uint64_t size, size_t *out_room) {
    MUTEX_GUARD(socket->end.base.lock);

    return write_check_locked(socket, size, out_room);
}

/* For the next of `size` bytes; packets get no more memory than they need. */
static struct chunk *chunk_create(size_t size, bool tight) {
    size_t capacity = size <= CHUNK_SMALL ? CHUNK_SMALL : CHUNK_LARGE;
    if (tight)
        capacity = MIN(size, capacity);
    struct chunk *chunk = kheap_alloc(sizeof(*chunk) + capacity);

    if (chunk)
        *chunk = (struct chunk){.capacity = (uint32_t)capacity,
                                .end = (uint32_t)MIN(size, capacity)};
    return chunk;
}

/* Copy `size` bytes into new chunks; on failure some are in the list. */
static status_t stage(const struct byte_source *source, size_t size, bool packet,
                      struct list *chunks) {
    for (size_t offset = 0; offset < size;) {
        struct chunk *chunk = chunk_create(size - offset, packet);
        if (!chunk)
            return ERR_NO_MEMORY;
        if (packet && offset == 0)
            chunk->packet = (uint32_t)size;
        list_add_tail(chunks, &chunk->node);
        status_t status = source->copy_in(source, offset, chunk->data, chunk->end);
        if (status != OK)
            return status;
        offset += chunk->end;
    }
    return OK;
}

/* `chunk` becomes part of the buffer, unless its bytes fit behind the last one's. */
static void append_locked(struct socket *to, struct chunk *chunk, struct list *garbage) {
    struct list_node *node = list_last(&to->chunks);
    struct chunk *last = node ? list_entry(node, struct chunk, node) : NULL;

    to->bytes += chunk->end;
    if (!last || last->capacity - last->end < chunk->end) {
        list_add_tail(&to->chunks, &chunk->node);
        return;
    }
    memcpy(last->data + last->end, chunk->data, chunk->end);
    last->end += chunk->end;
    list_add_tail(garbage, &chunk->node);
}

/* What fits of a stream's bytes; the rest stays in `chunks`. */
static void append_stream_locked(struct socket *peer, size_t room, struct list *chunks,
                                 struct list *garbage) {
    while (room > 0 && !list_is_empty(chunks)) {
        struct chunk *chunk = list_pop_entry(chunks, struct chunk, node);
        chunk->end = (uint32_t)MIN((size_t)chunk->end, room);
        room -= chunk->end;
        append_locked(peer, chunk, garbage);
    }
}

static void append_packet_locked(struct socket *peer, size_t size, struct list *chunks) {
    list_splice_tail(&peer->chunks, chunks);
    peer->bytes += size;
    peer->packets++;
}

/* What still fits goes into the peer's buffer. */
static status_t write_staged(struct socket *socket, uint64_t size, struct list *chunks,
                             struct list *garbage, size_t *out_actual) {
    struct socket *peer = socket_peer(socket);
    MUTEX_GUARD(socket->end.base.lock);
    size_t room;

    status_t status = write_check_locked(socket, size, &room);
    if (status != OK)
        return status;
    size_t before = peer->bytes;
    if (socket->datagram)
        append_packet_locked(peer, size, chunks);
    else
        append_stream_locked(peer, room, chunks, garbage);
    *out_actual = peer->bytes - before;
    update_locked(socket);
    return OK;
}

status_t socket_write(struct socket *socket, const struct byte_source *source, uint64_t size,
                      size_t *out_actual) {
    struct list chunks, garbage;
    size_t room;

    *out_actual = 0;
    status_t status = write_check(socket, size, &room);
    if (status != OK || size == 0)
        return status;
    list_init(&chunks);
    list_init(&garbage);
    status = stage(source, MIN((size_t)size, room), socket->datagram, &chunks);
    if (status == OK)
        status = write_staged(socket, size, &chunks, &garbage, out_actual);
    chunks_free(&chunks);
    chunks_free(&garbage);
    return status;
}

/* ---- reading ---- */

/* Copy the first `size` bytes out, taking nothing; how many could be copied. */
static size_t copy_locked(const struct socket *socket, const struct byte_sink *sink,
                          size_t size) {
    size_t done = 0;

    list_for_each(node, &socket->chunks) {
        const struct chunk *chunk = list_entry(node, struct chunk, node);
        size_t now = MIN(size - done, (size_t)(chunk->end - chunk->start));
        size_t copied = sink->copy_out_nofault(sink, done, chunk->data + chunk->start, now);
        done += copied;
        if (copied < now || done == size)
            break;
    }
    return done;
}

static void take_locked(struct socket *socket, size_t size, struct list *garbage) {
    socket->bytes -= size;
    while (size > 0) {
        struct chunk *chunk = list_entry(list_first(&socket->chunks), struct chunk, node);
        size_t now = MIN(size, (size_t)(chunk->end - chunk->start));
        chunk->start += (uint32_t)now;
        size -= now;
        if (chunk->start == chunk->end) {
            list_remove(&chunk->node);
            list_add_tail(garbage, &chunk->node);
        }
    }
}

/* What a read can get, and what it takes out of the buffer. */
static size_t next_size_locked(const struct socket *socket) {
    return socket->datagram ? list_entry(list_first(&socket->chunks), struct chunk, node)->packet
                            : socket->bytes;
}

static void take_read_locked(struct socket *socket, size_t copied, struct list *garbage) {
    if (socket->datagram) {
        copied = next_size_locked(socket);
        socket->packets--;
    }
    take_locked(socket, copied, garbage);
}

/* One try. *out_copied is less than *out_wanted if a page of the sink is absent. */
static status_t read_once(struct socket *socket, const struct byte_sink *sink, uint64_t size,
                          bool peek, size_t *out_wanted, size_t *out_copied,
                          struct list *garbage) {
    const struct socket *peer = socket_peer(socket);
    MUTEX_GUARD(socket->end.base.lock);

    if (socket->bytes == 0) {
        if (peer->end.closed)
            return ERR_PEER_CLOSED;
        return peer->write_disabled ? ERR_BAD_STATE : ERR_SHOULD_WAIT;
    }
    *out_wanted = MIN((size_t)size, next_size_locked(socket));
    *out_copied = copy_locked(socket, sink, *out_wanted);
    if (*out_copied == *out_wanted && !peek) {
        take_read_locked(socket, *out_copied, garbage);
        update_locked(socket);
    }
    return OK;
}

status_t socket_read(struct socket *socket, const struct byte_sink *sink, uint64_t size,
                     bool peek, size_t *out_actual) {
    struct list garbage;
    size_t wanted, copied;

    if (size > UINT32_MAX)
        return ERR_INVALID_ARGS;
    list_init(&garbage);
    for (;;) {
        status_t status = read_once(socket, sink, size, peek, &wanted, &copied, &garbage);
        if (status != OK)
            return status;
        if (copied == wanted)
            break;
        status = sink->touch(sink, copied);
        if (status != OK)
            return status;
    }
    chunks_free(&garbage);
    *out_actual = copied;
    return OK;
}

/* ---- dispositions, thresholds, information ---- */

static bool disposition_is_valid(uint32_t disposition) {
    return disposition == 0 || disposition == ZX_SOCKET_DISPOSITION_WRITE_DISABLED ||
           disposition == ZX_SOCKET_DISPOSITION_WRITE_ENABLED;
}

/* Writing may be enabled again only when all that `writer` wrote has been read. */
static bool may_apply_locked(const struct socket *writer, uint32_t disposition) {
    return disposition != ZX_SOCKET_DISPOSITION_WRITE_ENABLED || !writer->write_disabled ||
           socket_peer(writer)->bytes == 0;
}

static void apply_locked(struct socket *writer, uint32_t disposition) {
    if (disposition != 0)
        writer->write_disabled = disposition == ZX_SOCKET_DISPOSITION_WRITE_DISABLED;
}

status_t socket_set_disposition(struct socket *socket, uint32_t own, uint32_t peer) {
    struct socket *other = socket_peer(socket);

    if (!disposition_is_valid(own) || !disposition_is_valid(peer))
        return ERR_INVALID_ARGS;
    MUTEX_GUARD(socket->end.base.lock);
    if (!may_apply_locked(socket, own) || !may_apply_locked(other, peer))
        return ERR_BAD_STATE;
    apply_locked(socket, own);
    apply_locked(other, peer);
    update_locked(socket);
    return OK;
}

status_t socket_set_rx_threshold(struct socket *socket, uint64_t threshold) {
    MUTEX_GUARD(socket->end.base.lock);

    if (threshold > SOCKET_BUFFER_MAX)
        return ERR_INVALID_ARGS;
    socket->rx_threshold = threshold;
    update_locked(socket);
    return OK;
}

status_t socket_set_tx_threshold(struct socket *socket, uint64_t threshold) {
    MUTEX_GUARD(socket->end.base.lock);

    if (socket_peer(socket)->end.closed)
        return ERR_PEER_CLOSED;
    if (threshold > SOCKET_BUFFER_MAX)
        return ERR_INVALID_ARGS;
    socket->tx_threshold = threshold;
    update_locked(socket);
    return OK;
}

void socket_get_thresholds(struct socket *socket, uint64_t *out_rx, uint64_t *out_tx) {
    MUTEX_GUARD(socket->end.base.lock);

    *out_rx = socket->rx_threshold;
    *out_tx = socket->tx_threshold;
}

void socket_get_info(struct socket *socket, zx_info_socket_t *out_info) {
    const struct socket *peer = socket_peer(socket);
    MUTEX_GUARD(socket->end.base.lock);

    *out_info = (zx_info_socket_t){
        .options = socket->datagram ? ZX_SOCKET_DATAGRAM : ZX_SOCKET_STREAM,
        .rx_buf_max = SOCKET_BUFFER_MAX,
        .rx_buf_size = socket->bytes,
        .rx_buf_available = socket->bytes > 0 ? next_size_locked(socket) : 0,
        .tx_buf_max = peer->end.closed ? 0 : SOCKET_BUFFER_MAX,
        .tx_buf_size = peer->bytes,
    };
}
