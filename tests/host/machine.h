/*
 * machine.h - the boot order of kernel/main.c for the host, for the test runner
 * and the fuzzers.
 */
#pragma once

#include "arch/host/host.h"

/* Boot, run body() in a thread, and return what it gave to host_finish. */
int machine_run(const struct host_options *options, void (*body)(void));
/* The kernel's thread that takes dead ones apart. */
struct thread *machine_reaper(void);
/* Boot on the calling pthread without threads: single calls of lib and vm only. */
void machine_init_plain(const struct host_options *options);
