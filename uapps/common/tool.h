/*
 * tool.h - what every tool does alike: --help, complaints, wrong usage.
 */
#pragma once

#include <zircon/types.h>

#define TOOL_USAGE 2 /* exit code of wrong usage */

/* First thing in main: remembers the name, and answers --help by `help`, which ends the tool. */
void tool_start(int argc, char **argv, const char *help);
/* Print the help where complaints go; the exit code. */
int tool_usage(void);
/* `NAME: text`, and why, unless the status is ZX_OK; the exit code 1. */
int tool_fail(zx_status_t status, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Nanoseconds of `1`, `0.25` or `.5` seconds; negative: not a number. */
zx_duration_t tool_parse_seconds(const char *text);
