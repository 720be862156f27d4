/*
 * crash_report.h - the log's account of an exception that nobody handles.
 */
#pragma once

#include "arch/upcall.h"

/* Of the current thread: process, thread, the exception's numbers, registers, backtrace. */
void crash_report(const char *what, const struct exception *exception);
