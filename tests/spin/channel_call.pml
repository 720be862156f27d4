/*
 * channel_call.pml - calls through a channel: kernel/object/channel.c.
 *
 * Two threads of one process each make one call through the same handle to end 0, thread 0 with
 * a deadline. A server has end 1: it reads requests, answers each once, twice or never, and closes
 * its end when it likes. Meanwhile the handle is closed, and thread 1 is suspended and then resumed
 * or killed, or one of the two killed.
 *
 * Shown in every order of the steps:
 *   - each call gets the reply with its own transaction id, or an error for which there is a
 *     reason: no handle, the handle closed, the peer closed, the deadline, a kill;
 *   - a suspended call is never made again, and its reply may come while it stands still;
 *   - nobody touches the caller, which lies on a stack, after the call has returned, and
 *     nobody touches end 0 without a reference;
 *   - every call ends (no invalid end state).
 *
 * Left out: what is in a message besides the transaction id, messages that carry channels
 * (channel_nest.c), reuse of transaction ids (after 2^31 calls), no memory.
 */
#define LINK_LATE             1 /* the request is sent before the caller is linked */
#define STAYS_LINKED          2 /* a call that gives up does not unlink its caller */
#define LOOKED_UP_APART       3 /* the handle's table is let go before the caller is linked */
#define SUSPENSION_ENDS_CALL  4 /* like other calls it is made again from the beginning */
#define WAKES_UNLOCKED        5 /* the caller is woken when the pair's lock is dropped already */

#define THREADS 2
#define PARKERS 4 /* caller.parker of thread t is t, that of its user_thread_stop t + 2 */
#define OWNER(p) ((p) % 2)
#include "park.pml"

bool pair, process; /* mutexes: the channel's, the process's */

bool in_table = true; /* the handle to end 0; under the table's lock */
byte refs = 1;        /* of end 0 */
bool watched;
bool closed[2];
chan requests = [2] of { byte }; /* transaction ids in the queue of end 1 */
byte last_txid;

/* struct caller, and what only a model knows: which call was answered. */
typedef caller_t { bool linked; bool observes; byte txid; byte reply; mtype status };
caller_t caller[2];
bool answered[3];
byte stopped[2]; /* user_thread.stopped: parker + 1 */

inline ref_put() { assert(refs > 0); refs-- }

/* caller_init; caller_begin: under the locks of the table and, in caller_send, of the pair */
inline look_up() {
    if
    :: in_table -> refs++; status = OK
    :: else -> status = BAD_HANDLE
    fi
}
inline send(t) {
    assert(refs > 0);
    last_txid++;
    caller[t].txid = last_txid;
    if
    :: closed[1] -> status = PEER_CLOSED; ref_put() /* caller_failed */
    :: else -> requests!last_txid
    fi
}
inline link(t) { caller[t].linked = true; caller[t].observes = true; watched = true }

inline caller_begin(t) {
    atomic {
        !pair -> /* the table's lock is taken before, and nothing others meet happens between */
        park_prepare(t);
        look_up();
#if FAULT == LOOKED_UP_APART
    }
    atomic {
        !pair ->
#endif
        if
        :: status == OK -> send(t)
        :: else
        fi;
#if FAULT == LINK_LATE
    }
    atomic {
        !pair ->
#endif
        if
        :: status == OK -> link(t)
        :: else
        fi
    }
}

/* user_thread_stop */
inline stand_still(t) {
    do
    :: atomic { /* stop_begin */
        !process ->
        if
        :: (thread[t].pending & SUSPEND) && !(thread[t].pending & KILL) ->
            park_prepare(t + 2);
            stopped[t] = t + 3
        :: else -> break
        fi
       };
       atomic { park_enter(t, t + 2, KILL_ONLY) };
       atomic {
        park_leave(t);
        if
        :: thread[t].status == OK
        :: else -> !process; stopped[t] = 0 /* stop_end */
        fi;
        parker_dies(t + 2)
       }
    od
}

/* caller_end, under the pair's lock; channel_call has returned: is its result right? */
inline caller_end(t) {
    assert(refs > 0);
    caller[t].observes = false;
    caller[t].linked = false
}
inline judge(t) {
    ref_put();
    status = (caller[t].reply != 0 -> OK :
              (caller[t].status != 0 -> caller[t].status : status));
    assert(!caller[t].linked && !caller[t].observes);
    assert(status != OK || (caller[t].reply == caller[t].txid && answered[caller[t].txid]));
    assert(status != PEER_CLOSED || closed[1]);
    assert(status != CANCELED || !in_table);
    assert(status != TIMED_OUT || t == 0);
    assert(status != KILLED || (thread[t].pending & KILL));
    assert(status != RETRY);
    answered[caller[t].txid] = false;
    caller[t].txid = 0;
    caller[t].reply = 0;
    caller[t].status = 0;
    thread[t].status = 0;
    parker_dies(t)
}

