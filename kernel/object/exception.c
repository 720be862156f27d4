/*
 * exception.c - exceptions on their way through the handlers.
 *
 * An exception of the processor, or of a policy, is offered in this order: the process's
 * debugger; the thread's handler; the process's; the debugger once more, if it asked
 * for a second chance; the job's, its parent's, and so on up to the root. Each gets an
 * object (exception_object.h) in a message, and the thread waits for the end of the
 * object. Where nobody is, or he says "try next", the next is asked. When all have been,
 * the process ends, with a report in the log.
 *
 * What the kernel tells of its own accord (a thread starts or ends, a process starts) goes
 * to one debugger only, and what he answers does not matter.
 *
 * All that a handler and the thread both touch is under the process's lock: so whoever
 * holds it, and sees the thread parked here, may read and write its registers.
 */
#include "object/exception.h"

#include <zircon/syscalls/exception.h>
#include <zircon/types.h>

#include "arch/upcall.h"
#include "lib/string.h"
#include "object/crash_report.h"
#include "object/exception_object.h"
#include "sched/kill_point.h"

enum outcome {
    OUTCOME_ABSENT, /* nobody there, or he does not want it */
    OUTCOME_HANDLED,
    OUTCOME_THREAD_EXIT,
    OUTCOME_KILLED,
    OUTCOME_NO_MEMORY,
};

/* ---- One handler ---- */

/* NULL: no memory. */
static struct message *make_message(struct exception_object *exception, uint32_t type) {
    const zx_exception_info_t info = {
        .pid = exception->thread->process->base.koid,
        .tid = exception->thread->base.koid,
        .type = type,
    };
    struct message *message = message_create(sizeof(info), 1);
    size_t run;

    if (!message)
        return NULL;
    memcpy(message_bytes(message, 0, &run), &info, sizeof(info));
    message->handles[0] = handle_make(&exception->base, ZX_DEFAULT_EXCEPTION_RIGHTS);
    return message;
}

/* The thread waits for the end of `exception`; not if it is killed. */
static bool wait_begin(struct user_thread *self, struct exception_wait *wait,
                       struct exception_object *exception) {
    MUTEX_GUARD(&self->process->lock);

    if (thread_is_killed(&self->thread))
        return false;
    park_prepare(&wait->parker);
    wait->channel_type = exception->channel_type;
    wait->state = ZX_EXCEPTION_STATE_TRY_NEXT;
    exception->wait = wait;
    self->exception = wait;
    return true;
}

static void wait_abandon(struct exception_object *exception) {
    MUTEX_GUARD(&exception->thread->process->lock);

    exception->wait = NULL;
}

static void wait_end(struct user_thread *self) {
    MUTEX_GUARD(&self->process->lock);

    self->exception = NULL;
}

static enum outcome outcome_of(const struct exception_wait *wait) {
    switch (wait->state) {
    case ZX_EXCEPTION_STATE_THREAD_EXIT: return OUTCOME_THREAD_EXIT;
    case ZX_EXCEPTION_STATE_HANDLED: return OUTCOME_HANDLED;
    default: return OUTCOME_ABSENT;
    }
}

/* The message is sent; what can't be sent is closed, which is an answer too. */
static enum outcome ask(struct user_thread *self, struct exception_wait *wait,
                        struct exception_object *exception, struct channel *end,
                        struct message *message) {
    if (!wait_begin(self, wait, exception)) {
        message_destroy(message);
        return OUTCOME_KILLED;
    }
    if (channel_write(end, message) != OK)
        message_destroy(message);
    if (thread_park(&wait->parker, TIME_INFINITE, PARK_KILL_ONLY, BLOCK_EXCEPTION) != OK) {
        wait_abandon(exception);
        return OUTCOME_KILLED;
    }
    return outcome_of(wait);
}

struct handler {
    struct exception_slot *slot;
    struct waitable *task;
    uint32_t channel_type;
};

static enum outcome offer(struct user_thread *self, struct exception_wait *wait,
                          struct handler handler) {
    AUTO(exception_object) exception = NULL;
    struct message *message = NULL;
    rights_t rights;
    struct channel *end = exception_slot_get(handler.slot, handler.task, &rights);

    if (!end)
        return OUTCOME_ABSENT;
    status_t status = exception_create(self, handler.channel_type, rights, &exception);
    if (status == OK)
        message = make_message(exception, wait->report->header.type);
    enum outcome outcome =
        message ? ask(self, wait, exception, end, message) : OUTCOME_NO_MEMORY;
    waitable_unref(&end->end.base);
    return outcome;
}

/* ---- The way through the handlers ---- */

static struct handler debugger_of(struct process *process) {
    return (struct handler){&process->debugger, &process->base,
                            ZX_EXCEPTION_CHANNEL_TYPE_DEBUGGER};
}

static enum outcome offer_to_jobs(struct user_thread *self, struct exception_wait *wait) {
    enum outcome outcome = OUTCOME_ABSENT;

    for (struct job *job = self->process->job; job && outcome == OUTCOME_ABSENT;
         job = job->parent)
        outcome = offer(self, wait,
                        (struct handler){&job->handler, &job->base,
                                         ZX_EXCEPTION_CHANNEL_TYPE_JOB});
    return outcome;
}

static enum outcome offer_to_all(struct user_thread *self, struct exception_wait *wait) {
    struct process *process = self->process;
    const struct handler thread_handler = {&self->handler, &self->base,
                                           ZX_EXCEPTION_CHANNEL_TYPE_THREAD};
    const struct handler process_handler = {&process->handler, &process->base,
                                            ZX_EXCEPTION_CHANNEL_TYPE_PROCESS};

