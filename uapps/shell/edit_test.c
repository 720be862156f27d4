/*
 * edit_test.c - keys into lines, and what a small terminal then shows; on the host.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/ktest.h"
#include "shell/edit.h"

#define EXPECT_TEXT(want, got)                                                                     \
    do {                                                                                           \
        if (strcmp(want, got))                                                                     \
            ktest_fail(__FILE__, __LINE__, "is <%s>, not <%s>", got, want);                        \
    } while (0)

/* --- one line of a terminal: printable bytes, \r, ESC [ K, ESC [ n C --- */

static struct screen {
    char line[4096];
    size_t column, widest;
    char sequence[16];
    size_t sequence_length; /* 0: not inside one */
} screen;

static void end_sequence(void) {
    char letter = screen.sequence[screen.sequence_length - 1];
    size_t number = strtoul(screen.sequence + 2, NULL, 10);
    if (letter == 'K')
        memset(screen.line + screen.column, 0, sizeof screen.line - screen.column);
    else if (letter == 'C')
        screen.column += number;
    screen.sequence_length = 0;
}

static void screen_put(char byte) {
    if (screen.sequence_length > 0 || byte == 0x1b) {
        screen.sequence[screen.sequence_length++] = byte;
        if (screen.sequence_length > 2 && byte >= '@')
            end_sequence();
    } else if (byte == '\r' || byte == '\n') {
        screen.column = 0;
    } else if (byte >= ' ') {
        screen.line[screen.column++] = byte;
        if (screen.column > screen.widest)
            screen.widest = screen.column;
    }
}

static void screen_write(void *context, const char *bytes, size_t length) {
    for (size_t i = 0; i < length; i++)
        screen_put(bytes[i]);
}

static struct edit edit;

static void begin(size_t columns) {
    memset(&screen, 0, sizeof screen);
    edit.write = screen_write;
    edit_begin(&edit, "$ ", columns);
}

static enum edit_event type(const char *keys) {
    enum edit_event event = EDIT_NOTHING;
    for (; *keys; keys++)
        event = edit_feed(&edit, *keys);
    return event;
}

static const char *line_of(const char *keys) {
    begin(80);
    EXPECT_EQ(EDIT_LINE, type(keys));
    return edit.line;
}

static void forget(void) {
    for (size_t i = 0; i < edit.history_count; i++)
        free(edit.history[i]);
    memset(&edit, 0, sizeof edit);
}

KTEST(shell_edit, keys_move_and_change_the_line) {
    EXPECT_TEXT("hello", line_of("hello\r"));
    EXPECT_TEXT("hello", line_of("hell\x7fxx\b\blo\r"));
    EXPECT_TEXT("abc", line_of("bc\x01"
                               "a\r"));
    EXPECT_TEXT("abc", line_of("ac\x1b[Db\r"));
    EXPECT_TEXT("abcd", line_of("bd\x1b[Ha\x1b[Cc\r"));
    EXPECT_TEXT("abc", line_of("bc\x1b[1~a\x1b[4~\r"));
    EXPECT_TEXT("ac", line_of("abc\x1b[D\x1b[D\x1b[3~\r"));
    EXPECT_TEXT("ab", line_of("abcd\x02\x02\x0b\r"));
    EXPECT_TEXT("cd", line_of("abcd\x02\x02\x15\r"));
    EXPECT_TEXT("one ", line_of("one two  \x17\r"));
    EXPECT_TEXT("ab", line_of("a\x1b[20;3Zb\x1bx\r"));
    EXPECT_TEXT("\xc3\xa4", line_of("\xc3\xa4\n"));
}

KTEST(shell_edit, other_ways_to_end_a_line) {
    begin(80);
    EXPECT_EQ(EDIT_INTERRUPT, type("abc\x03"));
    begin(80);
    EXPECT_EQ(EDIT_END, type("\x04"));
    begin(80);
    EXPECT_EQ(EDIT_NOTHING, type("ab\x01\x04"));
    EXPECT_EQ(EDIT_LINE, type("\r"));
    EXPECT_TEXT("b", edit.line);
}

KTEST(shell_edit, the_screen_shows_the_line) {
    begin(80);
    type("hello\x1b[D\x1b[DXY");
    EXPECT_TEXT("$ helXYlo", screen.line);
    EXPECT_EQ(2 + 5, screen.column);
    type("\x15");
    EXPECT_TEXT("$ lo", screen.line);
    EXPECT_EQ(2, screen.column);
}

KTEST(shell_edit, a_long_line_scrolls_and_never_leaves_its_row) {
    begin(20);
    type("0123456789012345678901234567890123456789");
    EXPECT_EQ(40, edit.length);
    EXPECT_EQ(19, screen.column);
    EXPECT_TEXT("$ 34567890123456789", screen.line);
    type("\x01");
    EXPECT_TEXT("$ 01234567890123456", screen.line);
    EXPECT_EQ(2, screen.column);
    EXPECT(screen.widest < 20);
}

KTEST(shell_edit, a_line_that_is_too_long_loses_only_what_comes_then) {
    begin(80);
    for (size_t i = 0; i < 3 * EDIT_LINE_MAX; i++)
        edit_feed(&edit, (char)('a' + i % 26));
    EXPECT_EQ(EDIT_LINE, type("\r"));
    EXPECT_EQ(EDIT_LINE_MAX - 1, strlen(edit.line));
    EXPECT_EQ('a', edit.line[0]);
}

KTEST(shell_edit, history_goes_back_and_forth) {
    forget();
    edit_remember(&edit, "first");
    edit_remember(&edit, "second");
    edit_remember(&edit, "second");
    edit_remember(&edit, "");
    EXPECT_EQ(2, edit.history_count);
    EXPECT_TEXT("second", line_of("\x1b[A\r"));
    EXPECT_TEXT("first", line_of("\x1b[A\x1b[A\x1b[A\r"));
    EXPECT_TEXT("draft", line_of("draft\x10\x10\x0e\x0e\r"));
    EXPECT_TEXT("first!", line_of("\x1bOA\x1bOA!\r"));
    for (int i = 0; i < 3 * EDIT_HISTORY; i++) {
        char line[16];
        snprintf(line, sizeof line, "line %d", i);
        edit_remember(&edit, line);
    }
    EXPECT_EQ(EDIT_HISTORY, edit.history_count);
    EXPECT_TEXT("line 191", line_of("\x1b[A\r"));
    forget();
}
