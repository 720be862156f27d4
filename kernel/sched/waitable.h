/*
 * waitable.h - the head of every kernel object: references, handles, signals,
 * and who is told when signals change.
 *
 * References keep memory alive, handles keep meaning: when the last handle goes,
 * ops->on_zero_handles ends the object's work; when the last reference goes,
 * ops->destroy frees it. An unref that reaches zero queues the object on the
 * running thread, and the outermost unref drains the queue, so a chain of any
 * length is destroyed without recursion. No lock may be held at an unref that
 * could be the last (destroy may take any lock).
 *
 * `lock` guards signals and observers and usually the object's own state too; the
 * two ends of a pair share one. Type, koid and handle count are here, and not in
 * object/, because a handle needs one head to point to and vm embeds it.
 */
#pragma once

#include <stdatomic.h>

#include "lib/list.h"
#include "lib/ref.h"
#include "lib/scope.h"
#include "sched/mutex.h"

struct waitable;
typedef uint32_t signals_t;
typedef uint32_t rights_t;

struct waitable_ops {
    const char *name;           /* "channel" */
    uint32_t type;              /* ZX_OBJ_TYPE_* */
    bool can_wait;              /* ZX_OBJ_PROP_WAITABLE */
    bool has_peer;              /* object_signal_peer is allowed */
    signals_t settable;         /* beyond the user signals, for object_signal(_peer) */
    rights_t default_rights;
    void (*destroy)(struct waitable *object);
    void (*on_zero_handles)(struct waitable *object);        /* no lock held; may be NULL */
    uint64_t (*related_koid)(const struct waitable *object); /* NULL: 0 */
    char *(*name_storage)(struct waitable *object);          /* 32 bytes, under lock; NULL: none */
    /* With a reference, or NULL if gone. NULL function: never a peer. */
    struct waitable *(*peer)(struct waitable *object);
};

struct waitable {
    const struct waitable_ops *ops; /* set once */
    uint64_t koid;                  /* set once */
    struct ref refs;
    _Atomic uint32_t handle_count;  /* including handles in transit */
    struct mutex *lock;             /* set once: own_lock, or the pair's */
    struct list_node drain_node;    /* while waiting to be destroyed */

    /* Under *lock. */
    _Atomic bool watched;           /* observers may not be empty; set before the first joins */
    _Atomic signals_t signals;      /* may be read without */
    struct list observers;          /* struct observer */

    struct mutex own_lock;          /* RANK_OBJECT; unused when lock points elsewhere */
#ifdef JX_DEBUG
    const struct waitable *stamp;   /* its own address, for P01 */
#endif
};

/* An object never moves (P01): checked at each reference and each lookup in debug builds. */
ALWAYS_INLINE void waitable_assert_in_place(const struct waitable *object) {
#ifdef JX_DEBUG
    ASSERT(object->stamp == object);
#else
    (void)object;
#endif
}

#define SIGNAL_HANDLE_CLOSED ((signals_t)0x800000)
#define SIGNALS_USER         ((signals_t)0xff000000)

/*
 * One who waits. Linked on the object under its lock; never freed while linked.
 * `fire` is called under the object's lock, already unlinked, with all active
 * signals (the pulse included); with canceled, the handle went away and
 * SIGNAL_HANDLE_CLOSED is among them.
 */
struct observer {
    struct list_node node;
    struct waitable *object;  /* whoever registers holds the reference */
    signals_t wanted;
    bool edge;                /* only a change from inactive to active fires */
    const void *table;        /* the handle table and the value through which it waits: */
    uint32_t handle_value;    /* close and transfer cancel by these */
    void (*fire)(struct observer *observer, signals_t observed, bool canceled);
};

/* Set up a zeroed object: one reference, no handle, a fresh koid. */
void waitable_init(struct waitable *object, const struct waitable_ops *ops, signals_t signals);
/* The same with a lock shared by a pair; `lock` outlives the object. */
void waitable_init_shared(struct waitable *object, const struct waitable_ops *ops,
                          struct mutex *lock, signals_t signals);
