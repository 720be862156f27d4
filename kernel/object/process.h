/*
 * process.h - handles, an address space and threads.
 *
 * Life: INITIAL (no thread yet), RUNNING, DYING (the first exit or kill set the
 * return code; threads are ending), DEAD. When the last thread is gone: the
 * handle table is emptied, the address space destroyed, TERMINATED asserted, and
 * the process leaves its job, in that order, on the reaper thread.
 */
#pragma once

#include "object/handle_table.h"
#include "object/job.h"

struct aspace;
struct user_thread;
struct futex_table;

enum process_state { PROCESS_INITIAL, PROCESS_RUNNING, PROCESS_DYING, PROCESS_DEAD };

struct process {
    struct waitable base;
    /* Set once. */
    struct job *job;              /* referenced */
    struct aspace *aspace;        /* lives as long as the process's memory */
    struct futex_table *futexes;  /* owned */
    struct handle_table handles;  /* its own lock */
    struct list_node job_node;    /* under tasks_lock */
    bool marked_for_death;        /* a job's kill has taken it; under tasks_lock */

    /* Under lock (RANK_PROCESS). */
    struct mutex lock;
    enum process_state state;
    struct list threads;          /* struct user_thread, those not dead */
    uint32_t thread_count;        /* started and not yet gone */
    int64_t return_code;
    nstime_t start_time;
    int64_t dead_runtime;         /* ns of threads that are gone */
    uint64_t debug_addr;

    /* Under base.lock. */
    char name[OBJECT_NAME_SIZE];
};

ALWAYS_INLINE struct process *process_from(struct waitable *object) {
    return container_of(object, struct process, base);
}
ALWAYS_INLINE void process_unref(struct process *process) { waitable_unref(&process->base); }
AUTO_RELEASE(process, process_unref)

status_t process_create(struct job *job, const char *name, struct process **out_process);
/* The first thread: ERR_BAD_STATE unless the process is INITIAL and the thread NEW. */
status_t process_start(struct process *process, struct user_thread *thread, vaddr_t entry,
                       vaddr_t stack, uint64_t arg1, uint64_t arg2);
enum process_state process_state(struct process *process);
/* Begin the end: set the code if it is the first, kill all threads. Does not wait. */
void process_kill(struct process *process, int64_t return_code);
/* process_kill of one's own, and the end of the calling thread. */
void process_exit(int64_t return_code) NORETURN;
/* For the kernel's own thread. */
void process_wait_until_dead(struct process *process);

/* For user_thread.c: on the reaper, when a thread that ran is off its stack. */
void process_thread_gone(struct process *process, struct user_thread *thread);
