/*
 * profile.h - how a thread shall be scheduled, as something to hand out.
 *
 * Priorities of user threads are 1 to 27 for the scheduler, since the kernel's own
 * threads must get on: what is asked for beyond these counts as the nearest. The mask is
 * a hint where to wake a thread. Deadlines are checked and kept, and have no effect.
 */
#pragma once

#include <zircon/syscalls/profile.h>

#include "object/user_thread.h"

struct profile {
    struct waitable base;
    zx_profile_info_t info; /* set once */
};

ALWAYS_INLINE struct profile *profile_from(struct waitable *object) {
    return container_of(object, struct profile, base);
}
/* ERR_INVALID_ARGS for what cannot be meant. Bits of CPUs that do not exist are dropped. */
status_t profile_create(const zx_profile_info_t *info, struct profile **out_profile);
/* ERR_BAD_STATE if the thread is dying or dead. */
status_t profile_apply(const struct profile *profile, struct user_thread *thread);
