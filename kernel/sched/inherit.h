/*
 * inherit.h - who waits for a thread lends it his priority.
 *
 * A thread has a priority of its own, and runs with the highest of that and of those of
 * all that wait for something it owns: mutexes of the kernel (mutex.c) and futexes of
 * programs (object/futex.c). If it waits for an owner itself, that one inherits too, and
 * so on along the chain, INHERIT_DEPTH owners far.
 *
 * One spinlock (RANK_INHERIT) guards all of it; only threads that must wait come here.
 */
#pragma once

#include "sched/thread.h"

#define INHERIT_DEPTH 32

/*
 * One wait; lies with the waiter's parker, zeroed. What it is a wait for has a lock of its
 * own, under which all calls below are made; so they come one after another for each wait.
 */
struct inherit_wait {
    struct thread *owner; /* who is waited for; NULL: nobody inherits */
    uint8_t lent;         /* with this priority */
};

/*
 * `thread` waits for `owner` from here on, or for somebody else than before; NULL: for
 * nobody. An owner outlives the waits for it: who ends or gives away what is owned comes
 * here first.
 */
void inherit_set_owner(struct inherit_wait *wait, struct thread *thread, struct thread *owner);
/* The wait is over. */
ALWAYS_INLINE void inherit_end(struct inherit_wait *wait, struct thread *thread) {
    inherit_set_owner(wait, thread, NULL);
}

/*
 * The calling thread keeps its present priority until inherit_end(hold, itself), though it
 * gives away what it was lent for: who lets another go must not be held up before that one
 * is awake. Nothing happens if it is lent nothing.
 */
void inherit_hold(struct inherit_wait *hold);

/* Give a thread another priority of its own. `lends`: do owners inherit it? */
void thread_set_priority(struct thread *thread, unsigned priority, bool lends);
