/*
 * policy.c - what happens to a call that its process's policy does not simply allow.
 */
#include "object/policy.h"

#include <zircon/syscalls/exception.h>
#include <zircon/types.h>

#include "lib/log.h"

/*
 * Tell the handlers of exceptions, and wait for one that lets the call go on. There is
 * nobody yet who could, and an exception that nobody handles ends its process.
 */
static status_t policy_exception(uint32_t condition) {
    struct user_thread *thread = user_thread_current();
    struct process *process = thread->process;

    log_error("crash: process %s (%lu), thread %s (%lu): policy error %u", process->name,
              process->base.koid, thread->name, thread->base.koid, condition);
    process_kill(process, ZX_TASK_RETCODE_EXCEPTION_KILL);
    return ERR_INTERNAL_KILLED;
}

status_t policy_enforce(uint32_t condition) {
    struct process *process = process_current();
    status_t status;

    switch (process->policy.action[condition]) {
    case ZX_POL_ACTION_ALLOW_EXCEPTION:
        return policy_exception(condition);
    case ZX_POL_ACTION_DENY_EXCEPTION:
        status = policy_exception(condition);
        return status != OK ? status : ERR_ACCESS_DENIED;
    case ZX_POL_ACTION_KILL:
        process_kill(process, ZX_TASK_RETCODE_POLICY_KILL);
        return ERR_INTERNAL_KILLED;
    case ZX_POL_ACTION_DENY:
        return ERR_ACCESS_DENIED;
    default:
        return OK;
    }
}

/* A bad handle that is denied is still a bad handle. */
status_t policy_enforce_lookup(status_t status) {
    if (status != ERR_BAD_HANDLE && status != ERR_WRONG_TYPE)
        return status;
    bool is_bad = status == ERR_BAD_HANDLE;
    status_t verdict = policy_check(is_bad ? ZX_POL_BAD_HANDLE : ZX_POL_WRONG_OBJECT);
    return verdict == OK || (is_bad && verdict == ERR_ACCESS_DENIED) ? status : verdict;
}
