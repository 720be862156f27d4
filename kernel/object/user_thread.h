/*
 * user_thread.h - a thread as user code sees it: an object around a struct thread.
 */
#pragma once

#include "object/exception_channel.h"
#include "object/process.h"
#include "sched/thread.h"

enum user_thread_state { USER_THREAD_NEW, USER_THREAD_RUNNING, USER_THREAD_DYING, USER_THREAD_DEAD };

struct user_thread {
    struct waitable base;
    /* Set once. */
    struct process *process;   /* referenced */
    bool is_first;             /* what started the process */
    /* Under process->lock. */
    enum user_thread_state state;
    uint32_t suspend_count;            /* its own; its process has another */
    struct parker *stopped;            /* while it stands still for one; NULL: it does not */
    struct exception_wait *exception;  /* while it is in one (exception_object.h) */
    struct list_node process_node;
    bool has_affinity;         /* a profile gave it one */
    struct user_start start;   /* where user mode begins */
    void *extended_state;      /* owned; the aligned area lies inside */
    /* Under the lock of the process's futex table. */
    uint32_t futexes_owned;
    bool owns_no_futex;        /* not any more */
    /* Under base.lock. */
    struct exception_slot handler;
    char name[OBJECT_NAME_SIZE];
    struct thread thread;
};

ALWAYS_INLINE struct user_thread *user_thread_from(struct waitable *object) {
    return container_of(object, struct user_thread, base);
}
ALWAYS_INLINE struct user_thread *user_thread_of(const struct thread *thread) {
    return thread->user;
}
ALWAYS_INLINE void user_thread_unref(struct user_thread *thread) { waitable_unref(&thread->base); }
AUTO_RELEASE(user_thread, user_thread_unref)
/* Of a user thread; only in its system calls and exceptions. */
ALWAYS_INLINE struct user_thread *user_thread_current(void) { return thread_current()->user; }
ALWAYS_INLINE struct process *process_current(void) { return user_thread_current()->process; }

/* ERR_BAD_STATE if the process is dying or dead, ERR_NO_MEMORY. */
status_t user_thread_create(struct process *process, const char *name,
                            struct user_thread **out_thread);
/* A further thread of a running process; ERR_BAD_STATE. */
status_t user_thread_start(struct user_thread *thread, vaddr_t entry, vaddr_t stack, uint64_t arg1,
                           uint64_t arg2);
/* The end of the calling thread. */
void user_thread_exit(void) NORETURN;

/*
 * A thread that is suspended stops here until it is not, or is killed: on its way to user
 * mode, and in a wait that cannot be begun again. Of the current thread.
 */
void user_thread_stop(struct user_thread *self);
/*
 * Read or write a register set (arch/context.h) of a thread that is suspended or in an
 * exception; `set` is kernel memory. ERR_BAD_STATE if it is neither, ERR_INVALID_ARGS.
 */
status_t user_thread_read_registers(struct user_thread *thread, uint32_t kind, void *set);
status_t user_thread_write_registers(struct user_thread *thread, uint32_t kind, const void *set);

/* For suspend_token.c: its suspensions, or its process's, have changed. */
void user_thread_update_locked(struct user_thread *thread) REQUIRES(thread->process->lock);
/* For process.c: under process->lock, a NEW thread with its start set begins to run. */
void user_thread_launch_locked(struct user_thread *thread) REQUIRES(thread->process->lock);
