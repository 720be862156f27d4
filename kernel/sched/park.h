/*
 * park.h - the only way to block, and the only way to wake.
 *
 * Protocol for a list of waiters guarded by a lock L of what is waited for:
 *
 *   waiter:  L; park_prepare(); link itself; unlock L
 *            status = thread_park(deadline, PARK_KILLABLE, reason)
 *            if that is not a waker's word: L; if still linked, unlink itself,
 *            else a waker was earlier and its result wins; unlock L
 *   waker:   L; unlink the waiter; store its result; thread_unpark(); unlock L
 *
 * Unpark happens under L. So when the waiter, after a time-out, finds itself
 * unlinked, that unpark has ended; and the next park_prepare forgets its token.
 * A token (an unpark before the park) makes the order of the two harmless.
 */
#pragma once

#include "sched/thread.h"

enum park_flags { PARK_KILLABLE = 1 };

/* Forget tokens of earlier waits. Before linking oneself to a list. */
void park_prepare(void);
/*
 * Block until thread_unpark (returns its status), the deadline (ERR_TIMED_OUT),
 * and if killable, kill (ERR_INTERNAL_KILLED) or suspend (ERR_INTERNAL_RETRY).
 * Interrupts on, no spinlock held. A deadline that has passed returns
 * ERR_TIMED_OUT at once unless a token is there.
 */
status_t thread_park(nstime_t deadline, unsigned flags, enum block_reason reason);
/* Wake `thread`, or leave a token. From any context that may take RANK_WAIT. */
void thread_unpark(struct thread *thread, status_t status);
/* Sleep killably: OK when the time has come, or ERR_INTERNAL_*. */
status_t thread_sleep_until(nstime_t deadline);
