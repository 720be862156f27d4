/*
 * sys_handle.c - closing, duplicating, replacing handles.
 */
#include "syscall/sys_util.h"

status_t sys_handle_close(uint32_t handle) {
    if (handle == ZX_HANDLE_INVALID)
        return OK;
    struct waitable *object = handle_table_take(sys_table(), handle).object;
    if (unlikely(!object))
        return policy_lookup_failed(ERR_BAD_HANDLE);
    waitable_release_handle(object);
    return OK;
}

status_t sys_handle_close_many(struct user_in handles, uint64_t num_handles) {
    bool all_good;

    status_t status = sys_close_handles(handles, num_handles, &all_good);
    if (status != OK)
        return status;
    return all_good ? OK : policy_lookup_failed(ERR_BAD_HANDLE);
}

status_t sys_handle_duplicate(uint32_t handle, uint32_t rights, struct user_out out) {
    struct handle copy;

    status_t status = handle_table_duplicate(sys_table(), handle, rights, &copy);
    return status != OK ? policy_lookup_failed(status) : sys_publish(out, copy);
}

status_t sys_handle_replace(uint32_t handle, uint32_t rights, struct user_out out) {
    struct handle taken;

    status_t status = handle_table_remove(sys_table(), handle, &taken);
    if (status != OK)
        return policy_lookup_failed(status);
    if (rights == ZX_RIGHT_SAME_RIGHTS)
        rights = taken.rights;
    if (!rights_are_subset(rights, taken.rights)) {
        handle_release(&taken);
        return ERR_INVALID_ARGS;
    }
    taken.rights = rights;
    return sys_publish(out, taken);
}
