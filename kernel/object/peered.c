/*
 * peered.c - two ends, one lock.
 */
#include "object/peered.h"

#include "vm/kheap.h"

static void end_init(struct peered *end, struct peered *peer, struct pair *pair,
                     const struct waitable_ops *ops, signals_t signals) {
    waitable_init_shared(&end->base, ops, &pair->lock, signals);
    end->pair = pair;
    end->peer = peer;
}

void peered_init(struct pair *pair, struct peered *a, struct peered *b,
                 const struct waitable_ops *ops, signals_t signals) {
    mutex_init(&pair->lock, RANK_OBJECT, ops->name);
    ref_init(&pair->ends);
    ref_get(&pair->ends);
    end_init(a, b, pair, ops, signals);
    end_init(b, a, pair, ops, signals);
}

void peered_close_locked(struct peered *end, signals_t clear) {
    struct peered *peer = end->peer;

    mutex_guarded(peer->base.lock);
    end->closed = true;
    if (!peer->closed)
        waitable_change_locked(&peer->base, clear, ZX_OBJECT_PEER_CLOSED);
}

void peered_free(struct peered *end) {
    struct pair *pair = end->pair;

    if (ref_put(&pair->ends))
        kheap_free(pair);
}

uint64_t peered_related_koid(const struct waitable *object) {
    return container_of(object, const struct peered, base)->peer->base.koid;
}

struct waitable *peered_peer(struct waitable *object) {
    struct peered *peer = peered_from(object)->peer;
    MUTEX_GUARD(object->lock);

    if (peer->closed)
        return NULL;
    waitable_ref(&peer->base);
    return &peer->base;
}
