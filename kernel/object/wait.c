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

ALWAYS_INLINE void waiter_init(struct waiter *waiter, struct parker *parker,
                        const struct handle_table *table, uint32_t value, signals_t wanted) {
    waiter->observer.node.next = NULL; /* on no list */
    waiter->observer.wanted = wanted;
    waiter->observer.edge = false;
    waiter->observer.table = table;
    waiter->observer.handle_value = value;
    waiter->observer.fire = waiter_fire;
    waiter->parker = parker;
    waiter->observed = 0;
    waiter->fired = waiter->canceled = false;
}

/* The waiter takes a reference to the object. */
ALWAYS_INLINE void waiter_link(struct waiter *waiter, struct waitable *object) {
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

/* Where wait_one goes on after its look at the handle. */
#define WAIT_LINKED ERR_INTERNAL

/*
 * Link the waiter of wait_one (WAIT_LINKED), or answer at once: a poll (deadline 0) and
 * a wish that is true already need no link.
 */
ALWAYS_INLINE status_t wait_one_begin(struct handle_table *table, uint32_t value,
                                      signals_t wanted, nstime_t deadline, struct waiter *waiter,
                                      struct parker *parker, signals_t *out_observed) {
    MUTEX_GUARD(&table->lock);
    struct waitable *object;

    status_t status = wait_find_locked(table, value, &object);
    if (unlikely(status != OK))
        return status;
    *out_observed = waitable_signals(object);
    if (*out_observed & wanted)
        return OK;
    if (unlikely(deadline <= 0))
        return ERR_TIMED_OUT;
    park_prepare_for(parker, (uintptr_t)object);
    waiter_init(waiter, parker, table, value, wanted);
    waiter_link(waiter, object);
    return WAIT_LINKED;
}

/* The park ended by itself, though meanwhile the waiter may have fired. */
static NOINLINE status_t wait_one_end(struct waiter *waiter, status_t status) {
    waiter->observed = waiter_unlink(waiter);
    return waiter->fired ? OK : status;
}

struct wait_result wait_one(struct handle_table *table, uint32_t handle_value, signals_t wanted,
                            nstime_t deadline) {
    struct waiter waiter;
    struct parker parker;

    signals_t observed = 0;

    status_t status =
        wait_one_begin(table, handle_value, wanted, deadline, &waiter, &parker, &observed);
    if (status != WAIT_LINKED)
        return (struct wait_result){status, observed};
    status = thread_park(&parker, deadline, PARK_KILLABLE, BLOCK_WAIT_ONE);
    if (unlikely(status != OK)) /* else it has fired, and is linked no more */
        status = wait_one_end(&waiter, status);
    if (unlikely(waiter.canceled))
        status = ERR_CANCELED;
    observed = waiter.observed | waitable_signals(waiter.observer.object);
    waitable_unref(waiter.observer.object);
    return (struct wait_result){status, observed};
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
        if (set->linked == 0)
            set->parker.target = object->koid;
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
