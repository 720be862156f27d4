/*
 * port.pml - asynchronous waits, their packets and their ends: kernel/object/port.c.
 *
 * One object, one port. A registrar waits on the object through a handle, twice, with one key
 * or two, and then cancels the first key. A signaller sets the object's signal, clears it, and
 * sets it again. A thread in port_wait takes packets, now and then with a deadline. The handle
 * to the object is closed, and so is the port, at any time.
 *
 * Shown in every order of the steps:
 *   - no packet of a registration comes after its cancel returned OK, and none comes twice;
 *   - a signal that is active at the end has fired every registration that was not ended: in
 *     its place is a packet, which nobody waits beside;
 *   - a registration ends with its handle, or with its port;
 *   - a packet that was handed to a thread is taken, though its deadline came meanwhile;
 *   - nobody touches a registration, the port or the object that is freed, a closed port has no
 *     packets, and all is freed at the end.
 *
 * Left out: the contents of packets, edges, user packets and those of interrupts and timers
 * (port_queue_kept_locked), limits, kills (a kill ends port_wait as a deadline does). A release of
 * a mutex is one step, so that port_destroy has no lock to pass through.
 */
#define CANCEL_LEAVES_PACKET  1 /* cancel takes only registrations that have not fired */
#define FIRES_INTO_CLOSED     2 /* what fires does not look whether the port is closed */
#define LINKED_APART          3 /* the handle's table is let go before the registration is linked */
#define PACKET_LOST           4 /* after a deadline port_wait does not look for a packet */
#define LOOKS_UNLOCKED        5 /* wait_async looks at the signal before it takes the lock */
#define DETACHED_IS_FIRED     6 /* what fires does not see that the closing port let go of it */

#define THREADS 1
#define PARKERS 1
#define OWNER(p) 0
#include "park.pml"

/*
 * Mutexes. The table's is not here: nobody meets another under it but by the two handles, and what
 * happens under it until it is dropped may here happen later, so more orders are tried, not fewer.
 */
bool object_lock, port_lock;

bool source_handle = true; /* in the table: to the object */
bool port_handle = true;
byte object_refs = 2;      /* the handle's and the signaller's */
byte port_refs = 1;        /* 0: freed */
bool signal, watched;

/* struct async_wait */
typedef wait_t {
    bool observes;   /* linked on the object */
    bool on_port;    /* linked in port->async_waits */
    bool has_object; /* with a reference */
    byte refs;       /* 0: freed, or not yet made */
    bool key
};
wait_t wait[2];
chan packets = [2] of { byte }; /* the port's queue */
bool closed;
bool waits; /* struct port_waiter is linked */
byte given; /* the packet that it was given + 1 */

bool canceled[2], taken[2]; /* what only a model knows */

inline wait_unref(i) {
    assert(wait[i].refs > 0);
    wait[i].refs--;
    /* What is freed lies on no list. */
    assert(wait[i].refs > 0 ||
           (!wait[i].observes && !wait[i].on_port && !packets??[eval(i)]))
}
inline object_unref() { assert(object_refs > 0); object_refs-- }
inline port_ref() { assert(port_refs > 0); port_refs++ }
inline port_unref() { assert(port_refs > 0); port_refs-- }

/* While nobody changes the object, no registration waits for what is there. */
inline no_signal_is_lost() {
    assert(!signal || (!wait[0].observes && !wait[1].observes))
}

/* packet_append_locked */
inline packet_append(i) {
    if
    :: waits ->
        waits = false;
        wait[i].on_port = false; /* packet_uncount_locked */
        given = i + 1;
        thread_unpark(0, OK)
    :: else -> packets!i
    fi
}

inline leave_port(i) { wait[i].on_port = false; wait_unref(i) }

/* The rest of async_wait_fire: the object's reference, and that of whoever fires. */
inline finish(i) {
    wait[i].has_object = false;
    object_unref();
    assert(object_refs > 0)
}

/* Under the object's lock, while the port's is free: waitable_fire_locked, async_wait_fire. */
inline fire(i) {
    wait[i].observes = false;
    if
    :: wait[i].has_object || FAULT == DETACHED_IS_FIRED -> /* else the port has let go of it */
        assert(port_refs > 0);
        if
        :: !closed || FAULT == FIRES_INTO_CLOSED -> packet_append(i)
        :: else -> leave_port(i)
        fi;
        finish(i)
    :: else
    fi;
    wait_unref(i)
}

