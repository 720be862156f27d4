/*
 * blocking.h - every call that blocks, and every way in which each of them ends.
 *
 * A row of the table is a call with what it waits for; an ending is what somebody else
 * does, and what the call answers then. The caller is a thread of this program, or the
 * only thread of a bare child (caller.h): so all that the call is given lies in one page
 * that both see, and of a handle only the place is known where its value goes.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <zircon/types.h>

/* Argument: the value of the caller's handle. Words of the page where it is put as well. */
#define THE_HANDLE   UINT64_MAX
#define HANDLE_PLACE 2048 /* bytes from the page's begin, and once more 12 bytes later */

struct scene {
    /* Set before `make`. */
    volatile uint64_t *page; /* here */
    uintptr_t seen;          /* where the caller sees it */
    zx_handle_t vmar;        /* the caller's root region, borrowed */
    bool may_be_dead;        /* the caller: what is sent to it may be refused */

    uint64_t arguments[6];
    zx_handle_t handle;      /* the caller's; whoever ends it stores ZX_HANDLE_INVALID */
    zx_handle_t other;       /* what ends the call: a second handle, the peer, the pager */
    zx_handle_t more[3];
    zx_vaddr_t mapped;       /* in `vmar` */
    zx_time_t deadline;      /* of the call, when it has one; 0: none */
};

enum ending_flags {
    LOCAL = 1,       /* by the caller's handle, so somebody of its process does it */
    AFTER_ONLY = 2,  /* waits until the call has begun to block */
};

struct ending {
    const char *name;
    void (*act)(struct scene *);
    unsigned flags;
    zx_status_t before, after; /* the answer, if this came before the call or while it blocked */
    zx_status_t also;          /* one more that is legal while it did; else the same as `after` */
};

#define ENDINGS 7
struct blocking {
    const char *name;
    const char *call;    /* the name of the vDSO's function */
    uintptr_t function;  /* here */
    uint32_t state;      /* of the thread that is blocked; 0: none tells it from one that runs */
    void (*make)(struct scene *);
    /* The caller was killed in it: what it waited for is of use to others still. May be NULL. */
    void (*use)(struct scene *);
    struct ending endings[ENDINGS]; /* up to one without a name */
};

extern const struct blocking blocking[];
extern const unsigned blocking_count;

/* What `make` made, and what the endings left of it. */
void scene_end(struct scene *scene);
