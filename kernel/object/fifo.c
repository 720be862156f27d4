/*
 * fifo.c - rings of elements.
 *
 * Elements are copied between the ring and user memory under the lock, without
 * faulting. If that stops at a page that is absent, the ring is as before; the lock is
 * dropped, the page made present, and the call starts again.
 */
#include "object/fifo.h"

#include <zircon/types.h>

#include "vm/kheap.h"

struct fifo_pair {
    struct pair pair;
    struct fifo ends[2];
};

#define FIFO_STATE_SIGNALS (ZX_FIFO_READABLE | ZX_FIFO_WRITABLE)

static struct fifo *fifo_peer(const struct fifo *fifo) {
    return container_of(fifo->end.peer, struct fifo, end);
}

/* ---- signals ---- */

static signals_t fifo_signals_locked(const struct fifo *fifo) {
    const struct fifo *peer = fifo_peer(fifo);
    bool can_write = !peer->end.closed && peer->used < peer->element_count;

    return (fifo->used > 0 ? ZX_FIFO_READABLE : 0) | (can_write ? ZX_FIFO_WRITABLE : 0);
}

static void update_end_locked(struct fifo *fifo) REQUIRES(*fifo->end.base.lock) {
    waitable_change_locked(&fifo->end.base, FIFO_STATE_SIGNALS, fifo_signals_locked(fifo));
}

static void update_locked(struct fifo *fifo) REQUIRES(*fifo->end.base.lock) {
    struct fifo *peer = fifo_peer(fifo);

    mutex_guarded(peer->end.base.lock);
    update_end_locked(fifo);
    if (!peer->end.closed)
        update_end_locked(peer);
}

/* ---- life ---- */

static void fifo_on_zero_handles(struct waitable *object) {
    struct fifo *fifo = fifo_from(object);
    MUTEX_GUARD(fifo->end.base.lock);

    peered_close_locked(&fifo->end, ZX_FIFO_WRITABLE);
}

/* The other end writes into this ring only while this end has handles. */
static void fifo_destroy(struct waitable *object) {
    struct fifo *fifo = fifo_from(object);

    kheap_free(fifo->ring);
    peered_free(&fifo->end);
}

static const struct waitable_ops fifo_ops = {
    .name = "fifo",
    .type = ZX_OBJ_TYPE_FIFO,
    .can_wait = true,
    .has_peer = true,
    .default_rights = ZX_DEFAULT_FIFO_RIGHTS,
    .destroy = fifo_destroy,
    .on_zero_handles = fifo_on_zero_handles,
    .related_koid = peered_related_koid,
    .peer = peered_peer,
};

static bool shape_is_valid(uint64_t count, uint64_t size) {
    if (count == 0 || size == 0 || (count & (count - 1)) != 0)
        return false;
    return size <= ZX_FIFO_MAX_SIZE_BYTES && count <= ZX_FIFO_MAX_SIZE_BYTES / size;
}

static struct fifo_pair *pair_create(size_t ring_size) {
    struct fifo_pair *both = kheap_zalloc(sizeof(*both));

    if (!both)
        return NULL;
    both->ends[0].ring = kheap_alloc(ring_size);
    both->ends[1].ring = kheap_alloc(ring_size);
    if (both->ends[0].ring && both->ends[1].ring)
        return both;
    kheap_free(both->ends[0].ring);
    kheap_free(both->ends[1].ring);
    kheap_free(both);
    return NULL;
}

status_t fifo_create(uint64_t element_count, uint64_t element_size, struct fifo **out_a,
                     struct fifo **out_b) {
    if (!shape_is_valid(element_count, element_size))
        return ERR_OUT_OF_RANGE;
    struct fifo_pair *both = pair_create(element_count * element_size);
    if (!both)
        return ERR_NO_MEMORY;
    peered_init(&both->pair, &both->ends[0].end, &both->ends[1].end, &fifo_ops, ZX_FIFO_WRITABLE);
    for (int i = 0; i < 2; i++) {
        both->ends[i].element_count = element_count;
        both->ends[i].element_size = element_size;
    }
    *out_a = &both->ends[0];
    *out_b = &both->ends[1];
    return OK;
}

/* ---- the ring ---- */

