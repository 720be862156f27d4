/*
 * futex.c - one table of waiters for each process.
 */
#include "object/futex.h"

#include "arch/mmu.h"
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
    struct parker parker;
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

static bool owner_waits_locked(const struct list *bucket, vaddr_t address,
                               const struct thread *owner) {
    list_for_each(node, bucket) {
        const struct futex_waiter *waiter = list_entry(node, struct futex_waiter, node);
        if (waiter->address == address && waiter->parker.thread == owner)
            return true;
    }
    return false;
}

/* Compare and link. *out_absent: the word could not be read without a fault. */
static status_t wait_begin(struct futex_table *table, struct futex_waiter *waiter,
                           uint32_t expected, struct futex_owner owner, bool *out_absent) {
    struct list *bucket = bucket_of(table, waiter->address);
    MUTEX_GUARD(&table->lock);
    uint32_t value;

    *out_absent = !user_copy_in_u32_nofault((struct user_in){waiter->address}, &value);
    if (*out_absent)
        return OK;
    if (value != expected)
        return ERR_BAD_STATE;
    if (owner.status != OK)
        return owner.status;
    if (owner.thread && owner_waits_locked(bucket, waiter->address, owner.thread))
        return ERR_INVALID_ARGS;
    list_add_tail(bucket, &waiter->node);
    return OK;
}

/* True if a waker was earlier. */
static bool wait_end(struct futex_table *table, struct futex_waiter *waiter) {
    MUTEX_GUARD(&table->lock);

    if (!list_node_is_linked(&waiter->node))
        return true;
    list_remove(&waiter->node);
    return false;
}

status_t futex_wait(struct futex_table *table, vaddr_t address, uint32_t expected,
                    struct futex_owner owner, nstime_t deadline) {
    struct futex_waiter waiter = {.address = address};
    bool absent;

    if (!address_is_valid(address))
        return ERR_INVALID_ARGS;
    park_prepare(&waiter.parker);
    for (;;) {
        status_t status = wait_begin(table, &waiter, expected, owner, &absent);
        if (status != OK)
            return status;
        if (!absent)
            break;
        status = user_touch_read(address);
        if (status != OK)
            return status;
    }
    status_t status = thread_park(&waiter.parker, deadline, PARK_KILLABLE, BLOCK_FUTEX);
    if (status == OK || wait_end(table, &waiter))
        return OK;
    return status;
}

status_t futex_wake(struct futex_table *table, vaddr_t address, uint32_t count) {
    if (!address_is_valid(address))
        return ERR_INVALID_ARGS;
    MUTEX_GUARD(&table->lock);
    list_for_each_safe(node, bucket_of(table, address)) {
        struct futex_waiter *waiter = list_entry(node, struct futex_waiter, node);
        if (count == 0)
            break;
        if (waiter->address != address)
            continue;
        list_remove(node);
        thread_unpark(&waiter->parker, OK);
        count--;
    }
    return OK;
}
