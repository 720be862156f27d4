/*
 * futex.c - one table of waiters for each process.
 *
 * The owner of a futex is a field of its oldest waiter, and passes to the next when
 * that leaves. An owner needs no reference: it counts what it owns, and takes itself
 * out when it dies, or is destroyed without having lived.
 */
#include "object/futex.h"

#include "arch/mmu.h"
#include "object/user_thread.h"
#include "sched/inherit.h"
#include "sched/mutex.h"
#include "sched/park.h"
#include "vm/kheap.h"
#include "vm/user_copy.h"

#define BUCKETS 32

struct futex_table {
    struct mutex lock;           /* RANK_FUTEX */
    struct list buckets[BUCKETS]; /* struct futex_waiter, oldest first */
};

/* On the waiting thread's stack. Under the table's lock. */
struct futex_waiter {
    struct list_node node;
    vaddr_t address;
    struct user_thread *owner; /* of the futex, in its oldest waiter; else NULL */
    struct parker parker;
    struct inherit_wait inherit; /* its owner is the futex's */
};

struct futex_table *futex_table_create(void) {
    struct futex_table *table = kheap_alloc(sizeof(*table));

    if (!table)
        return NULL;
    mutex_init(&table->lock, RANK_FUTEX, "futexes");
    for (unsigned i = 0; i < BUCKETS; i++)
        list_init(&table->buckets[i]);
    return table;
}

void futex_table_destroy(struct futex_table *table) { kheap_free(table); }

static struct list *bucket_of(struct futex_table *table, vaddr_t address) {
    return &table->buckets[(address >> 2 ^ address >> 12) % BUCKETS];
}

static bool address_is_valid(vaddr_t address) {
    return address != 0 && address % sizeof(uint32_t) == 0;
}

/* ---- Waiters of one word ---- */

ALWAYS_INLINE struct futex_waiter *next_of(const struct list *bucket, struct list_node *node,
                                    vaddr_t address) {
    for (; node; node = list_next(bucket, node)) {
        struct futex_waiter *waiter = list_entry(node, struct futex_waiter, node);
        if (waiter->address == address)
            return waiter;
    }
    return NULL;
}

ALWAYS_INLINE struct futex_waiter *oldest_locked(struct futex_table *table, vaddr_t address)
    REQUIRES(table->lock) {
    const struct list *bucket = bucket_of(table, address);

    return next_of(bucket, list_first(bucket), address);
}

static struct futex_waiter *younger_locked(struct futex_table *table, struct futex_waiter *waiter)
    REQUIRES(table->lock) {
    const struct list *bucket = bucket_of(table, waiter->address);

    return next_of(bucket, list_next(bucket, &waiter->node), waiter->address);
}

static bool waits_on_locked(struct futex_table *table, vaddr_t address,
                            const struct user_thread *thread) REQUIRES(table->lock) {
    for (struct futex_waiter *waiter = oldest_locked(table, address); waiter;
         waiter = younger_locked(table, waiter))
        if (waiter->parker.thread == &thread->thread)
            return true;
    return false;
}

/* ---- Owners ---- */

static void lend_locked(struct futex_table *table, struct futex_waiter *waiter,
                        struct user_thread *owner) REQUIRES(table->lock) {
    inherit_set_owner(&waiter->inherit, waiter->parker.thread, owner ? &owner->thread : NULL);
}

/* `oldest` is the futex's oldest waiter. */
static void record_owner_locked(struct futex_table *table, struct futex_waiter *oldest,
                                struct user_thread *owner) REQUIRES(table->lock) {
    if (oldest->owner)
        oldest->owner->futexes_owned--;
    if (owner)
        owner->futexes_owned++;
    oldest->owner = owner;
}

/* All waiters lend the owner their priorities. The dead own nothing. */
static void set_owner_locked(struct futex_table *table, struct futex_waiter *oldest,
                             struct user_thread *owner) REQUIRES(table->lock) {
    if (owner && owner->owns_no_futex)
        owner = NULL;
    if (oldest->owner == owner)
        return;
    record_owner_locked(table, oldest, owner);
    for (struct futex_waiter *waiter = oldest; waiter; waiter = younger_locked(table, waiter))
        lend_locked(table, waiter, owner);
}

