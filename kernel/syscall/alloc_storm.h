/*
 * alloc_storm.h - debug kernels: each allocation of a system call fails in turn.
 *
 * Booted with alloc.storm, a process that names itself "alloc-storm" meets it: the
 * first time it makes a call the call's first allocation fails, the next time the
 * second, and so on; once none is left to fail the turn begins again. So a program
 * that repeats a call until it succeeds has seen every failure in it.
 */
#pragma once

#include "lib/types.h"

/* Before a call: does it meet the storm? Then _leave follows it. */
bool alloc_storm_enter(uint64_t number);
void alloc_storm_leave(uint64_t number);
