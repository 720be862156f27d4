/*
 * console.c - the two threads behind console.h.
 *
 * zx_debug_write waits for the serial line, so a program that writes faster than the
 * line fills its socket and waits in turn: nothing grows without bound.
 */
#include "init/console.h"

#include <stdbool.h>
#include <string.h>
#include <threads.h>
#include <zircon/syscalls.h>

#include "common/socket.h"
#include "init/frames.h"

#define CHUNK 256 /* what one call of the kernel moves at most */

/* Set once, before the threads start. */
static enum console_kind kind;
static zx_handle_t root_resource, near_input, near_output;
static thrd_t output_thread;

/* --- output --- */

/* "\n" as "\r\n"; `to` has room for twice the length. */
static size_t return_carriage(const char *from, size_t length, char *to) {
    size_t used = 0;
    for (size_t i = 0; i < length; i++) {
        if (from[i] == '\n')
            to[used++] = '\r';
        to[used++] = from[i];
    }
    return used;
}

static void write_raw(const char *bytes, size_t length) {
    while (length > 0) {
        size_t part = length < CHUNK ? length : CHUNK;
        if (zx_debug_write(bytes, part) != ZX_OK)
            return; /* user output is switched off: there is nowhere to say so */
        bytes += part;
        length -= part;
    }
}

static int carry_output(void *unused) {
    char bytes[1024], terminal[2 * sizeof bytes];
    size_t length;
    while ((length = socket_read_some(near_output, bytes, sizeof bytes)) > 0) {
        if (kind == CONSOLE_TERMINAL)
            write_raw(terminal, return_carriage(bytes, length, terminal));
        else
            write_raw(bytes, length);
    }
    return 0;
}

/* --- input --- */

static void close_input(void) {
    (void)zx_handle_close(near_input);
    near_input = ZX_HANDLE_INVALID;
}

static void pass_on(const char *bytes, size_t length) {
    if (near_input != ZX_HANDLE_INVALID && !socket_write_all(near_input, bytes, length))
        close_input(); /* nobody will ever read it */
}

static void unpack(struct frames *frames, const char *bytes, size_t length) {
    char data[CHUNK];
    size_t used = frames_unpack(frames, bytes, length, data);
    pass_on(data, used);
    if (frames->ended && near_input != ZX_HANDLE_INVALID)
        close_input();
}

static int carry_input(void *unused) {
    struct frames frames = {0};
    char bytes[CHUNK];
    size_t length = 0;
    while (zx_debug_read(root_resource, bytes, sizeof bytes, &length) == ZX_OK) {
        if (kind == CONSOLE_TERMINAL)
            pass_on(bytes, length);
        else
            unpack(&frames, bytes, length);
    }
    return 0;
}

/* --- both --- */

zx_status_t console_start(enum console_kind wanted, zx_handle_t resource,
                          struct console *out_console) {
    thrd_t input_thread;
    kind = wanted;
    root_resource = resource;
    zx_status_t status = zx_socket_create(ZX_SOCKET_STREAM, &near_input, &out_console->input);
    if (status == ZX_OK)
        status = zx_socket_create(ZX_SOCKET_STREAM, &near_output, &out_console->output);
    if (status != ZX_OK)
        return status;
    if (thrd_create(&output_thread, carry_output, NULL) != thrd_success ||
        thrd_create(&input_thread, carry_input, NULL) != thrd_success)
        return ZX_ERR_NO_MEMORY;
    return ZX_OK;
}

void console_drain(void) {
    (void)thrd_join(output_thread, NULL);
}
