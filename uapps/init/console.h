/*
 * console.h - the machine's console as two stream sockets.
 *
 * Two threads carry the bytes: what programs write to `output` goes to the console
 * whole and in order, whoever wrote it and however it ended; what is typed goes to
 * `input`. Nothing else in the system can read the console.
 */
#pragma once

#include <zircon/types.h>

enum console_kind {
    CONSOLE_TERMINAL, /* a person's: a newline also returns the carriage */
    CONSOLE_FRAMED,   /* `./jx exec`: output raw, input in frames (frames.h) */
};

/* The ends for programs. The owner may close them; a stream ends with its last handle. */
struct console {
    zx_handle_t input, output;
};

/* `resource` is the root resource, borrowed for ever. Once in a program's life. */
zx_status_t console_start(enum console_kind kind, zx_handle_t resource,
                          struct console *out_console);
/* Wait until all that was written has left; every handle to `output` must be closed. */
void console_drain(void);
