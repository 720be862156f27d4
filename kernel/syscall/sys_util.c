/*
 * sys_util.c - handles in and out of the caller's table.
 */
#include "syscall/sys_util.h"

#include "sched/kill_point.h"

status_t sys_lookup_rights(uint32_t value, uint32_t type, rights_t needed,
                           struct waitable **out_object, rights_t *out_rights) {
    status_t status =
        handle_table_get(sys_table(), value, type, needed, out_object, out_rights);

    return likely(status == OK) ? OK : policy_lookup_failed(status);
}

/* Where the user's page must be brought first: reserve, copy, publish. */
static status_t publish_in_steps(struct handle_table *table, struct user_out to,
                                 struct handle handle) {
    uint32_t value;

    status_t status = handle_table_reserve(table, 1, &value);
    if (status != OK)
        return status;
    status = user_copy_out_u32(to, value);
    if (status == OK)
        handle_table_publish(table, value, handle);
    else
        handle_table_cancel(table, value);
    return status;
}

status_t sys_publish_otherwise(struct user_out to, struct handle handle, status_t status) {
    if (status == ERR_INTERNAL_RETRY)
        status = publish_in_steps(sys_table(), to, handle);
    if (status != OK)
        handle_release(&handle);
    return status;
}

static status_t copy_out_two(struct user_out to_a, struct user_out to_b,
                             const uint32_t values[2]) {
    status_t status = user_copy_out_u32(to_a, values[0]);

    return status != OK ? status : user_copy_out_u32(to_b, values[1]);
}

status_t sys_publish_two(struct user_out to_a, struct handle a, struct user_out to_b,
                         struct handle b) {
    struct handle_table *table = sys_table();
    uint32_t values[2];

    status_t status = handle_table_reserve(table, 2, values);
    if (status == OK) {
        status = copy_out_two(to_a, to_b, values);
        kill_point("handles reserved", thread_current());
        if (status == OK) {
            handle_table_publish(table, values[0], a);
            handle_table_publish(table, values[1], b);
            return OK;
        }
        handle_table_cancel(table, values[0]);
        handle_table_cancel(table, values[1]);
    }
    handle_release(&a);
    handle_release(&b);
    return status;
}

status_t sys_publish_new_two(struct user_out to_a, struct waitable *a, struct user_out to_b,
                             struct waitable *b) {
    return sys_publish_two(to_a, handle_adopt(a, a->ops->default_rights), to_b,
                           handle_adopt(b, b->ops->default_rights));
}

#define VALUES_AT_ONCE 64

static bool close_values(const uint32_t *values, size_t count) {
    bool all_good = true;
    struct handle handle;

    for (size_t i = 0; i < count; i++) {
        if (values[i] == ZX_HANDLE_INVALID)
            continue;
        if (handle_table_remove(sys_table(), values[i], &handle) == OK)
            handle_release(&handle);
        else
            all_good = false;
    }
    return all_good;
}

status_t sys_close_handles(struct user_in values, size_t count, bool *out_all_good) {
    uint32_t some[VALUES_AT_ONCE];

    *out_all_good = true;
    for (size_t done = 0; done < count; done += VALUES_AT_ONCE) {
        size_t now = MIN(count - done, (size_t)VALUES_AT_ONCE);
        if (thread_is_killed(thread_current()))
            return ERR_INTERNAL_KILLED;
        status_t status =
            user_copy_in(some, user_in_at(values, done * sizeof(*some)), now * sizeof(*some));
        if (status != OK)
            return status;
        *out_all_good &= close_values(some, now);
    }
    return OK;
}

void sys_consume_handles(struct user_in values, size_t count) {
    bool all_good;

    (void)sys_close_handles(values, count, &all_good);
}
