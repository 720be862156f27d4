/*
 * edit.h - a line editor for a terminal of a known width that is never asked anything.
 *
 * The caller feeds bytes; the editor draws by a callback. A line longer than the
 * terminal is wide scrolls sideways. Keys: arrows, Home, End, Delete, Backspace, Ctrl-A
 * E B F P N H D U K W L, Enter, Ctrl-C, and Ctrl-D on an empty line.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define EDIT_LINE_MAX 1024
#define EDIT_HISTORY  64

typedef void edit_write(void *context, const char *bytes, size_t length);

enum edit_event {
    EDIT_NOTHING,
    EDIT_LINE,      /* Enter: `line` is complete */
    EDIT_INTERRUPT, /* Ctrl-C: the line is dropped */
    EDIT_END,       /* Ctrl-D on an empty line */
};

struct edit {
    edit_write *write; /* set by the owner, as is the context; the rest begins as 0 */
    void *context;
    const char *prompt;
    size_t columns;

    char line[EDIT_LINE_MAX]; /* terminated when an event is returned */
    size_t length, cursor;
    size_t shown;    /* the first byte on the screen */
    unsigned escape; /* bytes of an escape sequence seen */
    char escape_digit;

    char *history[EDIT_HISTORY]; /* the oldest first */
    size_t history_count;
    size_t history_at;         /* history_count: the new line */
    char draft[EDIT_LINE_MAX]; /* the new line while an old one shows */
};

/* Show the prompt and begin an empty line. */
void edit_begin(struct edit *edit, const char *prompt, size_t columns);
/* One byte that was typed. */
enum edit_event edit_feed(struct edit *edit, char byte);
/* Remember a line; one equal to the last is not kept twice. */
void edit_remember(struct edit *edit, const char *line);
