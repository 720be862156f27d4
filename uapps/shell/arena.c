/*
 * arena.c - blocks of a page and more, filled from the front.
 */
#include "shell/arena.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_SIZE ((size_t)4096)
#define ALIGNMENT  16

struct arena_block {
    struct arena_block *next;
    size_t used, size;
    char bytes[] __attribute__((aligned(ALIGNMENT)));
};

static struct arena_block *add_block(struct arena *arena, size_t size) {
    if (size < BLOCK_SIZE)
        size = BLOCK_SIZE;
    struct arena_block *block = calloc(1, sizeof *block + size);
    if (!block) {
        fputs("sh: no memory\n", stderr);
        exit(1);
    }
    block->size = size;
    block->next = arena->blocks;
    arena->blocks = block;
    return block;
}

void *arena_alloc(struct arena *arena, size_t size) {
    struct arena_block *block = arena->blocks;
    size = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    if (!block || block->size - block->used < size)
        block = add_block(arena, size);
    void *memory = block->bytes + block->used;
    block->used += size;
    return memory;
}

char *arena_copy(struct arena *arena, const char *text, size_t length) {
    char *copy = arena_alloc(arena, length + 1);
    memcpy(copy, text, length);
    return copy;
}

void arena_free(struct arena *arena) {
    while (arena->blocks) {
        struct arena_block *block = arena->blocks;
        arena->blocks = block->next;
        free(block);
    }
}

void words_add(struct words *words, char *word) {
    if (words->count + 1 >= words->room) {
        size_t room = words->room ? words->room * 2 : 8;
        char **at = arena_alloc(words->arena, room * sizeof *at);
        if (words->count > 0)
            memcpy(at, words->at, words->count * sizeof *at);
        words->at = at;
        words->room = room;
    }
    words->at[words->count++] = word;
    words->at[words->count] = NULL;
}
