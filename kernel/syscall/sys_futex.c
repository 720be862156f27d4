/*
 * sys_futex.c - futexes.
 */
#include "object/futex.h"
#include "syscall/sys_util.h"

static status_t check_owner(const struct user_thread *owner, bool caller_waits) {
    if (caller_waits && owner == user_thread_current())
        return ERR_INVALID_ARGS;
    return owner->process == process_current() ? OK : ERR_INVALID_ARGS;
}

/*
 * *out_object keeps the owner alive while the call lasts. A value that does not match
 * hides all that is wrong with the owner, so no policy is asked yet.
 */
static struct futex_owner owner_find(uint32_t value, bool caller_waits,
                                     struct waitable **out_object) {
    struct futex_owner owner = {OK, NULL};

    if (value == ZX_HANDLE_INVALID)
        return owner;
    struct found found = handle_table_look_up(sys_table(), value, ZX_OBJ_TYPE_THREAD, 0);
    owner.status = found.status;
    if (owner.status != OK)
        return owner;
    *out_object = found.object;
    owner.thread = user_thread_from(found.object);
    owner.status = check_owner(owner.thread, caller_waits);
    return owner;
}

status_t sys_futex_wait(struct user_in value_ptr, int32_t current_value,
                        uint32_t new_futex_owner, int64_t deadline) {
    AUTO(waitable) object = NULL;
    struct futex_owner owner = owner_find(new_futex_owner, true, &object);

    status_t status = futex_wait(process_current()->futexes, value_ptr.address,
                                 (uint32_t)current_value, owner, deadline);
    return likely(status == OK) ? OK : policy_lookup_failed(status);
}

status_t sys_futex_wake(struct user_in value_ptr, uint32_t wake_count) {
    return futex_wake(process_current()->futexes, value_ptr.address, wake_count);
}

status_t sys_futex_wake_single_owner(struct user_in value_ptr) {
    return futex_wake_single_owner(process_current()->futexes, value_ptr.address);
}

static status_t do_requeue(struct futex_requeue *requeue, uint32_t new_requeue_owner) {
    AUTO(waitable) object = NULL;

    requeue->owner = owner_find(new_requeue_owner, false, &object);
    status_t status = futex_requeue(process_current()->futexes, requeue);
    return likely(status == OK) ? OK : policy_lookup_failed(status);
}

status_t sys_futex_requeue(struct user_in value_ptr, uint32_t wake_count, int32_t current_value,
                           struct user_in requeue_ptr, uint32_t requeue_count,
                           uint32_t new_requeue_owner) {
    struct futex_requeue requeue = {.from = value_ptr.address,
                                    .to = requeue_ptr.address,
                                    .expected = (uint32_t)current_value,
                                    .wake_count = wake_count,
                                    .move_count = requeue_count};

    return do_requeue(&requeue, new_requeue_owner);
}

status_t sys_futex_requeue_single_owner(struct user_in value_ptr, int32_t current_value,
                                        struct user_in requeue_ptr, uint32_t requeue_count,
                                        uint32_t new_requeue_owner) {
    struct futex_requeue requeue = {.from = value_ptr.address,
                                    .to = requeue_ptr.address,
                                    .expected = (uint32_t)current_value,
                                    .wake_count = 1,
                                    .move_count = requeue_count,
                                    .wake_owns = true};

    return do_requeue(&requeue, new_requeue_owner);
}

status_t sys_futex_get_owner(struct user_in value_ptr, struct user_out koid) {
    uint64_t owner;

    status_t status = futex_get_owner(process_current()->futexes, value_ptr.address, &owner);
    return status != OK ? status : user_copy_out_u64(koid, owner);
}
