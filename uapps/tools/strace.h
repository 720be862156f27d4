/*
 * strace.h - calls as text, by the one table of calls.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zircon/types.h>

#define STRACE_ARGS 8
#define STRACE_TEXT 1024

struct strace_call {
    unsigned index; /* in the table */
    uint64_t args[STRACE_ARGS];
    char text[STRACE_TEXT];
};

/* The traced call whose name has this hash; negative: there is none. */
int strace_find(uint32_t hash);
unsigned strace_count(void);
uint32_t strace_hash(unsigned index);
/* Does it come back with a status? */
bool strace_returns(unsigned index);
/* Write name and arguments, looking handles up in the process. */
void strace_begin(struct strace_call *call, zx_handle_t process, unsigned index,
                  const uint64_t args[STRACE_ARGS]);
/* Write the result, and what the process was given. */
void strace_end(struct strace_call *call, zx_handle_t process, zx_status_t status);
