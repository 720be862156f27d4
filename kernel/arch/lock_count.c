/*
 * lock_count.c - how often locks were taken and waited for, by rank (lock_rank.h).
 *
 * A thread may be moved to another CPU while it counts, so counting is atomic; it
 * happens in slow paths and in debug builds only.
 */
#include "arch/cpu.h"
#include "lib/log.h"

static const char *const names[LOCK_RANKS] = {
    [RANK_AUDIT] = "audit",
    [RANK_TRACE] = "trace",
    [RANK_TASKS] = "tasks",
    [RANK_PROCESS] = "process",
    [RANK_THREAD] = "thread",
    [RANK_HANDLE_TABLE] = "handle-table",
    [RANK_FAMILY] = "family",
    [RANK_OBJECT] = "object",
    [RANK_PORT] = "port",
    [RANK_FUTEX] = "futex",
    [RANK_STREAM] = "stream",
    [RANK_CONTENT] = "vmo content",
    [RANK_ASPACE] = "aspace",
    [RANK_VMO] = "vmo",
    [RANK_VMO_LENDER] = "vmo-lender",
    [RANK_SOURCE] = "source",
    [RANK_RECLAIM] = "reclaim",
    [RANK_MMU] = "mmu",
    [RANK_KVA] = "kva",
    [RANK_REGISTRY] = "registry",
    [RANK_HEAP] = "heap",
    [RANK_PMM] = "pmm",
    [RANK_IRQ] = "irq",
    [RANK_TIMER] = "timer",
    [RANK_MUTEX_WAIT] = "mutex-wait",
    [RANK_INHERIT] = "inherit",
    [RANK_WAIT] = "wait",
    [RANK_RUN] = "run",
    [RANK_LEAF] = "leaf",
};

const char *lock_rank_name(enum lock_rank rank) {
    return (unsigned)rank < LOCK_RANKS && names[rank] ? names[rank] : "?";
}

void lock_count_contended(enum lock_rank rank) {
    atomic_fetch_add_explicit(&cpu_this()->locks.contended[rank % LOCK_RANKS], 1,
                              memory_order_relaxed);
}

static void add_counts(struct lock_count *sum, unsigned rank) {
    for (unsigned id = 0; id < cpu_count(); id++) {
        struct lock_counters *locks = &cpu_get(id)->locks;
        sum->contended += atomic_load_explicit(&locks->contended[rank], memory_order_relaxed);
#ifdef JX_DEBUG
        sum->acquired += atomic_load_explicit(&locks->acquired[rank], memory_order_relaxed);
#endif
    }
}

struct lock_count lock_count(enum lock_rank rank) {
    struct lock_count sum = {0, 0};
    for (unsigned i = 0; i < LOCK_RANKS; i++)
        if (rank == RANK_NONE || rank == i)
            add_counts(&sum, i);
    return sum;
}

static void log_count(const char *name, struct lock_count count) {
#ifdef JX_DEBUG
    log_debug("locks: %s contended %lu acquired %lu", name, count.contended, count.acquired);
#else
    log_debug("locks: %s contended %lu", name, count.contended);
#endif
}

void lock_counts_log(void) {
    for (unsigned rank = RANK_NONE + 1; rank < LOCK_RANKS; rank++) {
        struct lock_count count = lock_count(rank);
        if (count.contended || count.acquired)
            log_count(lock_rank_name(rank), count);
    }
    log_count("all", lock_count(RANK_NONE));
}
