/*
 * exception_object.c - exceptions as objects: their life and their two properties.
 */
#include "object/exception_object.h"

#include <zircon/types.h>

#include "vm/kheap.h"

/* The handle is gone: the thread hears the answer. */
static void exception_on_zero_handles(struct waitable *object) {
    struct exception_object *exception = exception_from(object);
    MUTEX_GUARD(&exception->thread->process->lock);

    struct exception_wait *wait = exception->wait;
    if (!wait)
        return;
    exception->wait = NULL;
    wait->state = exception->state;
    wait->strategy = exception->strategy;
    thread_unpark(&wait->parker, OK);
}

static void exception_destroy(struct waitable *object) {
    struct exception_object *exception = exception_from(object);
    struct user_thread *thread = exception->thread;

    kheap_free_sized(exception, sizeof(*exception));
    waitable_unref(&thread->base);
}

static const struct waitable_ops exception_ops = {
    .name = "exception",
    .type = ZX_OBJ_TYPE_EXCEPTION,
    .default_rights = ZX_DEFAULT_EXCEPTION_RIGHTS,
    .destroy = exception_destroy,
    .on_zero_handles = exception_on_zero_handles,
};

status_t exception_create(struct user_thread *thread, uint32_t channel_type, rights_t task_rights,
                          struct exception_object **out_exception) {
    struct exception_object *exception = kheap_zalloc(sizeof(*exception));

    if (!exception)
        return ERR_NO_MEMORY;
    waitable_init(&exception->base, &exception_ops, 0);
    waitable_ref(&thread->base);
    exception->thread = thread;
    exception->channel_type = channel_type;
    exception->thread_rights = task_rights;
    /* Who watches one thread has no say over its process. */
    exception->process_rights =
        channel_type == ZX_EXCEPTION_CHANNEL_TYPE_THREAD ? 0 : task_rights;
    *out_exception = exception;
    return OK;
}

uint32_t exception_get_state(struct exception_object *exception) {
    MUTEX_GUARD(&exception->thread->process->lock);

    return exception->state;
}

status_t exception_set_state(struct exception_object *exception, uint32_t state) {
    if (state > ZX_EXCEPTION_STATE_THREAD_EXIT)
        return ERR_INVALID_ARGS;
    MUTEX_GUARD(&exception->thread->process->lock);

    exception->state = state;
    return OK;
}

bool exception_has_strategy(const struct exception_object *exception) {
    return exception->channel_type == ZX_EXCEPTION_CHANNEL_TYPE_DEBUGGER;
}

uint32_t exception_get_strategy(struct exception_object *exception) {
    MUTEX_GUARD(&exception->thread->process->lock);

    return exception->strategy;
}

status_t exception_set_strategy(struct exception_object *exception, uint32_t strategy) {
    if (strategy > ZX_EXCEPTION_STRATEGY_SECOND_CHANCE)
        return ERR_INVALID_ARGS;
    MUTEX_GUARD(&exception->thread->process->lock);

    exception->strategy = strategy;
    return OK;
}
