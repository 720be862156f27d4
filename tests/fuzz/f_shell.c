/*
 * f_shell.c - any bytes as a shell script, as keys for its line editor, and as frames
 * of input on the serial line.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "init/frames.h"
#include "shell/edit.h"
#include "shell/expand.h"
#include "shell/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *look_up(void *context, const char *name, size_t length) {
    return length % 3 == 0 ? NULL : length % 3 == 1 ? " two  words " : "";
}

static void expand_command(const struct command *command, struct arena *arena) {
    const struct expander expander = {.lookup = look_up};
    struct words words = {.arena = arena};
    for (size_t i = 0; i < command->words.count; i++)
        expand_word(&expander, command->words.at[i], &words);
    for (size_t i = 0; i < command->assignments.count; i++)
        expand_whole(&expander, command->assignments.at[i], arena);
    if (command->input)
        expand_whole(&expander, command->input, arena);
}

static void expand_chain(const struct chain *chain, struct arena *arena) {
    for (const struct pipeline *p = chain->pipelines; p; p = p->next) {
        for (size_t i = 0; i < p->count; i++)
            expand_command(&p->commands[i], arena);
    }
}

/* Every line is taken, and none is empty-handed. */
static void run_script(const char *text) {
    enum parse_result result = PARSE_OK;
    while (*text && result == PARSE_OK) {
        struct arena arena = {0};
        struct chain *chains;
        const char *error = NULL;
        size_t used = 0;
        result = parse_line(text, &arena, &chains, &used, &error);
        if (result == PARSE_OK && (used == 0 || used > strlen(text)))
            abort();
        for (; result == PARSE_OK && chains; chains = chains->next)
            expand_chain(chains, &arena);
        text += used;
        arena_free(&arena);
    }
}

static void discard(void *context, const char *bytes, size_t length) {}

static void run_keys(const char *keys, size_t length) {
    static struct edit edit = {.write = discard};
    edit_begin(&edit, "$ ", 20 + length % 100);
    for (size_t i = 0; i < length; i++) {
        enum edit_event event = edit_feed(&edit, keys[i]);
        if (edit.cursor > edit.length || edit.length >= EDIT_LINE_MAX)
            abort();
        if (event == EDIT_LINE)
            edit_remember(&edit, edit.line);
        if (event != EDIT_NOTHING)
            edit_begin(&edit, "$ ", 80);
    }
}

static void run_frames(const char *bytes, size_t length) {
    struct frames frames = {0};
    char *data = malloc(length + 1);
    if (frames_unpack(&frames, bytes, length, data) > length)
        abort();
    free(data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = malloc(size + 1);
    memcpy(text, data, size);
    text[size] = '\0';
    run_script(text);
    run_keys(text, size);
    run_frames(text, size);
    free(text);
    return 0;
}
