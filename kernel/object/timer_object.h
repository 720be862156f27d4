/*
 * timer_object.h - a timer as user code sees it: SIGNALED when its time has come.
 */
#pragma once

#include <zircon/syscalls/object.h>

#include "object/deferred.h"
#include "object/handle.h"
#include "sched/timer.h"

struct timer_object {
    struct waitable base;
    uint32_t options;         /* set once: ZX_TIMER_SLACK_ */
    struct timer timer;       /* armed and disarmed under base.lock */
    struct deferred deferred; /* the expiry, on its way to a thread; has a reference then */
    /* Under base.lock. */
    bool armed;               /* the deadline below has not been signalled yet */
    nstime_t deadline, slack;
    nstime_t due;             /* when it fires: within the slack */
};

ALWAYS_INLINE struct timer_object *timer_object_from(struct waitable *object) {
    return container_of(object, struct timer_object, base);
}
status_t timer_object_create(uint32_t options, struct timer_object **out_timer);
/* Forget the earlier deadline and its signal. One that has passed signals at once. */
void timer_object_set(struct timer_object *timer, nstime_t deadline, nstime_t slack);
void timer_object_cancel(struct timer_object *timer);
void timer_object_get_info(struct timer_object *timer, zx_info_timer_t *out_info);
