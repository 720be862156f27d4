/*
 * edit.c - the editor's state and its drawing.
 *
 * Every change is followed by draw(), which writes the whole visible line. The one
 * exception is a byte added at the end of a line that still fits, which is just echoed.
 * A byte of UTF-8 counts as a column, which misplaces the cursor but loses nothing.
 */
#include "shell/edit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CTRL(letter) ((letter) & 0x1f)
#define ESCAPE       0x1b
#define DELETE       0x7f

static void put(struct edit *edit, const char *text) {
    edit->write(edit->context, text, strlen(text));
}

/* --- drawing --- */

static size_t room(const struct edit *edit) {
    size_t prompt = strlen(edit->prompt);
    return edit->columns > prompt + 8 ? edit->columns - prompt - 1 : 8;
}

static void scroll(struct edit *edit) {
    size_t width = room(edit);
    if (edit->cursor < edit->shown)
        edit->shown = edit->cursor;
    if (edit->cursor > edit->shown + width)
        edit->shown = edit->cursor - width;
    if (edit->length <= width)
        edit->shown = 0;
}

static void draw(struct edit *edit) {
    char move[24];
    scroll(edit);
    size_t visible = edit->length - edit->shown;
    if (visible > room(edit))
        visible = room(edit);
    put(edit, "\r");
    put(edit, edit->prompt);
    edit->write(edit->context, edit->line + edit->shown, visible);
    snprintf(move, sizeof move, "\x1b[K\r\x1b[%zuC",
             strlen(edit->prompt) + edit->cursor - edit->shown);
    put(edit, move);
}

void edit_begin(struct edit *edit, const char *prompt, size_t columns) {
    edit->prompt = prompt;
    edit->columns = columns;
    edit->length = edit->cursor = edit->shown = 0;
    edit->escape = 0;
    edit->history_at = edit->history_count;
    put(edit, prompt);
}

/* --- changing the line --- */

static void insert(struct edit *edit, char byte) {
    if (edit->length + 1 >= EDIT_LINE_MAX) {
        put(edit, "\a");
        return;
    }
    memmove(edit->line + edit->cursor + 1, edit->line + edit->cursor, edit->length - edit->cursor);
    edit->line[edit->cursor++] = byte;
    edit->length++;
    if (edit->cursor == edit->length && edit->length <= room(edit))
        edit->write(edit->context, &byte, 1);
    else
        draw(edit);
}

/* Take out [begin, end); the cursor goes to its begin. */
static void cut(struct edit *edit, size_t begin, size_t end) {
    if (begin == end)
        return;
    memmove(edit->line + begin, edit->line + end, edit->length - end);
    edit->length -= end - begin;
    edit->cursor = begin;
    draw(edit);
}

static void cut_word(struct edit *edit) {
    size_t begin = edit->cursor;
    while (begin > 0 && edit->line[begin - 1] == ' ')
        begin--;
    while (begin > 0 && edit->line[begin - 1] != ' ')
        begin--;
    cut(edit, begin, edit->cursor);
}

static void go(struct edit *edit, size_t cursor) {
    edit->cursor = cursor;
    draw(edit);
}

static void left(struct edit *edit) {
    if (edit->cursor > 0)
        go(edit, edit->cursor - 1);
}

static void right(struct edit *edit) {
    if (edit->cursor < edit->length)
        go(edit, edit->cursor + 1);
}

static void delete(struct edit *edit) {
    if (edit->cursor < edit->length)
        cut(edit, edit->cursor, edit->cursor + 1);
}

/* --- history --- */

void edit_remember(struct edit *edit, const char *line) {
    size_t count = edit->history_count;
    if (!line[0] || (count > 0 && strcmp(edit->history[count - 1], line) == 0))
        return;
    char *copy = strdup(line);
    if (!copy)
        return;
    if (count == EDIT_HISTORY) {
        free(edit->history[0]);
        memmove(edit->history, edit->history + 1, (EDIT_HISTORY - 1) * sizeof edit->history[0]);
        count--;
    }
    edit->history[count] = copy;
    edit->history_count = count + 1;
}

