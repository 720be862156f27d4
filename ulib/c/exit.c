/*
 * exit.c - the end of a program: atexit functions in reverse order, destructors, then
 * the streams, then the kernel.
 */
#include <stdlib.h>

#include <errno.h>
#include <zircon/syscalls.h>

#include "c/exit.h"
#include "c/lock.h"

#define FUNCTIONS_MAX 64

struct functions {
    unsigned count;
    void (*list[FUNCTIONS_MAX])(void);
};
static struct functions at_exit, at_quick;
static struct lock lock;
static void (*flush_streams)(void);

typedef void finaliser(void);
#define HIDDEN __attribute__((visibility("hidden")))
extern finaliser *const fini_begin[] __asm__("__fini_array_start") HIDDEN;
extern finaliser *const fini_end[] __asm__("__fini_array_end") HIDDEN;

_Thread_local int errno;

static int add(struct functions *functions, void (*function)(void)) {
    lock_take(&lock);
    int result = functions->count < FUNCTIONS_MAX ? 0 : -1;
    if (result == 0)
        functions->list[functions->count++] = function;
    lock_drop(&lock);
    return result;
}

int atexit(void (*function)(void)) { return add(&at_exit, function); }
int at_quick_exit(void (*function)(void)) { return add(&at_quick, function); }
void exit_set_flush(void (*function)(void)) { flush_streams = function; }

/* A function may add others; they run next. */
static void run(struct functions *functions) {
    for (;;) {
        lock_take(&lock);
        void (*function)(void) =
            functions->count > 0 ? functions->list[--functions->count] : NULL;
        lock_drop(&lock);
        if (!function)
            return;
        function();
    }
}

void _Exit(int code) { zx_process_exit(code); }

void exit(int code) {
    run(&at_exit);
    for (finaliser *const *f = fini_end; f > fini_begin;)
        (*--f)();
    if (flush_streams)
        flush_streams();
    _Exit(code);
}

void quick_exit(int code) {
    run(&at_quick);
    _Exit(code);
}

void abort(void) { __builtin_trap(); }