ALWAYS_INLINE void set_owner_of_locked(struct futex_table *table, vaddr_t address,
                                struct user_thread *owner) REQUIRES(table->lock) {
    struct futex_waiter *oldest = oldest_locked(table, address);

    if (oldest && (oldest->owner || owner))
        set_owner_locked(table, oldest, owner);
}

/* The oldest waiter leaves: its owner passes to the next. */
static NOINLINE void pass_owner_locked(struct futex_table *table, struct futex_waiter *waiter)
    REQUIRES(table->lock) {
    struct futex_waiter *heir = younger_locked(table, waiter);

    if (heir)
        record_owner_locked(table, heir, waiter->owner);
    record_owner_locked(table, waiter, NULL);
}

ALWAYS_INLINE void unlink_locked(struct futex_table *table, struct futex_waiter *waiter)
    REQUIRES(table->lock) {
    if (unlikely(waiter->owner != NULL))
        pass_owner_locked(table, waiter);
    lend_locked(table, waiter, NULL);
    list_remove(&waiter->node);
}

/* The youngest waiter of its word, which has the owner that it had. */
static void link_locked(struct futex_table *table, struct futex_waiter *waiter)
    REQUIRES(table->lock) {
    list_add_tail(bucket_of(table, waiter->address), &waiter->node);
    struct futex_waiter *oldest = oldest_locked(table, waiter->address);
    if (oldest->owner)
        lend_locked(table, waiter, oldest->owner);
}

static status_t check_owner_locked(struct futex_table *table, vaddr_t address,
                                   const struct futex_owner *owner) REQUIRES(table->lock) {
    if (owner->status != OK)
        return owner->status;
    if (owner->thread && waits_on_locked(table, address, owner->thread))
        return ERR_INVALID_ARGS;
    return OK;
}

void futex_owner_gone(struct futex_table *table, struct user_thread *thread) {
    MUTEX_GUARD(&table->lock);

    thread->owns_no_futex = true;
    for (unsigned i = 0; i < BUCKETS && thread->futexes_owned > 0; i++) {
        list_for_each(node, &table->buckets[i]) {
            struct futex_waiter *waiter = list_entry(node, struct futex_waiter, node);
            if (waiter->owner == thread)
                set_owner_locked(table, waiter, NULL);
        }
    }
}

status_t futex_get_owner(struct futex_table *table, vaddr_t address, uint64_t *out_koid) {
    if (!address_is_valid(address) || address >= USER_TOP)
        return ERR_INVALID_ARGS;
    MUTEX_GUARD(&table->lock);
    struct futex_waiter *oldest = oldest_locked(table, address);

    *out_koid = oldest && oldest->owner ? oldest->owner->base.koid : 0;
    return OK;
}

/* ---- Waiting ---- */

/* ERR_INTERNAL_RETRY: the word could not be read without a fault. */
static status_t compare_locked(struct futex_table *table, vaddr_t address, uint32_t expected)
    REQUIRES(table->lock) {
    uint32_t value;

    if (!user_copy_in_u32_nofault((struct user_in){address}, &value))
        return ERR_INTERNAL_RETRY;
    return value == expected ? OK : ERR_BAD_STATE;
}

/* Compare and link. */
static status_t wait_begin(struct futex_table *table, struct futex_waiter *waiter,
                           uint32_t expected, const struct futex_owner *owner) {
    MUTEX_GUARD(&table->lock);

    status_t status = compare_locked(table, waiter->address, expected);
    if (status == OK)
        status = check_owner_locked(table, waiter->address, owner);
    if (status != OK)
        return status;
    link_locked(table, waiter);
    set_owner_of_locked(table, waiter->address, owner->thread);
    return OK;
}

/* True if a waker was earlier. */
static bool wait_end(struct futex_table *table, struct futex_waiter *waiter) {
    MUTEX_GUARD(&table->lock);

    if (!list_node_is_linked(&waiter->node))
        return true;
    unlink_locked(table, waiter);
    return false;
}

