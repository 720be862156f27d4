/*
 * lock_rank.c - the run-time check of the order of locks.
 *
 * Each list holds what one thread (mutexes) or one CPU (spinlocks) has taken, in
 * the order of taking. A new lock's rank must be above the highest held one; a
 * try-lock cannot wait and so is exempt, but counts for what follows. A list that
 * overflows drops the check of the surplus, never a lock.
 */
#include "arch/lock_rank.h"

#include "arch/cpu.h"
#include "lib/assert.h"
#include "lib/log.h"

static lock_rank_reporter *reporter;
static lock_release_hook *release_hook;

lock_rank_reporter *lock_rank_set_reporter(lock_rank_reporter *hook) {
    lock_rank_reporter *before = reporter;

    reporter = hook;
    return before;
}

void lock_rank_set_release_hook(lock_release_hook *hook) { release_hook = hook; }

static const struct held_lock *highest(const struct held_locks *held) {
    const struct held_lock *best = NULL;

    for (unsigned i = 0; i < held->count && i < HELD_LOCKS_MAX; i++)
        if (!best || held->entries[i].rank >= best->rank)
            best = &held->entries[i];
    return best;
}

static void report(const struct held_lock *holding, const struct held_lock *taking) {
    if (reporter) {
        reporter(holding, taking);
        return;
    }
    panic("lock order: taking %s (rank %d, %p) while holding %s (rank %d, %p)", taking->name,
          taking->rank, taking->lock, holding->name, holding->rank, holding->lock);
}

#ifdef JX_DEBUG
static void count_acquired(enum lock_rank rank) {
    if ((unsigned)rank < LOCK_RANKS)
        atomic_fetch_add_explicit(&cpu_this()->locks.acquired[rank], 1, memory_order_relaxed);
}
#else
static void count_acquired(enum lock_rank rank) {}
#endif

void held_locks_push(struct held_locks *held, const void *lock, const char *name,
                     enum lock_rank rank, bool is_try) {
    struct held_lock taking = {lock, name, rank};
    const struct held_lock *holding = highest(held);

    count_acquired(rank);
    if (holding && !is_try && rank != RANK_NONE && holding->rank >= rank)
        report(holding, &taking);
    if (held->count < HELD_LOCKS_MAX)
        held->entries[held->count] = taking;
    held->count++;
}

void held_locks_pop(struct held_locks *held, const void *lock) {
    unsigned kept = MIN(held->count, (unsigned)HELD_LOCKS_MAX);

    ASSERT(held->count > 0);
    for (unsigned i = kept; unlikely(release_hook != NULL) && i-- > 0;)
        if (held->entries[i].lock == lock)
            release_hook(&held->entries[i]);
    held->count--;
    for (unsigned i = kept; i-- > 0;) {
        if (held->entries[i].lock != lock)
            continue;
        for (; i + 1 < kept; i++)
            held->entries[i] = held->entries[i + 1];
        return;
    }
    ASSERT(held->count >= HELD_LOCKS_MAX); /* it was one of the surplus */
}

void held_locks_dump(const struct held_locks *held) {
    if (held->count == 0)
        log_error("  no lock");
    for (unsigned i = 0; i < held->count && i < HELD_LOCKS_MAX; i++)
        log_error("  %s (rank %d, %p)", held->entries[i].name, held->entries[i].rank,
                  held->entries[i].lock);
}
