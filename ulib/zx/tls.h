/*
 * tls.h - a thread's own memory: the control block that %fs points to.
 *
 * By the x86-64 convention the block's first word points to itself, the stack
 * protector's canary is at offset 0x28, and the thread-local variables lie directly
 * below the block.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <zircon/types.h>

#define TLS_KEYS 32

struct thread_control {
    struct thread_control *self;
    uintptr_t unused[4];
    uintptr_t canary; /* at 0x28 */

    /* Set once before the thread runs. */
    zx_handle_t handle; /* this thread's; borrowed by zx_thread_self */
    uintptr_t mapping;  /* stack, variables and this block; 0 for the first thread */
    size_t mapping_size;
    int (*function)(void *);
    void *argument;

    /* Who owns the mapping at the thread's end; threads.c. */
    _Atomic(int) state;
    int result;

    /* Owned by the thread itself. */
    void *values[TLS_KEYS];
};
_Static_assert(offsetof(struct thread_control, canary) == 0x28, "the compiler reads it there");

/* Bytes for the variables and the block, at any alignment. */
size_t tls_size(void);
/*
 * Set up variables and block at the end of [memory, memory + size), size at least
 * tls_size(), zeroed. The block's own fields stay zero except self.
 */
struct thread_control *tls_place(void *memory, size_t size);
/* Make `control` the running thread's block. */
void tls_install(struct thread_control *control);
/* The running thread's block. */
static inline struct thread_control *tls_current(void) {
    struct thread_control *control;
    __asm__("movq %%fs:0, %0" : "=r"(control));
    return control;
}
