/*
 * fail.c - what assert and malloc call when a program breaks a rule: a line to
 * the error stream, then an exception, whose crash report has the backtrace.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "c/fail.h"

void fail_with(const char *text) {
    fputs(text, stderr);
    abort();
}

void assert_failed(const char *condition, const char *file, int line, const char *function) {
    fprintf(stderr, "%s:%d: %s: assertion failed: %s\n", file, line, function, condition);
    abort();
}
