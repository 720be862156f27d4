/*
 * policy.c - what happens to a call that its process's policy does not simply allow.
 */
#include "object/policy.h"

#include <zircon/types.h>

#include "object/exception.h"

status_t policy_enforce(uint32_t condition) {
    struct process *process = process_current();
    status_t status;

    switch (process->policy.action[condition]) {
    case ZX_POL_ACTION_ALLOW_EXCEPTION:
        return exception_policy(condition, 0); /* conditions and codes are the same numbers */
    case ZX_POL_ACTION_DENY_EXCEPTION:
        status = exception_policy(condition, 0);
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
