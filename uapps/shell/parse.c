/*
 * parse.c - recursive descent over tokens that are read one at a time.
 *
 * An error or the need for more text is noted once in the parser and makes every later
 * token the end, so that the functions need no checks of their own.
 */
#include "shell/parse.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum token_kind {
    TOKEN_END,
    TOKEN_NEWLINE,
    TOKEN_WORD,
    TOKEN_SEMICOLON,
    TOKEN_AMPERSAND,
    TOKEN_AND,
    TOKEN_PIPE,
    TOKEN_OR,
    TOKEN_LESS,
};

struct parser {
    struct arena *arena;
    const char *text, *at;
    enum token_kind token; /* the current one */
    const char *begin;     /* of its text */
    const char *before;    /* where the token before it ended */
    enum parse_result result;
    const char *error;
};

/* --- tokens --- */

static void stop(struct parser *parser, enum parse_result result, const char *error) {
    if (parser->result == PARSE_OK) {
        parser->result = result;
        parser->error = error;
    }
    parser->token = TOKEN_END;
}

static void skip_blanks(struct parser *parser) {
    for (;;) {
        if (*parser->at == ' ' || *parser->at == '\t' || *parser->at == '\r')
            parser->at++;
        else if (parser->at[0] == '\\' && parser->at[1] == '\n')
            parser->at += 2;
        else
            break;
    }
    if (*parser->at == '#')
        parser->at += strcspn(parser->at, "\n");
}

/* Behind the closing quote; NULL if there is none. */
static const char *skip_quoted(const char *at) {
    char quote = *at++;
    for (; *at && *at != quote; at++) {
        if (quote == '"' && at[0] == '\\' && at[1])
            at++;
    }
    return *at ? at + 1 : NULL;
}

/* Behind the word; NULL if the text ends inside it. */
static const char *skip_word(const char *at) {
    while (*at && !strchr(" \t\r\n;&|<>()", *at)) {
        if (*at == '\\') {
            if (!at[1] || (at[1] == '\n' && !at[2]))
                return NULL;
            at += 2;
        } else if (*at == '\'' || *at == '"') {
            at = skip_quoted(at);
            if (!at)
                return NULL;
        } else {
            at++;
        }
    }
    return at;
}

static void read_word(struct parser *parser) {
    const char *end = skip_word(parser->at);
    parser->token = TOKEN_WORD;
    if (end)
        parser->at = end;
    else
        stop(parser, PARSE_MORE, NULL);
}

static void read_operator(struct parser *parser) {
    static const struct {
        const char *text;
        enum token_kind kind;
    } operators[] = {
        {"&&", TOKEN_AND}, {"||", TOKEN_OR},       {"&", TOKEN_AMPERSAND}, {"|", TOKEN_PIPE},
        {"<", TOKEN_LESS}, {";", TOKEN_SEMICOLON}, {"\n", TOKEN_NEWLINE},
    };
    for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++) {
        size_t length = strlen(operators[i].text);
        if (strncmp(parser->at, operators[i].text, length) == 0) {
            parser->token = operators[i].kind;
            parser->at += length;
            return;
        }
    }
    stop(parser, PARSE_ERROR,
         *parser->at == '>' ? "there are no files to write to, so no >"
                            : "there are no groups in parentheses");
}

static void advance(struct parser *parser) {
    parser->before = parser->at;
    if (parser->result != PARSE_OK)
        return;
    skip_blanks(parser);
    parser->begin = parser->at;
    if (!*parser->at)
        parser->token = TOKEN_END;
    else if (strchr("\n;&|<>()", *parser->at))
        read_operator(parser);
    else
        read_word(parser);
}

/* --- the grammar --- */

size_t parse_assignment(const char *word) {
    size_t length = 0;
    while (isalpha((unsigned char)word[length]) || word[length] == '_' ||
           (length > 0 && isdigit((unsigned char)word[length])))
        length++;
    return word[length] == '=' ? length : 0;
}

