/*
 * play.h - user programs made of bytes, played on the host: each few bytes are a
 * system call with arguments that the table of calls gives a meaning.
 */
#pragma once

#include "lib/types.h"

/* Once, in a thread, after the machine is up: what objects need. */
void play_init(void);
/*
 * Run the program as a process in a job of its own, for a while; then kill the job.
 * False, with a line in the log, if something does not die or is left behind.
 */
bool play_program(const uint8_t *program, size_t size);
/* Log each call with its arguments and result. */
void play_trace(bool on);
