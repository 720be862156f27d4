/*
 * policy.h - asking the calling process's policy, in the place of a call's order of
 * checks where the documents have it.
 *
 * Nearly every process may do everything, which costs a load and a test.
 */
#pragma once

#include "object/user_thread.h"

/* What a condition that is not simply allowed leads to; see policy_check. */
status_t policy_enforce(uint32_t condition) COLD;
/* The same for a status of a lookup; others than the two are returned as they are. */
status_t policy_enforce_lookup(status_t status) COLD;

/*
 * OK: go on. Else the call's result: ERR_ACCESS_DENIED, or ERR_INTERNAL_KILLED for a thread
 * that will end on its way back to user mode. No lock held.
 */
ALWAYS_INLINE status_t policy_check(uint32_t condition) {
    if (likely(!(process_current()->policed >> condition & 1)))
        return OK;
    return policy_enforce(condition);
}
/* The result of a call that failed with ERR_BAD_HANDLE or ERR_WRONG_TYPE, or otherwise. */
ALWAYS_INLINE status_t policy_lookup_failed(status_t status) {
    if (likely(process_current()->policed == 0))
        return status;
    return policy_enforce_lookup(status);
}
