/*
 * session.c - a shell on the console; when it ends, what it started ends too, and a new
 * one begins.
 */
#include <jacinth/launch.h>
#include <zircon/rights.h>
#include <zircon/status.h>
#include <zircon/syscalls.h>

#include "common/socket.h"
#include "init/console.h"
#include "init/init.h"
#include "init/report.h"

#define PAUSE_AFTER_DEATH ZX_MSEC(200) /* a shell that cannot live does not burn the CPU */

static zx_status_t run_shell(const struct machine *machine, const struct console *console) {
    static const char *const argv[] = {"sh", "-i", NULL};
    zx_handle_t job, process;
    int64_t code = 0;
    zx_status_t status =
        start_program(machine, argv, socket_share(console->input, ZX_RIGHT_READ),
                      socket_share(console->output, ZX_RIGHT_WRITE), &job, &process);
    if (status != ZX_OK)
        return status;
    status = jx_wait(process, &code);
    (void)zx_task_kill(job);
    (void)zx_handle_close(job);
    if (code < 0)
        report("init: the shell died (%lld); a new one starts", (long long)code);
    return status;
}

void session_run(const struct machine *machine) {
    struct console console;
    zx_status_t status = console_start(CONSOLE_TERMINAL, machine->resource, &console);
    while (status == ZX_OK) {
        status = run_shell(machine, &console);
        if (status == ZX_OK)
            (void)zx_nanosleep(zx_deadline_after(PAUSE_AFTER_DEATH));
    }
    report("init: no shell: %s", zx_status_get_string(status));
}
