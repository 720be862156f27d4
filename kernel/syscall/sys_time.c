/*
 * sys_time.c - clocks, sleeping, timers.
 */
#include "arch/clock.h"
#include "object/timer_object.h"
#include "object/user_thread.h"
#include "sched/park.h"
#include "sched/sched.h"
#include "syscall/sys_util.h"

status_t sys_clock_get(uint32_t clock_id, struct user_out out) {
    nstime_t now;

    switch (clock_id) {
    case ZX_CLOCK_MONOTONIC:
    case ZX_CLOCK_UTC: /* nobody has told the time of day: it counts from boot */
        now = clock_now();
        break;
    case ZX_CLOCK_THREAD:
        now = thread_runtime(thread_current());
        break;
    default:
        return ERR_INVALID_ARGS;
    }
    return user_copy_out_u64(out, (uint64_t)now);
}

status_t sys_nanosleep(int64_t deadline) {
    if (deadline > 0)
        return thread_sleep_until(deadline);
    sched_yield();
    return OK;
}

status_t sys_thread_legacy_yield(uint32_t options) {
    if (options != 0)
        return ERR_INVALID_ARGS;
    sched_yield();
    return OK;
}

/* ---- timers ---- */

status_t sys_timer_create(uint32_t options, uint32_t clock_id, struct user_out out) {
    struct timer_object *timer;

    if (clock_id != ZX_CLOCK_MONOTONIC)
        return ERR_INVALID_ARGS;
    status_t status = policy_check(ZX_POL_NEW_TIMER);
    if (status == OK)
        status = options > ZX_TIMER_SLACK_LATE ? ERR_INVALID_ARGS
                                               : timer_object_create(options, &timer);
    return status != OK ? status : sys_publish_new(out, &timer->base);
}

status_t sys_timer_set(uint32_t handle, int64_t deadline, int64_t slack) {
    AUTO(waitable) object = NULL;

    if (slack < 0)
        return ERR_OUT_OF_RANGE;
    status_t status = sys_lookup(handle, ZX_OBJ_TYPE_TIMER, ZX_RIGHT_WRITE, &object);
    if (status == OK)
        timer_object_set(timer_object_from(object), deadline,
                         MAX(slack, process_current()->policy.min_slack));
    return status;
}

status_t sys_timer_cancel(uint32_t handle) {
    AUTO(waitable) object = NULL;

    status_t status = sys_lookup(handle, ZX_OBJ_TYPE_TIMER, ZX_RIGHT_WRITE, &object);
    if (status == OK)
        timer_object_cancel(timer_object_from(object));
    return status;
}