/* The same because the handle is gone. */
inline fire_canceled(i) {
    wait[i].observes = false;
    if
    :: wait[i].has_object -> leave_port(i); finish(i)
    :: else
    fi;
    wait_unref(i)
}

/* Under the object's lock, which the last step drops: one registration, then the other. */
inline fire_all() {
    atomic {
        !port_lock ->
        if
        :: wait[0].observes -> fire(0)
        :: else
        fi
    };
    atomic {
        !port_lock ->
        if
        :: wait[1].observes -> fire(1)
        :: else
        fi;
        object_lock = false
    }
}

/* The first process: when all others are gone, nothing may be left. */
active proctype end_of_all() {
    (_nr_pr == 1) ->
    assert(object_refs == 0 && port_refs == 0 && !object_lock && !port_lock && empty(packets) &&
           wait[0].refs == 0 && wait[1].refs == 0 && !wait[0].on_port && !wait[1].on_port)
}

/* ---- the registrar ---- */

/* The call has a reference to the port. */
inline find_port() {
    if
    :: port_handle -> port_ref(); found = true
    :: else -> found = false
    fi
}

/* port_wait_async: under the locks of the table, the object and, to join it, the port */
inline wait_async(i, its_key) {
    atomic { find_port() };
    if
    :: found ->
        atomic {
            !object_lock && !port_lock ->
            found = source_handle;
            is_set = signal;
#if FAULT == LINKED_APART || FAULT == LOOKS_UNLOCKED
            object_refs = object_refs + found; /* kept by a reference of its own */
            kept = found
        };
        atomic {
            !object_lock && !port_lock ->
            found = (FAULT == LOOKS_UNLOCKED -> source_handle : found);
            is_set = (FAULT == LINKED_APART -> signal : is_set);
#endif
            found = found && !closed;
            is_set = is_set && found;
            if
            :: found -> /* async_wait_join_port */
                assert(object_refs > 0 && port_refs > 0);
                object_refs++;
                wait[i].key = its_key;
                wait[i].has_object = true;
                wait[i].on_port = true;
                wait[i].refs = 2;
                wait[i].observes = !is_set; /* waitable_observe_locked */
                watched = watched || !is_set;
                object_lock = is_set
            :: else
            fi
        };
        atomic {
            if
            :: is_set -> !port_lock; fire(i); object_lock = false
            :: else
            fi;
#if FAULT == LINKED_APART || FAULT == LOOKS_UNLOCKED
            object_refs = object_refs - kept;
            kept = false;
#endif
            port_unref();
            found = false;
            is_set = false
        }
    :: else
    fi
}

/* Under both locks: async_wait_drop_locked, where the key is the right one. */
inline drop(i) {
    if
    :: wait[i].on_port && wait[i].key == 0 &&
       (wait[i].has_object || FAULT != CANCEL_LEAVES_PACKET) ->
        canceled[i] = true;
        wait[i].on_port = false;
        if
        :: wait[i].has_object ->
            assert(wait[i].observes);
            wait[i].observes = false;
            wait[i].has_object = false;
            object_unref();
            assert(object_refs > 0);
            wait_unref(i)
        :: else ->
            assert(packets??[i]);
            packets??i
        fi;
        wait_unref(i)
    :: wait[i].on_port && wait[i].key == 0 &&
       FAULT == CANCEL_LEAVES_PACKET && !wait[i].has_object ->
        canceled[i] = true
    :: else
    fi
}

active proctype registrar() {
    bool found, is_set, kept;
    bit other_key;

    if
    :: other_key = 0
    :: other_key = 1
    fi;
    wait_async(0, 0);
    wait_async(1, other_key);
    other_key = 0;
    atomic { find_port() }; /* port_cancel */
    if
    :: found ->
        atomic {
            !object_lock && !port_lock ->
            no_signal_is_lost();
            if
            :: source_handle -> drop(0); drop(1)
            :: else
            fi;
            port_unref()
        }
    :: else
    fi
}

