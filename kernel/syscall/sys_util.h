/*
 * sys_util.h - what nearly every sys_ function does with handles.
 */
#pragma once

#include "object/policy.h"
#include "syscall/syscalls.h"
#include "vm/user_copy.h"

ALWAYS_INLINE struct handle_table *sys_table(void) { return &process_current()->handles; }

/*
 * The caller's handle, looked up in the documented order; type 0 is any. A
 * reference to the object is the caller's.
 */
ALWAYS_INLINE status_t sys_lookup(uint32_t value, uint32_t type, rights_t needed,
                                  struct waitable **out_object) {
    struct found found = handle_table_look_up(sys_table(), value, type, needed);

    if (unlikely(found.status != OK))
        return policy_lookup_failed(found.status);
    *out_object = found.object;
    return OK;
}
/* The same, telling all rights of the handle. */
status_t sys_lookup_rights(uint32_t value, uint32_t type, rights_t needed,
                           struct waitable **out_object, rights_t *out_rights);
/* What is left of sys_publish when the quick way did not do, for the reason `status`. */
status_t sys_publish_otherwise(struct user_out to, struct handle handle, status_t status) COLD;
/*
 * Give new handles to the caller: reserve a value, copy it out, make it valid. The
 * handles are consumed on every outcome; on failure none is in the table.
 */
ALWAYS_INLINE status_t sys_publish(struct user_out to, struct handle handle) {
    status_t status = handle_table_give(sys_table(), handle, to);

    return likely(status == OK) ? OK : sys_publish_otherwise(to, handle, status);
}
status_t sys_publish_two(struct user_out to_a, struct handle a, struct user_out to_b,
                         struct handle b);
/* The same for a new object, whose reference is consumed, with its type's rights. */
ALWAYS_INLINE status_t sys_publish_new(struct user_out to, struct waitable *object) {
    return sys_publish(to, handle_adopt(object, object->ops->default_rights));
}
status_t sys_publish_new_two(struct user_out to_a, struct waitable *a, struct user_out to_b,
                             struct waitable *b);
/* Close all handles of a user's array as far as it can be read. */
void sys_consume_handles(struct user_in values, size_t count);
/*
 * Close each; true if all were handles (ZX_HANDLE_INVALID is skipped, and counts as
 * one). ERR_INVALID_ARGS when the array ends in memory that can't be read.
 */
status_t sys_close_handles(struct user_in values, size_t count, bool *out_all_good);