    enum outcome outcome = offer(self, wait, debugger_of(process));
    bool second_chance = wait->strategy == ZX_EXCEPTION_STRATEGY_SECOND_CHANCE;
    if (outcome == OUTCOME_ABSENT)
        outcome = offer(self, wait, thread_handler);
    if (outcome == OUTCOME_ABSENT)
        outcome = offer(self, wait, process_handler);
    if (outcome == OUTCOME_ABSENT && second_chance)
        outcome = offer(self, wait, debugger_of(process));
    if (outcome == OUTCOME_ABSENT)
        outcome = offer_to_jobs(self, wait);
    return outcome;
}

static enum outcome deliver(struct user_thread *self, const zx_exception_report_v2_t *report) {
    struct exception_wait wait = {.report = report};
    enum outcome outcome = offer_to_all(self, &wait);

    wait_end(self);
    return outcome;
}

/* ---- Exceptions of the processor ---- */

void upcall_exception(const struct exception *exception) {
    struct user_thread *self = user_thread_current();
    const zx_exception_report_v2_t report = {
        .header = {sizeof(report), exception->type},
        .context.arch.u.x86_64 = {exception->vector, exception->error_code,
                                  exception->fault_address},
        .synth_code = exception->synth_code,
    };

    kill_point("exception", &self->thread);
    switch (deliver(self, &report)) {
    case OUTCOME_HANDLED:
        return;
    case OUTCOME_KILLED:
    case OUTCOME_THREAD_EXIT:
        user_thread_exit();
    default:
        break;
    }
    if (!thread_is_killed(thread_current()))
        crash_report(exception->name, exception);
    process_exit(ZX_TASK_RETCODE_EXCEPTION_KILL);
}

void upcall_forbidden_syscall(const struct user_frame *frame) {
    struct exception exception = {.frame = frame, .type = ZX_EXCP_GENERAL};

    crash_report("SYSCALL from outside the vDSO", &exception);
    process_exit(ZX_TASK_RETCODE_VDSO_KILL);
}

/* ---- Exceptions of the kernel's making ---- */

status_t exception_policy(uint32_t code, uint32_t data) {
    struct user_thread *self = user_thread_current();
    const zx_exception_report_v2_t report = {
        .header = {sizeof(report), ZX_EXCP_POLICY_ERROR},
        .synth_code = code,
        .synth_data = data,
    };

    switch (deliver(self, &report)) {
    case OUTCOME_HANDLED:
        thread_set_pending(&self->thread, THREAD_PENDING_LONG_WAY); /* registers were changed */
        return OK;
    case OUTCOME_THREAD_EXIT:
        thread_set_pending(&self->thread, THREAD_PENDING_KILL);
        return ERR_INTERNAL_KILLED;
    case OUTCOME_KILLED:
        return ERR_INTERNAL_KILLED;
    default:
        process_kill(self->process, ZX_TASK_RETCODE_EXCEPTION_KILL);
        return ERR_INTERNAL_KILLED;
    }
}

/* One debugger, whose answer does not matter. */
static void tell(struct user_thread *self, struct handler handler, uint32_t type) {
    const zx_exception_report_v2_t report = {.header = {sizeof(report), type}};
    struct exception_wait wait = {.report = &report};

    (void)offer(self, &wait, handler);
    wait_end(self);
}

static struct job *watching_job(const struct process *process) {
    for (struct job *job = process->job; job; job = job->parent)
        if (exception_slot_is_used(&job->debugger) &&
            exception_slot_is_live(&job->debugger, &job->base))
            return job;
    return NULL;
}

void exception_report_start(struct user_thread *self) {
    struct process *process = self->process;
    struct job *job = self->is_first ? watching_job(process) : NULL;

    if (job)
        tell(self,
             (struct handler){&job->debugger, &job->base, ZX_EXCEPTION_CHANNEL_TYPE_JOB_DEBUGGER},
             ZX_EXCP_PROCESS_STARTING);
    tell(self, debugger_of(process), ZX_EXCP_THREAD_STARTING);
}

/* A thread that is killed tells, but does not wait. */
static void tell_killed(struct user_thread *self, struct handler handler, uint32_t type) {
    AUTO(exception_object) exception = NULL;
    struct message *message = NULL;
    rights_t rights;
    struct channel *end = exception_slot_get(handler.slot, handler.task, &rights);

    if (!end)
        return;
    status_t status = exception_create(self, handler.channel_type, rights, &exception);
    if (status == OK)
        message = make_message(exception, type);
    if (message && channel_write(end, message) != OK)
        message_destroy(message);
    waitable_unref(&end->end.base);
}

void exception_report_end_to(struct user_thread *self) {
    struct process *process = self->process;

    if (thread_is_killed(&self->thread))
        tell_killed(self, debugger_of(process), ZX_EXCP_THREAD_EXITING);
    else
        tell(self, debugger_of(process), ZX_EXCP_THREAD_EXITING);
}

/* ---- Binding ---- */

status_t exception_bind_thread(struct user_thread *thread, struct exception_binding *binding,
                               rights_t rights) {
    MUTEX_GUARD(&thread->process->lock);

    if (thread->state == USER_THREAD_DEAD || thread_is_killed(&thread->thread) ||
        thread->process->state >= PROCESS_DYING)
        return ERR_BAD_STATE;
    return exception_slot_bind(&thread->handler, &thread->base, binding, rights);
}

status_t exception_bind_process(struct process *process, bool is_debugger,
                                struct exception_binding *binding, rights_t rights) {
    struct exception_slot *slot = is_debugger ? &process->debugger : &process->handler;
    MUTEX_GUARD(&process->lock);

    if (process->state >= PROCESS_DYING)
        return ERR_BAD_STATE;
    return exception_slot_bind(slot, &process->base, binding, rights);
}
