/*
 * futex.pml - waiting, waking, requeueing, owners: kernel/object/futex.c, sched/inherit.c.
 *
 * The threads of one process. Three wait on word A: 0 and 2 name the waker its owner, and
 * thread 1 names 0, each for as long as there is a handle; thread 1, when it is woken, wakes the
 * next and has it own A. The waker does the same as thread 1, or requeues one to word B with an
 * owner of its choice, waking one, which owns A then or not. When it is gone another changes
 * the word and wakes all that wait. Thread 0 is killed at any time. Each thread ends and
 * is reaped; then its last handle is closed, and it is freed as soon as no call names it.
 *
 * Shown in every order of the steps:
 *   - who waits for a value that is not there any more has been woken, or will be (no thread is
 *     left over at the end), and every waiter that was woken is told so, whatever else ended
 *     its park (no wake is lost);
 *   - the owner of a futex is a thread that is not reaped, or nobody; it is known to the oldest
 *     waiter alone, and counts what it owns;
 *   - each waiter lends to the owner of the futex that it waits on, and to nobody else;
 *   - no owner waits on its own futex;
 *   - nobody touches a waiter whose frame is gone, or a thread that is freed.
 *
 * Left out: priorities themselves and chains of lending (inherit.random_waits_agree_with_a_model
 * tests them), words that are not mapped, suspension (a call that is made again), bad handles.
 */
#define COMPARED_APART     1 /* the word is compared, then the lock is taken to link the waiter */
#define OWNER_NOT_PASSED   2 /* the oldest waiter takes the owner with it */
#define DEAD_MAY_OWN       3 /* a thread that is reaped lets go, but may be named again */
#define WAKE_FORGOTTEN     4 /* whose park ended otherwise does not look whether it was woken */
#define YOUNGER_DO_NOT_LEND 5 /* who comes to a futex that has an owner does not lend to it */
#define OWNS_UNLOCKED      6 /* wake_single_owner names the new owner when the lock is dropped */
#define OWNER_MAY_WAIT     7 /* who waits on a futex may be named its owner */

#define THREADS 4
#define PARKERS 3
#define OWNER(p) (p)
#include "park.pml"

#define WAKER  3
#define NOBODY 4
#define A 0
#define B 1

bool table; /* mutex of struct futex_table */
bool changed; /* word A: what waiters expect is gone */

/* struct futex_waiter; that of NOBODY never changes. */
typedef waiter_t { bool linked; bit address; byte owner = NOBODY; byte lends = NOBODY };
waiter_t waiter[5];
byte queue[3] = NOBODY; /* oldest first */
byte count;
bool woken[3], reaped[4];         /* what only a model knows */

byte owned[4];          /* futexes_owned */
bool gone[5];           /* owns_no_futex; the thread is reaped */
bool handle[4] = true;  /* to the thread */
byte named[5];          /* calls that have a reference, because it is to be an owner */

#define is_freed(t) (!handle[t] && named[t] == 0)
#define is_at(i, a) (i < count && waiter[queue[i]].address == a)
#define oldest(a) \
    (is_at(0, a) -> queue[0] : (is_at(1, a) -> queue[1] : (is_at(2, a) -> queue[2] : NOBODY)))
#define waits_on(t, a) (waiter[t].linked && waiter[t].address == a)

/* ---- under the table's lock ---- */

/* set_owner_of_locked, record_owner_locked */
inline lend_to(w, a, who) { waiter[w].lends = (waits_on(w, a) -> who : waiter[w].lends) }
inline set_owner_of(a, who) {
    first = oldest(a);
    assert(first == NOBODY || who == NOBODY || !is_freed(who));
    heir = (gone[who] -> NOBODY : who);
    if
    :: first != NOBODY && waiter[first].owner != heir ->
        if
        :: waiter[first].owner != NOBODY -> owned[waiter[first].owner]--
        :: else
        fi;
        if
        :: heir != NOBODY -> owned[heir]++
        :: else
        fi;
        waiter[first].owner = heir;
        lend_to(0, a, heir);
        lend_to(1, a, heir);
        lend_to(2, a, heir)
    :: else
    fi;
    first = 0;
    heir = 0
}

