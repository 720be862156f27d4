/*
 * typing.h - what is typed while a job runs in the foreground.
 *
 * The job gets whole lines through its `typed` end. What it has not read when it ends
 * goes back to the shell, in front of what is typed later.
 */
#pragma once

#include "shell/job.h"

struct typing {
    struct shell *shell;
    struct job *job;
    zx_time_t held_until;
    char line[1024]; /* not yet sent */
    size_t length;
    struct input kept; /* lines that the job could not take */
};

/* Between these two the shell's input is the job's. */
void typing_begin(struct typing *typing, struct shell *shell, struct job *job);
void typing_end(struct typing *typing);
/* Pass on what is typed until a process has ended. */
void typing_wait(struct typing *typing, zx_handle_t process);
