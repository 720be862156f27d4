/*
 * exception_object.h - an exception in a handler's hands.
 *
 * One object for each time that an exception is offered to somebody, and one handle
 * to it, which travels. The thread stands still until that handle is closed, by
 * whomever: with the state it then has, it goes on, ends, or asks the next.
 */
#pragma once

#include <zircon/syscalls/exception.h>

#include "object/user_thread.h"
#include "sched/park.h"

/* A thread in an exception, on its stack. */
struct exception_wait {
    const zx_exception_report_v2_t *report; /* set once */
    /* Under process->lock. */
    struct parker parker;
    uint32_t channel_type; /* who is asked */
    uint32_t state, strategy; /* the answer */
};

struct exception_object {
    struct waitable base;
    /* Set once. */
    struct user_thread *thread; /* referenced */
    uint32_t channel_type;
    rights_t thread_rights, process_rights; /* of the handles that it gives */
    /* Under thread->process->lock. */
    struct exception_wait *wait; /* who waits for its end; NULL: nobody */
    uint32_t state, strategy;
};

ALWAYS_INLINE struct exception_object *exception_from(struct waitable *object) {
    return container_of(object, struct exception_object, base);
}
ALWAYS_INLINE void exception_object_unref(struct exception_object *exception) {
    waitable_unref(&exception->base);
}
AUTO_RELEASE(exception_object, exception_object_unref)
/* The reference is the caller's. ERR_NO_MEMORY. */
status_t exception_create(struct user_thread *thread, uint32_t channel_type, rights_t task_rights,
                          struct exception_object **out_exception);
uint32_t exception_get_state(struct exception_object *exception);
/* ERR_INVALID_ARGS. */
status_t exception_set_state(struct exception_object *exception, uint32_t state);
uint32_t exception_get_strategy(struct exception_object *exception);
/* Only what a debugger of the process was asked has one. */
bool exception_has_strategy(const struct exception_object *exception);
/* ERR_INVALID_ARGS. */
status_t exception_set_strategy(struct exception_object *exception, uint32_t strategy);