static char *take_word(struct parser *parser) {
    char *word = arena_copy(parser->arena, parser->begin, (size_t)(parser->at - parser->begin));
    advance(parser);
    return word;
}

static void unexpected(struct parser *parser) {
    if (parser->token == TOKEN_END)
        stop(parser, PARSE_ERROR, "a command is missing at the end");
    else
        stop(parser, PARSE_ERROR, "a command or a name is missing");
}

static void parse_command(struct parser *parser, struct command *command) {
    command->assignments.arena = command->words.arena = parser->arena;
    while (parser->token == TOKEN_WORD || parser->token == TOKEN_LESS) {
        if (parser->token == TOKEN_LESS) {
            advance(parser);
            if (parser->token != TOKEN_WORD)
                unexpected(parser);
            else
                command->input = take_word(parser);
            continue;
        }
        char *word = take_word(parser);
        bool assigns = command->words.count == 0 && parse_assignment(word) > 0;
        words_add(assigns ? &command->assignments : &command->words, word);
    }
    if (command->words.count == 0 && command->assignments.count == 0)
        unexpected(parser);
}

/* After `|`, `&&` and `||` the command may stand on the next line. */
static void skip_newlines(struct parser *parser) {
    while (parser->token == TOKEN_NEWLINE)
        advance(parser);
    if (parser->token == TOKEN_END)
        stop(parser, PARSE_MORE, NULL);
}

/* The array's room is the power of two at or above its count. */
static void add_command(struct parser *parser, struct pipeline *pipeline) {
    size_t count = pipeline->count;
    if ((count & (count - 1)) == 0) {
        size_t room = count ? 2 * count : 1;
        struct command *commands = arena_alloc(parser->arena, room * sizeof *commands);
        if (count > 0)
            memcpy(commands, pipeline->commands, count * sizeof *commands);
        pipeline->commands = commands;
    }
    parse_command(parser, &pipeline->commands[count]);
    pipeline->count++;
}

static struct pipeline *parse_pipeline(struct parser *parser, enum link link) {
    struct pipeline *pipeline = arena_alloc(parser->arena, sizeof *pipeline);
    pipeline->link = link;
    add_command(parser, pipeline);
    while (parser->token == TOKEN_PIPE) {
        advance(parser);
        skip_newlines(parser);
        add_command(parser, pipeline);
    }
    return pipeline;
}

static struct chain *parse_chain(struct parser *parser) {
    struct chain *chain = arena_alloc(parser->arena, sizeof *chain);
    const char *begin = parser->begin;
    struct pipeline **end = &chain->pipelines;
    enum link link = LINK_FIRST;
    for (;;) {
        *end = parse_pipeline(parser, link);
        end = &(*end)->next;
        if (parser->token != TOKEN_AND && parser->token != TOKEN_OR)
            break;
        link = parser->token == TOKEN_AND ? LINK_AND : LINK_OR;
        advance(parser);
        skip_newlines(parser);
    }
    chain->background = parser->token == TOKEN_AMPERSAND;
    /* A chain that is an error may have no text at all. */
    size_t length = parser->before > begin ? (size_t)(parser->before - begin) : 0;
    chain->text = arena_copy(parser->arena, begin, length);
    return chain;
}

enum parse_result parse_line(const char *text, struct arena *arena, struct chain **out_chains,
                             size_t *out_used, const char **out_error) {
    struct parser parser = {.arena = arena, .text = text, .at = text};
    struct chain **end = out_chains;
    *out_chains = NULL;
    advance(&parser);
    while (parser.token != TOKEN_NEWLINE && parser.token != TOKEN_END) {
        *end = parse_chain(&parser);
        end = &(*end)->next;
        if (parser.token == TOKEN_SEMICOLON || parser.token == TOKEN_AMPERSAND)
            advance(&parser);
        else if (parser.token != TOKEN_NEWLINE && parser.token != TOKEN_END)
            unexpected(&parser);
    }
    *out_used = (size_t)(parser.at - text);
    *out_error = parser.error;
    return parser.result;
}
