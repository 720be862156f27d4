/*
 * park.pml - what all models share: how steps are cut, and kernel/sched/park.c.
 *
 * Before it is included: THREADS, PARKERS, and OWNER(p), the thread on whose stack parker
 * `p` lies.
 *
 * A step of a model is an `atomic` or `d_step`, or a single statement. What is only ever
 * touched under one lock can't be seen in between by others, so a critical section is one step
 * for as long as it does one thing that others can meet without its lock: end or begin a park
 * (a thread's wait_lock, or `pending`), or read what is written without a lock. A section
 * that does two such things is cut between them, and holds its mutex, a variable, from one to
 * the other. The taking of a lock belongs to the step that follows, its release to the step before.
 */
mtype = { OK, PARKED, TIMED_OUT, RETRY, KILLED, CANCELED, PEER_CLOSED, BAD_HANDLE, BAD_STATE,
          INVALID_ARGS };

/* Bits of thread->pending. */
#define KILL      1
#define SUSPEND   2
#define LONG_WAY  4
/* enum park_flags */
#define KILL_ONLY KILL
#define KILLABLE  (KILL | SUSPEND)

typedef parker_t {
    bool alive; /* it lies on a stack still: whoever touches it otherwise has lost */
    bool done;
    mtype status
};
typedef thread_t {
    byte pending;
    byte parked_on; /* parker + 1; 0: it is not parked */
    byte ends_by;
    mtype status    /* park_status */
};
parker_t parker[PARKERS];
thread_t thread[THREADS];

inline park_prepare(p) { parker[p].alive = true; parker[p].done = false }
/* The function in whose frame the parker lies has returned. */
inline parker_dies(p) { parker[p].alive = false; parker[p].done = false; parker[p].status = 0 }

/* Under wait_lock: park_is_over_locked and park_begin; with a deadline that has passed or not. */
inline park_enter(t, p, flags) {
    thread[t].status = (parker[p].done -> parker[p].status :
                        ((flags) & thread[t].pending & KILL -> KILLED :
                         ((flags) & thread[t].pending & SUSPEND -> RETRY : PARKED)));
    thread[t].parked_on = (thread[t].status == PARKED -> p + 1 : 0);
    thread[t].ends_by = (thread[t].status == PARKED -> flags : 0)
}
inline park_enter_until(t, p, flags, has_deadline) {
    park_enter(t, p, flags);
    if
    :: thread[t].status == PARKED && has_deadline ->
        thread[t].parked_on = 0;
        thread[t].ends_by = 0;
        thread[t].status = TIMED_OUT
    :: true
    fi
}

/* The sleep, and its end. With a deadline park_timed_out, in the timer's interrupt, may end it. */
inline park_leave(t) { thread[t].parked_on == 0 -> thread[t].ends_by = 0 }
inline park_leave_until(t, has_deadline) {
    if
    :: thread[t].parked_on == 0
    :: thread[t].parked_on != 0 && has_deadline ->
        thread[t].parked_on = 0;
        thread[t].status = TIMED_OUT
    fi;
    thread[t].ends_by = 0
}

/* Under wait_lock: wake, or leave the token; the first word wins. */
inline thread_unpark(p, word) {
    assert(parker[p].alive);
    parker[p].status = (parker[p].done -> parker[p].status : word);
    parker[p].done = true;
    if
    :: thread[OWNER(p)].parked_on == p + 1 ->
        thread[OWNER(p)].parked_on = 0;
        thread[OWNER(p)].status = word
    :: else
    fi
}

/* The second half of thread_set_pending, under wait_lock; the bits are set before that. */
inline end_park(t, bits) {
    if
    :: thread[t].parked_on != 0 && (thread[t].ends_by & (bits)) ->
        thread[t].parked_on = 0;
        thread[t].status = ((bits) & KILL -> KILLED : RETRY)
    :: else
    fi
}
