/*
 * event.c - events.
 */
#include "object/event.h"

#include "vm/kheap.h"

static void event_destroy(struct waitable *object) { kheap_free_sized(object, sizeof(*object)); }

static const struct waitable_ops event_ops = {
    .name = "event",
    .type = ZX_OBJ_TYPE_EVENT,
    .can_wait = true,
    .settable = ZX_EVENT_SIGNALED,
    .default_rights = ZX_DEFAULT_EVENT_RIGHTS,
    .destroy = event_destroy,
};

status_t event_create(struct waitable **out_event) {
    struct waitable *event = kheap_zalloc(sizeof(*event));

    if (!event)
        return ERR_NO_MEMORY;
    waitable_init(event, &event_ops, 0);
    *out_event = event;
    return OK;
}
