/*
 * job_policy.h - what a job says its processes may do: one action for each condition.
 *
 * A job inherits its parent's policy when it is made, a process its job's. An entry
 * that was set for good (by the first version, or with OVERRIDE_DENY) is kept by all
 * below; one that may be overridden, or was never set, is free to be set. All zero is
 * the policy that allows everything.
 */
#pragma once

#include <zircon/syscalls/policy.h>

#include "lib/types.h"

struct job_policy {
    uint8_t action[ZX_POL_MAX]; /* ZX_POL_ACTION_ */
    uint32_t fixed;             /* conditions that were set for good */
    uint32_t slack_mode;        /* ZX_TIMER_SLACK_ of timers that do not say */
    nstime_t min_slack;         /* of every timer */
};

/*
 * Set entries, all or none of them: ERR_OUT_OF_RANGE (more than there are conditions),
 * ERR_INVALID_ARGS (condition, flags), ERR_NOT_SUPPORTED (action), ERR_ALREADY_EXISTS (one is
 * set otherwise for good, and `absolute`; else it is left as it is).
 */
status_t job_policy_add(struct job_policy *policy, bool absolute,
                        const zx_policy_basic_v2_t *entries, uint32_t count);
/* Never less slack than before. ERR_INVALID_ARGS. */
status_t job_policy_add_slack(struct job_policy *policy, const zx_policy_timer_slack_t *slack);
/* The conditions that are not simply allowed, as bits. */
uint32_t job_policy_conditions(const struct job_policy *policy);
