/*
 * vmar_object.c - the handle side of regions; all else is vm/aspace.h.
 *
 * A region needs nothing when its last handle goes: the tree keeps it.
 */
#include <zircon/types.h>

#include "object/handle.h"
#include "vm/region_internal.h"

const struct waitable_ops region_ops = {
    .name = "vmar",
    .type = ZX_OBJ_TYPE_VMAR,
    .default_rights = ZX_RIGHTS_BASIC & ~ZX_RIGHT_WAIT, /* and READ... as it may map */
    .destroy = region_destroy,
};