/* The same for nobody. */
inline disown(a) {
    first = oldest(a);
    if
    :: waiter[first].owner != NOBODY ->
        owned[waiter[first].owner]--;
        waiter[first].owner = NOBODY;
        lend_to(0, a, NOBODY);
        lend_to(1, a, NOBODY);
        lend_to(2, a, NOBODY)
    :: else
    fi;
    first = 0
}

/* unlink_locked, pass_owner_locked */
inline unlink(w) {
    assert(waiter[w].linked);
    heir = waiter[w].owner;
    queue[0] = (queue[0] == w -> queue[1] : queue[0]);
    queue[1] = (queue[0] == queue[1] || queue[1] == w -> queue[2] : queue[1]);
    queue[2] = NOBODY;
    count--;
    waiter[w].linked = false;
    waiter[w].owner = NOBODY;
    waiter[w].lends = NOBODY;
    first = oldest(waiter[w].address);
    if
    :: heir != NOBODY && first != NOBODY && FAULT != OWNER_NOT_PASSED -> waiter[first].owner = heir
    :: heir != NOBODY && (first == NOBODY || FAULT == OWNER_NOT_PASSED) -> owned[heir]--
    :: heir == NOBODY
    fi;
    first = 0;
    heir = 0
}

inline link(w, a) {
    queue[count] = w;
    count++;
    waiter[w].linked = true;
    waiter[w].address = a;
    waiter[w].lends = (FAULT == YOUNGER_DO_NOT_LEND -> NOBODY : waiter[oldest(a)].owner)
}

/* wake_locked: one */
inline wake_oldest(a) {
    w = oldest(a);
    if
    :: w != NOBODY ->
        unlink(w);
        woken[w] = true;
        thread_unpark(w, OK)
    :: else
    fi
}

/* What holds whenever the lock is dropped. */
inline check_waiter(t) {
    assert(waiter[t].owner == NOBODY || oldest(waiter[t].address) == t);
    assert(waiter[t].lends ==
           (waiter[t].linked -> waiter[oldest(waiter[t].address)].owner : NOBODY))
}
inline check_word(a) {
    first = waiter[oldest(a)].owner;
    assert(first == NOBODY || (!reaped[first] && !is_freed(first) && !waits_on(first, a)));
    first = 0
}
inline check_owner(t) {
    assert(owned[t] == (waiter[oldest(A)].owner == t -> 1 : 0) +
                       (waiter[oldest(B)].owner == t -> 1 : 0))
}
inline check_all() {
    check_waiter(0);
    check_waiter(1);
    check_waiter(2);
    check_word(A);
    check_word(B);
    check_owner(0);
    check_owner(1);
    check_owner(2);
    check_owner(3)
}

/* ---- calls ---- */

/* futex_wait on A */
inline futex_wait(t) {
    atomic {
        !table ->
        status = (changed -> BAD_STATE : OK);
#if FAULT == COMPARED_APART
    };
    atomic {
        !table ->
#endif
        status = (status == OK && owner != NOBODY && waits_on(owner, A) &&
                  FAULT != OWNER_MAY_WAIT -> INVALID_ARGS : status);
        if
        :: status == OK ->
            park_prepare(t);
            link(t, A);
            set_owner_of(A, owner);
            check_all()
        :: else
        fi
    };
    if
    :: status == OK ->
        atomic { park_enter(t, t, KILLABLE) };
        atomic {
            park_leave(t);
            status = thread[t].status;
            thread[t].status = 0
        };
        atomic {
            if
            :: status != OK -> /* wait_end */
                !table;
                if
                :: waiter[t].linked -> unlink(t); check_all()
                :: !waiter[t].linked && FAULT != WAKE_FORGOTTEN -> status = OK
                :: !waiter[t].linked && FAULT == WAKE_FORGOTTEN
                fi
            :: else
            fi;
            assert(woken[t] == (status == OK));
            assert(status != KILLED || (thread[t].pending & KILL));
            woken[t] = false;
            parker_dies(t)
        }
    :: else
    fi
}

