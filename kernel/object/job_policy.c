/*
 * job_policy.c - setting the entries of a policy; see job_policy.h.
 *
 * All entries of one call are judged by the policy as it was before. NEW_ANY stands for
 * each NEW_ condition; a specific entry after it says otherwise for its condition. Two
 * specific entries for one condition are ORed, which gives the stricter action.
 */
#include "object/job_policy.h"

#define BIT(condition)  (1u << (condition))
/* NEW_VMO and all that follow, without the one that marks memory as executable. */
#define NEW_CONDITIONS  ((BIT(ZX_POL_AMBIENT_MARK_VMO_EXEC) - 1) & ~(BIT(ZX_POL_NEW_ANY) - 1))

/* What the entries of one call add up to. */
struct addition {
    const struct job_policy *before;
    bool absolute;
    uint32_t set;      /* conditions that get a new action */
    uint32_t from_any; /* of these, those that have it from NEW_ANY alone */
    uint32_t fixed;
    uint8_t action[ZX_POL_MAX];
};

static uint8_t both_actions(uint8_t a, uint8_t b) {
    uint8_t both = a | b;

    return both > ZX_POL_ACTION_KILL ? ZX_POL_ACTION_KILL : both;
}

static status_t add_one(struct addition *addition, uint32_t condition,
                        const zx_policy_basic_v2_t *entry) {
    uint8_t action = (uint8_t)entry->action;
    bool is_any = entry->condition == ZX_POL_NEW_ANY;

    if (addition->before->fixed & BIT(condition)) {
        bool same = addition->before->action[condition] == action;
        return same || !addition->absolute ? OK : ERR_ALREADY_EXISTS;
    }
    bool refines = !is_any && (addition->from_any & BIT(condition));
    if ((addition->set & BIT(condition)) && !refines)
        action = both_actions(addition->action[condition], action);
    if (refines || !(addition->set & BIT(condition)))
        addition->fixed &= ~BIT(condition);
    if (entry->flags == ZX_POL_OVERRIDE_DENY)
        addition->fixed |= BIT(condition);
    if (refines)
        addition->from_any &= ~BIT(condition);
    else if (is_any && !(addition->set & BIT(condition)))
        addition->from_any |= BIT(condition);
    addition->set |= BIT(condition);
    addition->action[condition] = action;
    return OK;
}

static status_t add_entry(struct addition *addition, const zx_policy_basic_v2_t *entry) {
    if (entry->condition >= ZX_POL_MAX || entry->flags > ZX_POL_OVERRIDE_DENY)
        return ERR_INVALID_ARGS;
    if (entry->action > ZX_POL_ACTION_KILL)
        return ERR_NOT_SUPPORTED;
    uint32_t conditions =
        entry->condition == ZX_POL_NEW_ANY ? NEW_CONDITIONS : BIT(entry->condition);
    for (uint32_t condition = 0; condition < ZX_POL_MAX; condition++) {
        if (!(conditions & BIT(condition)))
            continue;
        status_t status = add_one(addition, condition, entry);
        if (status != OK)
            return status;
    }
    return OK;
}

status_t job_policy_add(struct job_policy *policy, bool absolute,
                        const zx_policy_basic_v2_t *entries, uint32_t count) {
    struct addition addition = {.before = policy, .absolute = absolute};

    if (count > ZX_POL_MAX)
        return ERR_OUT_OF_RANGE;
    for (uint32_t i = 0; i < count; i++) {
        status_t status = add_entry(&addition, &entries[i]);
        if (status != OK)
            return status;
    }
    for (uint32_t condition = 0; condition < ZX_POL_MAX; condition++)
        if (addition.set & BIT(condition))
            policy->action[condition] = addition.action[condition];
    policy->fixed |= addition.fixed;
    return OK;
}

status_t job_policy_add_slack(struct job_policy *policy, const zx_policy_timer_slack_t *slack) {
    if (slack->min_slack < 0 || slack->default_mode > 2)
        return ERR_INVALID_ARGS;
    policy->min_slack = MAX(policy->min_slack, slack->min_slack);
    policy->slack_mode = slack->default_mode;
    return OK;
}

uint32_t job_policy_conditions(const struct job_policy *policy) {
    uint32_t conditions = 0;

    for (uint32_t condition = 0; condition < ZX_POL_MAX; condition++)
        if (policy->action[condition] != ZX_POL_ACTION_ALLOW)
            conditions |= BIT(condition);
    return conditions;
}
