/*
 * park.h - the only way to block, and the only way to wake.
 *
 * A parker is one wait of one thread; it lies on that thread's stack. Its token
 * makes an early unpark safe, and since each wait has a token of its own, a wait
 * may take mutexes (which park too) between linking itself and parking.
 *
 * Protocol for a list of waiters guarded by a lock L of what is waited for:
 *
 *   waiter:  L; park_prepare(&parker); link itself; unlock L
 *            status = thread_park(&parker, deadline, PARK_KILLABLE, reason)
 *            if that is not a waker's word (ERR_TIMED_OUT, ERR_INTERNAL_*):
 *            L; if still linked, unlink itself, else a waker was earlier and its
 *            result wins; unlock L
 *   waker:   L; unlink the waiter; thread_unpark(&parker, result); unlock L
 *
 * Unpark happens under L, and it is the last touch of the parker: so when the
 * waiter finds itself unlinked, the unpark has ended and the parker may go away.
 */
#pragma once

#include "sched/thread.h"

/* What ends a park early: bits of thread->pending. */
enum park_flags {
    PARK_KILL_ONLY = THREAD_PENDING_KILL,
    PARK_KILLABLE = THREAD_PENDING_KILL | THREAD_PENDING_SUSPEND,
};

struct parker {
    struct thread *thread;
    bool done;       /* unparked; under thread->wait_lock */
    status_t status; /* the waker's word */
    /*
     * What it waits for, for those who ask: a koid or an address, 0: none; for BLOCK_CHANNEL
     * and BLOCK_WAIT_ONE, where an instruction counts, the object itself, which is referenced.
     */
    uint64_t target;
};

ALWAYS_INLINE void park_prepare_for(struct parker *parker, uint64_t target) {
    parker->thread = thread_current();
    parker->done = false; /* `status` means nothing until then */
    parker->target = target;
}
ALWAYS_INLINE void park_prepare(struct parker *parker) { park_prepare_for(parker, 0); }
/*
 * Block until the parker is unparked (returns the waker's status), the deadline
 * (ERR_TIMED_OUT), and if the flags say so, kill (ERR_INTERNAL_KILLED) or suspend
 * (ERR_INTERNAL_RETRY). Interrupts on, no spinlock held. An unpark that came
 * earlier wins over everything; a deadline that has passed is ERR_TIMED_OUT at once.
 */
status_t thread_park(struct parker *parker, nstime_t deadline, unsigned flags,
                     enum block_reason reason);
/* Wake its thread, or leave the token. The first word wins. Any context up to RANK_WAIT. */
void thread_unpark(struct parker *parker, status_t status);
/*
 * "I shall park at once": whom the caller wakes from here on may be left to wait for
 * its CPU, although another CPU is idle, because this one goes straight to it. The next
 * park ends the promise; who does not park after all takes it back.
 */
ALWAYS_INLINE void thread_about_to_park(void) { thread_current()->about_to_park = true; }
void thread_not_about_to_park(void);
/* The waker's word after thread_park said something else but the parker was found unlinked. */
ALWAYS_INLINE status_t parker_status(const struct parker *parker) { return parker->status; }
/*
 * Is `thread` parked on this, with all its registers saved? It stays so for as long as the
 * caller keeps those away who would unpark it.
 */
bool thread_is_parked_on(struct thread *thread, const struct parker *parker);
/* What a parked thread waits for: a koid or an address, and ticks since; false: it is not parked. */
bool thread_park_target(struct thread *thread, uint64_t *out_target, uint64_t *out_ticks);
/* For thread_init. */
void park_init_thread(struct thread *thread);
/* Sleep killably: OK when the time has come, or ERR_INTERNAL_*. */
status_t thread_sleep_until(nstime_t deadline);
