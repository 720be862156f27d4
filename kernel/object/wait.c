/*
 * wait.c - wait_one and wait_many.
 */
#include "object/wait.h"

#include "sched/park.h"
#include "vm/kheap.h"

struct waiter {
    struct observer observer;
    struct parker *parker;
    signals_t observed; /* when it fired */
    bool fired, canceled;
};

static void waiter_fire(struct observer *observer, signals_t observed, bool canceled) {
    struct waiter *waiter = container_of(observer, struct waiter, observer);

    waiter->observed = observed;
    waiter->fired = true;
    waiter->canceled = canceled;
    thread_unpark(waiter->parker, OK);
}

static void waiter_init(struct waiter *waiter, struct parker *parker,
                        const struct handle_table *table, uint32_t value, signals_t wanted) {
    *waiter = (struct waiter){
        .observer = {.wanted = wanted, .table = table, .handle_value = value, .fire = waiter_fire},
        .parker = parker,
    };
}

/* The waiter takes a reference to the object. */
static void waiter_link(struct waiter *waiter, struct waitable *object) {
    waitable_ref(object);
    MUTEX_GUARD(object->lock);
    waitable_observe_locked(object, &waiter->observer);
}

/* The end of a wait: all signals that it has seen. The reference stays. */
static signals_t waiter_unlink(struct waiter *waiter) {
    struct waitable *object = waiter->observer.object;
    MUTEX_GUARD(object->lock);

    waitable_unobserve_locked(object, &waiter->observer);
    return waiter->observed | waitable_signals(object);
}

status_t wait_find_locked(struct handle_table *table, uint32_t value,
                          struct waitable **out_object) {
    struct handle handle;

    status_t status = handle_table_find_locked(table, value, &handle);
    if (status != OK)
        return status;
    if (!(handle.rights & ZX_RIGHT_WAIT))
        return ERR_ACCESS_DENIED;
    if (!handle.object->ops->can_wait)
        return ERR_NOT_SUPPORTED;
    *out_object = handle.object;
    return OK;
}

/*
 * Link the waiter of wait_one, or answer at once: *out_done says which. A poll
 * (deadline 0) and a wish that is true already need no link.
 */
static status_t wait_one_begin(struct handle_table *table, struct waiter *waiter,
                               nstime_t deadline, bool *out_done, signals_t *out_observed) {
    MUTEX_GUARD(&table->lock);
    struct waitable *object;

    *out_done = true;
    status_t status = wait_find_locked(table, waiter->observer.handle_value, &object);
    if (status != OK)
        return status;
    signals_t now = waitable_signals(object);
    bool satisfied = (now & waiter->observer.wanted) != 0;
    if (satisfied || deadline <= 0) {
        *out_observed = now;
        return satisfied ? OK : ERR_TIMED_OUT;
    }
    *out_done = false;
    waiter_link(waiter, object);
    return OK;
}

status_t wait_one(struct handle_table *table, uint32_t handle_value, signals_t wanted,
                  nstime_t deadline, signals_t *out_observed) {
    struct waiter waiter;
    struct parker parker;
    bool done;

    park_prepare(&parker);
    waiter_init(&waiter, &parker, table, handle_value, wanted);
    status_t status = wait_one_begin(table, &waiter, deadline, &done, out_observed);
    if (done)
        return status;
    status = thread_park(&parker, deadline, PARK_KILLABLE, BLOCK_WAIT_ONE);
    signals_t observed = waiter_unlink(&waiter);
    if (waiter.fired)
        status = waiter.canceled ? ERR_CANCELED : OK;
    waitable_unref(waiter.observer.object);
    if (status == OK || status == ERR_TIMED_OUT || status == ERR_CANCELED)
        *out_observed = observed;
    return status;
}

/* ---- wait_many ---- */

/* How many waiters lie on the stack; more come from the heap. */
#define WAITERS_ON_STACK 8

struct wait_set {
    struct handle_table *table;
    zx_wait_item_t *items;
    size_t count;
    struct waiter *waiters;
    size_t linked; /* the first so many have a reference and may be on a list */
    struct parker parker;
};

static status_t set_link(struct wait_set *set) {
    MUTEX_GUARD(&set->table->lock);

    for (; set->linked < set->count; set->linked++) {
        const zx_wait_item_t *item = &set->items[set->linked];
        struct waiter *waiter = &set->waiters[set->linked];
        struct waitable *object;
        status_t status = wait_find_locked(set->table, item->handle, &object);
        if (status != OK)
            return status;
        waiter_init(waiter, &set->parker, set->table, item->handle, item->waitfor);
        waiter_link(waiter, object);
    }
    return OK;
}

/* Unlink all; what fired outweighs the reason for which the park ended. */
static status_t set_unlink(struct wait_set *set, status_t status) {
    bool fired = false, canceled = false;

    for (size_t i = 0; i < set->linked; i++) {
        struct waiter *waiter = &set->waiters[i];
        set->items[i].pending = waiter_unlink(waiter);
        fired |= waiter->fired;
        canceled |= waiter->canceled;
        waitable_unref(waiter->observer.object);
    }
    return canceled ? ERR_CANCELED : fired ? OK : status;
}

static status_t set_wait(struct wait_set *set, nstime_t deadline) {
    park_prepare(&set->parker);
    status_t status = set_link(set);
    if (status != OK) {
        (void)set_unlink(set, status);
        return status;
    }
    status = thread_park(&set->parker, deadline, PARK_KILLABLE, BLOCK_WAIT_MANY);
    return set_unlink(set, status);
}

static status_t wait_nothing(nstime_t deadline) {
    status_t status = thread_sleep_until(deadline);

    return status == OK ? ERR_TIMED_OUT : status;
}

static status_t wait_few(struct wait_set *set, nstime_t deadline) {
    struct waiter waiters[WAITERS_ON_STACK];

    set->waiters = waiters;
    return set_wait(set, deadline);
}

status_t wait_many(struct handle_table *table, zx_wait_item_t *items, size_t count,
                   nstime_t deadline) {
    struct wait_set set = {.table = table, .items = items, .count = count};

    if (count == 0)
        return wait_nothing(deadline);
    if (count <= WAITERS_ON_STACK)
        return wait_few(&set, deadline);
    set.waiters = kheap_alloc(count * sizeof(*set.waiters));
    if (!set.waiters)
        return ERR_NO_MEMORY;
    status_t status = set_wait(&set, deadline);
    kheap_free(set.waiters);
    return status;
}
