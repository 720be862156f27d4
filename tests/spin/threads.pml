/*
 * threads.pml - a user thread that is suspended, resumed, killed, and in exceptions:
 * kernel/object/user_thread.c, suspend_token.c, exception.c, exception_object.c, sched/park.c,
 * and the ways out of the kernel in arch/amd64 (entry.S, exit_to_user).
 *
 * One thread runs user code without end: it computes, makes calls that wait for an event, raises
 * exceptions, and is preempted. Two suspenders, one of the thread and one of its process, each
 * make a token and let it go, as often as they like. A handler answers each exception. A debugger
 * reads its registers. A killer may end it at any time.
 *
 * Shown in every order of the steps:
 *   - a thread that is killed ends (LTL, if everybody goes on who can);
 *   - when the last token is gone, a thread that is not killed runs user code again, and so
 *     neither an event, nor an answer, nor a resume is lost (LTL, the same);
 *   - user code does not run from when the thread stands still until the last token is gone;
 *   - user code never sees that a call was interrupted (ERR_INTERNAL_RETRY): it makes it again;
 *   - while the debugger has its registers, the thread neither saves nor loads them;
 *   - nobody touches a parker whose frame is gone.
 *
 * Left out: a second thread (a process suspends and kills its threads one after the other), which
 * CPU runs what (sched.c), the order of the handlers, each of which is asked like the one here, and
 * the reports of a start and an end.
 */
#define LOOKS_UNLOCKED        1 /* stop_begin looks at `pending`, then it takes the lock */
#define NO_INTERRUPT          2 /* thread_set_pending does not interrupt user code elsewhere */
#define WAIT_NOT_ABANDONED    3 /* a thread killed in an exception leaves its wait to the handler */
#define PARK_LOOKS_EARLY      4 /* a park looks at `pending` before it takes wait_lock */
#define READS_WHILE_LEAVING   5 /* the debugger does not look whether the registers are saved */
#define RESUME_CLEARS_ALL     6 /* a resume clears LONG_WAY too, which came with the suspension */
#define RESUME_IS_LAST        7 /* a resume does not look for another suspension */
#define WAKES_WITHOUT_LOCK    8 /* a kill does not take the process's lock */

#define THREADS 1
#define PARKERS 3
#define OWNER(p) 0
#define EVENT     0 /* the parker of a call that waits for an event, */
#define STOP      1 /* of user_thread_stop, */
#define EXCEPTION 2 /* and of an exception */
#include "park.pml"

bool process; /* mutex */

/* Under process->lock. */
byte suspensions;       /* the sum of the thread's own and its process's */
bool stopped;           /* thread->stopped */
bool must_stand;        /* what only a model knows: it has stopped, and a token is left */
bool in_exception;      /* thread->exception */
bool answer_is_awaited; /* exception->wait */

bool has_message;       /* the handler has the exception's handle, or will get it */
bool event, linked;     /* under the event's lock: it has come; the thread waits for it */

bool on_cpu = true, interrupt; /* thread->on_cpu; an interrupt is on its way to that CPU */
bool in_user, dead;
bool has_registers;     /* the debugger */
byte finished;          /* suspenders */

#define MINE thread[0]
#define killed (MINE.pending & KILL)

/* ---- the thread ---- */

/* thread_park, with the switch to another thread and back */
inline park(p, flags) {
#if FAULT == PARK_LOOKS_EARLY
    sleeps = !(MINE.pending & flags);
    atomic {
        park_enter(0, p, (sleeps -> 0 : flags));
        MINE.ends_by = (MINE.status == PARKED -> flags : 0);
        sleeps = (MINE.status == PARKED)
    };
#else
    atomic {
        park_enter(0, p, flags);
        sleeps = (MINE.status == PARKED)
    };
#endif
    if
    :: sleeps ->
        atomic { assert(!has_registers); on_cpu = false }; /* sched_finish_switch */
        atomic {
            park_leave(0);
            assert(!has_registers);
            on_cpu = true;
            sleeps = false
        }
    :: else
    fi
}

/* user_thread_stop */
inline stop() {
    do
    :: atomic { /* stop_begin */
#if FAULT == LOOKS_UNLOCKED
        sleeps = (MINE.pending & SUSPEND) && !killed
       };
       atomic {
        !process ->
        if
        :: sleeps ->
#else
        !process ->
        if
        :: (MINE.pending & SUSPEND) && !killed ->
#endif
            park_prepare(STOP);
            stopped = true;
            must_stand = true
        :: else -> break
        fi
       };
       park(STOP, KILL_ONLY);
       atomic {
        if
        :: MINE.status != OK -> !process; stopped = false /* stop_end */
        :: else
        fi;
        parker_dies(STOP);
        MINE.status = 0
       }
    od
}