uint64_t koid_next(void);

ALWAYS_INLINE void waitable_ref(struct waitable *object) {
    waitable_assert_in_place(object);
    ref_get(&object->refs);
}
void waitable_unref_last(struct waitable *object); /* the count has just reached zero */
ALWAYS_INLINE void waitable_unref(struct waitable *object) {
    if (unlikely(ref_put(&object->refs)))
        waitable_unref_last(object);
}
AUTO_RELEASE(waitable, waitable_unref)

/* Counts of handles: raised while a reference is held. */
ALWAYS_INLINE void waitable_add_handle(struct waitable *object) {
    atomic_fetch_add_explicit(&object->handle_count, 1, memory_order_relaxed);
}
/* The last one calls on_zero_handles. No lock held. Keeps the reference. */
void waitable_drop_handle(struct waitable *object);
/* The same, and the reference. */
void waitable_release_handle(struct waitable *object);

ALWAYS_INLINE signals_t waitable_signals(const struct waitable *object) {
    return atomic_load_explicit(&object->signals, memory_order_acquire);
}
/* There are observers: fire all whose wish is in `now` (edge observers: in `newly`). */
void waitable_fire_locked(struct waitable *object, signals_t now, signals_t newly)
    REQUIRES(*object->lock);
/* Clear, then set, as one change; fires observers. */
ALWAYS_INLINE void waitable_change_locked(struct waitable *object, signals_t clear, signals_t set)
    REQUIRES(*object->lock) {
    signals_t before = atomic_load_explicit(&object->signals, memory_order_relaxed);
    signals_t after = (before & ~clear) | set;
    atomic_store_explicit(&object->signals, after, memory_order_release);
    if ((after & ~before) && !list_is_empty(&object->observers))
        waitable_fire_locked(object, after, after & ~before);
}
void waitable_change(struct waitable *object, signals_t clear, signals_t set);
/* Fire observers as if `pulse` had been active for a moment. */
void waitable_pulse_locked(struct waitable *object, signals_t pulse) REQUIRES(*object->lock);

/*
 * Link an observer, in the first form without a look at the signals. If a wanted signal is active already and it is not an edge
 * observer, it fires at once and is not linked; returns whether it was linked.
 */
ALWAYS_INLINE void waitable_join_observers_locked(struct waitable *object,
                                                  struct observer *observer)
    REQUIRES(*object->lock) {
    observer->object = object;
    atomic_store_explicit(&object->watched, true, memory_order_relaxed);
    list_add_tail(&object->observers, &observer->node);
}
ALWAYS_INLINE bool waitable_observe_locked(struct waitable *object, struct observer *observer)
    REQUIRES(*object->lock) {
    signals_t now = waitable_signals(object);
    observer->object = object;
    if (!observer->edge && (observer->wanted & now)) {
        observer->fire(observer, now, false);
        return false;
    }
    waitable_join_observers_locked(object, observer);
    return true;
}
/* Unlink if linked; true if it was. */
ALWAYS_INLINE bool waitable_unobserve_locked(struct waitable *object, struct observer *observer)
    REQUIRES(*object->lock) {
    if (!list_node_is_linked(&observer->node))
        return false;
    list_remove(&observer->node);
    return true;
}
/*
 * Cancel every observer that waits through this handle of this table. No lock held.
 * Who waits through a handle joins while the table's lock is held, and the handle left
 * the table under that lock before this: so `watched` needs no lock to be believed.
 */
void waitable_cancel_observers(struct waitable *object, const void *table, uint32_t handle_value);
ALWAYS_INLINE void waitable_cancel_handle(struct waitable *object, const void *table,
                                          uint32_t handle_value) {
    if (unlikely(atomic_load_explicit(&object->watched, memory_order_relaxed)))
        waitable_cancel_observers(object, table, handle_value);
}

/* Objects alive by type, for balance checks and statistics. */
#define OBJECT_TYPES_MAX 64
uint64_t waitable_live_count(uint32_t type);
uint64_t waitable_live_total(void);
