/*
 * peered.h - what the two ends of a channel, socket or event pair have in common.
 *
 * Both ends and the lock that they share lie in one allocation, which begins with
 * struct pair and goes when both ends have lost their last reference. So `peer`
 * may always be followed; `closed` says whether the other end still has handles.
 */
#pragma once

#include "object/handle.h"

struct pair {
    struct mutex lock; /* RANK_OBJECT: both ends' signals and state */
    struct ref ends;   /* ends whose memory is in use */
};

struct peered {
    struct waitable base;
    /* Set once. */
    struct pair *pair;
    struct peered *peer;
    /* Under *base.lock, which is &pair->lock. */
    bool closed; /* this end has lost its last handle */
};

ALWAYS_INLINE struct peered *peered_from(struct waitable *object) {
    return container_of(object, struct peered, base);
}
/* Set up both ends of zeroed memory that begins with `pair`. */
void peered_init(struct pair *pair, struct peered *a, struct peered *b,
                 const struct waitable_ops *ops, signals_t signals);
/* This end's last handle is gone: it is closed, and the other end hears of it and loses `clear`. */
void peered_close_locked(struct peered *end, signals_t clear) REQUIRES(*end->base.lock);
/* This end's memory is not needed any more; for destroy. */
void peered_free(struct peered *end);

/* For struct waitable_ops. */
uint64_t peered_related_koid(const struct waitable *object);
struct waitable *peered_peer(struct waitable *object);
