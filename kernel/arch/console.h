/*
 * console.h - the serial line: polled last words, and bytes by interrupt.
 *
 * Output of console_write goes straight to the FIFO and takes the interrupt only
 * when it must wait. Input bytes arrive in a small ring from the interrupt, which
 * calls upcall_console_input().
 */
#pragma once

#include "lib/types.h"

/* Polled and bounded; from any context, panic included. The kernel log's way out. */
void console_emit(const char *bytes, size_t length);
/* Put bytes into the transmit ring; returns how many fitted. Never waits. */
size_t console_write(const char *bytes, size_t length);
/* Is there room in the transmit ring? upcall_console_room() tells when room returns. */
bool console_has_room(void);
/* Wait until all accepted bytes have left the wire (bounded). */
void console_drain(void);
/* Take received bytes; returns how many. Never waits. */
size_t console_read(char *buffer, size_t size);
/*
 * Should log lines go to the serial line, to the debug port (isa-debugcon), or
 * both? (`log=serial|debug`)
 */
void console_set_log_ports(bool serial, bool debug_port);
