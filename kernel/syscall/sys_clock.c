/*
 * sys_clock.c - clocks that user code sets.
 */
#include "object/clock_object.h"
#include "syscall/sys_util.h"

#define VERSION_OF(options) ((options) & ZX_CLOCK_ARGS_VERSION_MASK)
#define FLAGS_OF(options)   ((options) & ~ZX_CLOCK_ARGS_VERSION_MASK)

/* Without a structure there is no backstop, which is one of 0. */
static status_t create_args(uint64_t options, struct user_in args, nstime_t *out_backstop) {
    zx_clock_create_args_v1_t v1 = {0};

    if (VERSION_OF(options) == ZX_CLOCK_ARGS_VERSION(1)) {
        status_t status = user_copy_in(&v1, args, sizeof(v1));
        if (status != OK)
            return status;
    } else if (VERSION_OF(options) != 0 || args.address != 0) {
        return ERR_INVALID_ARGS;
    }
    *out_backstop = v1.backstop_time;
    return OK;
}

static bool create_options_are_valid(uint64_t flags) {
    if (flags & ~ZX_CLOCK_OPTS_ALL)
        return false;
    return !(flags & ZX_CLOCK_OPT_CONTINUOUS) || (flags & ZX_CLOCK_OPT_MONOTONIC);
}

status_t sys_clock_create(uint64_t options, struct user_in args, struct user_out out) {
    struct clock_object *clock;
    nstime_t backstop;

    status_t status = create_args(options, args, &backstop);
    if (status != OK)
        return status;
    if (!create_options_are_valid(FLAGS_OF(options)))
        return ERR_INVALID_ARGS;
    status = clock_object_create(FLAGS_OF(options), backstop, &clock);
    return status != OK ? status : sys_publish_new(out, &clock->base);
}

status_t sys_clock_read(uint32_t handle, struct user_out now) {
    AUTO(waitable) object = NULL;

    status_t status = sys_lookup(handle, ZX_OBJ_TYPE_CLOCK, ZX_RIGHT_READ, &object);
    if (status != OK)
        return status;
    return user_copy_out_u64(now, (uint64_t)clock_object_read(clock_object_from(object)));
}

status_t sys_clock_get_details(uint32_t handle, uint64_t options, struct user_out details) {
    AUTO(waitable) object = NULL;
    zx_clock_details_v1_t record;

    if (options != ZX_CLOCK_ARGS_VERSION(1) || details.address == 0)
        return ERR_INVALID_ARGS;
    status_t status = sys_lookup(handle, ZX_OBJ_TYPE_CLOCK, ZX_RIGHT_READ, &object);
    if (status != OK)
        return status;
    clock_object_get_details(clock_object_from(object), &record);
    return user_copy_out(details, &record, sizeof(record));
}

static status_t update_args_v1(struct user_in args, struct clock_update *out_update) {
    zx_clock_update_args_v1_t v1;

    status_t status = user_copy_in(&v1, args, sizeof(v1));
    if (status != OK)
        return status;
    *out_update = (struct clock_update){
        .rate_adjust = v1.rate_adjust, .value = v1.value, .error_bound = v1.error_bound};
    return OK;
}

static status_t update_args_v2(struct user_in args, struct clock_update *out_update) {
    zx_clock_update_args_v2_t v2;

    status_t status = user_copy_in(&v2, args, sizeof(v2));
    if (status != OK)
        return status;
    *out_update = (struct clock_update){.is_v2 = true,
                                        .rate_adjust = v2.rate_adjust,
                                        .value = v2.synthetic_value,
                                        .reference = v2.reference_value,
                                        .error_bound = v2.error_bound};
    return OK;
}

static status_t update_args(uint64_t options, struct user_in args,
                            struct clock_update *out_update) {
    if (args.address == 0)
        return ERR_INVALID_ARGS;
    if (VERSION_OF(options) == ZX_CLOCK_ARGS_VERSION(1))
        return update_args_v1(args, out_update);
    if (VERSION_OF(options) == ZX_CLOCK_ARGS_VERSION(2))
        return update_args_v2(args, out_update);
    return ERR_INVALID_ARGS;
}

static bool update_is_valid(const struct clock_update *update) {
    if (update->flags == 0 || (update->flags & ~ZX_CLOCK_UPDATE_OPTIONS_ALL))
        return false;
    if (!(update->flags & ZX_CLOCK_UPDATE_OPTION_RATE_ADJUST_VALID))
        return true;
    return update->rate_adjust >= ZX_CLOCK_UPDATE_MIN_RATE_ADJUST &&
           update->rate_adjust <= ZX_CLOCK_UPDATE_MAX_RATE_ADJUST;
}

status_t sys_clock_update(uint32_t handle, uint64_t options, struct user_in args) {
    AUTO(waitable) object = NULL;
    struct clock_update update;

    status_t status = update_args(options, args, &update);
    if (status != OK)
        return status;
    update.flags = FLAGS_OF(options);
    if (!update_is_valid(&update))
        return ERR_INVALID_ARGS;
    status = sys_lookup(handle, ZX_OBJ_TYPE_CLOCK, ZX_RIGHT_WRITE, &object);
    return status != OK ? status : clock_object_update(clock_object_from(object), &update);
}
