/*
 * flood.c - what tests/qemu/exec.py runs: makes things of one kind until the kernel refuses,
 * tells why, and keeps them for a while.
 */
#include <stdio.h>
#include <string.h>
#include <zircon/process.h>
#include <zircon/status.h>
#include <zircon/syscalls.h>

#define EVENTS_IN_MESSAGE 64
#define MESSAGES          3000 /* fewer than one end may hold */

static zx_status_t make_event(void) {
    zx_handle_t event;
    return zx_event_create(0, &event);
}

static zx_status_t make_timer(void) {
    zx_handle_t timer;
    zx_status_t status = zx_timer_create(0, ZX_CLOCK_MONOTONIC, &timer);
    return status == ZX_OK ? zx_timer_set(timer, zx_deadline_after(ZX_SEC(1000)), 0) : status;
}

static zx_status_t make_job(void) {
    zx_handle_t job;
    return zx_job_create(zx_job_default(), 0, &job);
}

static zx_status_t make_thread(void) {
    zx_handle_t thread;
    return zx_thread_create(zx_process_self(), "idle", 4, 0, &thread);
}

/* A port that holds as many packets as it may. */
static zx_status_t make_packets(void) {
    static const zx_port_packet_t packet = {.key = 1};
    zx_handle_t port;
    zx_status_t status = zx_port_create(0, &port);
    while (status == ZX_OK)
        status = zx_port_queue(port, &packet);
    return status == ZX_ERR_SHOULD_WAIT ? ZX_OK : status;
}

/* A channel that holds nearly as many messages as it may. */
static zx_status_t make_messages(void) {
    zx_handle_t writer, reader;
    zx_status_t status = zx_channel_create(0, &writer, &reader);
    for (int i = 0; status == ZX_OK && i < MESSAGES; i++)
        status = zx_channel_write(writer, 0, "flood", 5, NULL, 0);
    return status;
}

/* The same, of messages full of handles. */
static zx_status_t make_transfers(void) {
    zx_handle_t writer, reader, events[EVENTS_IN_MESSAGE];
    zx_status_t status = zx_channel_create(0, &writer, &reader);
    for (int i = 0; status == ZX_OK && i < MESSAGES; i++) {
        unsigned count = 0;
        while (count < EVENTS_IN_MESSAGE &&
               (status = zx_event_create(0, &events[count])) == ZX_OK)
            count++;
        if (status == ZX_OK)
            status = zx_channel_write(writer, 0, NULL, 0, events, count);
    }
    return status;
}

static const struct {
    const char *name;
    zx_status_t (*make)(void);
} kinds[] = {{"handles", make_event},    {"timers", make_timer},     {"jobs", make_job},
             {"threads", make_thread},   {"packets", make_packets},  {"messages", make_messages},
             {"transfers", make_transfers}};

int main(int argc, char **argv) {
    for (size_t i = 0; argc > 1 && i < sizeof kinds / sizeof kinds[0]; i++) {
        zx_status_t status = ZX_OK;
        if (strcmp(argv[1], kinds[i].name) != 0)
            continue;
        while (status == ZX_OK)
            status = kinds[i].make();
        printf("%s: %s\n", argv[1], zx_status_get_string(status));
        fflush(stdout);
        (void)zx_nanosleep(zx_deadline_after(ZX_SEC(2)));
        return 0;
    }
    return 1;
}
