/*
 * object.c - signals from user code, names, and the start of this layer.
 */
#include "object/object.h"

#include "lib/string.h"
#include "object/channel_nest.h"
#include "object/debuglog.h"
#include "object/deferred.h"
#include "object/kill_points.h"
#include "object/ktrace.h"
#include "object/memory_pressure.h"
#include "object/resource.h"
#include "sched/trace.h"
#include "vm/vmo_content.h"

status_t objects_init(void) {
    channel_nest_init();
    vmo_content_init();
    debuglog_init();
    resource_init();
    ktrace_init();
    status_t status = kill_points_init();
    if (status == OK)
        status = deferred_init();
    return status == OK ? memory_pressure_init() : status;
}

static bool signals_are_settable(const struct waitable *object, signals_t signals) {
    return (signals & ~(SIGNALS_USER | object->ops->settable)) == 0;
}

status_t object_signal(struct waitable *object, signals_t clear, signals_t set) {
    if (!object->ops->can_wait)
        return ERR_NOT_SUPPORTED;
    if (!signals_are_settable(object, clear | set))
        return ERR_INVALID_ARGS;
    waitable_change(object, clear, set);
    return OK;
}

status_t object_signal_peer(struct waitable *object, signals_t clear, signals_t set) {
    if (!object->ops->has_peer)
        return ERR_NOT_SUPPORTED;
    if (!signals_are_settable(object, clear | set))
        return ERR_INVALID_ARGS;
    AUTO(waitable) peer = object->ops->peer(object);
    if (!peer)
        return ERR_PEER_CLOSED;
    waitable_change(peer, clear, set);
    return OK;
}

uint64_t object_related_koid(const struct waitable *object) {
    return object->ops->related_koid ? object->ops->related_koid(object) : 0;
}

void object_get_name(struct waitable *object, char out_name[OBJECT_NAME_SIZE]) {
    MUTEX_GUARD(object->lock);

    if (object->ops->name_storage)
        memcpy(out_name, object->ops->name_storage(object), OBJECT_NAME_SIZE);
    else
        memset(out_name, 0, OBJECT_NAME_SIZE);
}

status_t object_set_name(struct waitable *object, const char name[OBJECT_NAME_SIZE]) {
    if (!object->ops->name_storage)
        return ERR_NOT_SUPPORTED;
    MUTEX_GUARD(object->lock);

    memcpy(object->ops->name_storage(object), name, OBJECT_NAME_SIZE);
    if (object->ops->type == ZX_OBJ_TYPE_PROCESS || object->ops->type == ZX_OBJ_TYPE_THREAD)
        trace_name(object->koid, name);
    return OK;
}
