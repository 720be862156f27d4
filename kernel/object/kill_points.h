/*
 * kill_points.h - debug kernels: a process is killed where its name says (P47).
 *
 * Booted with kill.points, a process named "kill:POINT:N" stops when one of its threads
 * passes POINT (kill_point.h) after N earlier passes. Another thread kills it there;
 * then the one that stopped goes on. Its name is "killed at POINT" from then on.
 */
#pragma once

#include "lib/types.h"

struct process;

/* Once at boot: makes the killer, if the command line asks for it. */
status_t kill_points_init(void);
/* A point that is the process's rather than a thread's. */
void kill_point_of_process(const char *point, struct process *process);
