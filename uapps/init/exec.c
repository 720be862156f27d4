/*
 * exec.c - one program, its result, and the end of the machine.
 *
 * The result is logged after all output has left: when the program has ended, what it
 * started is ended too, which closes every handle to the output.
 */
#include <jacinth/launch.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zircon/status.h>
#include <zircon/syscalls.h>

#include "init/console.h"
#include "init/init.h"
#include "init/report.h"
#include "init/service.h"

#define CODE_CANNOT_RUN 126
#define CODE_NOT_FOUND  127

static int hex_digit(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Words between commas, with %XX for other bytes, in place; ends argv with NULL. */
static void split_words(char *text, char **argv) {
    char *to = text, *word = text;
    size_t count = 0;
    for (const char *from = text;; from++) {
        if (*from == '%' && hex_digit(from[1]) >= 0 && hex_digit(from[2]) >= 0) {
            *to++ = (char)(hex_digit(from[1]) << 4 | hex_digit(from[2]));
            from += 2;
        } else if (*from == ',' || *from == '\0') {
            bool last = *from == '\0';
            *to++ = '\0';
            argv[count++] = word;
            word = to;
            if (last)
                break;
        } else {
            *to++ = *from;
        }
    }
    argv[count] = NULL;
}

static size_t count_words(const char *text) {
    size_t count = 1;
    for (; *text; text++)
        count += *text == ',';
    return count;
}

/* The program's arguments; lives as long as init. NULL: no memory. */
static const char **make_argv(const char *path, const char *args) {
    size_t words = args ? count_words(args) : 0;
    char **argv = calloc(words + 2, sizeof *argv);
    char *text = args ? strdup(args) : NULL;
    if (!argv || (args && !text))
        return NULL;
    argv[0] = (char *)(uintptr_t)path;
    if (args)
        split_words(text, argv + 1);
    return (const char **)argv;
}

static int64_t run(const struct machine *machine, const char *const *argv) {
    struct console console;
    zx_handle_t job, process;
    int64_t code = CODE_CANNOT_RUN;
    zx_status_t status = console_start(CONSOLE_FRAMED, machine->resource, &console);
    if (status == ZX_OK)
        status = start_program(machine, argv, console.input, console.output, &job, &process);
    if (status != ZX_OK)
        return status == ZX_ERR_NOT_FOUND ? CODE_NOT_FOUND : CODE_CANNOT_RUN;
    status = jx_wait(process, &code);
    if (status != ZX_OK)
        report("init: no result: %s", zx_status_get_string(status));
    (void)zx_task_kill(job);
    console_drain();
    return code;
}

void exec_run(const struct machine *machine, const char *path, const char *args) {
    const char **argv = make_argv(path, args);
    int64_t code = argv ? run(machine, argv) : CODE_CANNOT_RUN;
    report("jx-result: %lld", (long long)code);
    service_power_off(machine->resource);
}
