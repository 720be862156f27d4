/*
 * exception.h - who is asked when a thread can't go on, and what the kernel itself tells.
 */
#pragma once

#include "object/user_thread.h"

/*
 * For a system call of the current thread that its job's policy forbids, or that breaks
 * the kernel's limits: a ZX_EXCP_POLICY_ERROR with this ZX_EXCP_POLICY_CODE_* goes to
 * the handlers, and the caller waits. OK: one has handled it, the call may go on.
 * ERR_INTERNAL_KILLED: the thread ends on its way back to user mode, so that the call
 * only has to let go of what it holds. No lock held.
 */
status_t exception_policy(uint32_t code, uint32_t data);

/* The slots of tasks; jobs have job_bind_exceptions. ERR_BAD_STATE if it is dying or dead. */
status_t exception_bind_thread(struct user_thread *thread, struct exception_binding *binding,
                               rights_t rights);
status_t exception_bind_process(struct process *process, bool is_debugger,
                                struct exception_binding *binding, rights_t rights);

/* The current thread is new: its debugger, and for the first one its job's, hear of it. */
void exception_report_start(struct user_thread *self) COLD;
/* Whether there is anybody to hear of it. */
ALWAYS_INLINE bool exception_start_is_watched(const struct user_thread *self) {
    bool watched = exception_slot_is_used(&self->process->debugger);

    for (struct job *job = self->process->job; self->is_first && job; job = job->parent)
        watched |= exception_slot_is_used(&job->debugger);
    return watched;
}
/* The current thread ends: its debugger may look at it for the last time. */
void exception_report_end_to(struct user_thread *self) COLD;
ALWAYS_INLINE void exception_report_end(struct user_thread *self) {
    if (unlikely(exception_slot_is_used(&self->process->debugger)))
        exception_report_end_to(self);
}