status_t futex_wait(struct futex_table *table, vaddr_t address, uint32_t expected,
                    struct futex_owner owner, nstime_t deadline) {
    struct futex_waiter waiter = {.address = address};
    status_t status;

    if (!address_is_valid(address))
        return ERR_INVALID_ARGS;
    park_prepare_for(&waiter.parker, address);
    while ((status = wait_begin(table, &waiter, expected, &owner)) == ERR_INTERNAL_RETRY) {
        status = user_touch_read(address);
        if (status != OK)
            return status;
    }
    if (status != OK)
        return status;
    status = thread_park(&waiter.parker, deadline, PARK_KILLABLE, BLOCK_FUTEX);
    if (status == OK || wait_end(table, &waiter))
        return OK;
    return status;
}

/* ---- Waking ---- */

ALWAYS_INLINE void end_hold(struct inherit_wait *hold) { inherit_end(hold, thread_current()); }
/* For the rest of a function that may take what the caller was lent, and then wakes. */
#define HOLD_PRIORITY()                                                                            \
    __attribute__((cleanup(end_hold))) struct inherit_wait hold_ = {.owner = NULL};                \
    inherit_hold(&hold_)

/* Wake up to `count` waiters of a word; the last that was woken, or NULL. */
ALWAYS_INLINE struct user_thread *wake_locked(struct futex_table *table, vaddr_t address,
                                              uint32_t count) REQUIRES(table->lock) {
    struct futex_waiter *waiter = oldest_locked(table, address);
    struct user_thread *woken = NULL;

    for (; waiter && count > 0; count--) {
        struct futex_waiter *next = count > 1 ? younger_locked(table, waiter) : NULL;
        woken = user_thread_of(waiter->parker.thread);
        unlink_locked(table, waiter);
        thread_unpark(&waiter->parker, OK);
        waiter = next;
    }
    return woken;
}

status_t futex_wake(struct futex_table *table, vaddr_t address, uint32_t count) {
    if (!address_is_valid(address))
        return ERR_INVALID_ARGS;
    MUTEX_GUARD(&table->lock);
    HOLD_PRIORITY();

    set_owner_of_locked(table, address, NULL);
    (void)wake_locked(table, address, count);
    return OK;
}

/* Who is woken is not freed while the lock is held: it must take itself out first. */
status_t futex_wake_single_owner(struct futex_table *table, vaddr_t address) {
    if (!address_is_valid(address))
        return ERR_INVALID_ARGS;
    MUTEX_GUARD(&table->lock);
    HOLD_PRIORITY();

    set_owner_of_locked(table, address, wake_locked(table, address, 1));
    return OK;
}

/* ---- Requeueing ---- */

static void move_locked(struct futex_table *table, vaddr_t from, vaddr_t to, uint32_t count)
    REQUIRES(table->lock) {
    struct futex_waiter *waiter = oldest_locked(table, from);

    for (; waiter && count > 0; count--) {
        struct futex_waiter *next = younger_locked(table, waiter);
        unlink_locked(table, waiter);
        waiter->address = to;
        link_locked(table, waiter);
        waiter = next;
    }
}

static status_t requeue_checked(struct futex_table *table, const struct futex_requeue *requeue) {
    MUTEX_GUARD(&table->lock);
    HOLD_PRIORITY();

    status_t status = compare_locked(table, requeue->from, requeue->expected);
    if (status == OK)
        status = check_owner_locked(table, requeue->from, &requeue->owner);
    if (status == OK)
        status = check_owner_locked(table, requeue->to, &requeue->owner);
    if (status != OK)
        return status;
    set_owner_of_locked(table, requeue->from, NULL);
    struct user_thread *woken = wake_locked(table, requeue->from, requeue->wake_count);
    move_locked(table, requeue->from, requeue->to, requeue->move_count);
    set_owner_of_locked(table, requeue->from, requeue->wake_owns ? woken : NULL);
    set_owner_of_locked(table, requeue->to, requeue->owner.thread);
    return OK;
}

status_t futex_requeue(struct futex_table *table, const struct futex_requeue *requeue) {
    status_t status;

    if (!address_is_valid(requeue->from) || !address_is_valid(requeue->to) ||
        requeue->from == requeue->to || requeue->to >= USER_TOP)
        return ERR_INVALID_ARGS;
    while ((status = requeue_checked(table, requeue)) == ERR_INTERNAL_RETRY) {
        status = user_touch_read(requeue->from);
        if (status != OK)
            return status;
    }
    return status;
}
