/* own.c - a program with functions of its own that are called as the library's (see exec.py). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char blocks[4096];
static size_t used, given, freed;

static size_t separated;

char *strsep(char **restrict at, const char *restrict ends) {
    char *word = *at;
    size_t length = word ? strcspn(word, ends) : 0;
    separated++;
    *at = word && word[length] ? word + length + 1 : NULL;
    if (word)
        word[length] = '\0';
    return word;
}

void *malloc(size_t size) {
    char *block = blocks + used;
    used += (size + 15) & ~(size_t)15;
    given++;
    return used <= sizeof blocks ? block : NULL;
}

void free(void *block) {
    if ((char *)block >= blocks && (char *)block < blocks + sizeof blocks)
        freed++;
}

int main(void) {
    char line[] = "one two", *at = line, *word;
    while ((word = strsep(&at, " ")) != NULL) {
        char *copy = strdup(word); /* must come from the malloc above */
        printf("%s ", copy);
        free(copy);
    }
    printf("%zu %zu %zu\n", separated, given, freed);
    return 0;
}
