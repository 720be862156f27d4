/*
 * profile.c - profiles; see profile.h.
 */
#include "object/profile.h"

#include <zircon/types.h>

#include "arch/cpu.h"
#include "lib/string.h"
#include "sched/inherit.h"
#include "sched/sched.h"
#include "vm/kheap.h"

#define FLAG(name) ZX_PROFILE_INFO_FLAG_##name
#define FLAGS_ALL  (FLAG(PRIORITY) | FLAG(CPU_MASK) | FLAG(DEADLINE) | FLAG(NO_INHERIT))

static bool deadline_is_valid(const zx_sched_deadline_params_t *params) {
    return params->capacity > 0 && params->capacity <= params->relative_deadline &&
           params->relative_deadline <= params->period;
}

static bool info_is_valid(const zx_profile_info_t *info) {
    uint32_t flags = info->flags;

    if (!(flags & (FLAG(PRIORITY) | FLAG(CPU_MASK) | FLAG(DEADLINE))) || (flags & ~FLAGS_ALL))
        return false;
    if ((flags & FLAG(DEADLINE)) && (flags & (FLAG(PRIORITY) | FLAG(NO_INHERIT))))
        return false;
    if ((flags & FLAG(PRIORITY)) &&
        (info->priority < ZX_PRIORITY_LOWEST || info->priority > ZX_PRIORITY_HIGHEST))
        return false;
    return !(flags & FLAG(DEADLINE)) || deadline_is_valid(&info->deadline_params);
}

static void profile_destroy(struct waitable *object) {
    kheap_free_sized(profile_from(object), sizeof(struct profile));
}

static const struct waitable_ops profile_ops = {
    .name = "profile",
    .type = ZX_OBJ_TYPE_PROFILE,
    .default_rights = ZX_DEFAULT_PROFILE_RIGHTS,
    .destroy = profile_destroy,
};

status_t profile_create(const zx_profile_info_t *info, struct profile **out_profile) {
    if (!info_is_valid(info))
        return ERR_INVALID_ARGS;
    struct profile *profile = kheap_zalloc(sizeof(*profile));
    if (!profile)
        return ERR_NO_MEMORY;
    waitable_init(&profile->base, &profile_ops, 0);
    profile->info = *info;
    zx_cpu_set_t *mask = &profile->info.cpu_affinity_mask;
    memset(mask, 0, sizeof(*mask));
    mask->mask[0] = info->cpu_affinity_mask.mask[0] & (cpu_bit(cpu_count() - 1) * 2 - 1);
    *out_profile = profile;
    return OK;
}

static unsigned scheduler_priority(int32_t priority) {
    if (priority <= PRIORITY_IDLE)
        return PRIORITY_IDLE + 1;
    return MIN((unsigned)priority, (unsigned)PRIORITY_KERNEL - 1);
}

status_t profile_apply(const struct profile *profile, struct user_thread *thread) {
    const zx_profile_info_t *info = &profile->info;
    MUTEX_GUARD(&thread->process->lock);

    if (thread->state >= USER_THREAD_DYING || thread_is_killed(&thread->thread))
        return ERR_BAD_STATE;
    if (info->flags & FLAG(PRIORITY))
        thread_set_priority(&thread->thread, scheduler_priority(info->priority),
                            !(info->flags & FLAG(NO_INHERIT)));
    if (info->flags & FLAG(CPU_MASK)) {
        thread->has_affinity = true;
        sched_set_affinity(&thread->thread, info->cpu_affinity_mask.mask[0]);
    }
    return OK;
}
