/*
 * report.h - init's words in the kernel's log.
 */
#pragma once

#include <zircon/types.h>

/* `log` is a handle to the kernel's log, borrowed for ever. */
void report_init(zx_handle_t log);
void report(const char *format, ...) __attribute__((format(printf, 1, 2)));
