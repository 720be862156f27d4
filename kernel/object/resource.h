/*
 * resource.h - permission to use hardware or to do what only the system may.
 *
 * The root resource stands for all kinds. A resource made from it stands for one
 * kind, and for ranged kinds for one range. An exclusive range overlaps no other
 * live resource of its kind.
 */
#pragma once

#include <zircon/syscalls/object.h>

#include "object/handle.h"
#include "vm/user_copy.h"

struct resource {
    struct waitable base;
    /* Set once. */
    uint32_t kind, flags; /* ZX_RSRC_KIND_, ZX_RSRC_FLAG_ */
    uint64_t start, size;
    /* Under the lock of the list. */
    struct list_node node; /* on the list of ranges, while it has handles */
    /* Under base.lock. */
    char name[OBJECT_NAME_SIZE];
};

ALWAYS_INLINE struct resource *resource_from(struct waitable *object) {
    return container_of(object, struct resource, base);
}
/* Once, at boot. */
void resource_init(void);
/* The reference is the caller's. ERR_NO_MEMORY. */
status_t resource_create_root(struct resource **out_resource);
/*
 * A resource for a part of what `parent` allows. ERR_ACCESS_DENIED unless that is
 * the root, ERR_INVALID_ARGS, ERR_NOT_FOUND (range), ERR_NO_MEMORY.
 */
status_t resource_create(const struct resource *parent, uint32_t options, uint64_t start,
                         uint64_t size, const char name[OBJECT_NAME_SIZE],
                         struct resource **out_resource);
/* What of these a create call is refused for before its name is read. */
status_t resource_check_create(const struct resource *parent, uint32_t options);
/* ERR_WRONG_TYPE unless it is of this kind or the root. */
status_t resource_check(const struct resource *resource, uint32_t kind);
/*
 * The same for a range, too: ERR_OUT_OF_RANGE unless the resource contains it. The root
 * contains all; a range of device memory counts as the pages that it touches.
 */
status_t resource_check_range(const struct resource *resource, uint32_t kind, uint64_t start,
                              uint64_t size);
void resource_get_info(struct resource *resource, zx_info_resource_t *out_info);
