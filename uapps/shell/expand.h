/*
 * expand.h - words without their quotes, with the values of variables.
 *
 * 'text' stays as it is; in "text" and outside, $NAME, ${NAME} and $? $# $@ $* $0-$9
 * are replaced; a backslash takes the meaning from the next character (inside "" only
 * from $ " \ and newline). An unquoted value is split at blanks.
 */
#pragma once

#include "shell/arena.h"

/* The value of a variable whose name has `length` bytes; NULL: not set. */
typedef const char *expand_lookup(void *context, const char *name, size_t length);

struct expander {
    expand_lookup *lookup;
    void *context;
};

/* Append the words that `word` stands for: none, one, or several. */
void expand_word(const struct expander *expander, const char *word, struct words *out);
/* The same without splitting, for NAME=word and `< word`. */
char *expand_whole(const struct expander *expander, const char *word, struct arena *arena);