static void show_history(struct edit *edit, size_t index) {
    if (edit->history_at == edit->history_count) {
        memcpy(edit->draft, edit->line, edit->length);
        edit->draft[edit->length] = '\0';
    }
    const char *text = index == edit->history_count ? edit->draft : edit->history[index];
    edit->history_at = index;
    edit->length = edit->cursor = strlen(text);
    memcpy(edit->line, text, edit->length);
    draw(edit);
}

static void older(struct edit *edit) {
    if (edit->history_at > 0)
        show_history(edit, edit->history_at - 1);
}

static void newer(struct edit *edit) {
    if (edit->history_at < edit->history_count)
        show_history(edit, edit->history_at + 1);
}

/* --- keys --- */

static void end_sequence(struct edit *edit, char byte) {
    edit->escape = 0;
    switch (byte) {
    case 'A':
        older(edit);
        break;
    case 'B':
        newer(edit);
        break;
    case 'C':
        right(edit);
        break;
    case 'D':
        left(edit);
        break;
    case 'H':
        go(edit, 0);
        break;
    case 'F':
        go(edit, edit->length);
        break;
    case '~':
        if (edit->escape_digit == '1' || edit->escape_digit == '7')
            go(edit, 0);
        else if (edit->escape_digit == '4' || edit->escape_digit == '8')
            go(edit, edit->length);
        else if (edit->escape_digit == '3')
            delete (edit);
        break;
    }
}

/* ESC, then `[` or `O`, then digits and semicolons, then the byte that tells. */
static void feed_sequence(struct edit *edit, char byte) {
    if (edit->escape == 1) {
        edit->escape = byte == '[' || byte == 'O' ? 2 : 0;
        edit->escape_digit = 0;
    } else if ((byte >= '0' && byte <= '9') || byte == ';') {
        edit->escape_digit = edit->escape_digit ? edit->escape_digit : byte;
    } else {
        end_sequence(edit, byte);
    }
}

static enum edit_event finish(struct edit *edit, enum edit_event event) {
    edit->line[edit->length] = '\0';
    put(edit, event == EDIT_INTERRUPT ? "^C\n" : "\n");
    return event;
}

static void feed_control(struct edit *edit, char byte) {
    switch (byte) {
    case CTRL('A'):
        go(edit, 0);
        break;
    case CTRL('B'):
        left(edit);
        break;
    case CTRL('D'):
        delete (edit);
        break;
    case CTRL('E'):
        go(edit, edit->length);
        break;
    case CTRL('F'):
        right(edit);
        break;
    case CTRL('H'):
    case DELETE:
        if (edit->cursor > 0)
            cut(edit, edit->cursor - 1, edit->cursor);
        break;
    case CTRL('K'):
        cut(edit, edit->cursor, edit->length);
        break;
    case CTRL('L'):
        put(edit, "\x1b[H\x1b[2J");
        draw(edit);
        break;
    case CTRL('N'):
        newer(edit);
        break;
    case CTRL('P'):
        older(edit);
        break;
    case CTRL('U'):
        cut(edit, 0, edit->cursor);
        break;
    case CTRL('W'):
        cut_word(edit);
        break;
    case ESCAPE:
        edit->escape = 1;
        break;
    }
}

enum edit_event edit_feed(struct edit *edit, char byte) {
    if (edit->escape) {
        feed_sequence(edit, byte);
        return EDIT_NOTHING;
    }
    if (byte == '\r' || byte == '\n')
        return finish(edit, EDIT_LINE);
    if (byte == CTRL('C'))
        return finish(edit, EDIT_INTERRUPT);
    if (byte == CTRL('D') && edit->length == 0)
        return finish(edit, EDIT_END);
    if ((unsigned char)byte >= ' ' && byte != DELETE)
        insert(edit, byte);
    else
        feed_control(edit, byte);
    return EDIT_NOTHING;
}
