/*
 * init - the first process: a console with a shell, or one program for `./jx exec`.
 *
 * Its environment is the kernel's command line, one NAME=VALUE for each word.
 * `exec=PATH` and `exec.args=` choose the program; without them the shell runs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zircon/process.h>
#include <zircon/status.h>
#include <zircon/syscalls.h>

#include "init/init.h"
#include "init/report.h"
#include "init/service.h"

static const char help[] =
    "usage: init\n"
    "The first process. It needs the root resource, so it cannot be run from the shell.\n";

/* The streams, in the order of their numbers; standard error is the same as output. */
static size_t add_streams(zx_handle_t input, zx_handle_t output, struct jx_launch_handle *handles) {
    zx_handle_t error = ZX_HANDLE_INVALID;
    (void)zx_handle_duplicate(output, ZX_RIGHT_SAME_RIGHTS, &error);
    handles[0] = (struct jx_launch_handle){PA_HND(PA_FD, 0), input};
    handles[1] = (struct jx_launch_handle){PA_HND(PA_FD, 1), output};
    handles[2] = (struct jx_launch_handle){PA_HND(PA_FD, 2), error};
    return 3;
}

zx_status_t start_program(const struct machine *machine, const char *const *argv, zx_handle_t input,
                          zx_handle_t output, zx_handle_t *out_job, zx_handle_t *out_process) {
    static const char *const no_environment[] = {NULL};
    struct jx_launch_handle handles[3 + AUTHORITY_HANDLES];
    char error[160];
    zx_status_t status = zx_job_create(machine->authority.root_job, 0, out_job);
    if (status != ZX_OK)
        return status;
    (void)zx_object_set_property(*out_job, ZX_PROP_NAME, argv[0], strlen(argv[0]));

    size_t count = add_streams(input, output, handles);
    count += authority_for(&machine->authority, argv[0], handles + count);
    const struct jx_launch launch = {
        .argv = argv,
        .envp = no_environment,
        .job = *out_job,
        .handles = handles,
        .handle_count = count,
    };
    status = jx_launch(&launch, out_process, error, sizeof error);
    if (status != ZX_OK) {
        report("init: %s", error);
        (void)zx_handle_close(*out_job);
    }
    return status;
}

int main(int argc, char **argv) {
    struct machine machine = {.resource = zx_take_startup_handle(PA_HND(PA_RESOURCE, 0))};
    const char *exec = getenv("exec");
    if (machine.resource == ZX_HANDLE_INVALID) {
        fputs(help, stdout);
        return argc > 1 && strcmp(argv[1], "--help") == 0 ? 0 : 2;
    }
    report_init(zx_take_startup_handle(PA_HND(PA_FDIO_LOGGER, 0)));
    machine.authority.root_job = zx_job_default();
    zx_status_t status = service_start(machine.resource, &machine.authority.system);
    if (status != ZX_OK) {
        report("init: no service: %s", zx_status_get_string(status));
        return 1;
    }
    if (exec)
        exec_run(&machine, exec, getenv("exec.args"));
    else
        session_run(&machine);
    return 1;
}
