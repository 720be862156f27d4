/*
 * parse_test.c - lines into trees, and words into what they stand for; on the host.
 */
#include <stdio.h>
#include <string.h>

#include "lib/ktest.h"
#include "shell/expand.h"
#include "shell/parse.h"

#define EXPECT_TEXT(want, got)                                                                     \
    do {                                                                                           \
        if (strcmp(want, got))                                                                     \
            ktest_fail(__FILE__, __LINE__, "is <%s>, not <%s>", got, want);                        \
    } while (0)

/* --- a tree as text: {words} in pipelines with |, chains ended by ; or & --- */

static size_t add(char *text, size_t used, const char *part) {
    return used + (size_t)snprintf(text + used, 512 - used, "%s", part);
}

static size_t describe_command(char *text, size_t used, const struct command *command) {
    used = add(text, used, "{");
    for (size_t i = 0; i < command->assignments.count; i++) {
        used = add(text, used, command->assignments.at[i]);
        used = add(text, used, "! ");
    }
    for (size_t i = 0; i < command->words.count; i++) {
        used = add(text, used, i ? " " : "");
        used = add(text, used, command->words.at[i]);
    }
    if (command->input) {
        used = add(text, used, " <");
        used = add(text, used, command->input);
    }
    return add(text, used, "}");
}

static size_t describe_pipeline(char *text, size_t used, const struct pipeline *pipeline) {
    static const char *const links[] = {"", " and ", " or "};
    used = add(text, used, links[pipeline->link]);
    for (size_t i = 0; i < pipeline->count; i++) {
        used = add(text, used, i ? "|" : "");
        used = describe_command(text, used, &pipeline->commands[i]);
    }
    return used;
}

/* The tree, or "more", or "error". */
static const char *parse(const char *line) {
    static char text[512];
    struct arena arena = {0};
    struct chain *chains;
    const char *error;
    size_t consumed, used = 0;
    enum parse_result result = parse_line(line, &arena, &chains, &consumed, &error);
    text[0] = '\0';
    if (result == PARSE_OK) {
        for (; chains; chains = chains->next) {
            for (struct pipeline *p = chains->pipelines; p; p = p->next)
                used = describe_pipeline(text, used, p);
            used = add(text, used, chains->background ? "&" : ";");
        }
    } else {
        add(text, 0, result == PARSE_MORE ? "more" : "error");
        EXPECT_EQ(result == PARSE_ERROR, error != NULL);
    }
    arena_free(&arena);
    return text;
}

KTEST(shell_parse, operators_bind_as_they_should) {
    EXPECT_TEXT("{a b};", parse("a b"));
    EXPECT_TEXT("{a};{b};", parse("a;b;"));
    EXPECT_TEXT("{a}|{b c}|{d};", parse("a|b c | d"));
    EXPECT_TEXT("{a} and {b}|{c} or {d};{e}&{f};", parse("a && b | c || d; e & f"));
    EXPECT_TEXT("{a b <c};", parse("a <c b"));
    EXPECT_TEXT("{X=1! Y='2 3'! a Z=4};", parse("X=1 Y='2 3' a Z=4"));
    EXPECT_TEXT("{X=! };", parse("X="));
    EXPECT_TEXT("{2X=3};", parse("2X=3"));
}

KTEST(shell_parse, nothing_is_no_command) {
    EXPECT_TEXT("", parse(""));
    EXPECT_TEXT("", parse("  \t # a comment; with | things"));
    EXPECT_TEXT("{a#b};", parse("a#b #c"));
}

KTEST(shell_parse, quotes_keep_a_word_together) {
    EXPECT_TEXT("{a 'b | c; d'};", parse("a 'b | c; d'"));
    EXPECT_TEXT("{\"a \\\" b\"c};", parse("\"a \\\" b\"c"));
    EXPECT_TEXT("{a\\ b};", parse("a\\ b"));
}

