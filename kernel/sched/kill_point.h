/*
 * kill_point.h - debug kernels: named points in the life of a thread, where a test may
 * have its process killed (P47).
 *
 * A point is passed with interrupts on and no lock held, as far as anything shall
 * happen there. What happens is object/kill_points.c's matter, which sets the hook;
 * release kernels have no points.
 */
#pragma once

#include "sched/thread.h"

typedef void kill_point_hook(const char *point, struct thread *thread);
extern kill_point_hook *kill_point_door; /* thread.c; set once at boot; NULL: nobody is killed */

/* `thread` passes the point `point`; the running one, or one that is about to start or gone. */
ALWAYS_INLINE void kill_point(const char *point, struct thread *thread) {
#ifdef JX_DEBUG
    if (unlikely(kill_point_door != NULL))
        kill_point_door(point, thread);
#endif
}
