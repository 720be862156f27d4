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
#include "object/exception_channel.h"
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
    uint32_t policed;             /* conditions that its policy does not simply allow */
    struct handle_table handles;  /* its own lock */
    struct job_policy policy;     /* its job's, when it was made */
    struct list_node job_node;    /* under tasks_lock */
    bool marked_for_death;        /* a job's kill has taken it; under tasks_lock */

    /* Under lock (RANK_PROCESS). */
    struct mutex lock;
    enum process_state state;
    struct list threads;          /* struct user_thread, those not dead */
    uint32_t thread_count;        /* started and not yet gone */
    int64_t return_code;
    nstime_t start_time;
    struct run_times dead_times;  /* of threads that are gone */
    uint32_t suspend_count;
    uint64_t debug_addr;          /* for debuggers: the kernel only keeps them */
    uint64_t break_on_load;
    struct job *critical_to;      /* referenced; it ends with this process; NULL: none does */
    bool critical_if_failed;      /* but not if the return code is 0 */

    /* Under base.lock. */
    struct exception_slot handler, debugger;
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
/*
 * The end of `process` will be the end of `job`, which is above it. ERR_ALREADY_BOUND if
 * it is critical already, ERR_INVALID_ARGS if the job is not above it.
 */
status_t process_set_critical(struct process *process, struct job *job, bool only_if_failed);
uint64_t process_debug_addr(struct process *process);
/* ERR_INVALID_ARGS for 0, ERR_ACCESS_DENIED once it has been set. */
status_t process_set_debug_addr(struct process *process, uint64_t address);
uint64_t process_break_on_load(struct process *process);
void process_set_break_on_load(struct process *process, uint64_t value);
/* Begin the end: set the code if it is the first, kill all threads. Does not wait. */
void process_kill(struct process *process, int64_t return_code);
/* process_kill of one's own, and the end of the calling thread. */
void process_exit(int64_t return_code) NORETURN;
/* For the kernel's own thread. */
void process_wait_until_dead(struct process *process);

/* For user_thread.c: on the reaper, when a thread that ran is off its stack. */
void process_thread_gone(struct process *process, struct user_thread *thread);
