/*
 * timer_object.c - timers.
 *
 * Expiry comes in interrupt context, which takes no mutex, so it hands the object
 * to a worker thread. The worker looks at the state under the lock: if the timer
 * was disarmed or set to a later time meanwhile, the old expiry means nothing.
 * A timer with slack fires together with another one of its CPU that is due within it.
 */
#include "object/timer_object.h"

#include "arch/clock.h"
#include "vm/kheap.h"

/* Interrupt context. An object that is being destroyed already is left alone. */
static void timer_object_expired(struct timer *timer, nstime_t now) {
    struct timer_object *object = container_of(timer, struct timer_object, timer);

    if (!ref_try_get(&object->base.refs))
        return;
    if (!deferred_queue(&object->deferred)) {
        bool last = ref_put(&object->base.refs); /* the work that is queued has one */
        DEBUG_ASSERT(!last);
        (void)last;
    }
}

static void timer_object_signal_if_due(struct timer_object *timer) {
    MUTEX_GUARD(timer->base.lock);

    if (!timer->armed || timer->due > clock_now())
        return;
    timer->armed = false;
    waitable_change_locked(&timer->base, 0, ZX_TIMER_SIGNALED);
}

static void timer_object_run(struct deferred *work) {
    struct timer_object *timer = container_of(work, struct timer_object, deferred);

    timer_object_signal_if_due(timer);
    waitable_unref(&timer->base);
}

static void timer_disarm_locked(struct timer_object *timer) REQUIRES(*timer->base.lock) {
    timer_cancel(&timer->timer);
    timer->armed = false;
    waitable_change_locked(&timer->base, ZX_TIMER_SIGNALED, 0);
}

static void timer_arm_locked(struct timer_object *timer) REQUIRES(*timer->base.lock) {
    nstime_t early = timer->options == ZX_TIMER_SLACK_LATE ? 0 : timer->slack;
    nstime_t late = timer->options == ZX_TIMER_SLACK_EARLY ? 0 : timer->slack;

    if (timer->slack == 0)
        timer_set(&timer->timer, timer->deadline);
    else /* the deadline is after now, so above 0 */
        timer->due = timer_set_with_slack(&timer->timer,
                                          zx_time_sub_duration(timer->deadline, early),
                                          timer->deadline,
                                          zx_time_add_duration(timer->deadline, late));
}

void timer_object_set(struct timer_object *timer, nstime_t deadline, nstime_t slack) {
    MUTEX_GUARD(timer->base.lock);

    timer_disarm_locked(timer);
    if (deadline <= clock_now()) {
        waitable_change_locked(&timer->base, 0, ZX_TIMER_SIGNALED);
        return;
    }
    timer->armed = true;
    timer->deadline = timer->due = deadline;
    timer->slack = slack;
    if (deadline != TIME_INFINITE)
        timer_arm_locked(timer);
}

void timer_object_cancel(struct timer_object *timer) {
    MUTEX_GUARD(timer->base.lock);

    timer_disarm_locked(timer);
}

void timer_object_get_info(struct timer_object *timer, zx_info_timer_t *out_info) {
    MUTEX_GUARD(timer->base.lock);

    *out_info = (zx_info_timer_t){
        .options = timer->options,
        .deadline = timer->armed ? timer->deadline : 0,
        .slack = timer->armed ? timer->slack : 0,
    };
}

static void timer_object_on_zero_handles(struct waitable *object) {
    timer_object_cancel(timer_object_from(object));
}

/* Somebody who held a mere reference may have set it after the last handle went. */
static void timer_object_destroy(struct waitable *object) {
    struct timer_object *timer = timer_object_from(object);

    timer_cancel(&timer->timer);
    kheap_free_sized(timer, sizeof(*timer));
}

static const struct waitable_ops timer_object_ops = {
    .name = "timer",
    .type = ZX_OBJ_TYPE_TIMER,
    .can_wait = true,
    .default_rights = ZX_DEFAULT_TIMER_RIGHTS,
    .destroy = timer_object_destroy,
    .on_zero_handles = timer_object_on_zero_handles,
};

status_t timer_object_create(uint32_t options, struct timer_object **out_timer) {
    struct timer_object *timer = kheap_zalloc(sizeof(*timer));

    if (!timer)
        return ERR_NO_MEMORY;
    waitable_init(&timer->base, &timer_object_ops, 0);
    timer_init(&timer->timer, timer_object_expired);
    timer->options = options;
    timer->deferred.run = timer_object_run;
    *out_timer = timer;
    return OK;
}
