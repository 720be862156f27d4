/*
 * vars.c - an array of NAME=VALUE texts, sorted by name.
 */
#include "shell/vars.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct var *vars;
static size_t count, room;

static size_t name_length(const char *text) {
    return strcspn(text, "=");
}

static int compare(const struct var *var, const char *name, size_t length) {
    size_t shorter = var->name_length < length ? var->name_length : length;
    int order = memcmp(var->text, name, shorter);
    return order ? order : (var->name_length > length) - (var->name_length < length);
}

/* Where the variable is, or would be. */
static size_t find(const char *name, size_t length, bool *out_found) {
    size_t at = 0;
    while (at < count && compare(&vars[at], name, length) < 0)
        at++;
    *out_found = at < count && compare(&vars[at], name, length) == 0;
    return at;
}

const char *vars_get(const char *name, size_t length) {
    bool found;
    size_t at = find(name, length, &found);
    return found ? vars[at].text + length + 1 : NULL;
}

static bool insert(size_t at, char *text, size_t length) {
    if (count == room) {
        size_t wanted = room ? room * 2 : 16;
        struct var *larger = reallocarray(vars, wanted, sizeof *larger);
        if (!larger)
            return false;
        vars = larger;
        room = wanted;
    }
    memmove(&vars[at + 1], &vars[at], (count - at) * sizeof *vars);
    vars[at] = (struct var){.text = text, .name_length = length};
    count++;
    return true;
}

bool vars_set(const char *text) {
    bool found;
    size_t length = name_length(text);
    size_t at = find(text, length, &found);
    char *copy = strdup(text);
    if (!copy)
        return false;
    if (found) {
        free(vars[at].text);
        vars[at].text = copy;
    } else if (!insert(at, copy, length)) {
        free(copy);
        return false;
    }
    return true;
}

void vars_unset(const char *name) {
    bool found;
    size_t at = find(name, strlen(name), &found);
    if (!found)
        return;
    free(vars[at].text);
    memmove(&vars[at], &vars[at + 1], (--count - at) * sizeof *vars);
}

void vars_export(const char *name) {
    char text[256];
    bool found;
    size_t length = strlen(name);
    find(name, length, &found);
    if (!found && (size_t)snprintf(text, sizeof text, "%s=", name) < sizeof text)
        (void)vars_set(text);
    size_t at = find(name, length, &found);
    if (found)
        vars[at].exported = true;
}

void vars_import(char *const *environment) {
    bool found;
    for (; *environment; environment++) {
        size_t length = name_length(*environment);
        if (length == 0 || (*environment)[length] != '=' || !vars_set(*environment))
            continue;
        size_t at = find(*environment, length, &found);
        vars[at].exported = true;
    }
}

const struct var *vars_all(size_t *out_count) {
    *out_count = count;
    return vars;
}

static bool overridden(const struct var *var, const struct words *more) {
    for (size_t i = 0; i < more->count; i++) {
        if (strncmp(var->text, more->at[i], var->name_length + 1) == 0)
            return true;
    }
    return false;
}

struct words vars_environment(struct arena *arena, const struct words *more) {
    struct words words = {.arena = arena};
    for (size_t i = 0; i < count; i++) {
        if (vars[i].exported && !overridden(&vars[i], more))
            words_add(&words, vars[i].text);
    }
    for (size_t i = 0; i < more->count; i++)
        words_add(&words, more->at[i]);
    if (words.count == 0)
        words.at = arena_alloc(arena, sizeof *words.at);
    return words;
}
