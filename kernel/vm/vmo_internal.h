/*
 * vmo_internal.h - shared by the vmo*.c files and object/vmo_object.c only.
 */
#pragma once

#include "vm/vmo.h"

#define VMO_SIGNAL_ZERO_CHILDREN ((signals_t)0x8)

/* A VMO without pages; ERR_OUT_OF_RANGE, ERR_NO_MEMORY. */
status_t vmo_alloc(uint64_t size, struct vmo **out_vmo);
/* vmo_ops.destroy. */
void vmo_destroy(struct waitable *object);
uint64_t vmo_family_child_count(struct vmo *vmo);
