/*
 * futex.h - threads of one process that sleep on words of its memory.
 *
 * A futex is nothing but its waiters: they lie on their threads' stacks and hang
 * in the process's table by address. The word is compared under the table's lock,
 * so a wake cannot fall between comparing and sleeping.
 */
#pragma once

#include "lib/types.h"

struct futex_table;
struct thread;

/* NULL: no memory. */
struct futex_table *futex_table_create(void) NODISCARD;
/* Nobody waits any more. NULL is fine. */
void futex_table_destroy(struct futex_table *table);

/* Who shall own the futex, as far as the caller could look it up. */
struct futex_owner {
    status_t status;             /* why it is no good; told only if the value is right */
    const struct thread *thread; /* NULL: nobody */
};
/*
 * ERR_INVALID_ARGS (address), ERR_BAD_STATE (other value), the owner's status,
 * ERR_INVALID_ARGS (the owner waits on this futex), ERR_TIMED_OUT, ERR_INTERNAL_*.
 */
status_t futex_wait(struct futex_table *table, vaddr_t address, uint32_t expected,
                    struct futex_owner owner, nstime_t deadline);
/* Wake up to `count` waiters, oldest first. ERR_INVALID_ARGS (address). */
status_t futex_wake(struct futex_table *table, vaddr_t address, uint32_t count);
