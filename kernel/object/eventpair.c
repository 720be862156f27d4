/*
 * eventpair.c - event pairs.
 */
#include "object/eventpair.h"

#include "object/peered.h"
#include "vm/kheap.h"

struct eventpair {
    struct pair pair;
    struct peered ends[2];
};

static void eventpair_on_zero_handles(struct waitable *object) {
    struct peered *end = peered_from(object);
    MUTEX_GUARD(end->base.lock);

    peered_close_locked(end, 0);
}

static void eventpair_destroy(struct waitable *object) { peered_free(peered_from(object)); }

static const struct waitable_ops eventpair_ops = {
    .name = "eventpair",
    .type = ZX_OBJ_TYPE_EVENTPAIR,
    .can_wait = true,
    .has_peer = true,
    .settable = ZX_EVENTPAIR_SIGNALED,
    .default_rights = ZX_DEFAULT_EVENTPAIR_RIGHTS,
    .destroy = eventpair_destroy,
    .on_zero_handles = eventpair_on_zero_handles,
    .related_koid = peered_related_koid,
    .peer = peered_peer,
};

status_t eventpair_create(struct waitable **out_a, struct waitable **out_b) {
    struct eventpair *both = kheap_zalloc(sizeof(*both));

    if (!both)
        return ERR_NO_MEMORY;
    peered_init(&both->pair, &both->ends[0], &both->ends[1], &eventpair_ops, 0);
    *out_a = &both->ends[0].base;
    *out_b = &both->ends[1].base;
    return OK;
}
