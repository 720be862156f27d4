/*
 * exception_channel.c - binding, finding and closing the channels for exceptions.
 */
#include "object/exception_channel.h"

#include <zircon/types.h>

static bool is_abandoned(const struct channel *end) {
    return waitable_signals(&end->end.base) & ZX_CHANNEL_PEER_CLOSED;
}

/* The slot's handle and reference. */
static void end_drop(struct channel *end) {
    if (end)
        waitable_release_handle(&end->end.base);
}

struct channel *exception_slot_get(struct exception_slot *slot, struct waitable *task,
                                   rights_t *out_rights) {
    if (!exception_slot_is_used(slot))
        return NULL;
    MUTEX_GUARD(task->lock);

    struct channel *end = atomic_load_explicit(&slot->end, memory_order_relaxed);
    if (!end || is_abandoned(end))
        return NULL;
    waitable_ref(&end->end.base);
    *out_rights = slot->task_rights;
    return end;
}

bool exception_slot_is_live(struct exception_slot *slot, struct waitable *task) {
    if (!exception_slot_is_used(slot))
        return false;
    MUTEX_GUARD(task->lock);

    struct channel *end = atomic_load_explicit(&slot->end, memory_order_relaxed);
    return end && !is_abandoned(end);
}

status_t exception_binding_make(struct exception_binding *out_binding) {
    *out_binding = (struct exception_binding){};
    return channel_create(&out_binding->ours, &out_binding->theirs);
}

status_t exception_slot_bind(struct exception_slot *slot, struct waitable *task,
                             struct exception_binding *binding, rights_t task_rights) {
    MUTEX_GUARD(task->lock);

    struct channel *before = atomic_load_explicit(&slot->end, memory_order_relaxed);
    if (before && !is_abandoned(before))
        return ERR_ALREADY_BOUND;
    binding->before = before;
    waitable_add_handle(&binding->ours->end.base);
    atomic_store_explicit(&slot->end, binding->ours, memory_order_relaxed);
    slot->task_rights = task_rights;
    binding->ours = NULL; /* the slot's now */
    return OK;
}

void exception_binding_finish(struct exception_binding *binding) {
    end_drop(binding->before);
    if (binding->ours)
        waitable_unref(&binding->ours->end.base);
    if (binding->theirs)
        waitable_unref(&binding->theirs->end.base);
    *binding = (struct exception_binding){};
}

static struct channel *slot_take(struct exception_slot *slot, struct waitable *task) {
    MUTEX_GUARD(task->lock);

    return atomic_exchange_explicit(&slot->end, NULL, memory_order_relaxed);
}

void exception_slot_close_used(struct exception_slot *slot, struct waitable *task) {
    end_drop(slot_take(slot, task));
}
