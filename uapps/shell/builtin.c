/*
 * builtin.c - exit, export, fg, help, jobs, set, time's help, unset and wait.
 *
 * Their output is collected and written at once, so that one can be part of a pipeline
 * without a process of its own.
 */
#include "shell/builtin.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shell/job.h"
#include "shell/vars.h"

void output_add(struct output *output, const char *format, ...) {
    va_list args;
    va_start(args, format);
    size_t length = (size_t)vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (output->length + length + 1 > output->room) {
        size_t room = (output->length + length + 1) * 2;
        char *text = arena_alloc(output->arena, room);
        if (output->length > 0)
            memcpy(text, output->text, output->length);
        output->text = text;
        output->room = room;
    }
    va_start(args, format);
    vsnprintf(output->text + output->length, length + 1, format, args);
    va_end(args);
    output->length += length;
}

static int do_exit(struct shell *shell, char **argv, struct output *output) {
    shell->exiting = true;
    return argv[1] ? atoi(argv[1]) & 0xff : shell->status;
}

/* The part before `=`, in `name`; false if that is no name or too long. */
static bool take_name(const char *word, char *name, size_t size) {
    size_t length = strcspn(word, "=");
    char assignment[256];
    if (length >= size ||
        (size_t)snprintf(assignment, sizeof assignment, "%.*s=", (int)length, word) >=
            sizeof assignment ||
        parse_assignment(assignment) == 0)
        return false;
    memcpy(name, word, length);
    name[length] = '\0';
    return true;
}

static int do_export(struct shell *shell, char **argv, struct output *output) {
    char name[128];
    for (size_t i = 1; argv[i]; i++) {
        if (!take_name(argv[i], name, sizeof name)) {
            output_add(output, "export: %s: not a name\n", argv[i]);
            return 1;
        }
        if (strchr(argv[i], '='))
            (void)vars_set(argv[i]);
        vars_export(name);
    }
    return 0;
}

static int do_set(struct shell *shell, char **argv, struct output *output) {
    size_t count;
    const struct var *vars = vars_all(&count);
    if (argv[1]) {
        output_add(output, "set: wants no arguments; NAME=VALUE sets a variable\n");
        return STATUS_USAGE;
    }
    for (size_t i = 0; i < count; i++)
        output_add(output, "%s%s\n", vars[i].exported ? "export " : "", vars[i].text);
    return 0;
}

static int do_unset(struct shell *shell, char **argv, struct output *output) {
    for (size_t i = 1; argv[i]; i++)
        vars_unset(argv[i]);
    return 0;
}

static void show_job(void *context, const struct job *job, bool running) {
    output_add(context, "[%u] %s  %s\n", job->number, running ? "running" : "ended", job->text);
}

static int do_jobs(struct shell *shell, char **argv, struct output *output) {
    jobs_list(show_job, output);
    return 0;
}

/* The number in `2` or `%2`; 0 if there is none. */
static unsigned job_number(const char *word) {
    return (unsigned)strtoul(word && *word == '%' ? word + 1 : word ? word : "0", NULL, 10);
}

static int wait_for(struct shell *shell, struct job *job) {
    job_wait(shell, job);
    int status = job->status;
    job_free(job);
    return status;
}

static int do_wait(struct shell *shell, char **argv, struct output *output) {
    struct job *job;
    int status = 0;
    if (argv[1]) {
        job = jobs_take(job_number(argv[1]));
        if (!job)
            output_add(output, "wait: %s: no such job\n", argv[1]);
        return job ? wait_for(shell, job) : STATUS_NOT_FOUND;
    }
    while (!shell->interrupted && (job = jobs_take(0)))
        status = wait_for(shell, job);
    return status;
}

static int do_help(struct shell *shell, char **argv, struct output *output);
static int do_time(struct shell *shell, char **argv, struct output *output) {
    output_add(output, "usage: time COMMAND\n");
    return STATUS_USAGE;
}

static const struct builtin builtins[] = {
    {"exit", "usage: exit [CODE]\nEnds the shell with CODE, or that of the last command.\n",
     do_exit},
    {"export", "usage: export NAME[=VALUE]...\nGives variables to programs.\n", do_export},
    {"help", "usage: help\nTells what can be typed.\n", do_help},
    {"jobs", "usage: jobs\nLists the commands that run in the background.\n", do_jobs},
    {"set", "usage: set\nLists all variables.\n", do_set},
    {"time",
     "usage: time COMMAND\nRuns a pipeline, then tells the time that passed and the CPU time\n"
     "that its programs used.\n",
     do_time},
    {"unset", "usage: unset NAME...\nForgets variables.\n", do_unset},
    {"wait", "usage: wait [%NUMBER]\nWaits for one job of the background, or for all.\n", do_wait},
};

static int do_help(struct shell *shell, char **argv, struct output *output) {
    output_add(output, "Programs: `ls /bin`. Each tells its use by --help. Built in:");
    for (size_t i = 0; i < sizeof builtins / sizeof builtins[0]; i++)
        output_add(output, " %s", builtins[i].name);
    output_add(output,
               ".\nCOMMAND && COMMAND, ||, ;, |, < FILE, & (background), NAME=VALUE, $NAME, "
               "$?\n");
    return 0;
}

const struct builtin *builtin_find(const char *name) {
    for (size_t i = 0; i < sizeof builtins / sizeof builtins[0]; i++) {
        if (strcmp(builtins[i].name, name) == 0)
            return &builtins[i];
    }
    return NULL;
}

int builtin_run(const struct builtin *builtin, struct shell *shell, char **argv,
                struct output *output) {
    if (argv[1] && strcmp(argv[1], "--help") == 0) {
        output_add(output, "%s", builtin->help);
        return 0;
    }
    return builtin->run(shell, argv, output);
}
