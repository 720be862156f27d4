/*
 * kill_points.h - the program that is killed at each point of its threads' lives.
 */
#pragma once

/* "crash": ends by an exception instead of an exit. */
int victim_main(const char *how);