/* waitable_change, three times */
active proctype signaller() {
    atomic { !object_lock -> object_lock = true; signal = true };
    fire_all();
    atomic { !object_lock -> no_signal_is_lost(); signal = false };
    atomic { !object_lock -> object_lock = true; signal = true };
    fire_all();
    atomic { object_unref() }
}

/* handle_table_take, then handle_release */
active proctype closer() {
    source_handle = false;
    if
    :: watched -> /* without a lock: waitable_cancel_handle */
        atomic {
            !object_lock && !port_lock ->
            no_signal_is_lost();
            object_lock = true;
            if
            :: wait[0].observes -> fire_canceled(0)
            :: else
            fi
        };
        atomic {
            !port_lock ->
            if
            :: wait[1].observes -> fire_canceled(1)
            :: else
            fi;
            watched = false;
            object_lock = false
        }
    :: else
    fi;
    atomic { /* nobody waits through a handle that is not there */
        !object_lock ->
        assert(!wait[0].observes && !wait[1].observes);
        object_unref()
    }
}

/* ---- the thread in port_wait ---- */

active proctype taker() {
    bool found, until, is_over;
    byte deadlines = 1, packet; /* + 1 */

    do
    :: atomic {
        find_port();
        if
        :: found
        :: else -> break
        fi;
        if
        :: deadlines > 0 -> deadlines--; until = true
        :: true
        fi
       };
       atomic { /* wait_begin */
        !port_lock ->
        assert(port_refs > 0);
        if
        :: closed -> is_over = true
        :: !closed && nempty(packets) ->
            packets?packet;
            wait[packet].on_port = false;
            packet++
        :: !closed && empty(packets) ->
            park_prepare(0);
            waits = true
        fi
       };
       if
       :: parker[0].alive ->
           atomic { park_enter_until(0, 0, KILLABLE, until) };
           atomic { park_leave_until(0, until) };
           atomic { /* wait_end */
            !port_lock ->
            waits = false;
            packet = (FAULT == PACKET_LOST && thread[0].status == TIMED_OUT -> 0 : given);
            is_over = (packet == 0 && thread[0].status == CANCELED);
            given = 0;
            thread[0].status = 0;
            parker_dies(0)
           }
       :: else
       fi;
       atomic {
        if
        :: packet != 0 ->
            assert(!taken[packet - 1] && !canceled[packet - 1]);
            taken[packet - 1] = true;
            wait_unref(packet - 1) /* packet_free */
        :: else
        fi;
        packet = 0;
        until = false;
        port_unref();
        if
        :: is_over -> break
        :: else
        fi
       }
    od
}

/* ---- the end of the port ---- */

/* port_close_begin: the packets are now the caller's. */
inline close_begin() {
    assert(port_refs > 0);
    closed = true;
    do
    :: nempty(packets) ->
        packets?i;
        wait[i].on_port = false;
        mine[i] = true
    :: empty(packets) -> break
    od;
    i = 0;
    if
    :: waits ->
        waits = false;
        thread_unpark(0, CANCELED)
    :: else
    fi
}

/* port_on_zero_handles */
active proctype port_closer() {
    byte i;
    bool mine[2], has_source;

    port_handle = false;
    atomic { !port_lock -> close_begin() };
    atomic { /* packet_free */
        if
        :: mine[0] -> wait_unref(0); mine[0] = false
        :: else
        fi;
        if
        :: mine[1] -> wait_unref(1); mine[1] = false
        :: else
        fi
    };
    do
    :: atomic { /* detach_one */
        !port_lock ->
        if
        :: wait[0].on_port -> i = 0
        :: !wait[0].on_port && wait[1].on_port -> i = 1
        :: else -> break
        fi;
        wait[i].on_port = false;
        has_source = wait[i].has_object;
        wait[i].has_object = false
       };
       atomic {
        if
        :: has_source ->
            !object_lock; /* unlink_from_object */
            no_signal_is_lost();
            if
            :: wait[i].observes ->
                wait[i].observes = false;
                wait_unref(i)
            :: else
            fi
        :: else
        fi
       };
       atomic {
        wait_unref(i);
        if
        :: has_source -> object_unref()
        :: else
        fi;
        i = 0;
        has_source = false
       }
    od;
    atomic { port_unref() }
}
