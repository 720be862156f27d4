/*
 * sys_profile.c - profiles.
 */
#include "object/profile.h"
#include "syscall/sys_util.h"

static status_t check_root_job(uint32_t handle) {
    AUTO(waitable) object = NULL;

    status_t status = sys_lookup(handle, ZX_OBJ_TYPE_JOB, ZX_RIGHT_MANAGE_PROCESS, &object);
    if (status != OK)
        return status;
    return job_from(object) == job_root() ? OK : ERR_ACCESS_DENIED;
}

status_t sys_profile_create(uint32_t root_job, uint32_t options, struct user_in info,
                            struct user_out out) {
    struct profile *profile;
    zx_profile_info_t copy;

    status_t status = policy_check(ZX_POL_NEW_PROFILE);
    if (status != OK)
        return status;
    if (options != 0)
        return ERR_INVALID_ARGS;
    status = check_root_job(root_job);
    if (status == OK)
        status = user_copy_in(&copy, info, sizeof(copy));
    if (status == OK)
        status = profile_create(&copy, &profile);
    return status != OK ? status : sys_publish_new(out, &profile->base);
}

status_t sys_object_set_profile(uint32_t handle, uint32_t profile, uint32_t options) {
    AUTO(waitable) thread_object = NULL;
    AUTO(waitable) profile_object = NULL;

    if (options != 0)
        return ERR_INVALID_ARGS;
    status_t status =
        sys_lookup(handle, ZX_OBJ_TYPE_THREAD, ZX_RIGHT_MANAGE_THREAD, &thread_object);
    if (status == OK)
        status = sys_lookup(profile, ZX_OBJ_TYPE_PROFILE, ZX_RIGHT_APPLY_PROFILE, &profile_object);
    if (status != OK)
        return status;
    return profile_apply(profile_from(profile_object), user_thread_from(thread_object));
}
