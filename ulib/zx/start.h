/*
 * start.h - the parts of start code, and what it leaves for the rest of the library.
 *
 * Everything up to tls_install runs without a stack protector, because the canary
 * lies at %fs:0x28. Order: relocate, resolve, read the start message, thread-local
 * storage and canary, RELRO, constructors, main.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zircon/types.h>

#define NO_PROTECTOR __attribute__((no_stack_protector))

/* Fills the slots of stubs.c from the vDSO at `vdso`. */
void start_resolve(uintptr_t vdso);
/* Applies the program's own relocations; the program lies at `base`. */
void start_relocate(uintptr_t base);

/* What the start message says, checked; everything points into the message. */
struct start_args {
    uint32_t handle_count;
    const uint32_t *infos; /* PA_HND() words */
    uint32_t argc, envc;
    const char *args, *environment; /* strings, one after another */
};
/*
 * Reads a message of `size` bytes, which came with `handle_count` handles and is
 * aligned to 4. False if it is not a start message: then *out_args is empty.
 */
bool start_parse(const void *message, size_t size, uint32_t handle_count,
                 struct start_args *out_args);
/* Fills vector[0] to vector[count] with the strings and a NULL. */
void start_fill_vector(const char *strings, uint32_t count, char **vector);

/* The handles of the start message; the arrays live as long as the process. */
struct start_handles {
    uint32_t count;
    zx_handle_t *handles; /* 0 once taken */
    const uint32_t *infos;
};
extern struct start_handles start_handles;
/* As zx_take_startup_handle, but the handle stays there. */
zx_handle_t start_find_handle(uint32_t info);

extern char **environ;

/* The program's headers, found by the linker's symbol. */
struct start_segment {
    uintptr_t address; /* where it is in memory */
    size_t size, file_size, align;
};
/* The first program header of a type; false if there is none. */
bool start_find_segment(uint32_t type, struct start_segment *out_segment);