active proctype user_thread() {
    bool sleeps, again;
    mtype result;

leave: /* exit_to_user; until interrupts are off, those that come are taken in the kernel */
    interrupt = false;
    if
    :: MINE.pending == 0 -> goto user
    :: else
    fi;
    MINE.pending = MINE.pending & ~LONG_WAY; /* user_thread_return_to_user */
    if
    :: MINE.pending & SUSPEND -> stop()
    :: else
    fi;
    if
    :: killed -> goto exit
    :: else -> goto leave
    fi;

user: /* an interrupt is taken before anything else */
    atomic { assert(!must_stand && !has_registers); in_user = true };
    do
    :: atomic { interrupt -> in_user = false; goto leave }
    :: atomic { !interrupt && !again -> skip } /* it computes */
    :: atomic { !interrupt && !again -> in_user = false; on_cpu = false }; /* preempted */
       atomic { assert(!has_registers); on_cpu = true; goto leave }
    :: atomic { !interrupt && !again -> in_user = false; goto exception }
    :: atomic { !interrupt -> in_user = false; again = false; goto call }
    od;

call: /* takes the event, or waits for it: like any wait of sched/park.h */
    atomic {
        result = (event -> OK : PARKED);
        linked = !event;
        event = false;
        if
        :: linked -> park_prepare(EVENT)
        :: else
        fi
    };
    if
    :: result == PARKED ->
        park(EVENT, KILLABLE);
        atomic {
            result = (linked -> MINE.status : OK);
            linked = false;
            MINE.status = 0;
            parker_dies(EVENT)
        }
    :: else
    fi;
    interrupt = false; /* entry.S: syscall_done */
    atomic {
        if
        :: MINE.pending == 0 -> assert(result == OK); result = 0; goto user
        :: else -> again = (result == RETRY); result = 0; goto leave /* syscall_slow_exit */
        fi
    };

exception: /* ask */
    atomic { /* wait_begin */
        !process ->
        if
        :: killed -> goto exit
        :: else ->
            park_prepare(EXCEPTION);
            answer_is_awaited = true;
            in_exception = true
        fi
    };
    has_message = true; /* channel_write */
    park(EXCEPTION, KILL_ONLY);
    if
    :: MINE.status != OK && FAULT != WAIT_NOT_ABANDONED ->
        atomic { !process -> answer_is_awaited = false } /* wait_abandon */
    :: else
    fi;
    atomic { /* wait_end */
        !process ->
        in_exception = false;
        parker_dies(EXCEPTION);
        result = MINE.status;
        MINE.status = 0;
        if
        :: result == OK -> result = 0; goto leave
        :: else
        fi
    };

exit:
    atomic { assert(killed && !linked); on_cpu = false; interrupt = false; dead = true }
}

/* ---- the others ---- */

/* thread_set_pending of what runs on another CPU; drops the process's lock at the end. */
inline set_pending(bits) {
    MINE.pending = MINE.pending | bits;
    atomic {
        sent = MINE.parked_on != 0 && (MINE.ends_by & (bits));
        end_park(0, bits)
    };
    atomic {
        interrupt = interrupt || (!sent && on_cpu && FAULT != NO_INTERRUPT);
        sent = false;
        process = false
    }
}

/* suspend_thread and suspend_process; user_thread_update_locked */
active [2] proctype suspender() {
    bool sent, is_first;

    do
    :: atomic { /* thread_count_up */
        !process ->
        if
        :: killed || dead -> break
        :: else -> process = true; suspensions++; is_first = !(MINE.pending & SUSPEND)
        fi
       };
       if
       :: is_first -> set_pending(SUSPEND | LONG_WAY)
       :: else -> process = false
       fi;
       is_first = false;
       atomic { /* the token is closed: resume_thread */
        !process ->
        process = true;
        suspensions--;
        must_stand = must_stand && suspensions > 0;
        if
        :: suspensions == 0 || FAULT == RESUME_IS_LAST ->
            MINE.pending = MINE.pending &
                           ~(FAULT == RESUME_CLEARS_ALL -> SUSPEND | LONG_WAY : SUSPEND)
        :: else
        fi
       };
       atomic {
        if
        :: stopped && (suspensions == 0 || FAULT == RESUME_IS_LAST) ->
            stopped = false;
            thread_unpark(STOP, OK)
        :: else
        fi;
        process = false
       }
    :: break
    od;
    finished++
}

active proctype killer() {
    bool sent;

    if
    :: true ->
#if FAULT != WAKES_WITHOUT_LOCK
        atomic { !process -> process = true };
#endif
        set_pending(KILL)
    :: true
    fi
}

/* exception_on_zero_handles: the handle of the exception is closed. */
active proctype handler() {
end:
    do
    :: atomic { has_message -> has_message = false };
       atomic {
        !process ->
        if
        :: answer_is_awaited ->
            answer_is_awaited = false;
            thread_unpark(EXCEPTION, OK)
        :: else
        fi
       }
    :: killed -> break /* nobody need answer one who is killed */
    od
}

/* The event comes whenever it has been taken. */
active proctype waker() {
end:
    do
    :: atomic {
        !event ->
        if
        :: linked -> linked = false; thread_unpark(EVENT, OK)
        :: else -> event = true
        fi
       }
    :: killed -> break
    od
}

/* access_once, at any time when it succeeds */
active proctype debugger() {
end:
    atomic {
        !process && !killed && (!on_cpu || FAULT == READS_WHILE_LEAVING) &&
        ((stopped && MINE.parked_on == STOP + 1) ||
         (!stopped && in_exception && MINE.parked_on == EXCEPTION + 1)) ->
        process = true;
        has_registers = true
    };
    atomic { has_registers = false; process = false }
}

ltl ends { [] (killed -> <> dead) }
ltl goes_on { [] (finished == 2 -> <> (in_user || killed)) }
