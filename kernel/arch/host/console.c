/*
 * console.c - the serial line: log lines go to standard error; what the console
 * sends is kept for tests; what tests type arrives as an interrupt.
 */
#include "arch/console.h"

#include <stdio.h>

#include "arch/host/host_internal.h"

#define RING 4096

static pthread_mutex_t ring_lock = PTHREAD_MUTEX_INITIALIZER;
static char ring[RING];
static size_t ring_begin, ring_end;
static _Atomic bool muted;

void console_emit(const char *bytes, size_t length) { fwrite(bytes, 1, length, stderr); }

size_t console_write(const char *bytes, size_t length) {
    return muted ? length : fwrite(bytes, 1, length, stdout);
}
void host_console_mute(bool mute) { muted = mute; }
bool console_has_room(void) { return true; }
void console_drain(void) { fflush(stdout); }
void console_set_log_ports(bool serial, bool debug_port) {}

void host_console_type(const char *bytes, size_t length) {
    pthread_mutex_lock(&ring_lock);
    for (size_t i = 0; i < length && ring_end - ring_begin < RING; i++)
        ring[ring_end++ % RING] = bytes[i];
    pthread_mutex_unlock(&ring_lock);
    host_interrupt(0, HOST_IRQ_CONSOLE);
}

size_t console_read(char *buffer, size_t size) {
    size_t count = 0;

    pthread_mutex_lock(&ring_lock);
    while (count < size && ring_begin < ring_end)
        buffer[count++] = ring[ring_begin++ % RING];
    pthread_mutex_unlock(&ring_lock);
    return count;
}
