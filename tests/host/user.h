/*
 * user.h - user code that is part of a host program.
 *
 * user_run makes a process of the host's machine and runs a function as its first
 * thread. That function and what it calls make system calls by their public names:
 * zx_ functions that go through the kernel's own table (user_calls.c). Buffers of the
 * host program are carried through memory of the process; any other address is taken
 * for one of the process's own.
 */
#pragma once

#include "lib/types.h"

#define USER_THREADS 16

/* In a kernel thread: false, with a line in the log, if there is no such process. */
bool user_run(void (*main)(void));
/* In user code: run `work` on that many more threads (its argument is their number). */
void user_run_threads(unsigned threads, void (*work)(unsigned index));
/* The same for one thread, which goes on meanwhile. */
void user_start_thread(unsigned number, unsigned argument, void (*work)(unsigned argument));
void user_join_thread(unsigned number);
/* The number of the calling thread; user_run's is 0. */
unsigned user_thread_number(void);

/*
 * The next call of this thread is made again and again while its first allocation
 * fails, its second, ... until it ends without meeting a failure. After each that
 * failed `judge` looks at the world; `partly`: the call may have done a part of its
 * work. NULL: not any more.
 */
void user_fail_next_call(void (*judge)(bool partly));
/* A call, or an access, as that asks for: `attempt` is made until no failure is met. */
uint64_t user_attempt(uint64_t (*attempt)(void *context), void *context, bool partly);
bool user_is_judging(void);
/* A handle to the root resource. */
uint32_t user_root_resource(void);

/* ---- For user_calls.c ---- */
#define USER_BOUNCE_SIZE ((uint64_t)1 << 20) /* of each thread */
vaddr_t user_bounce(void);                    /* the calling thread's */