/* The park in channel_call, and caller_go_on. */
inline caller_wait(t) {
    do
    :: atomic { park_enter_until(t, t, KILLABLE, t == 0) };
       atomic {
        park_leave_until(t, t == 0);
        status = thread[t].status;
        if
        :: status == OK -> judge(t); status = OK; break
        :: status == RETRY && FAULT != SUSPENSION_ENDS_CALL
        :: else -> break
        fi
       };
       stand_still(t)
    od;
    atomic {
        if
        :: status == OK
        :: else -> !pair;
            if
            :: FAULT != STAYS_LINKED -> caller_end(t)
            :: else
            fi;
            judge(t)
        fi;
        status = 0
    }
}

/* The first process: when all others are gone, nothing may be left. */
active proctype end_of_all() {
    (_nr_pr == 1) -> assert(refs == 0 && closed[0] && closed[1] && !pair && !process)
}

#define ME (_pid - 1)

active [2] proctype caller_thread() {
    mtype status;

    caller_begin(ME);
    if
    :: status == OK -> caller_wait(ME)
    :: else -> atomic { assert(!in_table || closed[1]); parker_dies(ME); status = 0 }
    fi
}

/* channel_deliver_locked of end 0: to the caller that waits for it, or into the queue. */
inline answer(id) {
    atomic {
        !pair ->
        if
        :: closed[0] -> found = 2
        :: else ->
            answered[id] = true;
            found = (caller[0].linked && caller[0].txid == id -> 0 :
                     (caller[1].linked && caller[1].txid == id -> 1 : 2));
            if
            :: found == 2 /* it stays in the queue of end 0 */
            :: else -> /* caller_answer_locked */
                assert(parker[found].alive);
                caller[found].observes = false;
                caller[found].linked = false;
                caller[found].reply = id;
            fi
        fi;
#if FAULT == WAKES_UNLOCKED
    }
    atomic {
#endif
        if
        :: found != 2 -> thread_unpark(found, OK)
        :: else
        fi;
        found = 0;
        times--;
        id = (times == 0 -> 0 : id)
    }
}

/* Under `pair`: the observer of end 0 that is thread t's is told (caller_fire). */
inline fire(t, why) {
    if
    :: caller[t].observes ->
        assert(refs > 0);
        caller[t].observes = false;
        caller[t].linked = false;
        caller[t].status = why;
        thread_unpark(t, OK)
    :: else
    fi
}

active proctype server() {
    byte id, times, found;

    do
    :: atomic { /* channel_read */
        !pair && nempty(requests) ->
        requests?id;
        if
        :: times = 0
        :: times = 1
        :: times = 2
        fi
       };
       do
       :: times > 0 -> answer(id)
       :: else -> break
       od
    :: break
    od;
    atomic { /* channel_on_zero_handles of end 1; two are told, one after the other */
        !pair ->
        closed[1] = true;
        pair = !closed[0];
        if
        :: !closed[0] -> fire(0, PEER_CLOSED)
        :: else
        fi
    };
    atomic {
        if
        :: pair -> fire(1, PEER_CLOSED); pair = false
        :: else
        fi
    }
}

/* handle_table_take, then handle_release */
active proctype closer() {
    in_table = false;
    if
    :: watched -> /* without a lock: waitable_cancel_handle */
        atomic { !pair -> pair = true; fire(0, CANCELED) };
        atomic { fire(1, CANCELED); watched = false; pair = false }
    :: else
    fi;
    atomic { !pair -> closed[0] = true; ref_put() } /* channel_on_zero_handles */
}

/* suspend_thread, and the end of its token, which is user_thread_update_locked */
inline suspend() {
    atomic { !process -> process = true; thread[1].pending = thread[1].pending | SUSPEND };
    atomic { end_park(1, SUSPEND); process = false }
}
inline resume() {
    atomic { !process -> process = true; thread[1].pending = thread[1].pending & ~SUSPEND };
    atomic {
        if
        :: stopped[1] != 0 ->
            stopped[1] = 0;
            thread_unpark(3, OK)
        :: else
        fi;
        process = false
    }
}

/* process_begin_end_locked, for one thread */
inline kill(t) {
    atomic { !process -> process = true; thread[t].pending = thread[t].pending | KILL };
    atomic { end_park(t, KILL); process = false }
}

active proctype meddler() {
    if
    :: true -> suspend();
        if
        :: true -> resume()
        :: true -> kill(1)
        fi
    :: true -> kill(1)
    :: true -> kill(0)
    fi
}
