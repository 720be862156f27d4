/*
 * vars.h - the shell's variables; one set for the program.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "shell/arena.h"

struct var {
    char *text; /* NAME=VALUE */
    size_t name_length;
    bool exported;
};

/* NULL: not set. */
const char *vars_get(const char *name, size_t length);
/* Set from NAME=VALUE, which is copied. False: no memory. */
bool vars_set(const char *text);
void vars_unset(const char *name);
/* Mark for programs; one that is not set is set to nothing. */
void vars_export(const char *name);
/* Set and mark what this program was given. */
void vars_import(char *const *environment);
/* All variables, sorted by name; *out_count of them, valid until the next change. */
const struct var *vars_all(size_t *out_count);
/* What programs get: the exported ones, with `more` NAME=VALUE texts on top. */
struct words vars_environment(struct arena *arena, const struct words *more);
