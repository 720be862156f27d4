/*
 * vmo_object.c - the handle side of memory objects; all else is vm/vmo.h.
 */
#include <zircon/types.h>

#include "object/handle.h"
#include "vm/vmo_internal.h"

_Static_assert(VMO_SIGNAL_ZERO_CHILDREN == ZX_VMO_ZERO_CHILDREN, "vm knows the signal by number");

static char *vmo_name_storage(struct waitable *object) { return vmo_from(object)->name; }

const struct waitable_ops vmo_ops = {
    .name = "vmo",
    .type = ZX_OBJ_TYPE_VMO,
    .can_wait = true,
    .default_rights = ZX_DEFAULT_VMO_RIGHTS,
    .destroy = vmo_destroy,
    .name_storage = vmo_name_storage,
};
