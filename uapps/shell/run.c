/*
 * run.c - from chains to processes.
 *
 * A pipeline's stages are expanded first, then started from left to right, each with a
 * socket pair to the next. All processes of a pipeline live in a job of their own, so
 * that Ctrl-C and `kill` end them together.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>
#include <zircon/process.h>
#include <zircon/rights.h>
#include <zircon/status.h>
#include <zircon/syscalls.h>

#include "common/file.h"
#include "common/socket.h"
#include "shell/builtin.h"
#include "shell/expand.h"
#include "shell/job.h"
#include "shell/vars.h"

void shell_print(const char *format, ...) {
    va_list args;
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    fflush(stdout);
}

/* --- expansion --- */

/* $? $# $@ $* $0 and $1 to $9; false if the name is none of these. */
static bool special_value(const struct shell *shell, char name, char *text, size_t size) {
    if (name == '?')
        snprintf(text, size, "%d", shell->status);
    else if (name == '#')
        snprintf(text, size, "%zu", shell->arg_count);
    else if (name == '0')
        snprintf(text, size, "%s", shell->name);
    else if (name >= '1' && name <= '9')
        snprintf(text, size, "%s",
                 (size_t)(name - '0') <= shell->arg_count ? shell->args[name - '1'] : "");
    else
        return false;
    return true;
}

static void join_args(const struct shell *shell, char *text, size_t size) {
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < shell->arg_count && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%s", i ? " " : "", shell->args[i]);
}

static const char *look_up(void *context, const char *name, size_t length) {
    static char text[1024]; /* used up before the next look-up */
    const struct shell *shell = context;
    if (length == 1 && (*name == '@' || *name == '*')) {
        join_args(shell, text, sizeof text);
        return text;
    }
    if (length == 1 && special_value(shell, *name, text, sizeof text))
        return text;
    return vars_get(name, length);
}

struct stage {
    struct words argv;
    struct words environment; /* NAME=VALUE of this command */
    const char *input;        /* a path, or NULL */
    const struct builtin *builtin;
};

/* `kill %1` means the job object of that pipeline. */
static void name_jobs(struct stage *stage) {
    if (stage->argv.count == 0 || strcmp(stage->argv.at[0], "kill") != 0)
        return;
    for (size_t i = 1; i < stage->argv.count; i++) {
        const char *word = stage->argv.at[i];
        struct job *job = *word == '%' ? jobs_find((unsigned)atoi(word + 1)) : NULL;
        zx_info_handle_basic_t info;
        if (!job || zx_object_get_info(job->handle, ZX_INFO_HANDLE_BASIC, &info, sizeof info, NULL,
                                       NULL) != ZX_OK)
            continue;
        stage->argv.at[i] = arena_alloc(stage->argv.arena, 24);
        snprintf(stage->argv.at[i], 24, "%llu", (unsigned long long)info.koid);
    }
}

static void expand_stage(struct shell *shell, struct arena *arena, const struct command *command,
                         struct stage *stage) {
    const struct expander expander = {.lookup = look_up, .context = shell};
    stage->argv.arena = stage->environment.arena = arena;
    for (size_t i = 0; i < command->words.count; i++)
        expand_word(&expander, command->words.at[i], &stage->argv);
    for (size_t i = 0; i < command->assignments.count; i++)
        words_add(&stage->environment, expand_whole(&expander, command->assignments.at[i], arena));
    if (command->input)
        stage->input = expand_whole(&expander, command->input, arena);
    if (stage->argv.count > 0)
        stage->builtin = builtin_find(stage->argv.at[0]);
    name_jobs(stage);
}

/* --- streams --- */

struct feed {
    zx_handle_t socket;
    const char *data;
    size_t size;
    char *owned; /* freed at the end, or NULL */
};

static int feed_main(void *context) {
    struct feed *feed = context;
    (void)socket_write_all(feed->socket, feed->data, feed->size);
    (void)zx_handle_close(feed->socket);
    free(feed->owned);
    free(feed);
    return 0;
}

/* Write all of a feed into its socket, by a thread; both are given away. */
static void feed_start(const struct feed *what) {
    struct feed *feed = malloc(sizeof *feed);
    thrd_t thread;
    if (feed)
        *feed = *what;
    if (feed && thrd_create(&thread, feed_main, feed) == thrd_success) {
        (void)thrd_detach(thread);
        return;
    }
    fprintf(stderr, "sh: no memory\n");
    (void)zx_handle_close(what->socket);
    free(what->owned);
    free(feed);
}

/* A stream that gives a file's bytes, which stay mapped for as long as the shell runs. */
static zx_status_t open_file(const char *path, zx_handle_t *out_stream) {
    struct jx_file file;
    struct feed feed = {0};
    zx_status_t status = file_find(path, &file);
    if (status == ZX_OK)
        status = zx_socket_create(ZX_SOCKET_STREAM, &feed.socket, out_stream);
    if (status != ZX_OK)
        return status;
    feed.data = file.data;
    feed.size = file.size;
    feed_start(&feed);
    return ZX_OK;
}

