/*
 * report.c - one line for each call; the console is not init's to write on.
 */
#include "init/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <zircon/syscalls.h>
#include <zircon/syscalls/log.h>

static zx_handle_t kernel_log;

void report_init(zx_handle_t log) {
    kernel_log = log;
}

void report(const char *format, ...) {
    char line[ZX_LOG_RECORD_DATA_MAX];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (length >= (int)sizeof line)
        length = sizeof line - 1;
    if (length > 0)
        (void)zx_debuglog_write(kernel_log, 0, line, (size_t)length);
}
