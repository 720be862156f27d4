/*
 * init.h - what the parts of init share.
 */
#pragma once

#include "common/authority.h"

/* Set once, before anything else runs. */
struct machine {
    zx_handle_t resource;       /* the root resource */
    struct authority authority; /* the root job, and init's own service */
};

/*
 * Run one program with its streams framed on the serial line, log its result, and
 * switch the machine off. `path` and `args` as they stand on the command line.
 */
void exec_run(const struct machine *machine, const char *path, const char *args);
/* Keep a shell on the console for ever. */
void session_run(const struct machine *machine);

/*
 * Start a program in a new job of the root job with streams and authority of its own.
 * `input` and `output` are given away, unless there is an error. The job is the caller's.
 */
zx_status_t start_program(const struct machine *machine, const char *const *argv, zx_handle_t input,
                          zx_handle_t output, zx_handle_t *out_job, zx_handle_t *out_process);
