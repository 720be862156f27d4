/*
 * panic.h - what a panic may call outside lib: one table, filled in by main.c.
 *
 * lib knows no machine. `panic_doors` is a constant, so it is complete before
 * the first instruction of C and a panic may come at any time.
 */
#pragma once

#include "lib/types.h"

struct panic_reporter {
    const char *name;
    void (*report)(void); /* logs lines; a fault inside it ends the machine */
};

struct panic_doors {
    unsigned (*cpu)(void);                             /* which one asks */
    void (*stand_still)(void) NORETURN;                /* that CPU, until the machine ends */
    void (*stop_others)(void);                         /* the other CPUs, for good */
    void (*emit)(const char *bytes, size_t length);    /* the polled console */
    unsigned (*backtrace)(uintptr_t frame, uintptr_t *out_pcs, unsigned max);
    void (*end)(void) NORETURN;                        /* the machine, with a failing code */
    const struct panic_reporter *reporters;            /* ends with a NULL name */
};
extern const struct panic_doors panic_doors;

/* Is a panic being reported? Waiting loops give up then. */
bool panic_is_running(void);