/* The byte `done` bytes behind element `index`, and how many lie behind each other from there. */
static char *ring_bytes(const struct fifo *fifo, size_t index, size_t done, size_t *out_run) {
    size_t size = fifo->element_count * fifo->element_size;
    size_t at = (index * fifo->element_size + done) % size;

    *out_run = size - at;
    return fifo->ring + at;
}

/* Bytes that could be copied to where `fifo` has room. */
static size_t copy_in_locked(struct fifo *fifo, const struct byte_source *source, size_t length) {
    size_t run, done = 0;

    while (done < length) {
        char *bytes = ring_bytes(fifo, fifo->first + fifo->used, done, &run);
        run = MIN(run, length - done);
        size_t copied = source->copy_in_nofault(source, done, bytes, run);
        done += copied;
        if (copied < run)
            break;
    }
    return done;
}

static size_t copy_out_locked(const struct fifo *fifo, const struct byte_sink *sink,
                              size_t length) {
    size_t run, done = 0;

    while (done < length) {
        const char *bytes = ring_bytes(fifo, fifo->first, done, &run);
        run = MIN(run, length - done);
        size_t copied = sink->copy_out_nofault(sink, done, bytes, run);
        done += copied;
        if (copied < run)
            break;
    }
    return done;
}

/* ---- writing and reading ---- */

/* One try: elements that were wanted, and the bytes that could be copied. */
struct attempt {
    size_t elements, bytes, copied;
};

static status_t write_once(struct fifo *fifo, uint64_t element_size,
                           const struct byte_source *source, uint64_t count,
                           struct attempt *attempt) {
    struct fifo *peer = fifo_peer(fifo);
    MUTEX_GUARD(fifo->end.base.lock);

    if (peer->end.closed)
        return ERR_PEER_CLOSED;
    if (element_size != fifo->element_size || count == 0)
        return ERR_OUT_OF_RANGE;
    if (peer->used == peer->element_count)
        return ERR_SHOULD_WAIT;
    attempt->elements = MIN(count, peer->element_count - peer->used);
    attempt->bytes = attempt->elements * fifo->element_size;
    attempt->copied = copy_in_locked(peer, source, attempt->bytes);
    if (attempt->copied == attempt->bytes) {
        peer->used += attempt->elements;
        update_locked(fifo);
    }
    return OK;
}

status_t fifo_write(struct fifo *fifo, uint64_t element_size, const struct byte_source *source,
                    uint64_t count, size_t *out_actual) {
    struct attempt attempt;

    for (;;) {
        status_t status = write_once(fifo, element_size, source, count, &attempt);
        if (status == OK && attempt.copied < attempt.bytes)
            status = source->touch(source, attempt.copied);
        else if (status == OK)
            break;
        if (status != OK)
            return status;
    }
    *out_actual = attempt.elements;
    return OK;
}

static status_t read_once(struct fifo *fifo, uint64_t element_size, const struct byte_sink *sink,
                          uint64_t count, struct attempt *attempt) {
    MUTEX_GUARD(fifo->end.base.lock);

    if (element_size != fifo->element_size || count == 0)
        return ERR_OUT_OF_RANGE;
    if (fifo->used == 0)
        return fifo->end.peer->closed ? ERR_PEER_CLOSED : ERR_SHOULD_WAIT;
    attempt->elements = MIN(count, fifo->used);
    attempt->bytes = attempt->elements * fifo->element_size;
    attempt->copied = copy_out_locked(fifo, sink, attempt->bytes);
    if (attempt->copied == attempt->bytes) {
        fifo->first = (fifo->first + attempt->elements) % fifo->element_count;
        fifo->used -= attempt->elements;
        update_locked(fifo);
    }
    return OK;
}

status_t fifo_read(struct fifo *fifo, uint64_t element_size, const struct byte_sink *sink,
                   uint64_t count, size_t *out_actual) {
    struct attempt attempt;

    for (;;) {
        status_t status = read_once(fifo, element_size, sink, count, &attempt);
        if (status == OK && attempt.copied < attempt.bytes)
            status = sink->touch(sink, attempt.copied);
        else if (status == OK)
            break;
        if (status != OK)
            return status;
    }
    *out_actual = attempt.elements;
    return OK;
}
