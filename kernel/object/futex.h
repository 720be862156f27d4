/*
 * futex.h - threads of one process that sleep on words of its memory.
 *
 * A futex is nothing but its waiters: they lie on their threads' stacks and hang
 * in the process's table by address. The word is compared under the table's lock,
 * so a wake cannot fall between comparing and sleeping. Who owns a futex is known to
 * its oldest waiter; so an owner is there only while somebody waits.
 */
#pragma once

#include "lib/types.h"

struct futex_table;
struct user_thread;

/* NULL: no memory. */
struct futex_table *futex_table_create(void) NODISCARD;
/* Nobody waits any more. NULL is fine. */
void futex_table_destroy(struct futex_table *table);

/* Who shall own the futex, as far as the caller could look it up. */
struct futex_owner {
    status_t status;            /* why it is no good; told only if the value is right */
    struct user_thread *thread; /* NULL: nobody */
};
/*
 * ERR_INVALID_ARGS (address), ERR_BAD_STATE (other value), the owner's status,
 * ERR_INVALID_ARGS (the owner waits on this futex), ERR_TIMED_OUT, ERR_INTERNAL_*.
 */
status_t futex_wait(struct futex_table *table, vaddr_t address, uint32_t expected,
                    struct futex_owner owner, nstime_t deadline);
/* Wake up to `count` waiters, oldest first; nobody owns it then. ERR_INVALID_ARGS (address). */
status_t futex_wake(struct futex_table *table, vaddr_t address, uint32_t count);
/* Wake the oldest waiter, which owns the futex then. ERR_INVALID_ARGS (address). */
status_t futex_wake_single_owner(struct futex_table *table, vaddr_t address);

/* Wake some of those that wait on one word, and have others wait on a second one. */
struct futex_requeue {
    vaddr_t from, to;
    uint32_t expected;   /* at `from` */
    uint32_t wake_count; /* 1 if wake_owns */
    uint32_t move_count;
    bool wake_owns;      /* who is woken owns `from` */
    struct futex_owner owner; /* of `to` */
};
/* ERR_INVALID_ARGS (addresses), ERR_BAD_STATE, the owner's status, ERR_INVALID_ARGS (it waits). */
status_t futex_requeue(struct futex_table *table, const struct futex_requeue *requeue);

/* 0: nobody. ERR_INVALID_ARGS (address). */
status_t futex_get_owner(struct futex_table *table, vaddr_t address, uint64_t *out_koid);
/* The thread is dead, or was never alive: it owns nothing any more. */
void futex_owner_gone(struct futex_table *table, struct user_thread *thread);
