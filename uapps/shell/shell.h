/*
 * shell.h - what the parts of the shell share.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/authority.h"
#include "shell/input.h"
#include "shell/parse.h"

struct shell {
    struct authority authority;
    bool interactive;   /* a person types: edits lines, and jobs get what is typed */
    struct input input; /* of an interactive shell */
    const char *name;   /* $0 */
    char **args;        /* $1 and on */
    size_t arg_count;
    int status; /* $? */
    bool exiting;
    bool interrupted; /* Ctrl-C: the rest of the line is dropped */
};

#define STATUS_NOT_FOUND  127
#define STATUS_CANNOT_RUN 126
#define STATUS_KILLED     250
#define STATUS_EXCEPTION  252
#define STATUS_USAGE      2

/* Run the chains of one line. */
void shell_run_chains(struct shell *shell, const struct chain *chains);
/* A text for standard output, at once. */
void shell_print(const char *format, ...) __attribute__((format(printf, 1, 2)));
