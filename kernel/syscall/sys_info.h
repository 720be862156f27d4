/*
 * sys_info.h - shared by the two files of zx_object_get_info.
 */
#pragma once

#include <zircon/syscalls/object.h>

#include "lib/user_ptr.h"
#include "object/handle.h"

/* Where an answer goes: records, how many were written, how many there are. */
struct info_target {
    struct user_out buffer;
    uint64_t size;
    struct user_out actual, avail;
};

/* `types` is a set of bits 1 << ZX_OBJ_TYPE_. ERR_BAD_HANDLE, WRONG_TYPE, ACCESS_DENIED. */
status_t sys_info_lookup(uint32_t handle, uint64_t types, rights_t needed,
                         struct waitable **out_object, rights_t *out_rights);
status_t sys_info_copy_counts(const struct info_target *target, uint64_t actual, uint64_t avail);
/*
 * What is to tell of one VMO; `via` is how its asker came to it (ZX_INFO_VMO_VIA_*). What
 * the newest record has behind older ones costs a walk, so it is left out of shorter ones.
 */
void sys_info_fill_vmo(struct waitable *object, rights_t rights, uint32_t via, size_t record_size,
                       zx_info_vmo_v4_t *out_record);
/* Topics that are lists; ERR_NOT_SUPPORTED for all that nobody knows. */
status_t sys_info_list(uint32_t handle, uint32_t topic, const struct info_target *target);
