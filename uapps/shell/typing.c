/*
 * typing.c - the simple line editing of a terminal, for a job in the foreground.
 *
 * What was typed ahead belongs to the next command as often as to this one, and nothing
 * tells which. So it is held back while the job is young, neither sent nor echoed: when
 * the job ends soon, the shell's own editor shows it in its place. Ctrl-C is not held.
 */
#include "shell/typing.h"

#include <stdlib.h>
#include <string.h>
#include <zircon/syscalls.h>

#define CTRL(letter) ((letter) & 0x1f)
#define YOUNG        ZX_MSEC(200)

static void typing_send(struct typing *typing) {
    size_t sent = 0;
    if (typing->job->typed != ZX_HANDLE_INVALID)
        (void)zx_socket_write(typing->job->typed, 0, typing->line, typing->length, &sent);
    input_append(&typing->kept, typing->line + sent, typing->length - sent);
    typing->length = 0;
}

static void typing_close(struct typing *typing) {
    (void)zx_handle_close(typing->job->typed);
    typing->job->typed = ZX_HANDLE_INVALID;
}

static void typing_erase(struct typing *typing, size_t count) {
    for (; count > 0 && typing->length > 0; count--) {
        typing->length--;
        shell_print("\b \b");
    }
}

static void typing_add(struct typing *typing, char byte) {
    if (typing->length == sizeof typing->line - 1) {
        shell_print("\a");
        return;
    }
    typing->line[typing->length++] = byte;
    shell_print("%c", byte);
}

/* All that the job was sent and has not read. */
static void take_unread(struct typing *typing, struct input *unread) {
    char bytes[256];
    size_t length;
    while (zx_socket_read(typing->job->unread, 0, bytes, sizeof bytes, &length) == ZX_OK)
        input_append(unread, bytes, length);
}

/* The job is killed, and what was typed so far is forgotten. */
static void typing_interrupt(struct typing *typing) {
    struct input unread = {0};
    shell_print("^C\n");
    typing->shell->interrupted = true;
    (void)zx_task_kill(typing->job->handle);
    typing_close(typing);
    take_unread(typing, &unread);
    free(unread.bytes);
    typing->kept.begin = typing->kept.end;
    typing->length = 0;
}

/* A byte typed while the job is in the foreground. */
static void typing_feed(struct typing *typing, char byte) {
    if (byte == CTRL('C')) {
        typing_interrupt(typing);
    } else if (byte == CTRL('D')) {
        if (typing->length > 0)
            typing_send(typing);
        else
            typing_close(typing);
    } else if (byte == CTRL('U')) {
        typing_erase(typing, typing->length);
    } else if (byte == 0x7f || byte == CTRL('H')) {
        typing_erase(typing, 1);
    } else if (byte == '\n' || byte == '\r') {
        typing->line[typing->length++] = '\n'; /* typing_add leaves room for it */
        shell_print("\n");
        typing_send(typing);
    } else if ((unsigned char)byte >= ' ' || byte == '\t') {
        typing_add(typing, byte);
    }
}

/* --- for job.c --- */

void typing_begin(struct typing *typing, struct shell *shell, struct job *job) {
    memset(typing, 0, sizeof *typing);
    typing->shell = shell;
    typing->job = job;
    typing->held_until = zx_deadline_after(YOUNG);
}

static bool holds_back(const struct typing *typing) {
    const struct input *input = &typing->shell->input;
    size_t length = input->end - input->begin;
    return length > 0 && zx_clock_get_monotonic() < typing->held_until &&
           !memchr(input->bytes + input->begin, CTRL('C'), length);
}

static void take_typed(struct typing *typing) {
    int byte;
    while ((byte = input_take(&typing->shell->input)) >= 0)
        typing_feed(typing, (char)byte);
}

void typing_wait(struct typing *typing, zx_handle_t process) {
    zx_wait_item_t items[] = {
        {.handle = process, .waitfor = ZX_PROCESS_TERMINATED},
        {.handle = typing->shell->input.socket, .waitfor = ZX_SOCKET_READABLE},
    };
    zx_status_t status = ZX_OK;
    while (status == ZX_OK || status == ZX_ERR_TIMED_OUT) {
        input_fill(&typing->shell->input);
        bool held = holds_back(typing);
        if (!held)
            take_typed(typing);
        status = zx_object_wait_many(items, 2, held ? typing->held_until : ZX_TIME_INFINITE);
        if (status == ZX_OK && (items[0].pending & ZX_PROCESS_TERMINATED))
            return;
    }
}

void typing_end(struct typing *typing) {
    struct input unread = {0};
    take_unread(typing, &unread);
    input_append(&unread, typing->kept.bytes + typing->kept.begin,
                 typing->kept.end - typing->kept.begin);
    input_append(&unread, typing->line, typing->length);
    input_give_back(&typing->shell->input, unread.bytes + unread.begin, unread.end - unread.begin);
    free(unread.bytes);
    free(typing->kept.bytes);
}
