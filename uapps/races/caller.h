/*
 * caller.h - who makes a call that blocks: a thread of this program, or a child of one thread,
 * which can be killed.
 */
#pragma once

#include "core-tests/support.h"
#include "races/blocking.h"
#include "races/race.h"

/* --- a thread of this program --- */

struct call_here {
    const struct blocking *call;
    struct scene scene;
    struct hold *hold; /* before it calls; NULL: at once */
};

/* The scene of a call of this program; scene_end ends it. */
void call_here_make(struct call_here *call, const struct blocking *blocking);
/* For a runner: makes the call; its answer. `argument` is a struct call_here. */
zx_status_t call_here_run(void *argument);
/* What the call answered is one of the ending's answers, for one that came at that moment. */
void call_here_judge(const struct call_here *call, const struct ending *ending, enum moment moment,
                     zx_status_t status);

/* --- a child: after its call it exits with this --- */

#define CAME_BACK 77

struct call_there {
    const struct blocking *call;
    struct scene scene;
    struct child child;
};

/* Built, not started. False after a failure, which the test was told about. */
bool call_there_make(struct call_there *call, const struct blocking *blocking);
/* Gives it its handle, and lets it go. */
zx_status_t call_there_start(struct call_there *call);
/* It is blocked, or has ended. */
void call_there_await_blocked(const struct call_there *call);
void call_there_end(struct call_there *call);
