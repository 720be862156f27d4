/*
 * trap.h - names, dumps and hooks of traps, inside this folder.
 */
#pragma once

#include "arch/amd64/amd64.h"

const char *trap_name(uint64_t vector);
void trap_dump_kernel_frame(const struct user_frame *frame, uint64_t address);
void trap_nmi(struct user_frame *frame);
/* Where the user copy whose instruction is at `rip` goes on after a fault; 0: none. */
uint64_t user_copy_fixup(uint64_t rip);

/* A device's handler: interrupt context; the end of interrupt is sent after it. */
typedef void interrupt_handler(void);
void interrupt_set_handler(uint8_t vector, interrupt_handler *handler);

/* A test that provokes a kernel exception: true if it has mended the frame. */
typedef bool trap_test_hook(struct user_frame *frame, uint64_t address);
trap_test_hook *trap_set_test_hook(trap_test_hook *hook);