/* What the first stage reads, unless it says so itself. */
static zx_handle_t first_input(struct shell *shell, struct job *job, bool background) {
    zx_handle_t near, far = ZX_HANDLE_INVALID;
    if (!shell->interactive && !background)
        return socket_share(jx_stream_handle(0), ZX_RIGHT_READ);
    if (zx_socket_create(ZX_SOCKET_STREAM, &near, &far) != ZX_OK)
        return ZX_HANDLE_INVALID;
    if (background) {
        (void)zx_handle_close(near); /* at its end from the begin */
    } else {
        job->typed = near;
        job->unread = socket_share(far, ZX_RIGHT_READ);
    }
    return far;
}

/* --- starting --- */

static const char *explain_not_found(zx_status_t status) {
    return status == ZX_ERR_NOT_FOUND ? "not found" : zx_status_get_string(status);
}

/* A text with `#!` in front is run by the shell; sets *out_argv to what really runs. */
static const char *const *choose_argv(const struct stage *stage, const struct jx_file *file) {
    if (file->size < 2 || memcmp(file->data, "#!", 2) != 0)
        return (const char *const *)stage->argv.at;
    struct words argv = {.arena = stage->argv.arena};
    words_add(&argv, arena_copy(argv.arena, "sh", 2));
    for (size_t i = 0; i < stage->argv.count; i++)
        words_add(&argv, stage->argv.at[i]);
    return (const char *const *)argv.at;
}

/* `input` and `output` are given away. */
static zx_status_t start_program(struct shell *shell, struct job *job, const struct stage *stage,
                                 zx_handle_t input, zx_handle_t output, zx_handle_t *out_process) {
    struct jx_launch_handle handles[3 + AUTHORITY_HANDLES] = {
        {PA_HND(PA_FD, 0), input},
        {PA_HND(PA_FD, 1), output},
        {PA_HND(PA_FD, 2), socket_share(jx_stream_handle(2), ZX_RIGHT_WRITE)},
    };
    struct jx_file file;
    char error[200] = "";
    zx_status_t status = jx_file_find(stage->argv.at[0], &file);
    if (status != ZX_OK) {
        for (size_t i = 0; i < 3; i++)
            (void)zx_handle_close(handles[i].handle);
        fprintf(stderr, "%s: %s\n", stage->argv.at[0], explain_not_found(status));
        return status;
    }
    struct words environment = vars_environment(stage->argv.arena, &stage->environment);
    const char *const *argv = choose_argv(stage, &file);
    const struct jx_launch launch = {
        .argv = argv,
        .envp = (const char *const *)environment.at,
        .job = job->handle,
        .handles = handles,
        .handle_count = 3 + authority_for(&shell->authority, argv[0], handles + 3),
    };
    status = jx_launch(&launch, out_process, error, sizeof error);
    if (status != ZX_OK)
        fprintf(stderr, "%s\n", error);
    return status;
}

/* In front of a pipe, whose reader does not run yet, the output is fed to it. */
static int run_builtin(struct shell *shell, const struct stage *stage, zx_handle_t pipe) {
    struct output output = {.arena = stage->argv.arena};
    int status = builtin_run(stage->builtin, shell, stage->argv.at, &output);
    if (pipe == ZX_HANDLE_INVALID) {
        fwrite(output.text, 1, output.length, stdout);
        fflush(stdout);
        return status;
    }
    struct feed feed = {.socket = pipe, .size = output.length};
    feed.data = feed.owned = malloc(output.length + 1);
    if (feed.owned && output.length > 0)
        memcpy(feed.owned, output.text, output.length);
    else
        feed.size = 0;
    feed_start(&feed);
    return status;
}

/* Start stage `index`; its streams are given away. Sets the job's status if it is the last. */
static void start_stage(struct shell *shell, struct job *job, const struct stage *stage,
                        size_t index, zx_handle_t input, zx_handle_t output) {
    int code = 0;
    if (stage->builtin) {
        code = run_builtin(shell, stage, output);
        output = ZX_HANDLE_INVALID;
    } else if (stage->argv.count > 0) {
        zx_status_t status =
            start_program(shell, job, stage, input, output, &job->processes[index]);
        input = output = ZX_HANDLE_INVALID;
        if (status != ZX_OK)
            code = status == ZX_ERR_NOT_FOUND ? STATUS_NOT_FOUND : STATUS_CANNOT_RUN;
    }
    (void)zx_handle_close(input);
    (void)zx_handle_close(output);
    if (index == job->count - 1)
        job->status = code;
}

/* The stage's own `<`, if it has one; false when there is no such file, said already. */
static bool redirect_input(const struct stage *stage, zx_handle_t *input) {
    zx_handle_t stream;
    if (!stage->input)
        return true;
    zx_status_t status = open_file(stage->input, &stream);
    if (status != ZX_OK) {
        fprintf(stderr, "%s: %s\n", stage->input, explain_not_found(status));
        return false;
    }
    (void)zx_handle_close(*input);
    *input = stream;
    return true;
}

