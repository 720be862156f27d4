/*
 * page_source.h - what is asked of a pager, and who waits for it.
 *
 * A request is a range of pages and a command. Several threads may wait for one; no
 * two requests of a command overlap. It lives as long as somebody waits for it: the
 * last waiter to leave, or whoever answers it, ends it. How the pager hears of
 * requests is the business of object/pager.c, behind `ops`.
 *
 * "OK" to a waiter means "look again": what it finds then, not the answer, decides.
 *
 * Lock order: the VMO's lock (RANK_VMO_LENDER), then source->lock (RANK_SOURCE). An
 * absence that was seen under the VMO's lock is asked for before that lock is dropped,
 * and whoever supplies answers under it; so no answer is missed.
 */
#pragma once

#include "lib/list.h"
#include "lib/ref.h"
#include "sched/mutex.h"
#include "sched/park.h"

enum page_command { PAGE_COMMAND_READ = 0, PAGE_COMMAND_DIRTY = 2 }; /* ZX_PAGER_VMO_* */

struct page_source;
struct page_source_ops {
    /* Requests came or went. No lock held. */
    void (*tell)(struct page_source *source);
    /* The VMO is going. No lock held. */
    void (*vmo_gone)(struct page_source *source);
    /* The last reference is gone. */
    void (*destroy)(struct page_source *source);
};

struct page_source {
    struct ref refs;                   /* the VMO, the pager, a packet on its way */
    const struct page_source_ops *ops; /* set once */
    bool trap_dirty;                   /* set once: the pager allows each first write */

    /* Under the VMO's lock. */
    bool detached;         /* no more pages will come */
    bool modified;         /* since it was last asked */
    bool is_needed;        /* ALWAYS_NEED: clean pages stay */
    struct list borrowers; /* lazy clones: struct vmo by `borrower_node` */
    struct list views;     /* of lazy clones: struct vmo_view by `lender_node` */

    struct mutex lock;            /* RANK_SOURCE */
    /* Under lock. */
    struct list requests;         /* oldest first */
    struct page_request *offered; /* the one that the pager may take now, or NULL */
};

/* A thread that waits, on its stack. */
struct page_waiter {
    struct list_node node;        /* under source->lock */
    struct page_request *request; /* while linked */
    struct parker parker;
};

void page_source_init(struct page_source *source, const struct page_source_ops *ops,
                      bool trap_dirty);
ALWAYS_INLINE void page_source_ref(struct page_source *source) { ref_get(&source->refs); }
void page_source_unref(struct page_source *source);

/*
 * Ask for [first, first + count), or for what of it lies before the next request of
 * this command; or wait with those who asked for `first` already. Under the VMO's
 * lock. ERR_NO_MEMORY.
 */
status_t page_source_ask(struct page_source *source, enum page_command command, uint64_t first,
                         uint64_t count, struct page_waiter *waiter);
/*
 * Wait for the answer, killably; no lock held. A wait of kernel.userpager.overtime_wait_seconds
 * is told in the log, one of overtime_timeout_seconds ends: ERR_TIMED_OUT.
 */
status_t page_source_wait(struct page_source *source, struct page_waiter *waiter);

/* Part of what a command asked for is done; its requests end when all of theirs is. */
void page_source_answer(struct page_source *source, enum page_command command, uint64_t first,
                        uint64_t count);
/* All requests that overlap the range end with `status`. */
void page_source_end(struct page_source *source, uint64_t first, uint64_t count, status_t status);

/* For the pager: the oldest request not yet taken; false: none. It is the one offered then. */
struct page_offer {
    enum page_command command;
    uint64_t first, count;
};
bool page_source_offer(struct page_source *source, struct page_offer *out_offer);
/* The pager has taken what was offered. */
void page_source_taken(struct page_source *source);
