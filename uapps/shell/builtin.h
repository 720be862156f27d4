/*
 * builtin.h - commands that change the shell itself.
 */
#pragma once

#include "shell/arena.h"
#include "shell/shell.h"

/* What a built-in command prints, kept until it is done. */
struct output {
    struct arena *arena;
    char *text;
    size_t length, room;
};
void output_add(struct output *output, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

struct builtin {
    const char *name;
    const char *help;
    int (*run)(struct shell *shell, char **argv, struct output *output);
};

/* NULL: it is a program, or nothing. */
const struct builtin *builtin_find(const char *name);
/* Runs it; --help is answered here. The result is its exit code. */
int builtin_run(const struct builtin *builtin, struct shell *shell, char **argv,
                struct output *output);
