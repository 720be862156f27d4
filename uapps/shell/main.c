/*
 * sh - the shell: lines from a person, a script, or an argument.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/file.h"
#include "common/socket.h"
#include "common/tool.h"
#include "shell/edit.h"
#include "shell/job.h"
#include "shell/shell.h"
#include "shell/vars.h"

static const char help[] =
    "usage: sh [-i | -c TEXT | FILE] [ARGS...]\n"
    "Runs commands: from standard input, with a line editor (-i), from TEXT, or from a\n"
    "file of the image. `help` in the shell tells what can be typed.\n";

#define PROMPT              "$ "
#define PROMPT_MORE         "> "
#define COLUMNS_IF_NOT_TOLD 80

/* --- text --- */

static void complain(const struct shell *shell, const char *error) {
    fprintf(stderr, "%s: %s\n", shell->name, error);
}

/* Run the first line of a text, unless it is not complete and more of it may come. */
static enum parse_result run_line(struct shell *shell, const char *text, bool more_may_come,
                                  size_t *out_used) {
    struct arena arena = {0};
    struct chain *chains;
    const char *error;
    enum parse_result result = parse_line(text, &arena, &chains, out_used, &error);
    if (result == PARSE_OK) {
        shell_run_chains(shell, chains);
    } else if (result == PARSE_ERROR || !more_may_come) {
        complain(shell, result == PARSE_MORE ? "the text ends inside a command" : error);
        shell->status = STATUS_USAGE;
    }
    arena_free(&arena);
    return result;
}

static void run_text(struct shell *shell, const char *text) {
    while (*text && !shell->exiting) {
        size_t used;
        if (run_line(shell, text, false, &used) != PARSE_OK)
            shell->exiting = true;
        text += used;
        jobs_reap(shell);
    }
}

static void run_file(struct shell *shell, const char *path) {
    struct jx_file file;
    char *text = NULL;
    if (file_find(path, &file) != ZX_OK) {
        fprintf(stderr, "sh: %s: not found\n", path);
        shell->status = STATUS_NOT_FOUND;
        return;
    }
    text = strndup(file.data, file.size);
    if (!text) {
        complain(shell, "no memory");
        shell->status = STATUS_CANNOT_RUN;
        return;
    }
    run_text(shell, text);
    free(text);
}

/* --- lines --- */

/* Append a line to a command that is not complete yet; false: no memory. */
static bool append_line(char **text, const char *line) {
    size_t old = *text ? strlen(*text) : 0, more = strlen(line);
    char *longer = realloc(*text, old + more + 1);
    if (!longer)
        return false;
    memcpy(longer + old, line, more + 1);
    *text = longer;
    return true;
}

/* --- a person --- */

static void edit_put(void *context, const char *bytes, size_t length) {
    fwrite(bytes, 1, length, stdout);
}

static size_t columns(void) {
    const char *value = vars_get("COLUMNS", 7);
    size_t number = value ? strtoul(value, NULL, 10) : 0;
    return number >= 20 && number <= EDIT_LINE_MAX ? number : COLUMNS_IF_NOT_TOLD;
}

static enum edit_event edit_line(struct shell *shell, struct edit *edit, const char *prompt) {
    enum edit_event event = EDIT_NOTHING;
    edit_begin(edit, prompt, columns());
    while (event == EDIT_NOTHING) {
        fflush(stdout);
        int byte = input_take(&shell->input);
        if (byte < 0)
            byte = input_wait(&shell->input);
        event = byte < 0 ? EDIT_END : edit_feed(edit, (char)byte);
    }
    fflush(stdout);
    return event;
}

/* One command, of one line or more. */
static void converse_once(struct shell *shell, struct edit *edit) {
    char *text = NULL;
    size_t used;
    enum parse_result result = PARSE_MORE;
    jobs_reap(shell);
    while (result == PARSE_MORE) {
        enum edit_event event = edit_line(shell, edit, text ? PROMPT_MORE : PROMPT);
        if (event == EDIT_END && !text)
            shell->exiting = true;
        if (event != EDIT_LINE)
            break;
        edit_remember(edit, edit->line);
        if (!append_line(&text, edit->line) || !append_line(&text, "\n"))
            break;
        result = run_line(shell, text, true, &used);
    }
    free(text);
}

static void converse(struct shell *shell) {
    static struct edit edit;
    edit.write = edit_put;
    shell->interactive = true;
    shell->input.socket = jx_stream_handle(0);
    while (!shell->exiting)
        converse_once(shell, &edit);
}

/* --- standard input as a script --- */

/* A byte at a time: what follows the line may be for the command in it. */
static bool read_line(char **text) {
    char byte[2] = "";
    bool any = false;
    while (byte[0] != '\n' && socket_read_some(jx_stream_handle(0), byte, 1) == 1) {
        any = true;
        if (byte[0] && !append_line(text, byte))
            return false;
    }
    return any;
}

static void run_input(struct shell *shell) {
    char *text = NULL;
    size_t used;
    while (!shell->exiting && read_line(&text)) {
        if (run_line(shell, text, true, &used) != PARSE_MORE) {
            free(text);
            text = NULL;
        }
        jobs_reap(shell);
    }
    if (text && !shell->exiting)
        (void)run_line(shell, text, false, &used);
    free(text);
}

int main(int argc, char **argv, char **envp) {
    struct shell shell = {.name = "sh", .authority = authority_take()};
    tool_start(argc, argv, help);
    const char *what = argc > 1 ? argv[1] : NULL;
    size_t taken = !what ? 1 : strcmp(what, "-c") == 0 ? 3 : 2;
    if (what && strcmp(what, "-c") == 0 && argc < 3)
        return tool_usage();
    vars_import(envp);
    shell.args = argv + ((size_t)argc < taken ? (size_t)argc : taken);
    shell.arg_count = (size_t)argc > taken ? (size_t)argc - taken : 0;
    if (!what) {
        run_input(&shell);
    } else if (strcmp(what, "-i") == 0) {
        converse(&shell);
    } else if (strcmp(what, "-c") == 0) {
        run_text(&shell, argv[2]);
    } else {
        shell.name = what;
        run_file(&shell, what);
    }
    return shell.status;
}
