/*
 * authority.h - what a system tool needs besides its streams, and who gets it.
 *
 * No program finds these by itself: init gives them to the shell, and the shell to
 * those programs of the image that the table in authority.c names, each with no more
 * rights than the table says. A program from anywhere else gets none.
 */
#pragma once

#include <jacinth/launch.h>
#include <zircon/processargs.h>
#include <zircon/types.h>

/* As they stand in a start message. */
#define AUTHORITY_ROOT_JOB PA_HND(PA_USER0, 0) /* the root job: to look at tasks, or end them */
#define AUTHORITY_SYSTEM   PA_HND(PA_USER0, 1) /* a channel to init: see system.h */
#define AUTHORITY_HANDLES  2

struct authority {
    zx_handle_t root_job; /* ZX_HANDLE_INVALID: none */
    zx_handle_t system;
};

/* What this program was given; for as long as it runs. */
struct authority authority_take(void);
/*
 * Append what the program found as `file` is to have, taken from `own`; nothing, unless
 * it is a program of the image that the table names. Returns how many were added.
 */
size_t authority_for(const struct authority *own, const char *path,
                     struct jx_launch_handle handles[AUTHORITY_HANDLES]);