KTEST(shell_parse, an_unfinished_line_asks_for_more) {
    EXPECT_TEXT("more", parse("a 'b"));
    EXPECT_TEXT("more", parse("a \"b\\\""));
    EXPECT_TEXT("more", parse("a |"));
    EXPECT_TEXT("more", parse("a &&\n"));
    EXPECT_TEXT("more", parse("a \\"));
    EXPECT_TEXT("{a}|{b};", parse("a |\n\n b"));
    EXPECT_TEXT("{a b};", parse("a \\\n b"));
}

KTEST(shell_parse, what_cannot_be_is_an_error) {
    EXPECT_TEXT("error", parse("| a"));
    EXPECT_TEXT("error", parse("a ; ; b"));
    EXPECT_TEXT("error", parse("&"));
    EXPECT_TEXT("error", parse("a <"));
    EXPECT_TEXT("error", parse("a > b"));
    EXPECT_TEXT("error", parse("(a)"));
    EXPECT_TEXT("error", parse("a && ; b"));
}

KTEST(shell_parse, a_text_is_taken_line_by_line) {
    const char *text = "a\n b; c # x\n\nd";
    const size_t lines[] = {2, 10, 1, 1};
    for (size_t i = 0; i < 4; i++) {
        struct arena arena = {0};
        struct chain *chains;
        const char *error;
        size_t used;
        EXPECT_EQ(PARSE_OK, parse_line(text, &arena, &chains, &used, &error));
        EXPECT_EQ(lines[i], used);
        text += used;
        arena_free(&arena);
    }
    EXPECT_EQ(0, *text);
}

/* --- expansion --- */

static const char *look_up(void *context, const char *name, size_t length) {
    if (length == 1 && *name == '?')
        return "7";
    if (length == 3 && memcmp(name, "TWO", 3) == 0)
        return " one  two ";
    return length == 1 && *name == 'X' ? "value" : NULL;
}

/* The words, each in brackets. */
static const char *expand(const char *word) {
    static char text[256];
    const struct expander expander = {.lookup = look_up};
    struct arena arena = {0};
    struct words words = {.arena = &arena};
    size_t used = 0;
    expand_word(&expander, word, &words);
    text[0] = '\0';
    for (size_t i = 0; i < words.count; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "[%s]", words.at[i]);
    arena_free(&arena);
    return text;
}

KTEST(shell_expand, quotes_go_and_what_they_hold_stays) {
    EXPECT_TEXT("[a b]", expand("'a b'"));
    EXPECT_TEXT("[a$Xb]", expand("'a$X'b"));
    EXPECT_TEXT("[a\"$\\x]", expand("\"a\\\"\\$\\x\""));
    EXPECT_TEXT("[a b]", expand("a\\ b"));
    EXPECT_TEXT("[]", expand("''"));
    EXPECT_TEXT("[]", expand("\"\""));
}

KTEST(shell_expand, variables_give_their_values) {
    EXPECT_TEXT("[value]", expand("$X"));
    EXPECT_TEXT("[avalueb]", expand("a${X}b"));
    EXPECT_TEXT("[7]", expand("$?"));
    EXPECT_TEXT("", expand("$NONE"));
    EXPECT_TEXT("[]", expand("\"$NONE\""));
    EXPECT_TEXT("[$]", expand("$"));
    EXPECT_TEXT("[$ ]", expand("\"$ \""));
    EXPECT_TEXT("[${X]", expand("${X"));
}

KTEST(shell_expand, an_unquoted_value_is_split_at_blanks) {
    EXPECT_TEXT("[a][one][two][b]", expand("a${TWO}b"));
    EXPECT_TEXT("[a one  two b]", expand("\"a${TWO}b\""));
}

KTEST(shell_expand, an_assignment_is_never_split) {
    const struct expander expander = {.lookup = look_up};
    struct arena arena = {0};
    EXPECT_TEXT("Y= one  two ", expand_whole(&expander, "Y=$TWO", &arena));
    EXPECT_TEXT("", expand_whole(&expander, "$NONE", &arena));
    arena_free(&arena);
}
