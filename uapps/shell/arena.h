/*
 * arena.h - memory that is given back all at once: what one command line needs.
 */
#pragma once

#include <stddef.h>

struct arena_block;
/* All zero: empty. */
struct arena {
    struct arena_block *blocks;
};

/* Zeroed memory, aligned for everything. When there is none the program ends. */
void *arena_alloc(struct arena *arena, size_t size);
char *arena_copy(struct arena *arena, const char *text, size_t length);
void arena_free(struct arena *arena);

/* A growing array of words in an arena, always ended by NULL. */
struct words {
    struct arena *arena;
    char **at;
    size_t count, room;
};
void words_add(struct words *words, char *word);