inline futex_wake_all(a) {
    atomic {
        !table ->
        disown(a);
        wake_oldest(a);
        w = 0;
        table = (oldest(a) != NOBODY);
        more = table;
        check_all()
    };
    do
    :: more ->
        atomic {
            wake_oldest(a);
            w = 0;
            table = (oldest(a) != NOBODY);
            more = table;
            check_all()
        }
    :: else -> break
    od
}

inline futex_wake_single_owner(a) {
    atomic { !table -> table = (FAULT != OWNS_UNLOCKED); wake_oldest(a) };
    atomic { set_owner_of(a, w); check_all(); w = 0; table = false }
}

/* From A to B, waking one, which owns A then or not, and moving one. */
inline move_oldest() {
    moved = oldest(A);
    if
    :: moved != NOBODY ->
        unlink(moved);
        link(moved, B)
    :: else
    fi
}
inline futex_requeue() {
    atomic {
        !table ->
        if
        :: owner != NOBODY && FAULT != OWNER_MAY_WAIT &&
           (waits_on(owner, A) || waits_on(owner, B))
        :: else ->
            table = true;
            disown(A);
            wake_oldest(A)
        fi
    };
    atomic {
        if
        :: table ->
            move_oldest();
            w = (wake_owns -> w : NOBODY);
            set_owner_of(A, w);
            set_owner_of(B, owner);
            check_all();
            table = false
        :: else
        fi;
        moved = 0;
        w = 0
    }
}

/* owner_find: a handle gives a reference for the length of the call. */
inline find(t) { owner = t; named[t]++ }
inline let_go() { named[owner] = (owner == NOBODY -> 0 : named[owner] - 1); owner = NOBODY }

/* user_thread_reaped: futex_owner_gone; then the handles go. */
inline reap(t) {
    atomic {
        !table ->
        if
        :: waiter[oldest(A)].owner == t -> disown(A)
        :: else
        fi;
        if
        :: waiter[oldest(B)].owner == t -> disown(B)
        :: else
        fi;
        gone[t] = (FAULT != DEAD_MAY_OWN);
        reaped[t] = true;
        check_all();
        assert(owned[t] == 0);
        handle[t] = (t == 0 || t == WAKER); /* where one is used, it is a step of its own */
    };
    handle[t] = false
}

/* ---- the threads ---- */

active proctype end_of_all() {
    (_nr_pr == 1) -> assert(count == 0 && !table)
}

#define ME (_pid - 1)

active [3] proctype waiting() {
    byte owner = NOBODY, w, first, heir;
    mtype status;

    atomic {
        if
        :: ME == 1 && handle[0] -> find(0)
        :: ME != 1 && handle[WAKER] -> find(WAKER)
        :: else
        fi
    };
    futex_wait(ME);
    atomic { let_go() };
    if
    :: ME == 1 && status == OK -> futex_wake_single_owner(A)
    :: else
    fi;
    status = 0;
    reap(ME)
}

active proctype waking() {
    byte owner = NOBODY, w, first, heir, moved;
    bool wake_owns, more;

    if
    :: true -> futex_wake_single_owner(A)
    :: true ->
        atomic {
            if
            :: true
            :: handle[0] -> find(0)
            :: find(WAKER)
            fi;
            if
            :: wake_owns = false
            :: wake_owns = true
            fi
        };
        futex_requeue();
        atomic { let_go() }
    fi;
    reap(WAKER);
    changed = true;
    futex_wake_all(A);
    atomic { !table -> disown(B); wake_oldest(B); w = 0; check_all(); assert(count == 0) }
}

active proctype killer() {
    thread[0].pending = KILL;
    d_step { end_park(0, KILL) }
}
