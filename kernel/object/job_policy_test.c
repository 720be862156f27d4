/*
 * job_policy_test.c - which entries may be set, and what several for one condition give.
 */
#include "object/job_policy.h"

#include "lib/ktest.h"

static status_t add(struct job_policy *policy, bool absolute, uint32_t condition, uint32_t action,
                    uint32_t flags) {
    const zx_policy_basic_v2_t entry = {condition, action, flags};

    return job_policy_add(policy, absolute, &entry, 1);
}

KTEST_QUICK(job_policy, what_is_set_for_good_stays) {
    struct job_policy policy = {};

    EXPECT_EQ(OK, add(&policy, true, ZX_POL_NEW_VMO, ZX_POL_ACTION_DENY, ZX_POL_OVERRIDE_DENY));
    EXPECT_EQ(ERR_ALREADY_EXISTS, add(&policy, true, ZX_POL_NEW_VMO, ZX_POL_ACTION_ALLOW, 0));
    EXPECT_EQ(OK, add(&policy, false, ZX_POL_NEW_VMO, ZX_POL_ACTION_KILL, 0));
    EXPECT_EQ(OK, add(&policy, true, ZX_POL_NEW_VMO, ZX_POL_ACTION_DENY, 0));
    EXPECT_EQ(ZX_POL_ACTION_DENY, policy.action[ZX_POL_NEW_VMO]);
    EXPECT_EQ(ERR_ALREADY_EXISTS, add(&policy, true, ZX_POL_NEW_ANY, ZX_POL_ACTION_KILL, 0));
    EXPECT_EQ(ZX_POL_ACTION_ALLOW, policy.action[ZX_POL_NEW_PORT]);
    EXPECT_EQ(OK, add(&policy, false, ZX_POL_NEW_ANY, ZX_POL_ACTION_KILL, 0));
    EXPECT_EQ(ZX_POL_ACTION_KILL, policy.action[ZX_POL_NEW_PORT]);
    EXPECT_EQ(ZX_POL_ACTION_KILL, policy.action[ZX_POL_NEW_PAGER]);
    EXPECT_EQ(ZX_POL_ACTION_DENY, policy.action[ZX_POL_NEW_VMO]);
    EXPECT_EQ(ZX_POL_ACTION_ALLOW, policy.action[ZX_POL_AMBIENT_MARK_VMO_EXEC]);
    EXPECT_EQ(ZX_POL_ACTION_ALLOW, policy.action[ZX_POL_VMAR_WX]);
    EXPECT_EQ(OK, add(&policy, true, ZX_POL_NEW_PORT, ZX_POL_ACTION_ALLOW, 0)); /* was not */
    EXPECT(!(job_policy_conditions(&policy) >> ZX_POL_NEW_PORT & 1));
    EXPECT(job_policy_conditions(&policy) >> ZX_POL_NEW_VMO & 1);
}

KTEST_QUICK(job_policy, a_later_entry_refines_any_and_equals_are_ored) {
    static const zx_policy_basic_v2_t refined[] = {
        {ZX_POL_NEW_ANY, ZX_POL_ACTION_KILL, ZX_POL_OVERRIDE_DENY},
        {ZX_POL_NEW_EVENT, ZX_POL_ACTION_ALLOW, ZX_POL_OVERRIDE_ALLOW},
        {ZX_POL_BAD_HANDLE, ZX_POL_ACTION_DENY, 0},
        {ZX_POL_BAD_HANDLE, ZX_POL_ACTION_ALLOW_EXCEPTION, 0},
    };
    struct job_policy policy = {};

    EXPECT_EQ(OK, job_policy_add(&policy, true, refined, ARRAY_SIZE(refined)));
    EXPECT_EQ(ZX_POL_ACTION_ALLOW, policy.action[ZX_POL_NEW_EVENT]);
    EXPECT_EQ(ZX_POL_ACTION_KILL, policy.action[ZX_POL_NEW_FIFO]);
    EXPECT_EQ(ZX_POL_ACTION_DENY_EXCEPTION, policy.action[ZX_POL_BAD_HANDLE]);
    EXPECT(!(policy.fixed >> ZX_POL_NEW_EVENT & 1));
    EXPECT(policy.fixed >> ZX_POL_NEW_FIFO & 1);
}

KTEST_QUICK(job_policy, a_wrong_entry_leaves_all_as_it_was) {
    zx_policy_basic_v2_t entries[ZX_POL_MAX + 1] = {{ZX_POL_NEW_VMO, ZX_POL_ACTION_DENY, 1}};
    const zx_policy_timer_slack_t wrong = {.min_slack = -1};
    const zx_policy_timer_slack_t less = {.min_slack = 5, .default_mode = 1};
    struct job_policy policy = {.min_slack = 10};

    EXPECT_EQ(ERR_OUT_OF_RANGE, job_policy_add(&policy, true, entries, ARRAY_SIZE(entries)));
    entries[1] = (zx_policy_basic_v2_t){ZX_POL_MAX, 0, 0};
    EXPECT_EQ(ERR_INVALID_ARGS, job_policy_add(&policy, true, entries, 2));
    entries[1] = (zx_policy_basic_v2_t){0, 0, 2};
    EXPECT_EQ(ERR_INVALID_ARGS, job_policy_add(&policy, true, entries, 2));
    entries[1] = (zx_policy_basic_v2_t){0, 5, 0};
    EXPECT_EQ(ERR_NOT_SUPPORTED, job_policy_add(&policy, false, entries, 2));
    EXPECT_EQ(0, job_policy_conditions(&policy));
    EXPECT_EQ(0, policy.fixed);
    EXPECT_EQ(ERR_INVALID_ARGS, job_policy_add_slack(&policy, &wrong));
    EXPECT_EQ(OK, job_policy_add_slack(&policy, &less));
    EXPECT_EQ(10, policy.min_slack);
    EXPECT_EQ(1, policy.slack_mode);
}