static void start_stages(struct shell *shell, struct job *job, const struct stage *stages,
                         bool background) {
    zx_handle_t input = first_input(shell, job, background), next, output;
    for (size_t i = 0; i < job->count; i++, input = next) {
        next = ZX_HANDLE_INVALID;
        if (i == job->count - 1)
            output = socket_share(jx_stream_handle(1), ZX_RIGHT_WRITE);
        else if (zx_socket_create(ZX_SOCKET_STREAM, &output, &next) != ZX_OK)
            output = ZX_HANDLE_INVALID;
        if (redirect_input(&stages[i], &input)) {
            start_stage(shell, job, &stages[i], i, input, output);
            continue;
        }
        (void)zx_handle_close(input);
        (void)zx_handle_close(output);
        job->status = 1;
    }
}

/* --- pipelines --- */

static void set_variables(const struct words *assignments) {
    for (size_t i = 0; i < assignments->count; i++)
        (void)vars_set(assignments->at[i]);
}

static void print_time(zx_duration_t real, zx_duration_t cpu) {
    const zx_duration_t parts[] = {real, cpu};
    for (size_t i = 0; i < 2; i++)
        fprintf(stderr, "%s %lld.%06lld s\n", i ? "cpu " : "real",
                (long long)(parts[i] / ZX_SEC(1)), (long long)(parts[i] % ZX_SEC(1) / 1000));
}

/* `time` in front of a pipeline is the shell's; returns whether it was there. */
static bool strip_time(struct stage *stage) {
    if (stage->argv.count < 2 || strcmp(stage->argv.at[0], "time") != 0 ||
        strcmp(stage->argv.at[1], "--help") == 0)
        return false;
    stage->argv.at++;
    stage->argv.count--;
    stage->argv.room--;
    stage->builtin = builtin_find(stage->argv.at[0]);
    return true;
}

static void run_stages(struct shell *shell, const struct stage *stages, size_t count,
                       const char *text, bool background, bool timed) {
    zx_time_t begin = zx_clock_get_monotonic();
    struct job *job = job_create(count, text);
    if (!job) {
        shell->status = STATUS_CANNOT_RUN;
        return;
    }
    start_stages(shell, job, stages, background);
    if (background) {
        jobs_add(job);
        if (shell->interactive)
            shell_print("[%u] %s\n", job->number, job->text);
        shell->status = 0;
        return;
    }
    job_wait(shell, job);
    shell->status = job->status;
    if (timed)
        print_time(zx_clock_get_monotonic() - begin, job->cpu_time);
    job_free(job);
}

static void run_pipeline(struct shell *shell, const struct pipeline *pipeline, const char *text,
                         bool background) {
    struct arena arena = {0};
    struct stage *stages = arena_alloc(&arena, pipeline->count * sizeof *stages);
    for (size_t i = 0; i < pipeline->count; i++)
        expand_stage(shell, &arena, &pipeline->commands[i], &stages[i]);
    bool timed = strip_time(&stages[0]);
    bool alone = pipeline->count == 1 && !background && !stages[0].input;
    if (alone && stages[0].argv.count == 0) {
        set_variables(&stages[0].environment);
        shell->status = 0;
    } else if (alone && stages[0].builtin && !timed) {
        shell->status = run_builtin(shell, &stages[0], ZX_HANDLE_INVALID);
    } else {
        run_stages(shell, stages, pipeline->count, text, background, timed);
    }
    arena_free(&arena);
}

/* A chain with && or || in the background needs a shell of its own. */
static void run_in_subshell(struct shell *shell, const char *text) {
    struct arena arena = {0};
    struct stage stage = {.argv = {.arena = &arena}, .environment = {.arena = &arena}};
    words_add(&stage.argv, arena_copy(&arena, "sh", 2));
    words_add(&stage.argv, arena_copy(&arena, "-c", 2));
    words_add(&stage.argv, arena_copy(&arena, text, strlen(text)));
    run_stages(shell, &stage, 1, text, true, false);
    arena_free(&arena);
}

static void run_chain(struct shell *shell, const struct chain *chain) {
    if (chain->background && chain->pipelines->next) {
        run_in_subshell(shell, chain->text);
        return;
    }
    for (const struct pipeline *pipeline = chain->pipelines; pipeline; pipeline = pipeline->next) {
        bool wanted =
            pipeline->link == LINK_FIRST || (pipeline->link == LINK_AND) == (shell->status == 0);
        if (wanted && !shell->exiting && !shell->interrupted)
            run_pipeline(shell, pipeline, chain->text, chain->background);
    }
}

void shell_run_chains(struct shell *shell, const struct chain *chains) {
    shell->interrupted = false;
    for (const struct chain *chain = chains; chain; chain = chain->next) {
        if (!shell->exiting && !shell->interrupted)
            run_chain(shell, chain);
    }
}
