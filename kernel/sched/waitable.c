/*
 * waitable.c - references, handle counts, and telling observers.
 */
#include "sched/waitable.h"

#include "sched/thread.h"

static _Atomic uint64_t next_koid = 1024; /* ZX_KOID_FIRST */
static _Atomic uint64_t live_objects[OBJECT_TYPES_MAX];

uint64_t koid_next(void) {
    return atomic_fetch_add_explicit(&next_koid, 1, memory_order_relaxed);
}

uint64_t waitable_live_count(uint32_t type) {
    return atomic_load_explicit(&live_objects[type], memory_order_relaxed);
}

uint64_t waitable_live_total(void) {
    uint64_t sum = 0;
    for (uint32_t type = 0; type < OBJECT_TYPES_MAX; type++)
        sum += waitable_live_count(type);
    return sum;
}

void waitable_init_shared(struct waitable *object, const struct waitable_ops *ops,
                          struct mutex *lock, signals_t signals) {
    object->ops = ops;
    object->koid = koid_next();
    ref_init(&object->refs);
    atomic_init(&object->handle_count, 0);
    object->lock = lock;
    atomic_init(&object->signals, signals);
    list_init(&object->observers);
#ifdef JX_DEBUG
    object->stamp = object;
#endif
    atomic_fetch_add_explicit(&live_objects[ops->type], 1, memory_order_relaxed);
}

void waitable_init(struct waitable *object, const struct waitable_ops *ops, signals_t signals) {
    mutex_init(&object->own_lock, RANK_OBJECT, ops->name);
    waitable_init_shared(object, ops, &object->own_lock, signals);
}

static void waitable_destroy(struct waitable *object) {
    DEBUG_ASSERT(list_is_empty(&object->observers));
    DEBUG_ASSERT(atomic_load(&object->handle_count) == 0);
    atomic_fetch_sub_explicit(&live_objects[object->ops->type], 1, memory_order_relaxed);
    object->ops->destroy(object);
}

/*
 * The first dead object of a chain is destroyed here; what its destruction lets
 * die is queued and destroyed in this same loop, so the stack stays flat.
 */
void waitable_unref_last(struct waitable *object) {
    struct thread *thread = thread_current();
    if (thread->unref_draining) {
        list_add_tail(&thread->unref_queue, &object->drain_node);
        return;
    }
    thread->unref_draining = true;
    while (object) {
        waitable_destroy(object);
        object = list_pop_entry(&thread->unref_queue, struct waitable, drain_node);
    }
    thread->unref_draining = false;
}

void waitable_release_handle(struct waitable *object) {
    waitable_drop_handle(object);
    waitable_unref(object);
}

void waitable_drop_handle(struct waitable *object) {
    uint32_t before =
        atomic_fetch_sub_explicit(&object->handle_count, 1, memory_order_acq_rel);
    ASSERT(before != 0);
    if (before == 1 && object->ops->on_zero_handles)
        object->ops->on_zero_handles(object);
}

static NOINLINE void fire_each_locked(struct waitable *object, signals_t now, signals_t newly)
    REQUIRES(*object->lock) {
    list_for_each_safe(node, &object->observers) {
        struct observer *observer = list_entry(node, struct observer, node);
        if (!(observer->wanted & (observer->edge ? newly : now)))
            continue;
        list_remove(node);
        observer->fire(observer, now, false);
    }
}

/* One is the usual number. */
void waitable_fire_locked(struct waitable *object, signals_t now, signals_t newly) {
    struct list_node *first = object->observers.head.next;
    if (unlikely(first->next != &object->observers.head)) {
        fire_each_locked(object, now, newly);
        return;
    }
    struct observer *observer = list_entry(first, struct observer, node);
    if (!(observer->wanted & (observer->edge ? newly : now)))
        return;
    list_remove(first);
    observer->fire(observer, now, false);
}

void waitable_change(struct waitable *object, signals_t clear, signals_t set) {
    MUTEX_GUARD(object->lock);
    waitable_change_locked(object, clear, set);
}

void waitable_pulse_locked(struct waitable *object, signals_t pulse) {
    signals_t now = waitable_signals(object);
    if (!list_is_empty(&object->observers))
        waitable_fire_locked(object, now | pulse, pulse & ~now);
}

void waitable_cancel_observers(struct waitable *object, const void *table,
                               uint32_t handle_value) {
    MUTEX_GUARD(object->lock);
    list_for_each_safe(node, &object->observers) {
        struct observer *observer = list_entry(node, struct observer, node);
        if (observer->table != table || observer->handle_value != handle_value)
            continue;
        list_remove(node);
        observer->fire(observer, waitable_signals(object) | SIGNAL_HANDLE_CLOSED, true);
    }
    if (list_is_empty(&object->observers))
        atomic_store_explicit(&object->watched, false, memory_order_relaxed);
}
