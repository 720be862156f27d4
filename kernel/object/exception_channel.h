/*
 * exception_channel.h - where a task's exceptions are sent to.
 *
 * A task has a slot for each kind of handler: a thread one, a process and a job two
 * (one of them for debuggers). A slot holds the kernel's end of a channel, as one
 * handle; the other end is a program's. When the program closes its end, the slot
 * counts as empty and may be bound again; when the task ends, the kernel closes its own.
 */
#pragma once

#include "object/channel.h"

struct exception_slot {
    /* Under the task's base.lock; may be read without, as a hint. */
    _Atomic(struct channel *) end;
    rights_t task_rights; /* of the handle by which it was bound */
};

/* Who may hear of it at all, without a lock: most slots are empty always. */
ALWAYS_INLINE bool exception_slot_is_used(const struct exception_slot *slot) {
    return atomic_load_explicit(&slot->end, memory_order_relaxed) != NULL;
}
/* Somebody is there to read. */
bool exception_slot_is_live(struct exception_slot *slot, struct waitable *task);
/*
 * Bind a new channel, whose end with a handle is the program's: ERR_ALREADY_BOUND,
 * ERR_NO_MEMORY. The caller holds the lock under which the task's end is decided, and has
 * seen that it lives; what was there before goes to exception_slot_drop without it.
 */
struct exception_binding {
    struct channel *ours, *theirs; /* a reference each */
    struct channel *before;        /* the slot's handle and reference, or NULL */
};
status_t exception_binding_make(struct exception_binding *out_binding);
status_t exception_slot_bind(struct exception_slot *slot, struct waitable *task,
                             struct exception_binding *binding, rights_t task_rights);
/* Let go of what is left of a binding, used or not. No lock held. */
void exception_binding_finish(struct exception_binding *binding);
/* The task has ended: the other end sees it. No lock held. */
void exception_slot_close_used(struct exception_slot *slot, struct waitable *task) COLD;
ALWAYS_INLINE void exception_slot_close(struct exception_slot *slot, struct waitable *task) {
    if (unlikely(exception_slot_is_used(slot)))
        exception_slot_close_used(slot, task);
}
/* The end to write to, with a reference, and the rights; NULL: nobody is there. */
struct channel *exception_slot_get(struct exception_slot *slot, struct waitable *task,
                                   rights_t *out_rights);
