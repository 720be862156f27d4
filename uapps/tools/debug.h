/*
 * debug.h - the debugged process, for the commands of debug_main.c.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <zircon/types.h>

#define BREAKPOINTS 4

enum break_kind { BREAK_NONE, BREAK_EXECUTE, BREAK_WRITE };
struct breakpoint {
    enum break_kind kind;
    uint64_t address;
};

struct target {
    zx_handle_t process;
    zx_handle_t channel;   /* exceptions, as debugger */
    zx_handle_t token;     /* while all of it stands still */
    zx_handle_t thread;    /* the one that is looked at */
    zx_handle_t exception; /* what stopped it; ZX_HANDLE_INVALID: nothing did */
    zx_excp_type_t type;
    struct breakpoint breakpoints[BREAKPOINTS];
    bool began; /* its first thread has started */
    bool ended;
};

/* A program in a job of its own, stopped before its first instruction; the exit code if not 0. */
int target_start(struct target *t, char **argv);
/* A process that runs already, found below `root`; it is stopped. */
int target_attach(struct target *t, zx_handle_t root, const char *word);
/* Let it run until something happens, or until then; tells what did. */
void target_run(struct target *t, zx_time_t deadline);
/* Take the breakpoints away and let it go on by itself. */
void target_leave(struct target *t);
zx_status_t target_each_thread(struct target *t,
                               void (*visit)(struct target *t, zx_handle_t thread));
void target_print_place(struct target *t);
