/*
 * job.c - jobs and their ends.
 */
#include "shell/job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zircon/process.h>
#include <zircon/status.h>
#include <zircon/syscalls.h>

static struct job *background; /* the oldest first */

/* --- one job --- */

struct job *job_create(size_t count, const char *text) {
    struct job *job = calloc(1, sizeof *job);
    char *copy = strdup(text);
    zx_handle_t *processes = calloc(count, sizeof *processes);
    zx_status_t status = ZX_ERR_NO_MEMORY;
    if (job && copy && processes)
        status = zx_job_create(zx_job_default(), 0, &job->handle);
    if (status != ZX_OK) {
        fprintf(stderr, "sh: no job: %s\n", zx_status_get_string(status));
        free(processes);
        free(copy);
        free(job);
        return NULL;
    }
    job->text = copy;
    job->processes = processes;
    job->count = count;
    (void)zx_object_set_property(job->handle, ZX_PROP_NAME, text, strlen(text));
    return job;
}

void job_free(struct job *job) {
    for (size_t i = 0; i < job->count; i++)
        (void)zx_handle_close(job->processes[i]);
    (void)zx_handle_close(job->typed);
    (void)zx_handle_close(job->unread);
    (void)zx_handle_close(job->handle);
    free(job->processes);
    free(job->text);
    free(job);
}

int job_status_of(int64_t return_code) {
    if (return_code == ZX_TASK_RETCODE_EXCEPTION_KILL)
        return STATUS_EXCEPTION;
    if (return_code == ZX_TASK_RETCODE_SYSCALL_KILL)
        return STATUS_KILLED;
    return (int)(return_code & 0xff);
}

/* Stage `index` has ended: note its code and its CPU time, and let it go. */
static void end_stage(struct job *job, size_t index) {
    zx_info_process_t info = {0};
    zx_info_task_runtime_t runtime = {0};
    zx_handle_t *process = &job->processes[index];
    (void)zx_object_get_info(*process, ZX_INFO_PROCESS, &info, sizeof info, NULL, NULL);
    (void)zx_object_get_info(*process, ZX_INFO_TASK_RUNTIME, &runtime, sizeof runtime, NULL, NULL);
    job->cpu_time += runtime.cpu_time;
    if (index == job->count - 1)
        job->status = job_status_of(info.return_code);
    (void)zx_handle_close(*process);
    *process = ZX_HANDLE_INVALID;
}

/* Note all stages that have ended; is one still running? */
static bool is_running(struct job *job) {
    bool running = false;
    for (size_t i = 0; i < job->count; i++) {
        if (job->processes[i] == ZX_HANDLE_INVALID)
            continue;
        if (zx_object_wait_one(job->processes[i], ZX_PROCESS_TERMINATED, 0, NULL) == ZX_OK)
            end_stage(job, i);
        else
            running = true;
    }
    return running;
}

/* --- waiting with a person at the keyboard --- */

#define CTRL(letter) ((letter) & 0x1f)

/* What is typed for the job; it gets whole lines. */
struct typing {
    struct job *job;
    char line[1024];
    size_t length;
    struct input kept; /* lines that the job could not take */
};

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
static void typing_interrupt(struct shell *shell, struct typing *typing) {
    struct input unread = {0};
    shell_print("^C\n");
    shell->interrupted = true;
    (void)zx_task_kill(typing->job->handle);
    typing_close(typing);
    take_unread(typing, &unread);
    free(unread.bytes);
    typing->kept.begin = typing->kept.end;
    typing->length = 0;
}

/* A byte typed while the job is in the foreground. */
static void typing_feed(struct shell *shell, struct typing *typing, char byte) {
    if (byte == CTRL('C')) {
        typing_interrupt(shell, typing);
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

static void typing_take(struct shell *shell, struct typing *typing) {
    int byte;
    input_fill(&shell->input);
    while ((byte = input_take(&shell->input)) >= 0)
        typing_feed(shell, typing, (char)byte);
}

/* What the job did not read was meant for the shell, or for the next job. */
static void typing_return(struct shell *shell, struct typing *typing) {
    struct input unread = {0};
    take_unread(typing, &unread);
    input_append(&unread, typing->kept.bytes + typing->kept.begin,
                 typing->kept.end - typing->kept.begin);
    input_append(&unread, typing->line, typing->length);
    input_give_back(&shell->input, unread.bytes + unread.begin, unread.end - unread.begin);
    free(unread.bytes);
    free(typing->kept.bytes);
}

static void wait_typing(struct shell *shell, struct job *job) {
    struct typing typing = {.job = job};
    for (size_t i = 0; i < job->count; i++) {
        if (job->processes[i] == ZX_HANDLE_INVALID)
            continue;
        zx_wait_item_t items[] = {
            {.handle = job->processes[i], .waitfor = ZX_PROCESS_TERMINATED},
            {.handle = shell->input.socket, .waitfor = ZX_SOCKET_READABLE},
        };
        do {
            typing_take(shell, &typing);
        } while (zx_object_wait_many(items, 2, ZX_TIME_INFINITE) == ZX_OK &&
                 !(items[0].pending & ZX_PROCESS_TERMINATED));
        end_stage(job, i);
    }
    typing_return(shell, &typing);
    if (shell->interrupted)
        job->status = STATUS_KILLED; /* even if its last stage just found its input at the end */
}

void job_wait(struct shell *shell, struct job *job) {
    if (shell->interactive) {
        wait_typing(shell, job);
        return;
    }
    for (size_t i = 0; i < job->count; i++) {
        if (job->processes[i] == ZX_HANDLE_INVALID)
            continue;
        (void)zx_object_wait_one(job->processes[i], ZX_PROCESS_TERMINATED, ZX_TIME_INFINITE, NULL);
        end_stage(job, i);
    }
}

/* --- the list --- */

void jobs_add(struct job *job) {
    struct job **end = &background;
    unsigned number = 0;
    for (; *end; end = &(*end)->next)
        number = (*end)->number;
    job->number = number + 1;
    *end = job;
}

struct job *jobs_find(unsigned number) {
    struct job *found = NULL;
    for (struct job *job = background; job; job = job->next) {
        if (number == 0 || job->number == number)
            found = job;
    }
    return found;
}

struct job *jobs_take(unsigned number) {
    struct job *job = jobs_find(number);
    struct job **link = &background;
    if (!job)
        return NULL;
    while (*link != job)
        link = &(*link)->next;
    *link = job->next;
    job->next = NULL;
    return job;
}

void jobs_reap(struct shell *shell) {
    for (struct job **link = &background; *link;) {
        struct job *job = *link;
        if (is_running(job)) {
            link = &job->next;
            continue;
        }
        if (shell->interactive)
            shell_print("[%u] ended with %d: %s\n", job->number, job->status, job->text);
        *link = job->next;
        job_free(job);
    }
}

void jobs_list(void (*show)(void *context, const struct job *job, bool running), void *context) {
    for (struct job *job = background; job; job = job->next)
        show(context, job, is_running(job));
}
