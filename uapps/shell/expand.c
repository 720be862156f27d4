/*
 * expand.c - one pass over a word, collecting fields.
 *
 * The field under construction is a growing text. A field exists once a character or a
 * quote was seen, so '' is an empty word and an unset $X is none.
 */
#include "shell/expand.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

struct field {
    const struct expander *expander;
    struct arena *arena;
    struct words *out; /* NULL: do not split */
    char *text;
    size_t length, room;
    bool exists;
};

static void put(struct field *field, char c) {
    if (field->length + 1 >= field->room) {
        size_t room = field->room ? field->room * 2 : 32;
        char *text = arena_alloc(field->arena, room);
        if (field->length > 0)
            memcpy(text, field->text, field->length);
        field->text = text;
        field->room = room;
    }
    field->text[field->length++] = c;
    field->exists = true;
}

static void end_field(struct field *field) {
    if (field->exists)
        words_add(field->out,
                  arena_copy(field->arena, field->text ? field->text : "", field->length));
    field->length = 0;
    field->exists = false;
}

static void put_value(struct field *field, const char *value, bool quoted) {
    for (; value && *value; value++) {
        if (!quoted && field->out && isspace((unsigned char)*value))
            end_field(field);
        else
            put(field, *value);
    }
}

/* How long is the variable's name at `at`? 0 if a `$` before it is just that. */
static size_t name_length(const char *at) {
    size_t length = 0;
    if (*at && strchr("?#@*0123456789", *at))
        return 1;
    while (isalnum((unsigned char)at[length]) || at[length] == '_')
        length++;
    return length;
}

/* At a `$`; returns the last byte that belongs to it. */
static const char *put_variable(struct field *field, const char *at, bool quoted) {
    bool braces = at[1] == '{';
    const char *name = at + 1 + braces;
    size_t length = name_length(name);
    if (length == 0 || (braces && name[length] != '}')) {
        put(field, '$');
        return at;
    }
    put_value(field, field->expander->lookup(field->expander->context, name, length), quoted);
    return name + length - 1 + braces;
}

static const char *put_single_quoted(struct field *field, const char *at) {
    field->exists = true;
    for (at++; *at != '\''; at++)
        put(field, *at);
    return at;
}

static const char *put_double_quoted(struct field *field, const char *at) {
    field->exists = true;
    for (at++; *at != '"'; at++) {
        if (*at == '$')
            at = put_variable(field, at, true);
        else if (at[0] == '\\' && at[1] == '\n')
            at++;
        else if (at[0] == '\\' && strchr("$\"\\", at[1]))
            put(field, *++at);
        else
            put(field, *at);
    }
    return at;
}

/* The parser has seen to it that every quote is closed and something follows a backslash. */
static void expand(struct field *field, const char *word) {
    for (const char *at = word; *at; at++) {
        if (*at == '\'')
            at = put_single_quoted(field, at);
        else if (*at == '"')
            at = put_double_quoted(field, at);
        else if (*at == '$')
            at = put_variable(field, at, false);
        else if (*at != '\\')
            put(field, *at);
        else if (*++at != '\n')
            put(field, *at);
    }
}

void expand_word(const struct expander *expander, const char *word, struct words *out) {
    struct field field = {.expander = expander, .arena = out->arena, .out = out};
    expand(&field, word);
    end_field(&field);
}

char *expand_whole(const struct expander *expander, const char *word, struct arena *arena) {
    struct field field = {.expander = expander, .arena = arena};
    expand(&field, word);
    return arena_copy(arena, field.text ? field.text : "", field.length);
}
