/*
 * parse.h - a command line as a tree. Words keep their quotes until they are expanded
 * (expand.h), which happens when the command runs.
 *
 *     line     = chain ((`;` | `&` | newline) chain)*
 *     chain    = pipeline ((`&&` | `||`) pipeline)*
 *     pipeline = command (`|` command)*
 *     command  = NAME=word* (word | `<` word)*
 *
 * `#` at a word's begin starts a comment; a backslash joins lines.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "shell/arena.h"

struct command {
    struct words assignments; /* NAME=word */
    struct words words;
    char *input; /* the word behind `<`, or NULL */
};

enum link { LINK_FIRST, LINK_AND, LINK_OR }; /* how a pipeline follows the one before */

struct pipeline {
    struct pipeline *next;
    enum link link;
    size_t count;
    struct command *commands;
};

struct chain {
    struct chain *next;
    bool background;
    const char *text; /* as it was written, for a list of jobs */
    struct pipeline *pipelines;
};

enum parse_result {
    PARSE_OK,
    PARSE_MORE, /* the text ends inside a quote, or after `|`, `&&`, `||` or a backslash */
    PARSE_ERROR,
};

/*
 * Parse up to the first newline that ends a command (or the end of the text). *out_chains
 * is NULL for an empty line; *out_used counts the bytes parsed, the newline among them;
 * *out_error is a text after PARSE_ERROR. All memory is the arena's.
 */
enum parse_result parse_line(const char *text, struct arena *arena, struct chain **out_chains,
                             size_t *out_used, const char **out_error);
/* Is it the begin of NAME=...? Then the length of NAME, else 0. */
size_t parse_assignment(const char *word);
