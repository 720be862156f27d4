/*
 * calls.h - every call of syscalls.def as data, with arguments that make it work.
 *
 * A program with a row of the table that has no prepare_ function in call_arguments.c does not
 * link, so a test that walks this list leaves no call out.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zircon/types.h>

enum kind {
    KIND_none,
#define KIND(name, passed, user) KIND_##name,
#include "syscall/kinds.def"
#undef KIND
};

struct call {
    const char *name;
    void *function;
    void (*prepare)(uint64_t *a);
    enum kind kinds[9];
};
extern const struct call calls[];
extern const size_t calls_count;
extern char call_buffers[8][4096]; /* what argument i points to, if it is a pointer */

bool call_has_pointer(const struct call *call, int i);
bool call_reads(const struct call *call, int i); /* the kernel only reads it */
/* Fill a[8]; objects are made as needed and go away by call_tidy. */
void call_prepare(const struct call *call, uint64_t *a);
zx_status_t call_make(const struct call *call, const uint64_t *a);
/* What a prepared call gives; any positive number counts as ZX_OK. */
zx_status_t call_expected(const struct call *call);
/* Close the handles that a successful call gave. */
void call_drop_results(const struct call *call, const uint64_t *a);
void call_tidy(void);
